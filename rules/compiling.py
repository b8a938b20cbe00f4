"""From a registry to a `Plan`: once for each version of the site."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.instant import SECOND, micros
from domain.modes import Held, Modes, holding, in_modes
from domain.plant import Registry, Tag
from rules.columns import Columns, doubtful
from rules.faults import tag_faults
from rules.forecast import FORECAST
from rules.layers import LAYERS
from rules.plan import LimitTable, Plan, PlanError, RateTable, Shared, SourceTable
from rules.rows import Table

SHORTEST_WINDOW_S = 15.0
WINDOW_INTERVALS = 3
"""Windows of the rate of change where the site gives none (hazwatch proposal)."""


NO_MODES: Modes = {}
NOTHING: Held = {}
NO_RULES: Mapping[int, Modes] = {}


def compile_plan(
    registry: Registry,
    modes: Modes = NO_MODES,
    held: Held = NOTHING,
    ahead: Held = NOTHING,
    began: Mapping[int, Modes] = NO_RULES,
) -> Plan:
    """The plan for a registry; `PlanError` names everything that cannot be watched, and why.

    modes: operating mode by id of equipment or source, `run` where there is none (domain.modes).
    held: limits that stay in force whatever the mode (`modes.held_limits`), for limits, votes and
    written rules. ahead: all limits of tags for forecasts alone. began: modes by which written
    rules are judged, where they are others (`modes.Kept`).
    """
    registry = replace(in_modes(registry, modes), began=_began(registry, began))
    tags = [registry.tags[id] for id in sorted(registry.tags)]
    # A limit of 1e308 is a limit, and so is what it makes infinite.
    with np.errstate(over="ignore", invalid="ignore"):
        keeping = [holding(tag, held.get(tag.id, {})) for tag in tags] if held else tags
        soon = [replace(t, limits=ahead.get(t.id, t.limits)) for t in tags] if ahead else tags
        return _compiled(registry, tags, keeping, soon, Columns.of(tags))


def _began(registry: Registry, began: Mapping[int, Modes]) -> dict[int, Registry]:
    """See `Registry.began`."""
    own = {id: tag for id, tag in registry.tags.items() if tag.limits_by_mode} if began else {}
    part = replace(registry, tags=own)
    return {rule: in_modes(part, modes) for rule, modes in began.items()}


def _compiled(
    registry: Registry,
    tags: Sequence[Tag],
    keeping: Sequence[Tag],
    soon: Sequence[Tag],
    columns: Columns,
) -> Plan:
    """keeping: the tags with limits that are held; soon: with those that forecasts hold."""
    faults = {tags[slot].id: list(tag_faults(tags[slot])) for slot in doubtful(tags, columns)}
    wrong = {id: "; ".join(own) for id, own in faults.items() if own}
    if wrong:
        raise PlanError([fault for own in faults.values() for fault in own], tags=wrong)
    ids = np.array([tag.id for tag in tags], np.int32)
    layers = _layer_tables(registry, tags, keeping, soon)
    slots = np.full(int(ids[-1]) + 1 if tags else 1, -1, np.int32)
    slots[ids] = np.arange(len(ids))
    silence = Shared(_us([policy.silence_after(tag) for tag in columns.timings]), columns.timing)
    return Plan(
        registry.version,
        ids,
        slots,
        np.array([hash((tag.enterprise, tag.name)) for tag in tags], np.int64),
        Shared(np.array([micros(tag.since) for tag in columns.sinces], np.int64), columns.since),
        silence,
        _limit_table(columns if keeping is tags else Columns.of(keeping)),
        _rate_table(columns),
        _source_table(tags, silence),
        tuple(_sharing(table, ids) for table in layers),
    )


def _layer_tables(
    registry: Registry, tags: Sequence[Tag], keeping: Sequence[Tag], soon: Sequence[Tag]
) -> tuple[Table, ...]:
    tables: list[Table] = []
    problems: list[str] = []
    nodes: set[int] = set()
    for layer in LAYERS:
        own = soon if layer is FORECAST else keeping if layer.holds else tags
        try:
            tables.append(layer.compile(registry, own))
        except PlanError as error:
            problems += error.problems
            nodes |= error.nodes
    if problems:
        raise PlanError(problems, nodes)
    return tuple(tables)


def _sharing(table: Any, ids: NDArray[np.int32]) -> Table:
    """The table; the ids of all tags, if these are its keys, are kept once for all tables."""
    keys = table.keys
    alike = keys.dtype == ids.dtype and np.array_equal(keys, ids)
    shared: Table = replace(table, keys=ids) if alike else table
    return shared


def _us(seconds: Sequence[float] | Floats) -> Ints:
    return np.rint(np.asarray(seconds, np.float64) * SECOND).astype(np.int64)


def _limit_table(columns: Columns) -> LimitTable:
    limit = columns.limit
    intervals = policy.number("hold", "intervals")

    def hold(tag: Tag, kind: Kind) -> float:
        return max(policy.delay_on(tag, kind), intervals * tag.interval_s)

    samples = _each_limit(columns, lambda tag, kind: policy.rule(tag.kind, kind).samples)
    deadband, worse = columns.bands()
    on, off, held = (
        Shared(_us(_each_limit(columns, of)), columns.timing)
        for of in (policy.delay_on, policy.delay_off, hold)
    )
    return LimitTable(
        limit,
        deadband,
        worse,
        on,
        off,
        held,
        Shared(samples.astype(np.int8), columns.timing),
        np.fmax.reduce(limit[:, :2], axis=1, initial=-np.inf),
        np.fmin.reduce(limit[:, 2:], axis=1, initial=np.inf),
    )


def _each_limit(columns: Columns, number: Callable[[Tag, Kind], float]) -> Floats:
    """A number for every limit of each timing: [timings, 4], 0 for limits that are not set."""
    table = np.zeros((len(columns.timings), 4))
    for row, tag in enumerate(columns.timings):
        for kind in tag.limits:
            table[row, kind] = number(tag, kind)
    return table


def _rate_table(columns: Columns) -> RateTable:
    slot = np.flatnonzero(~np.isnan(columns.rate)).astype(np.int32)
    row = slot
    if len(slot) < len(columns.rate):
        row = np.full(len(columns.rate), -1, np.int32)
        row[slot] = np.arange(len(slot))
    length = Shared(_us([_window_s(tag) for tag in columns.timings]), columns.timing)
    return RateTable(slot, row, columns.rate[slot], length)


def _window_s(tag: Tag) -> float:
    if tag.rate_window_s is not None:
        return tag.rate_window_s
    return max(SHORTEST_WINDOW_S, WINDOW_INTERVALS * tag.interval_s)


def _source_table(tags: Sequence[Tag], silence: Shared) -> SourceTable:
    sources = np.array([tag.source for tag in tags], np.int64)
    ids, of = np.unique(sources, return_inverse=True)
    shortest = np.full(len(ids), 2**62)
    np.minimum.at(shortest, of, silence[np.arange(len(tags))])
    delay = round(policy.number("offline", "source_delay") * SECOND)
    return SourceTable(ids, of.astype(np.int32), shortest, delay)
