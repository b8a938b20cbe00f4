"""What people are told when a red is verified 核实: those told of it as 待核实. Pure.

It has no clock and asks for nothing. Whoever holds such a role when it is sent is told, each person
and address once; where nobody does, nobody is.
"""

from collections.abc import Iterable
from datetime import datetime

from alerts.case_notices import Behind, addressed, case_body, gravest, place
from alerts.drill import REAL_MARK
from alerts.outgoing import VERIFIED
from alerts.people import Contacts, holders
from domain.alarms import Notice
from domain.cases import Case, CaseState, Deed, EscalationStep, Outcome
from domain.escalation import Ladder
from domain.instant import rfc3339
from domain.plant import Registry


def verified_notices(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    case: Case,
    steps: Iterable[EscalationStep],
    at: datetime,
    behind: Behind,
) -> list[Notice]:
    """The notices that a case was verified, for those who hold at `at` a role that was told with
    the mark since the source last left blue. steps: the rungs of the case.

    The same 核实 gives each of them the same id, whenever it is asked.
    """
    made: dict[str, Notice] = {}
    done = case.loop.verified
    assert done is not None, "asked of what is verified"
    told = [one for one in steps if one.outcome is Outcome.TOLD and one.n >= case.left_blue]
    for code in dict.fromkeys(one.role for one in told):
        role = ladder.roles.get(code)
        if role is None or not role.unverified:
            continue
        body = _body(registry, case, done, code, role.name, behind)
        for one in holders(contacts, registry, code, case.source, at).recipients:
            notice = addressed(case.id, done.n, VERIFIED, one, body, done.at)
            made.setdefault(str(notice.id), notice)
    return list(made.values())


def is_verified(notice: Notice) -> bool:
    """Whether it is such a notice."""
    return notice.step is None and notice.body.get("reason") == VERIFIED


def verified_wanted(notice: Notice, case: Case | None) -> bool:
    """Whether it still says how things are: neither risen since, nor fallen, nor closed."""
    if case is None or case.state is CaseState.CLOSED or case.loop.verified is None:
        return False
    same = case.colour.name.lower() == notice.body.get("colour")
    return same and case.loop.verified.n == notice.body.get("n")


def _body(
    registry: Registry, case: Case, done: Deed, code: str, name: str, behind: Behind
) -> dict[str, object]:
    return case_body(registry, case, behind) | {
        "role": code,
        "role_name": name,
        "reason": VERIFIED,
        "n": done.n,
        "by": done.by,
        "level": done.level.name.lower(),
        "comment": done.comment,
        "unverified": False,
        "unnamed": False,
        "text": _sentence(registry, case, done, behind),
        "sent": rfc3339(done.at),
    }


def _sentence(registry: Registry, case: Case, done: Deed, behind: Behind) -> str:
    mark = REAL_MARK if behind.drilled and case.drill is None else ""
    colour, name = f"{case.colour.chinese}色", case.colour.name.lower()
    parts = [
        f"{mark}{colour}预警已核实 {name} warning verified: {place(registry, case)}, "
        f"by {done.by} ({done.level.name.lower()})",
        done.comment or "",
        gravest(behind),
        "原标【待核实】,现已属实,请按预案响应 told as unverified before, it is so: act by the plan",
    ]
    return "; ".join(part for part in parts if part)
