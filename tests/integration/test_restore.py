"""A worker's start from what the database has of the last one."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from prometheus_client import CollectorRegistry
from psycopg.types.json import Jsonb

from alerts.book import NOT_JUDGED
from domain.alarms import Alarm, Kind, State
from domain.frame import Flag
from domain.instant import micros, rfc3339
from domain.modes import Kept
from hazwatch.parts import Parts
from hazwatch.restore import Restored, restore, together
from hazwatch.settings import Settings
from hazwatch.stance import Stance
from ingest.batch import Batch, Raw
from ingest.intake import Intake
from rules.compiling import compile_plan
from rules.state import RuleState
from storage import snapshots
from storage.database import DatabaseOptions, connect
from storage.registry import read_registry
from tests.support.builders import at
from tests.support.clock import ManualClock
from tests.support.journaling import leased
from tests.support.seed import Seed

HOURS_8 = 8 * 3600
UNSOUND = '{"delay_on_s": 1e11}'
"""Longer than any delay may be."""


class Told:
    """A gateway with a sound `sent` whose samples carry times of 8 hours ago."""

    def __init__(self) -> None:
        self._stamp = count(micros(at(0)))

    def say(self, intake: Intake, second: float, *, late: float = 0.0) -> Batch:
        time = rfc3339(at(second - late - HOURS_8))
        told = {
            "boot": "b",
            "seq": int(second),
            "sent": rfc3339(at(second)),
            "samples": [{"time": time, "values": {"LI101": 1.0}}],
        }
        message = Raw("hw/v1/p1/e1/g1/data", json.dumps(told).encode(), arrived=micros(at(second)))
        (batch,) = intake.take([message], lambda: next(self._stamp))
        return batch


async def restored(url: str, body: bytes, stamp: int, when: datetime) -> Restored:
    fence = await leased(url)
    async with await connect(DatabaseOptions(url)) as conn:
        await snapshots.save(conn, fence, stamp, body, when)
        return await restore(conn, "main", when)


@pytest.mark.parametrize("form", ["together", "of an earlier release", "with broken clocks"])
async def test_a_gateway_with_old_times_is_judged_on_after_a_restart(database_url: str, form: str):
    Seed(database_url).plant()
    async with await connect(DatabaseOptions(database_url)) as conn:
        registry = await read_registry(conn)
    plan, told = compile_plan(registry), Told()
    state, intake = RuleState.fresh(plan, micros(at(0))), Intake(registry)
    before = [told.say(intake, second) for second in range(5)]
    assert [one.frame.flags.tolist() for one in before] == [[Flag.AT_RECEIVED]] * 5
    engine = state.to_bytes(plan)
    body = {
        "together": together(engine, intake.snapshot()),
        "of an earlier release": engine,
        "with broken clocks": together(engine, b"?"),
    }[form]
    found = await restored(database_url, body, before[-1].frame.received, at(5))
    known = Flag.HISTORY if form == "together" else Flag.NONE
    late = told.say(found.intake, 5.0, late=2.0)
    assert late.frame.flags.tolist() == [Flag.AT_RECEIVED | known]
    assert told.say(found.intake, 6.0).frame.flags.tolist() == [Flag.AT_RECEIVED]


async def test_a_start_with_a_tag_that_cannot_be_judged_keeps_its_alarm_until_it_can(
    database_url: str,
):
    seed = Seed(database_url)
    plant = seed.plant()
    level, gas = plant.tags[0]
    for tag in (level, gas):
        seed.raised(plant, tag)
    with seed.connection() as connection:
        before = connection.execute("SELECT spec FROM tag WHERE id = %s", (level,)).fetchone()
        assert before is not None
        spoil = "UPDATE tag SET spec = spec || %s::jsonb WHERE id = %s"
        connection.execute(spoil, (UNSOUND, level))
    async with await connect(DatabaseOptions(database_url)) as conn:
        found = await restore(conn, "main", at(60))
        assert set(found.unjudged.tags) == {level}
        assert set(found.registry.tags) > {level}
        assert level not in found.plan.tags.tolist()
        assert set(found.registry.unjudged) == {level}
    alarms = settled(found)
    assert alarms[level].state is State.UNACK
    assert alarms[level].reason.startswith(NOT_JUDGED)
    assert "delay_on_s" in alarms[level].reason
    assert (alarms[gas].state, alarms[gas].reason) == (State.UNACK, "")
    with seed.connection() as connection:
        connection.execute("UPDATE tag SET spec = %s WHERE id = %s", (Jsonb(before[0]), level))
    async with await connect(DatabaseOptions(database_url)) as conn:
        found = await restore(conn, "main", at(120))
    assert not found.unjudged
    alarms = settled(replace(found, known=list(alarms.values())))
    assert (alarms[level].state, alarms[level].reason) == (State.UNACK, "")


async def test_modes_and_what_is_kept_against_them_outlive_a_restart(database_url: str):
    plant = Seed(database_url).plant()
    source, (level, _) = plant.sources[0], plant.tags[0]
    state = RuleState.fresh(compile_plan(plant.registry), micros(at(0)))
    engine, intake = state.to_bytes(compile_plan(plant.registry)), Intake(plant.registry).snapshot()
    stance = Stance({source: "empty"}, Kept({level: {Kind.H: 8.0}}))
    found = await restored(
        database_url, together(engine, intake, stance.to_bytes()), micros(at(0)), at(5)
    )
    assert (found.modes, found.kept) == (stance.modes, stance.kept)


def settled(found: Restored) -> dict[int, Alarm]:
    """The open occurrences by tag, once a pump has settled."""
    clock = ManualClock(at(120))
    pump = Parts(Settings(), clock, CollectorRegistry()).pump(found, timedelta, lambda _: None)
    pump.settle(found.findings, found.said)
    return {alarm.tag or 0: alarm for alarm in pump.book.open()}
