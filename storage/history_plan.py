"""Which rows answer for the past of a tag: samples, minutes or hours, and where one ends and the
next begins. Pure."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEAST_MINUTES, LEAST_HOURS = 0.25, 0.5
"""Roll-ups answer where they have at least this share of the points that were asked for."""

Span = tuple[datetime, datetime]
"""From and to; empty where it does not begin before it ends."""


@dataclass(frozen=True, slots=True)
class Reach:
    """hours: before it there are roll-ups. raw_from, minutes_from: before it samples, or roll-ups
    by minute, have been dropped."""

    hours: datetime
    raw_from: datetime
    minutes_from: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """Buckets of `width` from `origin` on, and the spans of each kind of rows that fill them.

    Together the spans are [from, to), but for edges of which only roll-ups are left: those are
    taken whole.
    """

    width: timedelta
    origin: datetime
    raw: Span
    minutes: Span
    hours: Span
    more_minutes: Span
    more_raw: Span

    def bounds(self) -> dict[str, datetime]:
        """As the statement wants them."""
        found: dict[str, datetime] = {}
        for field in fields(self)[2:]:
            begin, end = getattr(self, field.name)
            found |= {f"{field.name}_from": begin, f"{field.name}_to": end}
        return found


def unit_for(start: datetime, end: datetime, points: int, reach: Reach) -> timedelta | None:
    """The roll-up that answers for [start, end): `MINUTE`, `HOUR` or None for samples."""
    if start >= reach.hours:
        return None
    span = end - start
    if span >= LEAST_HOURS * points * HOUR or start < reach.minutes_from:
        return HOUR
    return MINUTE if span >= LEAST_MINUTES * points * MINUTE or start < reach.raw_from else None


def planned(
    start: datetime, end: datetime, points: int, reach: Reach, unit: timedelta | None
) -> Plan:
    """Buckets of [start, end), at most `points`."""
    if unit is None:
        none = (end, end)
        width = bucket_width(start, end, points)
        return Plan(width, start, (start, end), none, none, none, none)
    origin = _down(start, unit)
    rolled = min(end, reach.hours)
    first, last = _within(start, rolled, MINUTE, reach.raw_from)
    hours = _within(first, last, HOUR, reach.minutes_from) if unit == HOUR else (last, last)
    return Plan(
        _multiple(end - origin, points, unit),
        origin,
        (start, min(first, end)),
        (first, hours[0]),
        hours,
        (hours[1], last),
        (max(last, start), end),
    )


def _within(start: datetime, end: datetime, unit: timedelta, kept: datetime) -> Span:
    """Whole units inside of [start, end). An edge before `kept`, where nothing finer is left, goes
    outwards instead."""
    begin = _up(start, unit) if start >= kept else _down(start, unit)
    until = _down(end, unit) if end >= kept else _up(end, unit)
    return (begin, until) if begin < until else (max(start, end), max(start, end))


def bucket_width(start: datetime, end: datetime, points: int) -> timedelta:
    """The smallest width in whole microseconds with at most `points` buckets in [start, end)."""
    return _multiple(end - start, points, timedelta(microseconds=1))


def _multiple(span: timedelta, points: int, unit: timedelta) -> timedelta:
    """The smallest multiple of the unit of which `points` cover the span."""
    return -(-span // (points * unit)) * unit


def _down(moment: datetime, unit: timedelta) -> datetime:
    return moment - (moment.astimezone(UTC) - datetime(2000, 1, 1, tzinfo=UTC)) % unit


def _up(moment: datetime, unit: timedelta) -> datetime:
    return _down(moment + unit - timedelta(microseconds=1), unit)
