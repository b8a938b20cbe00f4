"""Inventory 储量: mass of tanks by level, and more than the designed amount 超设计量储存.

The mass of a tank follows from the highest of its gauges (those that count, see the site file),
the geometry of the vessel and the density. Its load is the share of its design amount; that of a
source the largest share of a substance. INVENTORY rises when a load stays above 1 for the on-delay
and returns when it stays 2 % lower for the off-delay, both in event time; the subject is the tank,
or the source. A full tank is not hidden among empty ones, for each is judged by itself.

A gauge that is bad or silent keeps its last volume: loss of data never lowers a load, and a load
returns only while all gauges behind it are heard. A flagged value may raise a volume, never lower
it. Samples of one source are judged frame by frame, each in event time; its clock is that of its
newest sample, so its gauges should reach us equally late.
"""

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.alarms import Edge, Kind
from domain.frame import Ints
from domain.instant import FAR, NEVER, SECOND
from domain.plant import TagKind
from domain.vessel_shapes import MOST_GAUGES
from rules.amounts import amounts, heard_until, loads
from rules.events import Events, events_of, in_turns
from rules.findings import Collector
from rules.inventory_bounds import BACK, RAISE, ROUNDING, WORSE, loud
from rules.inventory_memory import InventoryMemory, fresh, take_in
from rules.inventory_table import InventoryTable, Rows, compile_inventory
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

Mask = NDArray[np.bool_]
_RULE = policy.rule(TagKind.OTHER, Kind.INVENTORY)
ON, OFF = round(_RULE.on_s * SECOND), round(_RULE.off_s * SECOND)
PERCENT = 100.0
BLOCK = 64
"""Samples of a source near its limits that are looked at together first."""


def judge(
    plan: Plan,
    table: InventoryTable,
    memory: InventoryMemory,
    samples: Samples,
    received: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Take in samples; those of sources that are far from their limits all at once."""
    events = events_of(table.inputs, samples)
    if events is None:
        return
    events = _read(table, events)
    near = loud(table, memory, events, ON, OFF)
    take_in(table, memory, events.take(~near), received)
    events = events.take(near)
    for block in in_turns(table.source[events.row], BLOCK):
        part = events.take(block)
        near = loud(table, memory, part, ON, OFF)
        take_in(table, memory, part.take(~near), received)
        part = part.take(near)
        for turn in in_turns(table.source[part.row]):
            _one_each(table, memory, part.take(turn), received, found)


def _read(table: InventoryTable, events: Events) -> Events:
    """`number` is m³ of gauges, °C or kPa absolute of others; what those can't say is left out."""
    gauge = events.column < MOST_GAUGES
    plain = events.reading * table.inputs.scale[events.input]
    found = plain + table.inputs.zero[events.input]
    at = table.inputs.gauge[events.input[gauge]]
    found[gauge] = table.bank.volumes(at, events.reading[gauge])
    events.number[:] = found
    events.good[:] &= events.reading > -np.inf
    usable = gauge | (events.good & np.isfinite(events.number))
    return events if usable.all() else events.take(usable)


def _one_each(
    table: InventoryTable, memory: InventoryMemory, events: Events, received: int, found: Collector
) -> None:
    """One event for each of several sources: first the delays up to it, then itself."""
    rows = np.concatenate((events.row, table.source[events.row]))
    now = np.maximum(memory.at[rows], np.tile(events.at, 2))
    _run_out(table, memory, rows, now, np.full(len(rows), NEVER, np.int64), found)
    take_in(table, memory, events, received)
    share = loads(table, memory.tonnes)[rows]
    active = memory.onset[rows, 0] != NEVER
    over = ~active & (share > RAISE + ROUNDING)
    under = active & (share <= BACK)
    memory.over[rows] = np.where(over, _first(memory.over[rows], now), NEVER)
    memory.under[rows] = np.where(under, _first(memory.under[rows], now), NEVER)
    memory.worst[rows] = np.where(active, np.fmax(memory.worst[rows], RAISE), np.nan)
    worse = active & (share > memory.worst[rows] + WORSE)
    memory.worst[rows[worse]] = share[worse]
    _tell(Edge.WORSE, table, memory, rows[worse], now[worse], found)
    _run_out(table, memory, rows, now, now, found)


def _first(since: Ints, now: Ints) -> Ints:
    return np.where(since == NEVER, now, since)


def _run_out(
    table: InventoryTable,
    memory: InventoryMemory,
    rows: Rows,
    until: Ints,
    earliest: Ints,
    found: Collector,
) -> None:
    """Raise and return what is due in these rows by event times `until`, effective not before
    `earliest`: int64[k]."""
    active = memory.onset[rows, 0] != NEVER
    over, under = memory.over[rows], memory.under[rows]
    raised = ~active & (over != NEVER) & (over + ON <= until)
    returned = active & (under != NEVER) & (under + OFF <= until)
    if returned.any():
        heard = heard_until(table, memory.volume, memory.good)[rows]
        returned &= under + OFF <= heard
    if raised.any():
        which = rows[raised]
        memory.onset[which, 0] = over[raised]
        effective = np.maximum(over + ON, earliest)[raised]
        memory.worst[which] = loads(table, memory.tonnes)[which]
        _tell(Edge.RAISED, table, memory, which, effective, found)
        memory.over[which] = NEVER
    if returned.any():
        which = rows[returned]
        effective = np.maximum(under + OFF, earliest)[returned]
        _tell(Edge.RETURNED, table, memory, which, effective, found)
        memory.onset[which, 0], memory.under[which], memory.worst[which] = NEVER, NEVER, np.nan


def _tell(
    edge: Edge,
    table: InventoryTable,
    memory: InventoryMemory,
    rows: Rows,
    effective: Ints,
    found: Collector,
) -> None:
    """value and limit in % of the design amount. detail: tonnes, design_t; substance: number of the
    source's substance, -1 = of a tank."""
    if not rows.size:
        return
    now, share = amounts(table, memory.tonnes)
    of, substances = np.full(len(table), -1, np.intp), table.substances
    order = np.argsort(share)
    order = order[substances.counts[order] & ~np.isnan(share[order])]
    of[substances.source[order]] = order
    tank, of = table.tank[rows], of[rows]
    detail = {
        "tonnes": np.where(tank, memory.tonnes[rows], np.append(now, np.nan)[of]),
        "design_t": np.where(tank, table.design[rows], np.append(substances.design, np.nan)[of]),
        "substance": np.where(tank | (of < 0), -1, np.append(substances.number, -1)[of]),
    }
    load = PERCENT * loads(table, memory.tonnes)[rows]
    found.nodes(
        edge, Kind.INVENTORY, table.keys[rows], memory.onset[rows, 0], effective,
        load, PERCENT * RAISE, detail=detail,
    )  # fmt: skip


def pass_time(
    plan: Plan,
    table: InventoryTable,
    memory: InventoryMemory,
    at: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Let delays run out up to wall time `at`; a row's clock goes on from its newest sample."""
    rows = np.flatnonzero(_wakes(table, memory) <= at)
    if rows.size:
        until = memory.at[rows] + (at - memory.received[rows])
        _run_out(table, memory, rows, until, np.full(len(rows), NEVER, np.int64), found)


def next_due(table: InventoryTable, memory: InventoryMemory) -> int:
    """Wall time in microseconds at which the next delay runs out, FAR = none."""
    return int(_wakes(table, memory).min(initial=FAR))


def _wakes(table: InventoryTable, memory: InventoryMemory) -> Ints:
    """Wall time at which each row's delay runs out if no sample comes before: int64[r]."""
    active = memory.onset[:, 0] != NEVER
    rising = ~active & (memory.over != NEVER)
    ending = active & (memory.under != NEVER)
    wake = np.full(len(table), FAR, np.int64)
    behind = memory.received - memory.at
    wake[rising] = (memory.over + ON + behind)[rising]
    if ending.any():
        due = memory.under + OFF
        ending &= due <= heard_until(table, memory.volume, memory.good)
        wake[ending] = (due + behind)[ending]
    return wake


INVENTORY = Layer(
    "inventory", (Kind.INVENTORY,), compile_inventory, fresh, judge, pass_time, next_due
)
