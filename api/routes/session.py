"""Login and logout."""

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from api.auth import COOKIE, Guard, WritingToken
from api.logins import Address, Logins
from api.options import ApiOptions
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, Instant
from domain.clock import Clock
from storage.reading import Reading
from storage.sessions import Scope, close_session, find_session, open_session


class Credentials(BaseModel):
    """Who wants in."""

    user: str = Field(min_length=1, max_length=64, examples=["zhang.wei"])
    password: str = Field(min_length=1, max_length=1024, examples=["correct horse battery"])


class Role(BaseModel):
    """A role below a node of the tree."""

    role: str = Field(examples=["operator"])
    node: Id
    name: str = Field(description="of the node", examples=["临港化工园"])
    code: str = Field(description="of the node", examples=["p1"])


class Session(BaseModel):
    """Who is logged in, and until when."""

    user: str
    roles: list[Role]
    expires: Instant


class OpenedSession(Session):
    """A new session; the token is shown once."""

    token: str = Field(description="for Authorization: Bearer")


def session_routes(
    reading: Reading, guard: Guard, clock: Clock, options: ApiOptions, logins: Logins
) -> APIRouter:
    """POST, GET and DELETE /session."""
    router = APIRouter(tags=["session"])

    @router.post("/session", operation_id="login")
    async def login(
        given: Credentials, address: Address, request: Request, response: Response
    ) -> OpenedSession:
        """Open a session. The answer sets a cookie for the page and has a token for programs."""
        if not await logins.right(given.user, given.password, address):
            raise Problem(401, EXPLANATIONS["wrong-password"], slug="wrong-password")
        logins.counted("opened")
        token, scope = await opened(given.user)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(options.session_s),
            httponly=True,
            samesite="strict",
            secure=options.secure_cookie or request.url.scheme == "https",
        )
        return OpenedSession(**told(scope).model_dump(), token=token)

    async def opened(person: str) -> tuple[str, Scope]:
        token, at = secrets.token_urlsafe(32), clock.now()
        await open_session(reading, token, person, at, at + timedelta(seconds=options.session_s))
        scope = await find_session(reading, token, at)
        if scope is None:
            raise Problem(401, EXPLANATIONS["wrong-password"], slug="wrong-password")
        return token, scope

    @router.get("/session", operation_id="whoAmI")
    async def who(scope: Annotated[Scope, Depends(guard.reader)]) -> Session:
        """Who is logged in."""
        return told(scope)

    @router.delete("/session", operation_id="logout", status_code=204)
    async def logout(token: WritingToken, response: Response) -> None:
        """Close the session; its token is worthless at once."""
        await close_session(reading, token)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    return router


def told(scope: Scope) -> Session:
    """A scope as its owner sees it."""
    roles = [Role(**role) for role in scope.roles]
    return Session(user=scope.person, roles=roles, expires=scope.expires)
