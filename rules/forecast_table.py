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
from rules.forecast_memory import Records
from rules.heading import SORT
from rules.lines import Law
from rules.loops import row_map

_NO_SPAN = 1e12
"""Furthest reading of a tag without a range."""


@dataclass(frozen=True, slots=True, eq=False)
class ForecastTable:
    """Tags with quantities and limits, by rising slot.

    keys: int32[r]. rows: int32, row of each slot, -1 = none; empty where the rows are the slots, or
    where there are no rows. sort: int32[r], row of each tag in sorts, records[s], see
    `heading.Sort`. stamp: int32[s], changes with what makes the memory of a tag of that sort
    meaningless: another anchor, window, or range.
    """

    keys: NDArray[np.int32]
    rows: NDArray[np.int32]
    sort: NDArray[np.int32]
    sorts: Records
    stamp: NDArray[np.int32]
    law: Law

    @property
    def marks(self) -> NDArray[np.int32]:
        """See `rows.Table`."""
        marks: NDArray[np.int32] = self.stamp[self.sort]
        return marks


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
    sorts: dict[tuple[float, ...], int] = {}
    told = [sorts.setdefault(_sort(tags[slot], reactors, model), len(sorts)) for slot in slots]
    return ForecastTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        row_map(len(tags), slots),
        np.array(told, np.int32),
        np.array(list(sorts), SORT),
        np.array([_stamp(sort) for sort in sorts], np.uint32).view(np.int32),
        Law.of(model),
    )


def _stamp(sort: tuple[float, ...]) -> int:
    """Of all but the limits: another one shifts nothing that is known, but another anchor does."""
    anchor, _, _, *rest = sort
    return crc32(repr((anchor, rest)).encode())


def _limits(tag: Tag) -> tuple[float, float]:
    """(low, high), infinite where there is none."""
    own = {kind: limit for kind, limit in tag.limits.items() if not isnan(limit)}
    return (
        own.get(Kind.LL, own.get(Kind.L, -inf)),
        own.get(Kind.HH, own.get(Kind.H, inf)),
    )


def _sort(
    tag: Tag, reactors: set[tuple[int | None, str]], model: ForecastModel
) -> tuple[float, ...]:
    """The sort of a tag, see `heading.Sort`."""
    bank, noise, warn = model.bank, model.noise, model.warn
    low, high = _limits(tag)
    anchor = float(np.float32(high if high < inf else low))
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
        anchor,
        high - anchor,
        low - anchor,
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
