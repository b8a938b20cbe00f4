"""Floors: conditions under which the colour is at least so high (domain.md 4.5b).

Each function notes the colour that its floor asks for by source, and which alarms and inputs hold
it. What latches (GAS_L2, trips, fire) holds F4 and F2 until it is reset. There is no F7 or F10.
"""

import numpy as np

from domain.alarms import Kind
from domain.risk import Colour, Floor, RiskFacts
from domain.risk_facts import AlarmClass, Bytes, Effect, Function, Mask, Phase, Rows
from domain.risk_model import FloorModel
from rules.floors_gas import gas_floors
from rules.holding import Floors, hold, hold_by_input, is_class, of_tag

_HIGH = (1, 2)
"""Grades 一级 and 二级."""
_OF_SIGHT = (Floor.F9, Floor.LOSS)
"""Floors of lost data, on which F12 does not stand."""


def floors(model: FloorModel, facts: RiskFacts, now: int) -> Floors:
    """All floors at instant `now`, microseconds, but LOSS and F12."""
    found = Floors.none(facts)
    alarms = facts.alarms
    active = alarms.phase == Phase.ACTIVE
    unanswered = np.minimum(now, alarms.acknowledged) - alarms.since
    gas_floors(model, facts, unanswered, now, found)
    _fire(model, facts, found)
    _reactor(facts, active, found)
    hold(facts, found, Floor.F4, is_class(facts, AlarmClass.GAS_L2, AlarmClass.SIS_TRIP))
    inner = active & ((alarms.kind == Kind.LL) | (alarms.kind == Kind.HH)) & ~alarms.eased
    critical = inner & of_tag(facts, facts.tags.safety_critical, False)
    grave = np.isin(facts.sources.grade, _HIGH)[alarms.source]
    hold(facts, found, Floor.F5, critical & grave)
    hold(facts, found, Floor.F5, critical & ~grave, Colour.YELLOW)
    waiting = inner | (active & is_class(facts, AlarmClass.GAS_L1))
    hold(facts, found, Floor.F6, waiting & (unanswered > model.unacknowledged))
    _stored(facts, active, found)
    _silent(model, facts, now, found)
    _dosing(facts, active, found)
    _said(facts, found)
    return found


def one_up(found: Floors, by_score: Bytes, lost: Mask) -> None:
    """F12, signals lost during an incident (bool[m]): one colour above what is asked for without
    the loss itself, at least orange. by_score: int8[m], of the score without part L."""
    others = [floor for floor in Floor if floor is not Floor.F12 and floor not in _OF_SIGHT]
    asked = np.maximum(by_score, found.colours[:, others].max(axis=1))
    up = np.clip(asked + 1, Colour.ORANGE, Colour.RED)
    found.colours[:, Floor.F12] = np.where(lost, up, Colour.BLUE)


def _fire(model: FloorModel, facts: RiskFacts, found: Floors) -> None:
    """F2. Independent: of different cause groups."""
    fire = np.flatnonzero(is_class(facts, AlarmClass.FIRE))
    first = fire[np.unique(facts.alarms.cause[fire], return_index=True)[1]]
    signals = np.bincount(facts.alarms.source[first], minlength=len(facts.sources.ids))
    confirmed = signals >= model.fire_signals
    which = is_class(facts, AlarmClass.FIRE) & confirmed[facts.alarms.source]
    hold(facts, found, Floor.F2, which, Colour.RED)


def _reactor(facts: RiskFacts, active: Mask, found: Floors) -> None:
    """F3: TEMP_HH of a reactor with a temperature rate alarm or a FLOW_LL of the same reactor."""
    alarms, tags = facts.alarms, facts.tags
    reactor = of_tag(facts, tags.reactor, -1)
    active = active & (reactor >= 0)
    warm = of_tag(facts, tags.function, Function.OTHER) == Function.TEMPERATURE
    hot = active & is_class(facts, AlarmClass.TEMP) & (alarms.kind == Kind.HH)
    dry = is_class(facts, AlarmClass.FLOW) & (alarms.kind == Kind.LL)
    worse = active & (dry | (warm & (alarms.kind == Kind.ROC)))
    runaway = np.intersect1d(reactor[hot], reactor[worse])
    which = (hot | worse) & np.isin(reactor, runaway)
    hold(facts, found, Floor.F3, which, Colour.RED)


def _silent(model: FloorModel, facts: RiskFacts, now: int, found: Floors) -> None:
    """F9; its unknown axis is told by `unknown`."""
    silent = now - facts.sources.silent
    colour = np.where(silent >= model.unknown_yellow, Colour.YELLOW, Colour.BLUE)
    high = np.isin(facts.sources.grade, _HIGH)
    excused = np.bincount(_by_input(facts, Effect.OFFLINE), minlength=len(silent)) > 0
    colour[high & (silent >= model.unknown_orange) & ~excused] = Colour.ORANGE
    found.colours[:, Floor.F9] = colour


def _by_input(facts: RiskFacts, effect: Effect) -> Rows:
    """Rows of the sources on which inputs have this effect."""
    rows: Rows = facts.inputs.source[facts.inputs.effect == effect]
    return rows


def _stored(facts: RiskFacts, active: Mask, found: Floors) -> None:
    """F8. The alarm itself waits ten minutes."""
    more = active & (facts.alarms.kind == Kind.INVENTORY)
    grave = facts.sources.grave[facts.alarms.source]
    hold(facts, found, Floor.F8, more & grave)
    hold(facts, found, Floor.F8, more & ~grave, Colour.YELLOW)


def _dosing(facts: RiskFacts, active: Mask, found: Floors) -> None:
    """F14: a reactor into which something may be dosed has lost coolant or stirrer."""
    alarms, tags = facts.alarms, facts.tags
    dry = is_class(facts, AlarmClass.FLOW) & (alarms.kind == Kind.LL)
    gone = dry | is_class(facts, AlarmClass.STATE, AlarmClass.UTILITY)
    which = active & ~alarms.eased & gone & of_tag(facts, tags.cools, False)
    reactor = of_tag(facts, tags.reactor, -1)
    which &= np.isin(reactor, tags.reactor[np.flatnonzero(tags.doses)])
    hold(facts, found, Floor.F14, which)


def _said(facts: RiskFacts, found: Floors) -> None:
    """F11 and F15."""
    inputs = facts.inputs
    hold_by_input(facts, found, Floor.F11, inputs.effect == Effect.COLOUR, inputs.colour)
    orange = np.full_like(inputs.colour, Colour.ORANGE)
    hold_by_input(facts, found, Floor.F15, inputs.effect == Effect.REPORT, orange)


def unknown(model: FloorModel, facts: RiskFacts, now: int) -> Mask:
    """bool[m]: sources without data for long enough, and those that have no tags at all."""
    untagged: Mask = facts.census.tags == 0
    return untagged | (now - facts.sources.silent >= model.unknown)
