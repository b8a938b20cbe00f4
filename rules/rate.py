"""Rate of change ROC: slope between means of neighbouring windows, raised when two in a row agree.

Windows tumble in the tag's event time, aligned to 1970 UTC. The slope of window k is
(mean of k - mean of k-1) / (mean sample time of k - mean sample time of k-1); an empty window
breaks the chain. Two windows in a row with |slope| >= limit and one sign raise, so that a single
outlier, which pushes the slope up and then down, cannot; two in a row below `CALM` * limit return
(hazwatch proposal). A window is judged when a good sample of a later window comes, or when its end
has passed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.findings import Collector
from rules.plan import Plan
from rules.samples import Samples, by_rank, ranks

Rows = NDArray[np.intp]

CALM = 0.9
"""Share of the limit below which the slope must be to return."""
MINUTE_US = 60e6


@dataclass(slots=True, eq=False)
class RateState:
    """One row for each tag of the plan's `RateTable`; changed in place by this module only.

    window: int64[r], number of the open window (event time // length), NEVER = none. count:
    int64[r] good samples in it, value: float64[r] their sum, offset: int64[r] the sum of their
    microseconds since the window's start. last: int64[r], number of the window judged last, NEVER =
    none, with mean: float64[r] and centre: float64[r], microseconds of its mean sample time since
    its start. over: int8[r], windows in a row over the limit, with the sign of the slope. calm:
    int8[r], windows in a row below CALM * limit; both stop at 2. onset: int64[r], of the active
    condition, NEVER = none. limit: float64[r], the limit with the sign of the slope that raised,
    NaN = not active. wake: int64[r], wall time in microseconds at which the open window ends, FAR =
    none.
    """

    window: Ints
    count: Ints
    value: Floats
    offset: Ints
    last: Ints
    mean: Floats
    centre: Floats
    over: NDArray[np.int8]
    calm: NDArray[np.int8]
    onset: Ints
    limit: Floats
    wake: Ints

    @staticmethod
    def fresh(r: int) -> "RateState":
        """r tags of which nothing is known."""
        return RateState(
            np.full(r, NEVER, np.int64),
            np.zeros(r, np.int64),
            np.zeros(r),
            np.zeros(r, np.int64),
            np.full(r, NEVER, np.int64),
            np.full(r, np.nan),
            np.full(r, np.nan),
            np.zeros(r, np.int8),
            np.zeros(r, np.int8),
            np.full(r, NEVER, np.int64),
            np.full(r, np.nan),
            np.full(r, FAR, np.int64),
        )

    def follow(self, plan: Plan, row: Rows, last: Ints, received: Ints) -> None:
        """Work out `wake` anew. last, received by slot: time and stamp of the last samples."""
        slot = plan.rates.slot[row]
        self.wake[row] = _wake(ends(plan, self, row), received[slot] - last[slot])

    def forget_windows(self, row: Rows) -> None:
        """Break the chain of these rows; what is active stays active."""
        blank = RateState.fresh(len(row))
        for name in (
            "window",
            "count",
            "value",
            "offset",
            "last",
            "mean",
            "centre",
            "over",
            "calm",
        ):
            getattr(self, name)[row] = getattr(blank, name)


def judge(plan: Plan, state: RateState, samples: Samples, received: int, found: Collector) -> None:
    """Take in samples as `Samples` orders them; those that are not good and finite say nothing."""
    row = plan.rates.row[samples.slot]
    rated = row >= 0
    if not rated.any():
        return
    row, at = row[rated], samples.at[rated]
    usable = (samples.good & np.isfinite(samples.value))[rated]
    if usable.any():
        repeats = samples.rank is not None
        value = samples.value[rated][usable]
        _judge_usable(plan, state, row[usable], at[usable], value, repeats, found)
    state.wake[row] = _wake(ends(plan, state, row), received - at)


def _judge_usable(
    plan: Plan,
    state: RateState,
    row: Rows,
    at: Ints,
    value: Floats,
    repeats: bool,
    found: Collector,
) -> None:
    """Samples by row and time: the first window of each row together, then the second ones."""
    window = at // plan.rates.window[row]
    if not repeats or (state.window[row] == window).all():
        _take(plan, state, row, window, at, value, found)
        return
    starts = np.append(True, row[1:] != row[:-1])
    opens = starts | np.append(True, window[1:] != window[:-1])
    nth = np.cumsum(opens) - 1
    for part in by_rank(ranks(starts[opens])[nth]):
        _take(plan, state, row[part], window[part], at[part], value[part], found)


def _wake(end: Ints, behind: Ints) -> Ints:
    """Wall times of event times; behind: by how much the tags lag behind the wall clock."""
    return np.where(end == FAR, FAR, end + behind)


def _take(
    plan: Plan,
    state: RateState,
    row: Rows,
    window: Ints,
    at: Ints,
    value: Floats,
    found: Collector,
) -> None:
    """Samples of which each row has one window; added one by one, so that no cut changes a sum."""
    ended = (state.window[row] != window) & (state.window[row] != NEVER)
    if ended.any():
        _end(plan, state, np.unique(row[ended]), found)
    state.window[row] = window
    np.add.at(state.count, row, 1)
    np.add.at(state.value, row, value)
    np.add.at(state.offset, row, at - window * plan.rates.window[row])


def pass_time(
    plan: Plan, state: RateState, at: int, last: Ints, received: Ints, found: Collector
) -> None:
    """Judge those windows whose end has come by wall time `at`; last, received by slot."""
    row = np.flatnonzero(state.wake <= at)
    if not row.size:
        return
    slot = plan.rates.slot[row]
    ended = ends(plan, state, row) <= last[slot] + (at - received[slot])
    _end(plan, state, row[ended], found)
    state.follow(plan, row, last, received)


def ends(plan: Plan, state: RateState, row: Rows) -> Ints:
    """Event time at which the open window of each row ends: int64[m], FAR = none open."""
    window = state.window[row]
    return np.where(window == NEVER, FAR, (window + 1) * plan.rates.window[row])


def _end(plan: Plan, state: RateState, row: Rows, found: Collector) -> None:
    """Judge and close the open windows of these rows."""
    window, length = state.window[row], plan.rates.window[row]
    mean, centre = state.value[row] / state.count[row], state.offset[row] / state.count[row]
    follows = state.last[row] == window - 1
    distance = np.where(follows, length + centre - state.centre[row], np.nan)
    slope = (mean - state.mean[row]) / distance * MINUTE_US
    limit = plan.rates.limit[row]
    over = np.abs(slope) >= limit
    sign = np.where(over, np.copysign(1, slope), 0).astype(np.int8)
    again = over & (np.sign(state.over[row]) == sign)
    state.over[row] = np.where(again, 2 * sign, sign)
    calm = np.abs(slope) < CALM * limit
    state.calm[row] = np.where(calm, np.minimum(state.calm[row] + 1, 2), 0)
    _tell(plan, state, row, window, slope, found)
    state.last[row], state.mean[row], state.centre[row] = window, mean, centre
    state.window[row], state.count[row], state.value[row], state.offset[row] = NEVER, 0, 0.0, 0


def _tell(
    plan: Plan,
    state: RateState,
    row: Rows,
    window: Ints,
    slope: Floats,
    found: Collector,
) -> None:
    """Raise and return what the runs of windows say; window: the one that has just been judged."""
    length, slot = plan.rates.window[row], plan.rates.slot[row]
    active = state.onset[row] != NEVER
    raised = ~active & (np.abs(state.over[row]) == 2)
    returned = active & (state.calm[row] == 2)
    end = (window + 1) * length
    state.onset[row[raised]] = ((window - 1) * length)[raised]
    state.limit[row[raised]] = np.copysign(plan.rates.limit[row], slope)[raised]
    for edge, which in ((Edge.RAISED, raised), (Edge.RETURNED, returned)):
        told = row[which]
        found.tags(
            edge,
            Kind.ROC,
            slot[which],
            state.onset[told],
            end[which],
            slope[which],
            state.limit[told],
        )
    state.onset[row[returned]] = NEVER
    state.limit[row[returned]] = np.nan


KEPT = (
    "window", "count", "value", "offset", "last", "mean", "centre", "over", "calm", "onset", "limit"
)  # fmt: skip
"""What is told of a row when it moves into another state; `wake` follows from it."""


def settle(plan: Plan, state: RateState, row: Rows, changed: NDArray[np.bool_]) -> None:
    """After rows came from another plan: where window or limit differs, the chain begins anew."""
    state.limit[row] = np.copysign(plan.rates.limit[row], state.limit[row])
    state.limit[state.onset == NEVER] = np.nan
    state.forget_windows(row[changed])


def carry(old_plan: Plan, old_state: RateState, new_plan: Plan, state: RateState) -> None:
    """Take over the rows of tags that have a rate in both plans."""
    old, new = old_plan.rates, new_plan.rates
    old_slot = old_plan.slots_of(new_plan.tags[new.slot])
    row = np.flatnonzero(np.where(old_slot >= 0, old.row[old_slot], -1) >= 0)
    old_row = old.row[old_slot[row]]
    for name in KEPT:
        getattr(state, name)[row] = getattr(old_state, name)[old_row]
    changed = (old.window[old_row] != new.window[row]) | (old.limit[old_row] != new.limit[row])
    settle(new_plan, state, row, changed)
