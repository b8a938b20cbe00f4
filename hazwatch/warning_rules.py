"""What an installation decides about warnings: its ladder and its contacts, read at the start."""

from pathlib import Path

import structlog

from alerts.case_notices import Contacts
from alerts.contacts import ContactsError, Entry, place, read_contacts
from domain import escalation
from domain.escalation import Ladder, LadderError
from domain.plant import Registry
from domain.risk_model import risk_model
from hazwatch.settings import Settings
from hazwatch.warnings import Rules

log = structlog.get_logger(__name__)


class WarningRulesError(ValueError):
    """A file that the settings name can't be used; the text says which, where, and why."""


def warning_rules(settings: Settings) -> Rules:
    """The shipped risk model, and ladder and contacts of the settings; `WarningRulesError`."""
    ladder = ladder_of(settings)
    entries = _entries(settings.contacts_file, ladder)
    return Rules(risk_model(), ladder, lambda registry: _placed(entries, registry))


def ladder_of(settings: Settings) -> Ladder:
    """The jurisdiction's own ladder, or the shipped one; `WarningRulesError`."""
    path = settings.escalation_file
    if path is None:
        return escalation.default()
    try:
        return escalation.read(path.read_text("utf-8"))
    except (LadderError, OSError, UnicodeDecodeError) as wrong:
        raise WarningRulesError(f"HAZWATCH_ESCALATION_FILE {path}: {wrong}") from wrong


def _entries(path: Path | None, ladder: Ladder) -> tuple[Entry, ...]:
    if path is None:
        return ()
    try:
        return read_contacts(path.read_text("utf-8"), ladder)
    except (ContactsError, OSError, UnicodeDecodeError) as wrong:
        raise WarningRulesError(f"HAZWATCH_CONTACTS_FILE {path}: {wrong}") from wrong


def _placed(entries: tuple[Entry, ...], registry: Registry) -> Contacts:
    """Contacts by role and node; what can't be placed is said loudly, for somebody is not told."""
    contacts, lost = place(entries, registry)
    for entry in lost:
        log.error(
            "contact of no node",
            action="leave out",
            role=entry.role,
            node="/".join(entry.node),
            channel=entry.contact.channel,
        )
    return contacts
