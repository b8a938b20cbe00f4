"""What the engine remembers survives restarts and new plans."""

from dataclasses import replace
from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.frame import Frame
from domain.instant import NEVER, micros, moment
from domain.plant import Registry, Tag, TagKind
from rules.closing import REMOVED, REPLACED, SOURCE_REMOVED, UNLIMITED
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.plan import Plan
from rules.snapshot import SnapshotError
from rules.state import RuleState, carry
from tests.support.builders import registry, tag
from tests.support.load import reading
from tests.support.reference_rules import told
from tests.support.rule_log import CORE, RuleLog, when
from tests.support.rule_streams import ZERO, plants, steps


def contents(plan: Plan, state: RuleState) -> dict[str, np.ndarray]:
    with np.load(BytesIO(state.to_bytes(plan))) as file:
        return {name: file[name] for name in file.files}


def assert_alike(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    for name, array in ours.items():
        for field in array.dtype.names or (...,):
            np.testing.assert_array_equal(array[field], theirs[name][field], err_msg=name)


def assert_same(plan: Plan, one: RuleState, other: RuleState) -> None:
    assert_alike(contents(plan, one), contents(plan, other))
    busy = one.limits.busy()
    np.testing.assert_array_equal(busy, other.limits.busy())
    for state in (one, other):
        np.testing.assert_array_equal(
            state.limits.wake[state.limits.row[busy]], one.limits.wake[one.limits.row[busy]]
        )
    assert next_due(plan, one) == next_due(plan, other)


@given(st.data())
@settings(max_examples=40)
def test_a_snapshot_comes_back_exactly_and_goes_on_the_same(data: st.DataObject):
    plant = data.draw(plants())
    plan = compile_plan(plant)
    state = RuleState.fresh(plan, ZERO)
    todo = data.draw(steps(plant))
    half = data.draw(st.integers(0, len(todo)))
    for frame, at in todo[:half]:
        step(plan, state, frame, moment(at))
    again = RuleState.from_bytes(plan, state.to_bytes(plan))
    assert_same(plan, state, again)
    assert next_due(plan, state) == next_due(plan, again)
    for frame, at in todo[half:]:
        expected = list(map(told, step(plan, state, frame, moment(at))))
        assert list(map(told, step(plan, again, frame, moment(at)))) == expected


@pytest.mark.parametrize("restarted", [False, True])
def test_what_ends_at_one_instant_comes_in_the_order_of_tags_after_a_restart_too(restarted):
    plant = RuleLog(registry(level(1), level(2, delay_on_s=14.0)), CORE)
    plant.line("08:00:00 LI2 85")
    plant.line("08:00:02 LI1 85")
    if restarted:
        kept = plant.state.to_bytes(plant.plan)
        plant.state = RuleState.from_bytes(plant.plan, kept)
    assert [line.split()[1] for line in plant.line("08:00:20 tick")] == ["LI1", "LI2"]


@given(st.data())
@settings(max_examples=40)
def test_a_new_plan_with_the_same_tags_changes_nothing(data: st.DataObject):
    plant = data.draw(plants())
    plan = compile_plan(plant)
    state = RuleState.fresh(plan, ZERO)
    todo = data.draw(steps(plant))
    for frame, at in todo:
        step(plan, state, frame, moment(at))
    carried, findings = carry(plan, state, compile_plan(plant), moment(todo[-1][1]))
    assert findings == []
    assert_same(plan, state, carried)


def level(id: int = 1, **other: object) -> Tag:
    """A level in %, 80 and 90; ten seconds to alarm, five to return; a reading each 10 s."""
    given = {
        "name": f"LI{id}",
        "unit": "%",
        "range": (0.0, 100.0),
        "limits": {Kind.H: 80.0, Kind.HH: 90.0},
        "deadband": 1.0,
        "delay_on_s": 10.0,
        "delay_off_s": 5.0,
        "interval_s": 10.0,
    }
    return tag(id, **given | other)  # type: ignore[arg-type]


def swap(plant: RuleLog, new: Registry, clock: str) -> list[str]:
    """Go on with another registry; what closed, in words."""
    plan = compile_plan(new)
    plant.state, findings = carry(plant.plan, plant.state, plan, when(clock))
    words = [f"=> {plant.words(finding)} ({finding.reason})" for finding in findings]
    plant.plan, plant.ids = plan, {tag.name: tag.id for tag in new.tags.values()}
    return words


def raised(*tags: Tag) -> RuleLog:
    """H of the first tag is active since 08:00:00, its last reading is 85 at 08:00:10."""
    plant = RuleLog(registry(*tags), CORE)
    assert plant.line("08:00:00 LI1 85") == []
    assert plant.line("08:00:10 LI1 85") == [
        "=> LI1 H RAISED onset 08:00:00 effective 08:00:10 value 85 limit 80"
    ]
    return plant


def test_what_is_unchanged_keeps_its_state_when_other_tags_come_and_go():
    plant = raised(level(1), level(2), level(7))
    plant.line("08:00:12 LI1 70")
    assert swap(plant, registry(level(1), level(3), level(5)), "08:00:13") == []
    assert plant.line("08:00:17 tick") == [
        "=> LI1 H RETURNED onset 08:00:00 effective 08:00:17 value 70 limit 80"
    ]


def test_a_lowered_limit_judges_the_held_value_as_of_the_change():
    plant = RuleLog(registry(level(limits={Kind.H: 95.0})), CORE)
    plant.line("08:00:00 LI1 85")
    assert swap(plant, registry(level()), "08:00:04") == []
    assert plant.line("08:00:15.999 tick") == []
    assert plant.line("08:00:16 tick") == [
        "=> LI1 H RAISED onset 08:00:04 effective 08:00:16 value 85 limit 80"
    ]


def test_a_raised_limit_begins_to_return_by_the_held_value_as_of_the_change():
    plant = raised(level())
    assert swap(plant, registry(level(limits={Kind.H: 88.0, Kind.HH: 90.0})), "08:00:14") == []
    assert plant.line("08:00:19 tick") == [
        "=> LI1 H RETURNED onset 08:00:00 effective 08:00:19 value 85 limit 88"
    ]


def test_a_raised_limit_forgets_the_delay_towards_an_alarm():
    plant = RuleLog(registry(level()), CORE)
    plant.line("08:00:00 LI1 85")
    swap(plant, registry(level(limits={Kind.H: 88.0})), "08:00:05")
    assert plant.line("08:00:40 tick") == []


def test_a_flagged_or_stale_value_does_not_return_by_a_change():
    higher = registry(level(limits={Kind.H: 88.0, Kind.HH: 90.0}))
    flagged = raised(level())
    flagged.line("08:00:12 LI1 85 uncertain")
    swap(flagged, higher, "08:00:14")
    assert flagged.line("08:00:50 tick") == []
    stale = raised(level(), level(2))
    swap(stale, higher, "08:05:00")
    assert [line for line in stale.line("08:06:00 tick") if " H " in line] == []


def test_a_shorter_delay_counts_from_the_onset_and_runs_out_at_the_change_at_the_earliest():
    plant = RuleLog(registry(level(delay_on_s=50.0)), CORE)
    plant.line("08:00:00 LI1 85")
    plant.line("08:00:10 LI1 85")
    assert swap(plant, registry(level()), "08:00:20") == []
    assert plant.line("08:00:20 tick") == [
        "=> LI1 H RAISED onset 08:00:00 effective 08:00:20 value 85 limit 80"
    ]


def test_a_longer_way_back_goes_on_from_where_it_began():
    plant = raised(level())
    plant.line("08:00:12 LI1 70")
    swap(plant, registry(level(delay_off_s=30.0)), "08:00:14")
    assert plant.line("08:00:41.9 tick") == []
    assert plant.line("08:00:42 tick") == [
        "=> LI1 H RETURNED onset 08:00:00 effective 08:00:42 value 70 limit 80"
    ]


def test_a_removed_tag_closes_its_alarms_with_the_reason():
    plant = raised(level(1), level(2))
    assert swap(plant, registry(level(2)), "08:00:30") == [
        f"=> LI1 H CLOSED onset 08:00:00 effective 08:00:30 value 85 limit 80 ({REMOVED})"
    ]


def test_a_new_version_closes_the_alarms_of_the_old_one():
    plant = raised(level(1))
    assert swap(plant, registry(replace(level(5), name="LI1", version=2)), "08:00:30") == [
        f"=> LI1 H CLOSED onset 08:00:00 effective 08:00:30 value 85 limit 80 ({REPLACED})"
    ]


def test_a_limit_that_is_no_longer_set_closes_its_alarm_only():
    plant = raised(level())
    plant.line("08:00:20 LI1 95")
    plant.line("08:00:30 LI1 95")
    assert swap(plant, registry(level(limits={Kind.HH: 90.0})), "08:00:40") == [
        f"=> LI1 H CLOSED onset 08:00:00 effective 08:00:40 value 95 limit 80 ({UNLIMITED})"
    ]
    plant.line("08:00:41 LI1 50")
    assert plant.line("08:00:46 tick") == [
        "=> LI1 HH RETURNED onset 08:00:20 effective 08:00:46 value 50 limit 90"
    ]


def test_rates_and_silences_of_what_is_gone_close_too():
    ramp = level(1, rate_per_min=2.0, rate_window_s=30.0, limits={}, max_silence_s=40.0)
    plant = RuleLog(registry(ramp, level(2, source=9)), CORE)
    for clock, value in (("08:00:05", 1), ("08:00:35", 3), ("08:01:05", 5), ("08:01:30", 7)):
        plant.line(f"{clock} LI1 {value}")
    plant.line("08:04:00 tick")
    assert swap(plant, registry(level(2, source=3)), "08:05:00") == [
        f"=> LI1 ROC CLOSED onset 08:00:30 effective 08:05:00 limit 2 ({REMOVED})",
        f"=> node 9 SOURCE_OFFLINE CLOSED onset -1d 08:00:00 effective 08:05:00 ({SOURCE_REMOVED})",
    ]


def test_a_new_tag_has_its_whole_silence_to_speak():
    plant = raised(level(1))
    plant.line("08:01:00 LI1 50")
    swap(plant, registry(level(1), level(2)), "08:01:00")
    plant.line("08:01:59 LI1 50")
    assert plant.line("08:02:00 tick") == []
    assert plant.line("08:02:00.1 tick") == [
        "=> LI2 OFFLINE RAISED onset -1d 08:00:00 effective -1d 08:01:00"
    ]


def test_a_snapshot_meets_another_plan():
    plant = raised(level(1), level(2), level(3))
    plant.line("08:00:12 LI1 70 | LI2 85 | LI3 85")
    data = plant.state.to_bytes(plant.plan)
    plan = compile_plan(
        registry(level(1, limits={Kind.H: 81.0}), level(3), level(4), level(8, rate_per_min=1.0))
    )
    state = RuleState.from_bytes(plan, data)
    assert state.last_at().tolist() == [micros(when("08:00:12"))] * 2 + [NEVER] * 2
    found = step(plan, state, None, when("08:00:24"))
    assert [(f.tag, f.kind, f.edge) for f in found] == [(3, Kind.H, Edge.RAISED)]
    assert plan.tags.tolist() == [1, 3, 4, 8]


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", b"PK\x03\x04"])
def test_other_bytes_are_no_snapshot(data: bytes):
    with pytest.raises(SnapshotError):
        RuleState.from_bytes(compile_plan(registry(level())), data)


def test_a_snapshot_of_another_format_is_refused():
    file = BytesIO()
    np.savez(file, format=np.array(99))
    with pytest.raises(SnapshotError, match="99"):
        RuleState.from_bytes(compile_plan(registry(level())), file.getvalue())


def test_after_a_restart_exactly_the_alarms_of_the_book_are_active():
    plant = raised(level(1), level(2, rate_per_min=1.0), level(3))
    plant.line("08:00:11 LI2 50 | LI3 50")
    onset = when("07:30:00")
    orphans = plant.state.adopt(
        plant.plan,
        [
            (Kind.HH, 2, onset),
            (Kind.ROC, 2, onset),
            (Kind.OFFLINE, 3, onset),
            (Kind.SOURCE_OFFLINE, 3, onset),
            (Kind.H, 77, onset),
            (Kind.L, 1, onset),
            (Kind.ROC, 1, onset),
            (Kind.SOURCE_OFFLINE, 55, onset),
        ],
    )
    assert [(kind, subject) for kind, subject, _ in orphans] == [
        (Kind.H, 77),
        (Kind.L, 1),
        (Kind.ROC, 1),
        (Kind.SOURCE_OFFLINE, 55),
    ]
    assert plant.line("08:00:12 LI1 50") == [
        "=> node 3 SOURCE_OFFLINE RETURNED onset 07:30:00 effective 08:00:12"
    ]
    assert plant.line("08:00:13 LI2 50 | LI3 50") == [
        "=> LI3 OFFLINE RETURNED onset 07:30:00 effective 08:00:13 value 50"
    ]
    assert plant.line("08:00:18 tick") == [
        "=> LI2 HH RETURNED onset 07:30:00 effective 08:00:18 value 50 limit 90"
    ]


def test_an_adopted_alarm_is_not_worse_before_its_limit_is_exceeded_further():
    plant = RuleLog(registry(level()), CORE)
    plant.line("08:00:00 LI1 50")
    plant.state.adopt(plant.plan, [(Kind.HH, 1, when("07:30:00"))])
    assert plant.line("08:00:10 LI1 70 uncertain") == []
    assert plant.line("08:00:20 LI1 91.5 uncertain") == [
        "=> LI1 HH WORSE onset 07:30:00 effective 08:00:20 value 91.5 limit 90"
    ]


def test_a_delay_that_runs_towards_an_alarm_survives_the_book():
    plant = RuleLog(registry(level()), CORE)
    plant.line("08:00:00 LI1 85")
    plant.state.adopt(plant.plan, [])
    assert plant.line("08:00:12 tick") == [
        "=> LI1 H RAISED onset 08:00:00 effective 08:00:12 value 85 limit 80"
    ]


def test_adopting_what_is_active_anyway_changes_nothing():
    plant = raised(level())
    plant.line("08:00:12 LI1 70")
    before = contents(plant.plan, plant.state)
    assert plant.state.adopt(plant.plan, [(Kind.H, 1, when("08:00:00"))]) == []
    assert_alike(contents(plant.plan, plant.state), before)


def waves(plan: Plan, state: RuleState, begin: int, end: int) -> list[Finding]:
    """What layers of single tags find in these samples of gauges that swing over their limits."""
    out: list[Finding] = []
    for n in range(begin, end):
        at = ZERO + (n + 1) * 50_000
        value = [reading(tag % 12, n) for tag in range(len(plan))]
        sent = Frame.of(plan.tags, np.full(len(plan), at), value, received=at)
        out += step(plan, state, sent, moment(at))
    return [one for one in out if one.kind in (Kind.PREDICT, Kind.CHANGE)]


@pytest.mark.parametrize("ahead", [1, 4, 30])
def test_alarms_that_are_known_before_their_samples_change_nothing(ahead: int):
    """An alarm can be durable before the samples that raised it: these come once more."""
    limits = {Kind.H: 80.0, Kind.HH: 90.0}
    made = (tag(n, limits=limits, range=(0.0, 100.0), interval_s=1.0) for n in range(1, 11))
    plan = compile_plan(registry(*made))
    sound, state = RuleState.fresh(plan, ZERO), RuleState.fresh(plan, ZERO)
    expected, found = waves(plan, sound, 0, 1800), []
    active: dict[tuple[Kind, int], datetime] = {}
    ended: dict[tuple[Kind, int], datetime] = {}
    for begin in range(0, 1800, 45):
        new = waves(plan, state, begin, begin + 45)
        soon = RuleState.from_bytes(plan, state.to_bytes(plan))
        known = waves(plan, soon, begin + 45, min(begin + 45 + ahead, 1800))
        for one in (*new, *known):
            key = one.kind, one.tag or 0
            if one.edge is Edge.RETURNED:
                ended[key] = max(one.effective, ended.get(key, one.effective))
                if active.get(key) == one.onset:
                    del active[key]
            elif one.onset > active.get(key, ended.get(key, moment(ZERO))):
                active[key] = one.onset
        found += [*new, *known]
        over = [(*key, when) for key, when in ended.items() if key not in active]
        state.adopt(plan, [(*key, onset) for key, onset in active.items()], over)
    assert {told(one) for one in expected} == {told(one) for one in found}
    ours, theirs = contents(plan, state), contents(plan, sound)
    layers = [name for name in ours if name.startswith(("change.", "forecast."))]
    assert_alike({name: ours[name] for name in layers}, theirs)


def test_an_empty_plant_can_be_watched():
    plan = compile_plan(registry())
    state = RuleState.fresh(plan, ZERO)
    again = RuleState.from_bytes(plan, state.to_bytes(plan))
    full = compile_plan(registry(tag(1, kind=TagKind.LEVEL)))
    frame = steps_frame()
    assert step(plan, again, frame, moment(ZERO)) == []
    assert next_due(plan, again) is None
    state, findings = carry(plan, again, full, moment(ZERO))
    assert findings == []
    assert carry(full, state, plan, moment(ZERO))[1] == []


def steps_frame():
    return RuleLog(registry(tag(1, "A")), CORE).frame("A 1", when("08:00:00"))
