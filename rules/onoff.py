"""Conditions of rows that begin after one delay and end after another, in event time."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.alarms import Edge
from domain.frame import Ints
from domain.instant import FAR, NEVER
from rules.joint import Mask
from rules.rows import Rows


class Change(NamedTuple):
    """Conditions that began or ended: places among the rows that were looked at, event times."""

    edge: Edge
    place: Rows
    onset: Ints
    effective: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Delays:
    """How long something must hold, and how long it must not: int64[k], microseconds."""

    on: Ints
    off: Ints


def settle(
    onset: Ints, due: Ints, row: Rows, when: Ints, begins: Mask, holds: Mask, delays: Delays,
    began: Ints | None = None,
) -> list[Change]:  # fmt: skip
    """Follow one condition of some rows at event times `when`.

    onset: int64[r], of the active condition, NEVER = not active. due: int64[r], when its running
    delay runs out, FAR = none; both are changed in place. begins: whether it begins where it is not
    active, holds: whether it goes on where it is; what begins also holds. began: onsets of what
    begins, else when its delay did. A delay that is running
    starts anew once its reason is gone.
    """
    since, was = onset[row], due[row]
    active = since != NEVER
    runs = np.where(active, ~holds, begins)
    wait = np.where(active, delays.off, delays.on)
    new = np.where(runs, np.where(was == FAR, when + wait, was), FAR)
    out = runs & (new <= when)
    raised, returned = np.flatnonzero(out & ~active), np.flatnonzero(out & active)
    first = (new - delays.on if began is None else began)[raised]
    changes = []
    if raised.size:
        changes.append(Change(Edge.RAISED, raised, first, new[raised]))
    if returned.size:
        changes.append(Change(Edge.RETURNED, returned, since[returned], new[returned]))
    since[raised], since[returned], new[out] = first, NEVER, FAR
    onset[row], due[row] = since, new
    return changes
