"""From a registry to a `Plan`: once for each version of the site."""

from collections.abc import Sequence

import numpy as np

from domain import policy
from domain.frame import Floats, Ints
from domain.instant import SECOND, micros
from domain.plant import Registry, Tag
from rules.faults import tag_faults
from rules.layers import LAYERS
from rules.plan import SIGN, LimitTable, Plan, PlanError, RateTable, SourceTable
from rules.rows import Table

WORSE_SHARE = 0.01
"""Share of the span (without a range, of the limit) by which a value must worsen to be told."""
SHORTEST_WINDOW_S = 15.0
WINDOW_INTERVALS = 3
"""Windows of the rate of change where the site gives none (hazwatch proposal)."""


def compile_plan(registry: Registry) -> Plan:
    """The plan for a registry; `PlanError` names everything that cannot be watched, and why."""
    tags = [registry.tags[id] for id in sorted(registry.tags)]
    problems = [problem for tag in tags for problem in tag_faults(tag)]
    if problems:
        raise PlanError(problems)
    layers = _layer_tables(registry, tags)
    ids = np.array([tag.id for tag in tags], np.int32)
    slots = np.full(int(ids[-1]) + 1 if tags else 1, -1, np.int32)
    slots[ids] = np.arange(len(ids))
    silence = _us([policy.silence_after(tag) for tag in tags])
    return Plan(
        registry.version,
        ids,
        slots,
        tuple((tag.enterprise, tag.name) for tag in tags),
        np.array([micros(tag.since) for tag in tags], np.int64),
        silence,
        _limit_table(tags),
        _rate_table(tags),
        _source_table(tags, silence),
        layers,
    )


def _layer_tables(registry: Registry, tags: Sequence[Tag]) -> tuple[Table, ...]:
    tables: list[Table] = []
    problems: list[str] = []
    for layer in LAYERS:
        try:
            tables.append(layer.compile(registry, tags))
        except PlanError as error:
            problems += error.problems
    if problems:
        raise PlanError(problems)
    return tuple(tables)


def _us(seconds: Sequence[float] | Floats) -> Ints:
    return np.rint(np.asarray(seconds, np.float64) * SECOND).astype(np.int64)


def _limit_table(tags: Sequence[Tag]) -> LimitTable:
    limit, deadband, worse = (np.full((len(tags), 4), np.nan) for _ in range(3))
    on, off, hold = (np.zeros((len(tags), 4)) for _ in range(3))
    samples = np.ones((len(tags), 4), np.int8)
    intervals = policy.number("hold", "intervals")
    for slot, tag in enumerate(tags):
        for kind, value in tag.limits.items():
            at = slot, int(kind)
            limit[at], deadband[at] = value, policy.deadband(tag, kind)
            span = tag.range[1] - tag.range[0] if tag.range else abs(value)
            worse[at] = WORSE_SHARE * span
            on[at], off[at] = policy.delay_on(tag, kind), policy.delay_off(tag, kind)
            samples[at] = policy.rule(tag.kind, kind).samples
            hold[at] = max(on[at], intervals * tag.interval_s)
    edge = limit * SIGN
    return LimitTable(
        limit,
        edge,
        edge - deadband,
        worse,
        _us(on),
        _us(off),
        _us(hold),
        samples,
        np.fmax.reduce(limit[:, :2], axis=1, initial=-np.inf),
        np.fmin.reduce(limit[:, 2:], axis=1, initial=np.inf),
    )


def _rate_table(tags: Sequence[Tag]) -> RateTable:
    rated = [(slot, tag) for slot, tag in enumerate(tags) if tag.rate_per_min is not None]
    row = np.full(len(tags), -1, np.intp)
    slot = np.array([slot for slot, _ in rated], np.intp)
    row[slot] = np.arange(len(rated))
    limit = np.array([tag.rate_per_min for _, tag in rated], np.float64)
    return RateTable(slot, row, limit, _us([_window_s(tag) for _, tag in rated]))


def _window_s(tag: Tag) -> float:
    if tag.rate_window_s is not None:
        return tag.rate_window_s
    return max(SHORTEST_WINDOW_S, WINDOW_INTERVALS * tag.interval_s)


def _source_table(tags: Sequence[Tag], silence: Ints) -> SourceTable:
    sources = np.array([tag.source for tag in tags], np.int64)
    ids, of = np.unique(sources, return_inverse=True)
    longest = np.zeros(len(ids), np.int64)
    np.maximum.at(longest, of, silence)
    delay = round(policy.number("offline", "source_delay") * SECOND)
    return SourceTable(ids, of.astype(np.int32), longest, delay)
