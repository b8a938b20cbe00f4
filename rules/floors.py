"""Floors F1 to F6 and F9: conditions under which the colour is at least so high (domain.md 4.5b).

Each function answers int8[m], the colour that its floor asks for by source, and notes in `holds`
(int32[k]) which alarms hold it. Latches come later: until then what they would keep, GAS_L2, trips
and fire, counts until it has returned and is acknowledged.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Ints
from domain.instant import FAR
from domain.risk import (
    AlarmClass,
    Bytes,
    Colour,
    Family,
    Floor,
    Function,
    Mask,
    Phase,
    RiskFacts,
)
from domain.risk_model import FloorModel
from rules.pairs import Pairs, close, equal, near

_INNER = (Kind.LL, Kind.HH)
_HIGH = (1, 2)
"""Grades 一级 and 二级."""


class Floors(NamedTuple):
    """colours: int8[m, 8] by `Floor`, that of LOSS left BLUE. maybe_test: bool[m]. holds: int32[k],
    bit f = the alarm holds floor f."""

    colours: Bytes
    maybe_test: Mask
    holds: NDArray[np.int32]


def floors(model: FloorModel, facts: RiskFacts, now: int) -> Floors:
    """All floors at instant `now`, microseconds."""
    found = Floors(
        np.zeros((len(facts.sources.ids), len(Floor)), np.int8),
        np.zeros(len(facts.sources.ids), np.bool_),
        np.zeros(len(facts.alarms), np.int32),
    )
    alarms = facts.alarms
    active = alarms.phase == Phase.ACTIVE
    unanswered = np.minimum(now, alarms.acknowledged) - alarms.since
    high = _high(facts)
    _together(model, facts, now, high, found)
    _one_detector(model, facts, active, unanswered, now, found)
    _one_after_another(model, facts, now, high, found)
    _fire(model, facts, found)
    _reactor(facts, active, found)
    _hold(facts, found, Floor.F4, _is(facts, AlarmClass.GAS_L2, AlarmClass.SIS_TRIP))
    inner = active & np.isin(alarms.kind, _INNER)
    critical = inner & np.append(facts.tags.safety_critical, False)[alarms.tag]
    grave = np.isin(facts.sources.grade, _HIGH)[alarms.source]
    _hold(facts, found, Floor.F5, critical & grave)
    _hold(facts, found, Floor.F5, critical & ~grave, Colour.YELLOW)
    waiting = inner | (active & _is(facts, AlarmClass.GAS_L1))
    _hold(facts, found, Floor.F6, waiting & (unanswered > model.unacknowledged))
    _silent(model, facts, now, found)
    return found


def _is(facts: RiskFacts, *classes: AlarmClass) -> Mask:
    return np.isin(facts.alarms.alarm_class, classes)


def _hold(
    facts: RiskFacts, found: Floors, floor: Floor, which: Mask, colour: Colour = Colour.ORANGE
) -> None:
    """These alarms (bool[k]) hold a floor at a colour."""
    np.maximum.at(found.colours[:, floor], facts.alarms.source[which], np.int8(colour))
    found.holds[which] |= 1 << floor


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
    np.maximum.at(found.colours[:, Floor.F1], source, np.int8(colour))
    alarm = facts.pulses.alarm[row]
    found.holds[alarm[alarm >= 0]] |= 1 << Floor.F1


def _one_detector(
    model: FloorModel, facts: RiskFacts, active: Mask, unanswered: Ints, now: int, found: Floors
) -> None:
    """F1 (c) signal lost or flame, and (d) unanswered."""
    alarms, tags = facts.alarms, facts.tags
    high = active & _is(facts, AlarmClass.GAS_L2)
    blind = np.append(tags.blind, FAR)[alarms.tag] <= now
    lost = blind | (facts.sources.lost[alarms.source] <= now)
    fire = np.flatnonzero(_is(facts, AlarmClass.FIRE))
    flame = np.isin(alarms.source, alarms.source[fire])
    gas = np.flatnonzero(high & (alarms.tag >= 0))
    anything = np.zeros(len(tags.ids), np.int8)
    fire = fire[alarms.tag[fire] >= 0]
    by = close(tags, anything, alarms.tag[gas], alarms.tag[fire], model.distance)
    flame[gas[by.left]] = True
    red = high & (lost | flame | (unanswered > model.gas_unacknowledged))
    _hold(facts, found, Floor.F1, red, Colour.RED)


def _fire(model: FloorModel, facts: RiskFacts, found: Floors) -> None:
    """F2. Independent: of different cause groups."""
    fire = np.flatnonzero(_is(facts, AlarmClass.FIRE))
    first = fire[np.unique(facts.alarms.cause[fire], return_index=True)[1]]
    signals = np.bincount(facts.alarms.source[first], minlength=len(facts.sources.ids))
    confirmed = signals >= model.fire_signals
    which = _is(facts, AlarmClass.FIRE) & confirmed[facts.alarms.source]
    _hold(facts, found, Floor.F2, which, Colour.RED)


def _reactor(facts: RiskFacts, active: Mask, found: Floors) -> None:
    """F3: TEMP_HH of a reactor with a temperature rate alarm or a FLOW_LL of the same reactor."""
    alarms, tags = facts.alarms, facts.tags
    reactor = np.append(tags.reactor, -1)[alarms.tag]
    active = active & (reactor >= 0)
    warm = np.append(tags.function, Function.OTHER)[alarms.tag] == Function.TEMPERATURE
    hot = active & _is(facts, AlarmClass.TEMP) & (alarms.kind == Kind.HH)
    dry = _is(facts, AlarmClass.FLOW) & (alarms.kind == Kind.LL)
    worse = active & (dry | (warm & (alarms.kind == Kind.ROC)))
    runaway = np.intersect1d(reactor[hot], reactor[worse])
    which = (hot | worse) & np.isin(reactor, runaway)
    _hold(facts, found, Floor.F3, which, Colour.RED)


def _silent(model: FloorModel, facts: RiskFacts, now: int, found: Floors) -> None:
    """F9; its unknown axis is told by `unknown`."""
    silent = now - facts.sources.silent
    colour = np.where(silent >= model.unknown_yellow, Colour.YELLOW, Colour.BLUE)
    high = np.isin(facts.sources.grade, _HIGH)
    colour[high & (silent >= model.unknown_orange)] = Colour.ORANGE
    found.colours[:, Floor.F9] = colour


def unknown(model: FloorModel, facts: RiskFacts, now: int) -> Mask:
    """bool[m]: sources without data for long enough, and those that have no tags at all."""
    tagged = np.bincount(facts.tags.source, minlength=len(facts.sources.ids)) > 0
    return (now - facts.sources.silent >= model.unknown) | ~tagged
