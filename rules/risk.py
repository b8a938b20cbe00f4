"""Four-colour risk 四色风险 of every hazard source: score D, floors, reasons (domain.md 4.5).

`assess` works everything out anew from the facts; memory is only in `rules.colours`, whose `settle`
and `release` are offered here too. Parts P, V and M are 0. D = min(100, B + A + P + V + L + M); red
by score alone needs an active gas, fire or reactor P1 or two cause groups with a P1, else D stops
at 74.9.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, micros
from domain.risk import (
    Colour,
    Family,
    Floor,
    Function,
    Mask,
    Part,
    Phase,
    Reason,
    RiskFacts,
    RiskModel,
    RiskResult,
)
from domain.risk_model import AlarmModel, LossModel
from rules import floors as floor_rules
from rules.colours import ColourChange, ColourState, Refusal, release, settle

__all__ = ["ColourChange", "ColourState", "Refusal", "assess", "explain", "release", "settle"]

Points = NDArray[np.floating | np.integer]
_LIMITS = (Kind.LL, Kind.L, Kind.H, Kind.HH)
_P1, _P2 = 0, 1
_PRIORITIES = 4
_DIGITS = 9
"""Decimals of D that are compared with thresholds; what is left is noise of addition."""


def assess(model: RiskModel, facts: RiskFacts, at: datetime) -> RiskResult:
    """Score, floors and wanted colour of every source at `at`."""
    now = micros(at)
    parts = np.zeros((len(facts.sources.ids), len(Part)))
    parts[:, Part.B] = np.asarray(model.inherent)[facts.sources.grade]
    parts[:, Part.A], share = _alarms(model.alarms, facts, now)
    parts[:, Part.L], zone_lost = _loss(model.loss, facts, now)
    score = np.minimum(model.cap, parts.sum(axis=1))
    held = (score > model.held) & ~_evidence(model, facts)
    score = np.where(held, model.held, score).round(_DIGITS)
    found = floor_rules.floors(model.floors, facts, now)
    found.colours[zone_lost, Floor.LOSS] = Colour.YELLOW
    return RiskResult(
        model.version,
        facts.sources.ids,
        parts,
        score,
        found.colours,
        np.searchsorted(model.colours.threshold, score, side="right").astype(np.int8),
        found.colours.max(axis=1),
        floor_rules.unknown(model.floors, facts, now),
        held,
        found.maybe_test,
        share,
        found.holds,
    )


def _alarms(model: AlarmModel, facts: RiskFacts, now: int) -> tuple[Floats, Floats]:
    """Part A: float64[m], and what each alarm brings to it: float64[k]."""
    alarms = facts.alarms
    weight = _weights(model, facts, now)
    weight = np.where(_heaviest(weight, facts), weight, 0.0)
    cell = alarms.source.astype(np.intp) * _PRIORITIES + alarms.priority
    m = len(facts.sources.ids)
    total = np.bincount(cell, weight, m * _PRIORITIES).reshape(m, _PRIORITIES)
    capped = np.minimum(total, model.priority_cap)
    summed = capped.sum(axis=1)
    points = model.cap * (1 - np.exp(-summed / model.scale))
    kept = _ratio(capped, total).ravel()[cell]
    return points, weight * kept * _ratio(points, summed)[alarms.source]


def _heaviest(weight: Floats, facts: RiskFacts) -> Mask:
    """bool[k]: one alarm of each cause group, of those with the largest weight the most urgent."""
    alarms, k = facts.alarms, len(facts.alarms)
    groups = int(alarms.cause.max(initial=-1)) + 1
    best = np.full(groups, -1.0)
    np.maximum.at(best, alarms.cause, weight)
    rank = np.where(
        weight == best[alarms.cause], alarms.priority.astype(np.int64) * k + np.arange(k), FAR
    )
    first = np.full(groups, FAR, np.int64)
    np.minimum.at(first, alarms.cause, rank)
    mine: Mask = rank == first[alarms.cause]
    return mine


def _ratio(part: Points, whole: Points) -> Floats:
    """part / whole, 0 where the whole is 0. Shape as given."""
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)


def _weights(model: AlarmModel, facts: RiskFacts, now: int) -> Floats:
    """severity * kind * age * phase of each alarm; 0 for what other parts count."""
    alarms = facts.alarms
    unanswered = np.maximum(0, np.minimum(now, alarms.acknowledged) - alarms.since)
    aging = unanswered / np.asarray(model.aging)[alarms.family]
    age = np.where(alarms.priority <= _P2, 1 + np.minimum(1.0, aging), 1.0)
    severity = np.asarray(model.severity)[alarms.priority]
    kind = np.asarray(model.kind)[alarms.family]
    weight = severity * kind * age * np.asarray(model.phase)[alarms.phase]
    return np.where(np.isin(alarms.kind, _LIMITS), weight, 0.0)


def _evidence(model: RiskModel, facts: RiskFacts) -> Mask:
    """bool[m]: what red by score alone asks for."""
    alarms = facts.alarms
    first = (alarms.priority == _P1) & np.isin(alarms.kind, _LIMITS)
    reactor = np.append(facts.tags.reactor, -1)[alarms.tag] >= 0
    grave = first & (alarms.phase == Phase.ACTIVE) & ((alarms.family != Family.PROCESS) | reactor)
    rows = np.flatnonzero(first)
    groups = rows[np.unique(alarms.cause[rows], return_index=True)[1]]
    m = len(facts.sources.ids)
    enough = np.bincount(alarms.source[groups], minlength=m) >= model.red_groups
    return enough | (np.bincount(alarms.source[grave], minlength=m) > 0)


class _Loss(NamedTuple):
    points: Floats
    zone_lost: Mask


def _loss(model: LossModel, facts: RiskFacts, now: int) -> _Loss:
    """Part L: float64[m], and where all gas detectors of a zone are lost: bool[m].

    A source that falls silent as a whole keeps what was lost before, at least `whole`: so losing
    more never lowers L.
    """
    tags, m = facts.tags, len(facts.sources.ids)
    last = np.full(m, -1, np.int64)
    np.maximum.at(last, tags.source, tags.blind)
    dark = np.minimum(facts.sources.lost, np.where(last < 0, FAR, last))
    whole = dark <= now
    seen_until = np.where(whole, dark, now + 1)
    blind = tags.blind < seen_until[tags.source]
    share = _share(model, facts, blind).max(axis=1)
    zone_lost = _zone_lost(model, facts, np.minimum(seen_until, now))
    points = np.where(zone_lost, model.cap, model.cap * share)
    return _Loss(np.where(whole, np.maximum(points, model.whole), points), zone_lost)


def _share(model: LossModel, facts: RiskFacts, blind: Mask) -> Floats:
    """Weighted share of blind tags by source and function: float64[m, 5]."""
    tags, m = facts.tags, len(facts.sources.ids)
    weight = np.where(tags.safety_critical, model.safety_critical, 1.0)
    cell = tags.source.astype(np.intp) * len(Function) + tags.function
    all_tags, lost = (
        np.bincount(cell, weight * which, m * len(Function)) for which in (1.0, blind)
    )
    return _ratio(lost, all_tags).reshape(m, len(Function))[:, : Function.OTHER]


def _zone_lost(model: LossModel, facts: RiskFacts, until: Ints) -> Mask:
    """bool[m]: all gas detectors of a zone lost for `zone`, while another function reported.

    until: int64[m], the last instant at which the source was seen. It stays lost when the rest goes
    too.
    """
    tags, m = facts.tags, len(facts.sources.ids)
    gas = tags.function == Function.GAS
    others = np.full(m, -1, np.int64)
    np.maximum.at(others, tags.source[~gas], tags.blind[~gas])
    zones = int(tags.place.max(initial=-1)) + 1
    lost, source = np.full(zones, -1, np.int64), np.zeros(zones, np.int32)
    np.maximum.at(lost, tags.place[gas], tags.blind[gas])
    source[tags.place] = tags.source
    due = lost + model.zone
    applies = (lost >= 0) & (due <= until[source]) & (others[source] >= due)
    return np.bincount(source[applies], minlength=m) > 0


def explain(result: RiskResult, facts: RiskFacts, source: int) -> tuple[Reason, ...]:
    """Rows that add up to the score as it is shown, with one decimal; the largest parts first.

    One row for each part, in part A one for each alarm that brings points, and one for what was cut
    off. Tenths are dealt out by largest remainder. `KeyError` for an unknown source.
    """
    row = result.row(source)
    alarms = np.flatnonzero((facts.alarms.source == row) & (result.share > 0))
    alarms = alarms[np.argsort(-result.share[alarms], kind="stable")]
    points: list[tuple[Part, float, UUID | None]]
    points = [(part, result.parts[row, part], None) for part in Part if part is not Part.A]
    points += [(Part.A, result.share[k], facts.alarms.ids[k]) for k in alarms]
    cut = result.score[row] - result.parts[row].sum()
    tenths = _tenths([p for _, p, _ in points] + [cut], result.score[row])
    reasons = [Reason(p, t, id) for (p, _, id), t in zip(points, tenths, strict=False)]
    reasons.append(Reason(None, tenths[-1]))
    return tuple(reason for reason in reasons if reason.points)


def _tenths(points: list[float], total: float) -> list[float]:
    """Points rounded to tenths such that they add up to the rounded total."""
    exact = np.asarray(points) * 10
    whole = np.floor(np.round(exact, _DIGITS - 1))
    missing = round(total * 10) - int(whole.sum())
    order = np.argsort(whole - exact, kind="stable")
    whole[order[:missing]] += 1
    return [float(tenth) / 10 for tenth in whole]
