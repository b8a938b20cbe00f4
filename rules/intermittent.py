"""Gas that comes and goes 间歇性气体: accumulated distance from a detector's own background.

Plumes touch a fence-line detector for minutes at a time, so that an on-delay loses them. For each
detector a background b and its spread s are learnt: means of the value and of its absolute
distance from b, with residuals clipped (Huber 1964, doi 10.1214/aoms/1177703732), over a memory
that grows to 12 h. z = (v - b) / s, from 0 up to a clip; `level` is the moving mean of z with a
memory in time, whatever the sampling. At `raised` the condition begins, as of when `level` last
rose through `returned`; below that it ends. Measured on METEC: docs/early-warning.md.

While a background is not known, s is not below a few floors (and z is 0 where there is no floor),
residuals count up to a few s, and a reading still lower becomes the background. What was learnt is
forgotten in as much time without good samples. A sample that is not good never lowers `level`; one
above the range counts as the highest z.

A raise carries `detail`: background and spread in the tag's unit, known_s seconds that they rest
on; its limit is the steady reading at which it would raise. It is advice beside H and HH.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.gas_background import GASES, floor, gas_model
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag
from rules.compiled import compiled, part
from rules.findings import Collector
from rules.loops import (
    RAISED,
    RETURNED,
    Edges,
    Map,
    Reading,
    Records,
    add,
    form,
    record,
    room,
    row_at,
    row_map,
    tell,
)
from rules.plan import Plan
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

ABSURD = 1e30
"""No instrument measures so much: above it counts as over range, below minus it does not count."""
MEAN_ABS = sqrt(2 / pi)
"""Mean of |x| for a standard normal x."""
DETAIL = (("background", "spread", "known_s"),)

GAS = form(
    ("background", np.float64),
    ("spread", np.float32),
    ("level", np.float32),
    ("known", np.float32),
    ("since", np.uint32),
)
"""24 bytes of a detector. background, spread: in the tag's unit. level: moving mean of z. known:
seconds that the background rests on, 0 = there is none. since: second since 1970 at which `level`
rose through `returned`, 0 = it is below."""


@dataclass(frozen=True, slots=True, eq=False)
class GasTable:
    """Gas detectors, one row each. keys: int32[r] tag ids. marks: int32[r], versions of the tags.
    row: see `loops.Map`. floor: float64[r], see `domain.gas_background.floor`.
    interval: float64[r], seconds. model: the numbers of `domain.gas_background` as one record."""

    keys: NDArray[np.int32]
    marks: NDArray[np.int32]
    row: Map
    floor: Floats
    interval: Floats
    model: Records


@dataclass(slots=True, eq=False)
class GasMemory:
    """gas: GAS[r]. onset: int64[r, 1]."""

    gas: Records
    onset: Ints


def compile_gas(_: Registry, tags: Sequence[Tag]) -> GasTable:
    """Every gas detector has a row."""
    slots = [n for n, tag in enumerate(tags) if tag.kind in GASES]
    gases = [tags[slot] for slot in slots]
    return GasTable(
        np.array([tag.id for tag in gases], np.int32),
        np.array([tag.version for tag in gases], np.int32),
        row_map(len(tags), slots),
        np.array([floor(tag) for tag in gases], np.float64),
        np.array([tag.interval_s for tag in gases], np.float64),
        record(gas_model()),
    )


def fresh(table: GasTable) -> GasMemory:
    """Nothing is known."""
    r = len(table.keys)
    return GasMemory(np.zeros(r, GAS), np.full((r, 1), NEVER, np.int64))


def judge(
    plan: Plan, table: GasTable, memory: GasMemory, samples: Samples, _: int, __: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in the samples of gas detectors, each in the event time of its tag."""
    begin, edges = 0, room()
    while begin < len(samples):
        begin = watch(
            begin, samples.slot, samples.at, samples.before, samples.value, samples.starting,
            samples.good, table.row, table.floor, table.interval, table.model, memory.gas,
            memory.onset, edges,
        )  # fmt: skip
        tell(edges, plan.tags, (Kind.INTERMITTENT,), DETAIL, found)


@compiled
def watch(
    begin: int, slot: Rows, at: Ints, before: Ints, value: Floats, starting: Floats,
    good: NDArray[np.bool_], rows: NDArray[np.int32], floors: Floats, interval: Floats,
    models: Records, gases: Records, onset: Ints, edges: Edges,
) -> int:  # fmt: skip
    """Take in the samples from `begin` on, until there may be no room for an edge; where to go on.

    Arrays of samples by position, rows by slot, floors, interval, gases and onset by row.
    """
    model = models[0]
    mean_abs = _clipped_mean_abs(model.clip_)
    lasted, weight = 0.0, 0.0
    for k in range(begin, len(slot)):
        if edges.used[0] == len(edges.rows):
            return k
        row = row_at(rows, slot[k])
        if row < 0:
            continue
        gas = gases[row]
        over = starting[k] == np.inf or (good[k] and value[k] >= ABSURD)
        sound = good[k] and not over and value[k] > -ABSURD
        passed = interval[row] if before[k] == NEVER else (at[k] - before[k]) / SECOND
        dt = min(passed, model.longest_gap)
        known = max(gas.known - (passed - dt if sound else passed), 0.0)
        early = known < model.start_up
        unit = max(float(gas.spread), floors[row] * (model.start_up_floors if early else 1.0))
        if over or sound:
            blind = known == 0 or (early and floors[row] == 0)
            z = model.z_clip if over else 0.0 if blind else _z(gas, model, value[k], unit)
            if dt != lasted:
                lasted, weight = dt, 1 - (1 - model.minute) ** (dt / 60)
            gas.level += min(weight * (z - gas.level), model.lift)
        if sound:
            _learn(gas, model, value[k], dt, known, unit, mean_abs)
        else:
            gas.known = known
        _decide(gas, onset[row], model, unit, Reading(slot[k], at[k], value[k]), edges)
    return len(slot)


@part
def _z(gas: Any, model: Any, value: float, unit: float) -> float:
    """Distance from the background in standard deviations, from 0 up to the clip."""
    away = value - gas.background
    if not away > 0:
        return 0.0
    return float(min(away / unit, model.z_clip) if unit > 0 else model.z_clip)


@part
def _learn(
    gas: Any, model: Any, value: float, dt: float, known: float, unit: float, mean_abs: float
) -> None:
    """Means of the value and of its absolute residual, clipped. mean_abs: of a residual that is
    clipped as it is when the background is known, in standard deviations."""
    early = known < model.start_up
    residual = value - gas.background
    clip = np.inf if unit == 0 else (model.fall if early else model.clip_) * unit
    if known == 0 or (early and residual < -clip):
        gas.background, gas.spread, gas.known = value, 0.0, dt
        return
    size = min(abs(residual), clip) / (MEAN_ABS if early or unit == 0 else mean_abs)
    weight = dt / (min(known, model.memory) + dt)
    gas.background += weight * max(min(residual, clip), -clip)
    gas.spread = gas.spread * (1 - weight) + weight * size
    gas.known = min(known + dt, model.memory)


@part
def _clipped_mean_abs(clip: float) -> float:
    """Mean of min(|x|, clip) for a standard normal x."""
    return MEAN_ABS * (1 - exp(-(clip**2) / 2)) + clip * (1 - erf(clip / sqrt(2.0)))


@part
def _decide(gas: Any, onset: Ints, model: Any, unit: float, reading: Reading, edges: Edges) -> None:
    """Raise and return. Before 1970 and after 2106 the onset is the sample itself."""
    if gas.level < model.returned:
        gas.since = 0
        if onset[0] != NEVER:
            _add(gas, onset, model, unit, RETURNED, reading, edges)
            onset[0] = NEVER
        return
    if gas.since == 0:
        gas.since = min(max(reading.at // SECOND, 1), 2**32 - 1)
    if onset[0] == NEVER and gas.level >= model.raised:
        onset[0] = min(int(gas.since) * SECOND, reading.at)
        _add(gas, onset, model, unit, RAISED, reading, edges)


@part
def _add(
    gas: Any, onset: Ints, model: Any, unit: float, edge: int, reading: Reading, edges: Edges
) -> None:
    row = add(edges, reading, 0, edge, onset[0])
    row.limit = gas.background + model.raised * unit
    row.first, row.second, row.third = gas.background, unit, gas.known


def pass_time(
    plan: Plan, table: GasTable, memory: GasMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Nothing follows from silence: it ends no condition, and what is forgotten in it is forgotten
    by the next sample."""


def next_due(table: GasTable, memory: GasMemory) -> int:
    """Never."""
    return FAR


INTERMITTENT = Layer("gas", (Kind.INTERMITTENT,), compile_gas, fresh, judge, pass_time, next_due)
