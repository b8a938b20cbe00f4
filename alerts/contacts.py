"""Who can be reached where: the contact file (TOML) of an installation.

    [[contact]]
    role = "PK"                 # a role of the escalation ladder
    node = "p1/e1"              # codes of a node of the tree, from wherever they are unique
    channel = "webhook"         # webhook, mqtt or log
    address = "https://…"       # where to POST; a topic; any word

Who is named for a node holds the role for everything below it. A role that nobody holds for a
source is written to the log, and the rung says so.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from alerts.case_notices import LOG, Contact, Contacts
from domain.escalation import Ladder
from domain.plant import SUBJECTS, Registry

WEBHOOK = "webhook"
MQTT = "mqtt"
TOPICS = "hw/v1/events/"
"""Where notices may be published: below it nobody but hazwatch writes."""
LONGEST, LEVELS = 250, 20
TOPIC = f"expected a topic below {TOPICS}, printable, without + and #, at most {LONGEST} bytes"
MEMBERS = ("role", "node", "channel", "address")


class ContactsError(ValueError):
    """The contact file can't be used; the text names the entry, its value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the file: a role, the codes of a node from some ancestor down, and an address."""

    role: str
    node: tuple[str, ...]
    contact: Contact


def read_contacts(text: str, ladder: Ladder) -> tuple[Entry, ...]:
    """The entries of a contact file; raises `ContactsError`."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ContactsError(f"contact file: {wrong}") from wrong
    entries = said.get("contact", [])
    strange = sorted(said.keys() - {"contact"})
    if strange or not isinstance(entries, list):
        raise ContactsError(f"contact file: expected [[contact]] tables, found {strange or said}")
    return tuple(_entry(number, entry, ladder) for number, entry in enumerate(entries, 1))


def place(entries: Iterable[Entry], registry: Registry) -> tuple[Contacts, tuple[Entry, ...]]:
    """The entries by role and node id, and those whose node this registry does not have, or has
    more than once."""
    found: dict[tuple[str, int], list[Contact]] = {}
    lost: list[Entry] = []
    last: dict[str, list[int]] = {}
    for node in registry.nodes.values():
        if node.kind not in SUBJECTS:
            last.setdefault(node.code, []).append(node.id)
    for entry in entries:
        begin = -len(entry.node)
        near = last.get(entry.node[-1], [])
        fits = [id for id in near if _path(registry, id)[begin:] == entry.node]
        if len(fits) == 1:
            found.setdefault((entry.role, fits[0]), []).append(entry.contact)
        else:
            lost.append(entry)
    return found, tuple(lost)


def _entry(number: int, entry: object, ladder: Ladder) -> Entry:
    where = f"contact file: contact {number}"
    if not isinstance(entry, Mapping):
        raise ContactsError(f"{where}: {entry!r}, expected a [[contact]] table")
    for name in MEMBERS:
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise ContactsError(f"{where}: {name} is {entry.get(name)!r}, expected a text")
    strange = sorted(entry.keys() - set(MEMBERS))
    if strange:
        raise ContactsError(f"{where}: unknown member {strange[0]!r}, known: {', '.join(MEMBERS)}")
    role, channel, address = entry["role"], entry["channel"], entry["address"]
    if role not in ladder.roles:
        known = ", ".join(ladder.roles)
        raise ContactsError(f"{where}: role {role!r} is not in the ladder, known: {known}")
    problem = _fault(channel, address)
    if problem:
        raise ContactsError(f"{where}: {problem}")
    return Entry(role, tuple(entry["node"].split("/")), Contact(channel, address))


def _fault(channel: str, address: str) -> str | None:
    match channel:
        case "webhook":
            return None if _is_url(address) else f"{address!r} is no http:// or https:// address"
        case "mqtt":
            return None if _is_topic(address) else f"address {address!r}: {TOPIC}"
        case "log":
            return None
        case _:
            return f"channel {channel!r}, expected {WEBHOOK}, {MQTT} or {LOG}"


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


def _path(registry: Registry, id: int) -> tuple[str, ...]:
    """Codes from the root down to a node."""
    codes: list[str] = []
    place = registry.nodes.get(id)
    while place is not None:
        codes.append(place.code)
        place = registry.nodes.get(place.parent) if place.parent is not None else None
    return tuple(reversed(codes))
