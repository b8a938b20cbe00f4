"""Part A of the score: the weights of open alarms (domain.md 4.5)."""

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Floats
from domain.instant import FAR
from domain.risk import RiskFacts
from domain.risk_facts import Mask
from domain.risk_model import AlarmModel

P1, P2 = 0, 1
_PRIORITIES = 4
_COUNTED = np.zeros(len(Kind), np.bool_)
_COUNTED[[Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.VOTE, Kind.COMPOSITE]] = True


def counted(facts: RiskFacts) -> Mask:
    """bool[k]: limits, votes and written rules. Other kinds count in other parts, or nowhere."""
    found: Mask = _COUNTED[facts.alarms.kind]
    return found


def alarm_points(model: AlarmModel, facts: RiskFacts, now: int) -> tuple[Floats, Floats]:
    """Part A: float64[m], and what each alarm brings to it: float64[k]."""
    alarms = facts.alarms
    weight = weights(model, facts, now)
    weight = np.where(_heaviest(weight, facts), weight, 0.0)
    cell = alarms.source.astype(np.intp) * _PRIORITIES + alarms.priority
    m = len(facts.sources.ids)
    total = np.bincount(cell, weight, m * _PRIORITIES).reshape(m, _PRIORITIES)
    capped = np.minimum(total, model.priority_cap)
    summed = capped.sum(axis=1)
    points = model.cap * (1 - np.exp(-summed / model.scale))
    kept = ratio(capped, total).ravel()[cell]
    return points, weight * kept * ratio(points, summed)[alarms.source]


def weights(model: AlarmModel, facts: RiskFacts, now: int) -> Floats:
    """float64[k]: severity * kind * age * phase of each alarm; 0 for what other parts count."""
    alarms = facts.alarms
    unanswered = np.maximum(0, np.minimum(now, alarms.acknowledged) - alarms.since)
    aging = unanswered / np.asarray(model.aging)[alarms.family]
    age = np.where(alarms.priority <= P2, 1 + np.minimum(1.0, aging), 1.0)
    severity = np.asarray(model.severity)[alarms.priority]
    kind = np.asarray(model.kind)[alarms.family]
    weight = severity * kind * age * np.asarray(model.phase)[alarms.phase]
    return np.where(counted(facts), weight, 0.0)


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


def ratio(part: NDArray[np.number], whole: NDArray[np.number]) -> Floats:
    """part / whole, 0 where the whole is 0. Shape as given."""
    shares: Floats = np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)
    return shares
