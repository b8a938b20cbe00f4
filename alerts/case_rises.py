"""What people are told when a warning rises that they were told of before: their clocks do not
begin anew, so no rung says it to them. Pure.

Whoever holds such a role now is told, each person and address once; where nobody does, nobody is.
Those whom the rise itself tells at once are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alerts.case_notices import (
    UNVERIFIED,
    Behind,
    addressed,
    case_body,
    gravest,
    is_unverified,
    place,
)
from alerts.drill import REAL_MARK
from alerts.outgoing import RISEN
from alerts.people import Contacts, Directory, Recipient, holders
from domain.alarms import Notice
from domain.cases import Case, CaseState, CaseTransition, EscalationStep, Outcome
from domain.escalation import Ladder
from domain.instant import rfc3339
from domain.plant import Registry
from domain.risk import Colour


@dataclass(frozen=True, slots=True)
class Rise:
    """What is told. case: as it is when that is worded; n, before, at: the transition, the colour
    before it, its time."""

    case: Case
    n: int
    before: Colour
    at: datetime


def rise_notices(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    change: CaseTransition,
    steps: Iterable[EscalationStep],
    at_once: Iterable[Notice],
    behind: Behind,
) -> list[Notice]:
    """The notices of a rise for those who hold a role that was told since the source last left
    blue. steps: the rungs before the transition; at_once: what it sends by its own rungs.

    The same transition gives each of them the same id.
    """
    case = change.case
    heard = {heard_by(notice) for notice in at_once}
    told = [one for one in steps if one.outcome is Outcome.TOLD and one.n >= case.left_blue]
    rise = Rise(case, case.n, change.colour, change.at)
    roles = dict.fromkeys(one.role for one in told)
    made = to_holders(ladder, registry, contacts, rise, roles, change.at, behind)
    return [notice for notice in made if heard_by(notice) not in heard]


def to_holders(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    rise: Rise,
    roles: Iterable[str],
    at: datetime,
    behind: Behind,
) -> list[Notice]:
    """The notices of a rise for those who hold these roles at `at`; the same rise gives the same
    person the same id."""
    found: dict[object, tuple[Recipient, list[str]]] = {}
    for role in roles:
        for one in holders(contacts, registry, role, rise.case.source, at).recipients:
            key = one.person.code if one.person else one.ways[0]
            found.setdefault(key, (one, []))[1].append(role)
    return [
        addressed(
            rise.case.id, rise.n, RISEN, one, _body(ladder, registry, rise, held, behind), rise.at
        )
        for one, held in found.values()
    ]


def is_rise(notice: Notice) -> bool:
    """Whether it is such a notice; those of rungs that say the same have a step."""
    return notice.step is None and notice.body.get("reason") == RISEN


def rise_wanted(notice: Notice, case: Case | None) -> bool:
    """Whether it still says how things are: neither risen again since, nor fallen, nor closed."""
    if case is None or case.state is CaseState.CLOSED:
        return False
    same = case.colour.name.lower() == notice.body.get("colour")
    return same and case.risen == notice.body.get("n")


def rise_quiet(contacts: Contacts, notice: Notice, at: datetime) -> datetime | None:
    """Until when it is held back: quiet hours are for yellow alone."""
    if notice.body.get("colour") != "yellow" or not isinstance(contacts, Directory):
        return None
    person = contacts.people.get(notice.person or "")
    return None if person is None or person.quiet is None else person.quiet.until(at)


def heard_by(notice: Notice) -> object:
    """Whom it reaches."""
    return notice.person or (notice.channel, notice.recipient)


def _body(
    ladder: Ladder, registry: Registry, rise: Rise, codes: list[str], behind: Behind
) -> dict[str, object]:
    roles = [ladder.roles[code] for code in codes if code in ladder.roles]
    unverified = any(is_unverified(role, rise.case) for role in roles)
    return case_body(registry, rise.case, behind) | {
        "role": codes[0],
        "role_name": ", ".join(role.name for role in roles) or codes[0],
        "roles": codes,
        "reason": RISEN,
        "before": rise.before.name.lower(),
        "n": rise.n,
        "unverified": unverified,
        "unnamed": False,
        "text": _sentence(registry, rise, behind, unverified=unverified),
        "sent": rfc3339(rise.at),
    }


def _sentence(registry: Registry, rise: Rise, behind: Behind, *, unverified: bool) -> str:
    case, before = rise.case, rise.before
    mark = REAL_MARK if behind.drilled and case.drill is None else ""
    mark += UNVERIFIED if unverified else ""
    colour, name = f"{case.colour.chinese}色", case.colour.name.lower()
    rose = f"预警升为{colour} warning risen to {name}"
    if before is case.colour:
        rose = f"{colour}预警又有新的一级报警 new P1 alarm in a {name} warning"
    was = f", 原为 was {before.chinese}色 {before.name.lower()}"
    parts = [
        f"{mark}{rose}: {place(registry, case)}{was if before < case.colour else ''}",
        gravest(behind),
        "原签收已失效,请重新签收并处置 earlier 签收 no longer count: sign again and act",
    ]
    return "; ".join(part for part in parts if part)
