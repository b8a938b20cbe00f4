"""What a duty desk above the enterprise hears: the warnings that it was really told of. Pure.

Its "alarms" are notices: one for each instant at which its level was told of a case and a notice
arrived. The colour takes the place of the priority: red P1, orange P2, yellow P3. The alarm is the
source; acknowledging is the 签收 of this level, closing that of the case.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np

from domain.cases import Level
from domain.instant import micros
from domain.kpi_cases import Asked, CaseStep
from domain.kpi_journal import Journal, What
from domain.risk import Colour

PRIORITY = {Colour.RED: 1, Colour.ORANGE: 2, Colour.YELLOW: 3, Colour.BLUE: 4}


def desk_journal(
    received: Iterable[Asked], steps: Sequence[CaseStep], sources: Mapping[UUID, int], level: Level
) -> Journal:
    """The journal of a desk. received: notices that arrived; sources: by case."""
    number = {case: place for place, case in enumerate(sources)}
    colour = {(step.case, step.n): step.colour for step in steps if step.what == "rise"}
    rows: list[tuple[int, UUID, Colour, What]] = []
    for told in received:
        if told.level is level and told.case in number:
            what = What.ANNUNCIATED | What.ACTIVATED
            rows.append(
                (micros(told.at), told.case, colour.get((told.case, told.n), Colour.BLUE), what)
            )
    for step in steps:
        signed = step.what == "receive" and step.level is level
        if signed or step.what == "close":
            what = What.ACKNOWLEDGED if signed else What.CLOSED
            rows.append((micros(step.at), step.case, step.colour, what))
    rows.sort(key=lambda row: row[0])
    return Journal(
        np.array([at for at, *_ in rows], np.int64),
        np.array([number[case] for _, case, *_ in rows], np.int32),
        np.array([sources[case] for _, case, *_ in rows], np.int32),
        np.array([PRIORITY[colour] for *_, colour, _ in rows], np.int8),
        np.array([int(what) for *_, what in rows], np.int16),
    )
