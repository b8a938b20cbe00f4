"""The law of the model, and its agreement with a slow reference.

The law: acknowledging an alarm whose condition holds never lowers a score, a floor or a colour; no
loss of data does.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Kind, Priority, State
from domain.plant import TagKind
from domain.risk import Floor
from rules.risk import ColourState, explain, settle
from tests.support.builders import at
from tests.support.reference_risk import GAS, Slow
from tests.support.risk import MODEL, SOURCE, alarm, assessed, judged, site, tag

KINDS = (
    TagKind.GAS_TOXIC,
    TagKind.GAS_COMBUSTIBLE,
    TagKind.OXYGEN,
    TagKind.FIRE,
    TagKind.LEVEL,
    TagKind.PRESSURE,
    TagKind.INTERLOCK,
    TagKind.FLOW,
)
NOW = 15_000.0
SOURCES = (SOURCE, 4)
WHEN = st.sampled_from([0.0, 600.0, 13_199.0, 13_200.0, 14_000.0, 14_399.0, 14_401.0, 14_699.0,
                        14_701.0, 14_990.0, 14_996.0, NOW])  # fmt: skip


@st.composite
def plants(draw):
    """A registry of two sources, and open alarms of all kinds in all states before `NOW`."""
    tags = [
        tag(
            id,
            draw(st.sampled_from(KINDS)),
            source=draw(st.sampled_from(SOURCES)),
            zone=draw(st.sampled_from(["A", "B"])),
            safety_critical=draw(st.booleans()),
        )
        for id in range(1, draw(st.integers(2, 9)))
    ]
    grades = {source: draw(st.sampled_from([None, 1, 2, 3, 4])) for source in SOURCES}
    registry = site(*tags, grades=grades)
    alarms = []
    for one in tags:
        low = [] if one.kind in GAS else [Kind.LL, Kind.L]
        kinds = draw(st.sets(st.sampled_from([*low, Kind.H, Kind.HH, Kind.ROC])))
        alarms += [draw(opened(registry, one.id, kind)) for kind in sorted(kinds)]
    return registry, alarms + draw(losses(registry))


@st.composite
def opened(draw, registry, who, kind):
    since = draw(WHEN)
    priority = draw(st.sampled_from([None, *Priority]))
    acknowledged = draw(st.none() | WHEN.filter(lambda t: t >= since))
    found = alarm(registry, who, kind, since, priority=priority, acknowledged=acknowledged)
    back = acknowledged is None and kind is not Kind.HH and since < NOW - 30 and draw(st.booleans())
    return replace(found, state=State.RTNUN, ended=at(NOW)) if back else found


@st.composite
def losses(draw, registry):
    lost = draw(st.sets(st.sampled_from(sorted(registry.tags))))
    found = [alarm(registry, id, Kind.OFFLINE, draw(WHEN)) for id in sorted(lost)]
    silent = sorted(draw(st.sets(st.sampled_from(SOURCES))))
    return found + [alarm(registry, id, Kind.SOURCE_OFFLINE, draw(WHEN)) for id in silent]


def not_lower(before, after):
    assert (after.score >= before.score).all()
    assert (after.floors >= before.floors).all()
    assert (after.wanted >= before.wanted).all()
    assert (after.unknown >= before.unknown).all()


@settings(max_examples=150, deadline=None)
@given(plants())
def test_arrays_agree_with_the_slow_reference(plant):
    registry, alarms = plant
    result = assessed(registry, alarms, NOW)
    for row, source in enumerate(SOURCES):
        slow = Slow(registry, source, alarms, at(NOW).timestamp())
        assert result.score[row] == pytest.approx(slow.score(), abs=1e-8)
        assert {floor: result.floors[row, floor] for floor in Floor} == slow.floors()


@settings(max_examples=60, deadline=None)
@given(plants(), st.data())
def test_acknowledging_what_still_holds_lowers_nothing(plant, data):
    registry, alarms = plant
    holding = [k for k, found in enumerate(alarms) if found.state is State.UNACK]
    chosen = data.draw(st.sets(st.sampled_from(holding))) if holding else set()
    after = [
        replace(found, state=State.ACKED, acknowledged_at=at(NOW)) if k in chosen else found
        for k, found in enumerate(alarms)
    ]
    now = assessed(registry, alarms, NOW)
    not_lower(now, assessed(registry, after, NOW))
    for later in (1, 60, 1000):
        assert (assessed(registry, after, NOW + later).score >= now.score).all()


@settings(max_examples=150, deadline=None)
@given(plants(), st.data())
def test_no_loss_of_data_lowers_anything(plant, data):
    registry, alarms = plant
    seen = set(registry.tags) - {a.tag for a in alarms if a.kind is Kind.OFFLINE}
    lost = data.draw(st.sets(st.sampled_from(sorted(seen)))) if seen else set()
    times = st.sampled_from([1, 30, 60, 61, 90, 3000])
    more = [alarm(registry, id, Kind.OFFLINE, NOW + data.draw(times)) for id in sorted(lost)]
    for source in SOURCES:
        known = any(a.kind is Kind.SOURCE_OFFLINE and a.node == source for a in alarms)
        if not known and data.draw(st.booleans()):
            when = NOW + data.draw(times)
            more.append(alarm(registry, source, Kind.SOURCE_OFFLINE, when))
    for instant in sorted({found.effective for found in more}):
        now = (instant - at(0)).total_seconds()
        earlier = [found for found in more if found.effective < instant]
        there = [found for found in more if found.effective <= instant]
        without = assessed(registry, alarms + earlier, now)
        not_lower(without, assessed(registry, alarms + there, now))


@settings(max_examples=60, deadline=None)
@given(plants(), st.data())
def test_neither_acknowledging_nor_losing_data_lets_the_shown_colour_fall(plant, data):
    registry, alarms = plant
    result = assessed(registry, alarms, NOW)
    state, _ = settle(MODEL, ColourState.fresh(), result, at(NOW))
    acked = [
        replace(a, state=State.ACKED, acknowledged_at=at(NOW)) if a.state is State.UNACK else a
        for a in alarms
    ]
    gone = [alarm(registry, id, Kind.SOURCE_OFFLINE, NOW) for id in SOURCES]
    kinds = {(a.kind, a.node) for a in alarms}
    gone = [a for a in gone if (a.kind, a.node) not in kinds]
    calm_before = result.wanted == 0
    for step in range(1, 40):
        when = NOW + step * 30
        result = assessed(registry, acked + gone, when)
        after, _ = settle(MODEL, state, result, at(when))
        assert (after.colour >= np.where(calm_before, 0, state.colour)).all()
        state = after


@settings(max_examples=60, deadline=None)
@given(plants())
def test_explanations_add_up(plant):
    registry, alarms = plant
    facts, result = judged(registry, alarms, NOW)
    for row, source in enumerate(SOURCES):
        reasons = explain(result, facts, source)
        shown = round(float(result.score[row]), 1)
        assert sum(reason.points for reason in reasons) == pytest.approx(shown, abs=0.051)
        assert all(abs(r.points * 10 - round(r.points * 10)) < 1e-9 for r in reasons)


@settings(max_examples=60, deadline=None)
@given(plants(), st.randoms())
def test_the_order_of_alarms_does_not_matter(plant, random):
    registry, alarms = plant
    mixed = random.sample(alarms, len(alarms))
    one, other = assessed(registry, alarms, NOW), assessed(registry, mixed, NOW)
    assert one.score == pytest.approx(other.score)
    assert (one.floors == other.floors).all()
