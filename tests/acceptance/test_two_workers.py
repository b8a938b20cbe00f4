"""Two workers for one shard on one database: one of them works, and whatever becomes of it, every
rung is told once."""

import asyncio
import signal

import pytest

from domain.cases import Level
from hazwatch.cli import REPLACED
from storage.lease import IDLE_S
from tests.support.broken_warnings import broken_warnings

LEASE_S = 2.0
AFTER_S = {"OP": 0.0, "PK": 0.0, "CO": 1.0, "CI": 6.0, "PR": 12.0}
STARTS_S = 30.0
"""A start, on a machine where other tests run."""


async def test_the_second_waits_and_goes_on_where_the_first_was_killed(nights):
    async with nights(after_s=AFTER_S, lease_s=str(LEASE_S)) as night:
        second = await night.beside()
        await night.leak()
        arrived = "SELECT count(*) FROM notice WHERE delivered IS NOT NULL"
        await night.until(lambda: night.rows(arrived) == [(3,)], 60, "the first tells the county")
        assert "watching" not in second.log
        killed = night.clock.elapsed()
        await asyncio.to_thread(night.service.end, signal.SIGKILL)
        await night.until(lambda: second.watching, LEASE_S + STARTS_S, "the second takes over")
        took = night.clock.elapsed() - killed
        print(f"taken over after {took:.2f} s")  # noqa: T201  (shown on request: pytest -s)
        await night.until(lambda: "CI" in night.heard(), 60, "the second tells the city")
        signed = await night.sign(Level.CITY)
        await night.until(night.settled, 60, "all is settled")
        night.check_told({"OP", "PK", "CO", "CI"}, signed)
        assert len(night.told()) == 4
        assert broken_warnings(night.url) == []


@pytest.mark.parametrize("point", ["notice.leaving", "case.written", "action.heard"])
async def test_one_that_was_frozen_is_fenced_and_says_so(nights, point):
    """Frozen in the middle of sending, of a transaction that holds the lease's row, of a decision;
    it comes back after another has gone on."""
    async with nights(
        after_s=AFTER_S, lease_s=str(LEASE_S), fault=f"{point}=freeze", stop_within_s="5"
    ) as night:
        second = await night.beside()
        await night.leak()
        if point == "action.heard":
            await night.until(lambda: "CO" in night.heard(), 60, "the county is told")
            await night.sign(Level.COUNTY)
        await night.until(lambda: f"point={point}" in night.service.log, 60, "the first is frozen")
        frozen = night.clock.elapsed()
        await night.until(lambda: second.watching, IDLE_S + STARTS_S, "the second takes over")
        took = night.clock.elapsed() - frozen
        print(f"taken over after {took:.2f} s")  # noqa: T201
        if point != "action.heard":
            await night.until(lambda: "CO" in night.heard(), 60, "the second tells the county")
            await night.sign(Level.COUNTY)
        await night.until(lambda: "received" in dict(night.rungs()).values(), 60, "signed")
        told = len(night.told())
        night.service.resume()
        code = await asyncio.to_thread(night.service.wait, 60)
        assert code == REPLACED, night.service.said[-3000:]
        assert "another worker has the lease" in night.service.said
        await night.clock.sleep(0.5)
        # What had been asked about already is on its way; with its key of before, as checked below.
        on_their_way = {"OP", "PK"} if point == "notice.leaving" else set()
        assert {role for _, role, _ in night.told()[told:]} <= on_their_way
        assert second.watching
        await night.until(night.settled, 60, "all is settled")
        night.check_told({"OP", "PK", "CO"})
        assert broken_warnings(night.url) == []
