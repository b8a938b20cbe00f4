"""Sends notices through their channels, and writes down what became of each attempt."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from math import inf
from uuid import UUID

import structlog

from alerts.channels.channel import Channel, DeliveryError
from alerts.digest import OVER, Digest, digest
from alerts.joining import alike, joined, same_as_first
from alerts.order import happened
from alerts.outgoing import DONE, Delivery, Outgoing
from alerts.sending import Sending
from domain.addresses import presentable
from domain.alarms import Notice
from domain.clock import Clock
from domain.fault_points import Point, passing
from hazwatch.deliveries import record
from hazwatch.metrics import WorkerMetrics
from storage import notices
from storage.database import Connection, DatabaseAway, DatabaseOptions, link

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25
SEND_WITHIN_S = 30.0
"""A channel that has not answered by then counts as failed, whatever it says of itself."""
QUIET_LOOK_S = 1.0
"""A notice that is held back is looked at so often: its case may have turned orange."""
DECIDED_S = 1.0
"""A notice on whose case somebody has just decided waits so long for the worker to apply that."""
DECIDED_LOOKS = 10
"""Then it goes out: a decision that can't be applied must silence nobody."""
AWAY_S = 2.0
"""How often a database that is away is asked for."""
AT_A_TIME = 100
"""Results written down in one transaction."""
WRITTEN_WITHIN_S = 3600.0
"""A result waits so long for its notice after the spool has been drained; then it is dropped."""
FIRST_LOAD = 100_000
"""Open notices of an earlier run that are taken up again."""


async def _nothing() -> Collection[UUID]:
    return ()


class Messenger:
    """Owns what is to be sent. Never waits for the database: what it has to write down there waits
    in memory.

    wanted: asked at the moment of sending; a notice that nobody needs any more is withdrawn.
    settled: whether the database has every entry. sending: to whom a rung's notice goes at that
    moment. decided: cases with a decision that is recorded but not applied yet. digest_over:
    notices to one address in a minute before the rest folds. silent: whether nothing may go out
    now; it waits. lease_s: when nothing ran here for a third of it, another worker may have taken
    over: then nothing leaves before `decided` has answered.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        wanted: Callable[[Notice], bool],
        settled: Callable[[], bool],
        clock: Clock,
        database: DatabaseOptions,
        metrics: WorkerMetrics,
        sending: Callable[[Notice, datetime], Sending] = lambda notice, _: Sending(notice),
        decided: Callable[[], Awaitable[Collection[UUID]]] = _nothing,
        digest_over: int = OVER,
        silent: Callable[[], bool] = lambda: False,
        lease_s: float = inf,
    ) -> None:
        self._channels = channels
        self._wanted = wanted
        self._settled = settled
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._sending = sending
        self._decided = decided
        self._silent = silent
        self._still_s = max(lease_s / 3, 2 * LOOK_EVERY_S)
        self._ran = clock.elapsed()
        self._stood_still = 0
        self._answered = 0
        self._outgoing = Outgoing()
        self._digest = Digest(digest_over)
        self._tasks: asyncio.TaskGroup | None = None
        self._results: deque[tuple[Delivery, datetime]] = deque()
        self._quiet: set[UUID] = set()
        self._looks: dict[UUID, int] = {}
        self._unknown_since: dict[UUID, float] = {}

    def add(self, fresh: Iterable[Notice]) -> None:
        """People may be told of these."""
        for notice in fresh:
            self._outgoing.put(notice, self._clock.elapsed())
        self._begin()

    async def load(self, conn: Connection) -> None:
        """Take up what an earlier run left unsent, and know what it sent."""
        self._outgoing.remember(reversed(await notices.arrived(conn, DONE)))
        far = self._clock.now() + timedelta(days=365)
        open_ones = await notices.due_notices(conn, far, FIRST_LOAD)
        for due in sorted(open_ones, key=lambda one: (one.notice.created, happened(one.notice))):
            self._outgoing.put(due.notice, self._clock.elapsed(), due.attempts)

    async def run(self) -> None:
        """Send until cancelled. What is added later stays unsent, for the next run."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._write_down(), name="notices: results")
            try:
                while True:
                    self._begin()
                    self._metrics.notices_waiting.set(len(self._outgoing))
                    await self._clock.sleep(LOOK_EVERY_S)
            finally:
                self._tasks = None

    def _begin(self) -> None:
        """Begin whatever may be sent now. What is held for a digest frees its server for others."""
        self._look_back()
        if self._tasks is None or self._silent():
            return
        elapsed = self._clock.elapsed()
        parked: Sequence[Notice] | None = None
        while parked is None or parked:
            taken = self._outgoing.take(elapsed)
            leaving = self._digest.fold(taken, elapsed)
            singly = alike(group[0] for group in leaving if len(group) == 1)
            sends = [(group[0], self._send(group)) for group in singly]
            digests = (group for group in leaving if len(group) > 1)
            sends += [(group[0], self._send_digest(group)) for group in digests]
            for lead, send in sends:
                self._tasks.create_task(send, name=f"notice {lead.id}")
            gone = {notice.id for group in leaving for notice in group}
            parked = [notice for notice in taken if notice.id not in gone]
            for notice in parked:
                self._outgoing.park(notice)

    async def _send(self, members: Sequence[Notice]) -> None:
        """One notice, or several that leave as one."""
        left = await self._left(members)
        if left:
            same = same_as_first(left)
            for other in left:
                if other not in same:  # it says something else by now: it leaves by itself
                    self._outgoing.held(other, 0.0, self._clock.elapsed())
            await self._tell(same, joined(same))
        self._begin()

    async def _tell(self, members: Sequence[Notice], one: Notice) -> None:
        """Try to send one notice; what becomes of it becomes of each member."""
        error = await self._attempt(one)
        for notice in members:
            sent = self._outgoing.sent(notice) if error is None else self._failed(notice, error)
            self._keep(sent)

    async def _send_digest(self, members: Sequence[Notice]) -> None:
        """Several notices to one address in one; what becomes of it becomes of each."""
        await self._recorded()  # they have waited: another worker may have taken over
        left: list[Notice] = []
        for notice in members:
            if self._silent():
                self._outgoing.held(notice, DECIDED_S, self._clock.elapsed())
            elif self._still_wanted(notice):
                left.append(notice)
        if left:
            await self._tell(left, left[0] if len(left) == 1 else digest(left, self._clock.now()))
        self._begin()

    def _keep(self, result: Delivery) -> None:
        """It is written down, and counted."""
        self._metrics.notices.labels(result.notice.channel, result.outcome).inc()
        self._results.append((result, self._clock.now()))
        self._looks.pop(result.notice.id, None)
        if result.held_s is None:
            self._quiet.discard(result.notice.id)

    async def _left(self, members: Sequence[Notice]) -> list[Notice]:
        """Those that go out now, as they are to be read; what became of the others is kept. All are
        of one occurrence."""
        wanted = [notice for notice in members if self._still_wanted(notice)]
        asking = any(self._asks(notice) for notice in wanted)
        decided = await self._recorded() if asking else ()
        looked = [self._looked_at(notice, decided) for notice in wanted]
        return [notice for notice in looked if notice is not None]

    def _still_wanted(self, notice: Notice) -> bool:
        wanted = self._wanted(notice) and not self._outgoing.is_superseded(notice)
        if not wanted:
            self._keep(self._outgoing.withdrawn(notice))
        return wanted

    def _looked_at(self, notice: Notice, decided: Collection[UUID]) -> Notice | None:
        """As it goes out now; None: it does not."""
        if notice.occurrence in decided:
            looks = self._looks[notice.id] = self._looks.get(notice.id, 0) + 1
            if looks <= DECIDED_LOOKS:
                self._outgoing.held(notice, DECIDED_S, self._clock.elapsed())
                return None
        if self._silent():
            self._outgoing.held(notice, DECIDED_S, self._clock.elapsed())
            return None
        if not self._still_wanted(notice):
            return None
        sending = self._sending(notice, self._clock.now())
        if sending.heirs:
            elapsed = self._clock.elapsed()
            self._keep(self._outgoing.handed_over(notice, sending.heirs, elapsed))
            return None
        if sending.held_until is not None:
            self._hold(sending.notice, sending.held_until)
            return None
        return self._outgoing.addressed(sending.notice)

    def _asks(self, notice: Notice) -> bool:
        """Whether decisions that are not applied yet are asked for: of rungs, and of an alarm once
        it has waited, for somebody may have acknowledged it meanwhile, or taken over from us; of
        everything once this process stood still."""
        self._look_back()
        doubt = self._stood_still > self._answered
        return doubt or notice.step is not None or self._outgoing.attempts(notice.id) > 0

    def _look_back(self) -> None:
        """Notice that nothing ran here for too long."""
        elapsed = self._clock.elapsed()
        self._stood_still += elapsed - self._ran > self._still_s
        self._ran = elapsed

    async def _recorded(self) -> Collection[UUID]:
        """Cases with a decision that is not applied yet, asked since this process last stood
        still."""
        while True:
            self._look_back()
            asked = self._stood_still
            found = await self._decided()
            self._look_back()
            if asked == self._stood_still:
                self._answered = asked
                return found

    def _hold(self, notice: Notice, until: datetime) -> None:
        """It is looked at again and again, but only the first time is kept."""
        left = (until - self._clock.now()).total_seconds()
        wait = min(left, QUIET_LOOK_S)
        held = self._outgoing.held(self._outgoing.addressed(notice), wait, self._clock.elapsed())
        if notice.id not in self._quiet:
            self._quiet.add(notice.id)
            self._keep(Delivery(held.notice, held.attempts, None, left, held_s=left))

    async def _attempt(self, notice: Notice) -> str | None:
        """Why it did not arrive, None: it did. It takes no longer than `SEND_WITHIN_S`."""
        if self._tasks is None:
            raise asyncio.CancelledError  # it stops: this attempt is the next run's
        attempt = self._tasks.create_task(self._through(notice), name=f"attempt {notice.id}")
        alarm = self._tasks.create_task(self._clock.sleep(SEND_WITHIN_S), name=f"limit {notice.id}")
        try:
            await asyncio.wait((attempt, alarm), return_when=asyncio.FIRST_COMPLETED)
            if attempt.done():
                return attempt.result()
            return f"no answer within {SEND_WITHIN_S:g} s"
        finally:
            for task in (attempt, alarm):
                task.cancel()

    async def _through(self, notice: Notice) -> str | None:
        try:
            channel = self._channels.get(notice.channel)
            if channel is None:
                return f"this worker has no channel {notice.channel!r}"
            passing(Point.NOTICE_LEAVING)
            await channel.send(notice)
            passing(Point.NOTICE_SENT)
        except DeliveryError as error:
            return str(error) or "not taken"
        except Exception as error:  # one address that nothing can send to must not stop the others
            log.exception("channel failed", action="notify", channel=notice.channel)
            return f"{type(error).__name__}: {error}"
        return None

    def _failed(self, notice: Notice, error: str) -> Delivery:
        result = self._outgoing.failed(notice, error, self._clock.elapsed())
        log.warning(
            "notice not delivered",
            action="retry" if result.retry_s is not None else "give up",
            notice=str(notice.id),
            channel=notice.channel,
            recipient=presentable(notice.recipient),
            person=notice.person,
            error=error,
        )
        return result

    async def _write_down(self) -> None:
        """A result whose notice is not in the database yet (it is in the spool) waits its turn."""
        async with link(self._database) as line:
            while True:
                try:
                    await self._write_all(line.run)
                    await self._clock.sleep(LOOK_EVERY_S)
                except DatabaseAway:
                    await self._clock.sleep(AWAY_S)

    async def _write_all(self, run: "Run") -> None:
        for _ in range(0, len(self._results), AT_A_TIME):
            batch = list(islice(self._results, AT_A_TIME))
            known = await run(partial(record, results=batch))
            passing(Point.NOTICE_RECORDED)
            for _ in batch:
                self._results.popleft()
            late = [one for one, there in zip(batch, known, strict=True) if not there]
            self._results.extend(one for one in late if not self._is_lost(one[0].notice.id))
            for result, _ in (one for one, there in zip(batch, known, strict=True) if there):
                self._unknown_since.pop(result.notice.id, None)

    def _is_lost(self, notice: UUID) -> bool:
        """Whether it is missing for so long that it will not come."""
        if not self._settled():
            return False
        now = self._clock.elapsed()
        since = self._unknown_since.setdefault(notice, now)
        return now - since > WRITTEN_WITHIN_S


Run = Callable[[Callable[[Connection], Awaitable[list[bool]]]], Awaitable[list[bool]]]
