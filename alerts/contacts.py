"""Who can be reached where: the contact file (TOML) of an installation.

    [[contact]]                 # an address for a role
    role = "PK"                 # a role of the escalation ladder
    node = "p1/e1"              # codes of a node of the tree, from wherever they are unique
    channel = "webhook"         # webhook, mqtt, log or apprise
    address = "https://…"       # where to POST; a topic; any word; the URL of a service

    [[person]]                  # somebody with several ways to be reached, and
    [[duty]]                    # the persons, or the rosters, behind a role: alerts.person_file

Who is named for a node holds the role for everything below it. A role that nobody holds for a
source is written to the log, and the rung says so.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from alerts.channels import APPRISE, MQTT, WEBHOOK
from alerts.channels.apprise_address import parse
from alerts.people import Contact, Directory, Person
from alerts.trouble import Trouble, told
from domain.escalation import Ladder
from domain.ladders import Ladders, path
from domain.plant import SUBJECTS, Registry
from domain.roster import Duty

TOPICS = "hw/v1/events/"
"""Where notices may be published: below it nobody but hazwatch writes."""
LONGEST, LEVELS = 250, 20
TOPIC = f"expected a topic below {TOPICS}, printable, without + and #, at most {LONGEST} bytes"
MEMBERS = ("role", "node", "channel", "address")
TABLES = ("contact", "person", "duty")


class ContactsError(ValueError):
    """The contact file can't be used; `troubles` says why, entry by entry."""

    def __init__(self, troubles: list[Trouble]) -> None:
        super().__init__(told("contact file", troubles))
        self.troubles = troubles


@dataclass(frozen=True, slots=True)
class Entry:
    """A [[contact]]: a role, the codes of a node from some ancestor down, and an address."""

    role: str
    node: tuple[str, ...]
    contact: Contact


@dataclass(frozen=True, slots=True)
class Book:
    """What a contact file says. people: by code. doubts: what of its rosters is wrong and decides
    nothing any more."""

    contacts: tuple[Entry, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    duties: tuple[Duty, ...] = ()
    doubts: tuple[Trouble, ...] = ()


@dataclass(slots=True)
class Reader:
    """What the entries of a file are held against, and what was found wrong so far.

    channels: that there are. roster: the text of a roster file by its name, raises `OSError`. at:
    shifts before it are over, None = none is. doubts: what is wrong in these.
    """

    ladder: Ladder | Ladders
    channels: Collection[str]
    zone: ZoneInfo
    roster: Callable[[str], str]
    lines: Mapping[tuple[str, int], int]
    at: datetime | None = None
    troubles: list[Trouble] = field(default_factory=list)
    doubts: list[Trouble] = field(default_factory=list)

    def wrong(self, table: str, number: int, found: str, todo: str) -> None:
        """The number-th entry of a table has a fault."""
        line = self.lines.get((table, number))
        self.troubles.append(Trouble(line, f"{table} {number}: {found}", todo))

    def texts(self, table: str, number: int, entry: Mapping[str, Any], *names: str) -> bool:
        """Whether these members are texts."""
        for name in names:
            if not isinstance(entry.get(name), str) or not entry[name]:
                found = f"{name} is {entry.get(name)!r}, expected a text"
                self.wrong(table, number, found, f'write {name} = "…"')
                return False
        return True

    def known(
        self, table: str, number: int, entry: Mapping[str, Any], names: Collection[str]
    ) -> bool:
        """Whether an entry has these members alone."""
        strange = sorted(entry.keys() - set(names))
        for name in strange:
            todo = f"known: {', '.join(names)}"
            self.wrong(table, number, f"unknown member {name!r}", todo)
        return not strange

    def role(self, table: str, number: int, role: str) -> bool:
        """Whether the ladder has a role."""
        if role not in self.ladder.roles:
            todo = f"known: {', '.join(self.ladder.roles)}"
            self.wrong(table, number, f"role {role!r} is not in the ladder", todo)
        return role in self.ladder.roles

    def way(self, table: str, number: int, channel: str, address: str) -> Contact | None:
        """A channel and an address on it."""
        fault = _fault(channel, address, self.channels)
        if fault is not None:
            self.wrong(table, number, *fault)
            return None
        return Contact(channel, address)


def entries(
    said: Mapping[str, Any], table: str, reader: Reader
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The entries of a table with their numbers, from 1."""
    found = said.get(table, [])
    for number, entry in enumerate(found if isinstance(found, list) else [found], 1):
        if isinstance(entry, dict):
            yield number, entry
        else:
            todo = f"expected a [[{table}]] table"
            reader.wrong(table, number, repr(entry), todo)


def read_tables(text: str) -> tuple[dict[str, Any], dict[tuple[str, int], int]]:
    """What stands in a file, and the line on which each entry of a table begins; raises
    `ContactsError`."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        at = re.search(r"at line (\d+)", str(wrong))
        near = int(at[1]) if at else None
        raise ContactsError([Trouble(near, str(wrong), "mend the line (TOML)")]) from wrong
    strange = sorted(said.keys() - set(TABLES))
    if strange:
        todo = "expected [[contact]], [[person]] and [[duty]] tables"
        raise ContactsError([Trouble(None, f"unknown {strange[0]!r}", todo)])
    lines: dict[tuple[str, int], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[\[\s*(\w+)\s*\]\]", line)
        if head:
            count = sum(table == head[1] for table, _ in lines)
            lines[head[1], count + 1] = number
    return said, lines


def read_entries(said: Mapping[str, Any], reader: Reader) -> tuple[Entry, ...]:
    """The [[contact]]s; what is wrong goes to the reader."""
    found: list[Entry] = []
    for number, entry in entries(said, "contact", reader):
        whole = reader.texts("contact", number, entry, *MEMBERS)
        if not reader.known("contact", number, entry, MEMBERS) or not whole:
            continue
        way = reader.way("contact", number, entry["channel"], entry["address"])
        if reader.role("contact", number, entry["role"]) and way is not None:
            found.append(Entry(entry["role"], tuple(entry["node"].split("/")), way))
    return tuple(found)


def place(book: Book, registry: Registry) -> tuple[Directory, tuple[Entry | Duty, ...]]:
    """A file's entries by role and node id, and those whose node this registry does not have, or
    has more than once."""
    contacts: dict[tuple[str, int], list[Contact]] = {}
    duties: dict[tuple[str, int], list[Duty]] = {}
    lost: list[Entry | Duty] = []
    last: dict[str, list[int]] = {}
    for node in registry.nodes.values():
        if node.kind not in SUBJECTS:
            last.setdefault(node.code, []).append(node.id)
    listed: tuple[Entry | Duty, ...] = (*book.contacts, *book.duties)
    for entry in listed:
        near = last.get(entry.node[-1], [])
        fits = [id for id in near if path(registry, id)[-len(entry.node) :] == entry.node]
        if len(fits) != 1:
            lost.append(entry)
        elif isinstance(entry, Duty):
            duties.setdefault((entry.role, fits[0]), []).append(entry)
        else:
            contacts.setdefault((entry.role, fits[0]), []).append(entry.contact)
    return Directory(contacts, book.people, duties), tuple(lost)


def _fault(channel: str, address: str, channels: Collection[str]) -> tuple[str, str] | None:
    """What is wrong with an address, and what to do; it is not repeated, for it may hold a key."""
    if channel not in channels:
        return f"channel {channel!r}", f"expected {', '.join(sorted(channels))}"
    if channel == MQTT and not _is_topic(address):
        return f"address {address!r}", TOPIC
    if channel == WEBHOOK and not _is_url(address):
        return f"the address of {channel} is no http:// or https:// address", "mend it"
    if channel == APPRISE:
        return _service(address)
    return None


def _service(address: str) -> tuple[str, str] | None:
    try:
        parse(address)
    except ValueError as wrong:
        return "the address of apprise", str(wrong)
    return None


def _is_url(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and address.isprintable()


def _is_topic(address: str) -> bool:
    """What every broker takes: one that it does not would cost us the connection."""
    short = len(address.encode()) <= LONGEST and address.count("/") < LEVELS
    plain = address.isprintable() and not set(address) & set("+#")
    return address.startswith(TOPICS) and address != TOPICS and plain and short
