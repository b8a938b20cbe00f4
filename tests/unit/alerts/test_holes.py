"""Roles that nobody is named for, source by source."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.contacts import Book, Entry, place
from alerts.holes import first_told, holes, sentences, strays
from alerts.people import Contact, holders
from domain.escalation import default
from domain.ladders import Ladders, placed
from domain.plant import Node, Registry
from domain.roster import Duty
from tests.support.builders import at

NODES = [
    Node(1, None, "county", "c", "县"),
    Node(2, 1, "park", "p", "园区"),
    Node(3, 2, "enterprise", "e1", "一厂", 3),
    Node(4, 3, "source", "s", "罐区", 3),
    Node(5, 2, "enterprise", "e2", "二厂", 5),
    Node(6, 5, "source", "s", "罐区", 5),
]
SITE = Registry(1, {node.id: node for node in NODES}, (), {})
LADDER = default()
LOG = Contact("log", "x")


def said(*entries: Entry | Duty) -> Book:
    contacts = tuple(one for one in entries if isinstance(one, Entry))
    return Book(contacts, {}, tuple(one for one in entries if isinstance(one, Duty)))


def every_role_but(*codes: str) -> list[Entry]:
    return [Entry(role, ("c",), LOG) for role in LADDER.roles if role not in codes]


def test_a_role_that_is_placed_nowhere_is_a_hole_of_every_source():
    directory, _ = place(said(*every_role_but("FR", "CI-leader")), SITE)
    found = holes(LADDER, SITE, directory)
    assert [(one.role, one.sources, one.at_once) for one in found] == [
        ("FR", (4, 6), True),
        ("CI-leader", (4, 6), False),
    ]
    assert "FR (told at once 立即通知) has nobody for 2 of 2 sources: c/p/e1/s" in next(
        sentences(found, SITE)
    )


def test_who_is_named_at_an_enterprise_leaves_the_others_a_hole():
    directory, _ = place(said(*every_role_but("OP"), Entry("OP", ("e1",), LOG)), SITE)
    assert [(one.role, one.sources) for one in holes(LADDER, SITE, directory)] == [("OP", (6,))]


@pytest.mark.parametrize("node", [("my-prak",), ("s",)])
def test_a_node_that_is_misspelt_or_there_twice_is_named(node):
    _, lost = place(said(Duty("PK", node, ("zhang",))), SITE)
    assert list(strays(lost)) == [f"duty PK: the site has no node {node[0]!r}, or several"]


def test_a_role_that_the_ladder_of_the_place_does_not_tell_is_no_hole():
    small = replace(LADDER, roles={"OP": LADDER.roles["OP"]})
    ladders = placed(Ladders(LADDER, {("e1",): small}), SITE)
    directory, _ = place(said(*every_role_but("PK")), SITE)
    assert [(one.role, one.sources) for one in holes(ladders, SITE, directory)] == [("PK", (6,))]


@given(
    st.sets(
        st.tuples(st.sampled_from(sorted(LADDER.roles)), st.sampled_from(["c", "p", "e1", "e2"]))
    )
)
def test_a_hole_is_where_nobody_would_be_told(placed_at):
    directory, _ = place(said(*(Entry(role, (node,), LOG) for role, node in placed_at)), SITE)
    found = {(one.role, source) for one in holes(LADDER, SITE, directory) for source in one.sources}
    assert found == {
        (role, source)
        for role in LADDER.roles
        for source in (4, 6)
        if not holders(directory, SITE, role, source, at(0)).recipients
    }
    at_once = {one.role for one in holes(LADDER, SITE, directory) if one.at_once}
    assert at_once <= first_told(LADDER)
