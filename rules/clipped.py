"""CLIPPED 疑似限幅: a reading that touches one and the same cap just below H, and never crosses it.

The cap is the highest reading in [H - 1 % of span, H); just above the lowest low limit likewise. A
touch is a reading equal to the cap after one that lay clearly below it (`dip`). Ten touches over an
hour or more raise, if other readings came much nearer to the cap than that (`near`): a coarse gauge
that flickers, or a vessel parked below H, has no cap. A higher reading returns, and so does a day
without a touch; a cap that has raised nothing in six hours is sought anew. A signal that stands
still just below H is FROZEN, not clipped (domain research 7.1 #19; numbers: docs/data-health.md).

Of `rules.habit.HealthMemory` this module alone writes: cap, distance of the cap from its limit, of
a low limit below 0, NaN = none; nearest, distance from the cap of the nearest other reading, NaN =
none; touches, so far; dipped, whether it has been clearly below since; touched, time of the first
touch, while active of the last one, whole seconds since 1970.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.health import Clipped
from domain.instant import NEVER, SECOND
from domain.plant import Tag
from domain.policy import LIMITS
from rules.findings import Collector
from rules.habit import CLIPPED, HealthMemory, HealthTable, Mask, Singles
from rules.picking import Picked, Rows
from rules.plan import Plan

_LAST = 2**32 - 1


def margin(tag: Tag, rule: Clipped) -> float:
    """How near to a limit readings are looked at, in the tag's unit; -1 where there is none."""
    if tag.range is None or not tag.limits:
        return -1.0
    return rule.margin * (tag.range[1] - tag.range[0])


def told(tag: Tag) -> tuple[object, ...]:
    """What of a tag must not change lest its cap is sought anew."""
    return tag.range, *(tag.limits.get(kind) for kind in LIMITS)


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """Samples that can matter. gap: distance to `limit`, above 0 inside it; side: 1 below a high
    limit, -1 above a low one; cap: distance of the cap to it, NaN = none."""

    row: Rows
    slot: Rows
    at: Ints
    second: Ints
    value: Floats
    limit: Floats
    gap: Singles
    side: Singles
    cap: Singles
    margin: Singles


def judge(
    plan: Plan, table: HealthTable, memory: HealthMemory, part: Picked, found: Collector
) -> None:
    """Take in good samples that come near a limit, or belong to a tag that had a cap."""
    margin, cap = table.margin[part.where], memory.cap[part.where]
    above = plan.limits.high[part.place] - part.value
    below = part.value - plan.limits.low[part.place]
    which = np.minimum(above, below) <= margin
    which |= cap == cap
    if not which.any():
        return
    which &= part.good & (margin > 0)
    position = np.flatnonzero(which)
    if position.size:
        one = _near(plan, memory, part, position, margin[position])
        _end(table, memory, one, found)
        _touch(table, memory, one, found)


def _near(plan: Plan, memory: HealthMemory, part: Picked, position: Rows, margin: Singles) -> _Near:
    row, slot = part.row[position], part.slot[position]
    at, value = part.at[position], part.value[position]
    high, low = plan.limits.high[slot], plan.limits.low[slot]
    cap = memory.cap[row]
    upper = np.where(np.isnan(cap), high - value <= value - low, cap > 0)
    gap = np.where(upper, high - value, value - low).astype(np.float32)
    side = np.where(upper, 1, -1).astype(np.float32)
    second: Ints = np.clip(at // SECOND, 1, _LAST)
    limit = np.where(upper, high, low)
    return _Near(row, slot, at, second, value, limit, gap, side, np.abs(cap), margin)


def _end(table: HealthTable, memory: HealthMemory, one: _Near, found: Collector) -> None:
    """A reading beyond the cap, or too few touches of it: whatever was there begins anew."""
    row, known = one.row, ~np.isnan(one.cap)
    higher = one.gap < one.cap
    rule, active = table.model.clipped, memory.onset[row, CLIPPED] != NEVER
    old = one.second - memory.touched[row] > np.where(active, rule.forget, rule.window)
    returned = active & known & (higher | old)
    if returned.any():
        onset, at = memory.onset[row[returned], CLIPPED], one.at[returned]
        found.tags(Edge.RETURNED, Kind.CLIPPED, one.slot[returned], onset, at, one.value[returned])
        memory.onset[row[returned], CLIPPED] = NEVER
    anew = higher | old | ~known
    fits = (one.gap > 0) & (one.gap <= one.margin)
    nearest = np.where(higher & fits, one.cap - one.gap, np.nan)
    memory.cap[row[anew]] = np.where(fits, one.gap * one.side, np.nan)[anew]
    memory.nearest[row[anew]] = nearest[anew]
    memory.touches[row[anew]] = 0
    memory.dipped[row[anew]] = True
    memory.touched[row[anew]] = one.second[anew]


def _touch(table: HealthTable, memory: HealthMemory, one: _Near, found: Collector) -> None:
    """Count touches of the cap; raise."""
    rule, row = table.model.clipped, one.row
    below = one.gap - np.abs(memory.cap[row])
    memory.nearest[row] = np.fmin(memory.nearest[row], np.where(below > 0, below, np.nan))
    memory.dipped[row] |= below >= np.float32(rule.dip) * one.margin
    touched = (below == 0) & memory.dipped[row]
    memory.touches[row[touched]] = np.minimum(memory.touches[row[touched]] + 1, rule.touches)
    memory.dipped[row[touched]] = False
    active = memory.onset[row, CLIPPED] != NEVER
    memory.touched[row[touched & active]] = one.second[touched & active]
    first = memory.touched[row].astype(np.int64)
    raised = touched & ~active & (memory.touches[row] >= rule.touches)
    raised &= one.second - first >= rule.seconds
    raised &= memory.nearest[row] <= np.float32(rule.near) * one.margin
    if raised.any():
        _raise(memory, one, raised, first[raised] * SECOND, found)


def _raise(memory: HealthMemory, one: _Near, which: Mask, onset: Ints, found: Collector) -> None:
    row = one.row[which]
    memory.onset[row, CLIPPED] = onset
    memory.touched[row] = one.second[which]
    detail: dict[str, NDArray[np.number]] = {
        "touches": memory.touches[row],
        "side": one.side[which],
    }
    value, limit = one.value[which], one.limit[which]
    found.tags(
        Edge.RAISED, Kind.CLIPPED, one.slot[which], onset, one.at[which], value, limit, "", detail
    )
