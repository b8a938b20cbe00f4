"""What no plant should send: the engine goes on, says what is wrong, and calls nothing normal."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.frame import Flag, Frame
from domain.instant import FAR, NEVER, SECOND, micros, moment
from domain.plant import Tag, TagKind
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.faults import tag_faults
from rules.plan import PlanError
from rules.samples import EARLIEST, LATEST
from rules.state import RuleState, carry
from tests.support.builders import START, at, frame, registry, tag
from tests.support.rule_log import CORE

ZERO = micros(START)
YEAR = 366 * 86_400 * SECOND
TIMES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([-(2**63), 2**63 - 1, NEVER, FAR, FAR - 1, EARLIEST, EARLIEST - 1, LATEST, 0]),
    st.integers(ZERO - 10 * SECOND, ZERO + 10 * SECOND),
    st.sampled_from([ZERO, ZERO + 1, ZERO + YEAR, ZERO - YEAR, ZERO + 5]),
)
VALUES = st.one_of(
    st.floats(), st.sampled_from([nan, inf, -inf, 1e308, -1e308, 5e-324, -0.0, 5.0, 8.0, 9.5])
)


def level(id: int = 1, **other: object) -> Tag:
    given = {
        "limits": {Kind.LL: 1.0, Kind.L: 2.0, Kind.H: 8.0, Kind.HH: 9.0},
        "rate_per_min": 1.0,
        "rate_window_s": 15.0,
        "interval_s": 5.0,
    }
    return tag(id, **given | other)  # type: ignore[arg-type]


PLANT = registry(level(1), level(2, kind=TagKind.GAS_TOXIC, limits={Kind.H: 8.0}), level(4))


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(
                    st.sampled_from([0, 1, 2, 3, 4, 99, -1, 2**31 - 1, -(2**31)]),
                    TIMES,
                    VALUES,
                    st.sampled_from([192, 192, 0, 64, 85, 86, 255, -1, 32767]),
                    st.sampled_from([0, int(Flag.HISTORICAL), 32767]),
                ),
                max_size=8,
            ),
            st.integers(0, 10**9),
        ),
        max_size=6,
    )
)
@settings(max_examples=150)
def test_nothing_raises_and_a_tag_above_its_limit_is_told_or_offline(
    frames: list[tuple[list[tuple[int, int, float, int, int]], int]],
):
    plan = compile_plan(PLANT)
    state = RuleState.fresh(plan, ZERO)
    wall, found = ZERO, list[Finding]()
    for rows, later in frames:
        wall += later
        if rows:
            tags, times, values, qualities, flags = zip(*rows, strict=True)
            nasty = Frame.of(tags, times, values, received=wall, quality=qualities, flags=flags)
            found += step(plan, state, nasty, moment(wall))
        found += step(plan, state, None, moment(wall))
    again = RuleState.from_bytes(plan, state.to_bytes(plan))
    assert next_due(plan, again) == next_due(plan, state)
    for _ in range(40):
        wall += 5 * SECOND
        high = Frame.of([1, 2, 4], [wall] * 3, [9.5] * 3, received=wall)
        found += step(plan, state, high, moment(wall))
    active = _active(found)
    for one in (1, 2, 4):
        assert {(one, Kind.H), (one, Kind.OFFLINE)} & active or _source_lost(found)


def _active(found: list[Finding]) -> set[tuple[int, Kind]]:
    active: set[tuple[int, Kind]] = set()
    for one in found:
        if one.tag is None:
            continue
        if one.edge is Edge.RAISED:
            active.add((one.tag, one.kind))
        elif one.edge is not Edge.WORSE:
            active.discard((one.tag, one.kind))
    return active


def _source_lost(found: list[Finding]) -> bool:
    edges = [one.edge for one in found if one.kind is Kind.SOURCE_OFFLINE]
    return bool(edges) and edges[-1] is Edge.RAISED


def test_samples_beyond_the_calendar_are_not_judged_and_no_sign_of_life():
    plan = compile_plan(PLANT)
    state = RuleState.fresh(plan, ZERO)
    for time in (2**63 - 1, LATEST, EARLIEST - 1, -(2**63)):
        assert step(plan, state, Frame.of([1], [time], [5.0], received=ZERO), START) == []
    assert state.last_at()[0] == NEVER
    found = [one for n in (1, 2, 3) for one in step(plan, state, frame((n, 1, 9.5)), at(n))]
    assert {one.kind for one in found} >= {Kind.H, Kind.HH}


def test_repeated_and_reversed_times_are_passed_over():
    plan = compile_plan(PLANT)
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((10, 1, 5.0)), at(10))
    for samples in [((10, 1, 9.9), (10, 1, 9.9)), ((9, 1, 9.9), (3, 1, 9.9))]:
        found = step(plan, state, frame(*samples, received=11), at(11))
        assert not [one for one in found if one.kind in CORE]


def test_samples_a_year_apart_hold_an_alarm_and_then_return_it():
    plan = compile_plan(PLANT)
    state = RuleState.fresh(plan, ZERO)
    found = [*step(plan, state, frame((0, 1, 9.5), (1, 1, 9.5)), at(1))]
    found += step(plan, state, frame((366 * 86400, 1, 5.0)), at(366 * 86400))
    edges = [one.edge for one in found if one.kind is Kind.HH]
    assert edges == [Edge.RAISED, Edge.RETURNED]


def test_hours_without_a_sample_are_offline_and_end_no_alarm():
    plan = compile_plan(registry(level(1), level(2)))
    state = RuleState.fresh(plan, ZERO)
    found = [*step(plan, state, frame((0, 1, 9.5), (1, 1, 9.5), (1, 2, 5.0)), at(1))]
    for n in range(30, 6 * 3600, 50):
        found += step(plan, state, frame((n, 2, 5.0)), at(n))
    told = [(one.kind, one.edge) for one in found if one.tag == 1 and one.kind in CORE]
    assert told[-1] == (Kind.OFFLINE, Edge.RAISED)
    assert Edge.RETURNED not in [edge for _, edge in told]


def test_another_unit_is_another_tag_and_its_alarms_do_not_pass_over():
    plan = compile_plan(registry(level(1, name="LI")))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 9.5), (1, 1, 9.5)), at(1))
    new = compile_plan(registry(level(7, name="LI", unit="cm", version=2)))
    state, found = carry(plan, state, new, at(2))
    assert {(one.kind, one.edge) for one in found if one.kind in CORE} == {
        (Kind.H, Edge.CLOSED),
        (Kind.HH, Edge.CLOSED),
    }
    assert step(new, state, frame((3, 1, 9.5)), at(3)) == []


NASTY = st.sampled_from([nan, inf, -inf, 1e308, -1e308, 0.0, -1.0, 5.0, 1e-320])


@given(
    st.dictionaries(st.sampled_from([Kind.LL, Kind.L, Kind.H, Kind.HH]), NASTY),
    st.one_of(st.none(), NASTY),
    st.one_of(st.none(), NASTY),
    st.one_of(st.none(), st.tuples(NASTY, NASTY)),
    st.one_of(st.none(), st.tuples(NASTY, NASTY)),
    NASTY,
    st.one_of(st.none(), NASTY),
)
@settings(max_examples=300)
def test_what_compiles_can_be_watched_and_the_rest_is_refused_with_reasons(
    limits: dict[Kind, float],
    deadband: float | None,
    rate: float | None,
    span: tuple[float, float] | None,
    normal: tuple[float, float] | None,
    interval: float,
    silence: float | None,
):
    odd = replace(
        tag(1, limits=limits, deadband=deadband, rate_per_min=rate, range=span, normal=normal),
        interval_s=interval,
        max_silence_s=silence,
    )
    sound = level(2)
    if list(tag_faults(odd)):
        with pytest.raises(PlanError, match=r"\(id 1\)"):
            compile_plan(registry(odd, sound))
        return
    plan = compile_plan(registry(odd, sound))
    where = plan.limits.deadband[np.zeros(4, np.intp), np.arange(4)]
    assert np.isfinite(where[~np.isnan(plan.limits.limit[0])]).all()
    state = RuleState.fresh(plan, ZERO)
    for n in range(4):
        step(plan, state, frame((n, 1, 1e308 * (-1) ** n), (n, 2, 5.0)), at(n))


@given(
    st.floats(0.0, 0.33),
    st.floats(2.6, 7.4),
    st.sampled_from([Kind.LL, Kind.L, Kind.H, Kind.HH]),
    st.sampled_from(list(TagKind)),
    st.booleans(),
)
@settings(max_examples=150)
def test_whatever_was_raised_returns_in_the_middle_of_normal(
    share: float, middle: float, kind: Kind, tag_kind: TagKind, explicit: bool
):
    limits = {Kind.LL: 0.5, Kind.L: 1.5, Kind.H: 8.5, Kind.HH: 9.5}
    least = min(abs(limits[each] - end) for each in limits for end in (2.5, 7.5))
    one = level(1, kind=tag_kind, normal=(2.5, 7.5), deadband=share * least if explicit else None)
    for kept in (limits, {kind: limits[kind]}):
        if any("means nothing" in fault for fault in tag_faults(replace(one, limits=kept))):
            return
        plan = compile_plan(registry(replace(one, limits=kept)))
        state, found = RuleState.fresh(plan, ZERO), list[Finding]()
        beyond = 10.0 if kind in (Kind.H, Kind.HH) else 0.0
        for n in range(60):
            value = beyond if n < 30 else middle
            found += step(plan, state, frame((5 * n, 1, value)), at(5 * n))
        edges = [f.edge for f in found if f.kind is kind and f.edge is not Edge.WORSE]
        assert edges == [Edge.RAISED, Edge.RETURNED]


@pytest.mark.parametrize("limits", [{Kind.L: 2.0, Kind.H: 8.0}, {Kind.LL: 2.0, Kind.HH: 8.0}])
def test_a_deadband_as_wide_as_from_one_limit_to_the_other_is_refused(limits: dict[Kind, float]):
    compile_plan(registry(tag(1, limits=limits, deadband=3.0)))
    with pytest.raises(PlanError, match="could never clear"):
        compile_plan(registry(tag(1, limits=limits, deadband=3.1)))


@given(
    st.floats(1.0, 600.0),
    st.floats(0.0, 100.0),
    st.floats(0.01, 1.19),
    st.lists(st.floats(0.0, 1.19), max_size=5),
)
@settings(max_examples=150)
def test_one_bad_sample_of_a_slow_tag_alarms_on_no_tick(
    interval: float, delay: float, until_next: float, ticks: list[float]
):
    one = level(1, interval_s=interval, delay_on_s=delay, rate_per_min=None)
    plan = compile_plan(registry(one))
    state, found = RuleState.fresh(plan, ZERO), list[Finding]()
    step(plan, state, frame((0, 1, 5.0)), at(0))
    found += step(plan, state, frame((interval, 1, 9.9)), at(interval))
    for tick in sorted(share for share in ticks if share <= until_next):
        found += step(plan, state, None, at(interval * (1 + tick)))
    back = interval * (1 + until_next)
    found += step(plan, state, frame((back, 1, 5.0)), at(back))
    found += step(plan, state, None, at(back + 10))
    assert not [f for f in found if f.kind in (Kind.H, Kind.HH)]


def test_a_plan_of_many_tags_compiles_and_steps():
    count = 20_000
    plan = compile_plan(registry(*(level(n) for n in range(1, count + 1))))
    state = RuleState.fresh(plan, ZERO)
    ids = np.arange(1, count + 1, dtype=np.int32)
    for n in (1, 2):
        now = ZERO + n * SECOND
        full = Frame.of(ids, np.full(count, now), np.full(count, 9.5), received=now)
        found = step(plan, state, full, moment(now))
    assert sum(one.kind is Kind.HH for one in found) == count
