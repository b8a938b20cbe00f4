"""The contact file: who holds which role where."""

import pytest

from alerts.case_notices import Contact, named
from alerts.contacts import ContactsError, place, read_contacts
from domain.escalation import default
from tests.support.builders import ENTERPRISE, PARK, SOURCE, registry

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


def test_roles_are_held_for_a_node_and_all_below_it():
    contacts, lost = place(read_contacts(GOOD, default()), registry())
    assert lost == ()
    assert contacts == {
        ("PK", PARK): [Contact("webhook", "https://example.com/park")],
        ("OP", ENTERPRISE): [Contact("mqtt", "hw/v1/events/P1/E1/notice/OP")],
        ("SM", SOURCE): [Contact("log", "shift")],
    }
    assert named(contacts, registry(), "PK", SOURCE) == tuple(contacts["PK", PARK])
    assert named(contacts, registry(), "OP", PARK) == ()


def test_a_contact_of_a_node_that_is_not_there_is_handed_back():
    entries = read_contacts(GOOD.replace('"P1/E1"', '"P1/E9"'), default())
    contacts, lost = place(entries, registry())
    assert [entry.role for entry in lost] == ["OP"]
    assert len(contacts) == 2


def test_an_empty_file_names_nobody():
    assert read_contacts("", default()) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"PK"', '"BOSS"', "contact 1: role 'BOSS' is not in the ladder"),
        ('"webhook"', '"fax"', "contact 1: channel 'fax', expected webhook, mqtt or log"),
        ('"https://example.com/park"', '"example.com"', "is no http:// or https:// address"),
        ('"hw/v1/events/P1/E1/notice/OP"', '"hw/v1/p1/e1/g1/data"', "contact 2: address"),
        ("notice/OP", "notice/#", "expected a topic below hw/v1/events/"),
        ("notice/OP", "notice\\tOP", "expected a topic below hw/v1/events/"),
        ("notice/OP", "notice" + "/x" * 30, "expected a topic below hw/v1/events/"),
        ("https://example.com", "http://[::1", "is no http:// or https:// address"),
        ('address = "shift"', "", "contact 3: address is None, expected a text"),
        ('address = "shift"', 'address = "x"\nphone = "1"', "unknown member 'phone'"),
        ("[[contact]]", "[[people]]", "expected [[contact]] tables"),
        ("[[contact]]", "[contact", "contact file:"),
        (GOOD, 'contact = ["x"]', "contact 1: 'x', expected a [[contact]] table"),
    ],
)
def test_what_is_wrong_is_said_with_entry_value_and_what_is_allowed(old, new, said):
    with pytest.raises(ContactsError) as wrong:
        read_contacts(GOOD.replace(old, new), default())
    assert said in str(wrong.value)
