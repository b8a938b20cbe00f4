"""`Standing`: what one assessment says of each source, put by source once, as it is asked for
thousands of open cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from domain.risk import RiskFacts, RiskResult
from domain.risk_facts import AlarmClass
from rules.risk import ColourState

BEHIND = 100
"""Occurrences that are named behind a colour, the longest open first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """row: of a source's id; behind: the occurrences that bring points to a row, or hold a floor of
    it, at most `BEHIND`; gas_l2: rows where one of these is gas at its second level."""

    row: Mapping[int, int]
    behind: Mapping[int, tuple[UUID, ...]]
    gas_l2: frozenset[int]

    @classmethod
    def of(
        cls, facts: RiskFacts, result: RiskResult, before: "Standing | None" = None
    ) -> "Standing":
        """The same as asking the arrays for each source. before: of the same sources."""
        alarms = facts.alarms
        counts = np.flatnonzero((result.share > 0) | (result.holds != 0))
        behind: dict[int, list[UUID]] = {}
        for row, k in zip(alarms.source[counts].tolist(), counts.tolist(), strict=True):
            named = behind.setdefault(row, [])
            if len(named) < BEHIND:
                named.append(alarms.ids[k])
        gas = counts[alarms.alarm_class[counts] == AlarmClass.GAS_L2]
        return cls(
            before.row
            if before is not None
            else {source: row for row, source in enumerate(result.sources.tolist())},
            {row: tuple(ids) for row, ids in behind.items()},
            frozenset(alarms.source[gas].tolist()),
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """Colour and unknown of each row, as Python has them."""

    colour: list[int]
    unknown: list[bool]

    @classmethod
    def of(cls, colours: ColourState) -> "Shown":
        """The same as asking the arrays for each row."""
        return cls(colours.colour.tolist(), colours.unknown.tolist())
