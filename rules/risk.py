"""Four-colour risk 四色风险 of every hazard source: score D and floors (domain.md 4.5).

`assess` works everything out from the facts; what it must know of the assessment before is in the
result's `memory`. Confirmation and hysteresis of the colour are in `rules.colours`, the reasons in
`rules.explaining`; both are offered here too. D = min(100, B + A + P + V + L + M); red by score
alone needs an active gas, fire or reactor P1 or two cause groups with a P1 outside a declared mode,
else D stops at 74.9.
"""

from datetime import datetime

import numpy as np

from domain.frame import Floats
from domain.instant import micros
from domain.risk import (
    Bytes,
    Colour,
    Floor,
    Mask,
    Part,
    RiskFacts,
    RiskMemory,
    RiskModel,
    RiskResult,
)
from domain.risk_facts import Effect, Family, Phase
from domain.risk_model import ManagementModel
from rules import floors as floor_rules
from rules.colours import ColourChange, ColourState, Refusal, release, settle
from rules.explaining import explain
from rules.holding import of_tag
from rules.loss import loss
from rules.recall import inventory, recall, trend
from rules.weights import P1, alarm_points, counted

__all__ = ["ColourChange", "ColourState", "Refusal", "assess", "explain", "release", "settle"]

_DIGITS = 9
"""Decimals of D that are compared with thresholds; what is left is noise of addition."""
_COUNTED = (Effect.COMMITMENT, Effect.DUTY, Effect.HAZARD, Effect.MAJOR)


def assess(
    model: RiskModel, facts: RiskFacts, at: datetime, before: RiskMemory | None = None
) -> RiskResult:
    """Score, floors and wanted colour of every source at `at`. before: the `memory` of the last
    result, None after a restart."""
    now = micros(at)
    memory = recall(model, before or RiskMemory.fresh(), facts, now)
    lost = loss(model.loss, facts, now)
    parts = np.zeros((len(facts.sources.ids), len(Part)))
    parts[:, Part.B] = np.asarray(model.inherent)[facts.sources.grade]
    parts[:, Part.A], share = alarm_points(model.alarms, facts, now)
    parts[:, Part.P] = trend(model.trend, facts, memory)
    parts[:, Part.V] = inventory(model.inventory, memory)
    parts[:, Part.L] = lost.points
    parts[:, Part.M] = _management(model.management, facts)
    score = np.minimum(model.cap, parts.sum(axis=1))
    held = (score > model.held) & ~_evidence(model, facts)
    score = np.where(held, model.held, score).round(_DIGITS)
    by_score = _colour(model, score)
    found = floor_rules.floors(model.floors, facts, now)
    found.colours[lost.zone_lost, Floor.LOSS] = Colour.YELLOW
    floor_rules.one_up(found, _colour(model, score - lost.points), memory.lost)
    return RiskResult(
        model.version,
        facts.sources.ids,
        parts,
        score,
        found.colours,
        by_score,
        found.colours.max(axis=1),
        floor_rules.unknown(model.floors, facts, now),
        held,
        found.maybe_test,
        share,
        found.holds,
        found.input_holds,
        lost.share,
        lost.dark,
        memory,
    )


def _colour(model: RiskModel, score: Floats) -> Bytes:
    """int8[m]: the colour that a score asks for."""
    return np.searchsorted(model.colours.threshold, score, side="right").astype(np.int8)


def _management(model: ManagementModel, facts: RiskFacts) -> Floats:
    """Part M: float64[m]."""
    inputs, m = facts.inputs, len(facts.sources.ids)
    points = np.zeros(m)
    for effect in _COUNTED:
        times = np.bincount(inputs.source[inputs.effect == effect], minlength=m)
        points += np.minimum(model.caps[effect], model.each[effect] * times)
    return np.minimum(model.cap, points)


def _evidence(model: RiskModel, facts: RiskFacts) -> Mask:
    """bool[m]: what red by score alone asks for."""
    alarms = facts.alarms
    first = (alarms.priority == P1) & counted(facts)
    reactor = of_tag(facts, facts.tags.reactor, -1) >= 0
    grave = first & (alarms.phase == Phase.ACTIVE) & ((alarms.family != Family.PROCESS) | reactor)
    rows = np.flatnonzero(first & ~alarms.declared)
    groups = rows[np.unique(alarms.cause[rows], return_index=True)[1]]
    m = len(facts.sources.ids)
    enough = np.bincount(alarms.source[groups], minlength=m) >= model.red_groups
    return enough | (np.bincount(alarms.source[grave], minlength=m) > 0)
