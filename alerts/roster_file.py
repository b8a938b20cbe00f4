"""Rosters 值班表 as iCalendar files (RFC 5545): events become shifts.

An event is a shift of those whom its ATTENDEEs name (CN, address, or the part of it before the @),
or, where it has none, its SUMMARY: person codes with , ; 、 or / between them, each with whatever
words beside it. Cancelled and transparent (free) events are none. Times without a zone are those of
the site. A shift that repeats keeps to the wall clock of its zone: 22:00 to 06:00 also in the night
in which that is seven hours or nine.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from alerts.ics_lines import Place, places
from alerts.trouble import Trouble, told
from domain.roster import DAY, RosterError, Shift

TOO_OFTEN = {"SECONDLY", "MINUTELY", "HOURLY"}
KEPT_DAYS = 400
"""Days whose shifts are kept, to be found again at once."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
BETWEEN = re.compile(r"[,;/、，；]")
ZONE_TODO = "use a name such as Asia/Shanghai, or give the file a VTIMEZONE of that name"


class RosterFileError(RosterError):
    """A roster file can't be used; `troubles` says why, line by line."""

    def __init__(self, name: str, troubles: list[Trouble]) -> None:
        super().__init__(told(name, troubles))
        self.troubles = troubles


class CalendarRoster:
    """The shifts of one file. Use `read_roster`. doubts: names that nobody has, in shifts that are
    over."""

    def __init__(
        self,
        name: str,
        calendar: Calendar,
        people: Collection[str],
        zone: ZoneInfo,
        doubts: Sequence[Trouble] = (),
    ) -> None:
        self.name = name
        self.doubts = tuple(doubts)
        self._events = recurring_ical_events.of(calendar)
        self._people = frozenset(people)
        self._zone = zone
        self._days: dict[int, tuple[Shift, ...]] = {}

    def shifts(self, begin: datetime, end: datetime) -> list[Shift]:
        """See `domain.roster.Roster`."""
        first, last = (begin - EPOCH) // DAY, (end - EPOCH - timedelta.resolution) // DAY
        found = {shift for day in range(first, last + 1) for shift in self._of_day(day)}
        here = (shift for shift in found if shift.begin < end and shift.end > begin)
        return sorted(here, key=lambda shift: (shift.begin, shift.end, shift.person))

    def _of_day(self, day: int) -> tuple[Shift, ...]:
        """Shifts that overlap a UTC day, and perhaps others near it."""
        if day not in self._days:
            if len(self._days) >= KEPT_DAYS:
                self._days.clear()
            # the library takes times without a zone for UTC here: look half a day further, and more
            near = EPOCH + (day - 1) * DAY, EPOCH + (day + 2) * DAY
            try:
                self._days[day] = tuple(
                    shift for event in self._events.between(*near) for shift in self._made(event)
                )
            except Exception as wrong:  # whatever a calendar makes of the library
                raise RosterError(f"{self.name}: {type(wrong).__name__}: {wrong}") from wrong
        return self._days[day]

    def _made(self, event: Event) -> Iterator[Shift]:
        if is_shift(event):
            begin, end = instant(event.start, self._zone), instant(event.end, self._zone)
            for person in named(event, self._people)[0]:
                yield Shift(person, begin, end)


def read_roster(
    name: str, text: str, people: Collection[str], zone: ZoneInfo, at: datetime | None = None
) -> CalendarRoster:
    """The roster in a file's text. people: known codes; zone: of times without one; at: who has a
    shift that ended before it may be forgotten, None = nobody may. Raises `RosterFileError` with
    everything that is wrong."""
    text = text.removeprefix("\ufeff")
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError) as wrong:
        raise RosterFileError(name, [_unreadable(text, str(wrong))]) from wrong
    events = [event for event in calendar.walk("VEVENT") if isinstance(event, Event)]
    troubles: list[Trouble] = []
    doubts: list[Trouble] = []
    for event, place in zip(events, places(text), strict=False):
        wrong_here = list(_troubles(event, place, zone))
        troubles += wrong_here
        over = not wrong_here and at is not None and _over(event, zone, at)
        (doubts if over else troubles).extend(_strangers(event, place, people))
    if not events:
        troubles = [Trouble(None, "no event (VEVENT)", "export the calendar with its events")]
    if troubles:
        raise RosterFileError(name, troubles)
    return _tried(CalendarRoster(name, calendar, people, zone, doubts), events, zone)


def is_shift(event: Event) -> bool:
    """Whether an event counts: neither cancelled nor free time."""
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    return not cancelled and str(event.get("TRANSP", "")).upper() != "TRANSPARENT"


def named(event: Event, people: Collection[str]) -> tuple[list[str], list[str]]:
    """The codes of the persons that an event names, and what names nobody known."""
    attendees = event.get("ATTENDEE", [])
    if attendees:
        listed = attendees if isinstance(attendees, list) else [attendees]
        parts = [_names_of(attendee) for attendee in listed]
    else:
        said = [part.strip() for part in BETWEEN.split(str(event.get("SUMMARY", "")))]
        parts = [[part, *part.split()] for part in said if part] or [[""]]
    codes = [[name for name in part if name in people] for part in parts]
    strange = [part[0] for part, known in zip(parts, codes, strict=True) if not known]
    return list(dict.fromkeys(code for known in codes for code in known)), strange


def instant(when: date, zone: ZoneInfo) -> datetime:
    """A date (its midnight) or a time of a calendar as an instant in UTC."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def _names_of(attendee: object) -> list[str]:
    address = re.sub(r"^mailto:", "", str(attendee), flags=re.IGNORECASE)
    common = str(getattr(attendee, "params", {}).get("CN", "")).strip()
    return [*([common] if common else []), address, address.partition("@")[0]]


def _unreadable(text: str, said: str) -> Trouble:
    """The first line that the message of the library quotes, if any."""
    quoted = re.search(r"'(.+)'", said)
    lines = text.splitlines()
    near = (n for n, line in enumerate(lines, 1) if quoted and line and line in quoted[1])
    return Trouble(next(near, None), said.splitlines()[0][:200], "mend it, or export it again")


def _troubles(event: Event, place: Place, zone: ZoneInfo) -> Iterator[Trouble]:
    if event.errors:
        for member, said in event.errors:
            found = f"{member or 'a line'}: {said}"
            yield Trouble(place.of(member), found, "mend the line (RFC 5545)")
        return
    if not is_shift(event):
        return
    yield from _times(event, place, zone)
    if str(event.get("RRULE", {}).get("FREQ", [""])[0]).upper() in TOO_OFTEN:
        todo = "let it repeat DAILY, WEEKLY, MONTHLY or YEARLY"
        yield Trouble(place.of("RRULE"), "repeats within a day", todo)


def _strangers(event: Event, place: Place, people: Collection[str]) -> Iterator[Trouble]:
    if event.errors or not is_shift(event):
        return
    for name in named(event, people)[1]:
        member = "ATTENDEE" if "ATTENDEE" in event else "SUMMARY"
        known = ", ".join(sorted(people)[:20]) or "nobody yet"
        todo = f"name a [[person]] of the contact file: {known}; or mark the event as free time"
        yield Trouble(place.of(member), f"{member} {name!r} names nobody known", todo)


def _over(event: Event, zone: ZoneInfo, at: datetime) -> bool:
    """Whether none of an event's shifts ends after `at`, as far as it says so: one that repeats
    does by UNTIL alone."""
    if "RDATE" in event:
        return False
    length = instant(event.end, zone) - instant(event.start, zone)
    if "RRULE" not in event:
        return instant(event.start, zone) + length <= at
    until = event.get("RRULE", {}).get("UNTIL", [None])[0]
    # The last day counts whole, in whatever zone it is meant.
    return until is not None and instant(until, zone) + length + DAY <= at


def _times(event: Event, place: Place, zone: ZoneInfo) -> Iterator[Trouble]:
    if "DTSTART" not in event:
        yield Trouble(place.line, "an event without DTSTART", "say when it begins")
        return
    for member in TIMES:
        values = event.get(member, [])
        for value in values if isinstance(values, list) else [values]:
            code = value.params.get("TZID")
            moments = [value.dt] if hasattr(value, "dt") else [one.dt for one in value.dts]
            if code and any(isinstance(m, datetime) and m.tzinfo is None for m in moments):
                yield Trouble(place.of(member), f"{member}: no time zone {code!r}", ZONE_TODO)
    try:
        ends = instant(event.end, zone) > instant(event.start, zone)
    except (ValueError, TypeError) as wrong:
        yield Trouble(place.of("DTEND"), f"no end: {wrong}", "say when it ends: DTEND or DURATION")
        return
    if not ends:
        yield Trouble(place.of("DTEND"), "ends no later than it begins", "mend DTEND or DURATION")


def _tried(roster: CalendarRoster, events: list[Event], zone: ZoneInfo) -> CalendarRoster:
    """The roster, once its events have shown that they can be unfolded."""
    try:
        for event in events:
            if "RRULE" not in event and "RDATE" not in event:
                continue
            begin = instant(event.start, zone)
            roster.shifts(begin, begin + DAY)
    except RosterError as wrong:
        todo = "look at RRULE, RDATE, EXDATE and UNTIL of the events"
        raise RosterFileError(roster.name, [Trouble(None, str(wrong), todo)]) from wrong
    return roster
