"""What a gateway says on the wire, version 1: topics and JSON bodies."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.instant import rfc3339

Value = float | bool | str | None | Mapping[str, object]
"""A reading: number, bool, null, or an object with `value`, `quality`, `unit`."""


@dataclass(frozen=True, slots=True)
class Address:
    """A gateway's place in the topic tree."""

    park: str
    enterprise: str
    gateway: str

    def topic(self, leaf: str) -> str:
        """The topic of one of its leaves: data, state, alarm, receipt."""
        return f"hw/v1/{self.park}/{self.enterprise}/{self.gateway}/{leaf}"


@dataclass(frozen=True, slots=True)
class Sample:
    """Readings of one instant, by tag name."""

    time: datetime
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Message:
    """A data message before it is published: it keeps its number however often it is sent."""

    seq: int
    samples: Sequence[Sample]
    historical: bool = False

    def body(self, boot: str, oldest: int, sent: datetime, historical: bool) -> dict[str, object]:
        """The payload as it goes out at `sent`, while `oldest` is the lowest number still held."""
        return {
            "boot": boot,
            "seq": self.seq,
            "oldest": oldest,
            "sent": rfc3339(sent),
            "historical": self.historical or historical,
            "samples": [
                {"time": rfc3339(sample.time), "values": dict(sample.values)}
                for sample in self.samples
            ],
        }


def encode(body: Mapping[str, object]) -> bytes:
    """JSON as the wire carries it. NaN and infinity are written as such: gateways do that."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
