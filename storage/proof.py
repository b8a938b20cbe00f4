"""A load's truth held against what is stored, in SQL: nothing lost, doubled, moved or changed.

And what a run has left behind: what became of its messages, and what people were told of it.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Self

import numpy as np

from domain.instant import moment
from storage.database import Connection
from storage.queries import query
from storage.rows import Rows, copy_stream

TAG = np.dtype([(name, np.int32) for name in ("carrier", "part", "tag", "start")])
"""A tag of a part; start: its share in its values."""
MESSAGE = np.dtype(
    [
        ("carrier", np.int32),
        ("part", np.int32),
        ("time", np.int64),
        ("shift", np.int32),
        ("value", np.float64),
        ("acknowledged", np.bool_),
    ]
)
"""A message. time: microseconds since 1970. shift: share of the time in its values; value: of all
its samples, NaN for (floor + (start + shift) mod modulus) / scale."""


@dataclass(frozen=True, slots=True)
class Rule:
    """value = (floor + (start + shift) mod modulus) / scale"""

    floor: int
    modulus: int
    scale: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Counts of samples.

    missing: acknowledged by the broker, and not stored. wrong: stored with another value. strange:
    stored under the load's tags in its time, and never published. The primary key leaves no room
    for doubles.
    """

    published: int
    stored: int
    missing: int
    wrong: int
    strange: int

    @property
    def holds(self) -> bool:
        """Whether every acknowledged sample is there once, as it was, and nothing else."""
        return self.missing == self.wrong == self.strange == 0


async def prove(conn: Connection, tags: Rows, messages: Rows, rule: Rule) -> Proof:
    """Compare tags (dtype `TAG`) and at least one message (dtype `MESSAGE`) with the samples."""
    times = messages["time"]
    bounds = {"from": moment(times.min()), "to": moment(times.max())}
    async with conn.transaction(force_rollback=True):
        for table, rows in (("load_tag", tags), ("load_message", messages)):
            await conn.execute(query(f"create_{table}"))
            async with conn.cursor() as cursor, cursor.copy(query(f"copy_{table}")) as copy:
                await copy.write(copy_stream(rows))
        await conn.execute(query("analyze_load"))
        numbers = {"floor": rule.floor, "modulus": rule.modulus, "scale": rule.scale}
        found = await (await conn.execute(query("compare_load"), bounds | numbers)).fetchone()
        total = await (await conn.execute(query("count_loaded"), bounds)).fetchone()
    assert found is not None
    assert total is not None
    published, stored, missing, wrong = found
    return Proof(published, stored, missing, wrong, total[0] - stored)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of messages and values since the beginning, or between two readings.

    received to messages_quarantined: messages; the rest: values.
    """

    received: int
    redelivered: int
    decoded: int
    repeated: int
    messages_quarantined: int
    values_decoded: int
    stored: int
    duplicates: int
    conflicts: int
    quarantined: int

    def __sub__(self, before: Self) -> Self:
        pairs = zip(astuple(self), astuple(before), strict=True)
        return type(self)(*(now - then for now, then in pairs))


@dataclass(frozen=True, slots=True)
class Told:
    """What people were told: live alarms that began, warning cases opened, notices delivered."""

    alarms_raised: int
    warnings_opened: int
    notices_sent: int


async def ingested(conn: Connection, gateways: Sequence[int]) -> Ingested:
    """The counts of these gateways together, as committed."""
    asked = {"gateways": list(gateways)}
    row = await (await conn.execute(query("sum_ingested"), asked)).fetchone()
    assert row is not None, "an aggregate without GROUP BY has one row"
    return Ingested(*map(int, row))


async def samples_since(conn: Connection, tags: Sequence[int], since: datetime) -> int:
    """How many samples of these tags lie at or after an instant of event time."""
    asked = {"tags": list(tags), "since": since}
    row = await (await conn.execute(query("count_samples_since"), asked)).fetchone()
    assert row is not None, "an aggregate without GROUP BY has one row"
    return int(row[0])


async def told_since(conn: Connection, enterprises: Sequence[int], since: datetime) -> Told:
    """What people were told of these enterprises at or after an instant of the worker's clock."""
    asked = {"enterprises": list(enterprises), "since": since}
    row = await (await conn.execute(query("count_told_since"), asked)).fetchone()
    assert row is not None, "a select without FROM has one row"
    return Told(*map(int, row))
