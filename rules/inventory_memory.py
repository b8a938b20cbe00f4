"""What the inventory layer remembers of tanks and sources, and how samples change it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import NEVER
from domain.vessel_shapes import MOST_GAUGES
from rules.amounts import densities
from rules.events import Events
from rules.inventory_table import PRESSURE, TEMPERATURE, InventoryTable

Mask = NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class InventoryMemory:
    """One row for each tank and source; changed in place by this module only.

    Of tanks: level, volume: float64[r, 4], last reading and m³ of each gauge, NaN = none. good:
    int64[r, 4], event time of its last good sample, NEVER = none. flagged: bool[r, 4], its last
    sample was not good. warmth, pressure: float64[r], °C and kPa absolute, NaN = none. tonnes:
    float64[r], NaN = not known. Of all: at, received: int64[r], event time and stamp of the newest
    sample, NEVER = none. over: int64[r], since when an inactive row is above its design amount,
    under: since when an active one is below, NEVER = it is not. worst: float64[r], largest load
    told, NaN = not active. onset: int64[r, 1].
    """

    onset: Ints
    level: Floats
    volume: Floats
    good: Ints
    flagged: Mask
    warmth: Floats
    pressure: Floats
    tonnes: Floats
    at: Ints
    received: Ints
    over: Ints
    under: Ints
    worst: Floats


def fresh(table: InventoryTable) -> InventoryMemory:
    """Nothing is known yet."""
    r = len(table)
    return InventoryMemory(
        np.full((r, 1), NEVER, np.int64),
        np.full((r, MOST_GAUGES), np.nan),
        np.full((r, MOST_GAUGES), np.nan),
        np.full((r, MOST_GAUGES), NEVER, np.int64),
        np.zeros((r, MOST_GAUGES), np.bool_),
        np.full(r, np.nan),
        np.full(r, np.nan),
        np.full(r, np.nan),
        np.full(r, NEVER, np.int64),
        np.full(r, NEVER, np.int64),
        np.full(r, NEVER, np.int64),
        np.full(r, NEVER, np.int64),
        np.full(r, np.nan),
    )


def take_in(table: InventoryTable, memory: InventoryMemory, events: Events, received: int) -> None:
    """The state after these events, in their order. A flagged value stands alone."""
    if not len(events):
        return
    gauge = events.take(events.column < MOST_GAUGES)
    memory.flagged[gauge.row, gauge.column] = ~gauge.good
    held = memory.volume[gauge.row, gauge.column]
    counts = gauge.take(gauge.good | (gauge.number > held) | (np.isnan(held)))
    counts = counts.take(~np.isnan(counts.number))
    memory.volume[counts.row, counts.column] = counts.number
    memory.level[counts.row, counts.column] = counts.reading
    good = gauge.take(gauge.good)
    memory.good[good.row, good.column] = good.at
    warmth, pressure = (events.take(events.column == k) for k in (TEMPERATURE, PRESSURE))
    memory.warmth[warmth.row] = warmth.number
    memory.pressure[pressure.row] = pressure.number
    rows = np.unique(events.row)
    density = densities(table, rows, memory.warmth[rows], memory.pressure[rows])
    memory.tonnes[rows] = np.fmax.reduce(memory.volume[rows], axis=1) * density
    at = memory.at.copy()
    np.maximum.at(at, events.row, events.at)
    np.maximum.at(at, table.source[events.row], events.at)
    memory.received[at > memory.at] = received
    memory.at[:] = at
