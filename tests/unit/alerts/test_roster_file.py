"""Rosters as iCalendar files: what calendars write becomes shifts, what is wrong has a line."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.roster_file import CalendarRoster, RosterFileError, read_roster
from domain.roster import Duty, Why, on_duty

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
PEOPLE = ("zhang", "li", "wang.wu")


def calendar(*events: str) -> str:
    inside = "".join(f"BEGIN:VEVENT\nUID:{n}\n{one}\nEND:VEVENT\n" for n, one in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//hazwatch//EN\n{inside}END:VCALENDAR\n"


def roster(*events: str, zone: ZoneInfo = SHANGHAI) -> CalendarRoster:
    return read_roster("week.ics", calendar(*events), PEOPLE, zone)


def people_at(one: CalendarRoster, when: str, zone: ZoneInfo = SHANGHAI) -> tuple[str, ...]:
    there = datetime.fromisoformat(when).replace(tzinfo=zone)
    return on_duty(Duty("PK", ("P1",), rosters=(one,)), there.astimezone(UTC)).persons


DAYS = "SUMMARY:zhang\nDTSTART:20260105T080000\nDTEND:20260105T200000\nRRULE:FREQ=DAILY"


def test_a_shift_without_a_zone_is_meant_in_that_of_the_site():
    one = roster(DAYS)
    assert people_at(one, "2026-11-22T07:59") == ()
    assert people_at(one, "2026-11-22T08:00") == ("zhang",)
    assert people_at(one, "2026-11-22T20:00") == ()


def test_an_exception_and_a_moved_shift_hold():
    holiday = "EXDATE:20261001T080000"
    swapped = DAYS.replace("zhang", "li").split("\nRRULE")[0]
    moved = swapped.replace("20260105", "20261002") + "\nRECURRENCE-ID:20261002T080000"
    text = calendar(f"{DAYS}\n{holiday}", moved).replace("UID:1", "UID:0")
    one = read_roster("week.ics", text, PEOPLE, SHANGHAI)
    assert people_at(one, "2026-10-01T09:00") == ()
    assert people_at(one, "2026-10-02T09:00") == ("li",)
    assert people_at(one, "2026-10-03T09:00") == ("zhang",)


def test_a_whole_day_begins_and_ends_at_the_site_s_midnight():
    one = roster("SUMMARY:li\nDTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261008")
    assert people_at(one, "2026-09-30T23:59") == ()
    assert people_at(one, "2026-10-01T00:00") == ("li",)
    assert people_at(one, "2026-10-07T23:59") == ("li",)
    assert people_at(one, "2026-10-08T00:00") == ()


@pytest.mark.parametrize(
    ("member", "people"),
    [
        ("SUMMARY:zhang", ("zhang",)),
        ("SUMMARY:夜班 wang.wu", ("wang.wu",)),
        ("SUMMARY:zhang、li", ("zhang", "li")),
        ("SUMMARY:zhang (day)\\, li (night)", ("zhang", "li")),
        ("SUMMARY:Day shift\nATTENDEE;CN=li:mailto:somebody@example.org", ("li",)),
        ("SUMMARY:Day shift\nATTENDEE:mailto:wang.wu@example.org", ("wang.wu",)),
        (
            "SUMMARY:x\nATTENDEE;CN=li:mailto:a@x.org\nATTENDEE;CN=zhang:mailto:b@x.org",
            ("li", "zhang"),
        ),
    ],
)
def test_summary_or_attendees_name_the_persons(member, people):
    assert set(people_at(roster(DAYS.replace("SUMMARY:zhang", member)), "2026-11-22T09:00")) == set(
        people
    )


@pytest.mark.parametrize("member", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_cancelled_and_free_events_are_no_shifts_and_may_name_nobody(member):
    assert people_at(roster(DAYS, f"{DAYS}\n{member}"), "2026-11-22T09:00") == ("zhang",)
    free = f"SUMMARY:National Day\nDTSTART;VALUE=DATE:20261001\n{member}"
    assert people_at(roster(DAYS, free), "2026-10-01T21:00") == ()


def test_a_file_from_a_calendar_program_with_crlf_folds_and_a_mark_is_read():
    folded = calendar(DAYS).replace("SUMMARY:zhang", "SUMMARY:zh\n ang").replace("\n", "\r\n")
    one = read_roster("week.ics", "\ufeff" + folded, PEOPLE, SHANGHAI)
    assert people_at(one, "2026-11-22T09:00") == ("zhang",)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("SUMMARY:zhang", "SUMMARY:zang", 6, "SUMMARY 'zang' names nobody known"),
        ("SUMMARY:zhang", "SUMMARY:zhang, lii", 6, "'lii' names nobody known"),
        ("SUMMARY:zhang", "DESCRIPTION:x", 4, "names nobody known"),
        ("DTSTART:2026", "DTSTART;TZID=Mars/Base:2026", 7, "DTSTART: no time zone 'Mars/Base'"),
        ("DTSTART:20260105T080000", "DTSTART:2026xx05", 7, "DTSTART: Wrong date"),
        ("DTEND:20260105T200000\n", "", 4, "ends no later than it begins"),
        ("DTEND:20260105", "DTEND:20260104", 8, "ends no later than it begins"),
        ("DTSTART:20260105T080000\n", "", 4, "an event without DTSTART"),
        ("FREQ=DAILY", "FREQ=MINUTELY", 9, "repeats within a day"),
        ("FREQ=DAILY", "FREQ=OFTEN", 9, "Expected frequency"),
        ("VERSION:2.0", "nonsense", 2, "nonsense"),
        ("END:VCALENDAR\n", "", None, "no components"),
        (calendar(DAYS), calendar(), None, "no event"),
        (calendar(DAYS), "", None, "week.ics"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_what_to_do(old, new, line, said):
    text = calendar(DAYS)
    assert old in text
    with pytest.raises(RosterFileError) as wrong:
        read_roster("week.ics", text.replace(old, new), PEOPLE, SHANGHAI)
    (trouble,) = wrong.value.troubles
    assert trouble.line == line
    assert said in str(wrong.value)
    assert trouble.todo


TURNS = [
    "SUMMARY:zhang\nDTSTART;TZID=Europe/Berlin:20260101T060000\n"
    "DTEND;TZID=Europe/Berlin:20260101T180000\nRRULE:FREQ=DAILY",
    "SUMMARY:li\nDTSTART;TZID=Europe/Berlin:20260101T180000\n"
    "DTEND;TZID=Europe/Berlin:20260102T060000\nRRULE:FREQ=DAILY",
]
ROUND = roster(*TURNS)


@settings(max_examples=200)
@given(
    st.one_of(
        st.integers(1, 364 * 24 * 60).map(lambda n: datetime(2026, 1, 2, tzinfo=UTC) + n * MINUTE),
        st.integers(-600, 600).map(lambda n: datetime(2026, 3, 29, 1, tzinfo=UTC) + n * MINUTE),
        st.integers(-600, 600).map(lambda n: datetime(2026, 10, 25, 1, tzinfo=UTC) + n * MINUTE),
    )
)
def test_shifts_round_the_clock_leave_no_gap_in_any_night_of_the_year(when):
    """By the wall clock of the roster, also when it is changed; whatever the zone of the site."""
    who = on_duty(Duty("PK", ("P1",), rosters=(ROUND,)), when)
    expected = "zhang" if 6 <= when.astimezone(BERLIN).hour < 18 else "li"
    assert (who.persons, who.why) == ((expected,), Why.ROSTER)


@given(st.text(alphabet="BEGIN:VCALDRUT\n\r ;=0123456789SUMYFQ", max_size=200), st.booleans())
def test_any_text_is_a_roster_or_refused(text, inside):
    whole = calendar(f"{DAYS}\n{text}") if inside else text
    try:
        one = read_roster("week.ics", whole, PEOPLE, SHANGHAI)
        one.shifts(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    except RosterFileError:
        return


GONE = "SUMMARY:lee\nDTSTART:20200106T080000\nDTEND:20200106T200000"


@pytest.mark.parametrize(
    ("event", "over"),
    [
        (GONE, True),
        (f"{GONE}\nRRULE:FREQ=DAILY;UNTIL=20200301T000000Z", True),
        (f"{GONE}\nRRULE:FREQ=DAILY;UNTIL=20261231T000000Z", False),
        (f"{GONE}\nRRULE:FREQ=DAILY", False),
        (f"{GONE}\nRDATE:20261231T080000", False),
        (GONE.replace("2020", "2027"), False),
    ],
)
def test_who_is_unknown_in_a_shift_that_is_over_is_a_doubt_and_else_a_fault(event, over):
    at, text = datetime(2026, 11, 22, tzinfo=UTC), calendar(DAYS, event)
    if not over:
        with pytest.raises(RosterFileError, match="'lee' names nobody known"):
            read_roster("week.ics", text, PEOPLE, SHANGHAI, at)
        return
    one = read_roster("week.ics", text, PEOPLE, SHANGHAI, at)
    assert [(doubt.line, "lee" in doubt.found) for doubt in one.doubts] == [(13, True)]
    assert people_at(one, "2026-11-22T09:00") == ("zhang",)
    with pytest.raises(RosterFileError):
        roster(DAYS, event)
