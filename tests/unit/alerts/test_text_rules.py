"""What an operator reads of a vote and of a written rule."""

from datetime import UTC, datetime
from math import nan

import pytest

from alerts.book import AlarmBook
from alerts.text import sentence
from domain.alarms import Edge, Finding, Kind, Priority
from domain.plant import Node, TagKind
from tests.support.builders import ENTERPRISE, SOURCE, at, registry, tag

SINCE = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
GASES = [tag(n, f"GD-2{n}", kind=TagKind.GAS_TOXIC, unit="ppm") for n in (1, 2, 3)]
PLANT = registry(
    *GASES,
    nodes=[
        Node(40, SOURCE, "group", "GD-A", "GD-A", ENTERPRISE, None, {"vote": "2oo3"}),
        Node(50, SOURCE, "rule", "R1", "进料未停", ENTERPRISE, None, {"message": "停泵 stop P-1"}),
    ],
)


def finding(kind: Kind, node: int, value: float = nan, limit: float = nan, **detail) -> Finding:
    told = {f"tag_{n}": float(n + 1) for n in range(3)} | {"members": 3.0, "out": 0.0} | detail
    return Finding(Edge.RAISED, kind, None, node, SINCE, at(0), value, limit, "", told)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            finding(Kind.VOTE, 40, 2, 2, needed=2, voting=0b011, value_0=61, value_1=58, value_2=3),
            "Tank farm 1 GD-A: 表决报警 2 of 3 agree (2oo3): GD-21 61 ppm, GD-22 58 ppm; "
            "since 2026-11-21 08:00:00+00:00; 按真实报警处置 treat as real, check in the field",
        ),
        (
            finding(Kind.VOTE, 40, 1, 1, needed=2, voting=0b001, out=0b100, value_0=61, value_2=3),
            "Tank farm 1 GD-A: 表决报警 1 of 3 agree (2oo3, 1 bad: 1oo2): GD-21 61 ppm; "
            "since 2026-11-21 08:00:00+00:00; 按真实报警处置 treat as real, check in the field",
        ),
        (
            finding(Kind.VOTE_UNKNOWN, 40, out=0b111),
            "Tank farm 1 GD-A: 表决组失效 no member is good, the group cannot vote; "
            "since 2026-11-21 08:00:00+00:00; 派人现场监护 watch the place by other means, "
            "restore the detectors",
        ),
        (
            finding(Kind.COMPOSITE, 50, value_0=61, value_1=nan, value_2=3.25, out=0b010),
            "Tank farm 1 进料未停: 组合规则 GD-21 61 ppm, GD-22 无效 bad or silent, "
            "GD-23 3.25 ppm; since 2026-11-21 08:00:00+00:00; 停泵 stop P-1",
        ),
        (
            finding(Kind.COMPOSITE_UNKNOWN, 50, value_0=61, value_1=5, value_2=3, out=0b010),
            "Tank farm 1 进料未停: 组合规则无法判断 cannot be decided: GD-22 无效 bad or silent; "
            "since 2026-11-21 08:00:00+00:00; 检查测点 check these tags",
        ),
    ],
    ids=lambda one: one.kind.name if isinstance(one, Finding) else "",
)
def test_the_sentence(found: Finding, words: str):
    assert sentence(PLANT, found) == words


def test_the_priority_that_a_finding_carries_is_that_of_its_alarm():
    book = AlarmBook(PLANT)
    own = finding(Kind.COMPOSITE, 50, priority=1.0)
    policy = finding(Kind.COMPOSITE_UNKNOWN, 50)
    raised = book.apply([own, policy], at(0))
    assert [one.alarm.priority for one in raised] == [Priority.P1, Priority.P4]
    assert [one.alarm.node for one in raised] == [50, 50]
