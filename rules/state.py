"""`RuleState`: everything that the engine remembers, and how it survives restarts and new plans."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Finding, Kind
from domain.frame import Floats, Ints
from domain.instant import NEVER, micros
from rules import adoption, closing, limits, rate, rate_state, relimit, rows, silence, snapshot
from rules.findings import Collector
from rules.layers import LAYERS
from rules.machines import Machines
from rules.plan import Plan, Where
from rules.rate_state import RateState
from rules.rows import Memory, Seen
from rules.silence import SilenceState

Slots = NDArray[np.intp]


@dataclass(slots=True, eq=False)
class RuleState:
    """The engine's memory, owned by its caller and changed in place by the engine only.

    By slot, shape [n]: at, received: int64, event time and frame stamp of the last judged sample,
    NEVER = none; held: float64, the last value that was a number, NaN = none. layers: a memory for
    each of `rules.layers.LAYERS`. grace_from: wall microseconds from which silence counts at the
    earliest; the caller sets it again when it was itself away. Times are int64 microseconds since
    1970 UTC.
    """

    at: Ints
    received: Ints
    held: Floats
    limits: Machines
    rates: RateState
    silence: SilenceState
    layers: tuple[Memory, ...]
    grace_from: int

    @staticmethod
    def fresh(plan: Plan, at_us: int) -> "RuleState":
        """A memory that knows nothing yet at wall time `at_us`, microseconds."""
        n = len(plan)
        return RuleState(
            np.full(n, NEVER, np.int64),
            np.full(n, NEVER, np.int64),
            np.full(n, np.nan),
            Machines(n),
            RateState.fresh(len(plan.rates.slot)),
            SilenceState.fresh(n, len(plan.sources.ids)),
            tuple(layer.fresh(table) for layer, table in zip(LAYERS, plan.layers, strict=True)),
            at_us,
        )

    def last_at(self) -> Ints:
        """Event time of each tag's last judged sample: int64[n], NEVER = none. A copy."""
        return self.at.copy()

    def seen(self) -> Seen:
        """What layers may read; the arrays are the state's own."""
        return Seen(self.at, self.received, self.held, self.silence.good, self.grace_from)

    def to_bytes(self, plan: Plan) -> bytes:
        """An exact snapshot, keyed by tag id; an uncompressed npz without pickles."""
        return snapshot.pack(plan, self)

    @staticmethod
    def from_bytes(plan: Plan, data: bytes) -> "RuleState":
        """The state of a snapshot for `plan`, which need not be the plan that it was taken with.

        Tags that the plan no longer holds are left out; where a limit has changed since, running
        delays are forgotten and what is active stays so. Raises `snapshot.SnapshotError` for other
        bytes.
        """
        state = RuleState.fresh(plan, 0)
        snapshot.fill(plan, state, data)
        state.follow(plan)
        return state

    def follow(self, plan: Plan) -> None:
        """Work out anew what follows from the rest, after a change from outside."""
        busy = self.limits.busy()
        limits.follow(plan, self.limits, busy, self.at[busy], self.received[busy])
        rate.follow(plan, self.rates, self.at, self.received)
        self.silence.follow()

    def adopt(
        self,
        plan: Plan,
        active: Iterable[tuple[Kind, int, datetime]],
        ended: Iterable[tuple[Kind, int, datetime]] = (),
    ) -> list[tuple[Kind, int, datetime]]:
        """Make these conditions active (kind, tag or node id, onset), and no others.

        To be called after a restart, once the stored samples have been judged again. ended: when
        conditions that are not active ended last; see `rules.adoption`. Held values, and delays
        that run towards an alarm, stay. Returns what the plan has no place for: the caller has to
        close it.
        """
        orphans = adoption.adopt(plan, self, active, ended)
        self.follow(plan)
        return orphans


def carry(
    old_plan: Plan, old_state: RuleState, new_plan: Plan, at: datetime
) -> tuple[RuleState, list[Finding]]:
    """The state for a new plan, and what closes because the new plan does not know it any more.

    What is unchanged keeps all state. Where a limit, deadband or delay differs, the held value is
    judged again as of `at` on the tag's own clock, unless it is stale; what follows from that comes
    out of the next step. Active conditions of tags, limits and sources that are gone end with
    Edge.CLOSED.
    """
    now = micros(at)
    found = Collector(old_plan)
    closing.close(old_plan, old_state, new_plan, now, found)
    state = RuleState.fresh(new_plan, now)
    state.grace_from = old_state.grace_from
    state.silence.heard[:] = now
    slot = np.flatnonzero(old_plan.slots_of(new_plan.tags) >= 0)
    old = old_plan.slots_of(new_plan.tags[slot])
    for name in ("at", "received", "held"):
        getattr(state, name)[slot] = getattr(old_state, name)[old]
    _carry_limits(old_state.limits, old, state.limits, slot)
    _carry_silence(old_plan, old_state.silence, old, new_plan, state.silence, slot)
    rate_state.carry(old_plan, old_state.rates, new_plan, state.rates)
    for old_table, old_memory, table, memory in zip(
        old_plan.layers, old_state.layers, new_plan.layers, state.layers, strict=True
    ):
        rows.move(old_table, old_memory, table, memory)
    held = _held(new_plan, state, slot, now)
    relimit.judge_again(old_plan.limits, old, new_plan.limits, state.limits, slot, held)
    state.follow(new_plan)
    return state, found.findings()


def _held(plan: Plan, state: RuleState, slot: Slots, now: int) -> relimit.Held:
    """What a changed limit is judged by at wall time `now`."""
    last, received = state.at[slot], state.received[slot]
    heard = last != NEVER
    event = np.where(heard, np.maximum(last, last + (now - received)), now)
    fresh = heard & (event <= last + plan.silence[slot])
    good = state.silence.good[slot] == last
    return relimit.Held(event, np.where(fresh, state.held[slot], np.nan), good)


def _carry_limits(old_state: Machines, old: Slots, state: Machines, slot: Slots) -> None:
    busy = np.flatnonzero(old_state.row[old] != 0)
    tag, column = np.nonzero(old_state.phase(old[busy]))
    tag = busy[tag]
    state.put(Where(slot[tag], column), old_state.at(Where(old[tag], column)))


def _carry_silence(
    old_plan: Plan,
    old_state: SilenceState,
    old: Slots,
    new_plan: Plan,
    state: SilenceState,
    slot: Slots,
) -> None:
    """Signs of life of kept tags (old slots `old`, new slots `slot`) and of kept sources."""
    state.heard[slot], state.good[slot] = old_state.heard[old], old_state.good[old]
    state.stale[slot] = old_state.stale[old]
    offline = old_state.offline[old]
    since = silence.onset(old_plan, old_state, old[offline])
    silence.set_offline(new_plan, state, slot[offline], since)
    _, was, now = np.intersect1d(old_plan.sources.ids, new_plan.sources.ids, return_indices=True)
    for name in ("alive", "lost", "lost_effective"):
        getattr(state, name)[now] = getattr(old_state, name)[was]
