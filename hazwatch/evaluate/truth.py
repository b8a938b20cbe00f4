"""The truth file: what really happened while a table was recorded."""

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.explain import suggestion
from domain.instant import micros
from domain.replay_map import ReplayMap
from hazwatch.evaluate.feed import Feed
from hazwatch.evaluate.score import Event

COLUMNS = ("event", "start", "end", "tag", "kind")
LIMITS = ("LL", "L", "H", "HH")


class TruthError(ValueError):
    """The truth file cannot be used; the text names the line and what is allowed."""


def read_truth(file: Path, feed: Feed, given: ReplayMap) -> tuple[tuple[Event, ...], list[str]]:
    """The events by start, and notes on what was left out. given: the map as it was written, so
    that events of tags which the table lacks can be told from slips of the pen.

    A crossing without end lasts until its tag is back, anything else without end until the table
    does. Raises `TruthError`.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, skipinitialspace=True)
        names = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        lost = [name for name in COLUMNS[:2] if name not in names]
        if lost:
            raise TruthError(
                f"{file}: no column {', '.join(lost)}; a truth file begins with: "
                f"{','.join(COLUMNS)}"
            )
        rows = [(reader.line_num, row) for row in reader]
    events: list[Event] = []
    notes: list[str] = []
    for line, row in rows:
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if not any(cells.values()):
            continue
        try:
            event = _event(cells, feed, given)
        except ValueError as error:
            raise TruthError(f"{file}:{line}: {error}") from None
        if isinstance(event, str):
            notes.append(f"{file.name}:{line}: {event}")
        else:
            events.append(event)
    if not events:
        raise TruthError(f"{file}: holds no event that the table could show")
    return tuple(sorted(events, key=lambda event: event.start)), notes


def _event(cells: dict[str, str], feed: Feed, given: ReplayMap) -> Event | str:
    """The event of a line, or why it is left out."""
    tag, kind = cells["tag"] or "*", cells["kind"] or "fault"
    start = _instant(cells["start"], "start", feed.plan)
    known = {*feed.names, *feed.plan.groups}
    written = {*(entry.name for entry in given.tags.values()), *given.groups}
    if tag != "*" and tag not in known:
        if tag in written:
            return f"left out: the table has nothing of {tag!r}"
        hint = suggestion(tag, sorted(known))
        raise ValueError(f"tag {tag!r} is neither a tag nor a group of the map{hint}; or write *")
    _check_kind(kind)
    name = cells["event"] or f"{tag} {cells['start']}"
    if start > int(feed.at[-1]) or start < int(feed.at[0]):
        return f"left out: event {name!r} begins outside of the table's time"
    if cells["end"]:
        end = _instant(cells["end"], "end", feed.plan)
        if end < start:
            raise ValueError(f"event {name!r} ends before it begins")
    elif kind.startswith("crossing"):
        end = _back(feed, tag, kind.partition(":")[2] or "H", start)
    else:
        end = int(feed.at[-1])
    return Event(name, start, end, tag, kind)


def _check_kind(kind: str) -> None:
    if kind.startswith("crossing"):
        limit = kind.partition(":")[2] or "H"
        if limit not in LIMITS:
            raise ValueError(f"kind {kind!r}: allowed are crossing:LL, :L, :H, :HH")


def _instant(text: str, column: str, plan: ReplayMap) -> int:
    """ISO 8601; without offset in the map's time zone, else UTC."""
    if not text:
        raise ValueError(f"{column} is empty; allowed: a time such as 2022-05-10T14:00:00Z")
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{column} {text!r} is no time; allowed: such as 2022-05-10T14:00:00Z"
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(plan.time.timezone or "UTC"))
    return micros(when)


def _back(feed: Feed, tag: str, limit: str, start: int) -> int:
    """When the readings of a tag are back within its limit; at once where none is known."""
    entry = next((one for one in feed.plan.tags.values() if one.name == tag), None)
    bound = getattr(entry.limits, limit) if entry else None
    if bound is None:
        return start
    at, value = feed.column(tag)
    inside = value < bound if limit in ("H", "HH") else value > bound
    later = at[(at > start) & inside]
    return int(later[0]) if len(later) else int(feed.at[-1])


def names_of(events: Sequence[Event]) -> list[str]:
    """Tags and groups that the events are of, in their order, once each."""
    return list(dict.fromkeys(event.tag for event in events))
