"""Sums of flows beside the level of vessels, sample by sample, and where windows end. Pure.

All sums are whole numbers of nm³, so they don't depend on how the stream was cut into frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import NEVER, SECOND
from rules.balance_table import LEVEL, BalanceTable, Rows
from rules.events import Events

RING = 7
"""Level samples of which the median counts; up to three in a row may be wild."""
MIDDLE = RING // 2
LONGEST = 86_400 * SECOND
"""Times between two samples are cut to this; such a window says nothing anyway."""
VOLUME, IN, OUT, ALLOWED, BREAKS, TIME = range(6)
"""Members of a state."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """The running part of `rules.balance.BalanceMemory`: its own arrays, changed in place here."""

    at: Ints
    flow: Ints
    flow_at: Ints
    total: Ints
    breaks: Ints
    ring: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Closing:
    """Ends of windows by arrival: [k] each. row: intp. at: int64, time of the sample that ended it.
    state: int64[k, 6], VOLUME to TIME of the middle sample. sound: bool, every meter was heard."""

    row: Rows
    at: Ints
    state: Ints
    sound: NDArray[np.bool_]

    def take(self, which: Rows) -> "Closing":
        """Some of them."""
        return Closing(self.row[which], self.at[which], self.state[which], self.sound[which])


def follow(table: BalanceTable, sums: Sums, events: Events, window: int) -> Closing:
    """Take in events, of which all are good; the ends of windows that they bring about."""
    events = events.take(np.argsort(events.row, kind="stable"))
    starts = np.append(True, events.row[1:] != events.row[:-1])
    first = np.flatnonzero(starts)
    at = _never_back(events, first, sums.at)
    meter = np.flatnonzero(events.column != LEVEL)
    flows = _Flows.of(table, sums, events, at, meter)
    state = _states(table, sums, events, at, first, flows)
    closings = _closings(table, sums, events, at, state, first, flows, window)
    last = np.append(first[1:], len(events)) - 1
    rows = events.row[last]
    sums.at[rows] = at[last]
    sums.total[rows] = state[last, IN : ALLOWED + 1]
    sums.breaks[rows] = state[last, BREAKS]
    sums.flow[flows.seat] = flows.value
    sums.flow_at[flows.seat] = flows.at
    return closings


def _never_back(events: Events, first: Rows, newest: Ints) -> Ints:
    """Event times that don't fall within a row: int64[k]."""
    at = events.at.copy()
    at[first] = np.maximum(at[first], newest[events.row[first]])
    falls = at[1:] < at[:-1]
    falls[first[1:] - 1] = False
    if falls.any():
        for begin, end in zip(first, np.append(first[1:], len(at)), strict=True):
            np.maximum.accumulate(at[begin:end], out=at[begin:end])
    return at


@dataclass(frozen=True, slots=True, eq=False)
class _Flows:
    """Samples of meters, in the order of the events: [f] each. where: position of the event. value,
    before: int64, nm³/s of it and of the one before. at, since: int64, times of both, NEVER = none.
    key: int64, row and meter."""

    where: Rows
    row: Rows
    meter: Rows
    value: Ints
    before: Ints
    at: Ints
    since: Ints
    key: Ints

    @property
    def seat(self) -> tuple[Rows, Rows]:
        return self.row, self.meter

    @staticmethod
    def of(table: BalanceTable, sums: Sums, events: Events, at: Ints, where: Rows) -> "_Flows":
        row, meter = events.row[where], events.column[where] - LEVEL - 1
        value = events.number[where].astype(np.int64)
        key = row * sums.flow.shape[1] + meter
        order = np.argsort(key, kind="stable")
        again = np.zeros(len(order), np.bool_)
        again[1:] = key[order][1:] == key[order][:-1]
        before, since = sums.flow[row, meter], sums.flow_at[row, meter]
        previous = np.roll(order, 1)[again]
        before[order[again]], since[order[again]] = value[previous], at[where][previous]
        return _Flows(where, row, meter, value, before, at[where], since, key)


def _states(
    table: BalanceTable, sums: Sums, events: Events, at: Ints, first: Rows, flows: _Flows
) -> Ints:
    """The state after each event: int64[k, 6]; VOLUME only where it is a level."""
    k, rows = len(events), events.row[first]
    size = np.diff(first, append=k)
    begun = sums.at[rows]
    previous = np.roll(at, 1)
    previous[first] = np.where(begun == NEVER, at[first], begun)
    passed = np.minimum(at - previous, LONGEST)[:, None] / SECOND
    rates, extra, breaks = _changes(table, events, flows)
    held = sums.flow[rows]
    start = np.stack([(held * (table.way[rows] == way)).sum(axis=1) for way in (1, -1)], axis=1)
    error = np.rint(table.reading[rows, None] * np.abs(held)).astype(np.int64).sum(axis=1)
    start = np.column_stack((start, error + table.idle[rows]))
    before = _running(rates, first, size, start) - rates
    state = np.zeros((k, 6), np.int64)
    grown = np.rint(before * passed).astype(np.int64) + extra
    state[:, IN : ALLOWED + 1] = _running(grown, first, size, sums.total[rows])
    state[:, BREAKS] = _running(breaks[:, None], first, size, sums.breaks[rows][:, None])[:, 0]
    level = events.column == LEVEL
    state[level, VOLUME] = events.number[level].astype(np.int64)
    state[:, TIME] = at
    return state


def _running(steps: Ints, first: Rows, size: Rows, start: Ints) -> Ints:
    """Running sums of each segment, from its start: int64[k, c]. start: int64[segments, c]."""
    total = np.cumsum(steps, axis=0)
    sums: Ints = total + np.repeat(start - (total[first] - steps[first]), size, axis=0)
    return sums


def _changes(table: BalanceTable, events: Events, flows: _Flows) -> tuple[Ints, Ints, Ints]:
    """What each event changes: rates in, out and of the allowance int64[k, 3], nm³/s; what the ramp
    towards a new reading adds to their sums int64[k, 3]; and gaps int64[k]."""
    k, entry = len(events), events.input[flows.where]
    rates, extra = np.zeros((k, 3), np.int64), np.zeros((k, 3), np.int64)
    breaks = np.zeros(k, np.int64)
    step = flows.value - flows.before
    never = flows.since == NEVER
    silent = np.where(never, 0, flows.at - flows.since)
    gap = never | (silent > table.inputs.gap[entry])
    ramp_s = np.minimum(silent, table.inputs.ramp[entry]) / SECOND
    ramp = np.where(gap, 0, np.rint(step * ramp_s / 2)).astype(np.int64)
    way = np.where(table.inputs.sign[entry] > 0, 0, 1)
    rates[flows.where, way], extra[flows.where, way] = step, ramp
    share = table.reading[flows.row]
    error, was = (np.rint(share * np.abs(flow)) for flow in (flows.value, flows.before))
    rates[flows.where, 2] = (error - was).astype(np.int64)
    extra[flows.where, 2] = np.abs(ramp)
    breaks[flows.where] = gap
    return rates, extra, breaks


def _closings(
    table: BalanceTable,
    sums: Sums,
    events: Events,
    at: Ints,
    state: Ints,
    first: Rows,
    flows: _Flows,
    window: int,
) -> Closing:
    """Ends of windows; the rings are moved on."""
    level = np.flatnonzero(events.column == LEVEL)
    if not level.size:
        return Closing(level, at[level], state[level], np.zeros(0, np.bool_))
    row = events.row[level]
    starts = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    size = np.diff(starts, append=len(row))
    rows, ends = row[starts], np.cumsum(size + RING)
    series = np.empty((len(row) + RING * len(rows), 6), np.int64)
    mine = np.arange(len(row)) + RING * np.repeat(np.arange(1, len(rows) + 1), size)
    series[mine] = state[level]
    old = (ends - size - RING)[:, None] + np.arange(RING)
    series[old] = sums.ring[rows]
    sums.ring[rows] = series[ends[:, None] - RING + np.arange(RING)]
    turned = at[level] // window != series[mine - 1, TIME] // window
    whole = series[mine - (RING - 1), TIME] != NEVER
    closing = np.flatnonzero(turned & whole)
    recent = series[mine[closing, None] - (RING - 1) + np.arange(RING)]
    ended = recent[:, MIDDLE]
    ended[:, VOLUME] = np.median(recent[:, :, VOLUME], axis=1)
    position = level[closing]
    sound = _heard(table, sums, flows, row[closing], position, at[position])
    return Closing(row[closing], at[position], ended, sound)


def _heard(
    table: BalanceTable, sums: Sums, flows: _Flows, row: Rows, position: Rows, at: Ints
) -> NDArray[np.bool_]:
    """Whether every meter of these rows was heard within its gap, at these events: bool[c]."""
    meters = np.arange(sums.flow.shape[1])
    known = sums.flow_at[row]
    if len(flows.where):
        beyond = int(max(flows.where[-1], position.max(initial=0))) + 1
        key = flows.key * beyond + flows.where
        order = np.argsort(key, kind="stable")
        asked = (row[:, None] * len(meters) + meters) * beyond + position[:, None]
        found = order[np.maximum(np.searchsorted(key[order], asked) - 1, 0)]
        same = flows.key[found] == row[:, None] * len(meters) + meters
        known = np.where(same & (flows.where[found] < position[:, None]), flows.at[found], known)
    silent = np.where(known == NEVER, LONGEST * 366, at[:, None] - known)
    heard: NDArray[np.bool_] = ((table.way[row] == 0) | (silent <= table.gap[row])).all(axis=1)
    return heard
