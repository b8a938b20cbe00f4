"""The second person 第二人: where two have to agree both are at the same console, and the second
gives a name and a password of their own (domain.md 4.5a, 5.2 #17 and #20)."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, SecretStr

from api.logins import Logins
from api.problems import wrong
from domain.clock import Clock
from storage.reading import Reading
from storage.sessions import Scope, scope_of

Second = Annotated[
    str | None,
    Field(max_length=100, description="user name of the second person, where one is needed"),
]
SecondPassword = Annotated[
    Annotated[SecretStr, Field(max_length=1024)] | None,
    Field(
        description="the second person's own password, typed by them; checked as a login is, "
        "kept nowhere"
    ),
]
WRONG = "the second person's name or password is wrong"
"""Also of a name that nobody has, so that names cannot be found out."""
SILENT = "is missing; the second person gives their own password"


@dataclass(frozen=True, slots=True)
class Named:
    """The second person as a request has them. address: where it came from."""

    name: str | None
    password: SecretStr | None
    address: str


class SecondPerson:
    """Finds out whether the second person is there. What they may is for the caller to say."""

    def __init__(self, reading: Reading, clock: Clock, logins: Logins) -> None:
        self._reading = reading
        self._clock = clock
        self._logins = logins

    async def there(self, first: str, named: Named) -> Scope | None:
        """The grants of the second person, None where nobody is named; see `scope_of`.

        A 403 problem where name or password is wrong, 422 where the second is the `first` or one
        of the two is missing, 429 as at a login.
        """
        if named.name is None:
            if named.password is not None:
                raise wrong("/second", "is missing; second_password is the password of this person")
            return None
        if named.name == first:
            raise wrong("/second", "the second person has to be another one")
        if named.password is None:
            raise wrong("/second_password", SILENT)
        secret = named.password.get_secret_value()
        if not await self._logins.right(named.name, secret, named.address):
            raise wrong("/second", WRONG, 403)
        found = await scope_of(self._reading, named.name, self._clock.now())
        if found is None:
            raise wrong("/second", WRONG, 403)
        self._logins.counted("second")
        return found
