"""The demonstration's people, and its self-test, which must disturb nobody."""

import pytest

from domain import policy
from domain.alarms import Edge, Kind, Priority
from domain.instant import micros
from domain.site import Site, read_site
from domain.site_rules import site_problems
from hazwatch.demo_site import CANARIES, accounts, canary, self_test, with_self_test
from hazwatch.shipped import site_file
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from tests.support.builders import ENTERPRISE, SOURCE, START, at, frame, registry


@pytest.fixture(scope="module")
def site() -> Site:
    return read_site(site_file("demo.yaml").read_text("utf-8"))


def test_the_self_test_fits_into_the_site(site):
    tested = with_self_test(site)
    assert list(site_problems(tested, frozenset())) == []
    assert tested.enterprises[:-1] == site.enterprises


def test_an_empty_self_test_fits_too_and_has_no_tags(site):
    emptied = with_self_test(site, empty=True)
    assert list(site_problems(emptied, frozenset())) == []
    assert emptied.enterprises[-1].sources == ()


def test_a_canary_raises_with_its_first_sample_and_returns_with_the_next():
    (source,) = self_test().sources
    tag = source.tags[0].tag(1, 1, ENTERPRISE, SOURCE, START)
    plan = compile_plan(registry(tag))
    state = RuleState.fresh(plan, micros(START))
    expected = {(1.0, 0.0): [], (2.0, 1.0): [Edge.RAISED], (2.5, 0.0): [Edge.RETURNED]}
    for (seconds, value), edges in expected.items():
        found = step(plan, state, frame((seconds, 1, value)), at(seconds))
        assert [finding.edge for finding in found] == edges
        assert all(finding.effective == at(seconds) for finding in found)


def test_a_canary_has_the_priority_that_has_no_weight():
    (source,) = self_test().sources
    tags = [entry.tag(1, 1, ENTERPRISE, SOURCE, START) for entry in source.tags]
    assert {policy.priority(tag, Kind.H) for tag in tags} == {Priority.P4}


def test_a_canary_rests_until_its_breach_is_a_new_occurrence_and_is_never_silent_for_long():
    (source,) = self_test().sources
    assert CANARIES == len(source.tags) > policy.number("rejoin", "seconds") + 10
    silences = {policy.silence_after(t.tag(1, 1, ENTERPRISE, SOURCE, START)) for t in source.tags}
    assert min(silences) > 2 * CANARIES
    assert [canary(n) for n in range(CANARIES)] == [tag.name for tag in source.tags]
    assert canary(CANARIES) == canary(0)


def test_county_park_and_two_enterprises_get_an_account_at_their_place(site):
    people = accounts(site)
    kinds = [(one.role, one.place[-1]) for one in people]
    plants = [one.code for one in site.enterprises[:2]]
    assert kinds[0] == ("operator", "demo")
    assert kinds[2:] == [("enterprise", code) for code in plants]
    county, park = people[1], people[0]
    assert county.role == "operator"
    assert park.place[: len(county.place)] == county.place
    assert len({one.name for one in people}) == 4
    every = [(*park.place, one.code) for one in site.enterprises]
    assert list(park.desks) == every
    assert not any(one.desks for one in people[1:])
    assert accounts(site, measured=True)[0].desks[-1][-1] == "self-test"


def test_passwords_are_made_up_afresh(site):
    words = [one.password for _ in range(2) for one in accounts(site)]
    assert len(set(words)) == len(words)
    assert min(map(len, words)) >= 12


def test_without_a_county_the_area_above_the_park_stands_for_one(site):
    def renamed(areas):
        return tuple(
            area.model_copy(
                update={
                    "kind": "district" if area.kind == "county" else area.kind,
                    "children": renamed(area.children),
                }
            )
            for area in areas
        )

    flat = site.model_copy(update={"tree": renamed(site.tree)})
    park, county, *_ = accounts(flat)
    assert county.place == park.place[:-1]
