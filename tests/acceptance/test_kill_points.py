"""kill -9 at every step of opening, escalating and sending a warning case: what people see of it is
that something comes a little later, or twice with the same key."""

import asyncio
import signal
from itertools import permutations

import pytest

from domain.cases import Level
from domain.fault_points import Point
from tests.support.broken_warnings import broken_warnings
from tests.support.nights import AFTER_S

POINTS = [point.value for point in Point]
OF_DECISIONS = {Point.ACTION_HEARD, Point.ACTION_WRITTEN, Point.ACTION_COMMITTED}
NEED_SPOOL = {Point.SPOOL_WRITTEN, Point.DRAIN_READ, Point.DRAIN_COMMITTED}
WAIT_S = 60
UNDISTURBED = [("OP", "told"), ("PK", "told"), ("CO", "told"), ("CI", "told"), ("PR", "received")]
"""The ladder where the city signs as soon as it is told."""


async def leak(night, points):
    """It leaks; without a database where one of the points is about the spool."""
    if not NEED_SPOOL & set(points):
        await night.leak()
        return
    await asyncio.to_thread(night.database.stop, signal.SIGINT)
    await night.leak()
    await night.until(
        lambda: night.deaths or {"OP", "PK"} <= night.heard(), WAIT_S, "told, or dead"
    )
    await asyncio.to_thread(night.database.start)


async def night_with_deaths(nights, points):
    """The whole story, with a worker that dies at the first point, its successor at the next."""
    first, *others = [f"{point}=kill" for point in points]
    # What a decision stops is due while the worker is dead; else nothing is before the signature.
    decision = points[0] in OF_DECISIONS
    after_s = AFTER_S if decision else AFTER_S | {"PR": 60.0}
    rest_s = AFTER_S["PR"] if decision else 0.0
    async with nights(fault=first, after_s=after_s) as night, asyncio.TaskGroup() as tasks:
        supervising = tasks.create_task(night.supervise(others, rest_s))
        await leak(night, points)
        await night.until(lambda: "CI" in night.heard(), WAIT_S, "the city is told")
        signed = await night.sign(Level.CITY)
        await night.until(lambda: night.deaths, WAIT_S, f"it dies at {points[0]}")
        await night.until(night.settled, WAIT_S, "all is settled")
        if decision:
            back = "it is there again"
            await night.until(
                lambda: night.restarts and "watching" in night.service.said, WAIT_S, back
            )
            await night.clock.sleep(0.5)
        supervising.cancel()
    assert set(night.deaths) == {-signal.SIGKILL}
    assert f"point={points[0]}" in night.service.log
    assert night.rungs() == UNDISTURBED
    night.check_told({"OP", "PK", "CO", "CI"}, signed)
    state = "SELECT number, state, n, jsonb_array_length(receipts) FROM warning_case"
    assert night.rows(state) == [(1, "received", 2, 1)]
    assert broken_warnings(night.url) == []


@pytest.mark.parametrize("point", POINTS)
async def test_killed_there_one_case_every_rung_once_and_nothing_after_the_signature(nights, point):
    await night_with_deaths(nights, [point])


@pytest.mark.soak
@pytest.mark.parametrize("points", list(permutations(POINTS, 2)), ids="-".join)
async def test_killed_twice(nights, points):
    await night_with_deaths(nights, points)
