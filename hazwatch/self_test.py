"""`SelfTest`: a breach of hazwatch's own travels the whole way every minute, and is heard again.

It goes in at the broker as a gateway's sample does, and counts as through when its alarm has come
back on the event topic, its notice has come through the sender of all notices, and it has ended
again. That the same event is durable is a part of its own: while the database is away it is late,
and that is a failure only after a while, for alarms never wait for the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Any
from uuid import UUID, uuid5

import structlog

from domain.alarms import NAMESPACE, Kind, OperatorAction, State
from domain.clock import Clock
from domain.instant import rfc3339
from domain.self_test import BREACH, BY, CALM, Pace, Standing, places, roots
from hazwatch.metrics import SelfTestMetrics
from hazwatch.pump import Pump
from hazwatch.self_test_line import SelfTestLine
from hazwatch.waiting import within
from ingest.connection import ConnectionLostError
from storage import self_test
from storage.database import Connection, DatabaseAway, DatabaseOptions, Link, link

log = structlog.get_logger(__name__)

POLL_S = 0.05
"""How often the outbox is asked for the event."""
SWEEP_S = 3600.0
CALM_BEFORE = timedelta(milliseconds=1)
"""A breach whose end was lost ends so long before the next."""

Event = dict[str, Any]


async def prepare(conn: Connection, *, wanted: bool, at: datetime) -> None:
    """The canary is in the registry, or is not in it."""
    if wanted:
        await self_test.register(conn, at)
    elif await self_test.is_registered(conn):
        await self_test.unregister(conn, at)


class SelfTest:
    """`run` it in a task of the worker. pump: of the worker, from when it runs. watch: makes the
    second path, given how to ask for the standing. ready: returns when the worker hears the
    gateways; it is not waited for longer than breaches may be missing. arrived: returns when the
    notice of an occurrence has arrived."""

    def __init__(
        self,
        line: Callable[[], SelfTestLine],
        pump: Callable[[], Pump],
        pace: Pace,
        clock: Clock,
        database: DatabaseOptions,
        metrics: SelfTestMetrics,
        watch: Callable[[Callable[[], Standing]], AbstractContextManager[object]],
        ready: Callable[[], Awaitable[None]],
        arrived: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._line = line
        self._pump = pump
        self._pace = pace
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._watch = watch
        self._ready = ready
        self._arrived = arrived
        self._standing = Standing(clock.elapsed())
        self._before: datetime | None = None
        self._stage = ""
        self._swept = -inf

    @property
    def standing(self) -> Standing:
        """How it stands; may be asked from any thread."""
        return self._standing

    async def run(self) -> None:
        """A breach at once, and then one every `every_s` seconds, until cancelled."""
        self._standing = Standing(self._clock.elapsed())
        self._before = self._failed_before()
        line = self._line()
        with self._watch(lambda: self._standing):
            await within(self._ready(), self._pace.absent_after_s)
            due = self._clock.elapsed()
            async with link(self._database) as database:
                while True:
                    await self.once(line, database)
                    due = max(due + self._pace.every_s, self._clock.elapsed())
                    await self._clock.sleep(due - self._clock.elapsed())

    async def once(self, line: SelfTestLine, database: Link) -> None:
        """One breach, and what is to be said of it."""
        sent, sent_at = self._clock.elapsed(), self._clock.now()
        self._acknowledge_all()
        try:
            async with asyncio.timeout(self._pace.within_s):
                event = await self._through(line, sent, sent_at)
        except (ConnectionLostError, TimeoutError) as error:
            why = f"{self._stage}: {error}" if str(error) else self._stage
            self._missed(sent, sent_at, why)
        else:
            self._passed(sent, sent_at)
            await self._stored(database, UUID(event["id"]), sent, sent_at)
        finally:
            await line.close()
        self._say()
        await self._sweep(database)

    async def _through(self, line: SelfTestLine, sent: float, at: datetime) -> Event:
        """The event that raised the alarm, once it has ended as well."""
        self._stage = "the broker does not let the canary in"
        await line.open()
        try:
            self._stage = "its alarm is not heard on the event topic"
            line.say((at - CALM_BEFORE, CALM), (at, BREACH))
            raised = await line.hear(partial(_raised, onset=rfc3339(at)))
            self._metrics.seconds.labels("event").observe(self._clock.elapsed() - sent)
            # Before its end, after which its notice may be withdrawn.
            self._stage = "its notice does not come through the sender of notices"
            await self._arrived(UUID(raised["alarm"]["id"]))
            self._metrics.seconds.labels("notice").observe(self._clock.elapsed() - sent)
        finally:
            # whatever has become of it, the breach must end
            line.say((max(self._clock.now(), at + CALM_BEFORE), CALM))
        self._stage = "its alarm does not end"
        self._acknowledge_all()
        await line.hear(partial(_ended, id=raised["alarm"]["id"]))
        return raised

    async def _stored(self, database: Link, event: UUID, sent: float, sent_at: datetime) -> None:
        """Look for the event in the database until the time is up."""
        try:
            async with asyncio.timeout(
                max(POLL_S, sent + self._pace.within_s - self._clock.elapsed())
            ):
                while not await self._is_stored(database, event):
                    await self._clock.sleep(POLL_S)
        except TimeoutError:
            log.warning("self-test", action="stored late", event_id=str(event))
            self._metrics.outcomes.labels("late").inc()
            self._standing = self._standing.stored(self._pace, sent_at, in_time=False)
            return
        self._standing = self._standing.stored(self._pace, sent_at, in_time=True)
        self._metrics.seconds.labels("stored").observe(self._clock.elapsed() - sent)

    async def _is_stored(self, database: Link, event: UUID) -> bool:
        try:
            return await database.run(partial(self_test.is_stored, event=event))
        except DatabaseAway:
            return False

    def _passed(self, sent: float, at: datetime) -> None:
        self._standing = self._standing.passing(self._pace, sent, at)
        self._before = None
        self._metrics.outcomes.labels("passed").inc()
        self._metrics.last.set(at.timestamp())

    def _missed(self, sent: float, at: datetime, why: str) -> None:
        self._standing = self._standing.missing(self._pace, sent, at, why)
        log.warning("self-test", action="missed", why=why, in_a_row=self._standing.missed)
        self._metrics.outcomes.labels("missed").inc()

    def _failed_before(self) -> datetime | None:
        """Since when it has been failing for an earlier run: it goes on until one comes through."""
        active = self._pump().book.active()
        return min((onset for kind, _, onset in active if kind is Kind.SELF_TEST), default=None)

    def _say(self) -> None:
        """The alarm in the list of people, by the way that all alarms go."""
        pump, standing = self._pump(), self._standing
        for root in roots(pump.registry):
            since = standing.since or self._before
            pump.condition(Kind.SELF_TEST, root, since, float(standing.missed))

    def _acknowledge_all(self) -> None:
        """Nobody else sees the canary's alarms; none of any kind may stay open."""
        pump, at = self._pump(), self._clock.now()
        ours = places(pump.registry.nodes)
        waiting = (State.UNACK, State.RTNUN)
        pump.act(
            OperatorAction(
                uuid5(NAMESPACE, f"self-test/{alarm.id}/{alarm.n}"),
                "acknowledge",
                alarm.id,
                BY,
                None,
                at,
            )
            for alarm in pump.book.open()
            if alarm.node in ours and alarm.state in waiting
        )

    async def _sweep(self, database: Link) -> None:
        """Now and then, what the canary left behind."""
        if self._clock.elapsed() - self._swept < SWEEP_S:
            return
        try:
            await database.run(partial(self_test.sweep, at=self._clock.now()))
        except DatabaseAway:
            log.debug("database away", action="sweep later")
        else:
            self._swept = self._clock.elapsed()


def _raised(event: Event, onset: str) -> bool:
    alarm, transition = event.get("alarm"), event.get("transition")
    return bool(alarm and transition and transition["event"] == "raise" and alarm["onset"] == onset)


def _ended(event: Event, id: str) -> bool:
    alarm, transition = event.get("alarm"), event.get("transition")
    return bool(alarm and transition and alarm["id"] == id and transition["to"] == State.NORM)
