"""What the rungs of a ladder send, and to whom. Pure; the worker sends.

No quiet hours: what is orange or red is never held back for them, and nothing else is yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.alarms import Notice, Priority, notice_id
from domain.cases import RUNGS, Case, EscalationStep, Level, Outcome
from domain.escalation import Ladder
from domain.inputs import Input
from domain.instant import rfc3339
from domain.plant import Registry

LOG = "log"
"""The channel of last resort: the line is written where the operators of hazwatch look."""
PERMIT_HOLDER = "permit"
"""Stands for a role in notices to those who work under a permit; no ladder knows it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a role can be reached: a channel (webhook, mqtt, log) and an address on it."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class HotWork:
    """Hot work 动火 near gas. permit: what was stated of it; alarm: of the gas."""

    permit: Input
    alarm: UUID


Contacts = Mapping[tuple[str, int], Sequence[Contact]]
"""Role and node of the tree to the people who hold it there."""


def named(contacts: Contacts, registry: Registry, role: str, node: int) -> tuple[Contact, ...]:
    """Who holds a role for a node: named there, or nearest above it; empty if nobody is."""
    place = registry.nodes.get(node)
    while place is not None:
        found = contacts.get((role, place.id))
        if found:
            return tuple(dict.fromkeys(found))
        place = registry.nodes.get(place.parent) if place.parent is not None else None
    return ()


def notices(
    ladder: Ladder, registry: Registry, contacts: Contacts, case: Case, step: EscalationStep
) -> tuple[EscalationStep, list[Notice]]:
    """The notices of a rung that was told, one for each address; and the rung, marked `unnamed`
    where the role has none and the log has to do.

    The same rung gives the same ids, however often it is asked.
    """
    assert step.outcome is Outcome.TOLD, "only rungs that are told are sent"
    people = named(contacts, registry, step.role, case.source)
    step = replace(step, unnamed=not people)
    body = notice_body(ladder, registry, case, step)
    made = [
        Notice(
            notice_id(case.id, step.n, f"rung {step.no}", contact.address, contact.channel),
            case.id,
            contact.channel,
            contact.address,
            body,
            step.done or step.due,
            step.no,
        )
        for contact in people or (Contact(LOG, step.role),)
    ]
    return step, made


def permit_notices(
    ladder: Ladder, registry: Registry, contacts: Contacts, case: Case, work: HotWork, at: datetime
) -> list[Notice]:
    """The notices for those under a permit for hot work near gas (floor F13), one for each address
    of the enterprise's roles; the log where it has none.

    The same work near the same gas gives the same ids.
    """
    roles = [role.code for role in ladder.roles.values() if role.level is Level.ENTERPRISE]
    people = [one for role in roles for one in named(contacts, registry, role, case.source)]
    unnamed = not people
    body = _case_body(registry, case) | {
        "role": PERMIT_HOLDER,
        "priority": Priority.P1.value,
        "permit": str(work.permit.id),
        "holder": work.permit.value.get("holder"),
        "unverified": False,
        "unnamed": unnamed,
        "text": _stop(registry, case, work.permit, unnamed),
        "sent": rfc3339(at),
    }
    why = f"hot work {work.permit.id} near {work.alarm}"
    return [
        Notice(
            notice_id(case.id, 0, why, contact.address, contact.channel),
            case.id,
            contact.channel,
            contact.address,
            body,
            at,
        )
        for contact in dict.fromkeys(people) or (Contact(LOG, PERMIT_HOLDER),)
    ]


def _stop(registry: Registry, case: Case, permit: Input, unnamed: bool) -> str:
    """What the holder of the permit and his people have to do, and which permit it is."""
    said = permit.value
    level = f" {said['level']}" if said.get("level") else ""
    holder = f", holder {said['holder']}" if said.get("holder") else ""
    until = f", until {rfc3339(permit.until)}" if permit.until else ""
    where = registry.nodes.get(permit.node)
    parts = [
        f"P1 动火作业附近可燃或有毒气体报警 gas alarm near hot work: {_place(registry, case)}",
        f"动火许可 hot work permit{level} by {permit.who}{holder}"
        f"{', at ' + where.name if where else ''}, since {rfc3339(permit.since)}{until}",
        "立即停止动火并撤离 stop the work and leave at once",
    ]
    if unnamed:
        parts.insert(0, "无人担任 nobody is named for the enterprise")
    return "; ".join(parts)


def notice_body(
    ladder: Ladder, registry: Registry, case: Case, step: EscalationStep
) -> dict[str, object]:
    """What a notice of a rung carries. unverified: 待核实, no park has confirmed it yet."""
    role = ladder.roles.get(step.role)
    return _case_body(registry, case) | {
        "role": step.role,
        "step": step.no,
        "unverified": role is not None and role.unverified,
        "unnamed": step.unnamed,
        "text": sentence(ladder, registry, case, step),
        "sent": rfc3339(step.done or step.due),
    }


def _case_body(registry: Registry, case: Case) -> dict[str, object]:
    return {
        "type": "warning",
        "warning": str(case.id),
        "source": str(case.source),
        "source_name": _name(registry, case.source),
        "enterprise": str(case.enterprise),
        "enterprise_name": _name(registry, case.enterprise),
        "colour": case.colour.name.lower(),
        "worst": case.worst.name.lower(),
        "alarms": [str(id) for id in case.alarms],
    }


def sentence(ladder: Ladder, registry: Registry, case: Case, step: EscalationStep) -> str:
    """What a person reads: colour, source, since when, why he is told, what to do."""
    role = ladder.roles.get(step.role)
    within = ladder.colours[step.colour].receive_within_s / 60
    mark = "【待核实 unverified】" if role is not None and role.unverified else ""
    parts = [
        f"{mark}{case.colour.chinese}色预警 {case.colour.name.lower()} warning: "
        f"{_place(registry, case)}, since {rfc3339(case.opened)}",
        _why(step),
        f"请在 {within:g} 分钟内签收 sign within {within:g} min",
    ]
    if step.unnamed:
        parts.insert(0, f"无人担任 nobody is named for {step.role}")
    return "; ".join(part for part in parts if part)


def _name(registry: Registry, id: int) -> str:
    node = registry.nodes.get(id)
    return str(id) if node is None else node.name


def _place(registry: Registry, case: Case) -> str:
    """Park, enterprise and source, for those who watch many."""
    enterprise = registry.nodes.get(case.enterprise)
    above = [] if enterprise is None or enterprise.parent is None else [enterprise.parent]
    return " ".join(_name(registry, id) for id in (*above, case.enterprise, case.source))


def warning_body(ladder: Ladder, case: Case, steps: Iterable[EscalationStep]) -> dict[str, object]:
    """A case with the members of the warning list, but for names and notices; absent times are
    null. Of the steps the newest `RUNGS`."""
    within = ladder.colours.get(case.colour)
    return {
        "id": str(case.id),
        "number": case.number,
        "source": str(case.source),
        "enterprise": str(case.enterprise),
        "colour": case.colour.name.lower(),
        "worst": case.worst.name.lower(),
        "unknown": case.unknown,
        "state": case.state.value,
        "opened": rfc3339(case.opened),
        "closed": rfc3339(case.closed) if case.closed else None,
        "released": rfc3339(case.released) if case.released else None,
        "released_by": case.released_by,
        "receipts": [
            {"level": one.level.name.lower(), "by": one.by, "at": rfc3339(one.at)}
            for one in case.receipts
        ],
        "alarms": [str(id) for id in case.alarms],
        "sign_within_s": None if within is None else within.receive_within_s,
        "ladder": [_rung(ladder, step) for step in list(steps)[-RUNGS:]],
    }


def _rung(ladder: Ladder, step: EscalationStep) -> dict[str, object]:
    role = ladder.roles.get(step.role)
    return {
        "step": step.no,
        "role": step.role,
        "role_name": step.role if role is None else role.name,
        "level": step.level.name.lower(),
        "after_s": step.after_s,
        "colour": step.colour.name.lower(),
        "due": rfc3339(step.due),
        "done": rfc3339(step.done) if step.done else None,
        "by": step.by,
        "outcome": step.outcome.value,
        "unnamed": step.unnamed,
    }


def _why(step: EscalationStep) -> str:
    if step.after_s == 0 or step.clock is None:
        return ""
    minutes, level = step.after_s / 60, step.clock.name.lower()
    return f"{minutes:g} 分钟无人签收 no 签收 by the {level} for {minutes:g} min"
