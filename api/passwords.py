"""Argon2id, few at a time: each check takes 64 MiB and a core for a while."""

import asyncio
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.problems import Problem


@cache
def hasher() -> PasswordHash:
    """Argon2id with the library's present defaults (RFC 9106, low-memory choice)."""
    return PasswordHash((Argon2Hasher(),))


def hash_password(password: str) -> str:
    """What is stored of a password."""
    return hasher().hash(password)


@cache
def nobody() -> str:
    """A hash to check against when there is no such user, so that both take the same time."""
    return hash_password("nobody has this password")


class PasswordCheck:
    """Checks in threads, `at_once` at a time; with `waiting` in line the next is told 503."""

    def __init__(self, at_once: int = 2, waiting: int = 64) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._line = 0
        self._waiting = waiting

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether this is the password; with nothing stored it takes as long and is False."""
        if self._line >= self._waiting:
            raise Problem(503, "Too many logins at once.", headers={"Retry-After": "2"})
        self._line += 1
        try:
            async with self._free:
                right = await asyncio.to_thread(_verify, password, stored)
        finally:
            self._line -= 1
        return right and stored is not None


def _verify(password: str, stored: str | None) -> bool:
    return hasher().verify(password, stored or nobody())
