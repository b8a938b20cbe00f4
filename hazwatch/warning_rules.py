"""What an installation decides about warnings: its ladders and its contacts, read at the start."""

from typing import TYPE_CHECKING

from alerts.contacts import ContactsError
from alerts.drill_book import DrillPolicy
from domain import escalation
from domain.cases import Level
from domain.escalation import Ladder, LadderError
from domain.ladders import Ladders
from domain.risk_model import risk_model

# A command that asks for the ladder alone need not load calendars.
if TYPE_CHECKING:
    from pathlib import Path

    from hazwatch.people_files import PeopleFiles
    from hazwatch.settings import Settings
    from hazwatch.warnings import Rules


class WarningRulesError(ValueError):
    """A file that the settings name can't be used; the text says which, where, and why."""


def warning_rules(settings: "Settings", people: "PeopleFiles | None" = None) -> "Rules":
    """The shipped risk model, and ladders and contacts of the settings; `WarningRulesError`."""
    from hazwatch.warnings import Rules

    ladder = ladders_of(settings)
    contacts = (people or people_files(settings)).contacts
    levels = frozenset(Level[word.upper()] for word in settings.drill_levels)
    drills = DrillPolicy(levels, settings.drill_max_h * 3600)
    return Rules(risk_model(), ladder, contacts, drills, settings.notice_endings)


def ladder_of(settings: "Settings") -> Ladder:
    """The ladder of all sources without a nearer one: the installation's own, or the shipped one;
    `WarningRulesError`."""
    path = settings.escalation_file
    return escalation.default() if path is None else _ladder("HAZWATCH_ESCALATION_FILE", path)


def ladders_of(settings: "Settings") -> Ladders:
    """All ladders of the settings; `WarningRulesError`."""
    name = "HAZWATCH_ESCALATION_LADDERS"
    nodes = settings.escalation_ladders.items()
    by_node = {tuple(node.split("/")): _ladder(name, path) for node, path in nodes}
    return Ladders(ladder_of(settings), by_node)


def _ladder(setting: str, path: "Path") -> Ladder:
    try:
        return escalation.read(path.read_text("utf-8"))
    except (LadderError, OSError, UnicodeDecodeError) as wrong:
        raise WarningRulesError(f"{setting} {path}: {wrong}") from wrong


def kept_people(settings: "Settings") -> "Path":
    """Where the contact file and rosters in force last are kept."""
    return settings.data_dir / "people.json"


def people_files(
    settings: "Settings", kept: "Path | None" = None, *, writes: bool = True
) -> "PeopleFiles":
    """Contacts, people and rosters of the settings, or those of `kept`; `WarningRulesError`."""
    from hazwatch.people_files import PeopleFiles

    path = settings.contacts_file
    try:
        return PeopleFiles(path, ladders_of(settings), settings.timezone, kept, writes=writes)
    except (ContactsError, OSError, UnicodeDecodeError) as wrong:
        raise WarningRulesError(f"HAZWATCH_CONTACTS_FILE {path}: {wrong}") from wrong
