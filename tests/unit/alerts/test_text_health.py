"""What an operator reads when the data are not to be believed."""

from dataclasses import replace
from math import nan
from typing import Any

import pytest

from alerts.text import sentence
from domain.alarms import Edge, Finding, Kind
from domain.instant import micros
from domain.plant import Registry, TagKind
from tests.support.builders import ENTERPRISE, at, registry, tag


def plant() -> Registry:
    level: dict[str, Any] = {"unit": "MPa", "range": (0.0, 2.0)}
    tags = (
        tag(1, "PT-1", kind=TagKind.PRESSURE, limits={Kind.H: 1.0, Kind.HH: 1.2}, **level),
        tag(2, "PT-2", kind=TagKind.PRESSURE, **level),
        tag(3, "PT-3", kind=TagKind.PRESSURE, **level),
        tag(4, "GD-1", kind=TagKind.GAS_TOXIC, unit="ppm", limits={Kind.H: 20.0}),
    )
    bare = registry(*tags)
    (source,) = (node for node in bare.nodes.values() if node.kind == "source")
    groups = [{"code": "P", "kind": "redundant", "members": ["PT-1", "PT-2", "PT-3"]}]
    full = replace(source, enterprise=ENTERPRISE, detail={"groups": groups})
    return replace(bare, nodes={**bare.nodes, source.id: full})


def told(kind: Kind, value: float = nan, limit: float = nan, id: int = 1, **detail: float) -> str:
    finding = Finding(Edge.RAISED, kind, id, None, at(0), at(720), value, limit, detail=detail)
    return sentence(plant(), finding)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            told(Kind.FROZEN, 0.995, sigma=0.0021),
            "PT-1: 卡值 stands still at 0.995 MPa for 12 min, since 2026-11-21 08:00:00+00:00, "
            "just inside 紧邻 H 1 MPa; its noise is usually 2.1 kPa; check transmitter",
        ),
        (
            told(Kind.NOISE, 0.5, sigma=0.02, usual=0.004),
            "PT-1: 噪声增大 noise 20 kPa, usually up to 4.0 kPa, 5.0 times, since",
        ),
        (
            told(Kind.CLIPPED, 0.99, 1.0, touches=10, side=1),
            "PT-1: 疑似限幅 10 times or more exactly 0.99 MPa, just below 低于 the limit 1, never",
        ),
        (
            told(Kind.DRIFT, 0.55, away=0.05, threshold=0.02, reference=0.5, size=3, other=2),
            "PT-1: 漂移 0.55 MPa where 0.5 is expected, 50 kPa above 偏高 its usual difference "
            "(limit 20 kPa), against 对比 PT-2, PT-3, since",
        ),
        (
            told(Kind.DRIFT, 500.0, away=499.5, threshold=0.02, reference=0.5, size=3, other=2),
            "× 1000: was the unit changed",
        ),
        (
            told(Kind.DRIFT, 0.5, away=0.1, threshold=0.02, reference=0.4, size=2, other=2),
            "nobody can tell which of the two",
        ),
        (
            told(Kind.DETECTOR_FAULT, id=4, alarmed=micros(at(-20))),
            "GD-1: 报警中失去信号 signal lost in alarm, since 2026-11-21 08:00:00+00:00, last "
            "alarmed 2026-11-21 07:59:40+00:00; the alarm is held",
        ),
        (
            told(Kind.DETECTOR_FAULT, id=4, signal=-25.0),
            "GD-1: 探测器故障信号 fault signal -25 ",
        ),
        (
            told(Kind.DETECTOR_FAULT, id=4, denied=nan),
            'GD-1: 探测器无有效值 sends a number that means "no value", since 2026-11-21 08:00:00',
        ),
        (
            told(Kind.COPIED, minutes=360),
            "PT-1: 疑似复制数据 repeats what it said 24 h before 与24小时前数据相同, since",
        ),
        (
            told(Kind.COPIED, minutes=360, shift=-7),
            "repeats what it said 24 h before (-7 min) 与24小时前数据相同, since",
        ),
    ],
)
def test_it_says_what_is_suspected_since_when_and_what_to_check(text: str, expected: str):
    assert expected in text


@pytest.mark.parametrize(
    "kind",
    [Kind.FROZEN, Kind.NOISE, Kind.CLIPPED, Kind.DRIFT, Kind.DETECTOR_FAULT, Kind.COPIED],
)
def test_an_end_needs_no_numbers(kind: Kind):
    over = Finding(Edge.RETURNED, kind, 1, None, at(0), at(9), nan, nan)
    assert sentence(plant(), over).startswith("PT-1: ")
