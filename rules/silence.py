"""Missing data: OFFLINE of a tag; one SOURCE_OFFLINE instead when a whole hazard source is silent.

Silence is counted in received time: a tag is silent from max(its last good sample, `grace_from`) +
`silence` on, and its OFFLINE waits for proof that the tag alone is silent. Proof is a good sample
of its source from the second half of that time, or later. Without proof it waits for as long as
SOURCE_OFFLINE does; if by then all tags of the source are silent, it is held back until the source
is heard again. So the last samples before a gateway dies, spread over an interval, raise one alarm
and not one for each tag (hazwatch proposal; EEMUA 191 on floods).

Onsets are event times: of the last good sample, or of the registration. What was silent long enough
when a frame was received is raised before the frame is judged, so ticks change nothing but the hour
at which it becomes known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Ints
from domain.instant import FAR, NEVER
from rules.findings import Collector
from rules.plan import Plan
from rules.samples import Samples


@dataclass(slots=True, eq=False)
class SilenceState:
    """Signs of life by slot [n] and by source [m], int64 microseconds, NEVER = none.

    Changed in place by this module only. good: [n], event time of the last good sample. due: [n],
    received time from which the tag is silent, before any grace. offline: [n], onset of the active
    OFFLINE. source_due: [m], the latest `due` of its tags. alive: [m], stamp of the last frame with
    a good sample. lost: [m], onset of the active SOURCE_OFFLINE, and lost_effective: [m].
    """

    good: Ints
    due: Ints
    offline: Ints
    source_due: Ints
    alive: Ints
    lost: Ints
    lost_effective: Ints

    @staticmethod
    def fresh(n: int, m: int) -> "SilenceState":
        """n tags of m sources, none of them ever heard."""
        tags = (np.full(n, NEVER, np.int64) for _ in range(3))
        sources = (np.full(m, NEVER, np.int64) for _ in range(4))
        return SilenceState(*tags, *sources)


def hear(
    plan: Plan, state: SilenceState, samples: Samples, received: int, found: Collector
) -> None:
    """Take good live samples as signs of life: OFFLINE and SOURCE_OFFLINE return.

    When a source comes back its other tags get their full silence anew: they are on their way.
    """
    samples = samples if samples.alive.all() else samples.take(samples.alive)
    if not len(samples):
        return
    slot = samples.slot
    source = plan.sources.of[slot]
    _return_tags(plan, state, samples, found)
    back = _return_sources(plan, state, source, samples.at, found)
    if back.size:
        _grant(plan, state, back, received)
    due = received + plan.silence[slot] + 1
    state.good[slot] = samples.at
    state.due[slot] = due
    state.alive[source] = received
    np.maximum.at(state.source_due, source, due)


def _return_tags(plan: Plan, state: SilenceState, samples: Samples, found: Collector) -> None:
    back = state.offline[samples.slot] != NEVER
    if not back.any():
        return
    slot, first = np.unique(samples.slot[back], return_index=True)
    onset = state.offline[slot]
    effective = np.maximum(samples.at[back][first], onset + plan.silence[slot])
    value = samples.value[back][first]
    found.tags(Edge.RETURNED, Kind.OFFLINE, slot, onset, effective, value)
    state.offline[slot] = NEVER


def _return_sources(
    plan: Plan, state: SilenceState, source: NDArray[np.int32], at: Ints, found: Collector
) -> NDArray[np.intp]:
    """The rows of the sources that came back."""
    back = state.lost[source] != NEVER
    if not back.any():
        return np.empty(0, np.intp)
    first = np.full(len(state.lost), FAR, np.int64)
    np.minimum.at(first, source[back], at[back])
    row = np.flatnonzero(first != FAR)
    effective = np.maximum(first[row], state.lost_effective[row])
    found.nodes(
        Edge.RETURNED, Kind.SOURCE_OFFLINE, plan.sources.ids[row], state.lost[row], effective
    )
    state.lost[row] = state.lost_effective[row] = NEVER
    return row


def _grant(plan: Plan, state: SilenceState, back: NDArray[np.intp], received: int) -> None:
    """Silence of the tags of these sources that are not OFFLINE counts from `received` at the
    earliest."""
    kin = np.flatnonzero(np.isin(plan.sources.of, back) & (state.offline == NEVER))
    state.due[kin] = np.maximum(state.due[kin], received + plan.silence[kin] + 1)
    np.maximum.at(state.source_due, plan.sources.of[kin], state.due[kin])


def pass_time(plan: Plan, state: SilenceState, grace: int, at: int, found: Collector) -> None:
    """Raise what has been silent for long enough at received time `at`."""
    silent = np.flatnonzero((state.due <= at) & (state.offline == NEVER))
    if silent.size:
        silent = silent[_raise_due(plan, state, grace, silent) <= at]
        onset = _onset(plan, state, silent)
        found.tags(Edge.RAISED, Kind.OFFLINE, silent, onset, onset + plan.silence[silent])
        state.offline[silent] = onset
    lost_due = source_due(plan, state, grace) + plan.sources.delay
    lost = np.flatnonzero((lost_due <= at) & (state.lost == NEVER))
    if lost.size:
        _raise_sources(plan, state, lost, found)


def _raise_sources(
    plan: Plan, state: SilenceState, lost: NDArray[np.intp], found: Collector
) -> None:
    """Onset: the last good sample of any tag; effective: when the delay ran out in event time."""
    m = len(plan.sources.ids)
    onset, silent = np.full(m, NEVER, np.int64), np.full(m, NEVER, np.int64)
    seen = _onset(plan, state, np.arange(len(plan)))
    np.maximum.at(onset, plan.sources.of, seen)
    np.maximum.at(silent, plan.sources.of, seen + plan.silence)
    state.lost[lost] = onset[lost]
    state.lost_effective[lost] = silent[lost] + plan.sources.delay
    found.nodes(
        Edge.RAISED,
        Kind.SOURCE_OFFLINE,
        plan.sources.ids[lost],
        state.lost[lost],
        state.lost_effective[lost],
    )


def _onset(plan: Plan, state: SilenceState, slot: NDArray[np.intp]) -> Ints:
    good = state.good[slot]
    return np.where(good == NEVER, plan.since[slot], good)


def source_due(plan: Plan, state: SilenceState, grace: int) -> Ints:
    """Received time from which all tags of a source are silent: int64[m]."""
    return np.maximum(state.source_due, grace + plan.sources.longest + 1)


def _raise_due(plan: Plan, state: SilenceState, grace: int, slot: NDArray[np.intp]) -> Ints:
    """Received time at which OFFLINE of these slots is raised, as things stand; FAR = held back."""
    silence, source = plan.silence[slot], plan.sources.of[slot]
    due = np.maximum(state.due[slot], grace + silence + 1)
    all_silent = source_due(plan, state, grace)[source]
    proven = (state.alive[source] >= due - silence // 2) & (all_silent > due)
    waited = due + plan.sources.delay
    return np.where(proven, due, np.where(all_silent > waited, waited, FAR))


def source_due_of_tags(plan: Plan, due: Ints) -> Ints:
    """The latest `due` among each source's tags: int64[m] of int64[n]."""
    latest = np.full(len(plan.sources.ids), NEVER, np.int64)
    np.maximum.at(latest, plan.sources.of, due)
    return latest


def next_due(plan: Plan, state: SilenceState, grace: int) -> int:
    """The earliest received time at which something is raised if nobody speaks; FAR = none."""
    heard = np.flatnonzero(state.offline == NEVER)
    tags = _raise_due(plan, state, grace, heard)
    sources = (source_due(plan, state, grace) + plan.sources.delay)[state.lost == NEVER]
    return int(min(tags.min(initial=FAR), sources.min(initial=FAR)))
