"""Compiling a registry: what the arrays hold, and what is refused with a reason."""

from math import inf, nan

import numpy as np
import pytest

from domain.alarms import Kind
from domain.plant import Tag, TagKind
from rules.compiling import compile_plan
from rules.plan import PlanError
from tests.support.builders import registry, tag

LEVEL = {Kind.L: 20.0, Kind.H: 80.0, Kind.HH: 90.0}


def test_ids_with_holes_find_their_slots_and_others_do_not():
    plan = compile_plan(registry(tag(40), tag(3), tag(7)))
    assert plan.tags.tolist() == [3, 7, 40]
    asked = np.array([7, 40, 3, 4, 41, -1, 2**31 - 1], np.int32)
    assert plan.slots_of(asked).tolist() == [1, 2, 0, -1, -1, -1, -1]


def test_limits_stand_in_the_columns_of_their_kinds_and_nan_where_none_is_set():
    plan = compile_plan(registry(tag(1, range=(0.0, 100.0), limits=LEVEL), tag(2)))
    np.testing.assert_array_equal(plan.limits.limit[0], [nan, 20, 80, 90])
    np.testing.assert_array_equal(plan.limits.limit[1], [nan] * 4)
    assert (plan.limits.low[0], plan.limits.high[0]) == (20, 80)
    assert (plan.limits.low[1], plan.limits.high[1]) == (-inf, inf)


def test_policy_fills_in_what_the_site_leaves_open():
    gas = tag(
        1,
        kind=TagKind.GAS_TOXIC,
        range=(0.0, 100.0),
        limits={Kind.H: 25.0},
        delay_on_s=None,
        delay_off_s=None,
    )
    table = compile_plan(registry(gas)).limits
    at = 0, Kind.H
    assert (table.on[at], table.off[at], table.samples[at]) == (3_000_000, 30_000_000, 1)
    assert table.deadband[at] == 2.5


def test_a_single_reading_of_a_process_tag_must_hold_for_more_than_its_interval():
    table = compile_plan(registry(tag(1, limits={Kind.H: 8.0}, delay_on_s=5.0))).limits
    at = 0, Kind.H
    assert (table.on[at], table.hold[at], table.samples[at]) == (5_000_000, 36_000_000, 2)


REFUSED: dict[str, tuple[Tag, str]] = {
    "limits out of order": (
        tag(1, limits={Kind.L: 8.0, Kind.H: 8.0}),
        "L 8 is not below H 8; allowed: LL < L < H < HH",
    ),
    "a limit that is no number": (
        tag(1, limits={Kind.H: nan}),
        "H is nan; allowed: a finite number",
    ),
    "a limit that is no limit": (
        tag(1, limits={Kind.ROC: 3.0}),
        "ROC is not a limit; allowed: LL, L, H, HH",
    ),
    "a low limit of a gas": (
        tag(1, kind=TagKind.GAS_TOXIC, limits={Kind.L: 3.0}),
        "L 3 means nothing for gas_toxic; allowed: H, HH",
    ),
    "a deadband that could never clear": (
        tag(1, limits={Kind.H: 8.0, Kind.HH: 9.0}, deadband=0.6),
        "deadband 0.6 could never clear HH 9; allowed: up to 0.5",
    ),
    "a deadband below zero": (
        tag(1, deadband=-1.0),
        "deadband is -1.0; allowed: a finite number from 0",
    ),
    "a delay below zero": (
        tag(1, delay_on_s=-1.0),
        "delay_on_s is -1; allowed: 0 to 31622400",
    ),
    "a delay that never ends": (
        tag(1, delay_off_s=inf),
        "delay_off_s is inf; allowed: 0 to 31622400",
    ),
    "no interval": (
        tag(1, interval_s=0.0),
        "interval_s is 0; allowed: 0.001 to 31622400",
    ),
    "no silence at all": (
        tag(1, max_silence_s=0.0),
        "max_silence_s is 0; allowed: above 0, up to 31622400",
    ),
    "a rate of nothing": (
        tag(1, rate_per_min=0.0),
        "rate_per_min is 0; allowed: above 0",
    ),
}


@pytest.mark.parametrize(("bad", "reason"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_tag_value_and_what_is_allowed(bad: Tag, reason: str):
    with pytest.raises(PlanError) as refused:
        compile_plan(registry(bad))
    assert refused.value.problems == (f"tag 'LI001' (id 1): {reason}",)


def test_all_faults_are_listed_at_once():
    with pytest.raises(PlanError) as refused:
        compile_plan(registry(tag(1, deadband=-1.0), tag(2), tag(3, interval_s=nan)))
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "tag 'LI001' (id 1)",
        "tag 'LI003' (id 3)",
    ]
