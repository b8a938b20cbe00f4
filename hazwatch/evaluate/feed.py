"""`Feed`: a recorded table as arrays, read as its replay map says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Frame, Ints
from domain.instant import SECOND, micros
from domain.replay_map import ReplayMap
from hazwatch.commands.replaying import recorded_rows
from ingest.spans import Spans
from simulators.recording import RecordingError, Unreadable, columns

BATCH_US = 5 * SECOND
"""Rows closer together than this come in one frame, as a gateway would send them."""
FIRST = 1000
"""Readings from which the interval of a tag is taken, where the map does not say it."""
TOLD = 5
"""Unreadable rows that are told one by one."""

Progress = Callable[[int, int], None]
"""(done, of)"""


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """at: int64[n], rising, microseconds since 1970 UTC. values: float64[n, p] of the tags `names`,
    NaN = none. plan: the map without what the table lacks, with every interval known. notes: what
    was left out, and what was assumed, in sentences."""

    plan: ReplayMap
    at: Ints
    values: Floats
    names: tuple[str, ...]
    notes: tuple[str, ...]

    def column(self, name: str) -> tuple[Ints, Floats]:
        """Times and readings of one tag, only where it has any."""
        value = self.values[:, self.names.index(name)]
        there = ~np.isnan(value)
        return self.at[there], value[there]

    def before(self, until: int) -> "Feed":
        """The rows before an instant."""
        rows = self.at < until
        return Feed(self.plan, self.at[rows], self.values[rows], self.names, self.notes)


def read_feed(file: Path, plan: ReplayMap, limit: int | None = None) -> Feed:
    """The whole table. Raises `RecordingError` where nothing of it can be used."""
    plan, notes = _with_present_columns(file, plan)
    names = tuple(tag.name for tag in plan.tags.values())
    place = {name: n for n, name in enumerate(names)}
    times: list[int] = []
    lines: list[Floats] = []
    bad: list[str] = []
    spoilt = 0
    for row in recorded_rows(file, plan, limit):
        if isinstance(row, Unreadable):
            bad.append(f"row {row.number}: {row.reason}")
            continue
        line = np.full(len(names), np.nan)
        for name, value in row.values.items():
            line[place[name]] = float(value)
        times.append(micros(row.at))
        lines.append(line)
        spoilt += len(row.spoilt)
    if not times:
        raise RecordingError("has no row that can be read" + "".join(f"; {b}" for b in bad[:1]))
    notes += [f"left out: {text}" for text in bad[:TOLD]]
    if len(bad) > TOLD:
        notes.append(f"left out: {len(bad) - TOLD} more unreadable rows")
    if spoilt:
        notes.append(f"{spoilt} cells are no readings and count as empty")
    return _arranged(plan, np.array(times, np.int64), np.array(lines), names, notes)


def _arranged(
    plan: ReplayMap, at: Ints, values: Floats, names: tuple[str, ...], notes: list[str]
) -> Feed:
    back = int((np.diff(at) < 0).sum())
    if back:
        order = np.argsort(at, kind="stable")
        at, values = at[order], values[order]
        notes.append(f"{back} rows were older than the row before; all were put in order of time")
    feed = Feed(plan, at, values, names, ())
    known = {}
    for key, tag in plan.tags.items():
        if "interval_s" not in tag.model_fields_set:
            tag = tag.model_copy(update={"interval_s": _interval_s(feed, tag.name)})
        known[key] = tag
    return Feed(plan.model_copy(update={"tags": known}), at, values, names, tuple(notes))


def _interval_s(feed: Feed, name: str) -> float:
    """Median time between the first readings, as somebody would have written it beforehand."""
    steps = np.diff(feed.column(name)[0][:FIRST])
    steps = steps[steps > 0]
    return max(float(np.median(steps)) / SECOND, 0.001) if len(steps) else 30.0


def _with_present_columns(file: Path, plan: ReplayMap) -> tuple[ReplayMap, list[str]]:
    """The map without columns that the table lacks, and without them in its groups."""
    with file.open(encoding=_encoding(plan), newline="", errors="replace") as lines:
        there = columns(lines, plan)
    tags = {key: tag for key, tag in plan.tags.items() if key in there}
    if not tags:
        raise RecordingError(
            f"none of the map's columns is in the table; it has: {', '.join(sorted(there)[:20])}"
        )
    lost = [key for key in plan.tags if key not in there]
    if not lost:
        return plan, []
    names = {tag.name for tag in tags.values()}
    groups = {}
    for code, group in plan.groups.items():
        members = tuple(name for name in group.members if name in names)
        if members:
            groups[code] = group.model_copy(update={"members": members})
    notes = [f"the table has no column {key!r}: tag left out" for key in lost]
    return plan.model_copy(update={"tags": tags, "groups": groups}), notes


def _encoding(plan: ReplayMap) -> str:
    return "utf-8-sig" if plan.encoding == "utf-8" else plan.encoding


def frames(feed: Feed, ids: NDArray[np.int32], spans: Spans) -> Iterator[Frame]:
    """The feed as frames, each received with its last row. ids: by column."""
    begin, received = 0, -(2**62)
    n = len(feed.at)
    while begin < n:
        end = begin + int(np.searchsorted(feed.at[begin:], feed.at[begin] + BATCH_US))
        part = feed.values[begin:end]
        row, column = np.nonzero(~np.isnan(part))
        received = max(int(feed.at[end - 1]), received + 1)
        tag, value = ids[column], part[row, column]
        quality = spans.judged(tag, value, np.full(len(tag), 192, np.int16))
        yield Frame.of(tag, feed.at[begin:end][row], value, received=received, quality=quality)
        begin = end


def shifted(feed: Feed, by: timedelta) -> Feed:
    """The same feed at another time."""
    at = feed.at + round(by.total_seconds() * SECOND)
    return Feed(feed.plan, at, feed.values, feed.names, feed.notes)
