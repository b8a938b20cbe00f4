"""A worker's start from what the database has of the last one."""

import json
from datetime import datetime
from itertools import count

import pytest

from domain.frame import Flag
from domain.instant import micros, rfc3339
from hazwatch.restore import Restored, restore, together
from ingest.batch import Batch, Raw
from ingest.intake import Intake
from rules.compiling import compile_plan
from rules.state import RuleState
from storage import snapshots
from storage.database import DatabaseOptions, connect
from storage.registry import read_registry
from tests.support.builders import at
from tests.support.journaling import leased
from tests.support.seed import Seed

HOURS_8 = 8 * 3600


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
