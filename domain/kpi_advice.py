"""Which delay would have calmed an alarm that chattered or was fleeting, counted from its journal.
Pure.

It is told as "N s longer than it was", for the journal has the delays in it already: an alarm
returns when its off-delay has run out, and is raised when its on-delay has. What comes again within
N s of its return would have met a running off-delay; what returns within N s would not have
outlasted the on-delay. A deadband is not judged: no values stand in the journal.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from domain.alarm_noise import ChatterRules, NoiseRules
from domain.alarms import Kind
from domain.frame import Ints
from domain.instant import FAR, SECOND
from domain.kpi_journal import Journal, Mask, Places, What, by_group, next_of
from domain.kpi_noise import ChatterTable
from domain.policy import GAS_AND_FIRE

LIMITS = frozenset(kind.name for kind in (Kind.LL, Kind.L, Kind.H, Kind.HH))


@dataclass(frozen=True, slots=True)
class Delay:
    """longer_s: so many whole seconds longer; calmed: how many activations would not have been."""

    longer_s: int
    calmed: int


@dataclass(frozen=True, slots=True)
class Advice:
    """Of `noisy` activations (those of spells of chattering, and fleeting ones) a longer off-delay
    would have joined some to the one before, a longer on-delay would have dropped some; each by
    itself. None: no delay that may be advised does so."""

    noisy: int
    off: Delay | None
    on: Delay | None


def advised(
    journal: Journal,
    spells: ChatterTable,
    chosen: Mask,
    fleeting: Mask,
    subjects: Iterable[int],
    rules: NoiseRules,
) -> dict[int, Advice]:
    """Of those of these subjects that a delay would have calmed. chosen: bool[k], the spells that
    count; fleeting: bool[n], the rows of the journal that count as such. No on-delay for what was
    ever of a priority that never folds."""
    rows = spells.rows
    joins, noisy = _members(spells, chosen)
    noisy |= fleeting[rows]
    pause, lasted = _pauses(journal, rows), _lasted(journal, rows)
    subject, priority = journal.subject[rows], journal.priority[rows]
    urgent = np.isin(priority, [int(word[1]) for word in rules.flood.never_priorities])
    found: dict[int, Advice] = {}
    for who in subjects:
        mine = slice(*np.searchsorted(subject, (who, who + 1)).tolist())
        drops = noisy[mine] & (not urgent[mine].any())
        off = _delay(pause[mine][joins[mine]], rules.chattering)
        on = _delay(lasted[mine][drops], rules.chattering)
        if off is not None or on is not None:
            found[who] = Advice(int(noisy[mine].sum()), off, on)
    return found


def settable(advice: Advice, kind: str, tag: str | None, rules: NoiseRules) -> Advice | None:
    """What of it can be set: delays are of the limits of tags. kind, tag: names of the kinds of the
    alarm and its tag, None: it has none. No on-delay for gas, fire, HH and LL (domain.md 5.3)."""
    if tag is None or kind not in LIMITS:
        return None
    if tag in GAS_AND_FIRE or Kind[kind] in rules.flood.never_kinds:
        advice = replace(advice, on=None)
    return None if advice.off is None and advice.on is None else advice


def _members(spells: ChatterTable, chosen: Mask) -> tuple[Mask, Mask]:
    """(bool[n], activations of spells that are not the first of theirs; all of spells)."""
    first = spells.first[chosen]
    edges = np.zeros(len(spells.rows) + 1, np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, first + spells.repeats[chosen], -1)
    inside = np.cumsum(edges)[:-1] > 0
    later = inside.copy()
    later[first] = False
    return later, inside


def _pauses(journal: Journal, rows: Places) -> Ints:
    """int64[n]: microseconds since the alarm returned, FAR where that is not known."""
    found = np.full(len(journal), FAR, np.int64)
    both = np.flatnonzero(journal.is_(What.ACTIVATED | What.RETURNED))
    both = both[by_group(journal.subject[both])]
    before, after = both[:-1], both[1:]
    good = (journal.subject[before] == journal.subject[after]) & journal.of(before).is_(
        What.RETURNED
    )
    found[after[good]] = (journal.at[after] - journal.at[before])[good]
    return found[rows]


def _lasted(journal: Journal, rows: Places) -> Ints:
    """int64[n]: microseconds until its occurrence returned, FAR where it did not."""
    ended = next_of(journal.alarm, journal.is_(What.ACTIVATED), journal.is_(What.RETURNED))[rows]
    return np.where(ended >= 0, journal.at[ended] - journal.at[rows], FAR).astype(np.int64)


def _delay(seen: Ints, rules: ChatterRules) -> Delay | None:
    """The smallest whole number of seconds above `share` of what was seen; None: it is too long, or
    too little was seen."""
    if len(seen) < rules.activations - 1:
        return None
    longer = int(np.sort(seen)[ceil(rules.share * len(seen)) - 1]) // SECOND + 1
    if longer > rules.longest_delay_s:
        return None
    return Delay(longer, int((seen < longer * SECOND).sum()))
