"""`Plan`: the registry as arrays by slot, compiled once for each version of the site."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.frame import Floats, Ints
from domain.instant import SECOND, micros
from domain.plant import Registry, Tag
from rules.faults import tag_faults

SIGN = np.array([-1.0, -1.0, 1.0, 1.0])
"""By column LL, L, H, HH. Times SIGN, "beyond the limit" means "at or above it" for all of them."""
WORSE_SHARE = 0.01
"""Share of the span (without a range, of the limit) by which a value must worsen to be told."""
SHORTEST_WINDOW_S = 15.0
WINDOW_INTERVALS = 3
"""Windows of the rate of change where the site gives none (hazwatch proposal)."""


class PlanError(ValueError):
    """The registry holds tags that cannot be watched. `problems` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, eq=False)
class LimitTable:
    """What the limit kernel compares with: [n, 4] in columns LL, L, H, HH; NaN where none is set.

    limit: float64, in the tag's unit. edge: SIGN * limit. back: edge - deadband; SIGN * value must
    be strictly below it to have returned. worse: step of SIGN * value from which WORSE is told. on,
    off, hold: int64 microseconds; hold is what a single sample must last where `samples` asks for
    more. samples: int8. low, high: float64[n], innermost limits, infinite where there are none.
    """

    limit: Floats
    edge: Floats
    back: Floats
    worse: Floats
    on: Ints
    off: Ints
    hold: Ints
    samples: NDArray[np.int8]
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RateTable:
    """Tags with a limit on their rate of change; arrays have one row for each, by rising slot.

    slot: intp[r]. row: intp[n], the row of a slot, -1 for none. limit: float64[r], unit per minute.
    window: int64[r], microseconds.
    """

    slot: NDArray[np.intp]
    row: NDArray[np.intp]
    limit: Floats
    window: Ints


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """Hazard sources that have tags. ids: int64[m], rising node ids. of: int32[n], row of each tag.

    longest: int64[m], the longest silence that one of its tags may keep; delay: what SOURCE_OFFLINE
    waits after the last tag fell silent; both in microseconds.
    """

    ids: Ints
    of: NDArray[np.int32]
    longest: Ints
    delay: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything the kernels know of the plant; never written to.

    tags: int32[n], rising ids. slots: int32, tag id -> slot, -1 for none. names: (enterprise, name)
    by slot, which a new version of a tag shares with the old one. since: int64[n], when the tag was
    registered. silence: int64[n], how long a healthy tag may keep silent. Times in microseconds
    since 1970 UTC, durations in microseconds.
    """

    version: int
    tags: NDArray[np.int32]
    slots: NDArray[np.int32]
    names: tuple[tuple[int, str], ...]
    since: Ints
    silence: Ints
    limits: LimitTable
    rates: RateTable
    sources: SourceTable

    def __len__(self) -> int:
        return len(self.tags)

    def slots_of(self, tags: NDArray[np.int32]) -> NDArray[np.intp]:
        """Slots of tag ids: intp, shape as given, -1 for tags that the plan does not hold."""
        inside = (tags >= 0) & (tags < len(self.slots))
        if inside.all():
            return self.slots[tags].astype(np.intp)
        return np.where(inside, self.slots[np.where(inside, tags, 0)], -1).astype(np.intp)

    def slot_of(self, tag: int) -> int:
        """The slot of one tag id, -1 for none."""
        return int(self.slots_of(np.array([tag], np.int32))[0])


def compile_plan(registry: Registry) -> Plan:
    """The plan for a registry; `PlanError` names every tag that cannot be watched, and why."""
    tags = [registry.tags[id] for id in sorted(registry.tags)]
    problems = [problem for tag in tags for problem in tag_faults(tag)]
    if problems:
        raise PlanError(problems)
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
    )


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
