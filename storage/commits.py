"""The transaction of alarm parts, idempotent and fenced. That of batches: `storage.writer`."""

from collections.abc import Sequence

from domain.clock import Clock
from storage.actions import write_results
from storage.alarms import write_transitions
from storage.cases import write_case_transitions, write_steps
from storage.database import Connection, Link
from storage.desk_notes import write_desks
from storage.entry import Entry
from storage.inventories import write_inventories
from storage.lease import Fence
from storage.metrics import JournalMetrics
from storage.notices import insert_notices
from storage.outbox import append_events
from storage.passings import COMMITTED, WRITTEN, pass_commit
from storage.pca_models import write_pca_now
from storage.refusals import refusals
from storage.risks import write_risks


class Commits:
    """Writes alarm parts of one shard; raises `DatabaseAway`, `Refused` and `LeaseLost`."""

    def __init__(self, fence: Fence, clock: Clock, metrics: JournalMetrics) -> None:
        self._fence = fence
        self._clock = clock
        self._metrics = metrics

    async def alarm_parts(self, line: Link, entries: Sequence[Entry]) -> None:
        """Commit the alarm parts of the entries, if there are any, in one transaction."""
        speaking = [entry for entry in entries if entry.speaks]
        if not speaking:
            return

        async def write(conn: Connection) -> None:
            async with conn.pipeline():  # a busy loop would be waited for at every statement
                await conn.execute("BEGIN")
                asked = await self._fence.ask(conn)
                await _write_alarm_parts(conn, speaking)
                await self._fence.stands(asked)
                pass_commit(WRITTEN, speaking)
                await conn.execute("COMMIT")

        began = self._clock.elapsed()
        with refusals(speaking):
            await line.run(write)
        pass_commit(COMMITTED, speaking)
        self._metrics.commit_seconds.labels("alarms").observe(self._clock.elapsed() - began)

    async def check_fence(self, line: Link) -> None:
        """Whether the database answers and is still ours to write to."""
        await line.run(self._fence.check)


async def _write_alarm_parts(conn: Connection, entries: Sequence[Entry]) -> None:
    """The outbox comes last, for its lock is held until the commit."""
    await write_transitions(conn, [one for entry in entries for one in entry.transitions])
    await write_case_transitions(conn, [one for entry in entries for one in entry.cases])
    await write_steps(conn, [one for entry in entries for one in entry.steps])
    await write_risks(conn, [one for entry in entries for one in entry.risks])
    await write_inventories(conn, [one for entry in entries for one in entry.inventories])
    await write_pca_now(conn, [one for entry in entries for one in entry.groups])
    await write_desks(conn, [one for entry in entries for one in entry.desks])
    await insert_notices(conn, [one for entry in entries for one in entry.notices])
    await write_results(conn, [one for entry in entries for one in entry.actions])
    await append_events(conn, [one for entry in entries for one in entry.events])
