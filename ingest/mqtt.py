"""`Broker`: the MQTT broker as the worker sees it, whether it is there or not."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from domain.clock import Clock
from ingest import topics
from ingest.backoff import Backoff
from ingest.batch import Raw
from ingest.broker_metrics import BrokerMetrics
from ingest.connection import Address, acknowledge
from ingest.inbox import Inbox, Lane
from ingest.main_session import MainSession
from ingest.outgoing import Letter, Outgoing
from ingest.session import ASK_S, Means, Session
from ingest.witness import Claim, Witness

SCRATCH = 256 * 1024
"""Bytes that one reading of a socket takes at most."""
AT_ONCE = 8
"""Sessions that connect at a time."""
GIVEN_UP_S = 10.0
"""A session that has been down for so long, while others are up, is not waited for any more."""
LOOK_S = 1.0
"""How often that is looked at."""
LONGEST_NAME = 100
"""Characters of a client id that every broker of today takes; MQTT 3.1.1 promises only 23."""


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """How to hear the broker.

    name: the client id of the session that publishes, one per shard; what comes while we are away
    is kept under `session_name` for each enterprise. inbox_bytes: bound of what waits here; who
    sends beyond it waits at the broker. outgoing: publishes kept while the broker is away. Waits
    between attempts to connect: see `Backoff`.
    """

    url: str
    name: str
    ca_file: str | None = None
    keepalive_s: int = 30
    inbox_bytes: int = 32 * 1024 * 1024
    outgoing: int = 10_000
    retry_min_s: float = 0.2
    retry_max_s: float = 10.0


def session_name(name: str, enterprise: Lane) -> str:
    """The client id under which the broker keeps what an enterprise sends. No two are the same: a
    colon is in no code."""
    whole = ":".join((name, *enterprise))
    if len(whole) <= LONGEST_NAME:
        return whole
    return f"{name}:{blake2b(whole.encode(), digest_size=16).hexdigest()}"


class Broker:
    """Messages of some enterprises in, acknowledgements and publishes out; reconnects by itself.

    Each enterprise has a session of its own, so that the broker holds back what one sends too much
    while all others are heard. former: enterprises that were heard once; what the broker still
    has of them is handed over, and their sessions ended. absent_since: from when on messages may
    have waited for us, in microseconds, None = there was nobody before. claim: that the sessions
    are ours; None: nobody disputes them.
    """

    def __init__(
        self,
        options: BrokerOptions,
        enterprises: Iterable[Lane],
        clock: Clock,
        metrics: BrokerMetrics,
        absent_since: int | None = None,
        former: Iterable[Lane] = (),
        claim: Claim | None = None,
    ) -> None:
        self.connected = False
        """Whether messages can come in now."""
        self.since: datetime = clock.now()
        """From when on that is so."""
        self.inbox = Inbox(options.inbox_bytes)
        self._options = options
        self._enterprises = frozenset(enterprises)
        self._former = frozenset(former) - self._enterprises
        self._clock = clock
        self._metrics = metrics
        self._absent_since = absent_since
        self._outgoing = Outgoing(options.outgoing)
        self._means = Means(
            Address.of(options.url, options.ca_file),
            options.keepalive_s,
            self.inbox,
            clock,
            metrics,
            bytearray(SCRATCH),
            asyncio.Semaphore(AT_ONCE),
            lambda: Backoff(options.retry_min_s, options.retry_max_s),
            self._look,
            self.cleared,
            lambda: None if self._witness is None else self._witness.up_at,
        )
        self._witness = None if claim is None else self._witness_of(claim)
        self._stood_down = False
        self._main = MainSession(
            self._means, options.name, self._outgoing, self._all_heard, absent_since
        )
        self._sessions: dict[Lane, Session] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._main_up: float | None = None
        self._judging_since: datetime | None = None
        self._changed = asyncio.Event()

    @property
    def publishing_since(self) -> float | None:
        """Since when this connection takes what we publish, on the monotonic clock; None: there is
        none."""
        return self._main.up_at

    async def until_connected(self) -> None:
        """Return when messages can come in."""
        while not self.connected:
            await self._change()

    async def run(self) -> None:
        """Stay connected until cancelled. Only the broker's absence is mended, nothing else."""
        self.inbox.hold()
        async with asyncio.TaskGroup() as self._tasks:
            if self._witness is not None:
                self._tasks.create_task(self._witness.run(), name="mqtt: witness")
            self._tasks.create_task(self._main.run(), name="mqtt: main")
            for lane in sorted(self._enterprises | self._former):
                self._begin(lane)
            self._tasks.create_task(self._ask(), name="mqtt: ask")
            while True:
                await self._clock.sleep(LOOK_S)
                if self._given_up(self._main):
                    self.inbox.open()
                self._look()

    async def cleared(self) -> None:
        """Return when a connection may be made: nobody says that the sessions are another's, as
        far as the broker lets us know."""
        while True:
            while self._stood_down:
                await self._change()
            if self._witness is None:
                return
            await self._witness.looked()
            if not self._stood_down:
                return

    def stand_down(self) -> None:
        """Leave the broker, and stay away until `stand_up`: the sessions may be another's."""
        self._stood_down = True
        self._metrics.stood_down.set(1)
        for session in (self._main, *self._sessions.values()):
            session.leave()

    def stand_up(self) -> None:
        """The sessions are ours after all."""
        self._stood_down = False
        self._metrics.stood_down.set(0)
        if self._witness is not None:
            self._witness.insist()
        for session in (self._main, *self._sessions.values()):
            session.hurry()
        self._changed.set()

    def _witness_of(self, claim: Claim) -> Witness:
        options, means = self._options, self._means
        name = f"{options.name}:{claim.said.epoch}"
        to = means.address, name, options.keepalive_s
        return Witness(claim, *to, means.clock, means.scratch, means.backoff())

    async def _ask(self) -> None:
        """Notice a silent wire long before the keep-alive does."""
        while True:
            await self._clock.sleep(ASK_S)
            for session in self._hearing():
                session.ask()

    async def messages(self) -> list[Raw]:
        """The next messages, fairly shared; waits for the first. What was given out before counts
        as judged."""
        self._judging_since = None
        taken = await self.inbox.get()
        self._judging_since = self._clock.now()
        for session in (self._main, *self._sessions.values()):
            session.release()
        self._metrics.taken(self.inbox)
        return taken

    def put(self, raw: Raw, lane: Lane | None = None) -> None:
        """Take in a message that came another way, with a handle of its own. lane: in whose line
        it stands; None: that of the enterprise in its topic."""
        self.inbox.put(raw, lane)

    def ack(self, handles: Iterable[object]) -> None:
        """Tell the broker that these messages are safe.

        Handles of an earlier connection are passed over: the broker sends those messages again.
        Those of others are none of ours.
        """
        acknowledge(handles)

    def held_back(self, lane: Lane) -> bool:
        """Whether messages of an enterprise may wait at the broker for us."""
        session = self._sessions.get(lane)
        return session is not None and session.held_back

    def unheard(self) -> timedelta | None:
        """How long ago it is that all had come and was given out that was free to come; None:
        nothing can come in now.

        What was not heard of for `GIVEN_UP_S` is not waited for any more, and neither is who sends
        more than is read.
        """
        if not self.connected:
            return None
        now = self._clock.now()
        heard = [self._judging_since, *(session.heard_at for session in self._hearing())]
        long_ago = now - timedelta(seconds=GIVEN_UP_S)
        return now - min((one for one in heard if one is not None and one > long_ago), default=now)

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish at least once; never waits for a connection, see `Outgoing`."""
        self._post(Letter(topic, payload, qos, retain))

    async def deliver(self, topic: str, payload: bytes) -> None:
        """Publish, and return when the broker has confirmed it. Cancelled, it goes out only if it
        is on its way already."""
        arrived = asyncio.get_running_loop().create_future()
        self._post(Letter(topic, payload, 1, False, arrived))
        await arrived

    def _post(self, letter: Letter) -> None:
        dropped = self._outgoing.dropped
        self._main.post(letter)
        self._metrics.outgoing.set(len(self._outgoing))
        self._metrics.dropped.inc(self._outgoing.dropped - dropped)

    def set_enterprises(self, enterprises: Iterable[Lane]) -> None:
        """Hear these enterprises from now on, and no others. What the broker has kept of those that
        left is handed over."""
        self._enterprises = frozenset(enterprises)
        for lane, session in self._sessions.items():
            if lane not in self._enterprises:
                session.retire()
        for lane in sorted(self._enterprises - self._sessions.keys()):
            self._begin(lane)
        self._look()

    def _begin(self, lane: Lane) -> None:
        """A session for an enterprise; of one that we no longer hear only what is left."""
        if self._tasks is None:
            return
        name = session_name(self._options.name, lane)
        heard = topics.filters(*lane)
        session = Session(self._means, name, lane, heard, self._absent_since)
        self._sessions[lane] = session
        if lane not in self._enterprises:
            session.retire()
        self._tasks.create_task(self._keep(lane, session), name=f"mqtt: {'/'.join(lane)}")

    async def _keep(self, lane: Lane, session: Session) -> None:
        await session.run()
        del self._sessions[lane]
        self._metrics.forget(lane)
        if lane in self._enterprises:
            self._begin(lane)

    async def _all_heard(self) -> Collection[Lane]:
        """The enterprises, when every session hears its own, as far as it can be waited for."""
        while not all(one.up_at is not None or self._given_up(one) for one in self._hearing()):
            await self._change()
        return self._enterprises

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _hearing(self) -> Iterator[Session]:
        return (session for session in self._sessions.values() if not session.retired)

    def _given_up(self, session: Session) -> bool:
        return session.up_at is None and self._clock.elapsed() - session.down_at > GIVEN_UP_S

    def _look(self) -> None:
        """See how it stands with all sessions."""
        up = sum(session.up_at is not None for session in self._hearing())
        waited = all(one.up_at is not None or self._given_up(one) for one in self._hearing())
        connected = self._main.up_at is not None and waited
        if self._main.up_at is not None and self._main.up_at != self._main_up:
            for session in self._sessions.values():
                session.hurry()
        self._main_up = self._main.up_at
        if connected != self.connected:
            self.connected, self.since = connected, self._clock.now()
        self._metrics.look(connected, up, self._sessions.values())
        self._changed.set()
