"""Whom the second path of the self-test tells: webhooks, and everybody who holds a role of the
contact file, at whatever node, for a hazwatch that fails fails for all. Asks neither registry nor
database. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from alerts.channels import APPRISE, WEBHOOK
from alerts.contacts import Book
from alerts.people import Person, Recipient
from domain.alarms import Kind
from domain.policy import node_priority
from domain.roster import on_duty
from hazwatch.notice_check import by_apprise
from hazwatch.settings import Settings

CHANNELS = (WEBHOOK, APPRISE)
"""Those that need no broker, and end at somebody."""


def told(
    settings: Settings, book: Callable[[], Book], at: datetime
) -> Iterator[tuple[tuple[tuple[str, str], ...], Person | None]]:
    """Whom the second path tells: the (channel, recipient) by which each is tried, and the person,
    if it is one. The webhooks that want alarms of this priority come first."""
    if node_priority(Kind.SELF_TEST) in settings.webhook_priorities:
        for url in settings.webhooks:
            yield ((APPRISE if by_apprise(url) else WEBHOOK, url),), None
    for one in holding(book(), settings.self_test_role, at):
        yield tuple((way.channel, way.address) for way in one.ways), one.person


def holding(book: Book, role: str, at: datetime) -> list[Recipient]:
    """Who holds a role anywhere at an instant, each once, with the ways that need no broker; who
    has none of them is left out. Quiet hours are not asked."""
    found = [Recipient((entry.contact,)) for entry in book.contacts if entry.role == role]
    for duty in book.duties:
        if duty.role == role:
            who = on_duty(duty, at)
            people = (book.people[code] for code in who.persons if code in book.people)
            found += [Recipient(person.ways, person, who.why) for person in people]
    return list(_once(_reachable(found)))


def _reachable(found: Iterable[Recipient]) -> Iterator[Recipient]:
    for one in found:
        ways = tuple(way for way in one.ways if way.channel in CHANNELS)
        if ways:
            yield replace(one, ways=ways)


def _once(found: Iterable[Recipient]) -> Iterable[Recipient]:
    return {one.person.code if one.person else one.ways: one for one in found}.values()
