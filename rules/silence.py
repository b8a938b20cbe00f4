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

A tag that is heard only moves its instant further away. So nothing is worked out when it is heard:
blocks of slots have a lower bound of their instants, and are looked at when that has come.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Frame, Ints
from domain.instant import FAR, NEVER
from rules.findings import Collector
from rules.plan import Plan
from rules.samples import Samples
from rules.staleness import newly_stale, offline_at, silent_at, source_silence, tag_silence

Slots = NDArray[np.intp]
BLOCK = 1024
"""Slots that share one `wake`."""


@dataclass(slots=True, eq=False)
class SilenceState:
    """Signs of life by slot [n] and by source [m], int64 microseconds, NEVER = none.

    Changed in place by this module only. good: [n], event time of the last good sample. heard: [n],
    stamp of its frame. offline: bool[n], whether OFFLINE is active; its onset is `onset(...)`.
    stale: bool[n], see `rules.staleness`; `heard` is the stamp of the STALE sample then.
    source_due: [m], a lower bound of the received time from which all its tags are silent, before
    any grace. alive: [m], stamp of the last frame with a good sample. lost: [m], onset of the
    active SOURCE_OFFLINE, and lost_effective: [m]. wake: for each `BLOCK` of slots a received time
    before which nothing can be raised, by the grace `wake_grace`. reach: [m], a lower bound of the
    longest silence of a tag that is not stale.
    """

    good: Ints
    heard: Ints
    offline: NDArray[np.bool_]
    source_due: Ints
    alive: Ints
    lost: Ints
    lost_effective: Ints
    wake: Ints
    wake_grace: int
    stale: NDArray[np.bool_]
    reach: Ints

    @staticmethod
    def fresh(n: int, m: int) -> "SilenceState":
        """n tags of m sources, none of them ever heard."""
        return SilenceState(
            np.full(n, NEVER, np.int64),
            np.full(n, NEVER, np.int64),
            np.zeros(n, np.bool_),
            np.full(m, NEVER, np.int64),
            np.full(m, NEVER, np.int64),
            np.full(m, NEVER, np.int64),
            np.full(m, NEVER, np.int64),
            np.full(-(-n // BLOCK), NEVER, np.int64),
            NEVER,
            np.zeros(n, np.bool_),
            np.zeros(m, np.int64),
        )

    def follow(self) -> None:
        """Forget the lower bounds, after a change from outside."""
        self.source_due[:] = NEVER
        self.reach[:] = 0
        self.wake[:] = NEVER


def onset(plan: Plan, state: SilenceState, slot: Slots) -> Ints:
    """Event time of the last good sample, or else of the registration: int64[k]."""
    good = state.good[slot]
    return np.where(good == NEVER, plan.since[slot], good)


def set_offline(plan: Plan, state: SilenceState, slot: Slots, since: Ints) -> None:
    """Make OFFLINE active for exactly these tags, with these onsets: what was heard later than
    that, the alarm has not returned by."""
    state.offline[:] = False
    state.offline[slot] = True
    other = since != onset(plan, state, slot)
    state.good[slot[other]] = since[other]


def hear(
    plan: Plan, state: SilenceState, samples: Samples, received: int, found: Collector
) -> None:
    """Take good live samples as signs of life: OFFLINE and SOURCE_OFFLINE return.

    When a source comes back its other tags get their full silence anew: they are on their way.
    """
    samples = samples if samples.alive.all() else samples.take(np.flatnonzero(samples.alive))
    if not len(samples):
        return
    where = samples.where
    _return_tags(plan, state, samples, received, found)
    spoke = np.zeros(len(state.alive), np.bool_)
    spoke[plan.sources.of[where]] = True
    row = np.flatnonzero(spoke)
    if (state.lost[row] != NEVER).any():
        _return_sources(plan, state, samples, received, found)
    state.good[where] = samples.at
    state.heard[where] = received
    state.stale[where] = False
    state.alive[row] = received
    least = received + plan.sources.shortest[row] + 1
    state.source_due[row] = np.maximum(state.source_due[row], least)


def lose(plan: Plan, state: SilenceState, frame: Frame) -> None:
    """Tags whose newest sample in a frame that was heard is STALE are silent from now on."""
    slot = newly_stale(plan, state, frame)
    if not slot.size:
        return
    state.stale[slot] = True
    state.heard[slot] = frame.received
    source = plan.sources.of[slot]
    state.source_due[source], state.reach[source] = NEVER, 0
    _wake(state, slot, state.heard[slot] + tag_silence(plan, state, slot) + 1)


def _return_tags(
    plan: Plan, state: SilenceState, samples: Samples, received: int, found: Collector
) -> None:
    back = state.offline[samples.where]
    if not back.any():
        return
    slot, first = np.unique(samples.slot[back], return_index=True)
    since = onset(plan, state, slot)
    effective = np.maximum(samples.at[back][first], offline_at(plan, state, slot, since))
    value = samples.value[back][first]
    found.tags(Edge.RETURNED, Kind.OFFLINE, slot, since, effective, value)
    state.offline[slot] = False
    _wake(state, slot, received + plan.silence[slot] + 1)


def _return_sources(
    plan: Plan, state: SilenceState, samples: Samples, received: int, found: Collector
) -> None:
    source = plan.sources.of[samples.slot]
    back = state.lost[source] != NEVER
    first = np.full(len(state.lost), FAR, np.int64)
    np.minimum.at(first, source[back], samples.at[back])
    row = np.flatnonzero(first != FAR)
    effective = np.maximum(first[row], state.lost_effective[row])
    found.nodes(
        Edge.RETURNED, Kind.SOURCE_OFFLINE, plan.sources.ids[row], state.lost[row], effective
    )
    state.lost[row] = state.lost_effective[row] = NEVER
    _grant(plan, state, row, received)


def _grant(plan: Plan, state: SilenceState, back: NDArray[np.intp], received: int) -> None:
    """Silence of the tags of these sources that are not OFFLINE counts from `received` at the
    earliest."""
    kin = plan.sources.members(back)
    kin = kin[~state.offline[kin]]
    state.heard[kin] = np.maximum(state.heard[kin], received)
    _wake(state, kin, state.heard[kin] + tag_silence(plan, state, kin) + 1)


def _wake(state: SilenceState, slot: Slots, due: Ints) -> None:
    np.minimum.at(state.wake, slot // BLOCK, due)


def pass_time(plan: Plan, state: SilenceState, grace: int, at: int, found: Collector) -> None:
    """Raise what has been silent for long enough at received time `at`."""
    _by_grace(state, grace)
    block = np.flatnonzero(state.wake <= at)
    if block.size:
        _raise_tags(plan, state, grace, at, block, found)
    lost = np.flatnonzero(_lost_due(plan, state, grace) <= at)
    if lost.size:
        _hear_again(plan, state, lost)
        lost = lost[_lost_due(plan, state, grace)[lost] <= at]
        _raise_sources(plan, state, lost, found)


def _by_grace(state: SilenceState, grace: int) -> None:
    if grace != state.wake_grace:
        state.wake[:], state.wake_grace = NEVER, grace


def _raise_tags(
    plan: Plan,
    state: SilenceState,
    grace: int,
    at: int,
    block: NDArray[np.intp],
    found: Collector,
) -> None:
    """Raise what is due in these blocks of slots, and work out when to look at them again."""
    slot, due = _dues(plan, state, grace, block)
    silent = np.flatnonzero(due <= at)
    if silent.size:
        raise_due = _raise_due(plan, state, grace, slot[silent], due[silent])
        raised = slot[silent[raise_due <= at]]
        since = onset(plan, state, raised)
        effective = offline_at(plan, state, raised, since)
        found.tags(Edge.RAISED, Kind.OFFLINE, raised, since, effective)
        state.offline[raised] = True
        held_back = (raise_due == FAR) & (state.lost[plan.sources.of[slot[silent]]] != NEVER)
        due[silent[held_back | (raise_due <= at)]] = FAR
    state.wake[block] = FAR
    _wake(state, slot, due)


def _dues(
    plan: Plan, state: SilenceState, grace: int, block: NDArray[np.intp]
) -> tuple[Slots, Ints]:
    """The slots of these blocks that are not OFFLINE, and the received times from which they are
    silent."""
    slot = (block[:, None] * BLOCK + np.arange(BLOCK)).ravel()
    slot = slot[slot < len(plan)]
    slot = slot[~state.offline[slot]]
    return slot, np.maximum(state.heard[slot], grace) + tag_silence(plan, state, slot) + 1


def _raise_sources(
    plan: Plan, state: SilenceState, lost: NDArray[np.intp], found: Collector
) -> None:
    """Onset: the last good sample of any tag; effective: when the delay ran out in event time."""
    m = len(plan.sources.ids)
    newest, silent = np.full(m, NEVER, np.int64), np.full(m, NEVER, np.int64)
    slot = plan.sources.members(lost)
    seen = onset(plan, state, slot)
    np.maximum.at(newest, plan.sources.of[slot], seen)
    np.maximum.at(silent, plan.sources.of[slot], silent_at(plan, state, slot, seen))
    state.lost[lost] = newest[lost]
    state.lost_effective[lost] = silent[lost] + plan.sources.delay
    found.nodes(
        Edge.RAISED,
        Kind.SOURCE_OFFLINE,
        plan.sources.ids[lost],
        state.lost[lost],
        state.lost_effective[lost],
    )


def _source_due(plan: Plan, state: SilenceState, grace: int) -> Ints:
    """A lower bound of the received time from which all tags of a source are silent: int64[m]."""
    return np.maximum(state.source_due, grace + state.reach + 1)


def _lost_due(plan: Plan, state: SilenceState, grace: int) -> Ints:
    """A lower bound of when a source is lost, FAR = is lost: int64[m]."""
    due = _source_due(plan, state, grace) + plan.sources.delay
    return np.where(state.lost == NEVER, due, FAR)


def _hear_again(plan: Plan, state: SilenceState, row: NDArray[np.integer]) -> None:
    """Make `source_due` and `reach` of these sources exact."""
    slot = plan.sources.members(row)
    source, own = plan.sources.of[slot], source_silence(plan, state, slot)
    state.source_due[row], state.reach[row] = NEVER, 0
    np.maximum.at(state.source_due, source, state.heard[slot] + own + 1)
    np.maximum.at(state.reach, source, own)


def _raise_due(plan: Plan, state: SilenceState, grace: int, slot: Slots, due: Ints) -> Ints:
    """Received time at which OFFLINE of these slots is raised, as things stand; FAR = held back.
    due: from when they are silent."""
    source = plan.sources.of[slot]
    waited = due + plan.sources.delay
    doubt = np.unique(source[_source_due(plan, state, grace)[source] <= waited])
    if doubt.size:
        _hear_again(plan, state, doubt)
    all_silent = _source_due(plan, state, grace)[source]
    proof = due - tag_silence(plan, state, slot) // 2
    proven = (state.alive[source] >= proof) & (all_silent > due)
    return np.where(proven, due, np.where(all_silent > waited, waited, FAR))


def next_due(plan: Plan, state: SilenceState, grace: int) -> int:
    """The earliest received time at which something is raised if nobody speaks; FAR = none."""
    _by_grace(state, grace)
    return min(_next_tag(plan, state, grace), _next_source(plan, state, grace))


def _next_tag(plan: Plan, state: SilenceState, grace: int) -> int:
    slot, due = _dues(plan, state, grace, np.arange(len(state.wake)))
    state.wake[:] = FAR
    _wake(state, slot, due)
    best, looked_at, order = FAR, 1, np.argsort(state.wake)
    while order.size and state.wake[order[0]] < best:
        slot, due = _dues(plan, state, grace, order[:looked_at])
        best = min(best, int(_raise_due(plan, state, grace, slot, due).min()))
        order, looked_at = order[looked_at:], 4 * looked_at
    return best


def _next_source(plan: Plan, state: SilenceState, grace: int) -> int:
    _hear_again(plan, state, np.flatnonzero(state.lost == NEVER))
    return int(_lost_due(plan, state, grace).min(initial=FAR))
