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
LEVELS = [tag(n, f"LT-{n}", unit="%") for n in (4, 5)]
PLANT = registry(
    *GASES,
    *LEVELS,
    nodes=[
        Node(40, SOURCE, "group", "GD-A", "GD-A", ENTERPRISE, None, {"vote": "2oo3"}),
        Node(41, SOURCE, "group", "LT-A", "LT-A", ENTERPRISE, None, {"vote": "2oo3"}),
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
            finding(
                Kind.VOTE,
                40,
                2,
                2,
                needed=2,
                voting=0b011,
                value_0=61,
                value_1=58,
                value_2=3,
                level=3,
                limit_0=50,
                limit_1=50,
                limit_2=50,
            ),
            "Tank farm 1 GD-A: 表决报警 2 of 3 (2oo3) ≥ HH 50 ppm: GD-21 61 ppm, GD-22 58 ppm; "
            "其余 others: GD-23 3 ppm; since 2026-11-21 08:00:00+00:00; 按真实泄漏处置 treat as "
            "real: 人员撤离 clear the area, 上风向携便携式检测仪核实 confirm from upwind with a "
            "portable detector",
        ),
        (
            finding(
                Kind.VOTE,
                41,
                1,
                1,
                needed=2,
                voting=0b001,
                out=0b100,
                value_0=18,
                value_2=3,
                level=1,
                limit_0=19.5,
                limit_1=19,
                **{"value_1": 20, "tag_0": 4, "tag_1": 5},
            ),
            "Tank farm 1 LT-A: 表决报警 1 of 3 (2oo3, 1 bad: 1oo2) ≤ L: LT-4 18 % (≤ 19.5); "
            "其余 others: LT-5 20 % (≤ 19), GD-23 无效 bad or silent; "
            "since 2026-11-21 08:00:00+00:00; 按真实泄漏处置 treat as real: 人员撤离 clear the "
            "area, 上风向携便携式检测仪核实 confirm from upwind with a portable detector",
        ),
        (
            finding(
                Kind.VOTE,
                41,
                2,
                2,
                needed=2,
                voting=0b011,
                tag_0=4,
                tag_1=5,
                members=2,
                value_0=18,
                value_1=17,
                level=1,
                limit_0=19,
                limit_1=19,
                tag_2=nan,
            ),
            "Tank farm 1 LT-A: 表决报警 2 of 2 (2oo2) ≤ L 19 %: LT-4 18 %, LT-5 17 %; "
            "since 2026-11-21 08:00:00+00:00; 按真实报警处置 treat as real, check in the field",
        ),
        (
            finding(Kind.VOTE_UNKNOWN, 40, out=0b111),
            "Tank farm 1 GD-A: 表决组失效 no member is good, the group cannot vote; "
            "since 2026-11-21 08:00:00+00:00; 派人现场监护 watch the place by other means, "
            "restore the detectors",
        ),
        (
            finding(
                Kind.COMPOSITE, 50, value_0=61, value_1=nan, value_2=3.25, out=0b010, flagged=0b100
            ),
            "Tank farm 1 进料未停: 组合规则 GD-21 61 ppm, GD-22 无效 bad or silent, "
            "GD-23 3.25 ppm 存疑 flagged; since 2026-11-21 08:00:00+00:00; 停泵 stop P-1",
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
