"""What operators read of inventory and flow balance."""

import math
from dataclasses import replace

import pytest

from alerts.text import sentence
from domain.alarms import Edge, Finding, Kind
from domain.inventory import Cause
from domain.plant import Node
from tests.support.builders import ENTERPRISE, SOURCE, at, registry

PLANT = registry(
    nodes=[
        Node(SOURCE, ENTERPRISE, "source", "S1", "液氨球罐区", ENTERPRISE,
             detail={"substances": [{"name": "ammonia", "cas": "7664-41-7"}]}),
        Node(10, SOURCE, "equipment", "V-211", "液氨球罐 V-211", ENTERPRISE),
        Node(11, SOURCE, "equipment", "V-212", "甲醇储罐", ENTERPRISE),
    ]
)  # fmt: skip
OVER = Finding(
    Edge.RAISED, Kind.INVENTORY, None, 10, at(0), at(600), 103.5, 100.0, "",
    {"tonnes": 214.659, "design_t": 207.4, "substance": -1},
)  # fmt: skip
STUCK = Finding(
    Edge.RAISED, Kind.BALANCE, None, 11, at(0), at(600), -181.4, -4.2, "",
    {"cause": Cause.STILL, "level_rate": 0.4, "inflow": 181.8, "outflow": 0.0, "hours": 0.25,
     "missing_m3": -45.35},
)  # fmt: skip


def test_a_tank_over_its_design_amount():
    said = sentence(PLANT, OVER)
    assert said.startswith("液氨球罐 V-211: 超设计量储存")
    for part in ("214.7 t", "103.5 %", "207.4 t", "since 2026-11-21 08:00:00+00:00", "停止进料"):
        assert part in said


def test_a_substance_of_a_source_is_named():
    over = replace(OVER, node=SOURCE, detail={**OVER.detail, "substance": 0})
    assert sentence(PLANT, over).startswith("液氨球罐区: ammonia 超设计量储存")


def test_a_stuck_gauge():
    said = sentence(PLANT, STUCK)
    assert said.startswith("甲醇储罐 V-212: 液位不动 level stands while 182 m3/h flow in")
    for part in ("gauge stuck", "-45.4 m3 in 15 min", "4.2 m3/h", "check the level on site"):
        assert part in said


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.MIRROR, "swapped"),
        (Cause.LOST, "leak"),
        (Cause.GAINED, "unmeasured inlet"),
        (Cause.LESS, "less than the flows say"),
        (Cause.MORE, "more than the flows say"),
    ],
)
def test_each_contradiction_has_its_words(cause: Cause, words: str):
    assert words in sentence(PLANT, replace(STUCK, detail={**STUCK.detail, "cause": cause}))


@pytest.mark.parametrize("finding", [OVER, STUCK])
@pytest.mark.parametrize("edge", list(Edge))
def test_no_finding_is_without_a_sentence_even_without_its_numbers(finding: Finding, edge: Edge):
    bare = replace(finding, edge=edge, value=math.nan, limit=math.nan, detail={}, reason="gone")
    assert sentence(PLANT, bare)
    assert sentence(PLANT, replace(bare, reason=""))
    assert sentence(PLANT, replace(bare, node=99))
