"""What a session makes of messages, for intake."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.instant import moment, rfc3339
from domain.quality import Quality
from ingest.message import Message, RejectedValue
from ingest.rejection import Rejection
from ingest.tolerant import MAX_REJECTED


@dataclass(frozen=True, slots=True)
class Row:
    """One reading. time: microseconds. quality: see `domain.quality`."""

    tag: str
    time: int
    value: float
    quality: int
    unit: str | None = None


@dataclass(slots=True)
class Readings:
    """What is taken of the metrics of a message, and what is not; odd: what was not heeded, of
    which the first is told. Grows in place."""

    live: list[Row] = field(default_factory=list)
    historical: list[Row] = field(default_factory=list)
    rejected: list[RejectedValue] = field(default_factory=list)
    odd: list[Rejection] = field(default_factory=list)


def message(
    rows: Iterable[Row],
    sent: int | None,
    size: int = 0,
    rejected: Sequence[RejectedValue] = (),
    odd: Sequence[Rejection] = (),
    *,
    historical: bool = False,
) -> Message:
    """The message that intake stores; sent: microseconds by the edge node's clock."""
    rows = sorted(rows, key=lambda row: row.time)
    value = np.array([row.value for row in rows], np.float64)
    quality = np.array([row.quality for row in rows], np.int16)
    quality[np.isnan(value) & (quality >= Quality.UNCERTAIN)] = Quality.BAD
    return Message(
        None,
        None,
        None,
        sent,
        historical,
        tuple(row.tag for row in rows),
        np.array([row.time for row in rows], np.int64),
        value,
        quality,
        {n: row.unit for n, row in enumerate(rows) if row.unit is not None},
        steady=len({(row.tag, row.time) for row in rows}) == len(rows),
        rejected=tuple(rejected[:MAX_REJECTED]),
        more_rejected=max(0, len(rejected) - MAX_REJECTED),
        odd=tuple(odd[:1]),
        size=size,
    )


def written(time: int | None) -> str | None:
    """An instant as a rejected value shows it; None where there is none that can be written."""
    return None if time is None else rfc3339(moment(time))
