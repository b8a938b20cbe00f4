"""What an assessment must know of the one before: `RiskMemory`, and parts P and V that need it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.instant import FAR
from domain.risk import RiskFacts, RiskMemory
from domain.risk_facts import Mask, Phase, Rows
from domain.risk_model import FloorModel, InventoryModel, RiskModel, TrendModel
from rules.loss import out_of_service
from rules.pairs import equal


def recall(model: RiskModel, before: RiskMemory, facts: RiskFacts, now: int) -> RiskMemory:
    """The memory of this instant. Sources and tags that are no more are forgotten.

    While u is unknown it keeps its last value. Above the design a source stays until 2 % below it.
    """
    was = _aligned(before, facts)
    told = facts.sources.fill
    fill = np.where(np.isnan(told), was.fill, told)
    over = _over(model.inventory, facts, fill, was.over)
    row, points = _points(model.trend, facts)
    points = _spared(before, facts, row, points, now)
    lost = _lost(model.floors, facts, was.lost, now)
    return RiskMemory(facts.sources.ids, fill, over, lost, facts.tags.ids[row], points)


def _aligned(before: RiskMemory, facts: RiskFacts) -> RiskMemory:
    """The memory with the rows of these sources; what is new was never known."""
    ids = facts.sources.ids
    if np.array_equal(before.sources, ids):
        return before
    m = len(ids)
    fill, over, lost = np.full(m, np.nan), np.zeros(m, np.bool_), np.zeros(m, np.bool_)
    _, old, new = np.intersect1d(before.sources, ids, return_indices=True)
    fill[new], over[new], lost[new] = before.fill[old], before.over[old], before.lost[old]
    return replace(before, sources=ids, fill=fill, over=over, lost=lost)


def _over(model: InventoryModel, facts: RiskFacts, fill: Floats, was: Mask) -> Mask:
    """bool[m]: above the design. An INVENTORY alarm that holds tells it after a restart too."""
    alarms = facts.alarms
    told = (alarms.kind == Kind.INVENTORY) & (alarms.phase == Phase.ACTIVE)
    stays = was | (np.bincount(alarms.source[told], minlength=len(fill)) > 0)
    near = np.isnan(fill) | (fill > model.full - model.back)
    over: Mask = (fill > model.full) | (stays & near)
    return over


def _points(model: TrendModel, facts: RiskFacts) -> tuple[NDArray[np.intp], Floats]:
    """Rows of tags whose forecast brings points, and those: intp[t], float64[t]."""
    tags = facts.tags
    row = np.flatnonzero(tags.ahead < FAR)
    ratio = tags.ahead[row] / np.maximum(tags.action[row], 1)
    points = np.append(model.points, 0.0)[np.searchsorted(model.ratio, ratio, side="left")]
    return row[points > 0], points[points > 0]


def _spared(
    before: RiskMemory, facts: RiskFacts, row: NDArray[np.intp], points: Floats, now: int
) -> Floats:
    """Under a permit the points of a tag do not rise; what it had when the permit began, it keeps
    until the forecast itself lets go."""
    permitted = facts.tags.out[row] <= now
    if before.points is None or not permitted.any():
        return points
    had = np.zeros(len(row))
    _, mine, old = np.intersect1d(
        facts.tags.ids[row], before.tags, assume_unique=True, return_indices=True
    )
    had[mine] = before.points[old]
    return np.where(permitted, np.minimum(points, had), points)


def trend(model: TrendModel, facts: RiskFacts, memory: RiskMemory) -> Floats:
    """Part P: float64[m]. The most of one tag, and more while a rate-of-change alarm is active."""
    assert memory.points is not None, "recall knows the points"
    alarms, m = facts.alarms, len(facts.sources.ids)
    best = np.zeros(m)
    row = np.searchsorted(facts.tags.ids, memory.tags)
    np.maximum.at(best, facts.tags.source[row], memory.points)
    best[alarms.source[rising(facts)]] += model.rate
    return np.minimum(model.cap, best)


def rising(facts: RiskFacts) -> Mask:
    """bool[k]: rate-of-change alarms that hold."""
    found: Mask = (facts.alarms.kind == Kind.ROC) & (facts.alarms.phase == Phase.ACTIVE)
    return found


def inventory(model: InventoryModel, memory: RiskMemory) -> Floats:
    """Part V: float64[m]."""
    share = (np.clip(memory.fill, model.begin, model.full) - model.begin) / (
        model.full - model.begin
    )
    points = np.where(np.isnan(share), 0.0, model.points * share)
    return np.where(memory.over, model.over, points)


def _lost(model: FloorModel, facts: RiskFacts, was: Mask, now: int) -> Mask:
    """bool[m], floor F12: half of the safety-critical tags are missing, and one of them has been
    since the ten minutes after the beginning of an incident; kept until half of them are back.

    A tag is missing from `lost_after` past its last good sample, once that is established. Tags
    out of service do not count, unless they were missing before.
    """
    tags, sources, m = facts.tags, facts.sources, len(facts.sources.ids)
    excused = out_of_service(facts, now)
    spared = tags.source[excused[tags.safety_critical[excused]]]
    every = facts.census.functions[:, :, 1].sum(axis=1) - np.bincount(spared, minlength=m)
    dark = np.where(sources.lost <= now, sources.silent, FAR)
    away = tags.blind <= now
    if (dark < FAR).any():
        away |= dark[tags.source] < FAR
    row = np.setdiff1d(np.flatnonzero(away & tags.safety_critical), excused, assume_unique=True)
    gone = np.where(tags.blind[row] <= now, tags.gone[row], FAR)
    since = np.minimum(gone, dark[tags.source[row]]) + model.lost_after
    row, since = row[since <= now], since[since <= now]
    source = tags.source[row]
    missing = np.bincount(source, minlength=m)
    half = (missing > 0) & (missing >= every * model.lost_share)
    struck = _struck(model, facts, source, since)
    lost: Mask = half & (struck | was)
    return lost


def _struck(model: FloorModel, facts: RiskFacts, source: Rows, since: Ints) -> Mask:
    """bool[m]: one of these losses (row of the source, instant) came soon after an incident."""
    incidents = facts.incidents
    order = np.lexsort((since, source))
    source, since = source[order], since[order]
    first = np.append(True, (np.diff(source) != 0) | (np.diff(since) != 0))[: len(source)]
    source, since = source[first], since[first]
    by = equal(source, incidents.source)
    after = since[by.left] - incidents.since[by.right]
    hit = source[by.left[(after >= 0) & (after <= model.lost_within)]]
    return np.bincount(hit, minlength=len(facts.sources.ids)) > 0
