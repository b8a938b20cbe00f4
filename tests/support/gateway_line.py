"""A gateway's line into `Intake`: tests say messages at seconds after `START`, it keeps batches."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from domain.frame import Flag
from domain.instant import SECOND, micros, moment, rfc3339
from domain.plant import Gateway, Registry
from ingest.batch import Batch, Raw
from ingest.intake import Intake
from tests.support.builders import ENTERPRISE, START, registry, tag

ZERO = micros(START)
DATA = "hw/v1/P1/E1/G1/data"
TAGS = tuple(tag(id, f"T{id}", unit="m", range=(0.0, 100.0)) for id in range(1, 6))


def us(seconds: float) -> int:
    """The instant that many seconds after `START`, in microseconds."""
    return ZERO + round(seconds * SECOND)


def written(seconds: float) -> str:
    """The same, as the wire writes it."""
    return rfc3339(moment(us(seconds)))


def plant() -> Registry:
    """Gateways G1 and G2 of one enterprise, tags T1 to T5 with ids 1 to 5, in m, from 0 to 100."""
    return registry(*TAGS, gateways=[Gateway(2, ENTERPRISE, "P1", "E1", "G2")])


def body(
    *samples: tuple[float, Mapping[str, Any]],
    seq: int | None = None,
    boot: str | None = "b",
    sent: float | None = None,
    **more: object,
) -> bytes:
    """A payload. Times in seconds after `START`; boot is told only with a seq."""
    told: dict[str, object] = dict(more)
    if seq is not None:
        told |= {"boot": boot, "seq": seq}
    if sent is not None:
        told["sent"] = written(sent)
    told["samples"] = [{"time": written(time), "values": values} for time, values in samples]
    return json.dumps(told).encode()


def raw(payload: bytes, topic: str = DATA, **more: Any) -> Raw:
    """A message with its payload's handle."""
    return Raw(topic, payload, **more)


class Line:
    """An intake with a clock that a test sets."""

    def __init__(self, intake: Intake | None = None) -> None:
        self.intake = intake or Intake(plant())
        self.batches: list[Batch] = []
        self._seq = count()
        self._stamp = 0

    def take(
        self, received: float, *messages: Raw, absent_since: float | None = None
    ) -> list[Batch]:
        """Hand over messages at that time."""
        if absent_since is not None:
            messages = tuple(replace(one, absent_since=us(absent_since)) for one in messages)
        self._stamp = max(us(received) - 1, self._stamp)
        batches = list(self.intake.take(messages, self._next_stamp))
        self.batches += batches
        return batches

    def say(
        self,
        received: float,
        *samples: tuple[float, Mapping[str, Any]],
        absent_since: float | None = None,
        numbered: bool = True,
        **head: Any,
    ) -> Batch:
        """One message of G1, with the next seq unless told otherwise; its (last) batch."""
        if numbered:
            head.setdefault("seq", next(self._seq))
        message = raw(body(*samples, **head))
        return self.take(received, message, absent_since=absent_since)[-1]

    def total(self, name: str, gateway: int | None = None) -> int:
        """The sum of a count over all batches so far."""
        return sum(
            getattr(counted, name)
            for batch in self.batches
            for of, counted in batch.counts.items()
            if gateway in (None, of)
        )

    def _next_stamp(self) -> int:
        self._stamp += 1
        return self._stamp


Row = tuple[int, float, float, float, Flag]


def rows(*batches: Batch) -> list[Row]:
    """(tag, stored, evaluated, value, flags) of every sample; times in seconds after `START`."""
    return [row for batch in batches for row in _rows(batch)]


def _rows(batch: Batch) -> Iterable[Row]:
    frame = batch.frame
    for n in range(len(frame)):
        yield (
            int(frame.tag[n]),
            (int(frame.time[n]) - ZERO) / SECOND,
            (int(frame.at[n]) - ZERO) / SECOND,
            float(frame.value[n]),
            Flag(int(frame.flags[n])),
        )


def flags(batch: Batch) -> list[Flag]:
    """The flags of every sample."""
    return [Flag(int(one)) for one in batch.frame.flags]


def same_samples(some: Iterable[Batch], others: Iterable[Batch]) -> bool:
    """Whether batches hold the same samples, however they are cut and ordered."""
    return _sorted(some) == _sorted(others)


def _sorted(batches: Iterable[Batch]) -> list[str]:
    found: list[tuple[object, ...]] = []
    for batch in batches:
        frame = batch.frame
        columns = (frame.tag, frame.time, frame.value, frame.quality, frame.flags)
        found += list(zip(*(column.tolist() for column in columns), strict=True))
    return sorted(repr(row) for row in found)


def judged_rises(batches: Iterable[Batch]) -> bool:
    """Whether every tag's judged samples are evaluated at times that rise."""
    last: dict[int, int] = {}
    for batch in batches:
        live = batch.frame.judged()
        for tag_id, at in zip(live.tag.tolist(), live.at.tolist(), strict=True):
            if at <= last.get(tag_id, at - 1):
                return False
            last[tag_id] = at
    return True


def frames_are_sorted(batches: Iterable[Batch]) -> bool:
    """Whether each frame is sorted by tag."""
    return all((np.diff(batch.frame.tag) >= 0).all() for batch in batches)
