"""Who can be reached where: the contact file (TOML) of an installation.

    [[contact]]
    role = "PK"                 # a role of the escalation ladder
    node = "p1"                 # code of a node of the tree; with its parents' where it is not
    channel = "webhook"         # unique (p1/e1); who is named for a node holds the role below it
    address = "https://…"       # webhook: where to POST; mqtt: a topic; log: a word

A role that nobody holds for a source is written to the log, and the rung says so.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from alerts.case_notices import LOG, Contact, Contacts
from domain.escalation import Ladder
from domain.plant import Registry

WEBHOOK = "webhook"
MQTT = "mqtt"
TOPICS = "hw/v1/events/"
"""Where notices may be published: below it nobody but hazwatch writes."""
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
    paths = {id: _path(registry, id) for id in registry.nodes}
    found: dict[tuple[str, int], list[Contact]] = {}
    lost: list[Entry] = []
    for entry in entries:
        fits = [id for id, path in paths.items() if path[-len(entry.node) :] == entry.node]
        if len(fits) == 1:
            found.setdefault((entry.role, fits[0]), []).append(entry.contact)
        else:
            lost.append(entry)
    return found, tuple(lost)


def _entry(number: int, entry: Mapping[str, Any], ladder: Ladder) -> Entry:
    where = f"contact file: contact {number}"
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
            parts = urlsplit(address)
            if parts.scheme in ("http", "https") and parts.hostname:
                return None
            return f"address {address!r} is no http:// or https:// address"
        case "mqtt":
            if address.startswith(TOPICS) and not set(address) & set("+#\0"):
                return None
            return f"address {address!r}: expected a topic below {TOPICS}"
        case "log":
            return None
        case _:
            return f"channel {channel!r}, expected {WEBHOOK}, {MQTT} or {LOG}"


def _path(registry: Registry, id: int) -> Sequence[str]:
    """Codes from the root down to a node."""
    codes: list[str] = []
    place = registry.nodes.get(id)
    while place is not None:
        codes.append(place.code)
        place = registry.nodes.get(place.parent) if place.parent is not None else None
    return tuple(reversed(codes))
