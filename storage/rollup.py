"""Roll-ups of samples by minute and hour: bounded steps, each in a transaction, in this order.

1. *Close* the next span of received stamps: who commits samples of it from now on leaves a part by
   himself (`storage.rollup_late`).
2. *Step*: group what is stored of that span by tag and minute into parts. A statement sees the
   samples of others together with the parts that they left, or neither, so it counts each once.
3. *Finish* an hour that is over: its parts become rows of `sample_minute` and `sample_hour`, a tag
   after the other. What comes for it later is *merged* into them.

A kill at any instant leaves a transaction or none; who comes next goes on where it stopped.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from domain.clock import Clock
from storage.chunks import Chunks, chunks_for
from storage.database import Connection, ServerFacts
from storage.days import DAYS_AT_ONCE
from storage.lease import Fence
from storage.metrics import RollupMetrics
from storage.partitions import RollupRoom
from storage.queries import query
from storage.rollup_sql import rollup_query
from storage.rollup_state import HOUR, NEWEST, NOTHING, RollupState, lock_state, read_state

GRACE = timedelta(minutes=10)
"""An hour is finished so long after its end: what comes within it is cheapest."""
SHORTEST, FIRST, LONGEST = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
"""Bounds of the span of stamps of a step."""
QUICK_S, SLOW_S = 1.0, 4.0
"""A step that is quicker makes the next one longer, one that is slower makes it shorter."""
FRESH = timedelta(minutes=1)
"""Late parts are merged while no more than this is to be rolled up."""
MERGED_AT_ONCE = 20_000
"""Late parts in one transaction."""

Transaction = Callable[[Callable[[Connection], Awaitable[bool]]], Awaitable[bool]]


class RollUps:
    """Brings the roll-ups of a database up to date. One process at a time works, others wait."""

    def __init__(
        self, fence: Fence, clock: Clock, metrics: RollupMetrics, facts: ServerFacts
    ) -> None:
        self._fence = fence
        self._clock = clock
        self._metrics = metrics
        self._timescale = facts.timescale is not None
        self._chunks: Chunks = chunks_for(facts)
        self._room = RollupRoom(facts)
        self._span = FIRST

    async def once(self, conn: Connection, until: datetime) -> bool:
        """Do one piece of what there is to do with samples received up to `until`; whether there
        may be more. Raises `LeaseLost` and what the driver raises."""
        began = self._clock.elapsed()
        state = await read_state(conn)
        if state.closed > state.done:
            await self._step(conn, state)
            self._pace(self._clock.elapsed() - began)
            return True
        if await self._finish(conn, state):
            return True
        # What comes now does not wait behind years of history that came late.
        if until - state.done > FRESH and await self._close(conn, state, until):
            return True
        return await self._merge(conn, state) or await self._close(conn, state, until)

    async def _close(self, conn: Connection, state: RollupState, until: datetime) -> bool:
        """Where nothing was received for a while, that while is closed with what follows."""
        if until <= state.done:
            return False
        first = await self._next_received(conn, state.done, until)
        end = until if first is None else min(until, first + self._span)
        asked = {"done": state.done, "to": end, "hour": _hour(first or end)}
        async with conn.transaction():
            await conn.execute(query("begin_step"), prepare=False)
            await conn.execute(query("close_step"), asked)
            await self._fence.check(conn)
        return True

    async def _next_received(
        self, conn: Connection, after: datetime, until: datetime
    ) -> datetime | None:
        """Looked for nearby first: in all that is left takes long after an upgrade."""
        near = min(until, after + LONGEST)
        first = await self._first_received(conn, after, near)
        return first if first or near == until else await self._first_received(conn, near, until)

    async def _first_received(
        self, conn: Connection, after: datetime, until: datetime
    ) -> datetime | None:
        found = []
        for begin, end in await self._spans(conn, NOTHING):
            asked = {"after": after, "until": until, "from": begin, "to": end}
            row = await conn.execute(query("next_received"), asked, prepare=False)
            found += await row.fetchall()
        return min((row[0] for row in found), default=None)

    async def _step(self, conn: Connection, seen: RollupState) -> None:
        """Parts of one span of times; the last span ends the step."""
        begin, end = (await self._spans(conn, seen.upto))[0]
        async with conn.transaction():
            state = await lock_state(conn)
            if state != seen:
                return
            await self._manners(conn)
            asked = {"done": state.done, "closed": state.closed, "hours": state.hours}
            await self._run(conn, "roll_up_received", **asked, **{"from": begin, "to": end})
            if end == NEWEST:
                await conn.execute(query("end_step"))
            else:
                await conn.execute(query("advance_step"), {"upto": end})
            await self._fence.check(conn)

    async def _spans(self, conn: Connection, after: datetime) -> list[tuple[datetime, datetime]]:
        """Spans of times from `after` on to the end of time, of at most so many chunks that a
        transaction can lock them."""
        ends = [one.end for one in await self._chunks.of(conn, "sample") if one.end > after]
        cuts = [after, *ends[DAYS_AT_ONCE - 1 : -1 : DAYS_AT_ONCE], NEWEST]
        return list(pairwise(cuts))

    async def _finish(self, conn: Connection, seen: RollupState) -> bool:
        """The next hour of which there are parts, once it is over."""
        limit = _hour(seen.done - GRACE)
        if limit <= seen.hours:
            return False
        row = await (await conn.execute(query("next_part"), {"before": limit})).fetchone()
        first = limit if row is None or row[0] is None else _hour(row[0])
        await self._room.cover(conn, [first])
        async with conn.transaction():
            if await lock_state(conn) != seen:
                return True
            if first < limit:
                await self._manners(conn)
                await self._run(conn, "finish_hour", hour=first, after=first + HOUR)
            hours = min(first + HOUR, limit)
            await conn.execute(query("set_hours"), {"hours": hours})
            await self._fence.check(conn)
        return True

    async def _merge(self, conn: Connection, seen: RollupState) -> bool:
        """Some of what came late."""
        months = await conn.execute(query("late_months"), {"hours": seen.hours})
        late = [row[0] for row in await months.fetchall()]
        if not late:
            return False
        await self._room.cover(conn, late)
        async with conn.transaction():
            if await lock_state(conn) != seen:
                return True
            await self._manners(conn)
            await self._run(conn, "merge_late", hours=seen.hours, most=MERGED_AT_ONCE)
            await self._fence.check(conn)
        return True

    async def _manners(self, conn: Connection) -> None:
        await conn.execute(query("rollup_manners"), prepare=False)

    async def _run(self, conn: Connection, name: str, **asked: object) -> None:
        """Never prepared: the bounds let the planner leave out chunks."""
        await conn.execute(rollup_query(name, timescale=self._timescale), asked, prepare=False)

    def _pace(self, took_s: float) -> None:
        self._metrics.step_seconds.observe(took_s)
        if took_s > SLOW_S:
            self._span = max(self._span / 2, SHORTEST)
        elif took_s < QUICK_S:
            self._span = min(self._span * 2, LONGEST)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
