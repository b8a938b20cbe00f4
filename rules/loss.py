"""Part L of the score: what can't be seen of a source (domain.md 4.5)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR
from domain.risk import RiskFacts
from domain.risk_facts import Function, Mask
from domain.risk_model import LossModel
from rules.weights import ratio

Rows = NDArray[np.intp]


class Loss(NamedTuple):
    """points: float64[m], part L. share: float64[m, 5], by `Function` what is lost of it. dark:
    bool[m], all of the source is lost. zone_lost: bool[m], all gas detectors of a zone are."""

    points: Floats
    share: Floats
    dark: Mask
    zone_lost: Mask


def loss(model: LossModel, facts: RiskFacts, now: int) -> Loss:
    """Part L.

    A source that falls silent as a whole keeps what was lost before, at least `whole`: so losing
    more never lowers L. A tag out of service is in no share, unless it was lost before that.
    """
    tags = facts.tags
    blind = np.flatnonzero(tags.blind < FAR)
    last = _last(facts, blind, facts.census.tags)
    dark = np.minimum(facts.sources.lost, np.where(last < 0, FAR, last))
    whole = dark <= now
    seen_until = np.where(whole, dark, now + 1)
    excused = out_of_service(facts, now)
    blind = np.setdiff1d(blind, excused, assume_unique=True)
    gone = blind[tags.blind[blind] < seen_until[tags.source[blind]]]
    share = _share(model, facts, excused, gone)
    zone_lost = _zone_lost(model, facts, excused, blind, np.minimum(seen_until, now))
    points = np.where(zone_lost, model.cap, model.cap * share.max(axis=1, initial=0.0))
    return Loss(np.where(whole, np.maximum(points, model.whole), points), share, whole, zone_lost)


def out_of_service(facts: RiskFacts, now: int) -> Rows:
    """Rows of the tags under an open permit, but for those that were lost before it was there."""
    tags = facts.tags
    row = np.flatnonzero(tags.out <= now)
    lost = np.minimum(tags.blind[row], facts.sources.lost[tags.source[row]])
    return row[lost > tags.out[row]]


def _last(facts: RiskFacts, blind: Rows, number: Ints) -> Ints:
    """int64[m]: when the last of a source's tags was lost; FAR = not all are, -1 = it has none.

    blind: rows of those that are lost; number: int64[m], how many of the kind there are.
    """
    source = facts.tags.source[blind]
    last = np.full(len(number), -1, np.int64)
    np.maximum.at(last, source, facts.tags.blind[blind])
    return np.where(np.bincount(source, minlength=len(number)) < number, FAR, last)


def _share(model: LossModel, facts: RiskFacts, excused: Rows, gone: Rows) -> Floats:
    """Weighted share of lost tags by source and function: float64[m, 5]."""
    tags, m = facts.tags, len(facts.sources.ids)

    def weight(row: Rows) -> Floats:
        cell = tags.source[row].astype(np.intp) * len(Function) + tags.function[row]
        weights = np.where(tags.safety_critical[row], model.safety_critical, 1.0)
        total: Floats = np.bincount(cell, weights, m * len(Function)).astype(np.float64)
        return total.reshape(m, len(Function))

    every = facts.census.functions @ np.array([1.0, model.safety_critical]) - weight(excused)
    return ratio(weight(gone), every)[:, : Function.OTHER]


def _zone_lost(model: LossModel, facts: RiskFacts, excused: Rows, blind: Rows, until: Ints) -> Mask:
    """bool[m]: all gas detectors of a zone lost for `zone`, while another function reported.

    blind: rows in service; until: int64[m], the last instant at which the source was seen. It stays
    lost when the rest goes too.
    """
    tags, census = facts.tags, facts.census
    every = np.flatnonzero(tags.blind < FAR)
    other = every[tags.function[every] != Function.GAS]
    others = _last(facts, other, census.tags - census.functions[:, Function.GAS].sum(axis=1))
    gas = blind[tags.function[blind] == Function.GAS]
    spared = excused[tags.function[excused] == Function.GAS]
    zones = len(census.detectors)
    served = census.detectors - np.bincount(tags.place[spared], minlength=zones)
    lost = np.full(zones, -1, np.int64)
    np.maximum.at(lost, tags.place[gas], tags.blind[gas])
    all_lost = (served > 0) & (np.bincount(tags.place[gas], minlength=zones) == served)
    source, due = census.place, lost + model.zone
    applies = all_lost & (due <= until[source]) & (others[source] >= due)
    return np.bincount(source[applies], minlength=len(until)) > 0
