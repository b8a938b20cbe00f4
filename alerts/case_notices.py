"""What the rungs of a ladder send, and to whom. Pure; the worker sends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from alerts.drill import REAL_MARK
from alerts.outgoing import PERMIT_HOLDER
from alerts.people import Contact, Contacts, Holders, Recipient, holders, stands_in
from domain.alarms import Notice, Priority, notice_id
from domain.case_shown import drill_body, first_signed, loop_body
from domain.cases import RUNGS, Case, Duty, EscalationStep, Level, Outcome
from domain.escalation import Ladder, Role
from domain.inputs import Input
from domain.instant import rfc3339
from domain.plant import Registry
from domain.risk import Colour
from domain.roster import Why

UNVERIFIED = "【待核实 unverified】"
LOG = "log"
"""The channel of last resort: the line is written where the operators of hazwatch look."""


@dataclass(frozen=True, slots=True)
class HotWork:
    """Hot work 动火 near gas. permit: what was stated of it; alarm: of the gas."""

    permit: Input
    alarm: UUID


@dataclass(frozen=True, slots=True)
class Behind:
    """What a notice says of the occurrences behind a case, as they are when it is made.

    worst: the gravest that is open, as `alerts.events.alarm_body` has it, None: none is; further:
    how many are open besides. drilled: people may take this real case for a drill 演练.
    """

    worst: Mapping[str, object] | None = None
    further: int = 0
    drilled: bool = False


NOTHING = Behind()


def notices(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    case: Case,
    step: EscalationStep,
    at: datetime | None = None,
    behind: Behind = NOTHING,
) -> tuple[EscalationStep, list[Notice]]:
    """The notices of a rung that was told, one for each person or address that holds its role at
    `at` (None: when it was told); and the rung, marked `unnamed` where nobody does and the log has
    to do.

    The same rung gives each of them the same id, however often it is asked.
    """
    assert step.outcome is Outcome.TOLD, "only rungs that are told are sent"
    told = step.done or step.due
    held = holders(contacts, registry, step.role, case.source, at or told)
    step = replace(step, unnamed=not held.recipients)
    body = notice_body(ladder, registry, case, step, behind)
    made = [
        addressed(case.id, step.n, f"rung {step.no}", one, body, told, step.no)
        for one in or_log(held, step.role)
    ]
    return step, made


def or_log(held: Holders, word: str) -> tuple[Recipient, ...]:
    """Who holds a role; the log where nobody does."""
    return held.recipients or (Recipient((Contact(LOG, word),)),)


def addressed(
    of: UUID,
    n: int,
    why: str,
    recipient: Recipient,
    body: dict[str, object],
    at: datetime,
    step: int | None = None,
) -> Notice:
    """The notice of a case or an alarm: a person's has one id on all his channels, that of an
    address is its own."""
    first, person = recipient.ways[0], recipient.person
    if person is None:
        id = notice_id(of, n, why, first.address, first.channel)
        return Notice(id, of, first.channel, first.address, body, at, step)
    id = notice_id(of, n, why, person.code, "person")
    ways = tuple((way.channel, way.address) for way in recipient.ways)
    own = body | _of_person(recipient, body)
    return Notice(id, of, *ways[0], own, at, step, person.code, ways)


def _of_person(recipient: Recipient, body: dict[str, object]) -> dict[str, object]:
    """What a person's notice has besides: who he is, how he reads, and why it is him."""
    person = recipient.person
    assert person is not None, "asked for persons alone"
    said: dict[str, object] = {
        "person": person.code,
        "person_name": person.name,
        "language": person.language,
        "stand_in": recipient.why is Why.FALLBACK,
    }
    if recipient.why is Why.FALLBACK:
        said["text"] = f"{stands_in(str(body['role']))}{body['text']}"
    return said


def permit_notices(
    ladder: Ladder, registry: Registry, contacts: Contacts, case: Case, work: HotWork, at: datetime
) -> list[Notice]:
    """The notices for those under a permit for hot work near gas (floor F13), one for each address
    of the enterprise's roles; the log where it has none.

    The same work near the same gas gives the same ids.
    """
    roles = [role.code for role in ladder.roles.values() if role.level is Level.ENTERPRISE]
    found = [
        one
        for role in roles
        for one in holders(contacts, registry, role, case.source, at).recipients
    ]
    people = {one.person.code if one.person else one.ways: one for one in reversed(found)}
    held = Holders(tuple(reversed(people.values())))
    unnamed = not held.recipients
    body = case_body(registry, case) | {
        "role": PERMIT_HOLDER,
        "priority": Priority.P1.value,
        "permit": str(work.permit.id),
        "holder": work.permit.value.get("holder"),
        "permit_by": work.permit.who,
        "permit_level": work.permit.value.get("level"),
        "permit_place": _name(registry, work.permit.node),
        "permit_until": rfc3339(work.permit.until) if work.permit.until else None,
        "unverified": False,
        "unnamed": unnamed,
        "text": _stop(registry, case, work.permit, unnamed),
        "sent": rfc3339(at),
    }
    why = f"hot work {work.permit.id} near {work.alarm}"
    return [addressed(case.id, 0, why, one, body, at) for one in or_log(held, PERMIT_HOLDER)]


def _stop(registry: Registry, case: Case, permit: Input, unnamed: bool) -> str:
    """What the holder of the permit and his people have to do, and which permit it is."""
    said = permit.value
    level = f" {said['level']}" if said.get("level") else ""
    holder = f", holder {said['holder']}" if said.get("holder") else ""
    until = f", until {rfc3339(permit.until)}" if permit.until else ""
    where = registry.nodes.get(permit.node)
    parts = [
        f"P1 动火作业附近可燃或有毒气体报警 gas alarm near hot work: {place(registry, case)}",
        f"动火许可 hot work permit{level} by {permit.who}{holder}"
        f"{', at ' + where.name if where else ''}, since {rfc3339(permit.since)}{until}",
        "立即停止动火并撤离 stop the work and leave at once",
    ]
    if unnamed:
        parts.insert(0, "无人担任 nobody is named for the enterprise")
    return "; ".join(parts)


def is_unverified(role: Role | None, case: Case) -> bool:
    """Whether a role is told with the mark 待核实: that of a red which nobody has verified yet."""
    marked = role is not None and role.unverified
    return marked and case.colour is Colour.RED and case.loop.verified is None


def notice_body(
    ladder: Ladder, registry: Registry, case: Case, step: EscalationStep, behind: Behind = NOTHING
) -> dict[str, object]:
    """What a notice of a rung carries."""
    role = ladder.roles.get(step.role)
    return case_body(registry, case, behind) | {
        "role": step.role,
        "role_name": step.role if role is None else role.name,
        "step": step.no,
        **_asked(ladder, case, step),
        "unverified": is_unverified(role, case),
        "unnamed": step.unnamed,
        "text": sentence(ladder, registry, case, step, behind),
        "sent": rfc3339(step.done or step.due),
    }


def _asked(ladder: Ladder, case: Case, step: EscalationStep) -> dict[str, object]:
    """Why somebody is told, and by when he has to sign. reason: opened, risen or silence; silent:
    the level that is, for `after_s`; duty: what it has not done."""
    within = ladder.colours[step.colour].receive_within_s
    first = "opened" if step.n == case.left_blue else "risen"
    told = step.done or step.due
    return {
        "reason": first if step.after_s == 0 else "silence",
        "duty": step.duty.value,
        "after_s": step.after_s,
        "silent": None if step.clock is None or step.after_s == 0 else step.clock.name.lower(),
        "sign_within_s": within,
        "sign_by": rfc3339(told + timedelta(seconds=within)),
    }


def case_body(registry: Registry, case: Case, behind: Behind = NOTHING) -> dict[str, object]:
    """What every notice of a case says: which, where, and how it stands with it."""
    enterprise = registry.nodes.get(case.enterprise)
    park = None if enterprise is None else enterprise.parent
    return {
        "type": "warning",
        "warning": str(case.id),
        "opened": rfc3339(case.opened),
        "park_name": None if park is None else _name(registry, park),
        "source": str(case.source),
        "source_name": _name(registry, case.source),
        "enterprise": str(case.enterprise),
        "enterprise_name": _name(registry, case.enterprise),
        "colour": case.colour.name.lower(),
        "worst": case.worst.name.lower(),
        "alarms": [str(id) for id in case.alarms],
        "worst_alarm": behind.worst,
        "further": behind.further,
        **_drill_members(case, behind),
    }


def _drill_members(case: Case, behind: Behind) -> dict[str, object]:
    if case.drill is None:
        return {"not_drill": True} if behind.drilled else {}
    return {
        "drill": True,
        "drill_by": case.drill.by,
        "drill_until": rfc3339(case.drill.until),
        "drill_comment": case.drill.comment,
    }


def sentence(
    ladder: Ladder, registry: Registry, case: Case, step: EscalationStep, behind: Behind = NOTHING
) -> str:
    """What a person reads: colour, source, since when, the gravest alarm, why he is told, what to
    do."""
    role = ladder.roles.get(step.role)
    within = ladder.colours[step.colour].receive_within_s / 60
    real = REAL_MARK if behind.drilled and case.drill is None else ""
    mark = UNVERIFIED if is_unverified(role, case) else ""
    parts = [
        f"{mark}{case.colour.chinese}色预警 {case.colour.name.lower()} warning: "
        f"{place(registry, case)}, since {rfc3339(case.opened)}",
        gravest(behind),
        _why(step),
        _wanted(step, within),
    ]
    if step.unnamed:
        parts.insert(0, f"无人担任 nobody is named for {step.role}")
    return real + "; ".join(part for part in parts if part)


def gravest(behind: Behind) -> str:
    """The gravest open alarm in the words of its occurrence, since when, and how many besides."""
    if behind.worst is None:
        return ""
    more = f", 另有 {behind.further} 条 {behind.further} further" if behind.further else ""
    return f"{behind.worst['priority']} {behind.worst['text']}, since {behind.worst['onset']}{more}"


def _name(registry: Registry, id: int) -> str:
    node = registry.nodes.get(id)
    return str(id) if node is None else node.name


def place(registry: Registry, case: Case) -> str:
    """Park, enterprise and source, for those who watch many."""
    enterprise = registry.nodes.get(case.enterprise)
    above = [] if enterprise is None or enterprise.parent is None else [enterprise.parent]
    return " ".join(_name(registry, id) for id in (*above, case.enterprise, case.source))


def warning_body(ladder: Ladder, case: Case, steps: Iterable[EscalationStep]) -> dict[str, object]:
    """A case with the members of the warning list, but for names and notices; absent times are
    null. Of the steps the newest `RUNGS`."""
    signed = first_signed(((one.n, one.at) for one in case.receipts), case.risen)
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
        "drill": drill_body(case.drill),
        "receipts": [
            {"level": one.level.name.lower(), "by": one.by, "at": rfc3339(one.at)}
            for one in case.receipts
        ],
        "alarms": [str(id) for id in case.alarms],
        "sign_within_s": None if within is None else within.receive_within_s,
        "loop": loop_body(ladder, case.state, case.colour, case.loop, signed),
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
        "duty": step.duty.value,
    }


def _why(step: EscalationStep) -> str:
    minutes = step.after_s / 60
    match step.duty:
        case Duty.FEEDBACK | Duty.EXPLAIN:
            return f"{minutes:g} 分钟无有效反馈 no 反馈 that counts for {minutes:g} min"
        case Duty.CLOSE:
            return f"{minutes:g} 分钟未销警 not closed (销警) for {minutes:g} min"
        case Duty.VERIFY:
            return f"{minutes:g} 分钟未核实 not verified (核实) for {minutes:g} min"
    if step.after_s == 0 or step.clock is None:
        return ""
    level = step.clock.name.lower()
    return f"{minutes:g} 分钟无人签收 no 签收 by the {level} for {minutes:g} min"


def _wanted(step: EscalationStep, minutes: float) -> str:
    match step.duty:
        case Duty.FEEDBACK:
            return "请立即反馈处置情况 feed back what is done now"
        case Duty.CLOSE | Duty.EXPLAIN:
            return "请销警或说明情况 close it, or explain by feedback"
        case Duty.VERIFY:
            return "请立即核实现场情况 find out now whether it is so, and verify it"
    return f"请在 {minutes:g} 分钟内签收 sign within {minutes:g} min"
