"""The two kinds of transaction of the journal, each idempotent and fenced."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np

from domain.clock import Clock
from storage.actions import write_results
from storage.alarms import write_transitions
from storage.batches import BatchStore
from storage.cases import write_case_transitions, write_steps
from storage.database import Connection, Link, Refused, is_refusal
from storage.days import day_groups
from storage.entry import Entry, is_wide
from storage.inventories import write_inventories
from storage.lease import Fence
from storage.metrics import JournalMetrics
from storage.notices import insert_notices
from storage.outbox import append_events
from storage.pca_models import write_pca_now
from storage.risks import write_risks
from storage.samples import NOTHING, Outcomes, Stored


class Commits:
    """Writes entries of one shard; raises `DatabaseAway`, `Refused` and `LeaseLost`."""

    def __init__(self, fence: Fence, clock: Clock, metrics: JournalMetrics) -> None:
        self._fence = fence
        self._clock = clock
        self._metrics = metrics
        self._batches = BatchStore(fence)

    async def alarm_parts(self, line: Link, entries: Sequence[Entry]) -> None:
        """Commit the alarm parts of the entries, if there are any, in one transaction."""
        speaking = [entry for entry in entries if entry.speaks]
        if not speaking:
            return

        async def write(conn: Connection) -> None:
            async with conn.transaction():
                await self._fence.check(conn)
                await _write_alarm_parts(conn, speaking)

        with self._timed("alarms"), _refusals(speaking):
            await line.run(write)

    async def batches(self, line: Link, epoch: int, entries: Sequence[Entry]) -> list[Stored]:
        """Commit the batches of a group in one transaction; what became of each entry's.

        One that `is_wide` takes several, and has to be in the spool.
        """
        numbered = [(entry.number, entry.batch) for entry in entries if entry.batch is not None]
        if not numbered:
            return [NOTHING] * len(entries)
        with self._timed("batches"), _refusals(entries):
            ahead = await self._ahead(line, epoch, entries[0]) if is_wide(entries) else None
            written = await line.run(
                partial(self._batches.write, epoch=epoch, batches=numbered, ahead=ahead)
            )
        for stored in written:
            self._metrics.count(stored)
        left = iter(written)
        return [NOTHING if entry.batch is None else next(left) for entry in entries]

    async def _ahead(self, line: Link, epoch: int, wide: Entry) -> Outcomes:
        """Commit the samples of a wide entry, some days at a time; what became of each."""
        batch = wide.batch
        assert batch is not None, "without a batch there are no days"
        outcomes = np.empty(len(batch.frame), np.int8)
        for which in day_groups(batch.frame.time):
            outcomes[which] = await line.run(
                partial(
                    self._batches.write_ahead,
                    epoch=epoch,
                    number=wide.number,
                    batch=batch,
                    which=which,
                )
            )
        return outcomes

    async def check_fence(self, line: Link) -> None:
        """Whether the database answers and is still ours to write to."""
        await line.run(self._fence.check)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = self._clock.elapsed()
        yield
        self._metrics.commit_seconds.labels(part).observe(self._clock.elapsed() - began)


@contextmanager
def _refusals(entries: Sequence[Entry]) -> Iterator[None]:
    """What the database does not take of these entries comes as `Refused`."""
    try:
        yield
    except Exception as exc:
        if not is_refusal(exc):
            raise
        first, last = entries[0].number, entries[-1].number
        raise Refused(f"entries {first} to {last}: {type(exc).__name__}: {exc}") from exc


async def _write_alarm_parts(conn: Connection, entries: Sequence[Entry]) -> None:
    """The outbox comes last, for its lock is held until the commit."""
    await write_transitions(conn, [one for entry in entries for one in entry.transitions])
    await write_case_transitions(conn, [one for entry in entries for one in entry.cases])
    await write_steps(conn, [one for entry in entries for one in entry.steps])
    await write_risks(conn, [one for entry in entries for one in entry.risks])
    await write_inventories(conn, [one for entry in entries for one in entry.inventories])
    await write_pca_now(conn, [one for entry in entries for one in entry.groups])
    await insert_notices(conn, [one for entry in entries for one in entry.notices])
    await write_results(conn, [one for entry in entries for one in entry.actions])
    await append_events(conn, [one for entry in entries for one in entry.events])
