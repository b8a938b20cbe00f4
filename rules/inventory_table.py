"""What the inventory layer has compiled of the plant: tanks, their sources, inputs, substances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, SECOND
from domain.plant import Registry, Tag
from domain.policy import silence_after
from domain.substances import critical_t
from domain.vessel_content import Density
from domain.vessel_shapes import MOST_GAUGES, Gauge
from domain.vessels import Placed, vessels
from rules.entries import Entries
from rules.gauges import GaugeBank, mark
from rules.plan import PlanError

Rows = NDArray[np.intp]
TEMPERATURE, PRESSURE = MOST_GAUGES, MOST_GAUGES + 1
"""Columns of inputs behind those of the gauges."""
CLOSE = 1e-3
"""Relative difference of two design amounts that are one."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Tags that say how much there is, by rising slot: [c] each.

    slot: intp. entries: of each slot. row: intp, the tank.
    column: intp, number of its gauge, TEMPERATURE or PRESSURE. gauge: intp, in the bank, of gauges.
    scale, zero: float64, °C or kPa absolute = reading · scale + zero. silence: int64, µs.
    """

    slot: Rows
    entries: Entries
    row: Rows
    column: Rows
    gauge: Rows
    scale: Floats
    zero: Floats
    silence: Ints

    @property
    def gauge_inputs(self) -> Rows:
        """Which inputs are gauges."""
        return np.flatnonzero(self.column < MOST_GAUGES)


@dataclass(frozen=True, slots=True, eq=False)
class Substances:
    """Substances of sources that have tanks of them: [s] each, those of a source together.

    source: intp, row. number: int64, position in the source's entry. design, critical: tonnes,
    float64, NaN = not known. counts: bool, it has an amount of its own to exceed, beside that of
    its only tank. name: as registered.
    """

    source: Rows
    number: Ints
    design: Floats
    critical: Floats
    counts: NDArray[np.bool_]
    name: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class InventoryTable:
    """One row for each tank and for each source that has one, by rising node id.

    keys, marks: see `rules.rows.Table`. tank: bool[r]. source: intp[r], row of the source; of a
    source itself. design: float64[r], tonnes of a tank, NaN = not known. substance: intp[r], of a
    tank, -1 = not known. Densities of tanks, see `domain.vessel_content.Density`: base, per_k,
    at_c, molar_mass: float64[r]. silence: int64[r, 4], of gauges, FAR = no such gauge. placed: by
    row, None for sources. seats: where each source's tanks are, rows of tanks by source.
    """

    keys: Ints
    marks: Ints
    tank: NDArray[np.bool_]
    source: Rows
    design: Floats
    substance: Rows
    base: Floats
    per_k: Floats
    at_c: Floats
    molar_mass: Floats
    silence: Ints
    placed: tuple[Placed | None, ...]
    inputs: Inputs
    bank: GaugeBank
    substances: Substances

    def __len__(self) -> int:
        return len(self.keys)


class _Input(NamedTuple):
    slot: int
    row: int
    column: int
    gauge: int
    scale: float
    zero: float
    silence: int


def compile_inventory(registry: Registry, tags: Sequence[Tag]) -> InventoryTable:
    """The table of a registry; `PlanError` for vessels that contradict themselves."""
    found, problems = vessels(registry)
    if problems:
        raise PlanError([what for _, what in problems], [id for id, _ in problems])
    sources = sorted({one.source for one in found})
    keys = np.array(sorted([*(one.node for one in found), *sources]), np.int64)
    row = {key: r for r, key in enumerate(keys.tolist())}
    placed: list[Placed | None] = [None] * len(keys)
    for one in found:
        placed[row[one.node]] = one
    substances, of = _substances(registry, found, row)
    inputs, bank = _inputs(placed, {tag.id: slot for slot, tag in enumerate(tags)}, tags)
    source, design = np.arange(len(keys)), np.full(len(keys), nan)
    for one in found:
        source[row[one.node]], design[row[one.node]] = row[one.source], one.vessel.design_t
    gauge = inputs.gauge_inputs
    silence = np.full((len(keys), MOST_GAUGES), FAR, np.int64)
    silence[inputs.row[gauge], inputs.column[gauge]] = inputs.silence[gauge]
    base, per_k, at_c, molar_mass = _densities(placed)
    return InventoryTable(
        keys,
        _marks(registry, keys, placed, source),
        np.array([one is not None for one in placed], np.bool_),
        source,
        np.where(design > 0, design, nan),
        of,
        base,
        per_k,
        at_c,
        molar_mass,
        silence,
        tuple(placed),
        inputs,
        bank,
        substances,
    )


def _marks(registry: Registry, keys: Ints, placed: Sequence[Placed | None], source: Rows) -> Ints:
    """A tank's: all that its mass comes from; a source's: those of its tanks, and its amounts."""
    marks = np.zeros(len(keys), np.int64)
    for r, one in enumerate(placed):
        if one is not None:
            vessel = one.vessel
            marks[r] = mark(vessel.gauges, vessel.density, vessel.design_t, _ids(one))
    for r, key in enumerate(keys.tolist()):
        if placed[r] is None:
            members = marks[(source == r) & (np.arange(len(keys)) != r)].tolist()
            marks[r] = mark((), members, _entries(registry, key))
    return marks


def _ids(one: Placed) -> tuple[int, ...]:
    vessel = one.vessel
    extra = (vessel.density.temperature, vessel.density.pressure)
    names = [gauge.tag for gauge in vessel.gauges] + [read.tag for read in extra if read]
    return tuple(one.ids[name] for name in names)


def _densities(placed: Sequence[Placed | None]) -> tuple[Floats, ...]:
    blank = Density(nan, 0.0, 0.0, nan, None, None)
    densities = [blank if one is None else one.vessel.density for one in placed]
    return tuple(
        np.array([getattr(density, name) for density in densities], np.float64)
        for name in ("base", "per_k", "at_c", "molar_mass")
    )


def _inputs(
    placed: Sequence[Placed | None], slots: Mapping[int, int], tags: Sequence[Tag]
) -> tuple[Inputs, GaugeBank]:
    gauges: list[Gauge] = []
    rows: list[_Input] = []
    for r, one in enumerate(placed):
        if one is None:
            continue
        density = one.vessel.density
        seats = [(k, gauge.tag, 1.0, 0.0) for k, gauge in enumerate(one.vessel.gauges)]
        for k, read in ((TEMPERATURE, density.temperature), (PRESSURE, density.pressure)):
            if read is not None:
                seats.append((k, read.tag, read.scale, read.zero))
        for k, name, factor, shift in seats:
            tag_slot = slots[one.ids[name]]
            quiet = round(silence_after(tags[tag_slot]) * SECOND)
            rows.append(_Input(tag_slot, r, k, len(gauges) + k, factor, shift, quiet))
        gauges += one.vessel.gauges
    rows.sort()
    slot, row, column, gauge_at = (_column(rows, k, np.intp) for k in range(4))
    scale, zero = (_column(rows, k, np.float64) for k in (4, 5))
    silence = _column(rows, 6, np.int64)
    inputs = Inputs(slot, Entries.of(slot, len(slots)), row, column, gauge_at, scale, zero, silence)
    return inputs, GaugeBank.of(gauges)


def _column(rows: Sequence[tuple[Any, ...]], k: int, dtype: type[np.generic]) -> NDArray[Any]:
    return np.array([one[k] for one in rows], dtype)


def _substances(
    registry: Registry, found: Sequence[Placed], row: Mapping[int, int]
) -> tuple[Substances, Rows]:
    """The substances, and by row which of them a tank holds."""
    of = np.full(len(row), -1, np.intp)
    members: dict[tuple[int, int], list[Placed]] = {}
    for one in found:
        if one.vessel.substance is not None:
            members.setdefault((one.source, one.vessel.substance), []).append(one)
    rows = []
    for s, ((source, number), own) in enumerate(sorted(members.items())):
        entry = _entries(registry, source)[number]
        together = sum(one.vessel.design_t for one in own)
        design = float(entry.get("design_t") or together)
        alone = len(own) == 1 and abs(design - together) <= CLOSE * design
        counts = not alone and design > 0
        rows.append((row[source], number, design, critical_t(entry), counts, str(entry["name"])))
        of[[row[one.node] for one in own]] = s
    dtypes = (np.intp, np.int64, np.float64, np.float64, np.bool_)
    at, number_of, design_t, critical, own_limit = (
        _column(rows, k, dtype) for k, dtype in enumerate(dtypes)
    )
    names = tuple(one[5] for one in rows)
    return Substances(at, number_of, design_t, critical, own_limit, names), of


def _entries(registry: Registry, source: int) -> Sequence[Mapping[str, Any]]:
    entries = registry.nodes[source].detail.get("substances", ())
    return entries if isinstance(entries, Sequence) else ()
