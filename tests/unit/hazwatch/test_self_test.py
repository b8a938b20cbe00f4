"""When the self-test counts as failed, and what its breaches leave; nobody sleeps."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from alerts.outgoing import Webhook
from domain.alarms import Kind, Notice, Priority, State, Transition
from domain.policy import node_priority
from domain.self_test import Pace, Standing, roots
from domain.site import read_site
from hazwatch.canary_notices import CanaryNotices
from hazwatch.metrics import SelfTestMetrics, WorkerMetrics
from hazwatch.self_test import SelfTest
from hazwatch.self_test_parts import pace_of, transition
from hazwatch.settings import Settings
from hazwatch.telling import Telling
from hazwatch.told_desks import ToldDesks
from storage.database import DatabaseAway, DatabaseOptions
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.self_test import PACE, TREE


def reference(outcomes: list[bool]) -> bool:
    """Whether it fails: the last two were missed, or more than a fifth of an hour's was, since when
    neither ten in a row have passed nor an hour."""
    often, lost, clean = False, list[int](), 0
    for number, came in enumerate(outcomes):
        lost = [one for one in lost if (number - one) * PACE.every_s < 3600]
        clean = clean + 1 if came else 0
        if not came:
            lost.append(number)
        elif clean >= 10:
            lost = []
        often = len(lost) > 12 or (often and bool(lost))
    return often or (len(outcomes) >= 2 and not any(outcomes[-2:]))


@given(st.lists(st.booleans(), max_size=150))
def test_two_in_a_row_are_a_failure_and_so_is_more_than_a_fifth_of_an_hour(outcomes: list[bool]):
    standing = Standing(0.0)
    for number, came in enumerate(outcomes):
        sent = number * PACE.every_s
        before = standing
        if came:
            standing = standing.passing(PACE, sent, at(sent))
        else:
            standing = standing.missing(PACE, sent, at(sent), "why")
        assert (standing.since is not None) is reference(outcomes[: number + 1])
        if before.since is not None and standing.since is not None:
            assert standing.since == before.since
        passed = max((n * PACE.every_s for n in range(number + 1) if outcomes[n]), default=0.0)
        for later in (sent, sent + PACE.within_s, sent + 200):
            assert standing.absent(PACE, later) is (later - passed > 130.0)


def test_every_other_breach_lost_for_an_hour_fails_and_ten_good_ones_end_it():
    standing = Standing(0.0)
    failing = 0
    for n in range(60):
        if n % 2:
            standing = standing.missing(PACE, n * 60.0, at(n * 60), "lost")
        else:
            standing = standing.passing(PACE, n * 60.0, at(n * 60))
        failing += standing.since is not None
    assert failing == 60 - 25
    assert standing.since == at(60)
    assert standing.reason == "30 within an hour have not come through, the last one: lost"
    for n in range(60, 70):
        assert standing.since is not None
        standing = standing.passing(PACE, n * 60.0, at(n * 60))
    assert standing.since is None
    assert standing.missing(PACE, 4200.0, at(4200), "lost").since is None


def test_a_failure_of_an_hour_goes_on_below_the_limit_until_ten_in_a_row_come_through():
    standing = Standing(0.0)
    for n in range(150):
        if n % 9 == 0 or (n < 30 and n % 2):
            standing = standing.missing(PACE, n * 60.0, at(n * 60), "lost")
        else:
            standing = standing.passing(PACE, n * 60.0, at(n * 60))
    assert len(standing.lost) == 7
    assert standing.since == START


def test_ten_that_are_stored_late_in_a_row_fail_and_one_in_time_ends_it():
    standing = Standing(0.0)
    for n in range(9):
        standing = standing.stored(PACE, at(60 * n), in_time=False)
    assert standing.since is None
    standing = standing.stored(PACE, at(540), in_time=False)
    assert standing.since == START
    assert "stored late 10 times in a row" in standing.reason
    assert standing.stored(PACE, at(600), in_time=True).since is None


def breach(event: str = "raise") -> Transition:
    """The canary's alarm, raised."""
    own = transition(TREE, START, START, failed=True, why="").alarm
    alarm = replace(own, kind=Kind.H, node=2, enterprise=2, priority=Priority.P4)
    return Transition(alarm, State.NORM, State.UNACK, event, START, None)


def test_a_breach_makes_one_notice_and_that_is_for_the_self_test_alone():
    hooks = (Webhook("https://h/x", frozenset(Priority)),)
    telling = Telling(hooks, ToldDesks(), WorkerMetrics(CollectorRegistry()))
    _, notices = telling.of(TREE, [breach(), breach("acknowledge")])
    assert [(one.channel, one.recipient) for one in notices] == [("self-test", "canary")]
    failed = transition(TREE, START, START, failed=True, why="")
    assert telling.of(TREE, [failed])[1] == []


async def test_a_notice_of_another_breach_is_not_taken_for_this_one():
    arrived, notice = CanaryNotices(), Notice(uuid4(), uuid4(), "self-test", "canary", {}, START)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(arrived.until(notice.occurrence))
        clock = ManualClock(START)
        await clock.advance(1)
        await arrived.send(replace(notice, occurrence=uuid4()))
        await clock.advance(1)
        assert not waiting.done()
        await arrived.send(notice)
    await arrived.until(notice.occurrence)


class Line:
    """Its every breach is heard, and ends."""

    def __init__(self) -> None:
        self.said: list[float] = []

    async def open(self) -> None:
        self.said.clear()

    def say(self, *samples: tuple[datetime, float]) -> None:
        self.said += [value for _, value in samples]

    async def hear(self, wanted: object) -> dict[str, Any]:
        return {"id": str(UUID(int=1)), "alarm": {"id": str(UUID(int=2))}}

    async def close(self) -> None:
        pass


class Gone:
    """A database that never answers."""

    async def run(self, work: object) -> object:
        raise DatabaseAway("away")


async def breaches(count: int, arrived: Callable[[UUID], Awaitable[None]]) -> Standing:
    """How it stands after so many while the database is away; two stored late are a failure."""
    clock, line = ManualClock(START), Line()
    book = SimpleNamespace(open=tuple, active=tuple)
    pump = SimpleNamespace(registry=TREE, book=book, act=tuple, condition=lambda *_: None)
    pace, database = Pace(60, 0.05, late=2), DatabaseOptions("postgresql://nowhere")
    metrics, forever = SelfTestMetrics(CollectorRegistry()), asyncio.Event().wait
    tested = cast(Any, SelfTest)(
        *(lambda: line, lambda: pump, pace, clock, database, metrics),
        *(lambda _: nullcontext(), forever, arrived),
    )
    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            once = tasks.create_task(tested.once(line, Gone()))
            while not once.done():
                await clock.advance(0.01)
            assert line.said == [0.0, 1.0, 0.0]
    found = tested.standing
    assert isinstance(found, Standing)
    return found


async def test_what_is_never_stored_passes_and_fails_after_a_while():
    async def at_once(_: UUID) -> None:
        pass

    standing = await breaches(1, at_once)
    assert (standing.missed, standing.late, standing.since) == (0, 1, None)
    standing = await breaches(2, at_once)
    assert standing.missed == 0
    assert standing.since == START
    assert "stored late" in standing.reason


async def test_a_breach_whose_notice_does_not_arrive_is_missed():
    async def never(_: UUID) -> None:
        await asyncio.Event().wait()

    standing = await breaches(2, never)
    assert standing.missed == 2
    assert standing.reason == "its notice does not come through the sender of notices"


def test_its_alarm_is_of_the_tree_of_people():
    assert roots(TREE) == [3]
    change = transition(TREE, START, at(9), failed=False, why="")
    assert (change.alarm.node, change.target) == (3, State.RTNUN)
    assert node_priority(Kind.SELF_TEST) is Priority.P2


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("[{code: hazwatch-self-test, kind: park, name: x}]", "reserved by the wire"),
        ("[{code: x, kind: self_test, name: x}]", "hazwatch's own self-test"),
    ],
)
def test_no_site_may_take_its_place(tree: str, said: str):
    with pytest.raises(Exception, match=said):
        read_site(f"tree: {tree}\nenterprises: []\n")


def test_the_numbers_of_the_settings_are_those_of_the_proposal():
    settings = Settings()
    assert Pace(settings.self_test_every_s, settings.self_test_within_s) == PACE
    assert pace_of(settings) == PACE


def test_a_minute_is_kept():
    assert timedelta(seconds=PACE.absent_after_s) == timedelta(seconds=130)
