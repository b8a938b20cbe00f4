"""Flow balance 物料平衡: what flows in and out of a vessel against how its level moves (BALANCE).

The flows are integrated over time (a held reading, a ramp where it changes), the level becomes
volume. Once every window of event time, at the first level sample in it, the change of volume is
held against the flows: residual = ΔV - (in - out). What the meters may be wrong by, a share of the
reading and of the span, of the level, and thermal drift, is the allowance of that window. Two sums,
one for each direction, take up what lies beyond it (CUSUM, Page 1954, Biometrika 41) and fall by it
otherwise; a sum above the threshold, which covers noise and waves, raises. So meters that are wrong
within what is declared raise nothing however long they are, and a gauge that stands still while
something flows is found after threshold / flow. Of the level the median of seven samples counts.

Windows with a gap in a flow say nothing. A raised condition returns when its sum is back at 0;
where the level stood still only windows count in which it ought to move.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER, SECOND
from domain.inventory import Cause
from domain.inventory_model import number
from domain.vessel_flows import MOST_METERS
from rules.balance_table import HOUR_S, LEVEL, UNIT, BalanceTable, Rows, compile_balance
from rules.events import Events, events_of, in_turns
from rules.findings import Collector
from rules.flow_sums import RING, Closing, Sums, follow
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

WINDOW = round(number("balance", "window") * SECOND)
STRAPPING = number("balance", "strapping") / 100
STILL, MIRROR = number("balance", "still"), number("balance", "mirror")
UP, DOWN = 0, 1
"""Columns of the two sums: the level is higher, and lower, than the flows say."""
_SIGN = np.array([1.0, -1.0])


@dataclass(slots=True, eq=False)
class BalanceMemory:
    """One row for each vessel; changed in place by this module and `rules.flow_sums` only.

    at: int64[r], newest event time. flow: int64[r, 8], held reading of each meter in nm³/s;
    flow_at: int64[r, 8], its time, NEVER = never read. total: int64[r, 3], nm³ that flowed in and
    out, and their allowance. breaks: int64[r], gaps in flows so far. ring: int64[r, 7, 6], the last
    level samples: nm³, total, breaks, time (NEVER = none). anchor: int64[r, 6], where the last
    window ended, time NEVER = nowhere. cusum: float64[r, 2], m³, UP and DOWN. account:
    float64[r, 2, 5], since each sum left 0: ΔV, in, out, allowance [m³], hours. since: int64[r, 2],
    when it did. side: int8[r], UP or DOWN while active, -1 = not, or not known. cause: int8[r].
    onset: int64[r, 1].
    """

    onset: Ints
    at: Ints
    flow: Ints
    flow_at: Ints
    total: Ints
    breaks: Ints
    ring: Ints
    anchor: Ints
    cusum: Floats
    account: Floats
    since: Ints
    side: NDArray[np.int8]
    cause: NDArray[np.int8]


def fresh(table: BalanceTable) -> BalanceMemory:
    """Nothing is known yet."""
    r = len(table)
    return BalanceMemory(
        np.full((r, 1), NEVER, np.int64),
        np.full(r, NEVER, np.int64),
        np.zeros((r, MOST_METERS), np.int64),
        np.full((r, MOST_METERS), NEVER, np.int64),
        np.zeros((r, 3), np.int64),
        np.zeros(r, np.int64),
        np.full((r, RING, 6), NEVER, np.int64),
        np.full((r, 6), NEVER, np.int64),
        np.zeros((r, 2)),
        np.zeros((r, 2, 5)),
        np.full((r, 2), NEVER, np.int64),
        np.full(r, -1, np.int8),
        np.zeros(r, np.int8),
    )


def judge(
    plan: Plan,
    table: BalanceTable,
    memory: BalanceMemory,
    samples: Samples,
    received: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Take in samples; those that are not good and finite say nothing."""
    events = events_of(table.inputs, samples)
    if events is None:
        return
    events = _read(table, events.take(events.good & np.isfinite(events.reading)))
    if not len(events):
        return
    sums = Sums(memory.at, memory.flow, memory.flow_at, memory.total, memory.breaks, memory.ring)
    closings = follow(table, sums, events, WINDOW)
    for turn in in_turns(closings.row):
        _close(table, memory, closings.take(turn), found)


def _read(table: BalanceTable, events: Events) -> Events:
    """`number`: nm³ of levels, nm³/s of flows, whole; the level's lost again beyond the vessel."""
    inputs, level = table.inputs, events.column == LEVEL
    most = inputs.most[events.input]
    flow = np.clip(events.reading, -most, most) * inputs.factor[events.input]
    gauge = inputs.gauge[events.input[level]]
    flow[level] = table.bank.volumes(gauge, events.reading[level]) * UNIT
    events.number[:] = np.rint(flow)
    return events


def _close(table: BalanceTable, memory: BalanceMemory, end: Closing, found: Collector) -> None:
    """The end of a window of several vessels: hold volume and flows against each other."""
    rows, old = end.row, memory.anchor[end.row]
    sound = end.sound & (old[:, 5] != NEVER) & (old[:, 4] == end.state[:, 4])
    memory.anchor[rows] = end.state
    memory.anchor[rows[~end.sound], 5] = NEVER
    if sound.any():
        rows, old, state = rows[sound], old[sound], end.state[sound]
        change = (state - old).astype(np.float64)
        window = np.column_stack((change[:, :4] / UNIT, change[:, 5] / SECOND / HOUR_S))
        window[:, 3] += STRAPPING * np.abs(window[:, 0])
        _sum_up(table, memory, rows, window, old[:, 5])
        _tell(table, memory, rows, end.at[sound], found)


def _sum_up(
    table: BalanceTable, memory: BalanceMemory, rows: Rows, window: Floats, began: Ints
) -> None:
    """Both sums after a window. window: float64[k, 5], ΔV, in, out, allowance [m³] and hours."""
    expected, allowed = window[:, 1] - window[:, 2], window[:, 3]
    residual = (window[:, 0] - expected)[:, None] * _SIGN
    before = memory.cusum[rows]
    after = np.maximum(before + residual - allowed[:, None], 0.0)
    stuck = (memory.onset[rows, 0] != NEVER) & (memory.cause[rows] == Cause.STILL)
    idle = stuck & (np.abs(expected) <= allowed)
    after = np.where(idle[:, None], before, after)
    active = memory.onset[rows, 0] != NEVER
    most = np.where(active, table.threshold[rows], np.inf)
    memory.cusum[rows] = np.minimum(after, most[:, None])
    starts = (before == 0) & (after > 0)
    memory.since[rows] = np.where(starts, began[:, None], memory.since[rows])
    kept = np.where((before > 0)[:, :, None], memory.account[rows], 0.0)
    account = kept + window[:, None, :]
    memory.account[rows] = np.where((after > 0)[:, :, None], account, 0.0)


def _tell(
    table: BalanceTable, memory: BalanceMemory, rows: Rows, at: Ints, found: Collector
) -> None:
    active = memory.onset[rows, 0] != NEVER
    cusum, threshold = memory.cusum[rows], table.threshold[rows]
    unknown = active & (memory.side[rows] < 0)
    memory.side[rows[unknown]] = UP
    memory.cusum[rows[unknown], UP] = threshold[unknown]
    side = np.maximum(memory.side[rows], 0)
    over = active & ~unknown & (np.take_along_axis(cusum, side[:, None], 1)[:, 0] <= 0)
    _end(table, memory, rows[over], at[over], found)
    worst = cusum.argmax(axis=1)
    raised = ~active & (cusum.max(axis=1) > threshold)
    _begin(table, memory, rows[raised], worst[raised], at[raised], found)


def _begin(
    table: BalanceTable,
    memory: BalanceMemory,
    rows: Rows,
    side: Rows,
    at: Ints,
    found: Collector,
) -> None:
    """value: m³/h by which the level rises faster than the flows say; limit: what is allowed for,
    with that sign. detail: cause; level_rate, inflow, outflow in m³/h; hours; missing_m3."""
    if not rows.size:
        return
    account = memory.account[rows, side]
    volume, inflow, outflow, allowed, hours = account.T
    memory.side[rows], memory.cause[rows] = side, _cause(account)
    memory.onset[rows, 0] = memory.since[rows, side]
    memory.cusum[rows, side] = table.threshold[rows]
    residual = volume - (inflow - outflow)
    detail = {
        "cause": memory.cause[rows],
        "level_rate": volume / hours,
        "inflow": inflow / hours,
        "outflow": outflow / hours,
        "hours": hours,
        "missing_m3": residual,
    }
    limit = np.copysign(allowed / hours, residual)
    found.nodes(
        Edge.RAISED, Kind.BALANCE, table.keys[rows], memory.onset[rows, 0], at, residual / hours,
        limit, detail=detail,
    )  # fmt: skip


def _cause(account: Floats) -> NDArray[np.int8]:
    """Which contradiction an account shows: int8[k]."""
    volume, net = account[:, 0], account[:, 1] - account[:, 2]
    quiet = np.abs(net) <= STILL * np.abs(volume)
    cases = (
        np.abs(volume) <= STILL * np.abs(net),
        np.abs(volume + net) <= MIRROR * np.abs(net),
        quiet & (volume < 0),
        quiet,
        volume < net,
    )
    causes = (Cause.STILL, Cause.MIRROR, Cause.LOST, Cause.GAINED, Cause.LESS)
    return np.select(cases, causes, Cause.MORE).astype(np.int8)


def _end(
    table: BalanceTable, memory: BalanceMemory, rows: Rows, at: Ints, found: Collector
) -> None:
    found.nodes(Edge.RETURNED, Kind.BALANCE, table.keys[rows], memory.onset[rows, 0], at)
    memory.onset[rows, 0], memory.side[rows], memory.cause[rows] = NEVER, -1, 0


def pass_time(
    plan: Plan,
    table: BalanceTable,
    memory: BalanceMemory,
    at: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Nothing: without samples nothing is contradicted."""


def next_due(table: BalanceTable, memory: BalanceMemory) -> int:
    """Never."""
    return FAR


BALANCE = Layer("balance", (Kind.BALANCE,), compile_balance, fresh, judge, pass_time, next_due)
