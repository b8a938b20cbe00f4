"""Floods, chattering, fleeting and stale alarms of a whole journal at once: the same definitions as
`alerts.flood` and `alerts.chattering`, over arrays. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.alarm_noise import FloodRules, NoiseRules
from domain.frame import Ints
from domain.instant import FAR, SECOND
from domain.kpi_journal import Journal, Mask, Places, What, by_group, next_of


@dataclass(frozen=True, slots=True, eq=False)
class FloodTable:
    """k floods 报警泛滥. begin, end: int64[k], microseconds; end: with nothing more heard. heard:
    int64[k], annunciations from begin to end; upset: int64[k], in ten minutes (the window) from the
    first of those that made it."""

    begin: Ints
    end: Ints
    heard: Ints
    upset: Ints


def floods(at: Ints, rules: FloodRules) -> FloodTable:
    """The floods among annunciations at these rising instants (int64[n], microseconds)."""
    window = int(rules.window_s * SECOND)
    more = rules.begin - 1
    starts = np.flatnonzero(at[more:] - at[: max(0, len(at) - more)] < window) + more
    later = np.append(at[rules.end :], np.full(min(rules.end, len(at)), FAR, np.int64))
    ends = at[later > at + window] + window
    rows: list[tuple[int, int, int, int]] = []
    now = 0
    while now < len(starts):
        first = int(starts[now])
        place = int(np.searchsorted(ends, at[first], side="right"))
        until = int(ends[place])
        heard = int(np.searchsorted(at, until, side="right")) - first
        origin = int(at[first - more])
        upset = int(np.searchsorted(at, origin + window)) - (first - more)
        rows.append((int(at[first]), until, heard, upset))
        now = int(np.searchsorted(at[starts], until, side="right"))
    table = np.array(rows, np.int64).reshape(-1, 4).T
    return FloodTable(table[0], table[1], table[2], table[3])


@dataclass(frozen=True, slots=True, eq=False)
class ChatterTable:
    """k spells of chattering 抖动报警. subject: int32[k]; since: int64[k], microseconds; repeats:
    int64[k], activations of the spell; rows: intp[n], all activations, by alarm, then by time;
    first: intp[k], where among these each spell begins, with `repeats` in a row."""

    subject: NDArray[np.int32]
    since: Ints
    repeats: Ints
    rows: Places
    first: Places


def chatter(journal: Journal, rules: NoiseRules) -> ChatterTable:
    """The spells among the activations of a journal."""
    rows = _activations(journal)
    at, subject = journal.at[rows], journal.subject[rows]
    back = rules.chattering.activations - 1
    window, quiet = (
        int(seconds * SECOND) for seconds in (rules.chattering.window_s, rules.chattering.quiet_s)
    )
    n = len(rows)
    known = np.zeros(n, np.bool_)
    first = max(0, n - back)
    known[back:] = (at[back:] - at[:first] < window) & (subject[back:] == subject[:first])
    new = np.ones(n, np.bool_)
    new[1:] = (np.diff(at) >= quiet) | (np.diff(subject) != 0)
    chain = np.cumsum(new) - 1
    last = np.append(np.flatnonzero(new)[1:], n) - 1
    flagged = np.flatnonzero(known)
    chains, opening = np.unique(chain[flagged], return_index=True)
    begin = flagged[opening]
    repeats = (last[chains] - begin + rules.chattering.activations).astype(np.int64)
    return ChatterTable(subject[begin], at[begin], repeats, rows, begin - back)


def fleeting(journal: Journal, rules: NoiseRules) -> Mask:
    """bool[n]: activations that were fleeting 瞬时报警."""
    found = np.zeros(len(journal), np.bool_)
    rows = _activations(journal)
    at, subject = journal.at[rows], journal.subject[rows]
    apart = int(rules.apart_s * SECOND)
    near = (np.diff(at) < apart) & (np.diff(subject) == 0)
    alone = ~(np.append(near, False) | np.append(False, near)) if len(rows) else near
    ended = next_of(journal.alarm, journal.is_(What.ACTIVATED), journal.is_(What.RETURNED))[rows]
    lasted = np.where(ended >= 0, journal.at[ended], FAR) - at
    found[rows[alone & (lasted < int(rules.fleeting_s * SECOND))]] = True
    return found


def stale_per_day(begin: Ints, end: Ints, edges: Ints, rules: NoiseRules) -> Ints:
    """int64[days]: alarms that were stale 陈旧 at some time of each day. begin, end: int64[k], when
    each was in alarm, FAR = still; edges: int64[days + 1], midnights; all in microseconds."""
    since = begin + int(rules.stale_s * SECOND)
    stale = end > since
    begun = np.searchsorted(np.sort(since[stale]), edges[1:], side="left")
    over = np.searchsorted(np.sort(end[stale]), edges[:-1], side="right")
    return (begun - over).astype(np.int64)


def _activations(journal: Journal) -> Places:
    """Rows of activations, by alarm, then by time."""
    rows = np.flatnonzero(journal.is_(What.ACTIVATED))
    return rows[by_group(journal.subject[rows])]
