"""The database is away while it leaks: people are told, rungs fire, and afterwards all of it is in
the journal, once."""

import asyncio
import signal

import pytest

from domain.cases import Level
from tests.support.broken_warnings import broken_warnings

AFTER_S = {"OP": 0.0, "PK": 0.0, "CO": 1.0, "CI": 3.0, "PR": 60.0}
NOTICES = """
    SELECT n.body->>'role', count(*), count(n.delivered), count(DISTINCT a.at)
    FROM notice n LEFT JOIN notice_attempt a ON a.notice = n.id AND a.outcome = 'delivered'
    WHERE n.step IS NOT NULL GROUP BY 1 ORDER BY 1"""
EVENTS = "SELECT event, count(*) FROM case_event GROUP BY 1 ORDER BY 1"
RAISED = "SELECT count(*), count(DISTINCT occurrence) FROM alarm_event WHERE event = 'raise'"
STREAM = "SELECT count(*), count(DISTINCT id) FROM outbox WHERE type = 'alarm'"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_the_whole_ladder_climbs_without_a_database_and_is_in_the_journal_once(nights, how):
    async with nights(after_s=AFTER_S) as night:
        await asyncio.to_thread(night.database.stop, how)
        await night.leak()
        await night.until(lambda: {"OP", "PK"} <= night.heard(), 60, "told at once")
        await night.until(lambda: "CI" in night.heard(), 60, "two rungs fire")
        night.check_told({"OP", "PK", "CO", "CI"})
        back = night.clock.elapsed()
        await asyncio.to_thread(night.database.start)
        told = [(role, 1, 1, 1) for role in ("CI", "CO", "OP", "PK")]
        await night.until(lambda: night.rows(NOTICES) == told, 60, "all of it is in the journal")
        print(f"caught up after {night.clock.elapsed() - back:.2f} s")  # noqa: T201
        signed = await night.sign(Level.CITY)
        await night.until(night.settled, 60, "all is settled")
        assert night.rungs() == [
            ("OP", "told"),
            ("PK", "told"),
            ("CO", "told"),
            ("CI", "told"),
            ("PR", "received"),
        ]
        assert night.rows(EVENTS) == [("receive", 1), ("rise", 1)]
        assert night.rows(RAISED) == [(2, 2)]
        assert night.rows(STREAM) == [(2, 2)]
        night.check_told({"OP", "PK", "CO", "CI"}, signed)
        assert len(night.told()) == 4, "nothing comes again when the database is back"
        assert broken_warnings(night.url) == []
