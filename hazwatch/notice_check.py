"""What of the notices can't work: templates, and addresses as their services read them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from alerts.channels import APPRISE
from domain.addresses import presentable
from hazwatch.settings import Settings
from hazwatch.warning_rules import people_files
from hazwatch.wordings import WordingError, wording


def notice_faults(settings: Settings) -> list[str]:
    """Every fault in a sentence, without secrets. Loads apprise only where an address needs it;
    `WarningRulesError` where the contact file can't be read at all."""
    found: list[str] = []
    try:
        wording(settings)
    except WordingError as wrong:
        found.append(str(wrong))
    for where, address in _addresses(settings):
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


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Those that go through apprise, and where they stand."""
    yield from (("HAZWATCH_WEBHOOKS", url) for url in settings.webhooks if by_apprise(url))
    book = people_files(settings).book
    name = f"HAZWATCH_CONTACTS_FILE {settings.contacts_file}:"
    ways = [(f"{name} {entry.role}", entry.contact) for entry in book.contacts]
    ways += [(f"{name} {one.code}", way) for one in book.people.values() for way in one.ways]
    yield from ((where, way.address) for where, way in ways if way.channel == APPRISE)
