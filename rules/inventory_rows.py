"""What the inventory layer has to say: the load of every source, and rows for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import NEVER, micros, moment
from domain.inventory import GaugeNow, Sight, SourceInventory, SubstanceNow, TankNow
from domain.plant import Registry
from domain.substances import critical_t
from rules.amounts import amounts, densities, loads
from rules.inventory_memory import InventoryMemory
from rules.inventory_table import InventoryTable, Rows
from rules.plan import Plan


class Fill(NamedTuple):
    """By source: ids int64[m], rising; u float64[m], see `SourceInventory.load`, NaN = not
    known."""

    sources: Ints
    u: Floats


def fill(plan: Plan, table: InventoryTable, memory: InventoryMemory) -> Fill:
    """The load of every source that has tanks, for part V of the risk."""
    rows = np.flatnonzero(~table.tank)
    return Fill(table.keys[rows], _largest(table, memory)[rows])


def _largest(table: InventoryTable, memory: InventoryMemory) -> Floats:
    """Of each source the largest load of its tanks and substances: float64[r]. The pooled one is a
    mean of those of substances, and never larger."""
    share = loads(table, memory.tonnes)
    tanks = np.flatnonzero(table.tank)
    np.fmax.at(share, table.source[tanks], share[tanks])
    of_substances = amounts(table, memory.tonnes).share
    np.fmax.at(share, table.substances.source, of_substances)
    return share


def sights(table: InventoryTable, memory: InventoryMemory, at: int) -> NDArray[np.int8]:
    """How well each tank is seen at wall time `at`: int8[r], `Sight`; GOOD for sources."""
    there = np.zeros(memory.volume.shape, np.bool_)
    gauge = table.inputs.gauge_inputs
    there[table.inputs.row[gauge], table.inputs.column[gauge]] = True
    now = np.where(memory.at == NEVER, NEVER, memory.at + (at - memory.received))
    stale = there & (memory.good + table.silence < now[:, None])
    unknown = np.isnan(memory.volume).all(axis=1) & table.tank
    bad = (memory.flagged & there).any(axis=1)
    sight = np.where(bad, Sight.BAD, np.where(stale.any(axis=1), Sight.STALE, Sight.GOOD))
    return np.where(unknown, Sight.UNKNOWN, sight).astype(np.int8)


def inventory(
    plan: Plan,
    table: InventoryTable,
    memory: InventoryMemory,
    registry: Registry,
    at: datetime,
    sources: Iterable[int] | None = None,
) -> list[SourceInventory]:
    """What is told at `at` of these sources, by node id; None: of all that have tanks."""
    seen = sights(table, memory, micros(at))
    load = _largest(table, memory)
    wanted = None if sources is None else set(sources)
    return [
        _source(table, memory, registry, at, row, seen, load)
        for row in np.flatnonzero(~table.tank).tolist()
        if wanted is None or int(table.keys[row]) in wanted
    ]


def _source(
    table: InventoryTable,
    memory: InventoryMemory,
    registry: Registry,
    at: datetime,
    row: int,
    seen: NDArray[np.int8],
    load: Floats,
) -> SourceInventory:
    node = registry.nodes[int(table.keys[row])]
    rows = np.flatnonzero((table.source == row) & table.tank)
    substances = _substances(table, memory, row, node.detail)
    tanks = tuple(_tank(table, memory, r, seen, load) for r in rows.tolist())
    measured = [one for one in substances if one.tonnes is not None and one.critical_t]
    registered = [one for one in substances if one.design_t is not None and one.critical_t]
    whole = [one for one in measured if one in registered]
    design = _sum(whole, "design_t")
    now = _sum(whole, "tonnes")
    return SourceInventory(
        node.id,
        node.enterprise or 0,
        at,
        _known(load[row]),
        now / design if now is not None and design else None,
        _sum(measured, "tonnes"),
        _sum(registered, "design_t"),
        all(tank.tonnes is not None and tank.substance is not None for tank in tanks)
        and all(one.tonnes is not None for one in substances),
        sum(tank.sight in (Sight.STALE, Sight.BAD) for tank in tanks),
        tanks,
        substances,
    )


def _sum(substances: Iterable[SubstanceNow], member: str) -> float | None:
    """Σ amount/Q, None of nothing."""
    parts = [getattr(one, member) / one.critical_t for one in substances]
    return sum(parts) if parts else None


def _tank(
    table: InventoryTable, memory: InventoryMemory, row: int, seen: NDArray[np.int8], load: Floats
) -> TankNow:
    placed = table.placed[row]
    assert placed is not None, "a row of a tank"
    vessel, at = placed.vessel, np.array([row])
    density = densities(table, at, memory.warmth[at], memory.pressure[at])[0]
    of = table.substance[row]
    return TankNow(
        placed.node,
        Sight(int(seen[row])),
        tuple(
            GaugeNow(
                placed.ids[gauge.tag],
                _known(memory.level[row, k]),
                _known(memory.volume[row, k]),
                None if memory.good[row, k] == NEVER else moment(memory.good[row, k]),
            )
            for k, gauge in enumerate(vessel.gauges)
        ),
        _known(np.fmax.reduce(memory.volume[row])),
        vessel.volume,
        _known(density),
        _known(memory.tonnes[row]),
        _known(table.design[row]),
        _known(load[row]),
        None if of < 0 else table.substances.name[of],
        vessel.notes,
    )


def _substances(
    table: InventoryTable, memory: InventoryMemory, row: int, detail: Mapping[str, Any]
) -> tuple[SubstanceNow, ...]:
    """Every registered substance of a source, those without a tank too."""
    now, share = amounts(table, memory.tonnes)
    rows: Rows = np.flatnonzero(table.substances.source == row)
    measured = {int(table.substances.number[s]): s for s in rows.tolist()}
    found = []
    for number, entry in enumerate(detail.get("substances", ())):
        s = measured.get(number)
        design = entry.get("design_t") if s is None else _known(table.substances.design[s])
        found.append(
            SubstanceNow(
                entry["name"],
                entry.get("cas"),
                None if s is None else _known(now[s]),
                design,
                _known(critical_t(entry)),
                None if s is None else _known(share[s]),
            )
        )
    return tuple(found)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
