"""Floors of gas: F1, several or corroborated detectors, and F13, hot work near gas (domain.md
4.5b)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Ints
from domain.risk import Colour, Floor, RiskFacts
from domain.risk_facts import AlarmClass, Effect, Family, Function, Mask, Phase
from domain.risk_model import FloorModel
from rules.holding import Floors, hold, is_class, of_tag
from rules.pairs import Pairs, close, equal, near


def gas_floors(
    model: FloorModel, facts: RiskFacts, unanswered: Ints, now: int, found: Floors
) -> None:
    """F1 and F13. unanswered: int64[k], microseconds."""
    high = _high(facts)
    _together(model, facts, now, high, found)
    _one_detector(model, facts, unanswered, now, found)
    _one_after_another(model, facts, now, high, found)
    _hot_work(model, facts, found)


class _High(NamedTuple):
    """Pulses at or above AH, [h] each, as excursions of their detector above AL.

    row: rows of the pulses. begin, back: int64, of the whole excursion, back FAR = it goes on.
    """

    row: NDArray[np.intp]
    begin: Ints
    back: Ints


def _high(facts: RiskFacts) -> _High:
    pulses = facts.pulses
    row = np.flatnonzero(pulses.high)
    begin, back = pulses.since[row], pulses.back[row]
    same = equal(pulses.tag[row], pulses.tag)
    i, j = same.left, same.right
    same = same.only((pulses.since[j] <= back[i]) & (pulses.since[row[i]] <= pulses.back[j]))
    np.minimum.at(begin, same.left, pulses.since[same.right])
    np.maximum.at(back, same.left, pulses.back[same.right])
    return _High(row, begin, back)


def _together(model: FloorModel, facts: RiskFacts, now: int, high: _High, found: Floors) -> None:
    """F1 (a): two detectors of one gas and place are held at once, for long enough."""
    pulses, tags = facts.pulses, facts.tags
    until = pulses.back + model.gas_held
    until[high.row] = high.back + model.gas_held
    held = (until > now) & (now - pulses.since >= model.gas_together)
    any_tag, high_tag = np.unique(pulses.tag[held]), np.unique(pulses.tag[held & pulses.high])
    cloud = np.zeros(len(tags.ids), np.bool_)
    place = tags.place.astype(np.int64) * len(Family) + tags.family
    places, count = np.unique(place[any_tag], return_counts=True)
    several = np.intersect1d(places[count > 1], place[high_tag])
    cloud[any_tag] = np.isin(place[any_tag], several)
    i, j = close(tags, tags.family, high_tag, any_tag, model.distance)
    other = high_tag[i] != any_tag[j]
    cloud[high_tag[i[other]]] = cloud[any_tag[j[other]]] = True
    _pulses_hold(facts, found, np.flatnonzero(held & cloud[pulses.tag]), Colour.RED)


def _one_after_another(
    model: FloorModel, facts: RiskFacts, now: int, high: _High, found: Floors
) -> None:
    """F1 (b): short pulses that never overlap look like a test; one that still lasts may yet be
    short. Sources that are red already are not asked."""
    tag = facts.pulses.tag[high.row]
    calm = np.flatnonzero(found.colours[facts.tags.source[tag], Floor.F1] < Colour.RED)
    pairs = near(facts.tags, tag[calm], tag, model.distance)
    pairs = Pairs(calm[pairs.left], pairs.right)
    own = facts.pulses.back[high.row]
    since = facts.pulses.since[high.row]
    i, j = pairs
    gap = np.maximum(since[i], since[j]) - np.minimum(own[i], own[j])
    age = now - np.maximum(own[i], own[j])
    pairs = pairs.only((gap <= model.gas_within) & (age <= model.gas_within))
    i, j = pairs
    long = np.minimum(high.back, now) - high.begin > model.gas_pulse
    overlap = np.maximum(high.begin[i], high.begin[j]) <= np.minimum(high.back[i], high.back[j])
    leak = overlap | long[i] | long[j]
    rows = [np.concatenate([high.row[i[w]], high.row[j[w]]]) for w in (leak, ~leak)]
    _pulses_hold(facts, found, rows[0], Colour.RED)
    _pulses_hold(facts, found, rows[1], Colour.ORANGE)
    found.maybe_test[facts.tags.source[facts.pulses.tag[rows[1]]]] = True
    found.maybe_test[found.colours[:, Floor.F1] == Colour.RED] = False


def _pulses_hold(facts: RiskFacts, found: Floors, row: NDArray[np.intp], colour: Colour) -> None:
    source = facts.tags.source[facts.pulses.tag[row]]
    found.colours[source, Floor.F1] = np.maximum(found.colours[source, Floor.F1], colour)
    alarm = facts.pulses.alarm[row]
    found.holds[alarm[alarm >= 0]] |= 1 << Floor.F1


def _one_detector(
    model: FloorModel, facts: RiskFacts, unanswered: Ints, now: int, found: Floors
) -> None:
    """F1 (c) over-range, signal lost, flame, or a matching fall, and (d) unanswered."""
    alarms = facts.alarms
    high = is_class(facts, AlarmClass.GAS_L2) & (alarms.phase == Phase.ACTIVE)
    red = _lost(facts, now) | alarms.beyond | (unanswered > model.gas_unacknowledged)
    gas = np.flatnonzero(high)
    red[gas] |= _flame(model, facts, gas) | _falling(model, facts, gas)
    hold(facts, found, Floor.F1, high & red, Colour.RED)


def _lost(facts: RiskFacts, now: int) -> Mask:
    """bool[k]: the tag of the alarm can't be seen, or its detector has a fault."""
    alarms, tags = facts.alarms, facts.tags
    dark = tags.blind <= now
    faults = (alarms.kind == Kind.DETECTOR_FAULT) & (alarms.phase != Phase.RETURNED)
    dark[alarms.tag[faults & (alarms.tag >= 0)]] = True
    lost: Mask = of_tag(facts, dark, False) | (facts.sources.lost[alarms.source] <= now)
    return lost


def _flame(model: FloorModel, facts: RiskFacts, gas: NDArray[np.intp]) -> Mask:
    """bool[g]: fire in the same source, or near. gas: intp[g], rows of alarms."""
    alarms, tags = facts.alarms, facts.tags
    fire = np.flatnonzero(is_class(facts, AlarmClass.FIRE))
    burns = np.bincount(alarms.source[fire], minlength=len(facts.sources.ids)) > 0
    flame: Mask = burns[alarms.source[gas]]
    anything = np.zeros(len(tags.ids), np.int8)
    placed, fire = np.flatnonzero(alarms.tag[gas] >= 0), fire[alarms.tag[fire] >= 0]
    by = close(tags, anything, alarms.tag[gas[placed]], alarms.tag[fire], model.distance)
    flame[placed[by.left]] = True
    return flame


def _falling(model: FloorModel, facts: RiskFacts, gas: NDArray[np.intp]) -> Mask:
    """bool[g]: level or pressure of the same source fell at about the same time."""
    alarms = facts.alarms
    function = of_tag(facts, facts.tags.function, Function.OTHER)
    held = (function == Function.LEVEL) | (function == Function.PRESSURE)
    fall = np.flatnonzero(alarms.falls & held & (alarms.phase == Phase.ACTIVE))
    by = equal(alarms.source[gas], alarms.source[fall])
    apart = np.abs(alarms.since[gas[by.left]] - alarms.since[fall[by.right]])
    found = np.zeros(len(gas), np.bool_)
    found[by.left[apart <= model.gas_within]] = True
    return found


def _hot_work(model: FloorModel, facts: RiskFacts, found: Floors) -> None:
    """F13: both the source of the gas and that of the work are orange. Where one of the places is
    unknown, all of a source counts as near."""
    alarms, tags, inputs = facts.alarms, facts.tags, facts.inputs
    work = np.flatnonzero(inputs.effect == Effect.HOT_WORK)
    leaks = is_class(facts, AlarmClass.GAS_L1, AlarmClass.GAS_L2)
    gas = np.flatnonzero(leaks & (alarms.phase == Phase.ACTIVE) & (alarms.tag >= 0))
    tag = alarms.tag[gas]
    by = equal(inputs.enterprise[work], tags.enterprise[tag])
    i, j = work[by.left], gas[by.right]
    apart = np.hypot(inputs.x[i] - tags.x[alarms.tag[j]], inputs.y[i] - tags.y[alarms.tag[j]])
    same = np.isnan(apart) & (inputs.source[i] == alarms.source[j])
    near_by = same | (apart <= model.hot_work)
    i, j = i[near_by], j[near_by]
    found.holds[j] |= 1 << Floor.F13
    found.input_holds[i] |= 1 << Floor.F13
    for source in (inputs.source[i], alarms.source[j]):
        found.colours[source, Floor.F13] = Colour.ORANGE
