"""Whether a run of samples can bring a source near to where anything happens. Pure.

Most runs can't; those are taken in all at once, the others one by one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.instant import NEVER
from domain.inventory_model import number
from domain.vessel_shapes import MOST_GAUGES
from rules.amounts import densities, loads
from rules.events import Events
from rules.inventory_memory import InventoryMemory
from rules.inventory_table import PRESSURE, TEMPERATURE, InventoryTable, Rows

Mask = NDArray[np.bool_]
RAISE = number("inventory", "raise")
BACK = RAISE - number("inventory", "hysteresis")
WORSE = number("inventory", "worse")
ROUNDING = 1e-9
"""By which a tank that is exactly full may seem fuller."""


class _Between(NamedTuple):
    """The least and the most that something can be, float64[r], NaN = not known."""

    low: Floats
    high: Floats


def loud(table: InventoryTable, memory: InventoryMemory, events: Events, on: int, off: int) -> Mask:
    """Events whose source may raise, return or worsen something meanwhile: bool[k]. on, off: the
    delays in microseconds."""
    newest = memory.at.copy()
    np.maximum.at(newest, table.source[events.row], events.at)
    newest = np.maximum(newest, newest[table.source])
    share = _shares(table, memory, events)
    active = memory.onset[:, 0] != NEVER
    rising, falling = memory.over != NEVER, memory.under != NEVER
    quiet = np.where(
        active,
        np.where(
            falling,
            (share.high <= BACK) & (newest < memory.under + off),
            (share.low > BACK) & (share.high <= memory.worst + WORSE),
        ),
        np.where(
            rising,
            (share.low > RAISE + ROUNDING) & (newest < memory.over + on),
            ~(share.high > RAISE),
        ),
    )
    near = ~quiet
    flagged = (events.column < MOST_GAUGES) & ~events.good & ~np.isnan(events.number)
    near[events.row[flagged]] = True
    sources = np.zeros(len(table), np.bool_)
    sources[table.source[near]] = True
    found: Mask = sources[table.source[events.row]]
    return found


def _shares(table: InventoryTable, memory: InventoryMemory, events: Events) -> _Between:
    """Loads of all rows while the events pass. A gauge that was silent so far holds none of them
    up: its first reading may be the last of the events."""
    gauge = events.take(events.column < MOST_GAUGES)
    seat, rows = (gauge.row, gauge.column), np.unique(events.row)
    low, high = memory.volume.copy(), memory.volume.copy()
    np.fmin.at(low, seat, gauge.number)
    np.fmax.at(high, seat, gauge.number)
    low[np.isnan(memory.volume)] = np.nan
    density = _densities(table, memory, events, rows)
    bounds = []
    for volume, dense in zip((low, high), density, strict=True):
        tonnes = memory.tonnes.copy()
        tonnes[rows] = np.fmax.reduce(volume[rows], axis=1) * dense
        bounds.append(loads(table, tonnes))
    return _Between(*bounds)


def _densities(
    table: InventoryTable, memory: InventoryMemory, events: Events, rows: Rows
) -> _Between:
    """Of these tanks: a density is monotone in temperature and in pressure."""
    bounds = {}
    for column, held in ((TEMPERATURE, memory.warmth), (PRESSURE, memory.pressure)):
        read = events.take(events.column == column)
        low, high = held.copy(), held.copy()
        np.fmin.at(low, read.row, read.number)
        np.fmax.at(high, read.row, read.number)
        bounds[column] = low[rows], high[rows], held[rows]
    found = np.array(
        [
            densities(table, rows, warmth, pressure)
            for warmth in bounds[TEMPERATURE]
            for pressure in bounds[PRESSURE]
        ]
    )
    return _Between(found.min(axis=0), found.max(axis=0))
