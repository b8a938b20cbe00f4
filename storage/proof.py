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

AT_ONCE = 50_000
"""Messages held against the samples at a time: five million samples with 100 in a message."""


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

    def __add__(self, other: Self) -> Self:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return type(self)(*(one + more for one, more in pairs))

    @property
    def holds(self) -> bool:
        """Whether every acknowledged sample is there once, as it was, and nothing else."""
        return self.missing == self.wrong == self.strange == 0


async def prove(conn: Connection, tags: Rows, messages: Rows, rule: Rule) -> Proof:
    """Compare tags (dtype `TAG`) and at least one message (dtype `MESSAGE`) with the samples.

    Some messages at a time, in order of time, so that no join has to leave memory.
    """
    messages = messages[np.argsort(messages["time"], kind="stable")]
    times = messages["time"]
    firsts = np.unique(times[::AT_ONCE])
    proof = Proof(0, 0, 0, 0, 0)
    async with conn.transaction(force_rollback=True):
        await conn.execute(query("prepare_load"))
        await _copy(conn, "load_tag", tags)
        for first, after in zip(firsts, [*firsts[1:], times[-1] + 1], strict=True):
            part = messages[(times >= first) & (times < after)]
            proof += await _compare(conn, part, (int(first), int(after) - 1), rule)
    return proof


async def _compare(conn: Connection, part: Rows, span: tuple[int, int], rule: Rule) -> Proof:
    bounds = {"from": moment(span[0]), "to": moment(span[1])}
    await conn.execute(query("empty_load"))
    await _copy(conn, "load_message", part)
    await conn.execute(query("analyze_load"))
    numbers = {"floor": rule.floor, "modulus": rule.modulus, "scale": rule.scale}
    found = await (await conn.execute(query("compare_load"), bounds | numbers)).fetchone()
    total = await (await conn.execute(query("count_loaded"), bounds)).fetchone()
    assert found is not None
    assert total is not None
    published, stored, missing, wrong = found
    return Proof(published, stored, missing, wrong, total[0] - stored)


async def _copy(conn: Connection, table: str, rows: Rows) -> None:
    async with conn.cursor() as cursor, cursor.copy(query(f"copy_{table}")) as copy:
        await copy.write(copy_stream(rows))


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
