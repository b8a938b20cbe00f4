"""The worker of one shard: named tasks around the `Pump`, and the order in which they begin and
end.

What a task waits for (broker, database, webhooks) it waits for alone; what it then does to the
state is one call of the pump. A task that dies takes the process down, loudly: a restart loses
nothing.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from math import inf
from uuid import UUID

import msgspec
import structlog
from prometheus_client import CollectorRegistry

from alerts.contacts import ContactsError
from alerts.events import event_place
from domain.alarms import Kind, OperatorAction, OutboxEvent
from domain.clock import SystemClock
from domain.fault_points import Point, passing
from domain.health import health_model
from domain.plant import Registry
from domain.self_test import EVENTS, PARK, roots
from hazwatch import copies
from hazwatch.afterwards import Afterwards
from hazwatch.colour_topics import ColourTopics
from hazwatch.doubt import Doubt
from hazwatch.http_ingest import HttpSide
from hazwatch.lag_watch import LagWatch
from hazwatch.loading import no_collecting
from hazwatch.missing import LOOK_S, Missing
from hazwatch.parts import Parts, places, webhooks
from hazwatch.pca_models import Version, plant_version, read_plant
from hazwatch.pump import Pump
from hazwatch.recorded import Recorded
from hazwatch.restore import restore
from hazwatch.self_test import prepare
from hazwatch.self_test_parts import self_test
from hazwatch.settings import Settings
from hazwatch.upkeep import Upkeep
from hazwatch.waiting import when_there, within
from ingest import topics
from ingest.door import Door
from ingest.ledger import Receipts
from ingest.mqtt import Broker
from ingest.sparkplug.host import Host
from ingest.witness import Claim, Said
from rules.warming import warm_up
from storage import actions, inputs, lease, snapshots
from storage.colour_places import places_gone
from storage.database import Connection, DatabaseAway, DatabaseOptions, Link, link
from storage.gaps import GapLedger
from storage.journal import Entry, Stored
from storage.lease import Fence
from storage.listen import listen
from storage.metrics import RollupMetrics
from storage.registry import enterprises_ever
from storage.spool import Spool

log = structlog.get_logger(__name__)

SITE_CHANNEL = "hazwatch_site"
EVENT_TOPICS = ("alarm", "warning", "risk")
COPIES_FIRST_S = 300.0
"""After the start the gateways' backlog comes first."""
PEOPLE_S = 60.0
"""How often the contact file and its rosters are looked at."""
UNREACHED = "nobody is named for a role that warnings tell at once"
REFUSED = "contact file refused, the one before stays in force"
ACTIONS_AT_ONCE = 100
POLL_S = 1.0
"""Safety net behind notifications, and the pace of receipts."""


class Worker:
    """Everything that one shard's worker is made of. Use `opened`, then `run`."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        database: DatabaseOptions,
        fence: Fence,
        spool: Spool,
        metrics_registry: CollectorRegistry,
        door: Door,
    ) -> None:
        parts = Parts(settings, clock, metrics_registry)
        self._settings = settings
        self._clock = clock
        self._database = database
        self._fence = fence
        self._parts = parts
        self._metrics = parts.metrics
        self._lasts = timedelta(seconds=settings.lease_s)
        self._receipts = Receipts()
        self._wake = asyncio.Event()
        self._plant_version: Version = (0, 0)
        self._input_version = -1
        self._applied: set[UUID] = set()
        self._recorded = Recorded(database, fence)
        self._doubt = Doubt(database, fence, clock, self._stand_down)
        self._messenger = parts.messenger(
            database,
            lambda notice: self._pump.wanted(notice),
            lambda: not self._journal.degraded,
            lambda topic, body: self._broker.deliver(topic, body),
            lambda notice, at: self._pump.warnings.sending(notice, at),
            self._recorded.targets,
            lambda: self._doubt.holding,
        )
        quiet = timedelta(seconds=settings.replay_quiet_s)
        self._gaps = GapLedger()
        self._afterwards = Afterwards(
            *(clock, fence, quiet, self._metrics, settings.timezone),
            gaps=self._gaps,
            hooks=webhooks(settings),
            on_told=self._messenger.add,
        )
        self._journal = parts.journal(
            database, spool, fence.epoch, self._told, self._safe, self._stored, self._gaps
        )
        self._http = HttpSide(door, clock, database)
        self._self_test = self_test(
            *(settings, clock, database, metrics_registry),
            pump=lambda: self._pump,
            ready=lambda: self._broker.until_connected(),
            arrived=parts.canary_notices.until,
            book=lambda: parts.people.book,
        )
        self._lag: LagWatch
        self._upkeep = Upkeep(
            settings,
            clock,
            fence,
            database,
            RollupMetrics(metrics_registry),
            lambda: self._journal.degraded,
            lambda what, text: self._pump.say(what, text),
        )
        self._broker: Broker
        self._host: Host | None = None
        self._colours: ColourTopics
        self._pump: Pump

    async def start(self) -> None:
        """Bring the engine and the book to where they were; nothing is subscribed yet."""
        async with link(self._database) as line:
            wanted, at = self._settings.self_test, self._clock.now()
            await line.run(lambda conn: prepare(conn, wanted=wanted, at=at))
        plant = await self._read_plant()
        self._gaps.use(plant)
        await self._journal.recover()
        async with link(self._database) as line:
            if self._plant_version != await line.run(plant_version):
                plant = await self._read_plant()
            found = await line.run(
                lambda conn: restore(conn, self._settings.shard, self._clock.now(), plant)
            )
            await line.run(self._messenger.load)
            ever = await line.run(enterprises_ever)
            gone = await line.run(places_gone)
            pending = await line.run(partial(actions.pending, enterprises=None))
        self._receipts.durable(found.ledgers)
        said = Said(self._fence.epoch, socket.gethostname())
        claim = Claim(topics.lease(self._fence.shard), said, self._doubt.raised)
        self._broker = self._parts.broker(found, ever, claim)
        self._colours = ColourTopics(
            *(self._broker, found.registry, self._clock, gone), wanted=self._settings.mqtt_events
        )
        self._lag = LagWatch(self._settings.lag_alarm_s, found.intake.clock_of)
        self._pump = self._parts.pump(found, lambda: self._broker.unheard(), self._emit)
        self._pump.settle(found.findings, found.said)
        self._pump.begin_sparkplug()
        # Before any rung can fire: somebody may have signed while nobody was there to hear of it.
        await self._act(pending)
        self._host = self._parts.host(self._broker, found.registry)

    async def _read_plant(self) -> Registry:
        async with link(self._database) as line:
            self._plant_version = await line.run(plant_version)
            return await line.run(read_plant)

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Work until `stop`, then finish in order: read no more, make all of it safe, save the
        engine. `ready` is called when the broker lets us hear the gateways, which may be later."""
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._journal.run(), name="journal")
            self._http.open(lambda: self._pump.registry, self._journal, self._broker)
            running = [
                tasks.create_task(work, name=name)
                for name, work in {
                    "broker": self._broker.run(),
                    "intake": self._take(),
                    "tick": self._tick(),
                    "listen": self._listen(),
                    "decisions": self._decide(),
                    "receipts": self._say_receipts(),
                    "snapshot": self._save_regularly(),
                    "lease": self._keep_lease(),
                    "doubt": self._doubt.run(),
                    "replay lane": self._look_back(),
                    "copied data": self._look_for_copies(),
                    "roll-ups": self._upkeep.roll(),
                    "retention": self._upkeep.tidy(lambda: self._pump.registry),
                    "gaps": self._look_for_gaps(),
                    "notices": self._messenger.run(),
                    "colours": self._colours.run(),
                    "recorded decisions": self._recorded.run(),
                    "people": self._reread_people(),
                    "ready": self._tell(ready),
                    "gateway keys": self._http.keep_keys(),
                }.items()
            ]
            if self._host is not None:
                running.append(tasks.create_task(self._host.run(), name="sparkplug host"))
            if self._self_test is not None:
                running.append(tasks.create_task(self._self_test.run(), name="self-test"))
            await stop.wait()
            log.info("stopping", action="stop")
            self._http.close()
            for task in running[1:]:
                task.cancel()
            await self._finish()
            self._http.give_up()
            running[0].cancel()
            keeping.cancel()
        await self._parts.webhooks.close()

    def _stand_down(self, down: bool) -> None:
        if not down:
            self._broker.stand_up()
            return
        self._broker.stand_down()
        if self._host is not None:
            self._host.leave()

    async def _tell(self, ready: Callable[[], None]) -> None:
        await self._broker.until_connected()
        ready()

    def _emit(self, entry: Entry) -> None:
        self._journal.put(entry)
        if entry.batch is not None:
            self._http.judged(entry.number, entry.batch)
            self._lag.judged(entry.batch, self._clock.now())
        for event in entry.events:
            self._publish(event)
        self._colours.told(entry.risks)

    def _publish(self, event: OutboxEvent) -> None:
        if event.type in EVENT_TOPICS:
            park, enterprise = event_place(self._pump.registry, event)
            ours = park == PARK
            if ours or self._settings.mqtt_events:
                topic = topics.events(park, enterprise, EVENTS if ours else event.type)
                self._broker.publish(topic, msgspec.json.encode(event.body), qos=1)

    def _told(self, entry: Entry) -> None:
        self._messenger.add(entry.notices)

    def _safe(self, entry: Entry) -> None:
        if entry.batch is not None:
            self._broker.ack(entry.batch.handles)

    def _stored(self, entry: Entry, stored: Stored) -> None:
        if entry.batch is not None:
            self._receipts.durable(entry.batch.ledger)
        self._http.stored(entry.number, stored)

    async def _take(self) -> None:
        while True:
            messages = await self._broker.messages()
            await self._journal.room()
            for _ in self._pump.take(messages):
                await self._journal.room()
                await self._clock.sleep(0)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._settings.tick_s)
            self._pump.tick()
            jumped = self._clock.slew()
            if jumped:
                self._pump.say("wall clock", f"this machine's clock was set by {jumped:+.0f} s")
            self._metrics.clock_error.set(self._clock.wall_error_s())
            self._metrics.degraded.set(self._journal.degraded)
            self._say_room()
            self._http.look(degraded=self._journal.degraded)
            self._look_for_lag()

    def _look_for_lag(self) -> None:
        at, registry = self._clock.now(), self._pump.registry
        waiting = self._broker.inbox.waiting_since()
        lags = self._lag.look(registry, waiting, self._broker.held_back, at)
        self._parts.broker_metrics.late(lags)
        self._lag.say(registry, lags, at, self._pump.condition)

    def _say_room(self) -> None:
        """Say of every root of the tree whether what comes can be made durable."""
        for root in roots(self._pump.registry):
            self._pump.condition(Kind.NO_ROOM, root, self._journal.no_room_since)

    async def _listen(self) -> None:
        channels = [actions.CHANNEL, SITE_CHANNEL, inputs.CHANNEL]
        await listen(self._database, channels, self._heard, self._clock)

    def _heard(self, *_: str) -> None:
        self._wake.set()

    async def _decide(self) -> None:
        """Apply operators' decisions, what they stated, new versions of the site and activated
        models; look every second in any case."""
        async with link(self._database) as line:
            while True:
                self._wake.clear()
                try:
                    version = await line.run(plant_version)
                    if version != self._plant_version:
                        self._swap(await line.run(read_plant), version)
                    await self._hear(line)
                    pending = await line.run(partial(actions.pending, enterprises=None))
                except DatabaseAway:
                    log.debug("database away", action="wait")
                else:
                    if pending:
                        passing(Point.ACTION_HEARD)
                    await self._act(pending)
                await within(self._wake.wait(), POLL_S)

    async def _act(self, pending: Sequence[OperatorAction]) -> None:
        """Apply what is new of these; others may pass in between."""
        fresh = [action for action in pending if action.id not in self._applied]
        self._applied = {action.id for action in pending}
        for first in range(0, len(fresh), ACTIONS_AT_ONCE):
            self._pump.act(fresh[first : first + ACTIONS_AT_ONCE])
            await self._clock.sleep(0)

    async def _hear(self, line: Link) -> None:
        """Read management inputs anew where one has changed."""
        version = await line.run(inputs.input_version)
        if version != self._input_version:
            self._pump.heard(await line.run(partial(inputs.read_inputs, at=self._clock.now())))
            self._input_version = version

    def _swap(self, registry: Registry, version: Version) -> None:
        self._plant_version = version
        if self._pump.swap(registry):
            self._broker.set_enterprises(places(registry))
            if self._host is not None:
                self._host.set_enterprises(places(registry))
            self._gaps.use(registry)
            self._colours.use(registry)
            self._say_unreached()
            log.info("site changed", action="swap plan", version=registry.version)

    async def _say_receipts(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            gateways = {gateway.id: gateway for gateway in self._pump.registry.gateways}
            for id, (boot, seq) in self._receipts.moved().items():
                if (gateway := gateways.get(id)) is not None:
                    place = gateway.park, gateway.enterprise_code, gateway.code
                    body = msgspec.json.encode({"boot": boot, "seq": seq})
                    self._broker.publish(topics.receipt(*place), body, qos=1, retain=True)

    async def _save_regularly(self) -> None:
        async with link(self._database) as line:
            while True:
                await self._clock.sleep(self._settings.snapshot_every_s)
                await self._save(line.run)

    async def _save(self, run: "Run") -> None:
        """Save the engine as it is now, once all that it has seen is in the database."""
        body, stamp = self._pump.snapshot()
        await self._journal.flush()
        if self._journal.degraded:
            return
        try:
            await run(
                lambda conn: snapshots.save(conn, self._fence, stamp, body, self._clock.now())
            )
        except DatabaseAway:
            log.debug("database away", action="skip snapshot")

    async def _reread_people(self) -> None:
        """Take up contacts and rosters that have changed; what can't be used is told, and what was
        in force before stays so, over a restart, too."""
        if self._parts.people.trouble is not None:
            self._pump.say(REFUSED, self._parts.people.trouble)
        self._say_unreached()
        while True:
            await self._clock.sleep(PEOPLE_S)
            try:
                changed = await asyncio.to_thread(self._parts.people.reread)
            except (ContactsError, OSError, UnicodeDecodeError) as wrong:
                self._pump.say(REFUSED, str(wrong))
                continue
            if changed:
                self._pump.warnings.use_contacts()
                log.info("contact file changed", action="use contacts")
                self._say_unreached()

    def _say_unreached(self) -> None:
        """Say whom a warning would not reach, before there is one."""
        if text := self._parts.people.unreached(self._pump.registry):
            self._pump.say(UNREACHED, text)

    async def _keep_lease(self) -> None:
        async with link(self._database) as line:
            while True:
                await self._clock.sleep(self._settings.lease_s / 3)
                try:
                    asked = -inf
                    while self._clock.elapsed() - asked > self._settings.lease_s / 3:
                        # What a slow database answers late is the lease of when it was asked.
                        asked = self._clock.elapsed()
                        await line.run(
                            lambda conn: lease.renew(
                                conn, self._fence, self._clock.now(), self._lasts
                            )
                        )
                except DatabaseAway:
                    log.debug("database away", action="carry on without renewing")

    async def _look_back(self) -> None:
        async with link(self._database) as line:
            while True:
                judged, plant = 0, self._pump.registry
                try:
                    judged = await line.run(partial(self._afterwards.once, registry=plant))
                except DatabaseAway:
                    log.debug("database away", action="look back later")
                await self._clock.sleep(0 if judged else POLL_S)

    async def _look_for_copies(self) -> None:
        """Every hour, the first time soon after the start."""
        async with link(self._database) as line:
            while True:
                await self._clock.sleep(COPIES_FIRST_S)
                found = []
                try:
                    registry, active = self._pump.registry, self._pump.copied()
                    found = await copies.look(line.run, registry, active, self._clock.now())
                except DatabaseAway:
                    log.warning("database away", action="look for copied data in an hour")
                self._pump.looked(found)
                await self._clock.sleep(health_model().copied.every - COPIES_FIRST_S)

    async def _look_for_gaps(self) -> None:
        missing = Missing(
            *(self._gaps, self._clock, self._fence, self._metrics),
            keep=timedelta(days=self._settings.gaps_keep_days),
            listening=lambda: self._broker.connected,
            current=lambda: not self._journal.degraded,
        )
        async with link(self._database) as line:
            while True:
                await self._clock.sleep(LOOK_S)
                try:
                    await line.run(missing.once)
                except DatabaseAway:
                    log.debug("database away", action="look for gaps later")

    async def _finish(self) -> None:
        """All that was taken becomes safe, the engine is saved, the lease given up; within the
        deadline."""
        try:
            async with asyncio.timeout(self._settings.stop_within_s):
                await self._journal.flush()
                async with link(self._database) as line:
                    await self._save(line.run)
                    await line.run(lambda conn: lease.give_up(conn, self._fence, self._clock.now()))
        except (TimeoutError, DatabaseAway) as error:
            log.warning("stopped without saving", action="stop", error=str(error))


Run = Callable[[Callable[[Connection], Awaitable[None]]], Awaitable[None]]


@asynccontextmanager
async def opened(
    settings: Settings, clock: SystemClock, metrics: CollectorRegistry, door: Door
) -> AsyncIterator[Worker]:
    """A worker that holds the lease of its shard and is ready to run; waits for database and
    lease. Its rules are compiled before that: a lease is for those who can judge."""
    await asyncio.to_thread(warm_up)
    database = DatabaseOptions(settings.database_url)
    with Spool(settings.data_dir / "spool" / settings.shard, settings.spool_bytes) as spool:
        holder = f"{socket.gethostname()}:{settings.data_dir.absolute()}"
        lasts = timedelta(seconds=settings.lease_s)
        fence = await when_there(
            lambda: lease.take_when_free(database, settings.shard, holder, clock, lasts), clock
        )
        worker = Worker(settings, clock, database, fence, spool, metrics, door)
        with no_collecting():
            await when_there(worker.start, clock)
        yield worker
