"""What of the notices can't work: templates, and addresses as their services read them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from alerts.channels import APPRISE
from alerts.contacts import Book
from domain.addresses import presentable
from hazwatch.settings import Settings
from hazwatch.warning_rules import (
    WarningRulesError,
    kept_people,
    people_files,
    warning_rules,
)
from hazwatch.wordings import WordingError, wording


def start_faults(settings: Settings) -> list[str]:
    """Why a worker does not start. It does with a contact file that can't be used, where what was
    in force last is kept."""
    try:
        people = people_files(settings, kept_people(settings), writes=False)
        warning_rules(settings, people)
    except WarningRulesError as wrong:
        return [str(wrong)]
    return notice_faults(settings, people.book)


def notice_faults(settings: Settings, book: Book) -> list[str]:
    """Every fault in a sentence, without secrets. book: the contact file in force. Loads apprise
    only where an address needs it."""
    found: list[str] = []
    try:
        wording(settings)
    except WordingError as wrong:
        found.append(str(wrong))
    for where, address in _addresses(settings, book):
        from alerts.channels.apprise_sending import fault

        reason = fault(address)
        if reason is not None:
            found.append(f"{where} {presentable(address)}: {reason}")
    return found


def by_apprise(url: str) -> bool:
    """Whether an address of `HAZWATCH_WEBHOOKS` is one of a service, not of a receiver of JSON."""
    try:
        return urlsplit(url).scheme not in ("http", "https", "")
    except ValueError:
        return False


def _addresses(settings: Settings, book: Book) -> Iterator[tuple[str, str]]:
    """Those that go through apprise, and where they stand."""
    yield from (("HAZWATCH_WEBHOOKS", url) for url in settings.webhooks if by_apprise(url))
    name = f"HAZWATCH_CONTACTS_FILE {settings.contacts_file}:"
    ways = [(f"{name} {entry.role}", entry.contact) for entry in book.contacts]
    ways += [(f"{name} {one.code}", way) for one in book.people.values() for way in one.ways]
    yield from ((where, way.address) for where, way in ways if way.channel == APPRISE)
