"""`Session`: what the broker keeps for us under one client id, whether it is there or not."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from domain.clock import Clock
from domain.instant import micros
from ingest.backoff import Backoff
from ingest.batch import Raw
from ingest.broker_metrics import BrokerMetrics
from ingest.connection import (
    HELD_BACK,
    Address,
    Connection,
    ConnectionLostError,
    Handle,
    HungUpError,
)
from ingest.inbox import Inbox, Lane, place
from ingest.wire import DUP, RETAIN, Delivery

log = structlog.get_logger(__name__)

CAUGHT_UP_S = 1.0
"""So long it must wait for fewer before nothing is held back any more."""
ASK_S = 0.25
"""A broker that has been silent for so long is asked whether it is there."""
QUIET_S = 0.25
"""A session is looked at so often for whether it is empty."""
QUIET_ROUNDS = 2
"""So many answers in a row without a message between them show that it is."""
MAX_TOPICS = 10_000
"""Topics remembered; when there are more, all are forgotten and learnt again."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all sessions with one broker share. changed: is called when one came up or went down;
    gate: how many may connect at a time; cleared: returns when we may connect at all;
    witnessed_since: see `Witness.up_at`."""

    address: Address
    keepalive_s: int
    inbox: Inbox
    clock: Clock
    metrics: BrokerMetrics
    scratch: bytearray
    gate: asyncio.Semaphore
    backoff: Callable[[], Backoff]
    changed: Callable[[], None]
    cleared: Callable[[], Awaitable[None]]
    witnessed_since: Callable[[], float | None]


class Session:
    """Stays connected under one client id until it is retired; only the broker's absence is
    mended, nothing else.

    lane: where its messages go. filters: what is heard. absent_since: from when on messages may
    have waited for us, in microseconds, None = never: what is handed in, then the last
    disconnection.
    """

    def __init__(
        self,
        means: Means,
        name: str,
        lane: Lane,
        filters: tuple[str, ...],
        absent_since: int | None = None,
    ) -> None:
        self.connection: Connection | None = None
        self.up_at: float | None = None
        """Since when it hears everything, on the monotonic clock; None: it does not."""
        self.down_at = means.clock.elapsed()
        """Since when it did not, or does not."""
        self.absent_since = absent_since
        self.held_back_since: int | None = None if absent_since is None else 0
        """Since when the broker may be holding back messages without a break, microseconds; 0: it
        is not known since when; None: it holds nothing back."""
        self.name = name
        self.lane = lane
        self._means = means
        self._filters = filters
        self._backoff = means.backoff()
        self._last_busy = -CAUGHT_UP_S
        self._topics: dict[bytes, tuple[str, str] | None] = {}
        self._retired: asyncio.Future[None] | None = None
        self._braked_since: float | None = None
        self._again = asyncio.Event()

    async def run(self) -> None:
        """Return when it was retired, and the broker keeps nothing more for it."""
        self._retired = self._retired or asyncio.get_running_loop().create_future()
        while True:
            began, hung_up = self._means.clock.elapsed(), False
            try:
                await self._connected()
                return
            except ConnectionLostError as lost:
                self._backoff.failed()
                hung_up = isinstance(lost, HungUpError) and self.down_at >= began
                log.warning(
                    "no connection to the broker",
                    action="broker_lost",
                    host=self._means.address.host,
                    session=self.name,
                    failures=self._backoff.failures,
                    error=str(lost),
                )
            lost_at = self._means.clock.elapsed()
            await self._pause(self._backoff.next_wait())
            if hung_up:
                self._look_for_a_stranger(lost_at)

    def _look_for_a_stranger(self, lost_at: float) -> None:
        """Say so where the broker was there all the time, and ended this session alone."""
        witnessed = self._means.witnessed_since()
        if witnessed is not None and witnessed < lost_at:
            log.warning(
                "the broker has ended one session and kept others: another client may use its name",
                action="connect again",
                client_id=self.name,
            )

    def leave(self) -> None:
        """Be off at once; it comes back when `Means.cleared` says so."""
        if self.connection is not None:
            self.connection.abort()

    def hurry(self) -> None:
        """The broker is there again: if this waits to look for it, it looks now."""
        if self.up_at is None:
            self._again.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()
        self._again.clear()

    def retire(self) -> None:
        """Hear nothing new, hand over what the broker has kept, and end the session there."""
        if self._retired is None:
            self._retired = asyncio.get_running_loop().create_future()
        if not self._retired.done():
            self._retired.set_result(None)

    def release(self) -> bool:
        """Read the socket again, if there is room; whether it is read."""
        connection = self.connection
        if connection is None or connection.braked_at is None:
            return True
        if not self._means.inbox.low(self.lane):
            return False
        self._busy(micros(connection.braked_at))
        self.tell_brake()
        self._braked_since = None
        connection.release()
        return True

    @property
    def retired(self) -> bool:
        """Whether it only hands over what is left."""
        return self._retired is not None and self._retired.done()

    @property
    def held_back(self) -> bool:
        """Whether messages may wait at the broker for us to be done with others."""
        return self.held_back_since is not None

    @property
    def heard_at(self) -> datetime | None:
        """Up to when all has come that the broker was free to send; None: we read nothing now.

        It answers in order: before its answer came what it had. While it waits for as many
        acknowledgements as it may, nothing but the messages themselves shows how far we are.
        """
        connection = self.connection
        if connection is None or self.up_at is None or connection.braked_at is not None:
            return None
        full = connection.unacknowledged >= HELD_BACK
        return connection.delivered_at if full else connection.heard_at

    def ask(self) -> None:
        """Have the broker say something, if it was silent for a while."""
        connection = self.connection
        if connection is None or self.heard_at is None:
            return
        silent = self._means.clock.now() - connection.heard_at
        if silent.total_seconds() >= ASK_S:
            connection.ask()

    def tell_brake(self) -> None:
        """Count for how long the socket has not been read."""
        if self._braked_since is not None:
            now = self._means.clock.elapsed()
            self._means.metrics.braked(self.lane, now - self._braked_since)
            self._braked_since = now

    async def _connected(self) -> None:
        means = self._means
        self.connection = connection = Connection(
            means.address,
            self.name,
            means.keepalive_s,
            means.clock,
            means.scratch,
            self._deliver,
            self._confirmed,
            lambda: means.inbox.room(self.lane),
        )
        try:
            async with means.gate:
                await means.cleared()
                kept = await connection.open()
                await self._begin(connection)
            self._up()
            await self._stay(connection, kept)
        except asyncio.CancelledError:
            await connection.close()
            raise
        finally:
            connection.abort()
            self._down(connection)

    async def _begin(self, connection: Connection) -> None:
        """Before the session counts as up."""
        if self._filters and not self.retired:
            await connection.subscribe(self._filters)

    async def _stay(self, connection: Connection, kept: bool) -> None:
        """As long as it is connected; returns when the session is over. kept: the broker had it."""
        assert self._retired is not None
        await connection.until_lost(self._retired)
        await connection.unsubscribe(self._filters)
        await self._until_empty(connection)
        await connection.close()
        await self._end_session()

    async def _until_empty(self, connection: Connection) -> None:
        """Return when all that the broker had kept was acknowledged and nothing more comes.

        A broker answers in the order in which it is asked: what our acknowledgements set free is
        sent before the answer to a ping that follows them.
        """
        rounds, seen = 0, connection.delivered
        while rounds < QUIET_ROUNDS:
            await self._means.clock.sleep(QUIET_S)
            idle = connection.unacknowledged <= 0 and connection.braked_at is None
            if idle:
                await connection.ping()
            quiet = idle and connection.delivered == seen
            rounds, seen = (rounds + 1 if quiet else 0), connection.delivered

    async def _end_session(self) -> None:
        """A clean session in its place ends what the broker keeps."""
        means = self._means
        last = Connection(
            means.address, self.name, means.keepalive_s, means.clock, means.scratch, lambda _: None
        )
        try:
            await last.open(clean=True)
            await last.close()
        finally:
            last.abort()

    def _up(self) -> None:
        self.up_at = self._means.clock.elapsed()
        self._again.clear()
        self._last_busy = self.up_at
        self._means.metrics.connections.inc()
        self._means.changed()
        log.info(
            "connected to the broker",
            action="broker_connected",
            host=self._means.address.host,
            session=self.name,
        )

    def _down(self, connection: Connection) -> None:
        clock = self._means.clock
        self.tell_brake()
        self._braked_since = None
        if self.up_at is not None:
            self.down_at = clock.elapsed()
            self._backoff.lasted(self.down_at - self.up_at)
            self.absent_since = micros(connection.heard_at)
            if self.held_back_since is None:
                self.held_back_since = self.absent_since
        self.connection, self.up_at = None, None
        self._means.changed()

    def _deliver(self, deliveries: list[Delivery]) -> None:
        """Put the messages of one reading of the socket into the inbox, and brake if it is full."""
        means, connection = self._means, self.connection
        assert connection is not None
        arrived = micros(means.clock.now())
        self._last_busy = max(self._last_busy, connection.busy_at)
        if connection.unacknowledged >= HELD_BACK:
            self._busy(arrived)
        elif means.clock.elapsed() - self._last_busy > CAUGHT_UP_S:
            self.held_back_since = None
        size = means.inbox.bytes
        means.inbox.put_all(self.lane, self._raws(connection, deliveries, arrived))
        means.metrics.received(self.lane, len(deliveries), means.inbox.bytes - size)
        if not means.inbox.room(self.lane) and connection.braked_at is None:
            connection.brake()
            self._braked_since = means.clock.elapsed()

    def _busy(self, since: int) -> None:
        now = self._means.clock.elapsed()
        if self.held_back_since is None or now - self._last_busy > CAUGHT_UP_S:
            self.held_back_since = since
        self._last_busy = now

    def _raws(
        self, connection: Connection, deliveries: list[Delivery], arrived: int
    ) -> list[tuple[Raw, str]]:
        absent, held_back, known = self.absent_since, self.held_back_since, self._topics
        found, foreign = [], []
        for first, topic, mid, payload in deliveries:
            told = known[topic] if topic in known else self._learn(topic)
            handle = Handle(connection, mid) if mid else None
            if told is None:
                foreign.append(mid)
                continue
            raw = Raw(
                told[0],
                payload,
                handle,
                redelivered=bool(first & DUP),
                retained=bool(first & RETAIN),
                arrived=arrived,
                absent_since=absent,
                held_back_since=held_back,
            )
            found.append((raw, told[1]))
        self._turn_away(connection, foreign)
        return found

    def _learn(self, topic: bytes) -> tuple[str, str] | None:
        """(topic, gateway); None: it is none of this session's."""
        if len(self._topics) >= MAX_TOPICS:
            self._topics.clear()
        name = topic.decode("utf-8", "backslashreplace")
        park, enterprise, gateway = place(name)
        told = (name, gateway) if self._hears((park, enterprise)) else None
        self._topics[topic] = told
        return told

    def _hears(self, owner: Lane) -> bool:
        return owner == self.lane

    def _turn_away(self, connection: Connection, mids: list[bytes]) -> None:
        """What others have subscribed to is acknowledged unread."""
        if mids:
            self._means.metrics.turned_away.inc(len(mids))
            connection.acknowledge([mid for mid in mids if mid])

    def _confirmed(self, mid: int) -> None:
        """The broker has what was published under this id."""
