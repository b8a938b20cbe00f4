"""Records of what was not understood, with ids that a repeat of the same message has again."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID, uuid5

from domain.alarms import NAMESPACE
from domain.plant import Gateway
from ingest.batch import Quarantined, Raw
from ingest.message import RejectedValue
from ingest.rejection import Rejection
from ingest.text import sound

MAX_PAYLOAD = 64 * 1024
"""Bytes kept of a message."""


@dataclass(slots=True)
class Records:
    """Makes the records of one message, numbered in the order in which they are made."""

    raw: Raw
    gateway: Gateway | None
    enterprise: int | None
    received: int
    made: int = 0
    digest: str = ""

    def whole(self, why: Rejection) -> Quarantined:
        """The whole message, or a member of its head."""
        payload = self.raw.payload
        return self._record(why.reason, why.detail, payload[:MAX_PAYLOAD], len(payload), None, None)

    def values(self, rejected: tuple[RejectedValue, ...]) -> Iterator[Quarantined]:
        """One for each value."""
        for one in rejected:
            yield self._record(
                one.reason, one.detail, one.payload, len(one.payload), one.tag, one.time
            )

    def _record(
        self, reason: str, detail: str, payload: bytes, size: int, tag: str | None, time: str | None
    ) -> Quarantined:
        gateway = None if self.gateway is None else self.gateway.id
        return Quarantined(
            self._next_id(),
            self.received,
            sound(self.raw.topic),
            gateway,
            self.enterprise,
            reason,
            sound(detail),
            payload,
            size,
            None if tag is None else sound(tag),
            None if time is None else sound(time),
        )

    def _next_id(self) -> UUID:
        self.digest = self.digest or blake2b(self.raw.payload, digest_size=16).hexdigest()
        self.made += 1
        return uuid5(NAMESPACE, f"quarantine/{self.raw.topic!a}/{self.digest}/{self.made}")
