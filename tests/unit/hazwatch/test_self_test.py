"""When the self-test counts as failed, and what its second path says; nobody sleeps."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from alerts.channels.channel import DeliveryError
from alerts.contacts import Book
from alerts.person_file import read_contacts
from domain.alarms import NAMESPACE, Kind, Notice, Priority, State
from domain.escalation import default
from domain.plant import Node, Registry
from domain.policy import node_priority
from domain.self_test import NODE_KIND, Pace, Standing, roots
from domain.site import read_site
from hazwatch import doctor_settings
from hazwatch.metrics import SelfTestMetrics
from hazwatch.second_path import SecondPath
from hazwatch.self_test_parts import transition, words
from hazwatch.settings import Settings
from tests.support.builders import START, at
from tests.support.clock import ManualClock

PACE = Pace(60, 10)
TREE = Registry(
    1,
    {
        1: Node(1, None, NODE_KIND, "hazwatch-self-test", "自检"),
        2: Node(2, 1, NODE_KIND, "canary", "自检", enterprise=2),
        3: Node(3, None, "province", "gansu", "甘肃省"),
        4: Node(4, 3, "park", "p1", "园区"),
    },
    (),
    {},
)


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


def test_ten_that_are_stored_late_in_a_row_fail_and_one_in_time_ends_it():
    standing = Standing(0.0)
    for n in range(9):
        standing = standing.stored(PACE, at(60 * n), in_time=False)
    assert standing.since is None
    standing = standing.stored(PACE, at(540), in_time=False)
    assert standing.since == START
    assert "stored late 10 times in a row" in standing.reason
    assert standing.stored(PACE, at(600), in_time=True).since is None


class Path:
    """A second path without its thread."""

    def __init__(self) -> None:
        self.standing = Standing(0.0)
        self.said: list[tuple[datetime, bool, str]] = []
        self.metrics = SelfTestMetrics(CollectorRegistry())
        self.path = SecondPath(
            lambda: self.standing, PACE, dict, self._words, ManualClock(START), self.metrics
        )

    def _words(self, since: datetime, now: datetime, failed: bool, why: str) -> Iterator[Notice]:
        self.said.append((since, failed, why))
        yield Notice(uuid4(), uuid4(), "webhook", "https://example.com", {}, now)

    def look(self, elapsed: float) -> list[tuple[datetime, bool, str]]:
        self.said.clear()
        self.path.look(elapsed, at(elapsed))
        return list(self.said)


def test_a_failure_is_told_once_and_its_end_once():
    path = Path()
    path.standing = path.standing.passing(PACE, 0.0, START)
    assert path.look(60) == []
    path.standing = path.standing.missing(PACE, 60.0, at(60), "no broker")
    assert path.look(70) == []
    path.standing = path.standing.missing(PACE, 120.0, at(120), "no broker")
    assert path.look(130) == [(at(60), True, "no broker")]
    assert path.look(131) == []
    standing = path.standing.missing(PACE, 180.0, at(180), "no broker")
    path.standing = standing.passing(PACE, 240.0, at(240))
    assert path.look(241) == [(at(60), False, "")]
    assert path.look(242) == []


def test_a_worker_that_says_nothing_at_all_is_told_too():
    path = Path()
    assert path.look(130) == []
    [(since, failed, why)] = path.look(130.5)
    assert (since, failed) == (at(130.5), True)
    assert "no breach has come back" in why
    path.standing = Standing(0.0).passing(PACE, 300.0, at(300))
    assert path.look(300.5)[0][:2] == (at(130.5), False)


FAILED = Standing(0.0).missing(PACE, 0.0, START, "x").missing(PACE, 60.0, at(60), "x")


class Net:
    """A channel behind a network that is away until it is `up`."""

    def __init__(self) -> None:
        self.up = False
        self.tries = 0
        self.got: list[str] = []

    async def send(self, notice: Notice) -> None:
        self.tries += 1
        if not self.up:
            raise DeliveryError("network down")
        self.got.append(str(notice.body["failed"]))


class Watching:
    """A second path at work on simulated time; `recipients` are those it has to tell."""

    def __init__(self) -> None:
        self.clock, self.net = ManualClock(START), Net()
        self.standing, self.recipients = FAILED, ["wang"]
        metrics = SelfTestMetrics(CollectorRegistry())
        channels = lambda: {"apprise": self.net}  # noqa: E731
        self.path = SecondPath(
            lambda: self.standing, PACE, channels, self._words, self.clock, metrics
        )

    def _words(self, since: datetime, now: datetime, failed: bool, why: str) -> Iterator[Notice]:
        for who in self.recipients:
            id = uuid5(NAMESPACE, f"{since}/{failed}/{who}")
            yield Notice(id, id, "apprise", f"json://{who}", {"failed": failed}, now)
        if not self.recipients:
            raise RuntimeError("a roster that cannot be asked")

    async def __aenter__(self) -> "Watching":
        self._task = asyncio.create_task(self.path.watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.path.__exit__()
        await self.wait(1)
        await self._task

    async def wait(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.5)):
            await self.clock.advance(0.5)


async def test_a_failure_is_tried_every_two_minutes_for_as_long_as_it_lasts():
    async with Watching() as here:
        await here.wait(3600)
        assert here.net.tries >= 30
        here.net.up = True
        await here.wait(121)
        assert here.net.got == ["True"]
        await here.wait(600)
        assert here.net.got == ["True"]


async def test_what_is_over_is_not_told_as_failing_any_more():
    async with Watching() as here:
        await here.wait(100)
        here.standing = Standing(0.0).passing(PACE, here.clock.elapsed(), here.clock.now())
        await here.wait(1)
        here.net.up = True
        await here.wait(60)
        assert here.net.got == ["False"]


async def test_who_comes_on_duty_while_it_fails_is_told_too():
    async with Watching() as here:
        here.net.up = True
        await here.wait(10)
        here.recipients = ["wang", "li"]
        await here.wait(121)
        assert here.net.got == ["True", "True"]


async def test_people_who_cannot_be_looked_up_do_not_end_the_second_path():
    async with Watching() as here:
        here.net.up = True
        here.recipients = []
        await here.wait(10)
        here.recipients = ["wang"]
        await here.wait(121)
        assert here.net.got == ["True"]


ROSTER = """
[[person]]
code = "wang"
name = "王芳"
channels = [{channel = "mqtt", address = "hw/v1/events/x"}, {channel = "apprise", address = "json://wang"}]

[[person]]
code = "li"
name = "李明"
channels = [{channel = "mqtt", address = "hw/v1/events/y"}]

[[duty]]
role = "PK"
node = "a-park-that-is-nowhere"
persons = ["wang", "li"]

[[duty]]
role = "PK"
node = "p1"
persons = ["wang"]

[[contact]]
role = "PK"
node = "p1"
channel = "webhook"
address = "https://desk.example.com"

[[contact]]
role = "OP"
node = "p1"
channel = "webhook"
address = "https://op.example.com"
"""


def test_those_who_hold_the_role_anywhere_are_told_each_once_without_a_broker():
    book = read_contacts(ROSTER, default(), ZoneInfo("UTC"), str)
    settings = Settings()
    found = list(words(settings, lambda: TREE, lambda: book)(START, at(1), True, "no broker"))
    assert [(one.person, one.channel, one.recipient, one.ways) for one in found] == [
        (None, "webhook", "https://desk.example.com", (("webhook", "https://desk.example.com"),)),
        ("wang", "apprise", "json://wang", (("apprise", "json://wang"),)),
    ]
    assert found[1].body["language"] == "zh-CN"
    assert len({one.id for one in found}) == 2
    other = Settings(self_test_role="CI")
    assert list(words(other, lambda: TREE, lambda: book)(START, at(1), True, "")) == []


@pytest.mark.parametrize(
    ("given", "contacts", "warned"),
    [
        ({}, "", True),
        ({}, ROSTER, False),
        ({"self_test_role": "CI"}, ROSTER, True),
        ({"webhooks": "https://h/x"}, "", False),
        ({"webhooks": "https://h/x", "webhook_priorities": "P1"}, "", True),
        ({"self_test": False}, "", False),
    ],
)
def test_the_doctor_warns_where_a_failed_self_test_reaches_nobody(
    tmp_path, given, contacts, warned
):
    file = tmp_path / "contacts.toml"
    file.write_text(contacts, "utf-8")
    settings = Settings(**{"self_test": True, "contacts_file": file, **given})
    found = [one for one in doctor_settings.look(settings, {}) if one.check == "self-test"]
    assert [one.outcome for one in found] == ["warning"] * warned


@pytest.mark.parametrize(("priorities", "count"), [("P1,P2", 2), ("P1", 0)])
def test_webhooks_that_want_this_priority_get_an_alarm_that_is_marked(priorities, count):
    hooks = "https://a.example.com,https://b.example.com"
    settings = Settings(webhooks=hooks, webhook_priorities=priorities)
    found = list(words(settings, lambda: TREE, Book)(START, at(1), True, "no broker"))
    assert len({notice.id for notice in found}) == len(found) == count
    for notice in found:
        alarm = notice.body["alarm"]
        assert isinstance(alarm, dict)
        assert notice.body["self_test"] is True
        assert (alarm["kind"], alarm["priority"]) == ("SELF_TEST", "P2")
        assert "no broker" in alarm["text"]
    again = list(words(settings, lambda: TREE, Book)(START, at(2), True, "no broker"))
    assert [notice.id for notice in again] == [notice.id for notice in found]


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


def test_a_minute_is_kept():
    assert timedelta(seconds=PACE.absent_after_s) == timedelta(seconds=130)
