"""What late data held is told once, whatever is judged again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.found import FoundAlarm, notice_of
from alerts.outgoing import Webhook
from domain.alarms import Alarm, Notice, OutboxEvent, Priority
from domain.frame import Lane
from domain.instant import micros
from storage.alarms import replace_replay
from storage.database import Connection, DatabaseOptions, connect
from storage.dirty import mark
from storage.found import note_found, tell_found
from storage.lease import Fence
from tests.support.builders import START, at
from tests.support.journaling import ask, leased, transition, unique
from tests.support.seed import Plant, Seed

HOOK = Webhook("http://desk", frozenset({Priority.P1}))


@pytest.fixture
def plant(timescale_url: str) -> Plant:
    return Seed(timescale_url).plant()


@pytest.fixture
async def conn(timescale_url: str):
    async with await connect(DatabaseOptions(timescale_url)) as connection:
        yield connection


@pytest.fixture
async def fence(timescale_url: str) -> Fence:
    return await leased(timescale_url)


def found_alarm(plant: Plant, second: float) -> Alarm:
    alarm = transition(plant, second).alarm
    return replace(alarm, id=unique(f"replay {second}"), lane=Lane.REPLAY, closed=at(900))


async def judged(conn: Connection, fence: Fence, plant: Plant, *seconds: float) -> None:
    """As the replay lane keeps the alarms of a range."""
    alarms = [found_alarm(plant, second) for second in seconds]
    tag = plant.tags[0][0]
    await replace_replay(conn, fence, tag, START, at(900), alarms)
    await note_found(conn, plant.enterprises[0], [alarm.id for alarm in alarms], at(900))


async def told(conn: Connection, fence: Fence, plant: Plant, second: float = 1000) -> list[Notice]:
    def tell(enterprise: int, found: Sequence[FoundAlarm]) -> tuple[OutboxEvent, list[Notice]]:
        return notice_of(plant.registry, enterprise, found, at(second), [HOOK])

    return await tell_found(conn, fence, at(second), tell)


async def events(conn: Connection) -> list[int]:
    """How many alarms each event of the stream tells of."""
    rows = await ask(conn, "SELECT (body -> 'system' ->> 'alarms')::int FROM outbox ORDER BY seq")
    return [int(str(row[0])) for row in rows]


async def test_a_backfill_is_told_once_when_all_of_it_is_judged(
    conn: Connection, fence: Fence, plant: Plant
):
    other = plant.tags[0][1]
    await mark(conn, [(other, micros(at(0)), micros(at(60)), micros(at(890)))])
    await judged(conn, fence, plant, 10, 20)
    assert await told(conn, fence, plant) == []
    await conn.execute("DELETE FROM dirty_range")
    (notice,) = await told(conn, fence, plant)
    assert await events(conn) == [2]
    assert await ask(conn, "SELECT id FROM notice") == [(notice.id,)]
    await judged(conn, fence, plant, 10, 20)
    assert await told(conn, fence, plant) == []
    await judged(conn, fence, plant, 10, 20, 30)
    assert len(await told(conn, fence, plant)) == 1
    assert await events(conn) == [2, 1]


async def test_data_that_never_stop_being_late_delay_it_by_a_quarter_of_an_hour(
    conn: Connection, fence: Fence, plant: Plant
):
    await mark(conn, [(plant.tags[0][1], micros(at(0)), micros(at(60)), micros(at(890)))])
    await judged(conn, fence, plant, 10)
    assert await told(conn, fence, plant, 900 + 899) == []
    assert len(await told(conn, fence, plant, 900 + 901)) == 1


async def test_what_a_later_judgement_takes_back_is_not_told(
    conn: Connection, fence: Fence, plant: Plant
):
    await judged(conn, fence, plant, 10)
    await judged(conn, fence, plant)
    assert await told(conn, fence, plant) == []
    assert await ask(conn, "SELECT * FROM found_afterwards") == []


async def test_who_fails_in_between_tells_it_all_the_same(
    conn: Connection, fence: Fence, plant: Plant
):
    await judged(conn, fence, plant, 10)
    with pytest.raises(ZeroDivisionError):
        await tell_found(conn, fence, at(1000) + timedelta(0), lambda *_: 1 / 0)  # type: ignore[arg-type]
    assert await events(conn) == []
    assert len(await told(conn, fence, plant)) == 1
