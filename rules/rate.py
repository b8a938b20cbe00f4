"""Rate of change ROC: slope between levels of neighbouring windows, raised when two in a row agree.

Windows tumble in the tag's event time, aligned to 1970 UTC. The slope of window k is
(level of k - level of k-1) / (mean sample time of k - mean sample time of k-1); an empty window
breaks the chain. A window is judged when a good sample of a later window comes, or when its end has
passed.

Outliers cannot fake a slope. Each sample of window k has a slope of its own, from the level of k-1
to itself. It votes if that is at least `CALM` * limit, for up or down, and counts with at most
`CLIP` * limit: the level is the mean of the clipped samples, unless more than half of the samples
(those for the other side taken off) vote for one side and the plain mean lies on that side; then
the level is the plain mean. A window is over the limit if |slope| >= limit and more than half of
its samples vote for that side. Two windows in a row over the limit to one side raise; two in a row
with |slope| < `CALM` * limit return (hazwatch proposal, after Huber 1981 on clipped means).

So wild samples in less than half of each of two neighbouring windows raise nothing, nor does a
spike of up to three samples of one height where windows hold two or more. With one sample a window,
nothing tells two wild ones that rise from a rise.
"""

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.findings import Collector
from rules.plan import Plan
from rules.rate_state import BLOCK, RateState
from rules.samples import Samples, by_rank, ranks

Rows = NDArray[np.intp]
Place = NDArray[np.intp] | slice

CALM = 0.9
"""Share of the limit below which the slope must be to return."""
CLIP = 2.0
"""Multiple of the limit up to which the slope of a single sample counts."""
MINUTE_US = 60e6


def judge(plan: Plan, state: RateState, samples: Samples, received: int, found: Collector) -> None:
    """Take in samples as `Samples` orders them; those that are not good and finite say nothing."""
    place, which = _places(plan, samples)
    at, value, good = samples.at, samples.value, samples.good & np.isfinite(samples.value)
    if which is not None:
        at, value, good = at[which], value[which], good[which]
    if not len(at):
        return
    if not good.any():
        pass
    elif samples.rank is not None:
        _take_in_turn(plan, state, _rows(place)[good], at[good], value[good], found)
    elif good.all():
        _take(plan, state, place, at, value, False, found)
    else:
        _take(plan, state, _rows(place)[good], at[good], value[good], False, found)
    _wake(state, place, received - at)


def _places(plan: Plan, samples: Samples) -> tuple[Place, NDArray[np.intp] | None]:
    """Rows of the samples that have one, as a slice if they are a run, and which samples these are,
    None = all."""
    table = plan.rates
    if samples.span is not None:
        first, end = np.searchsorted(table.slot, (samples.span.start, samples.span.stop))
        which = None if end - first == len(samples) else table.slot[first:end] - samples.span.start
        return slice(int(first), int(end)), which
    row = table.row[samples.slot].astype(np.intp)
    which = np.flatnonzero(row >= 0)
    return (row, None) if len(which) == len(row) else (row[which], which)


def _rows(place: Place) -> Rows:
    return np.arange(place.start, place.stop) if isinstance(place, slice) else place


def _take_in_turn(
    plan: Plan, state: RateState, row: Rows, at: Ints, value: Floats, found: Collector
) -> None:
    """Samples by row and time: the first window of each row together, then the second ones."""
    window = at // plan.rates.window(row)
    starts = np.append(True, row[1:] != row[:-1])
    opens = starts | np.append(True, window[1:] != window[:-1])
    nth = np.cumsum(opens) - 1
    for part in by_rank(ranks(starts[opens])[nth]):
        _take(plan, state, row[part], at[part], value[part], True, found)


def _take(
    plan: Plan,
    state: RateState,
    place: Place,
    at: Ints,
    value: Floats,
    repeats: bool,
    found: Collector,
) -> None:
    """Samples of which each row has one window; added one by one, so that no cut changes a sum."""
    opens = at >= state.end[place]
    opens |= state.count[place] == 0
    if opens.any():
        which = np.flatnonzero(opens)
        row = _rows(place)[which]
        if repeats:
            row, first = np.unique(row, return_index=True)
            which = which[first]
        _open(plan, state, row, at[which], found)
    early = state.end[place] - at
    clipped = _clip(plan, state, place, early, value)
    if repeats and not isinstance(place, slice):
        np.add.at(state.count, place, 1)
        np.add.at(state.early, place, early)
        np.add.at(state.clipped, place, clipped)
        np.add.at(state.plain, place, value)
    else:
        state.count[place] += 1
        state.early[place] += early
        state.clipped[place] += clipped
        state.plain[place] += value


def _open(plan: Plan, state: RateState, row: Rows, at: Ints, found: Collector) -> None:
    """Judge the windows of these rows that are open, and open those of event times `at`."""
    _end(plan, state, row[state.count[row] > 0], found)
    length = plan.rates.window(row)
    end = (at // length + 1) * length
    state.level[row[end - length != state.end[row]]] = np.nan
    state.end[row] = end


def _clip(plan: Plan, state: RateState, place: Place, early: Ints, value: Floats) -> Floats:
    """The values as they count; their votes are taken. early: how long before the window's end."""
    level = state.level[place]
    reach = 2.0 * plan.rates.window(place) - state.centre[place] - early
    near = plan.rates.limit[place] * reach / MINUTE_US
    off = value - level
    wild = np.flatnonzero(np.abs(off) >= CALM * near)
    if not wild.size:
        return value
    row, near, level = _rows(place)[wild], CLIP * near[wild], level[wild]
    np.add.at(state.votes, row, np.where(off[wild] > 0, 1, -1).astype(np.int32))
    counted = np.minimum(np.maximum(value[wild], level - near), level + near)
    clipped = value.copy()
    clipped[wild] = counted
    return clipped


def _wake(state: RateState, place: Place, behind: Ints) -> None:
    """Let blocks wake up in time for these rows. behind: by how much they lag the wall clock."""
    wall = np.where(state.count[place] > 0, state.end[place] + behind, FAR)
    if isinstance(place, slice):
        first = place.start // BLOCK
        cuts = np.arange(first * BLOCK, place.stop, BLOCK) - place.start
        wall = np.minimum.reduceat(wall, np.maximum(cuts, 0))
        block = slice(first, first + len(cuts))
        state.wake[block] = np.minimum(state.wake[block], wall)
    else:
        np.minimum.at(state.wake, place // BLOCK, wall)


def pass_time(
    plan: Plan, state: RateState, at: int, last: Ints, received: Ints, found: Collector
) -> None:
    """Judge those windows whose end has come by wall time `at`; last, received by slot."""
    block = np.flatnonzero(state.wake <= at)
    if not block.size:
        return
    row, wall = _ends(plan, state, block, last, received)
    _end(plan, state, row[wall <= at], found)
    state.wake[block] = FAR
    np.minimum.at(state.wake, row // BLOCK, np.where(wall <= at, FAR, wall))


def next_due(plan: Plan, state: RateState, last: Ints, received: Ints) -> int:
    """The earliest wall time at which an open window ends, FAR = none; `wake` becomes exact."""
    looked_at = 8
    while len(state.wake):
        block = np.argsort(state.wake)[:looked_at]
        row, wall = _ends(plan, state, block, last, received)
        state.wake[block] = FAR
        np.minimum.at(state.wake, row // BLOCK, wall)
        if state.wake.argmin() in block:
            return int(state.wake.min())
        looked_at *= 4
    return FAR


def _ends(
    plan: Plan, state: RateState, block: Rows, last: Ints, received: Ints
) -> tuple[Rows, Ints]:
    """The rows of these blocks with an open window, and the wall times at which it ends."""
    row = (block[:, None] * BLOCK + np.arange(BLOCK)).ravel()
    row = row[row < len(state.count)]
    row = row[state.count[row] > 0]
    slot = plan.rates.slot[row]
    return row, state.end[row] + (received[slot] - last[slot])


def follow(plan: Plan, state: RateState, last: Ints, received: Ints) -> None:
    """Work out `wake` anew, after a change from outside; last, received by slot."""
    row, wall = _ends(plan, state, np.arange(len(state.wake)), last, received)
    state.wake[:] = FAR
    np.minimum.at(state.wake, row // BLOCK, wall)


def _end(plan: Plan, state: RateState, row: Rows, found: Collector) -> None:
    """Judge the open windows of these rows."""
    if not row.size:
        return
    count, length = state.count[row], plan.rates.window(row)
    centre = (count * length - state.early[row]) / count
    distance = length + centre - state.centre[row]
    before, votes = state.level[row], state.votes[row]
    clipped, plain = state.clipped[row] / count, state.plain[row] / count
    moved = (2 * np.abs(votes) > count) & (votes * (plain - before) > 0)
    level = np.where(moved, plain, clipped)
    slope = (level - before) / distance * MINUTE_US
    limit = plan.rates.limit[row]
    over = (np.abs(slope) >= limit) & (2 * np.abs(votes) > count) & (votes * slope > 0)
    sign = np.where(over, np.copysign(1, slope), 0).astype(np.int8)
    again = over & (np.sign(state.over[row]) == sign)
    state.over[row] = np.where(again, 2 * sign, sign)
    calm = np.abs(slope) < CALM * limit
    state.calm[row] = np.where(calm, np.minimum(state.calm[row] + 1, 2), 0)
    _tell(plan, state, row, slope, found)
    state.level[row] = np.where(np.isfinite(level), level, np.nan)
    state.centre[row] = centre
    state.count[row], state.early[row], state.votes[row] = 0, 0, 0
    state.clipped[row], state.plain[row] = 0.0, 0.0


def _tell(plan: Plan, state: RateState, row: Rows, slope: Floats, found: Collector) -> None:
    """Raise and return what the runs of windows say, the newest ones having just been judged."""
    end, length, slot = state.end[row], plan.rates.window(row), plan.rates.slot[row]
    active = state.sign[row] != 0
    raised = ~active & (np.abs(state.over[row]) == 2)
    returned = active & (state.calm[row] == 2)
    state.onset[row[raised]] = (end - 2 * length)[raised]
    state.sign[row[raised]] = np.sign(state.over[row[raised]])
    for edge, which in ((Edge.RAISED, raised), (Edge.RETURNED, returned)):
        told = row[which]
        limit = state.limit(plan, told)
        onset = state.onset[told]
        found.tags(edge, Kind.ROC, slot[which], onset, end[which], slope[which], limit)
    state.onset[row[returned]] = NEVER
    state.sign[row[returned]] = 0
