"""Which sources' risk has to be told anew: a colour at once, a score as it becomes visible."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import numpy as np

from domain.frame import Ints
from domain.instant import NEVER, SECOND, micros
from domain.plant import Registry
from domain.risk import Colour, Floor, Reason, RiskFacts, RiskResult, SourceRisk
from rules.explaining import held_by
from rules.risk import ColourState, explain

LOUD = 1.0
"""Points by which a score must differ to be told as an event."""
SHOWN = 0.1
"""Points by which it must differ to be kept, and after how long (microseconds) the last time."""
PACE = 10 * SECOND
AT_ONCE = 50
"""Scores that crept are kept for so many sources at once, those that moved most first."""
NEW_AT_ONCE = 100
"""Sources that were never told are kept so many at once, the highest scores first."""


class ToldRisk:
    """What was last told of every source: score kept and score said as an event. Rows as in the
    newest result."""

    def __init__(self) -> None:
        self._sources: Ints = np.zeros(0, np.int64)
        self._score = np.zeros(0)
        self._said = np.zeros(0)
        self._key: Ints = np.zeros(0, np.int64)
        self._at: Ints = np.zeros(0, np.int64)

    def news(
        self,
        registry: Registry,
        facts: RiskFacts,
        result: RiskResult,
        colours: ColourState,
        at: datetime,
    ) -> Iterator[tuple[SourceRisk, bool]]:
        """Sources to be told, and whether it deserves an event; `colours` settled by `result`.

        A source that was never told is kept quietly: what is there at a start is no news.
        """
        self._align(result.sources)
        key, now = _key(result, colours), micros(at)
        new = np.isnan(self._score)
        turned = ~new & (key != self._key)
        crept = np.where(new, 0.0, np.abs(result.score - self._said))
        loud = turned | (crept >= LOUD)
        shown = np.abs(result.score - self._score) >= SHOWN
        due = np.flatnonzero(~turned & (loud | (shown & (np.abs(now - self._at) >= PACE))))
        most = due[np.argsort(-crept[due], kind="stable")[:AT_ONCE]]
        first = np.flatnonzero(new)
        first = first[np.argsort(-result.score[first], kind="stable")[:NEW_AT_ONCE]]
        rows = np.sort(np.concatenate((np.flatnonzero(turned), first, most)))
        self._score[rows], self._key[rows], self._at[rows] = result.score[rows], key[rows], now
        said = rows[(new | loud)[rows]]
        self._said[said] = result.score[said]
        for row in rows.tolist():
            yield _risk(registry, facts, result, colours, row, at), bool(loud[row])

    def _align(self, sources: Ints) -> None:
        if np.array_equal(sources, self._sources):
            return
        _, old, new = np.intersect1d(self._sources, sources, return_indices=True)
        score, key = np.full(len(sources), np.nan), np.full(len(sources), -1, np.int64)
        said, told = score.copy(), np.full(len(sources), NEVER, np.int64)
        score[new], said[new] = self._score[old], self._said[old]
        key[new], told[new] = self._key[old], self._at[old]
        self._sources, self._score, self._said = sources, score, said
        self._key, self._at = key, told


def _key(result: RiskResult, colours: ColourState) -> Ints:
    """int64[m]: one number for colour, sight, test mark and floors."""
    weights = len(Colour) ** np.arange(len(Floor), dtype=np.int64)
    floors = result.floors.astype(np.int64) @ weights
    flags = colours.colour.astype(np.int64) * 4 + colours.unknown * 2 + result.maybe_test
    key: Ints = floors * 16 + flags
    return key


def _risk(
    registry: Registry,
    facts: RiskFacts,
    result: RiskResult,
    colours: ColourState,
    row: int,
    at: datetime,
) -> SourceRisk:
    source = int(result.sources[row])
    floors = result.floors[row]
    return SourceRisk(
        source,
        registry.nodes[source].enterprise or 0,
        at,
        Colour(int(colours.colour[row])),
        bool(colours.unknown[row]),
        float(result.score[row]),
        bool(result.maybe_test[row]),
        tuple((Floor(int(f)), Colour(int(floors[f]))) for f in np.flatnonzero(floors)),
        tuple(_named(registry, reason) for reason in explain(result, facts, source)),
        result.version,
        held_by(result, facts, source),
    )


def _named(registry: Registry, reason: Reason) -> Reason:
    """A row about a tag says which."""
    if reason.tag is None or reason.note is None:
        return reason
    name = registry.tags[reason.tag].name
    return replace(reason, note=(f"{name} {reason.note[0]}", f"{name} {reason.note[1]}"))
