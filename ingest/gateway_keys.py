"""Keys by which gateways prove over HTTP who they are. Pure: the time is handed in.

A key is `hwk_{id}_{secret}`: the id is no secret, finds the key and names it in logs and lists; of
the secret, 256 bits of chance, only the SHA-256 of the whole is kept.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

USED_EVERY = timedelta(hours=1)
"""The last use of a key is kept no more exactly than this."""
_FORM = re.compile(r"hwk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_NOBODY = bytes(32)


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key that was not revoked. digest: SHA-256 of it; expires, used: None for never."""

    id: str
    gateway: int
    digest: bytes
    expires: datetime | None = None
    used: datetime | None = None


def new_key() -> tuple[str, str, bytes]:
    """(id, the key itself, its digest)."""
    id = secrets.token_hex(6)
    key = f"hwk_{id}_{secrets.token_urlsafe(32)}"
    return id, key, digest(key)


def digest(key: str) -> bytes:
    """What is kept of a key."""
    return sha256(key.encode()).digest()


def is_key(token: str) -> bool:
    """Whether a token has the form of a key; others are sessions of people."""
    return _FORM.fullmatch(token) is not None


class KeyBook:
    """All keys that hold, as they were read last."""

    def __init__(self, keys: Iterable[GatewayKey] = ()) -> None:
        self._keys = {key.id: key for key in keys}
        self._used: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def replace(self, keys: Iterable[GatewayKey]) -> None:
        """Go on with these."""
        self._keys = {key.id: key for key in keys}

    def holder(self, token: str, at: datetime) -> GatewayKey | None:
        """The key that a token is; None: there is none such, or it has run out.

        Takes as long for a wrong secret as for an id that does not exist.
        """
        found = _FORM.fullmatch(token)
        key = None if found is None else self._keys.get(found[1])
        same = compare_digest(digest(token), _NOBODY if key is None else key.digest)
        if key is None or not same or (key.expires is not None and key.expires <= at):
            return None
        used = self._used.get(key.id) or key.used
        if used is None or at - used >= USED_EVERY:
            self._used[key.id] = at
        return key

    def newly_used(self) -> dict[str, datetime]:
        """Keys whose last use has to be kept, and when that was; they count as kept from now on."""
        news = {
            id: at
            for id, at in self._used.items()
            if (key := self._keys.get(id)) is not None and (key.used is None or key.used < at)
        }
        for id, at in news.items():
            old = self._keys[id]
            self._keys[id] = GatewayKey(id, old.gateway, old.digest, old.expires, at)
        self._used.clear()
        return news
