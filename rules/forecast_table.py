"""`ForecastTable`: which tags have a forecast, with what limits and memories."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.forecast_model import ForecastModel, forecast_model
from domain.plant import Registry, Tag
from domain.policy import DIGITAL
from rules.lines import Rule
from rules.noise import Singles
from rules.picking import Map, row_map

_NO_SPAN = 1e12
"""Furthest reading of a tag without a range."""


@dataclass(frozen=True, slots=True, eq=False)
class ForecastTable:
    """Tags with quantities and limits, by rising slot.

    keys: int32[r]. row: see `picking.Map`. anchor: float32[r], what levels are relative to: a limit
    of the tag, so that they are most exact near it. high, low: float32[r], HH or else H, LL or else
    L, relative to the anchor, infinite where there is none. sort: integers[r], row of each tag in
    what many share, float32[s]: window, interval: see `lines.Rule`. action: seconds. held: samples
    in a row. floor, report: variances. furthest: from the anchor. top, bottom: ends of the range,
    fill: where a filling stops; in the unit, NaN = none. stamp: int16[s], changes with these.
    """

    keys: NDArray[np.int32]
    row: Map
    anchor: Singles
    high: Singles
    low: Singles
    sort: NDArray[np.integer]
    window: Singles
    interval: Singles
    action: Singles
    held: Singles
    floor: Singles
    report: Singles
    furthest: Singles
    top: Singles
    bottom: Singles
    fill: Singles
    stamp: NDArray[np.int16]
    model: ForecastModel

    @property
    def marks(self) -> NDArray[np.int32]:
        """See `rows.Table`; another anchor makes levels meaningless."""
        marks: NDArray[np.int32] = self.anchor.view(np.int32) ^ self.stamp[self.sort].astype(
            np.int32
        )
        return marks

    def rule(self, sort: NDArray[np.integer]) -> Rule:
        """What the lines of rows of these sorts go by."""
        return Rule(self.window[sort], self.interval[sort], self.floor[sort], self.report[sort])


def compile_forecast(registry: Registry, tags: Sequence[Tag]) -> ForecastTable:
    """A row for each tag that is no state and has a limit."""
    reactors = {
        (node.parent, node.code)
        for node in registry.nodes.values()
        if node.kind == "equipment" and node.detail.get("kind") == "reactor"
    }
    return table_of(tags, reactors, forecast_model())


def table_of(
    tags: Sequence[Tag], reactors: set[tuple[int | None, str]], model: ForecastModel
) -> ForecastTable:
    """The table under a model. reactors: (source, code) of equipment."""
    slots = [
        slot
        for slot, tag in enumerate(tags)
        if tag.kind not in DIGITAL and _limits(tag) != (-inf, inf)
    ]
    told = [_sort(tags[slot], reactors, model) for slot in slots]
    sorts = sorted(set(told), key=repr)
    place = {sort: n for n, sort in enumerate(sorts)}
    limits = [_limits(tags[slot]) for slot in slots]
    anchor = np.array([_anchor(*pair) for pair in limits], np.float32)
    low, high = np.array(limits, np.float64).reshape(-1, 2).T
    return ForecastTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        row_map(len(tags), slots),
        anchor,
        (high - anchor).astype(np.float32),
        (low - anchor).astype(np.float32),
        np.array([place[sort] for sort in told], np.min_scalar_type(len(sorts))),
        *np.array(sorts, np.float64).reshape(-1, 10).T.astype(np.float32),  # type: ignore[call-arg]
        np.array([crc32(repr(sort).encode()) & 0x7FFF for sort in sorts], np.int16),
        model,
    )


def _limits(tag: Tag) -> tuple[float, float]:
    """(low, high), infinite where there is none."""
    own = {kind: limit for kind, limit in tag.limits.items() if not isnan(limit)}
    return (
        own.get(Kind.LL, own.get(Kind.L, -inf)),
        own.get(Kind.HH, own.get(Kind.H, inf)),
    )


def _anchor(low: float, high: float) -> float:
    return high if high < inf else low


def _sort(
    tag: Tag, reactors: set[tuple[int | None, str]], model: ForecastModel
) -> tuple[float, ...]:
    """window, interval, action, held, floor, report, furthest, top, bottom, fill of a tag."""
    bank, noise, warn = model.bank, model.noise, model.warn
    minutes = model.action
    if tag.equipment is not None and (tag.source, tag.equipment) in reactors:
        minutes = model.reactor
    action = 60 * (tag.action_min if tag.action_min is not None else minutes)
    longer = bank.ratio**3
    shortest = max(
        min(action / bank.share, bank.samples_most * tag.interval_s),
        bank.samples_least * tag.interval_s,
        bank.cover * action / longer,
    )
    held: float = round(action / warn.held_share / tag.interval_s)
    held = min(max(held, warn.held_least), warn.held_most)
    bottom, top = tag.range or (nan, nan)
    span = top - bottom if tag.range else 0.0
    least = max(noise.resolution * (tag.resolution or 0.0), noise.span * span, 1e-15)
    return (
        shortest * longer,
        tag.interval_s,
        action,
        float(held),
        min(least, _NO_SPAN) ** 2,
        min(tag.report_deadband or 0.0, _NO_SPAN) ** 2 / 12,
        min(noise.furthest * span, _NO_SPAN) if span else _NO_SPAN,
        top,
        bottom,
        tag.fill_target if tag.fill_target is not None else nan,
    )
