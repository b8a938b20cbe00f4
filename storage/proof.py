"""A load's truth held against what is stored, in SQL: nothing lost, doubled, moved or changed."""

from dataclasses import dataclass

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
