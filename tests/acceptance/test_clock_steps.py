"""The machine's wall clock is set an hour forward and back while a case and a shelved alarm are
open: everything goes on by the time that passes."""

import asyncio
import signal

import pytest

from tests.support.broken_warnings import broken_warnings
from tests.support.nights import ROLES
from tests.support.nursery import Nursery
from tests.support.shifted_clock import LIBRARY, ShiftedClock

HOUR = 3600
AFTER_S = {"OP": 0.0, "PK": 0.0, "CO": 3.0, "CI": 8.0, "PR": 13.0}
SHELF_S = 6.0
LATE_S = 60.0
"""On a machine where other tests run."""
STEP_LASTS_S = 75.0
TIMES = """
    SELECT extract(epoch FROM s.done - c.opened)::float8 FROM escalation_step s
    JOIN warning_case c ON c.id = s.case_id WHERE s.role = '{role}'"""
SHELVED = """
    SELECT shelved IS NOT NULL FROM alarm a JOIN tag t ON t.id = a.tag_id
    WHERE t.name = 'LI-1' AND a.kind = 'H'"""
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="no libfaketime here")


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    """The clock, and where services that have it start at once."""
    clock = ShiftedClock(tmp_path_factory.mktemp("clock"))
    with Nursery(clock.environment) as nursery:
        yield clock, nursery


@pytest.fixture
def shifted_nights(nights, shifted):
    clock, nursery = shifted
    clock.set(0)
    return lambda **more: nights(nursery=nursery, environment=clock.environment, **more)


async def shelved_and_leaking(night):
    """A shelved alarm, and a case of an acknowledged one; when the shelf began, in elapsed seconds.

    Gas that nobody acknowledges turns red after 5 min, and a start under a clock that is ahead
    takes it for older: docs/risk-model.md.
    """
    await night.show(**{"LI-1": 85})
    await night.until(lambda: night.rows(SHELVED) == [(False,)], 60, "LI-1 is in alarm")
    began = await night.shelve("LI-1", SHELF_S)
    await night.leak()
    await night.until(lambda: night.rows(SHELVED) == [(True,)], 60, "it is shelved")
    await night.until(lambda: "PK" in night.heard(), 60, "a case is open")
    await night.acknowledge("GD-1")
    return began


async def restart(night):
    await asyncio.to_thread(night.service.end, signal.SIGKILL)
    await night.start()


async def test_an_hour_forward_and_back_fires_nothing_at_once_and_loses_nothing(
    shifted_nights, shifted
):
    """Within one run, and for runs that begin an hour ahead and an hour behind."""
    clock, _ = shifted
    async with shifted_nights(after_s=AFTER_S) as night:
        shelf = await shelved_and_leaking(night)
        for step in (HOUR, -HOUR):
            clock.set(step)
            await night.clock.sleep(1.2)
        clock.set(HOUR)
        await night.until(lambda: "CO" in night.heard(), 60, "the county is told")
        took = TIMES.format(role="CO")
        await night.until(lambda: night.rows(took) != [(None,)], 60, "that is written down")
        assert night.rows(took)[0][0] == pytest.approx(AFTER_S["CO"], abs=LATE_S)
        await restart(night)
        await night.until(lambda: night.rows(SHELVED) == [(False,)], 60, "the shelf ends")
        assert night.clock.elapsed() - shelf >= SHELF_S - 0.1
        clock.set(-HOUR)
        await restart(night)
        await night.until(lambda: "CI" in night.heard(), 60, "the city is told")
        clock.set(0)
        await night.until(lambda: "PR" in night.heard(), 60, "the province is told")
        await night.until(night.settled, 60, "all is settled")
        night.check_told(set(ROLES))
        assert night.rows("SELECT number, colour, state FROM warning_case") == [(1, 2, "open")]
        assert broken_warnings(night.url) == []


@pytest.mark.soak
@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_step_that_stays_is_taken_over_and_said(shifted_nights, shifted, step):
    clock, _ = shifted
    after_s = AFTER_S | {"PR": STEP_LASTS_S + 10}
    async with shifted_nights(after_s=after_s) as night:
        await shelved_and_leaking(night)
        clock.set(step)
        said = "SELECT body->'system'->>'text' FROM outbox WHERE type = 'system'"
        await night.until(
            lambda: any("clock was set by" in text for (text,) in night.rows(said)),
            STEP_LASTS_S,
            "the step is said",
        )
        assert night.rows(SHELVED) == [(False,)]
        await night.until(lambda: "PR" in night.heard(), 60, "the province is told")
        night.check_told(set(ROLES))
