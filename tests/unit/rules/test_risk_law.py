"""The law of the model, and its agreement with a slow reference.

The law: neither acknowledging an alarm whose condition holds, nor a permit, a mode or removal from
service ever lowers a score, a floor or a colour; and no loss of data does.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Kind, Priority, State
from domain.plant import TagKind
from domain.risk import Floor, Part
from rules.explaining import held_by
from rules.risk import ColourState, explain, settle
from tests.support.builders import at
from tests.support.reference_risk import GAS, Slow
from tests.support.risk import (
    ENTERPRISE,
    MODEL,
    SOURCE,
    alarm,
    assessed,
    judged,
    said,
    signals,
    site,
    tag,
)

KINDS = (
    TagKind.GAS_TOXIC,
    TagKind.GAS_COMBUSTIBLE,
    TagKind.OXYGEN,
    TagKind.FIRE,
    TagKind.LEVEL,
    TagKind.PRESSURE,
    TagKind.INTERLOCK,
    TagKind.FLOW,
    TagKind.STATE,
    TagKind.TEMPERATURE,
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
            equipment=draw(st.sampled_from([None, "R-1", "V-1"])),
            limits=draw(st.sampled_from([{}, {Kind.LL: 1.0}])),
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
    stored = draw(st.sets(st.sampled_from(SOURCES)))
    alarms += [alarm(registry, id, Kind.INVENTORY, draw(WHEN)) for id in sorted(stored)]
    return registry, alarms + draw(losses(registry))


@st.composite
def told(draw, registry):
    """What forecast, inventory and flows say."""
    tags, fills = st.sampled_from(sorted(registry.tags)), st.sampled_from([0.5, 0.9, 0.99, 1.01])
    times = st.sampled_from([0.0, 300.0, 300.1, 600.0, 1200.0, 2400.0, 2401.0, float("inf")])
    return signals(
        draw(st.dictionaries(tags, times, max_size=3)),
        draw(st.dictionaries(st.sampled_from(SOURCES), fills | st.just(float("nan")))),
        draw(st.sets(tags, max_size=2)),
    )


MODES = st.sampled_from(["run", "start_up", "shutdown", "empty", "turnaround"])
BEGUN = st.sampled_from([0.0, 599.0, 13_000.0, 13_500.0, 14_985.0, 14_999.0])
ENDS = st.sampled_from([None, 13_600.0, 14_995.0, 16_000.0])


@st.composite
def sayings(draw, registry):
    """What people have said by `NOW`, each thing at most once of each subject."""
    found = []
    for id in sorted(draw(st.sets(st.sampled_from(sorted(registry.tags)), max_size=3))):
        since, until = draw(BEGUN), draw(ENDS)
        if registry.tags[id].kind not in GAS and (until is None or since < until):
            node = registry.tags[id].source
            found.append(said("permit", node, since, until, tag=id, work="out_of_service"))
    for source in SOURCES:
        kinds = draw(st.sets(st.sampled_from(range(8)), max_size=4))
        since, until, due = draw(BEGUN), draw(ENDS), draw(st.sampled_from([14_000.0, 16_000.0]))
        every = [
            said("mode", source, since, until, mode=draw(MODES)),
            said("manual", source, since, until, what="field_report"),
            said("colour_set", source, since, colour=draw(st.sampled_from(["yellow", "red"]))),
            said("special_work", source, since, until, work="hot_work"),
            said("offline_report", source, since, until),
            said("duty", source, 0.0, due, role="main"),
            said("hidden_hazard", source, 0.0, due, major=draw(st.booleans())),
            said("hidden_hazard", source, 1.0, due, major=False),
        ]
        found += [every[k] for k in sorted(kinds)]
    if draw(st.booleans()):
        found.append(
            said("commitment", ENTERPRISE, 0.0, draw(st.sampled_from([14_000.0, 16_000.0])))
        )
    return found


@st.composite
def opened(draw, registry, who, kind):
    since = draw(WHEN)
    priority = draw(st.sampled_from([None, *Priority]))
    acknowledged = draw(st.none() | WHEN.filter(lambda t: t >= since))
    found = alarm(registry, who, kind, since, priority=priority, acknowledged=acknowledged)
    latches = kind in (Kind.LL, Kind.HH) and who in registry.tags
    if latches and registry.tags[who].kind not in GAS and since < NOW - 30 and draw(st.booleans()):
        kept = State.LATUN if acknowledged is None else State.LATAC
        return replace(found, state=kept, ended=at(NOW), latching=True)
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


@settings(max_examples=120)
@given(plants(), st.data())
def test_arrays_agree_with_the_slow_reference(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    result = assessed(registry, alarms, NOW, (), known, people)
    for row, source in enumerate(SOURCES):
        slow = Slow(registry, source, alarms, at(NOW), known, people)
        assert result.score[row] == pytest.approx(slow.score(), abs=1e-8)
        assert {floor: result.floors[row, floor] for floor in Floor} == slow.floors()


@settings(max_examples=40)
@given(plants(), st.data())
def test_acknowledging_what_still_holds_lowers_nothing(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    holding = [k for k, found in enumerate(alarms) if found.state is State.UNACK]
    chosen = data.draw(st.sets(st.sampled_from(holding))) if holding else set()
    after = [
        replace(found, state=State.ACKED, acknowledged_at=at(NOW)) if k in chosen else found
        for k, found in enumerate(alarms)
    ]
    now = assessed(registry, alarms, NOW, (), known, people)
    not_lower(now, assessed(registry, after, NOW, (), known, people, now.memory))
    plain = assessed(registry, alarms, NOW, (), known)
    for later in (1, 60, 1000):
        assert (assessed(registry, after, NOW + later, (), known).score >= plain.score).all()


@settings(max_examples=80)
@given(plants(), st.data())
def test_no_permit_mode_or_removal_from_service_lowers_anything(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    when = NOW + data.draw(st.sampled_from([0.0, 0.5, 600.0]))
    before = assessed(registry, alarms, NOW, (), known, people)
    new = []
    for id in sorted(data.draw(st.sets(st.sampled_from(sorted(registry.tags)), min_size=1))):
        work = data.draw(st.sampled_from(["calibration", "maintenance", "out_of_service"]))
        backdated = data.draw(st.sampled_from([0.0, when]))
        source = registry.tags[id].source
        new.append(said("permit", source, backdated, NOW + 900, tag=id, recorded=when, work=work))
    for source in sorted(data.draw(st.sets(st.sampled_from(SOURCES)))):
        node = data.draw(st.sampled_from([source, 1000 + source, 2000 + source]))
        new.append(said("mode", node, 1.0, recorded=when, mode=data.draw(MODES)))
        new.append(said("permit", source, 1.0, recorded=when, work="maintenance", zone="A"))
    without = assessed(registry, alarms, when, (), known, people, before.memory)
    not_lower(without, assessed(registry, alarms, when, (), known, people + new, before.memory))


@settings(max_examples=40)
@given(plants(), st.data())
def test_neither_a_permit_nor_a_mode_lowers_anything_when_it_ends(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    quiet = [k for k, one in enumerate(people) if one.kind in ("permit", "mode")]
    ended = data.draw(st.sets(st.sampled_from(quiet))) if quiet else set()
    after = [replace(one, revoked=at(NOW)) if k in ended else one for k, one in enumerate(people)]
    before = assessed(registry, alarms, NOW - 1, (), known, people)
    with_all = assessed(registry, alarms, NOW, (), known, people, before.memory)
    without = assessed(registry, alarms, NOW, (), known, after, before.memory)
    assert (without.parts[:, :4] >= with_all.parts[:, :4]).all()
    assert (without.floors[:, :6] >= with_all.floors[:, :6]).all()


@settings(max_examples=60)
@given(plants(), st.data())
def test_no_loss_of_data_lowers_anything(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    seen = set(registry.tags) - {a.tag for a in alarms if a.kind is Kind.OFFLINE}
    lost = data.draw(st.sets(st.sampled_from(sorted(seen)))) if seen else set()
    times = st.sampled_from([1, 30, 60, 61, 90, 800])
    more = [alarm(registry, id, Kind.OFFLINE, NOW + data.draw(times)) for id in sorted(lost)]
    for source in SOURCES:
        known_lost = any(a.kind is Kind.SOURCE_OFFLINE and a.node == source for a in alarms)
        if not known_lost and data.draw(st.booleans()):
            when = NOW + data.draw(times)
            more.append(alarm(registry, source, Kind.SOURCE_OFFLINE, when))
    unknown = replace(known, fill=known.fill * np.nan, still=known.still[:0])
    memory = assessed(registry, alarms, NOW, (), known, people).memory
    for instant in sorted({found.effective for found in more}):
        now = (instant - at(0)).total_seconds()
        earlier = [found for found in more if found.effective < instant]
        there = [found for found in more if found.effective <= instant]
        without = assessed(registry, alarms + earlier, now, (), known, people, memory)
        after = assessed(registry, alarms + there, now, (), unknown, people, memory)
        not_lower(without, after)
        memory = without.memory


@settings(max_examples=30)
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


@settings(max_examples=50)
@given(plants(), st.data())
def test_explanations_add_up_to_what_is_shown(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    facts, result = judged(registry, alarms, NOW, (), known, people)
    for row, source in enumerate(SOURCES):
        reasons = explain(result, facts, source)
        tenths = [reason.points * 10 for reason in reasons]
        assert sum(map(round, tenths)) == round(float(result.score[row]) * 10)
        assert all(abs(tenth - round(tenth)) < 1e-9 for tenth in tenths)
        for part in Part:
            mine = sum(reason.points for reason in reasons if reason.part is part)
            assert mine == pytest.approx(result.parts[row, part], abs=0.11 + 0.1 * len(alarms))


@settings(max_examples=40)
@given(plants(), st.data())
def test_every_floor_says_what_holds_it(plant, data):
    registry, alarms = plant
    known, people = data.draw(told(registry)), data.draw(sayings(registry))
    facts, result = judged(registry, alarms, NOW, (), known, people)
    of_sight = {Floor.F9, Floor.LOSS, Floor.F12}
    for row, source in enumerate(SOURCES):
        held = held_by(result, facts, source)
        holding = {floor for floor in Floor if result.floors[row, floor]} - of_sight
        assert {floor for floor, _ in held} == holding


@settings(max_examples=60)
@given(plants(), st.randoms())
def test_the_order_of_alarms_does_not_matter(plant, random):
    registry, alarms = plant
    mixed = random.sample(alarms, len(alarms))
    one, other = assessed(registry, alarms, NOW), assessed(registry, mixed, NOW)
    assert one.score == pytest.approx(other.score)
    assert (one.floors == other.floors).all()
