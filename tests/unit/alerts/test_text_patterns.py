"""What an operator reads of intermittent gas and of groups that move as they never did."""

from dataclasses import replace

from alerts.text import sentence
from domain.alarms import Edge, Finding, Kind
from domain.plant import Node, TagKind
from tests.support.builders import ENTERPRISE, SOURCE, at, registry, tag

GAS = Finding(
    Edge.RAISED, Kind.INTERMITTENT, 1, None, at(0), at(300), 6.2, 2.4, "",
    {"background": 2.0, "spread": 0.1, "known_s": 43200.0},
)  # fmt: skip
UNIT = Finding(
    Edge.RAISED, Kind.PCA, None, 50, at(0), at(300), 1.4, 1.0, "",
    {"t2": 0.6, "spe": 1.4, "missing": 1.0, "first": 2.0, "first_share": 0.61, "second": 1.0,
     "second_share": 0.2, "third": 99.0, "third_share": 0.1},
)  # fmt: skip
PLANT = registry(
    tag(1, "GD-21", kind=TagKind.GAS_TOXIC, unit="ppm"),
    tag(2, "TI-3", unit="°C"),
    nodes=[Node(50, SOURCE, "group", "nh3", "氨合成", ENTERPRISE)],
)


def test_intermittent_gas_tells_reading_background_since_when_and_what_to_do():
    text = sentence(PLANT, GAS)
    for part in ("GD-21", "间歇性气体", "6.2 ppm", "2 ± 0.1 ppm", "12 h", "08:00:00", "泄漏"):
        assert part in text
    assert "not yet known" not in text


def test_a_young_background_is_said_to_be_none():
    young = replace(GAS, detail={**GAS.detail, "known_s": 600.0})
    assert "not yet known 尚未建立" in sentence(PLANT, young)


def test_a_group_names_the_tags_that_it_comes_from():
    text = sentence(PLANT, UNIT)
    for part in (
        "氨合成",
        "工况偏离",
        "contradict",
        "TI-3 (61%), GD-21 (20%)",
        "1 members missing",
    ):
        assert part in text


def test_a_unit_that_only_runs_elsewhere_is_told_so():
    elsewhere = replace(UNIT, detail={**UNIT.detail, "t2": 1.6, "missing": 0.0})
    text = sentence(PLANT, elsewhere)
    assert "has not run before" in text
    assert "missing" not in text


def test_what_ended_is_told_as_ended():
    assert "ended" in sentence(PLANT, replace(GAS, edge=Edge.RETURNED))
    assert "恢复正常" in sentence(PLANT, replace(UNIT, edge=Edge.RETURNED))
