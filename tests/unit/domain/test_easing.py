"""What a mode or the kind of vessel expects is less urgent, and nothing else is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import easing, policy
from domain.alarms import Kind, Priority
from domain.effective_policy import Origin, effective
from domain.modes import MODES
from domain.plant import Circumstance, OwnPolicy, TagKind
from tests.support.builders import tag

P1, P2, P3, P4 = Priority
ROOFLESS, LIQUEFIED = Circumstance.NO_FLOATING_ROOF, Circumstance.LIQUEFIED_GAS
WHERE = st.frozensets(st.sampled_from(Circumstance))


@pytest.mark.parametrize(
    ("kind", "alarm", "modes"),
    [
        (TagKind.LEVEL, Kind.LL, {"empty", "turnaround"}),
        (TagKind.LEVEL, Kind.L, {"empty", "turnaround"}),
        (TagKind.LEVEL, Kind.HH, set()),
        (TagKind.FLOW, Kind.LL, {"empty", "shutdown", "turnaround"}),
        (TagKind.FLOW, Kind.HH, set()),
        (TagKind.STATE, Kind.H, {"empty", "shutdown", "turnaround"}),
        (TagKind.PRESSURE, Kind.LL, set()),
        (TagKind.LEVEL, Kind.ROC, set()),
    ],
)
def test_each_mode_expects_just_these(kind, alarm, modes):
    found = {mode for mode in MODES if easing.eases(tag(kind=kind), alarm, mode)}
    assert found == modes


@given(st.sampled_from(sorted(policy.GAS_AND_FIRE)), st.sampled_from(Kind), WHERE)
def test_gas_and_fire_are_never_eased(kind, alarm, where):
    detector = replace(tag(kind=kind), circumstances=where)
    assert not any(easing.eases(detector, alarm, mode) for mode in MODES)


@given(st.sampled_from([Kind.HH, Kind.H, Kind.L, Kind.LL]), st.booleans(), WHERE)
def test_without_a_floating_roof_no_alarm_of_a_level_is_more_urgent_than_with_one(
    alarm, critical, where
):
    plain = tag(kind=TagKind.LEVEL, safety_critical=critical)
    with_roof = policy.priority(replace(plain, circumstances=where - {ROOFLESS}), alarm)
    without = policy.priority(replace(plain, circumstances=where | {ROOFLESS}), alarm)
    assert without is (max(with_roof, P3) if alarm is Kind.LL else with_roof)


def test_without_a_floating_roof_ll_of_a_level_has_priority_and_latch_of_l_and_no_other_alarm():
    sphere = replace(tag(kind=TagKind.LEVEL), circumstances=frozenset({ROOFLESS, LIQUEFIED}))
    found = {kind: policy.priority(sphere, kind) for kind in policy.LIMITS}
    assert found == {Kind.LL: P3, Kind.L: P3, Kind.H: P3, Kind.HH: P1}
    assert not policy.of(sphere, Kind.LL).latch
    assert policy.of(sphere, Kind.HH).latch
    assert policy.of(sphere, Kind.LL).ack_s == policy.rule(TagKind.LEVEL, Kind.LL).ack_s


def test_the_site_files_own_word_goes_before_the_kind_of_vessel():
    sphere = replace(
        tag(kind=TagKind.LEVEL),
        circumstances=frozenset({ROOFLESS}),
        priorities={Kind.LL: P1},
        alarms={Kind.LL: OwnPolicy(latch=True)},
    )
    assert policy.priority(sphere, Kind.LL) is P1
    assert policy.of(sphere, Kind.LL).latch
    assert easing.latches(sphere, Kind.LL)


def shown(**members):
    limits = {Kind.LL: 1.0, Kind.HH: 9.0}
    one = replace(tag(kind=TagKind.LEVEL), limits=limits, **members)
    return {found.kind: found.members for found in effective(one)}


def test_the_effective_policy_says_what_a_mode_makes_of_the_priority_and_who_says_so():
    low = shown()[Kind.LL]
    assert (low["priority"].value, low["latch"].value) == ("P2", True)
    assert (low["eased_in"].value, low["eased_in"].unit) == ("empty, turnaround", "modes")
    assert (low["priority_eased"].value, low["latch_eased"].value) == ("P3", False)
    for name in ("eased_in", "priority_eased", "latch_eased"):
        member = low[name]
        assert (member.origin, member.source != "", member.confidence) == (Origin.POLICY, True, "P")
    assert not any("eased" in name for name in shown()[Kind.HH])


def test_the_effective_policy_says_that_the_kind_of_vessel_eases():
    low = shown(circumstances=frozenset({ROOFLESS, Circumstance.GRADE_1_2}))[Kind.LL]
    assert (low["priority"].value, low["latch"].value) == ("P3", False)
    assert low["eased_by"].value == "no_floating_roof"
    assert {"raised_by", "eased_in"}.isdisjoint(low)


def test_nothing_is_eased_that_is_of_low_priority_anyway():
    low = shown(priorities={Kind.LL: P4})[Kind.LL]
    assert low["priority"].value == "P4"
    assert "priority_eased" not in low
