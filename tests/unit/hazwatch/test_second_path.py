"""What the second path of the self-test says, to whom, and for how long; nobody sleeps."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import uuid4, uuid5
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from alerts.channels.channel import DeliveryError
from alerts.contacts import Book
from alerts.person_file import read_contacts
from domain.alarms import NAMESPACE, Notice
from domain.escalation import default
from domain.self_test import Standing
from hazwatch import doctor_settings
from hazwatch.metrics import SelfTestMetrics
from hazwatch.second_path import SecondPath
from hazwatch.self_test_parts import words
from hazwatch.settings import Settings
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.self_test import PACE, TREE


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
        self.path = SecondPath(
            *(lambda: self.standing, PACE, lambda: {"apprise": self.net}),
            *(self._words, self.clock, metrics),
        )

    def _words(self, since: datetime, now: datetime, failed: bool, why: str) -> Iterator[Notice]:
        for who in self.recipients:
            id = uuid5(NAMESPACE, f"{since}/{failed}/{who}")
            yield Notice(id, id, "apprise", f"json://{who}", {"failed": failed}, now)
        if not self.recipients:
            raise RuntimeError("a roster that cannot be asked")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Watching"]:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.path.watch())
            yield self
            self.path.__exit__()
            await self.wait(1)

    async def wait(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.5)):
            await self.clock.advance(0.5)


async def test_a_failure_is_tried_every_two_minutes_for_as_long_as_it_lasts():
    async with Watching().at_work() as here:
        await here.wait(3600)
        assert here.net.tries >= 30
        here.net.up = True
        await here.wait(121)
        assert here.net.got == ["True"]
        await here.wait(600)
        assert here.net.got == ["True"]


async def test_what_is_over_is_not_told_as_failing_any_more():
    async with Watching().at_work() as here:
        await here.wait(100)
        here.standing = Standing(0.0).passing(PACE, here.clock.elapsed(), here.clock.now())
        await here.wait(1)
        here.net.up = True
        await here.wait(120)
        assert here.net.got == ["False"]


async def test_who_comes_on_duty_while_it_fails_is_told_too():
    async with Watching().at_work() as here:
        here.net.up = True
        await here.wait(10)
        here.recipients = ["wang", "li"]
        await here.wait(121)
        assert here.net.got == ["True", "True"]


async def test_people_who_cannot_be_looked_up_do_not_end_the_second_path():
    async with Watching().at_work() as here:
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
channels = [
    {channel = "mqtt", address = "hw/v1/events/x"},
    {channel = "apprise", address = "json://wang"},
]

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
"""
DESK = """
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
    book = read_contacts(ROSTER + DESK, default(), ZoneInfo("UTC"), str)
    settings = Settings()
    found = list(words(settings, lambda: TREE, lambda: book)(START, at(1), True, "no broker"))
    assert [(one.person, one.channel, one.recipient, one.ways) for one in found] == [
        (None, "webhook", "https://desk.example.com", ()),
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
        ({}, DESK, False),
        ({"self_test_role": "CI"}, DESK, True),
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
