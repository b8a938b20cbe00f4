"""Snapshots of the engine's memory: arrays keyed by tag id, so that they outlive the plan."""

from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from domain.instant import FAR
from rules import rows, silence
from rules.layers import LAYERS
from rules.machines import FIELDS, Machines, Phase, Some
from rules.plan import Plan, Where
from rules.rate_state import KEPT, RateState

if TYPE_CHECKING:
    from rules.state import RuleState

FORMAT = 2
Arrays = dict[str, NDArray[Any]]

_SOURCE_ARRAYS = ("alive", "lost", "lost_effective")


class SnapshotError(ValueError):
    """These bytes are no snapshot of the rule engine, or one of another format."""


def pack(plan: Plan, state: "RuleState") -> bytes:
    """All that cannot be worked out again; of the limits only the machines that are not NORMAL."""
    busy = state.limits.busy()
    tag, column = np.nonzero(state.limits.phase(busy))
    where = Where(busy[tag], column)
    machines, offline = state.limits.at(where), np.flatnonzero(state.silence.offline)
    arrays: Arrays = {
        "format": np.array(FORMAT),
        "grace": np.array(state.grace_from, np.int64),
        "tag": plan.tags,
        "at": state.at,
        "received": state.received,
        "held": state.held,
        "good": state.silence.good,
        "heard": state.silence.heard,
        "stale": state.silence.stale,
        "offline.tag": plan.tags[offline],
        "offline.onset": silence.onset(plan, state.silence, offline),
        "limit.tag": plan.tags[where.slot],
        "limit.column": where.column.astype(np.int8),
        "limit.edge": plan.limits.edge(where),
        "rate.tag": plan.tags[plan.rates.slot],
        "rate.set": plan.rates.limit,
        "rate.length": plan.rates.window(slice(None)),
        "source.id": plan.sources.ids,
    }
    arrays |= {f"limit.{k}": getattr(machines, k) for k in FIELDS}
    arrays |= {f"rate.{k}": state.rates.of[k] for k in KEPT}
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
    _fill_limits(plan, state.limits, arrays)
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
    for name in ("good", "heard"):
        getattr(state.silence, name)[slot] = arrays[name][kept]
    if "stale" in arrays:
        state.silence.stale[slot] = arrays["stale"][kept]
    offline = plan.slots_of(arrays["offline.tag"])
    since = arrays["offline.onset"][offline >= 0]
    silence.set_offline(plan, state.silence, offline[offline >= 0], since)


def _fill_limits(plan: Plan, machines: Machines, arrays: Arrays) -> None:
    where = Where(plan.slots_of(arrays["limit.tag"]), arrays["limit.column"].astype(np.intp))
    some = Some(*(arrays[f"limit.{name}"] for name in FIELDS))
    edge = plan.limits.edge(where)
    changed = edge != arrays["limit.edge"]
    some.phase[changed & (some.phase == Phase.PENDING)] = Phase.NORMAL
    some.phase[changed & (some.phase == Phase.CLEARING)] = Phase.ACTIVE
    some.due[changed] = FAR
    kept = (where.slot >= 0) & ~np.isnan(edge)
    picked = Some(*(getattr(some, name)[kept] for name in FIELDS))
    machines.put(Where(where.slot[kept], where.column[kept]), picked)


def _fill_rates(plan: Plan, rates: RateState, arrays: Arrays) -> None:
    slot = plan.slots_of(arrays["rate.tag"])
    row = np.where(slot >= 0, plan.rates.row[slot], -1)
    kept = row >= 0
    row = row[kept]
    for name in KEPT:
        rates.of[name][row] = arrays[f"rate.{name}"][kept]
    other_limit = arrays["rate.set"][kept] != plan.rates.limit[row]
    other_window = arrays["rate.length"][kept] != plan.rates.window(row)
    rates.forget_windows(row[other_limit | other_window])
