"""Passwords are checked here alone: one brake and one line for all who give one."""

from typing import Annotated

from fastapi import Depends, Request

from api.metrics import ApiMetrics
from api.passwords import PasswordCheck
from api.problems import EXPLANATIONS, Problem
from api.throttle import LoginThrottle
from domain.clock import Clock
from storage.people import password_of
from storage.reading import Reading


class Logins:
    """Whether somebody is who they say; a login and a second person use up the same tries."""

    def __init__(self, reading: Reading, clock: Clock, metrics: ApiMetrics) -> None:
        self._reading = reading
        self._clock = clock
        self._metrics = metrics
        self._throttle = LoginThrottle()
        self._passwords = PasswordCheck()

    async def right(self, user: str, password: str, address: str) -> bool:
        """Whether this is the password; an unknown name takes as long. A 429 problem while this
        name from this address, or the address, has no try left."""
        wait_s = self._throttle.take(user, address, self._clock.now())
        if wait_s > 0:
            self._metrics.logins.labels("throttled").inc()
            raise Problem(
                429,
                EXPLANATIONS["too-many-logins"],
                slug="too-many-logins",
                headers={"Retry-After": str(int(wait_s) + 1)},
            )
        stored = await password_of(self._reading, user)
        if not await self._passwords.matches(password, stored):
            self._metrics.logins.labels("refused").inc()
            return False
        self._throttle.succeeded(user, address, self._clock.now())
        return True

    def counted(self, outcome: str) -> None:
        """Count what a right password was for."""
        self._metrics.logins.labels(outcome).inc()


def _address_of(request: Request) -> str:
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(_address_of)]
"""Where a request comes from."""
