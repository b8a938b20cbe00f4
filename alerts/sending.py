"""What becomes of a rung's notice when its turn comes: it is addressed anew at that moment. Pure.

| at that moment                                              | the notice                        |
|-------------------------------------------------------------|-----------------------------------|
| he holds the role (or nobody does any more)                 | goes out, worded as things are    |
| he holds it, it is yellow, and he has quiet hours           | is held back until they end       |
| he does not hold it any more, others do                     | is handed over to them            |

Whether anybody needs it at all is asked apart, first and last (`alerts.escalation.still_wanted`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from alerts.case_notices import NOTHING, Behind, notices
from alerts.people import Contacts, Directory
from domain.alarms import Notice
from domain.cases import Case, EscalationStep, Outcome
from domain.escalation import Ladder
from domain.plant import Registry
from domain.risk import Colour


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be done now. notice: as it goes out; held_until: not before then; heirs: to whom
    it goes instead, each with an id of his own."""

    notice: Notice
    held_until: datetime | None = None
    heirs: tuple[Notice, ...] = ()


def sending(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    case: Case,
    step: EscalationStep,
    notice: Notice,
    at: datetime,
    behind: Behind = NOTHING,
) -> Sending:
    """What is to be done with a notice of a told rung at `at`, by who holds its role then."""
    if step.outcome is not Outcome.TOLD:
        return Sending(notice)
    rung, now = notices(ladder, registry, contacts, case, step, at, behind)
    own = next((one for one in now if one.id == notice.id), None)
    if own is None:
        return Sending(notice) if rung.unnamed else Sending(notice, heirs=tuple(now))
    fresh = replace(own, created=notice.created)
    return Sending(fresh, _quiet_until(contacts, case, step, notice, at))


def _quiet_until(
    contacts: Contacts, case: Case, step: EscalationStep, notice: Notice, at: datetime
) -> datetime | None:
    """Quiet hours are for yellow alone: neither now nor when the rung was told may it be more."""
    if max(case.colour, step.colour) > Colour.YELLOW or not isinstance(contacts, Directory):
        return None
    person = contacts.people.get(notice.person or "")
    return None if person is None or person.quiet is None else person.quiet.until(at)
