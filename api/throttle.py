"""Brakes on guessing passwords: a bucket of tries for a name and address, and for an address."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tries that are left, as of `at`."""

    left: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Tries:
    """How many at once, and how long until one more is allowed, in seconds."""

    burst: int
    refill_s: float


PER_NAME = Tries(burst=5, refill_s=30.0)
PER_ADDRESS = Tries(burst=30, refill_s=5.0)


class LoginThrottle:
    """At most `keep` buckets; the one that was longest untouched makes room."""

    def __init__(self, keep: int = 10_000) -> None:
        self._keep = keep
        self._buckets: OrderedDict[tuple[str | None, str], Bucket] = OrderedDict()

    def take(self, name: str, address: str, at: datetime) -> float:
        """Take a try before it is made; 0 if it may be made, else the seconds to wait."""
        keys: list[tuple[tuple[str | None, str], Tries]] = [
            ((name, address), PER_NAME),
            ((None, address), PER_ADDRESS),
        ]
        left = [self._left(key, tries, at) for key, tries in keys]
        waits = [
            (1 - n) * tries.refill_s for n, (_, tries) in zip(left, keys, strict=True) if n < 1
        ]
        if waits:
            return max(waits)
        for n, (key, _) in zip(left, keys, strict=True):
            self._put(key, Bucket(n - 1, at))
        return 0.0

    def succeeded(self, name: str, address: str, at: datetime) -> None:
        """The password was right: its name starts afresh, the address gets its try back."""
        self._buckets.pop((name, address), None)
        key = (None, address)
        left = self._left(key, PER_ADDRESS, at)
        self._put(key, Bucket(min(PER_ADDRESS.burst, left + 1), at))

    def __len__(self) -> int:
        return len(self._buckets)

    def _left(self, key: tuple[str | None, str], tries: Tries, at: datetime) -> float:
        bucket = self._buckets.get(key)
        if bucket is None:
            return tries.burst
        refilled = max(0.0, (at - bucket.at).total_seconds()) / tries.refill_s
        return min(tries.burst, bucket.left + refilled)

    def _put(self, key: tuple[str | None, str], bucket: Bucket) -> None:
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keep:
            self._buckets.popitem(last=False)
