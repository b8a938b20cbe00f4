"""Who asks: the session behind a bearer token or a cookie."""

from typing import Annotated

from fastapi import Depends, Header
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.problems import EXPLANATIONS, Problem
from domain.clock import Clock
from storage.reading import Reading
from storage.sessions import Scope, find_session

COOKIE = "hazwatch_session"
CSRF_HEADER = "X-Hazwatch"

_BEARER = HTTPBearer(auto_error=False, description="the token of POST /session, for programs")
_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="for the page")

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
Cookie = Annotated[str | None, Depends(_COOKIE)]


def token_of(bearer: Bearer, cookie: Cookie) -> str:
    """The token of a request, the bearer's first; none is a 401 problem."""
    if bearer is not None:
        return bearer.credentials
    if cookie is not None:
        return cookie
    raise _nobody()


def writing_token(
    bearer: Bearer,
    cookie: Cookie,
    x_hazwatch: Annotated[
        str | None, Header(description="any value; needed with the cookie, against CSRF")
    ] = None,
) -> str:
    """The token of a request that changes something; the cookie alone does not do."""
    if bearer is None and cookie is not None and x_hazwatch is None:
        raise Problem(403, EXPLANATIONS["csrf-header-missing"], slug="csrf-header-missing")
    return token_of(bearer, cookie)


Token = Annotated[str, Depends(token_of)]
WritingToken = Annotated[str, Depends(writing_token)]


class Guard:
    """Turns tokens into scopes. `reader` and `writer` are dependencies of the paths."""

    def __init__(self, reading: Reading, clock: Clock) -> None:
        self._reading = reading
        self._clock = clock

    async def scope(self, token: str) -> Scope:
        """The scope behind a token, or a 401 problem."""
        scope = await find_session(self._reading, token, self._clock.now())
        if scope is None:
            raise _nobody()
        return scope

    async def reader(self, token: Token) -> Scope:
        """For paths that only look."""
        return await self.scope(token)

    async def writer(self, token: WritingToken) -> Scope:
        """For paths that change something."""
        return await self.scope(token)


def _nobody() -> Problem:
    return Problem(401, EXPLANATIONS["not-logged-in"], headers={"WWW-Authenticate": "Bearer"})
