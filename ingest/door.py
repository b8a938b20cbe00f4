"""`Door`: from a request to its place in the journal and back, with every bound on the way.

A request is the message that its gateway would publish over MQTT. It goes the same way, through
inbox, intake, rules and journal, alone in its batch so that the answer counts just its values. What
is not answered with 200 was not taken, or may be sent again at no cost.

Bounds: requests at once, in all, of one enterprise (half of all) and of one gateway; bytes and
seconds of a body; what an enterprise sends on the average (`quota`); seconds until an answer.
Beyond each there is an answer that says so, and nothing of one enterprise waits for another.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from domain.clock import Clock
from domain.instant import SECOND, micros
from domain.plant import Gateway, Registry
from ingest import http_refusals as refusals
from ingest.asked import Asked, Became, Waiting
from ingest.batch import Batch, Raw
from ingest.credentials import Credentials, Place, Sessions
from ingest.http_answers import told
from ingest.metrics import HttpMetrics
from ingest.quota import Allowance, Quota
from ingest.rejection import Rejection
from ingest.topics import data
from ingest.turns import Turns
from ingest.unpack import GZIP_MAGIC, MAX_RAW, ZSTD_MAGIC, timeless

MAGIC = {"": b"", "identity": b"", "gzip": GZIP_MAGIC, "x-gzip": GZIP_MAGIC, "zstd": ZSTD_MAGIC}
"""First bytes of a body by its Content-Encoding."""
UNKNOWN = ("", "")
"""The enterprise of whom nobody has looked at yet."""
UNREADABLE = 1_000
"""As so many values counts a message of which nothing could be read: finding that out costs."""


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """Bounds; times in seconds.

    requests, per_gateway: at once. body_s: until a body is here. answer_s: until it is durable.
    allowance: of an enterprise; allowances: of those that have another, by (park, enterprise).
    """

    allowance: Allowance
    allowances: Mapping[tuple[str, str], Allowance] = field(default_factory=dict)
    requests: int = 64
    per_gateway: int = 8
    body_s: float = 30.0
    answer_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Behind:
    """The worker behind the door. away: whether nothing could be made durable now. full: whether
    too much of an enterprise, by (park, enterprise), waits to be judged."""

    registry: Callable[[], Registry]
    away: Callable[[], bool]
    full: Callable[[tuple[str, str]], bool]
    put: Callable[[Raw], None]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request. token: of Authorization; address: where it comes from; coding, length: what its
    head says of the body, in lower case, None for nothing."""

    place: Place
    token: str | None
    address: str
    coding: str
    length: int | None
    body: AsyncIterator[bytes]


class Door:
    """HTTP ingest of one process. It takes nothing until it is opened, and after it is closed.

    credentials, waiting: the worker keeps the one fresh and tells the other what became of batches.
    """

    def __init__(
        self, options: DoorOptions, clock: Clock, metrics: HttpMetrics, sessions: Sessions
    ) -> None:
        self.credentials = Credentials(clock, metrics, sessions)
        self.waiting = Waiting()
        self._options = options
        self._clock = clock
        self._metrics = metrics
        self._behind: Behind | None = None
        self._why = "No worker is at work in this process"
        self._here: Counter[tuple[str, str]] = Counter()
        self._turns = Turns(options.per_gateway)
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._registry: Registry | None = None
        self._places: dict[Place, Gateway] = {}

    def open(self, behind: Behind) -> None:
        """Take requests from now on."""
        self._behind = behind

    def close(self, why: str) -> None:
        """Take no more; who waits goes on waiting."""
        self._behind, self._why = None, why

    @property
    def taking(self) -> bool:
        """Whether a request could be taken now."""
        return self._behind is not None and not self._behind.away()

    async def take(self, incoming: Incoming) -> dict[str, Any]:
        """A `http_answers.Taken` once all of it is in the database; else raises `Refused`."""
        self._ready()
        if self._here.total() >= self._options.requests:
            raise refusals.busy(self._options.requests)
        with self._present(UNKNOWN):
            found = self._found(incoming.place)
            gateway = await self.credentials.check(
                incoming.token, incoming.place, found, incoming.address
            )
        _look_at_head(incoming)
        enterprise, share = incoming.place[:2], self._options.requests // 2
        if self._here[enterprise] >= max(share, 1):
            raise refusals.crowded("enterprise", share)
        with self._present(enterprise):
            return await self._in_line(gateway, incoming)

    @contextmanager
    def _present(self, enterprise: tuple[str, str]) -> Iterator[None]:
        """While a request of an enterprise is here."""
        self._here[enterprise] += 1
        try:
            yield
        finally:
            self._here[enterprise] -= 1
            if not self._here[enterprise]:
                del self._here[enterprise]

    def count(self, status: int) -> None:
        """An answer went out; 0: nobody was there to hear it."""
        self._metrics.requests.labels(str(status)).inc()

    def _ready(self) -> Behind:
        """The worker, where what comes now could be made durable."""
        if self._behind is None:
            raise refusals.closed(self._why)
        if self._behind.away():
            raise refusals.away()
        return self._behind

    def _found(self, place: Place) -> Gateway | None:
        """The gateway that is registered at a place."""
        registry = self._ready().registry()
        if registry is not self._registry:
            self._registry = registry
            self._places = {
                (one.park, one.enterprise_code, one.code): one for one in registry.gateways
            }
        return self._places.get(place)

    async def _in_line(self, gateway: Gateway, incoming: Incoming) -> dict[str, Any]:
        """Messages of a gateway go in as their requests came; they wait side by side."""
        quota = self._quota(incoming.place[:2])
        async with self._turns.entered(gateway.id) as turn:
            if turn is None:
                raise refusals.crowded("gateway", self._turns.most)
            async with turn:
                self._admit(quota, incoming.place)
                payload = await self._read(incoming)
                quota.charge(self._at(), size=len(payload))
                asked = self._put(incoming.place, payload, quota)
            return await self._answer(asked, payload, incoming.place, quota)

    def _quota(self, enterprise: tuple[str, str]) -> Quota:
        quota = self._quotas.get(enterprise)
        if quota is None:
            options = self._options
            allowance = options.allowances.get(enterprise, options.allowance)
            quota = self._quotas[enterprise] = Quota(allowance)
        return quota

    def _admit(self, quota: Quota, place: Place) -> None:
        if self._ready().full(place[:2]):
            raise refusals.backlog()
        wait = quota.wait(self._at())
        if wait:
            self._metrics.over_quota.labels("/".join(place[:2])).inc()
            allowed = quota.allowance
            raise refusals.over_quota(wait, allowed.values_per_s, allowed.bytes_per_s)

    async def _read(self, incoming: Incoming) -> bytes:
        """The body, as it travels."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._options.body_s):
                async for chunk in incoming.body:
                    body += chunk
                    if len(body) > MAX_RAW:
                        raise refusals.too_large()
        except TimeoutError:
            raise refusals.too_slow(self._options.body_s) from None
        if not body.startswith(MAGIC[incoming.coding]):
            told = f"Content-Encoding says {incoming.coding}, and the body is something else"
            raise refusals.unreadable(Rejection("malformed", told))
        return timeless(bytes(body))

    def _put(self, place: Place, payload: bytes, quota: Quota) -> Asked:
        """The message on its way; from here on it may be stored, whatever is answered."""
        behind = self._ready()
        asked = Asked(lambda batch: quota.charge(self._at(), values=_cost(batch)))
        self.waiting.add(asked)
        self._metrics.waiting.set(len(self.waiting))
        arrived = micros(self._clock.now())
        behind.put(Raw(data(*place), payload, asked, arrived=arrived, alone=True))
        return asked

    async def _answer(
        self, asked: Asked, payload: bytes, place: Place, quota: Quota
    ) -> dict[str, Any]:
        began = self._clock.elapsed()
        try:
            became = await self._durable(asked)
        finally:
            self.waiting.drop(asked)
            self._metrics.waiting.set(len(self.waiting))
        answer = told(became, payload, "/".join(place))
        self._metrics.seconds.observe(self._clock.elapsed() - began)
        if became.count.messages_repeated:
            quota.charge(self._at(), values=answer["duplicate"])
        return answer

    async def _durable(self, asked: Asked) -> Became:
        try:
            async with asyncio.timeout(self._options.answer_s):
                return await asyncio.shield(asked.answer)
        except TimeoutError:
            raise refusals.unsure() from None

    def _at(self) -> int:
        return round(self._clock.elapsed() * SECOND)


def _look_at_head(incoming: Incoming) -> None:
    """Refuse what the head already shows to be of no use, before the body is asked for."""
    if incoming.coding not in MAGIC:
        raise refusals.bad_coding(incoming.coding)
    if incoming.length is not None and incoming.length > MAX_RAW:
        raise refusals.too_large()


def _cost(batch: Batch) -> int:
    """What the only message of a batch counts in values; a repeated one is counted later."""
    (count,) = batch.counts.values()
    return count.values_decoded + UNREADABLE * count.messages_quarantined
