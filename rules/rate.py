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

from domain.alarms import Kind
from domain.frame import Ints
from domain.instant import FAR
from rules import rate_windows
from rules.findings import Collector
from rules.loops import Edges, room
from rules.plan import Plan
from rules.rate_state import BLOCK, RateState, Rows
from rules.samples import Samples

MOST = 4096
"""Edges that are told at once."""


def judge(plan: Plan, state: RateState, samples: Samples, received: int, found: Collector) -> None:
    """Take in samples as `Samples` orders them; those that are not good and finite say nothing."""
    table, where, begin = plan.rates, samples.where, 0
    if not len(table.slot):
        return
    rows, lengths = table.row[where], table.length[where]
    usable = samples.good & np.isfinite(samples.value)
    while begin < len(samples):
        edges = room(min(MOST, len(samples)))
        begin = rate_windows.pass_samples(
            begin, rows, samples.at, samples.value, usable, lengths, table.limit, state.of,
            state.wake, received, edges,
        )  # fmt: skip
        _tell(plan, edges, found)


def pass_time(
    plan: Plan, state: RateState, at: int, last: Ints, received: Ints, found: Collector
) -> None:
    """Judge those windows whose end has come by wall time `at`; last, received by slot."""
    block = np.flatnonzero(state.wake <= at)
    if not block.size:
        return
    over = rate_windows.ended(block, at, plan.rates.slot, last, received, state.of, state.wake)
    edges, lengths = room(len(over)), plan.rates.window(over)
    rate_windows.end_windows(over, lengths, plan.rates.limit, state.of, edges)
    _tell(plan, edges, found)


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
    row = row[row < len(state.of)]
    row = row[state.of["count"][row] > 0]
    slot = plan.rates.slot[row]
    return row, state.of["end"][row] + (received[slot] - last[slot])


def follow(plan: Plan, state: RateState, last: Ints, received: Ints) -> None:
    """Work out `wake` anew, after a change from outside; last, received by slot."""
    row, wall = _ends(plan, state, np.arange(len(state.wake)), last, received)
    state.wake[:] = FAR
    np.minimum.at(state.wake, row // BLOCK, wall)


def _tell(plan: Plan, edges: Edges, found: Collector) -> None:
    told = edges.rows[: edges.used[0]]
    if told.size:
        found.tags(
            told["edge"], Kind.ROC, plan.rates.slot[told["number"]], told["onset"],
            told["effective"], told["value"], told["limit"],
        )  # fmt: skip
