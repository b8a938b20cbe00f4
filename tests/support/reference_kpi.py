"""Journals of alarms for KPI tests, and slow references."""

from collections.abc import Sequence

import numpy as np

from domain.instant import SECOND, micros
from domain.kpi_journal import Journal, What
from tests.support.builders import START

Row = tuple[float, int, int, int, What]
"""Seconds after the start, occurrence, subject, priority, what it was."""

HEARD = What.ANNUNCIATED | What.ACTIVATED
BACK = What.RETURNED
ACK = What.ACKNOWLEDGED
DONE = What.CLOSED


def us(seconds: float) -> int:
    """Microseconds of an instant that many seconds after the start."""
    return micros(START) + round(seconds * SECOND)


def journal(*rows: Row) -> Journal:
    """A journal of rows, put in time order."""
    ordered = sorted(rows, key=lambda row: row[0])
    return Journal(
        np.array([us(row[0]) for row in ordered], np.int64),
        np.array([row[1] for row in ordered], np.int32),
        np.array([row[2] for row in ordered], np.int32),
        np.array([row[3] for row in ordered], np.int8),
        np.array([int(row[4]) for row in ordered], np.int16),
    )


def story(*spans: tuple[float, float | None, float | None], priority: int = 3) -> Sequence[Row]:
    """Rows of occurrences (begin, acknowledged, end) of one subject, each closed when both are
    done."""
    rows: list[Row] = []
    for number, (begin, acknowledged, end) in enumerate(spans):
        rows.append((begin, number, 0, priority, HEARD))
        last = [when for when in (acknowledged, end) if when is not None]
        for when, what in ((acknowledged, ACK), (end, BACK)):
            if when is not None:
                over = len(last) == 2 and when == max(last)
                rows.append((when, number, 0, priority, what | DONE if over else what))
    return rows
