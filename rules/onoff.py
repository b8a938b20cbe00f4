"""Conditions of rows that begin after one delay and end after another, in event time."""

from typing import NamedTuple

import numpy as np

from domain.alarms import Edge
from domain.instant import FAR, NEVER
from rules.compiled import compiled
from rules.joint import Records

RAISED, RETURNED, NOTHING = int(Edge.RAISED), int(Edge.RETURNED), -1
SHOWN = 8
"""Members whose values are told."""
TOLD = np.dtype(
    [
        *((name, np.int64) for name in ("edge", "column", "row", "onset", "effective")),
        *((name, np.int64) for name in ("those", "out")),
        ("value", np.float64, (SHOWN,)),
    ]
)
"""A condition that began or ended. column: which one of its row. those, out: sets of members, of
the layer's own, and of which nothing is known. value: last numbers of the first members."""


class Stand(NamedTuple):
    """How a condition stands. edge: what became of it just now, NOTHING, RAISED or RETURNED, with
    onset and effective time. since: onset of what is active, NEVER = is not. due: when a running
    delay runs out, FAR = none."""

    edge: int
    onset: int
    effective: int
    since: int
    due: int


@compiled
def settle(
    since: int, due: int, when: int, begins: bool, holds: bool, on: int, off: int, began: int
) -> Stand:
    """Follow a condition of a row at event time `when`.

    begins: whether it begins where it is not active, holds: whether it goes on where it is; what
    begins also holds. on, off: how long it must hold, and must not. began: onset of what begins,
    FAR: when its delay did. A delay that is running starts anew once its reason is gone.
    """
    active = since != NEVER
    if holds if active else not begins:
        return Stand(NOTHING, NEVER, NEVER, since, FAR)
    if due == FAR:
        due = when + (off if active else on)
    if due > when:
        return Stand(NOTHING, NEVER, NEVER, since, due)
    if active:
        return Stand(RETURNED, since, due, NEVER, FAR)
    onset = due - on if began == FAR else began
    return Stand(RAISED, onset, due, onset, FAR)


@compiled
def tell(
    told: Records, n: int, stand: Stand, column: int, row: int, those: int, out: int,
    members: Records,
) -> Records:  # fmt: skip
    """The findings, with an n-th one; there may be room for more."""
    if n == len(told):
        told = np.append(told, np.empty(n + 1, TOLD))
    one = told[n]
    one["edge"], one["column"], one["row"] = stand.edge, column, row
    one["onset"], one["effective"] = stand.onset, stand.effective
    one["those"], one["out"] = those, out
    for k in range(SHOWN):
        one["value"][k] = members[k]["value"] if k < len(members) else np.nan
    return told
