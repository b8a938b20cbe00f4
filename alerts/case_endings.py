"""What people are told when a warning falls or is closed: those whose roles were told of it. Pure.

Whoever holds such a role now is told, each person once; where nobody does, nobody is.
"""

from collections.abc import Iterable
from datetime import datetime

from alerts.case_notices import Behind, addressed, case_body, gravest, place
from alerts.drill import REAL_MARK
from alerts.people import Contacts, Directory, holders
from domain.alarms import Notice
from domain.cases import Case, CaseState, CaseTransition, DrillEnd, EscalationStep, Outcome
from domain.escalation import Ladder
from domain.instant import rfc3339
from domain.plant import Registry
from domain.risk import Colour

FALLEN, CLOSED = "fallen", "closed"
"""Reasons of these notices."""
DRILL_ENDS = {
    DrillEnd.DONE: "演练闭环完成 its loop is complete",
    DrillEnd.PERSON: "演练已由人结束 it was ended",
    DrillEnd.TIME: "演练时间到 its time is over",
    DrillEnd.REAL: "因真实险情中止演练 broken off: the source has a real warning",
}


def is_ending(change: CaseTransition) -> bool:
    """Whether a transition is a fall of the colour, or the end of the case."""
    return change.target is CaseState.CLOSED or change.case.colour < change.colour


def ending_notices(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    change: CaseTransition,
    steps: Iterable[EscalationStep],
    behind: Behind,
) -> list[Notice]:
    """The notices of a fall or a closing, one for each person or address that holds a role which
    was told since the source last left blue. steps: the rungs before the transition.

    The same transition gives each of them the same id.
    """
    case, made = change.case, dict[str, Notice]()
    told = [one for one in steps if one.outcome is Outcome.TOLD and one.n >= case.left_blue]
    for role in dict.fromkeys(one.role for one in told):
        body = _body(ladder, registry, change, role, behind)
        for one in holders(contacts, registry, role, case.source, change.at).recipients:
            notice = addressed(case.id, case.n, str(body["reason"]), one, body, change.at)
            made.setdefault(str(notice.id), notice)
    return list(made.values())


def ending_wanted(notice: Notice, case: Case | None) -> bool:
    """Whether it still says how things are: not once the colour has risen again."""
    n = notice.body.get("n")
    return case is None or not isinstance(n, int) or case.risen <= n


def ending_quiet(contacts: Contacts, notice: Notice, at: datetime) -> datetime | None:
    """Until when it is held back: in quiet hours, where it fell from yellow or below."""
    if notice.body.get("before") not in ("blue", "yellow") or not isinstance(contacts, Directory):
        return None
    person = contacts.people.get(notice.person or "")
    return None if person is None or person.quiet is None else person.quiet.until(at)


def _body(
    ladder: Ladder, registry: Registry, change: CaseTransition, code: str, behind: Behind
) -> dict[str, object]:
    case, role = change.case, ladder.roles.get(code)
    closed = change.target is CaseState.CLOSED
    closing = case.loop.closing
    drill = case.drill
    return case_body(registry, case, behind) | {
        "role": code,
        "role_name": code if role is None else role.name,
        "reason": CLOSED if closed else FALLEN,
        "before": change.colour.name.lower(),
        "n": case.n,
        "kind": closing.kind.value if closed and closing is not None else None,
        "by": change.by or (closing.by if closed and closing is not None else None),
        "drill_end": None if drill is None or drill.end is None else drill.end.value,
        "unverified": False,
        "unnamed": False,
        "text": _sentence(registry, change, behind),
        "sent": rfc3339(change.at),
    }


def _sentence(registry: Registry, change: CaseTransition, behind: Behind) -> str:
    case, drill = change.case, change.case.drill
    mark = REAL_MARK if behind.drilled and drill is None else ""
    worst = f"最高 at worst {case.worst.chinese}色 {case.worst.name.lower()}"
    if change.target is CaseState.CLOSED:
        end = None if drill is None else drill.end
        what = f"{mark}预警已销警 warning closed: {place(registry, case)}, {worst}"
        said = DRILL_ENDS[end] if end is not None else "无须再处置 nothing more to do"
    else:
        colour = f"{case.colour.chinese}色 {case.colour.name.lower()}"
        what = f"{mark}预警降为{colour} warning fallen: {place(registry, case)}, {worst}"
        said = "请继续处置反馈,闭环前不撤销 go on, it is not over before the loop is complete"
        if case.colour is Colour.BLUE:
            said = "恢复蓝色,闭环后销警 back at blue, it is closed when the loop is complete"
    return "; ".join(part for part in (what, gravest(behind), said) if part)
