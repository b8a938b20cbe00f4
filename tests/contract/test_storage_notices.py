"""Notices of people in the tables: channels, attempts, hand-overs, and what a restart finds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from prometheus_client import CollectorRegistry

from alerts.outgoing import PERMIT_HOLDER, Delivery, Outgoing
from domain.alarms import Notice
from domain.cases import Case
from domain.clock import Clock, SystemClock
from domain.risk import Colour
from hazwatch.deliveries import record
from hazwatch.messenger import Messenger
from hazwatch.metrics import WorkerMetrics
from hazwatch.recorded import Recorded
from storage import notices
from storage.database import Connection, DatabaseOptions, connect
from tests.support.builders import at
from tests.support.casework import Casework
from tests.support.clock import ManualClock
from tests.support.journaling import ask, notice, said, transition, unique
from tests.support.seed import Plant, Seed
from tests.support.telling import Line

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
    assert await said(conn, one, "delivered", 62)
    assert await record(conn, [(Delivery(heir, 0, None, None, True, heirs=(one,)), at(63))])
    assert await notices.due_notices(conn, at(99)) == []


async def test_an_heir_that_is_named_twice_is_told_once(conn: Connection, plant: Plant):
    one, heir = of_person(plant, "zhang"), of_person(plant, "li")
    await notices.insert_notices(conn, [one])
    assert await record(conn, [(Delivery(one, 0, None, None, True, heirs=(heir, heir)), at(60))])
    assert [due.notice for due in await notices.due_notices(conn, at(99))] == [heir]


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


async def test_results_of_one_time_are_kept_in_their_order_and_no_odd_word_stops_the_others(
    conn: Connection, plant: Plant
):
    """One statement keeps many: the same notice twice, an heir's result after the hand-over."""
    one, other, heir = (of_person(plant, code) for code in ("zhang", "wang", "li"))
    await notices.insert_notices(conn, [one, other])
    held = Delivery(one, 0, None, 600.0, held_s=600.0)
    made = [
        held,
        Delivery(other, 1, "odd \x00 word \ud800", 30.0),
        Delivery(one, 0, None, None, True, heirs=(heir,)),
        Delivery(heir, 1, "refused", None),
        Delivery(other, 2, None, None),
        Delivery(other, 2, "late", 30.0),
    ]
    results = [(result, at(second)) for second, result in enumerate(made)]
    assert await record(conn, results) == [True] * len(made)
    rows = await ask(
        conn,
        "SELECT person, attempts, due, error, delivered, failed, withdrawn FROM notice"
        " ORDER BY person",
    )
    assert rows == [
        ("li", 1, at(1), "refused", None, at(3), None),
        ("wang", 2, at(31), None, at(4), None, None),
        ("zhang", 0, at(600), None, None, None, at(2)),
    ]
    kept = await ask(conn, "SELECT outcome, error FROM notice_attempt ORDER BY at")
    assert kept == [
        ("held", None),
        ("failed", "odd \ufffd word ?"),
        ("handed over", "to li"),
        ("given up", "refused"),
        ("delivered", None),
        ("failed", "late"),
    ]


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


@asynccontextmanager
async def messaging(url: str, line: Line, clock: Clock) -> AsyncIterator[Messenger]:
    """A worker's messenger, started on what the database has; then it is killed."""
    metrics = WorkerMetrics(CollectorRegistry())
    options, channels = DatabaseOptions(url), {"mqtt": line, "webhook": line}
    messenger = Messenger(channels, lambda _: True, lambda: True, clock, options, metrics)
    async with await connect(options) as connection:
        await messenger.load(connection)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(messenger.run())
        yield messenger
        running.cancel()


def of_hot_work(case: Case, plant: Plant, code: str) -> Notice:
    body: dict[str, object] = {"type": "warning", "role": PERMIT_HOLDER, "permit": "p"}
    made = of_person(plant, code)
    return replace(made, occurrence=case.id, body=body, step=None)


@pytest.mark.parametrize("what", ["hot work", "rung", "rise"])
async def test_what_arrived_before_a_restart_is_not_sent_again_by_the_next_worker(
    conn: Connection, plant: Plant, database_url: str, what: str
):
    """It finds the same hot work near gas, or the same relief, and makes the same notices."""
    case = await Casework(database_url, plant).see(plant.sources[0], Colour.ORANGE)
    await conn.execute("DELETE FROM notice")
    known, late = (of_hot_work(case, plant, code) for code in ("zhang", "li"))
    if what != "hot work":
        body: dict[str, object] = {"role": "OP"} if what == "rung" else {"reason": "risen"}
        step = 1 if what == "rung" else None
        known, late = (replace(one, step=step, body=body) for one in (known, late))
    await notices.insert_notices(conn, [known, late])
    await record(conn, [(Delivery(known, 1, None, None), at(2))])
    clock = ManualClock(at(10))
    line = Line(clock)
    async with messaging(database_url, line, clock) as messenger:
        messenger.add([known, late])
        await clock.advance(5)
    assert [one.person for _, one, _ in line.tried] == ["li"]


async def test_what_arrived_of_a_case_that_is_closed_is_not_read_at_a_start(
    conn: Connection, plant: Plant, database_url: str
):
    case = await Casework(database_url, plant).see(plant.sources[0], Colour.ORANGE)
    known = of_hot_work(case, plant, "zhang")
    await notices.insert_notices(conn, [known])
    await record(conn, [(Delivery(known, 1, None, None), at(2))])
    assert await notices.arrived(conn, 10) == [known.id]
    await conn.execute("UPDATE warning_case SET closed = %s, state = 'closed'", (at(60),))
    assert await notices.arrived(conn, 10) == []


async def test_that_a_console_leaves_an_alarm_is_not_told_again_after_a_restart(
    conn: Connection, plant: Plant, database_url: str
):
    alarm = Seed(database_url).raised(plant, plant.tags[0][1])
    body: dict[str, object] = {"type": "alarm", "reason": "unacknowledged"}
    known = replace(
        of_person(plant, "zhang"), id=unique("sm"), occurrence=alarm.id, step=None, body=body
    )
    await notices.insert_notices(conn, [known])
    assert await notices.arrived(conn, 10) == []
    await record(conn, [(Delivery(known, 1, None, None), at(2))])
    assert await notices.arrived(conn, 10) == [known.id]
    await conn.execute("UPDATE alarm SET state = 'NORM', closed = onset, reason = 'test'")
    assert await notices.arrived(conn, 10) == []


def of_two_roles(plant: Plant) -> list[Notice]:
    """What one person gets of two rungs of one instant."""
    said = {"reason": "opened", "duty": "receive", "colour": "red", "text": "红色预警"}
    made = of_person(plant, "zhang")
    return [
        replace(
            made,
            id=unique(role),
            step=step,
            body=said | {"role": role, "role_name": role, "step": step},
        )
        for step, role in enumerate(("OP", "SM"), start=1)
    ]


async def test_a_joined_notice_that_a_kill_left_unwritten_comes_again_as_one_with_the_same_id(
    conn: Connection, plant: Plant, database_url: str
):
    await notices.insert_notices(conn, of_two_roles(plant))
    sent = []
    for _ in range(2):
        clock = ManualClock(at(10))
        line = Line(clock)
        async with messaging(database_url, line, clock):
            await clock.settle()  # sent, and killed before the results are written down
        sent += [one for _, one, _ in line.tried]
        assert await ask(conn, "SELECT count(delivered) FROM notice") == [(0,)]
    first, second = sent
    assert first.id == second.id
    assert first.body["roles"] == ["OP", "SM"]
    assert second.body["notices"] == first.body["notices"]


async def test_every_row_of_a_joined_notice_says_that_it_was_delivered(
    conn: Connection, plant: Plant, database_url: str
):
    await notices.insert_notices(conn, of_two_roles(plant))
    clock = SystemClock()
    line = Line(ManualClock(at(10)))
    async with asyncio.timeout(30), messaging(database_url, line, clock):
        while await ask(conn, "SELECT count(delivered) FROM notice") != [(2,)]:
            await clock.sleep(0.02)
    assert len(line.tried) == 1
    rows = await ask(
        conn,
        "SELECT n.step, n.attempts, a.outcome, a.channel FROM notice n"
        " JOIN notice_attempt a ON a.notice = n.id ORDER BY n.step",
    )
    assert rows == [(step, 1, "delivered", "mqtt") for step in (1, 2)]


def of_alarm(plant: Plant, event: str, second: float, n: int = 1) -> Notice:
    body: dict[str, object] = {
        "type": "alarm",
        "transition": {"event": event, "n": n},
        "alarm": {"priority": "P2", "tag": "7", "kind": "H"},
    }
    occurrence = unique("occurrence")
    made = replace(notice(transition(plant, second)), id=unique((event, n)), occurrence=occurrence)
    return replace(made, channel="webhook", recipient=WAYS[1][1], body=body, created=at(second))


async def test_a_return_does_not_overtake_its_raise_that_is_put_off_over_a_restart(
    conn: Connection, plant: Plant, database_url: str
):
    raised, back = of_alarm(plant, "raise", 1), of_alarm(plant, "return", 2)
    await notices.insert_notices(conn, [raised, back])
    await record(conn, [(Delivery(raised, 1, "refused", 30.0), at(2))])
    clock = ManualClock(at(10))
    line = Line(clock)
    async with messaging(database_url, line, clock):
        await clock.advance(5)
    assert [one.id for _, one, _ in line.tried] == [raised.id, back.id]


async def test_what_happened_at_one_instant_keeps_its_order_over_a_restart(
    conn: Connection, plant: Plant, database_url: str
):
    """All changes of one message have the same time."""
    events = ["raise", "return"] * 4
    made = [of_alarm(plant, event, 1, n) for n, event in enumerate(events, 1)]
    await notices.insert_notices(conn, made)
    clock = ManualClock(at(10))
    line = Line(clock)
    async with messaging(database_url, line, clock):
        await clock.advance(1)
    assert [one.id for _, one, _ in line.tried] == [one.id for one in made]
