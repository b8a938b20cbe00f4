"""STALE: what came through a connection that is known to be gone 数据陈旧.

A tag whose newest sample has `Quality.STALE` is silent from the stamp of that sample on, however
long it may keep silent otherwise: a tag that reports by exception is not waited for after the death
of its gateway. A good live sample ends it. OFFLINE of such a tag comes after the shorter of its own
silence and the delay of SOURCE_OFFLINE; a source all of whose tags are stale or silent is lost
after that delay (domain research 4.4: NDEATH of its gateway, 60 s).
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.quality import Quality
from rules.plan import Plan

if TYPE_CHECKING:
    from rules.silence import SilenceState

Slots = NDArray[np.intp]


def newly_stale(plan: Plan, state: "SilenceState", frame: Frame) -> Slots:
    """Slots that a frame makes stale: intp, rising. To be asked once its good ones are known."""
    row = np.flatnonzero(frame.quality == Quality.STALE)
    if not row.size:
        return np.empty(0, np.intp)
    slot = plan.slots_of(frame.tag[row])
    at = frame.at[row]
    slot, at = slot[slot >= 0], at[slot >= 0]
    return np.unique(slot[(at > state.good[slot]) & ~state.stale[slot]])


def tag_silence(plan: Plan, state: "SilenceState", slot: Slots) -> Ints:
    """How long these tags may keep silent, from `heard` on: int64[k], microseconds."""
    own = plan.silence[slot]
    return np.asarray(np.where(state.stale[slot], np.minimum(own, plan.sources.delay), own))


def source_silence(plan: Plan, state: "SilenceState", slot: Slots) -> Ints:
    """The same, where it is asked whether all of a source is silent: int64[k]."""
    return np.asarray(np.where(state.stale[slot], 0, plan.silence[slot]))


def offline_at(plan: Plan, state: "SilenceState", slot: Slots, since: Ints) -> Ints:
    """When OFFLINE of these tags takes effect, since its onset: int64[k]."""
    gone = np.maximum(since, state.heard[slot] + tag_silence(plan, state, slot))
    return np.asarray(np.where(state.stale[slot], gone, since + plan.silence[slot]))


def silent_at(plan: Plan, state: "SilenceState", slot: Slots, since: Ints) -> Ints:
    """When these tags were all silent, as SOURCE_OFFLINE counts it: int64[k]."""
    gone = np.maximum(since, state.heard[slot])
    return np.asarray(np.where(state.stale[slot], gone, since + plan.silence[slot]))
