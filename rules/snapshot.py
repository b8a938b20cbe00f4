"""Snapshots of the engine's memory: arrays keyed by tag id, so that they outlive the plan."""

from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from domain.instant import FAR, NEVER
from rules import rate, rows
from rules.layers import LAYERS
from rules.limits import Machines, Phase, Where
from rules.plan import Plan
from rules.rate import RateState
from rules.silence import source_due_of_tags

if TYPE_CHECKING:
    from rules.state import RuleState

FORMAT = 1
Arrays = dict[str, NDArray[Any]]

_LIMIT_ARRAYS = Machines.__slots__
_SOURCE_ARRAYS = ("alive", "lost", "lost_effective")


class SnapshotError(ValueError):
    """These bytes are no snapshot of the rule engine, or one of another format."""


def pack(plan: Plan, state: "RuleState") -> bytes:
    """All that cannot be worked out again; of the limits only the machines that are not NORMAL."""
    where = Where(*np.nonzero(state.limits.machines.phase != Phase.NORMAL))
    machines = state.limits.machines.at(where)
    due = state.silence.due
    arrays: Arrays = {
        "format": np.array(FORMAT),
        "grace": np.array(state.grace_from, np.int64),
        "tag": plan.tags,
        "at": state.at,
        "received": state.received,
        "held": state.held,
        "good": state.silence.good,
        "heard": np.where(due == NEVER, NEVER, due - plan.silence),
        "offline": state.silence.offline,
        "limit.tag": plan.tags[where.slot],
        "limit.column": where.column.astype(np.int8),
        "limit.edge": plan.limits.edge[where],
        "rate.tag": plan.tags[plan.rates.slot],
        "rate.set": plan.rates.limit,
        "rate.length": plan.rates.window,
        "source.id": plan.sources.ids,
    }
    arrays |= {f"limit.{k}": getattr(machines, k) for k in _LIMIT_ARRAYS}
    arrays |= {f"rate.{k}": getattr(state.rates, k) for k in rate.KEPT}
    arrays |= {f"source.{k}": getattr(state.silence, k) for k in _SOURCE_ARRAYS}
    for layer, table, memory in zip(LAYERS, plan.layers, state.layers, strict=True):
        arrays |= rows.pack(layer, table, memory)
    file = BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def fill(plan: Plan, state: "RuleState", data: bytes) -> None:
    """Write a snapshot into a fresh state of `plan`; all but what follows from it."""
    arrays = _arrays(data)
    state.grace_from = int(arrays["grace"])
    _fill_tags(plan, state, arrays)
    _fill_limits(plan, state.limits.machines, arrays)
    _fill_rates(plan, state.rates, arrays)
    _, saved, row = np.intersect1d(arrays["source.id"], plan.sources.ids, return_indices=True)
    for name in _SOURCE_ARRAYS:
        getattr(state.silence, name)[row] = arrays[f"source.{name}"][saved]
    for layer, table, memory in zip(LAYERS, plan.layers, state.layers, strict=True):
        rows.fill(layer, table, memory, arrays)


def _arrays(data: bytes) -> Arrays:
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise SnapshotError(SnapshotError.__doc__) from error
    if "format" not in arrays or int(arrays["format"]) != FORMAT:
        raise SnapshotError(f"snapshot of format {arrays.get('format')}; readable: {FORMAT}")
    return arrays


def _fill_tags(plan: Plan, state: "RuleState", arrays: Arrays) -> None:
    slot = plan.slots_of(arrays["tag"])
    kept = slot >= 0
    slot = slot[kept]
    for name in ("at", "received", "held"):
        getattr(state, name)[slot] = arrays[name][kept]
    state.silence.good[slot] = arrays["good"][kept]
    state.silence.offline[slot] = arrays["offline"][kept]
    heard = arrays["heard"][kept]
    state.silence.due[slot] = np.where(heard == NEVER, NEVER, heard + plan.silence[slot])
    state.silence.source_due[:] = source_due_of_tags(plan, state.silence.due)


def _fill_limits(plan: Plan, machines: Machines, arrays: Arrays) -> None:
    where = Where(plan.slots_of(arrays["limit.tag"]), arrays["limit.column"].astype(np.intp))
    some = Machines(*(arrays[f"limit.{name}"] for name in _LIMIT_ARRAYS))
    edge = plan.limits.edge[where]
    changed = edge != arrays["limit.edge"]
    some.phase[changed & (some.phase == Phase.PENDING)] = Phase.NORMAL
    some.phase[changed & (some.phase == Phase.CLEARING)] = Phase.ACTIVE
    some.due[changed] = FAR
    kept = (where.slot >= 0) & ~np.isnan(edge)
    picked = Machines(*(getattr(some, name)[kept] for name in _LIMIT_ARRAYS))
    machines.put(Where(where.slot[kept], where.column[kept]), picked)


def _fill_rates(plan: Plan, rates: RateState, arrays: Arrays) -> None:
    slot = plan.slots_of(arrays["rate.tag"])
    row = np.where(slot >= 0, plan.rates.row[slot], -1)
    kept = row >= 0
    row = row[kept]
    for name in rate.KEPT:
        getattr(rates, name)[row] = arrays[f"rate.{name}"][kept]
    other_limit = arrays["rate.set"][kept] != plan.rates.limit[row]
    other_window = arrays["rate.length"][kept] != plan.rates.window[row]
    rate.settle(plan, rates, row, other_limit | other_window)
