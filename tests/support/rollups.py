"""Roll-ups under test: the slow reference, and a writer with a job beside it."""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from prometheus_client import CollectorRegistry

from domain.frame import Frame
from storage.database import Connection, ServerFacts, server_facts
from storage.lease import Fence
from storage.metrics import RollupMetrics
from storage.partitions import Partitions, partitions
from storage.rollup import RollUps
from storage.rollup_state import HOUR, NOTHING, RollupState, read_state
from storage.samples import LastStored, write_samples
from tests.support.builders import START
from tests.support.clock import ManualClock

MINUTE = timedelta(minutes=1)
LATER = START + timedelta(days=30)
"""A stamp after all that tests store."""


class Bucket(NamedTuple):
    """A row of a roll-up."""

    low: float
    high: float
    total: float
    n: int
    empty: int
    first: float
    last: float
    quality: int


async def ask(conn: Connection, statement: str, *arguments: object) -> Sequence[tuple[object, ...]]:
    """All rows of a statement of a test."""
    return await (await conn.execute(statement.encode(), arguments)).fetchall()


Buckets = dict[tuple[int, datetime], Bucket]


class Anybody(Fence):
    """A lease that nobody takes."""

    async def check(self, conn: Connection) -> None:
        """Ours."""


class Killed(Exception):
    """The process is gone."""


class Dying(Fence):
    """A lease whose holder is killed just before each commit."""

    async def check(self, conn: Connection) -> None:
        """The last thing in a transaction."""
        raise Killed


def job(facts: ServerFacts, fence: Fence | None = None) -> RollUps:
    """The job of a process that has just started."""
    metrics = RollupMetrics(CollectorRegistry())
    return RollUps(fence or Anybody("main", 1), ManualClock(START), metrics, facts)


class Kept:
    """A database that samples go into."""

    def __init__(self, conn: Connection, facts: ServerFacts) -> None:
        self.conn = conn
        self.facts = facts
        self.last = LastStored()
        self.room: Partitions = partitions(facts)

    @classmethod
    async def of(cls, conn: Connection) -> "Kept":
        """On this connection."""
        return cls(conn, await server_facts(conn))

    async def cover(self, *frames: Frame) -> None:
        """Make room."""
        await self.room.cover(self.conn, np.concatenate([one.time for one in frames]), START)

    async def write(self, *frames: Frame) -> None:
        """Store frames in one transaction."""
        await self.cover(*frames)
        async with self.conn.transaction():
            await write_samples(self.conn, frames, self.last)

    async def roll_up(self, until: datetime = LATER, most: int = 10_000) -> bool:
        """Work until nothing is left to do, or for `most` pieces; whether nothing is left."""
        work = job(self.facts)
        for _ in range(most):
            if not await work.once(self.conn, until):
                return True
        return False

    async def state(self) -> RollupState:
        """How far it is."""
        return await read_state(self.conn)

    async def rolled(self, table: str = "sample_minute") -> Buckets:
        """What a roll-up has."""
        return buckets(
            await ask(
                self.conn,
                "SELECT tag_id, time, low, high, total, n, empty, first, last, quality"
                f" FROM {table}",
            )
        )

    async def samples(self) -> Sequence[tuple[int, datetime, float, int]]:
        """All that is stored."""
        rows = await ask(self.conn, "SELECT tag_id, time, value, quality FROM sample")
        return rows  # type: ignore[return-value]


def buckets(rows: Sequence[Sequence[object]]) -> Buckets:
    """Rows by tag and time."""
    return {(row[0], row[1]): Bucket(*row[2:]) for row in rows}  # type: ignore[arg-type,misc]


def reference(
    samples: Sequence[tuple[int, datetime, float, int]], width: timedelta, before: datetime
) -> Buckets:
    """Every bucket by itself, straight from what it is said to be."""
    groups: dict[tuple[int, datetime], list[tuple[datetime, float, int]]] = defaultdict(list)
    for tag, time, value, quality in samples:
        begin = time - (time - NOTHING) % width
        if time < before:
            groups[tag, begin].append((time, value, quality))
    return {key: _bucket(sorted(group)) for key, group in groups.items()}


def _bucket(group: list[tuple[datetime, float, int]]) -> Bucket:
    values = [value for _, value, _ in group if math.isfinite(value)]
    worst = min(quality for *_, quality in group)
    empty = len(group) - len(values)
    if not values:
        return Bucket(math.nan, math.nan, 0.0, 0, empty, math.nan, math.nan, worst)
    total = math.fsum(value for value in values if abs(value) < 1e290)
    low, high = min(values), max(values)
    return Bucket(low, high, total, len(values), empty, values[0], values[-1], worst)


def differences(found: Buckets, expected: Buckets) -> list[str]:
    """Where two roll-ups differ; sums may by what rounding leaves."""
    wrong = [f"{key}: only in one" for key in found.keys() ^ expected.keys()]
    for key in found.keys() & expected.keys():
        one, other = found[key], expected[key]
        same = one._replace(total=0.0) == other._replace(total=0.0) or repr(
            one._replace(total=0.0)
        ) == repr(other._replace(total=0.0))
        if not same or not math.isclose(one.total, other.total, rel_tol=1e-9, abs_tol=1e-9):
            wrong.append(f"{key}: {one} for {other}")
    return wrong


async def wrong(kept: Kept) -> list[str]:
    """Where the roll-ups of finished hours differ from the slow reference over all samples."""
    before = (await kept.state()).hours
    samples = await kept.samples()
    return [
        f"{table} {said}"
        for table, width in (("sample_minute", MINUTE), ("sample_hour", HOUR))
        for said in differences(await kept.rolled(table), reference(samples, width, before))
    ]
