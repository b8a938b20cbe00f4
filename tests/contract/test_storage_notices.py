"""Notices of people in the tables: channels, attempts, hand-overs, and what a restart finds."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from alerts.outgoing import Delivery, Outgoing
from domain.alarms import Notice
from hazwatch.deliveries import record
from hazwatch.recorded import Recorded
from storage import notices
from storage.database import Connection, DatabaseOptions, connect
from tests.support.builders import at
from tests.support.clock import ManualClock
from tests.support.journaling import ask, notice, transition, unique
from tests.support.seed import Plant, Seed

pytestmark = pytest.mark.database
WAYS = (("mqtt", "hw/v1/events/x"), ("webhook", "https://example.org/zhang"))


@pytest.fixture
def plant(database_url: str) -> Plant:
    return Seed(database_url).plant()


@pytest.fixture
async def conn(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as connection:
        yield connection


def of_person(plant: Plant, code: str, second: float = 1) -> Notice:
    plain = notice(transition(plant, second))
    body: dict[str, object] = {"colour": "red", "person": code}
    return replace(
        plain, id=unique(code), channel="mqtt", recipient=WAYS[0][1], body=body, step=1,
        person=code, ways=WAYS,
    )  # fmt: skip


async def test_a_person_s_notice_comes_back_with_all_his_channels(conn: Connection, plant: Plant):
    one = of_person(plant, "zhang")
    await notices.insert_notices(conn, [one])
    assert await notices.due_notices(conn, at(2)) == [notices.DueNotice(one, 0)]


async def test_every_attempt_is_kept_once_and_the_notice_says_the_newest(
    conn: Connection, plant: Plant
):
    one = of_person(plant, "zhang")
    await notices.insert_notices(conn, [one])
    outgoing, results, now = Outgoing(), list[tuple[Delivery, datetime]](), 0.0
    outgoing.put(one, now)
    for number in range(5):
        (taken,) = outgoing.take(now)
        ended = outgoing.sent(taken) if number == 4 else outgoing.failed(taken, "503", now)
        results.append((ended, at(now)))
        now += ended.retry_s or 0.001
    assert await record(conn, results) == [True] * 5
    assert await record(conn, results[:1]) == [True]
    rows = await ask(
        conn, "SELECT at, outcome, channel, rank, error FROM notice_attempt ORDER BY at"
    )
    assert rows == [
        (at(0), "failed", "mqtt", 0, "503"),
        (at(30), "failed", "mqtt", 0, "503"),
        (at(90), "failed", "mqtt", 0, "503"),
        (at(210), "failed", "mqtt", 0, "503"),
        (at(210.001), "delivered", "webhook", 1, None),
    ]
    state = await ask(conn, "SELECT attempts, delivered IS NOT NULL, rank FROM notice")
    assert state == [(5, True, 1)]


async def test_a_hand_over_closes_one_and_opens_the_other_and_back(conn: Connection, plant: Plant):
    one, heir = of_person(plant, "zhang"), of_person(plant, "li")
    await notices.insert_notices(conn, [one])
    assert await record(conn, [(Delivery(one, 1, None, None, True, heirs=(heir,)), at(60))])
    assert [due.notice for due in await notices.due_notices(conn, at(99))] == [heir]
    assert await record(conn, [(Delivery(heir, 0, None, None, True, heirs=(one,)), at(61))])
    assert [due.notice for due in await notices.due_notices(conn, at(99))] == [one]
    rows = await ask(conn, "SELECT outcome, error FROM notice_attempt ORDER BY at")
    assert rows == [("handed over", "to li"), ("handed over", "to zhang")]
    await notices.delivered(conn, one.id, at(62))
    assert await notices.handed_over(conn, heir.id, at(63), [one])
    assert await notices.due_notices(conn, at(99)) == []


async def test_what_is_held_stays_open_until_its_time(conn: Connection, plant: Plant):
    one = of_person(plant, "zhang")
    await notices.insert_notices(conn, [one])
    assert await record(conn, [(Delivery(one, 0, None, 600.0, held_s=600.0), at(2))])
    assert await notices.due_notices(conn, at(601)) == []
    assert await notices.due_notices(conn, at(602)) == [notices.DueNotice(one, 0)]


async def test_a_result_of_a_notice_that_is_still_in_the_spool_is_not_taken(
    conn: Connection, plant: Plant
):
    one, other = of_person(plant, "zhang"), of_person(plant, "li")
    await notices.insert_notices(conn, [other])
    sent = [(Delivery(here, 1, None, None), at(1)) for here in (one, other)]
    assert await record(conn, sent) == [False, True]
    assert await ask(conn, "SELECT notice FROM notice_attempt") == [(other.id,)]


async def test_a_recorded_decision_is_seen_before_it_is_applied(
    conn: Connection, plant: Plant, database_url: str
):
    recorded = Recorded(DatabaseOptions(database_url))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(recorded.run())
        assert await recorded.targets() == frozenset()
        await conn.execute(
            "INSERT INTO operator_action (id, key, by, verb, target, enterprise, requested_at)"
            " VALUES (%s, 'k', 'li', 'receive', %s, %s, %s)",
            (unique("a"), unique("case"), plant.enterprises[0], at(1)),
        )
        assert (
            await asyncio.gather(*(recorded.targets() for _ in range(50)))
            == [frozenset({unique("case")})] * 50
        )
        await conn.execute("UPDATE operator_action SET done_at = %s", (at(2),))
        assert await recorded.targets() == frozenset()
        running.cancel()


async def test_a_process_that_stood_still_asks_once_more_for_the_database_was_not_away(
    conn: Connection, plant: Plant, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    await conn.execute(
        "INSERT INTO operator_action (id, key, by, verb, target, enterprise, requested_at)"
        " VALUES (%s, 'k', 'li', 'receive', %s, %s, %s)",
        (unique("a"), unique("case"), plant.enterprises[0], at(1)),
    )
    recorded, loop = Recorded(DatabaseOptions(database_url)), asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(recorded.targets())
        await ManualClock(at(0)).settle()
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + 10)
        await ManualClock(at(0)).settle()
        running = tasks.create_task(recorded.run())
        assert await asking == {unique("case")}
        running.cancel()


async def test_while_the_database_is_away_nobody_waits_for_decisions():
    recorded = Recorded(DatabaseOptions("postgresql://nobody@127.0.0.1:1/none"))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(recorded.run())
        assert [await recorded.targets() for _ in range(20)] == [frozenset()] * 20
        running.cancel()
