"""What risk and warning cases look like on the wire: live stream and MQTT event topics."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from alerts.case_notices import warning_body
from domain.alarms import NAMESPACE, OutboxEvent, event_id
from domain.cases import Case, CaseState, CaseTransition, EscalationStep
from domain.escalation import Ladder
from domain.instant import micros, rfc3339
from domain.risk import Colour, SourceRisk, reason_text


def warning_event(
    ladder: Ladder, change: CaseTransition, steps: Iterable[EscalationStep]
) -> OutboxEvent:
    """The event of a transition of a case; steps: its whole ladder after it."""
    case = change.case
    body = _body(change.source, change.target, change.event, change.by)
    id = event_id(case.id, case.n)
    return _event(ladder, case, id, change.at, body, steps)


def escalated_event(
    ladder: Ladder, case: Case, told: EscalationStep, steps: Iterable[EscalationStep]
) -> OutboxEvent:
    """The event of a rung that was told because nobody signed; steps: the whole ladder."""
    at = told.done or told.due
    id = uuid5(NAMESPACE, f"event/{case.id}/rung {told.no}")
    return _event(ladder, case, id, at, _body(case.state, case.state, "escalate", None), steps)


def risk_event(risk: SourceRisk, before: Colour) -> OutboxEvent:
    """The event of a source whose colour, sight, floors or score changed."""
    id = uuid5(NAMESPACE, f"risk/{risk.source}/{micros(risk.at)}")
    body: dict[str, object] = {
        "id": str(id),
        "type": "risk",
        "at": rfc3339(risk.at),
        "node": str(risk.source),
        "tag": None,
        "transition": {"from": before.name.lower(), "to": risk.colour.name.lower()},
        "risk": risk_body(risk),
    }
    return OutboxEvent(id, "risk", risk.at, risk.enterprise, risk.source, None, body)


def risk_body(risk: SourceRisk) -> dict[str, object]:
    """The risk of a source with the members of the risk list."""
    return {
        "source": str(risk.source),
        "enterprise": str(risk.enterprise),
        "at": rfc3339(risk.at),
        "colour": risk.colour.name.lower(),
        "unknown": risk.unknown,
        "score": round(risk.score, 1),
        "maybe_test": risk.maybe_test,
        "floors": [
            {
                "floor": floor.name,
                "colour": colour.name.lower(),
                "text": floor.meaning,
                "by": [str(id) for held, id in risk.held_by if held is floor],
            }
            for floor, colour in risk.floors
        ],
        "reasons": [
            {
                "part": None if reason.part is None else reason.part.name,
                "points": reason.points,
                "alarm": None if reason.alarm is None else str(reason.alarm),
                "tag": None if reason.tag is None else str(reason.tag),
                "input": None if reason.input is None else str(reason.input),
                "text": reason_text(reason.part, reason.note),
            }
            for reason in risk.reasons
        ],
        "version": risk.version,
    }


def _body(source: CaseState, target: CaseState, event: str, by: str | None) -> dict[str, object]:
    return {"from": source.value, "to": target.value, "event": event, "by": by}


def _event(
    ladder: Ladder,
    case: Case,
    id: UUID,
    at: datetime,
    transition: dict[str, object],
    steps: Iterable[EscalationStep],
) -> OutboxEvent:
    body: dict[str, object] = {
        "id": str(id),
        "type": "warning",
        "at": rfc3339(at),
        "node": str(case.source),
        "tag": None,
        "transition": transition,
        "warning": warning_body(ladder, case, steps),
    }
    return OutboxEvent(id, "warning", at, case.enterprise, case.source, None, body)
