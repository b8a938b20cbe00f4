"""What a start does with a registry that holds something which the rules can't watch."""

from dataclasses import replace

from domain.alarms import Kind
from domain.plant import Node
from hazwatch.planning import planned
from rules.composites import COMPOSITES
from rules.inventory import INVENTORY
from rules.layers import LAYERS
from rules.votes import VOTES
from tests.support.builders import ENTERPRISE, SOURCE, registry, tag

GOOD, BAD = tag(1, "LT-1", limits={Kind.H: 8.0}), tag(2, "LT-2", delay_on_s=1e11)


def node(id: int, sort: str, /, **detail: object) -> Node:
    return Node(id, SOURCE, sort, f"N-{id}", f"N-{id}", ENTERPRISE, None, detail)


def watched(plan, layer) -> list[int]:
    return list(plan.layers[LAYERS.index(layer)].keys.tolist())


def test_one_tag_that_cannot_be_watched_does_not_blind_the_others():
    plan, left = planned(registry(GOOD, BAD))
    assert plan.tags.tolist() == [1]
    assert set(left.tags) == {2}
    assert "LT-2" in left.tags[2]
    assert "delay_on_s" in left.sentence()


def test_limits_that_cross_in_one_mode_only_cost_nothing_but_that_tag_in_that_mode():
    bad = replace(GOOD, id=2, name="LT-2", limits_by_mode={"empty": {Kind.LL: 9.0}})
    plant = registry(GOOD, bad)
    assert not planned(plant)[1]
    plan, left = planned(plant, {SOURCE: "empty"})
    assert (plan.tags.tolist(), set(left.tags)) == ([1], {2})


def test_neither_does_a_written_rule_nor_a_group_nor_a_vessel():
    nodes = [
        node(40, "group", kind="vote", vote="1oo1", members=["LT-1"]),
        node(41, "group", kind="vote", vote="2oo1", members=["LT-1"]),
        node(42, "group", kind="pca", members=["LT-1"], model={"format": 9}),
        node(50, "rule", when="LT-1 > H"),
        node(51, "rule", when="LT-1 > "),
        node(52, "rule", when='rule("N-51") and LT-1 > H'),
        node(60, "equipment", kind="tank", shape="sphere", diameter_m=10.0, volume_m3=9000.0),
    ]
    plan, left = planned(registry(GOOD, nodes=nodes))
    assert watched(plan, VOTES) == [40]
    assert watched(plan, COMPOSITES) == [50]
    assert watched(plan, INVENTORY) == []
    assert set(left.nodes) == {41, 42, 51, 52, 60}
    assert "(node 51)" in left.nodes[51]
    assert left.weighed == {SOURCE}


def test_what_names_a_tag_that_was_left_out_goes_on_without_it_or_is_left_out():
    third = replace(GOOD, id=3, name="LT-3")
    nodes = [
        node(40, "group", kind="vote", vote="2oo3", members=["LT-1", "LT-2", "LT-3"]),
        node(41, "group", kind="vote", vote="1oo1", members=["LT-2"]),
        node(50, "rule", when="LT-1 > H or LT-2 > 1 m"),
        node(60, "equipment", kind="tank", shape="sphere", diameter_m=10, level_tags=["LT-2"]),
    ]
    plan, left = planned(registry(GOOD, BAD, third, nodes=nodes))
    [told] = left.degraded
    assert "(node 40) votes 1oo2 without LT-2" in told
    assert set(left.nodes) == {41, 50, 60}
    assert watched(plan, VOTES) == [40]
    assert watched(plan, COMPOSITES) == []
