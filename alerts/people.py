"""Who can be told, and who holds a role of the ladder for a node at an instant. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.plant import Node, Registry
from domain.roster import Duty, OnDuty, Quiet, Why, on_duty

LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody: a channel (webhook, mqtt, log, apprise) and an address on it."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told. ways: in the order in which they are tried, at least one. quiet:
    when no yellow warning is wanted."""

    code: str
    name: str
    language: str = LANGUAGES[0]
    ways: tuple[Contact, ...] = ()
    quiet: Quiet | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person with all his ways, or the one address of a contact without a person. why: what made
    him hold the role."""

    ways: tuple[Contact, ...]
    person: Person | None = None
    why: Why = Why.NAMED


@dataclass(frozen=True, slots=True)
class Directory:
    """Addresses, people and duties as placed in the tree. contacts, duties: by role and node id;
    people: by code."""

    contacts: Mapping[tuple[str, int], Sequence[Contact]] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    duties: Mapping[tuple[str, int], Sequence[Duty]] = field(default_factory=dict)


Contacts = Mapping[tuple[str, int], Sequence[Contact]] | Directory
"""Role and node of the tree to those who hold it there; a mapping has addresses alone."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds a role. recipients: each once, empty: nobody is named. gap: a duty on the way up
    had nobody on its rosters."""

    recipients: tuple[Recipient, ...]
    gap: bool = False


def holders(contacts: Contacts, registry: Registry, role: str, node: int, at: datetime) -> Holders:
    """Who holds a role for a node at an instant: there, or nearest above it. Where a duty has
    nobody at all, it is as if it did not stand there."""
    directory = contacts if isinstance(contacts, Directory) else Directory(contacts)
    gap = False
    for place in upwards(registry, node):
        found = [Recipient((contact,)) for contact in directory.contacts.get((role, place.id), ())]
        for duty in directory.duties.get((role, place.id), ()):
            who = on_duty(duty, at)
            gap |= who.gap
            found += _people(directory, who)
        if found:
            return Holders(_each_once(found), gap)
    return Holders((), gap)


def upwards(registry: Registry, node: int) -> Iterator[Node]:
    """A node and all above it."""
    place = registry.nodes.get(node)
    while place is not None:
        yield place
        place = registry.nodes.get(place.parent) if place.parent is not None else None


def _people(directory: Directory, who: OnDuty) -> list[Recipient]:
    known = (directory.people[code] for code in who.persons if code in directory.people)
    return [Recipient(person.ways, person, who.why) for person in known]


def _each_once(found: Sequence[Recipient]) -> tuple[Recipient, ...]:
    first: dict[tuple[str | None, tuple[Contact, ...]], Recipient] = {}
    for one in found:
        first.setdefault((one.person.code if one.person else None, one.ways), one)
    return tuple(first.values())


def stands_in(role: str) -> str:
    """How a sentence begins that is for a fallback."""
    return f"值班表无人,由后备代 nobody is on duty for {role}: you stand in; "
