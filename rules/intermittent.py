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
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.gas_background import GASES, GasModel, floor, gas_model
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag
from rules.findings import Collector
from rules.plan import Plan
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

Singles = NDArray[np.float32]
ABSURD = 1e30
"""No instrument measures so much: above it counts as over range, below minus it does not count."""
BLOCK = 8192
"""Samples at a time, so that what is worked out of them stays in the cache."""
MEAN_ABS = sqrt(2 / pi)
"""Mean of |x| for a standard normal x."""


@dataclass(frozen=True, slots=True, eq=False)
class GasTable:
    """Gas detectors, one row each. keys: int32[r] tag ids. marks: int32[r], versions of the tags.
    row: int32[n], by slot, -1 = none. floor: float64[r], see `domain.gas_background.floor`.
    interval: float64[r], seconds."""

    keys: NDArray[np.int32]
    marks: NDArray[np.int32]
    row: NDArray[np.int32]
    floor: Floats
    interval: Floats


@dataclass(slots=True, eq=False)
class GasMemory:
    """32 bytes a detector. background: float64[r] and spread: float32[r], in the tag's unit. level:
    float32[r], moving mean of z. known: float32[r], seconds that the background rests on, 0 = there
    is none. since: uint32[r], second since 1970 at which `level` rose through `returned`, 0 = it is
    below. onset: int64[r, 1]."""

    background: Floats
    spread: Singles
    level: Singles
    known: Singles
    since: NDArray[np.uint32]
    onset: Ints


def compile_gas(registry: Registry, tags: Sequence[Tag]) -> GasTable:
    """Every gas detector has a row."""
    slot = np.array([n for n, tag in enumerate(tags) if tag.kind in GASES], np.intp)
    row = np.full(len(tags), -1, np.int32)
    row[slot] = np.arange(len(slot))
    gases = [tags[n] for n in slot]
    return GasTable(
        np.array([tag.id for tag in gases], np.int32),
        np.array([tag.version for tag in gases], np.int32),
        row,
        np.array([floor(tag) for tag in gases], np.float64),
        np.array([tag.interval_s for tag in gases], np.float64),
    )


def fresh(table: GasTable) -> GasMemory:
    """Nothing is known."""
    r = len(table.keys)
    spread, level, known = (np.zeros(r, np.float32) for _ in range(3))
    since, onset = np.zeros(r, np.uint32), np.full((r, 1), NEVER, np.int64)
    return GasMemory(np.zeros(r), spread, level, known, since, onset)


def judge(
    plan: Plan, table: GasTable, memory: GasMemory, samples: Samples, received: int, seen: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in the samples of gas detectors, each in the event time of its tag."""
    gas = table.row[samples.slot] >= 0
    if not gas.any():
        return
    model = gas_model()
    for part in (samples if gas.all() else samples.take(gas)).rounds():
        for block in part.blocks(BLOCK):
            _take(model, table, memory, block, found)


def _take(
    model: GasModel, table: GasTable, memory: GasMemory, samples: Samples, found: Collector
) -> None:
    """One sample for each of several detectors."""
    row = table.row[samples.slot].astype(np.intp)
    over = (samples.starting == np.inf) | (samples.good & (samples.value >= ABSURD))
    sound = samples.good & ~over & (samples.value > -ABSURD)
    heard = samples.before != NEVER
    passed = np.where(heard, samples.at - samples.before, 0) / SECOND
    passed = np.where(heard, passed, table.interval[row])
    dt = np.minimum(passed, model.longest_gap)
    forgotten = passed - np.where(sound, dt, 0)
    known = np.maximum(memory.known[row] - forgotten, 0)
    unit = _unit(model, table, memory, row, known)
    with np.errstate(divide="ignore"):
        z = np.divide(
            samples.value - memory.background[row], unit, out=np.zeros(len(row)), where=sound
        )
    blind = (known == 0) | ((known < model.start_up) & (table.floor[row] == 0))
    z = np.where(np.isnan(z) | blind, 0, np.clip(z, 0, model.z_clip))
    _lift(model, memory, row, np.where(over, model.z_clip, z), dt, over | sound)
    if sound.all():
        _learn(model, table, memory, row, samples.value, dt, known)
    else:
        _learn(model, table, memory, row[sound], samples.value[sound], dt[sound], known[sound])
        memory.known[row[~sound]] = known[~sound]
    _tell(model, memory, row, samples, unit, found)


def _unit(
    model: GasModel, table: GasTable, memory: GasMemory, row: Rows, known: Floats
) -> Floats:  # fmt: skip
    """The standard deviation that z is counted in."""
    floors = np.where(known < model.start_up, model.start_up_floors, 1.0) * table.floor[row]
    return np.maximum(memory.spread[row], floors)


def _lift(
    model: GasModel, memory: GasMemory, row: Rows, z: Floats, dt: Floats, counts: NDArray[np.bool_]
) -> None:
    weight = 1 - (1 - model.minute) ** (dt / 60)
    rise = np.minimum(weight * (z - memory.level[row]), model.lift)
    memory.level[row] += np.where(counts, rise, 0)


def _learn(
    model: GasModel, table: GasTable, memory: GasMemory, row: Rows, value: Floats, dt: Floats,
    known: Floats,
) -> None:  # fmt: skip
    """Means of the value and of its absolute residual, clipped."""
    early = known < model.start_up
    unit = _unit(model, table, memory, row, known)
    residual = value - memory.background[row]
    clip = np.where(unit == 0, np.inf, np.where(early, model.fall, model.clip) * unit)
    begins = (known == 0) | (early & (residual < -clip))
    mean_abs = np.where(early | (unit == 0), MEAN_ABS, _clipped_mean_abs(model.clip))
    weight = dt / (np.minimum(known, model.memory) + dt)
    spread = memory.spread[row] * (1.0 - weight)
    spread += weight * np.minimum(np.abs(residual), clip) / mean_abs
    moved = memory.background[row] + weight * np.clip(residual, -clip, clip)
    memory.background[row] = np.where(begins, value, moved)
    memory.spread[row] = np.where(begins, 0, spread)
    memory.known[row] = np.where(begins, dt, np.minimum(known + dt, model.memory))


def _clipped_mean_abs(clip: float) -> float:
    """Mean of min(|x|, clip) for a standard normal x."""
    below = MEAN_ABS * (1 - np.exp(-(clip**2) / 2))
    return float(below + 2 * clip * (1 - ndtr(clip)))


def _tell(
    model: GasModel, memory: GasMemory, row: Rows, samples: Samples, unit: Floats, found: Collector
) -> None:
    """Raise and return. Before 1970 and after 2106 the onset is the sample itself."""
    level = memory.level[row]
    high = level >= np.float32(model.returned)
    active = memory.onset[row, 0] != NEVER
    if not (high | active | (memory.since[row] != 0)).any():
        return
    rises = high & (memory.since[row] == 0)
    second = np.clip(samples.at // SECOND, 1, 2**32 - 1)
    memory.since[row] = np.where(high, np.where(rises, second, memory.since[row]), 0)
    raised = ~active & (level >= np.float32(model.raised))
    returned = active & ~high
    since = np.minimum(memory.since[row].astype(np.int64) * SECOND, samples.at)
    memory.onset[row[raised], 0] = since[raised]
    for edge, which in ((Edge.RAISED, raised), (Edge.RETURNED, returned)):
        if which.any():
            here = row[which]
            background = memory.background[here]
            found.tags(
                edge, Kind.INTERMITTENT, samples.slot[which], memory.onset[here, 0],
                samples.at[which], samples.value[which], background + model.raised * unit[which],
                detail={
                    "background": background,
                    "spread": unit[which],
                    "known_s": memory.known[here],
                },
            )  # fmt: skip
    memory.onset[row[returned], 0] = NEVER


def pass_time(
    plan: Plan, table: GasTable, memory: GasMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Nothing follows from silence: it ends no condition, and what is forgotten in it is forgotten
    by the next sample."""


def next_due(table: GasTable, memory: GasMemory) -> int:
    """Never."""
    return FAR


INTERMITTENT = Layer("gas", (Kind.INTERMITTENT,), compile_gas, fresh, judge, pass_time, next_due)
