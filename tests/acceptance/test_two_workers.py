"""Two workers for one shard on one database: one of them works, and whatever becomes of it, every
rung is told once."""

import asyncio
import signal
from contextlib import AsyncExitStack

import pytest

from domain.cases import Level
from hazwatch.cli import REPLACED
from tests.support.broken_warnings import broken_warnings
from tests.support.nights import Night, Nights
from tests.support.proxy import Proxy, Wire, proxy

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


@pytest.mark.parametrize(
    "fault",
    [
        "notice.leaving=freeze",
        "case.written=freeze",
        "action.heard=freeze",
        "copying=freeze",
        "copying=freeze:2",
    ],
)
async def test_one_that_was_frozen_is_fenced_and_says_so(nights, fault):
    """Frozen in the middle of sending, of a transaction that holds the lease's row, of a decision,
    of a COPY (the first is of samples, the second of the newest of each tag); it comes back after
    another has gone on."""
    point = fault.partition("=")[0]
    async with nights(
        after_s=AFTER_S, lease_s=str(LEASE_S), fault=fault, stop_within_s="5"
    ) as night:
        second = await night.beside()
        await night.leak()
        if point == "action.heard":
            await night.until(lambda: "CO" in night.heard(), 60, "the county is told")
            await night.sign(Level.COUNTY)
        await night.until(lambda: f"point={point}" in night.service.log, 60, "the first is frozen")
        frozen = night.clock.elapsed()
        await night.until(lambda: second.watching, STARTS_S, "the second takes over")
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


async def test_one_that_lost_only_the_database_stands_down_when_the_other_takes_over(
    nights, timescale_url
):
    """And goes on telling until then: a database that is away is no reason to fall silent."""
    async with AsyncExitStack() as stack:
        night, wire = await _wired(stack, nights, timescale_url)
        await _second(night, HAZWATCH_DATABASE_URL=night.url)
        await wire.become(Wire.CUT)
        await night.leak()
        await night.until(lambda: {"OP", "PK"} <= night.heard(), 10, "told without a database")
        cut = night.clock.elapsed()
        await night.until(lambda: night.second.watching, STARTS_S, "the second takes over")
        print(f"taken over after {night.clock.elapsed() - cut:.2f} s")  # noqa: T201
        away = "the database can't say by whom"
        await night.until(lambda: away in night.service.said, 20, "the first stands down")
        told = len(night.told())
        await night.show(**{"GD-1": 60})
        await night.until(lambda: "CO" in night.heard(), 60, "the second tells the county")
        await night.until(lambda: "CI" in night.heard(), 60, "and the city")
        await night.sign(Level.CITY)
        await night.until(night.settled, 60, "all is settled")
        later = [(role, key) for _, role, key in night.told()[told:]]
        assert len(set(later)) == len({role for role, _ in later}) == 4, night.told()
        assert night.second.said.count("broker_lost") == 0
        assert night.service.ended is None
        await wire.become(Wire.SOUND)
        code = await asyncio.to_thread(night.service.wait, 60)
        assert code == REPLACED, night.service.said[-3000:]
        assert night.second.watching
        assert broken_warnings(night.url) == []


async def test_a_database_that_answers_nobody_hands_the_lease_to_nobody(nights, timescale_url):
    async with AsyncExitStack() as stack:
        night, wire = await _wired(stack, nights, timescale_url)
        await _second(night)
        for _ in range(3):
            await wire.become(Wire.SILENT)
            await night.clock.sleep(3 * LEASE_S)
            await wire.become(Wire.SOUND)
            await night.clock.sleep(2 * LEASE_S)
        assert not night.second.watching
        assert night.service.ended is None
        await night.leak()
        await night.until(lambda: {"OP", "PK"} <= night.heard(), 10, "the first goes on")
        assert night.rows(f"SELECT epoch FROM lease WHERE shard = '{night.park}'") == [(1,)]


async def _wired(stack: AsyncExitStack, nights: Nights, url: str) -> tuple[Night, Proxy]:
    """A night whose workers reach the database by a wire."""
    wire, url = await stack.enter_async_context(proxy(url, 5432))
    opened = nights(after_s=AFTER_S, lease_s=str(LEASE_S), database_url=url)
    return await stack.enter_async_context(opened), wire


async def _second(night: Night, **environment: str) -> None:
    """A second worker with this in its environment, once it waits."""
    night.second.start(**environment)
    await night.until(lambda: "action=wait" in night.second.said, 60, "the second waits")
