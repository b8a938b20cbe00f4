"""People and duties of the contact file, and with `read_contacts` all of it. Pure.

[[person]]
code = "zhang"              # letters, digits, - _ . ; what rosters and duties call him
name = "张伟"
language = "zh-CN"          # or en
channels = [                # in the order in which they are tried
  { channel = "mqtt", address = "hw/v1/events/p1/notice/zhang" },
  { channel = "webhook", address = "https://…" },
]
quiet = { from = "22:00", to = "06:00" }    # no yellow warnings then

[[duty]]
role = "PK"
node = "p1"
persons = ["zhang"]                         # either: always these, all of them
rosters = ["holidays.ics", "week.ics"]      # or: the first with a shift decides
fallback = "li"                             # who holds it where no roster has one
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from alerts.channels import known_channels
from alerts.contacts import (
    Book,
    ContactsError,
    Reader,
    entries,
    read_entries,
    read_tables,
)
from alerts.people import LANGUAGES, Contact, Person
from alerts.roster_file import RosterFileError, read_roster
from alerts.trouble import Trouble
from domain.escalation import Ladder
from domain.ladders import Ladders
from domain.roster import Duty, Quiet, Roster

CODE = re.compile(r"[\w.-]{1,64}")
CODES = "letters, digits, - _ and . alone, at most 64"
PERSON = ("code", "name", "language", "channels", "quiet")
DUTY = ("role", "node", "persons", "rosters", "fallback")
HOURS = 'write quiet = { from = "22:00", to = "06:00" }'
WAYS = 'write channels = [{ channel = "mqtt", address = "…" }, …], the first to be tried first'


def no_rosters(name: str) -> str:
    """Of a file that stands nowhere."""
    raise FileNotFoundError(f"there is no {name}")


def read_contacts(
    text: str,
    ladder: Ladder | Ladders,
    zone: ZoneInfo,
    roster: Callable[[str], str] = no_rosters,
    at: datetime | None = None,
) -> Book:
    """What a contact file says. zone: of quiet hours and of times without one; roster, at: see
    `Reader`. Raises `ContactsError` with all that is wrong."""
    said, lines = read_tables(text)
    reader = Reader(ladder, known_channels(), zone, roster, lines, at)
    contacts = read_entries(said, reader)
    people = _people(said, reader)
    rosters: dict[str, Roster | None] = {}
    duties = [
        duty
        for number, entry in entries(said, "duty", reader)
        if (duty := _duty(number, entry, people, rosters, reader)) is not None
    ]
    if reader.troubles:
        raise ContactsError(reader.troubles)
    return Book(contacts, people, tuple(duties), tuple(reader.doubts))


def _people(said: Mapping[str, Any], reader: Reader) -> dict[str, Person]:
    """Also those with a fault elsewhere than in their code, so that nobody seems unknown."""
    found: dict[str, Person] = {}
    for number, entry in entries(said, "person", reader):
        reader.known("person", number, entry, PERSON)
        if not reader.texts("person", number, entry, "code", "name"):
            continue
        code = entry["code"]
        if not CODE.fullmatch(code):
            reader.wrong("person", number, f"code {code!r}", CODES)
        if code in found:
            reader.wrong("person", number, f"code {code!r} is there already", "let each have his")
        language = entry.get("language", LANGUAGES[0])
        if language not in LANGUAGES:
            reader.wrong("person", number, f"language {language!r}", f"one of {LANGUAGES}")
        ways, quiet = _ways(number, entry, reader), _quiet(number, entry, reader)
        found[code] = Person(code, entry["name"], str(language), ways, quiet)
    return found


def _ways(number: int, entry: Mapping[str, Any], reader: Reader) -> tuple[Contact, ...]:
    given = entry.get("channels")
    if not isinstance(given, list) or not given:
        reader.wrong("person", number, "no channels", WAYS)
        return ()
    found: list[Contact] = []
    for way in given:
        if not isinstance(way, dict) or way.keys() != {"channel", "address"}:
            reader.wrong("person", number, "a channel without channel and address", WAYS)
        elif reader.texts("person", number, way, "channel", "address"):
            made = reader.way("person", number, way["channel"], way["address"])
            found += [] if made is None else [made]
    return tuple(dict.fromkeys(found))


def _quiet(number: int, entry: Mapping[str, Any], reader: Reader) -> Quiet | None:
    given = entry.get("quiet")
    if given is None:
        return None
    try:
        begin, end = _hour(given["from"]), _hour(given["to"])
        if begin == end or given.keys() != {"from", "to"}:
            raise ValueError(given)
    except (KeyError, TypeError, ValueError, AttributeError):
        reader.wrong("person", number, f"quiet is {given!r}", HOURS)
        return None
    return Quiet(begin, end, reader.zone)


def _hour(said: object) -> time:
    hour = said if isinstance(said, time) else time.fromisoformat(str(said))
    if hour.tzinfo is not None:
        raise ValueError(said)
    return hour


def _duty(
    number: int,
    entry: Mapping[str, Any],
    people: Mapping[str, Person],
    rosters: dict[str, Roster | None],
    reader: Reader,
) -> Duty | None:
    whole = reader.texts("duty", number, entry, "role", "node")
    if not reader.known("duty", number, entry, DUTY) or not whole:
        return None
    lists = {name: entry.get(name, []) for name in ("persons", "rosters")}
    for name, given in lists.items():
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            reader.wrong("duty", number, f"{name} is {given!r}", f'write {name} = ["…"]')
            return None
    if bool(lists["persons"]) == bool(lists["rosters"]):
        todo = "give one of the two: persons, or rosters"
        reader.wrong("duty", number, "neither persons nor rosters, or both", todo)
    fallback = entry.get("fallback")
    if fallback is not None and not lists["rosters"]:
        reader.wrong("duty", number, "a fallback without rosters", "leave it out")
    for code in (*lists["persons"], *([] if fallback is None else [fallback])):
        if code not in people:
            todo = f"known: {', '.join(people) or 'nobody, write a [[person]]'}"
            reader.wrong("duty", number, f"person {code!r} is not in the file", todo)
    reader.role("duty", number, entry["role"])
    found = [_roster(number, name, people, rosters, reader) for name in lists["rosters"]]
    known = tuple(roster for roster in found if roster is not None)
    node = tuple(entry["node"].split("/"))
    return Duty(entry["role"], node, tuple(dict.fromkeys(lists["persons"])), known, fallback)


def _roster(
    number: int,
    name: str,
    people: Mapping[str, Person],
    rosters: dict[str, Roster | None],
    reader: Reader,
) -> Roster | None:
    """A roster, read once however many duties name it."""
    if name not in rosters:
        rosters[name] = None
        try:
            text = reader.roster(name)
            found = read_roster(name, text, people, reader.zone, reader.at)
            reader.doubts += [_of_file(name, one) for one in found.doubts]
            rosters[name] = found
        except (OSError, UnicodeDecodeError) as wrong:
            todo = "paths are beside the contact file, or whole"
            reader.wrong("duty", number, f"roster {name}: {wrong}", todo)
        except RosterFileError as wrong:
            reader.troubles += [_of_file(name, one) for one in wrong.troubles]
    return rosters[name]


def _of_file(name: str, trouble: Trouble) -> Trouble:
    """Lines of a roster are not those of the contact file."""
    where = name if trouble.line is None else f"{name} line {trouble.line}"
    return Trouble(None, f"{where}: {trouble.found}", trouble.todo)
