"""When the self-test counts as failed, and what its second path says; nobody sleeps."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from domain.alarms import Kind, Notice, Priority, State
from domain.plant import Node, Registry
from domain.policy import node_priority
from domain.self_test import NODE_KIND, Pace, Standing, roots
from domain.site import read_site
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
    """Whether the last two were missed."""
    return len(outcomes) >= 2 and not any(outcomes[-2:])


@given(st.lists(st.booleans(), max_size=40))
def test_two_in_a_row_are_a_failure_and_the_first_that_comes_through_ends_it(
    outcomes: list[bool],
):
    standing = Standing(0.0)
    for number, came in enumerate(outcomes):
        sent = number * PACE.every_s
        before = standing
        standing = standing.passing(sent, at(sent)) if came else standing.missing(at(sent), "why")
        assert (standing.since is not None) is reference(outcomes[: number + 1])
        if before.since is not None and not came:
            assert standing.since == before.since
        passed = max((n * PACE.every_s for n in range(number + 1) if outcomes[n]), default=0.0)
        for later in (sent, sent + PACE.within_s, sent + 200):
            assert standing.absent(PACE, later) is (later - passed > 130.0)
    if standing.since is not None:
        row = next((n for n in reversed(range(len(outcomes))) if outcomes[n]), -1) + 1
        assert standing.since == at(row * PACE.every_s)


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
    path.standing = path.standing.passing(0.0, START)
    assert path.look(60) == []
    path.standing = path.standing.missing(at(60), "no broker")
    assert path.look(70) == []
    path.standing = path.standing.missing(at(120), "no broker")
    assert path.look(130) == [(at(60), True, "no broker")]
    assert path.look(131) == []
    path.standing = path.standing.missing(at(180), "no broker").passing(240.0, at(240))
    assert path.look(241) == [(at(60), False, "")]
    assert path.look(242) == []


def test_a_worker_that_says_nothing_at_all_is_told_too():
    path = Path()
    assert path.look(130) == []
    [(since, failed, why)] = path.look(130.5)
    assert (since, failed) == (at(130.5), True)
    assert "no breach has come back" in why
    path.standing = Standing(0.0).passing(300.0, at(300))
    assert path.look(300.5)[0][:2] == (at(130.5), False)


@pytest.mark.parametrize(("priorities", "count"), [("P1,P2", 2), ("P1", 0)])
def test_webhooks_that_want_this_priority_get_an_alarm_that_is_marked(priorities, count):
    hooks = "https://a.example.com,https://b.example.com"
    settings = Settings(webhooks=hooks, webhook_priorities=priorities)
    found = list(words(settings, lambda: TREE)(START, at(1), True, "no broker"))
    assert len({notice.id for notice in found}) == len(found) == count
    for notice in found:
        alarm = notice.body["alarm"]
        assert isinstance(alarm, dict)
        assert notice.body["self_test"] is True
        assert (alarm["kind"], alarm["priority"]) == ("SELF_TEST", "P2")
        assert "no broker" in alarm["text"]
    again = list(words(settings, lambda: TREE)(START, at(2), True, "no broker"))
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
