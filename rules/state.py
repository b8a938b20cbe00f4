"""`RuleState`: everything that the engine remembers, and how it survives restarts and new plans."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Finding, Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER, micros
from domain.policy import LIMITS
from rules import closing, limits, rate, silence, snapshot
from rules.findings import Collector
from rules.limits import LimitState, Phase
from rules.plan import Plan
from rules.rate import RateState
from rules.silence import SilenceState

Slots = NDArray[np.intp]


@dataclass(slots=True, eq=False)
class RuleState:
    """The engine's memory, owned by its caller and changed in place by the engine only.

    By slot, shape [n]: at, received: int64, event time and frame stamp of the last judged sample, NEVER
    = none; held: float64, the last value that was a number, NaN = none; busy: bool, a limit is not
    NORMAL; wake: int64, wall time at which the next delay or window ends without a sample, FAR = none.
    grace_from: wall microseconds from which silence counts at the earliest; the caller sets it again
    when it was itself away. Times are int64 microseconds since 1970 UTC.
    """

    at: Ints
    received: Ints
    held: Floats
    busy: NDArray[np.bool_]
    wake: Ints
    limits: LimitState
    rates: RateState
    silence: SilenceState
    grace_from: int
    scratch: NDArray[np.int32]

    @staticmethod
    def fresh(plan: Plan, at_us: int) -> "RuleState":
        """A memory that knows nothing yet at wall time `at_us`, microseconds."""
        n = len(plan)
        return RuleState(
            np.full(n, NEVER, np.int64),
            np.full(n, NEVER, np.int64),
            np.full(n, np.nan),
            np.zeros(n, np.bool_),
            np.full(n, FAR, np.int64),
            LimitState.fresh(n),
            RateState.fresh(len(plan.rates.slot)),
            SilenceState.fresh(n, len(plan.sources.ids)),
            at_us,
            np.zeros(n, np.int32),
        )

    def last_at(self) -> Ints:
        """Event time of each tag's last judged sample: int64[n], NEVER = none. A copy."""
        return self.at.copy()

    def to_bytes(self, plan: Plan) -> bytes:
        """An exact snapshot, keyed by tag id; an uncompressed npz without pickles."""
        return snapshot.pack(plan, self)

    @staticmethod
    def from_bytes(plan: Plan, data: bytes) -> "RuleState":
        """The state of a snapshot for `plan`, which need not be the plan that it was taken with.

        Tags that the plan no longer holds are left out; where a limit has changed since, running delays
        are forgotten and what is active stays so. Raises `snapshot.SnapshotError` for other bytes.
        """
        state = RuleState.fresh(plan, 0)
        snapshot.fill(plan, state, data)
        state.look_again(plan, np.arange(len(plan)))
        return state

    def look_again(self, plan: Plan, slot: Slots) -> None:
        """Work out anew when these slots need a tick, after anything about them has changed."""
        at, due = self.at[slot], self.limits.due[slot].min(axis=1)
        due = np.where(due > at + plan.silence[slot], FAR, due)
        row = plan.rates.row[slot]
        rated = row >= 0
        due[rated] = np.minimum(due[rated], rate.ends(plan, self.rates, row[rated]))
        self.busy[slot] = (self.limits.phase[slot] != Phase.NORMAL).any(axis=1)
        self.wake[slot] = np.where(due == FAR, FAR, due + (self.received[slot] - at))

    def adopt(
        self, plan: Plan, active: Iterable[tuple[Kind, int, datetime]]
    ) -> list[tuple[Kind, int, datetime]]:
        """Make exactly these conditions active (kind, tag or node id, onset), after a restart.

        To be called once the stored samples have been judged again. Held values, and delays that run
        towards an alarm, stay. Returns what the plan has no place for: the caller has to close it.
        """
        wanted, orphans = _wanted(plan, active)
        for kind in LIMITS:
            _adopt_limit(self, int(kind), wanted[kind])
        _adopt_onsets(self.rates.onset, wanted[Kind.ROC])
        signed = np.where(np.isnan(self.rates.limit), plan.rates.limit, self.rates.limit)
        self.rates.limit[:] = np.where(self.rates.onset == NEVER, np.nan, signed)
        _adopt_onsets(self.silence.offline, wanted[Kind.OFFLINE])
        _adopt_onsets(self.silence.lost, wanted[Kind.SOURCE_OFFLINE])
        known = np.maximum(self.silence.lost, self.silence.lost_effective)
        self.silence.lost_effective[:] = np.where(self.silence.lost == NEVER, NEVER, known)
        self.look_again(plan, np.arange(len(plan)))
        return orphans


Wanted = dict[Kind, dict[int, int]]


def _wanted(
    plan: Plan, active: Iterable[tuple[Kind, int, datetime]]
) -> tuple[Wanted, list[tuple[Kind, int, datetime]]]:
    """For each kind: row in its arrays -> onset in microseconds; and what has no row."""
    wanted: Wanted = {kind: {} for kind in Kind}
    orphans = []
    for kind, subject, onset in active:
        row = _row(plan, kind, subject)
        if row < 0:
            orphans.append((kind, subject, onset))
        else:
            wanted[kind][row] = micros(onset)
    return wanted, orphans


def _row(plan: Plan, kind: Kind, subject: int) -> int:
    """Where a condition has its place: slot, row of the rates or row of the sources; -1 for none."""
    if kind is Kind.SOURCE_OFFLINE:
        rows = np.flatnonzero(plan.sources.ids == subject)
        return int(rows[0]) if rows.size else -1
    slot = plan.slot_of(subject)
    if slot < 0 or kind is Kind.OFFLINE:
        return slot
    if kind is Kind.ROC:
        return int(plan.rates.row[slot])
    return -1 if np.isnan(plan.limits.limit[slot, kind]) else slot


def _adopt_onsets(onset: Ints, wanted: dict[int, int]) -> None:
    onset[:] = NEVER
    onset[list(wanted)] = list(wanted.values())


def _adopt_limit(state: RuleState, column: int, wanted: dict[int, int]) -> None:
    rows = state.limits
    slot = np.array(list(wanted), np.intp)
    over = rows.phase[:, column] >= Phase.ACTIVE
    over[slot] = False
    asleep = slot[rows.phase[slot, column] < Phase.ACTIVE]
    rows.phase[asleep, column] = Phase.ACTIVE
    rows.due[asleep, column] = FAR
    rows.extreme[asleep, column] = state.held[asleep]
    rows.onset[slot, column] = np.array(list(wanted.values()), np.int64)
    rows.phase[over, column] = Phase.NORMAL
    touched = np.flatnonzero(over)
    rows.put(touched, rows.rows(touched))


def carry(
    old_plan: Plan, old_state: RuleState, new_plan: Plan, at: datetime
) -> tuple[RuleState, list[Finding]]:
    """The state for a new plan, and what closes because the new plan does not know it any more.

    What is unchanged keeps all state. Where a limit, deadband or delay differs, the held value is judged
    again as of `at` on the tag's own clock, unless it is stale; what follows from that comes out of the
    next step. Active conditions of tags, limits and sources that are gone end with Edge.CLOSED.
    """
    now = micros(at)
    found = Collector(old_plan)
    closing.close(old_plan, old_state, new_plan, now, found)
    state = RuleState.fresh(new_plan, now)
    state.grace_from = old_state.grace_from
    state.silence.due[:] = now + new_plan.silence + 1
    slot = np.flatnonzero(_kept(old_plan, new_plan))
    old = old_plan.slots_of(new_plan.tags[slot])
    for name in ("at", "received", "held"):
        getattr(state, name)[slot] = getattr(old_state, name)[old]
    state.limits.put(slot, old_state.limits.rows(old))
    _carry_silence(old_plan, old_state.silence, old, new_plan, state.silence, slot)
    rate.carry(old_plan, old_state.rates, new_plan, state.rates)
    event = state.at[slot] + (now - state.received[slot])
    stale = (state.received[slot] == NEVER) | (event > state.at[slot] + new_plan.silence[slot])
    limits.judge_again(
        old_plan.limits,
        old,
        new_plan.limits,
        state.limits,
        slot,
        np.where(state.received[slot] == NEVER, now, np.maximum(event, state.at[slot])),
        np.where(stale, np.nan, state.held[slot]),
        state.silence.good[slot] == state.at[slot],
    )
    state.look_again(new_plan, np.arange(len(new_plan)))
    return state, found.findings()


def _kept(old_plan: Plan, new_plan: Plan) -> NDArray[np.bool_]:
    """Which slots of the new plan hold a tag of the old one: bool[n]."""
    return old_plan.slots_of(new_plan.tags) >= 0


def _carry_silence(
    old_plan: Plan,
    old_state: SilenceState,
    old: Slots,
    new_plan: Plan,
    state: SilenceState,
    slot: Slots,
) -> None:
    """Signs of life of kept tags (old slots `old`, new slots `slot`) and of kept sources."""
    longer = new_plan.silence[slot] - old_plan.silence[old]
    due = old_state.due[old]
    state.due[slot] = np.where(due == NEVER, NEVER, due + longer)
    state.good[slot], state.offline[slot] = old_state.good[old], old_state.offline[old]
    state.source_due[:] = silence.source_due_of_tags(new_plan, state.due)
    _, was, now = np.intersect1d(old_plan.sources.ids, new_plan.sources.ids, return_indices=True)
    for name in ("alive", "lost", "lost_effective"):
        getattr(state, name)[now] = getattr(old_state, name)[was]
