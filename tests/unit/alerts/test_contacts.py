"""The contact file: who holds which role where, by which address, person or roster."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from alerts.contacts import Book, ContactsError, place
from alerts.people import Contact, Directory, Holders, Recipient, holders
from alerts.person_file import read_contacts
from domain.escalation import default
from domain.plant import Registry
from domain.roster import Why
from tests.support.builders import ENTERPRISE, PARK, SOURCE, START, registry

SHANGHAI = ZoneInfo("Asia/Shanghai")

GOOD = """
[[contact]]
role = "PK"
node = "P1"
channel = "webhook"
address = "https://example.com/park"

[[contact]]
role = "OP"
node = "P1/E1"
channel = "mqtt"
address = "hw/v1/events/P1/E1/notice/OP"

[[contact]]
role = "SM"
node = "S1"
channel = "log"
address = "shift"
"""

PEOPLE = """
[[person]]
code = "zhang"
name = "张伟"
channels = [
  { channel = "mqtt", address = "hw/v1/events/P1/notice/zhang" },
  { channel = "webhook", address = "https://example.com/zhang" },
]
quiet = { from = "22:00", to = "06:00" }

[[person]]
code = "li"
name = "Li Na"
language = "en"
channels = [{ channel = "apprise", address = "wecombot://0123456789" }]

[[duty]]
role = "PK"
node = "P1"
rosters = ["holidays.ics", "week.ics"]
fallback = "li"

[[duty]]
role = "HD-main"
node = "E1"
persons = ["li", "zhang"]
"""
SHIFT = """BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:zhang
DTSTART:20261121T080000
DTEND:20261121T180000
END:VEVENT
END:VCALENDAR
"""
FILES = {"week.ics": SHIFT, "holidays.ics": SHIFT.replace("2026", "2030")}


def read(text: str, files: dict[str, str] | None = None) -> Book:
    return read_contacts(text, default(), SHANGHAI, (FILES if files is None else files).__getitem__)


def directory(text: str, plant: Registry | None = None) -> Directory:
    return place(read(text), plant or registry())[0]


def told(text: str, role: str, node: int, hour: int = 9) -> Holders:
    when = datetime(2026, 11, 21, hour, tzinfo=SHANGHAI).astimezone(UTC)
    return holders(directory(text), registry(), role, node, when)


def codes(found: Holders) -> list[str | None]:
    return [one.person.code if one.person else None for one in found.recipients]


def test_roles_are_held_for_a_node_and_all_below_it():
    contacts, lost = place(read(GOOD), registry())
    assert lost == ()
    assert contacts.contacts == {
        ("PK", PARK): [Contact("webhook", "https://example.com/park")],
        ("OP", ENTERPRISE): [Contact("mqtt", "hw/v1/events/P1/E1/notice/OP")],
        ("SM", SOURCE): [Contact("log", "shift")],
    }
    park = Recipient((Contact("webhook", "https://example.com/park"),))
    assert holders(contacts, registry(), "PK", SOURCE, START) == Holders((park,))
    assert holders(contacts, registry(), "OP", PARK, START) == Holders(())
    assert holders(contacts.contacts, registry(), "PK", SOURCE, START) == Holders((park,))


def test_an_entry_of_a_node_that_is_not_there_is_handed_back():
    contacts, lost = place(read(GOOD.replace('"P1/E1"', '"P1/E9"')), registry())
    assert [entry.role for entry in lost] == ["OP"]
    assert len(contacts.contacts) == 2
    _, lost = place(read(PEOPLE.replace('"E1"', '"E9"')), registry())
    assert [entry.role for entry in lost] == ["HD-main"]


def test_an_empty_file_names_nobody():
    assert read("") == Book()


def test_a_roster_says_who_holds_a_role_and_the_fallback_fills_its_gaps():
    held = told(PEOPLE, "PK", SOURCE)
    assert (codes(held), held.gap, held.recipients[0].why) == (["zhang"], False, Why.ROSTER)
    assert [way.channel for way in held.recipients[0].ways] == ["mqtt", "webhook"]
    held = told(PEOPLE, "PK", SOURCE, 19)
    assert (codes(held), held.gap, held.recipients[0].why) == (["li"], True, Why.FALLBACK)


def test_all_persons_of_a_duty_are_told_and_of_an_address_beside_it():
    assert codes(told(PEOPLE, "HD-main", SOURCE)) == ["li", "zhang"]
    both = GOOD.replace('"PK"', '"HD-main"').replace('"P1"', '"E1"') + PEOPLE
    assert codes(told(both, "HD-main", SOURCE)) == [None, "li", "zhang"]


def test_a_gap_without_fallback_falls_to_whoever_is_named_above():
    above = GOOD + PEOPLE.replace('node = "P1"', 'node = "E1"').replace('fallback = "li"', "")
    held = told(above, "PK", SOURCE, 19)
    assert held == Holders((Recipient((Contact("webhook", "https://example.com/park"),)),), True)
    alone = PEOPLE.replace('fallback = "li"', "")
    assert told(alone, "PK", SOURCE, 19) == Holders((), True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"PK"', '"BOSS"', "line 2: contact 1: role 'BOSS' is not in the ladder"),
        ('"webhook"', '"fax"', "contact 1: channel 'fax'; expected apprise, log, mqtt, webhook"),
        ('"https://example.com/park"', '"example.com"', "is no http:// or https:// address"),
        ('"hw/v1/events/P1/E1/notice/OP"', '"hw/v1/p1/e1/g1/data"', "contact 2: address"),
        ("notice/OP", "notice/#", "expected a topic below hw/v1/events/"),
        ("notice/OP", "notice\\tOP", "expected a topic below hw/v1/events/"),
        ("notice/OP", "notice" + "/x" * 30, "expected a topic below hw/v1/events/"),
        ("https://example.com", "http://[::1", "is no http:// or https:// address"),
        ('address = "shift"', "", "contact 3: address is None, expected a text"),
        ('address = "shift"', 'address = "x"\nphone = "1"', "unknown member 'phone'"),
        ("[[contact]]", "[[people]]", "expected [[contact]], [[person]] and [[duty]] tables"),
        ("[[contact]]", "[contact", "contact file:"),
        (GOOD, 'contact = ["x"]', "contact 1: 'x'; expected a [[contact]] table"),
    ],
)
def test_what_is_wrong_is_said_with_entry_value_and_what_is_allowed(old, new, said):
    with pytest.raises(ContactsError) as wrong:
        read(GOOD.replace(old, new))
    assert said in str(wrong.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('code = "li"', 'code = "l i"', "line 11: person 2: code 'l i'"),
        ('code = "li"', 'code = "zhang"', "person 2: code 'zhang' is there already"),
        ('language = "en"', 'language = "fr"', "person 2: language 'fr'"),
        ('"wecombot://0123456789"', '"wecombot"', "the address of apprise; expected SERVICE://"),
        ("{ channel", "{ kanal", "a channel without channel and address"),
        ('"06:00"', '"22:00"', "person 1: quiet is"),
        ('"06:00"', '"6"', "person 1: quiet is"),
        ('persons = ["li"', 'persons = ["lu"', "duty 2: person 'lu' is not in the file"),
        ('fallback = "li"', 'fallback = "lu"', "duty 1: person 'lu' is not in the file"),
        ('persons = ["li", "zhang"]', "", "duty 2: neither persons nor rosters"),
        ('persons = ["li", "zhang"]', 'persons = "li"', "duty 2: persons is 'li'"),
        ("[[duty]]", '[[duty]]\nwhen = "now"', "unknown member 'when'"),
        ('"week.ics"', '"weak.ics"', "duty 1: roster weak.ics"),
    ],
)
def test_what_is_wrong_with_people_and_duties_is_said(old, new, said):
    def file(name: str) -> str:
        if name not in FILES:
            raise FileNotFoundError(name)
        return FILES[name]

    assert old in PEOPLE
    with pytest.raises(ContactsError) as wrong:
        read_contacts(PEOPLE.replace(old, new), default(), SHANGHAI, file)
    assert said in str(wrong.value)


def test_what_is_wrong_in_a_roster_is_said_with_file_and_line():
    with pytest.raises(ContactsError) as wrong:
        read(PEOPLE, FILES | {"week.ics": SHIFT.replace("zhang", "zhao")})
    assert "week.ics line 3: SUMMARY 'zhao' names nobody known" in str(wrong.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ContactsError) as wrong:
        read(GOOD.replace('"PK"', '"BOSS"').replace('"mqtt"', '"fax"'))
    assert [one.line for one in wrong.value.troubles] == [2, 8]
