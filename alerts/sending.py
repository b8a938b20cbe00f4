"""What becomes of a notice of a rung, a rise or a 核实 when its turn comes: it is addressed anew at
that moment. Pure.

| at that moment                                              | the notice                        |
|-------------------------------------------------------------|-----------------------------------|
| he holds the role (or nobody does any more)                 | goes out, worded as things are    |
| he holds it, it is yellow, and he has quiet hours           | is held back until they end       |
| he does not hold it any more, others do                     | is handed over to them            |
| of a rise: he holds some of its roles, others hold the rest | is handed over to all of them     |

Whether anybody needs it at all is asked apart, first and last (`alerts.escalation.still_wanted`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.case_notices import NOTHING, Behind, notices
from alerts.case_rises import Rise, heard_by, rise_quiet, to_holders
from alerts.case_verified import verified_notices
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


def rise_sending(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    case: Case,
    steps: Iterable[EscalationStep],
    notice: Notice,
    at: datetime,
    behind: Behind = NOTHING,
) -> Sending:
    """What is to be done with a notice of a rise at `at`, by who holds its roles then. steps: the
    rungs of the case; whom a rung tells of the rise at once is no heir besides."""
    n, roles, before = (notice.body.get(name) for name in ("n", "roles", "before"))
    if not isinstance(n, int) or not isinstance(roles, list):
        return Sending(notice, rise_quiet(contacts, notice, at))
    rise = Rise(case, n, Colour[str(before).upper()], notice.created)
    now = to_holders(ladder, registry, contacts, rise, roles, at, behind)
    own = next((one for one in now if one.id == notice.id), None)
    rest = [role for role in roles if own is not None and role not in _roles(own)]
    others = [one for one in now if own is None or (one is not own and _roles(one) & {*rest})]
    told = {step.role for step in steps if step.outcome is Outcome.TOLD and step.n == n}
    hear = to_holders(ladder, registry, contacts, rise, told, at, behind)
    heard = {heard_by(one) for one in hear}
    heirs = [one for one in others if heard_by(one) not in heard]
    if own is None:
        return Sending(notice, heirs=tuple(heirs or others)) if others else Sending(notice)
    if heirs:
        return Sending(notice, heirs=(own, *heirs))
    return Sending(own, rise_quiet(contacts, own, at))


def verified_sending(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    case: Case,
    steps: Iterable[EscalationStep],
    notice: Notice,
    at: datetime,
    behind: Behind = NOTHING,
) -> Sending:
    """What is to be done with a notice that a case was verified, by who holds its role at `at`.
    steps: the rungs of the case."""
    now = verified_notices(ladder, registry, contacts, case, steps, at, behind)
    own = next((one for one in now if one.id == notice.id), None)
    if own is not None:
        return Sending(own)
    role = notice.body.get("role")
    return Sending(notice, heirs=tuple(one for one in now if one.body["role"] == role))


def _roles(notice: Notice) -> set[str]:
    roles = notice.body.get("roles")
    return {str(role) for role in roles} if isinstance(roles, list) else set()


def _quiet_until(
    contacts: Contacts, case: Case, step: EscalationStep, notice: Notice, at: datetime
) -> datetime | None:
    """Quiet hours are for yellow alone: neither now nor when the rung was told may it be more."""
    if max(case.colour, step.colour) > Colour.YELLOW or not isinstance(contacts, Directory):
        return None
    person = contacts.people.get(notice.person or "")
    return None if person is None or person.quiet is None else person.quiet.until(at)
