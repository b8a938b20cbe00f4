"""Warning cases and their ladders: rows that are written with each transition, and read again at
the start."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.cases import (
    Case,
    CaseState,
    CaseTransition,
    ClockReading,
    Duty,
    EscalationStep,
    Feedback,
    Level,
    Loop,
    Outcome,
    Receipt,
)
from domain.risk import Colour
from storage.database import Connection
from storage.encoding import jsonb, optional_text, text
from storage.queries import query


async def write_case_transitions(conn: Connection, changes: Sequence[CaseTransition]) -> None:
    """Bring cases to their newest state and keep every transition, each once."""
    if not changes:
        return
    rising = sorted(changes, key=lambda change: change.case.n)
    newest = {change.case.id: change.case for change in rising}
    async with conn.cursor() as cursor:
        await cursor.executemany(query("upsert_case"), [_case_row(one) for one in newest.values()])
        await cursor.executemany(query("insert_case_event"), [_event(change) for change in changes])
        told = [(one.case, one.case.loop.feedback) for one in changes if one.event == "feedback"]
        rows = [_feedback_row(case, said) for case, said in told if said is not None]
        if rows:
            await cursor.executemany(query("insert_feedback"), rows)


async def write_steps(conn: Connection, steps: Sequence[EscalationStep]) -> None:
    """Bring rungs to what they are now; one that has its outcome never waits again."""
    if steps:
        async with conn.cursor() as cursor:
            await cursor.executemany(query("upsert_step"), [_step_row(step) for step in steps])


async def read_known_cases(conn: Connection) -> list[Case]:
    """The open cases and the newest closed one of every source, by source and number.

    Those of sources that were removed from the site are among them.
    """
    rows = await conn.execute(query("known_cases"))
    return [_case(row) for row in await rows.fetchall()]


async def read_steps(conn: Connection, cases: Sequence[UUID]) -> list[EscalationStep]:
    """All rungs of these cases, by case and `no`."""
    rows = await conn.execute(query("steps_of_cases"), {"cases": list(cases)})
    return [_step(row) for row in await rows.fetchall()]


def _case_row(case: Case) -> dict[str, object]:
    return _closing_row(case) | {
        "id": case.id,
        "source": case.source,
        "number": case.number,
        "enterprise": case.enterprise,
        "state": case.state.value,
        "colour": case.colour.value,
        "worst": case.worst.value,
        "opened": case.opened,
        "seen": case.seen,
        "unknown": case.unknown,
        "n": case.n,
        "left_blue": case.left_blue,
        "risen": case.risen,
        "receipts": jsonb(case.receipts),
        "alarms": list(case.alarms),
        "released": case.released,
        "released_by": optional_text(case.released_by),
        "closed": case.closed,
        "loop": jsonb(case.loop),
    }


def _closing_row(case: Case) -> dict[str, object]:
    closing, review = case.loop.closing, case.loop.review
    return {
        "closing": None if closing is None else closing.kind.value,
        "closed_by": None if closing is None else text(closing.by),
        "second_by": None if closing is None else optional_text(closing.second),
        "reviewed_by": None if review is None else text(review.by),
    }


def _feedback_row(case: Case, said: Feedback) -> dict[str, object]:
    return {
        "case": case.id,
        "n": said.n,
        "at": said.at,
        "by": text(said.by),
        "level": said.level.value,
        "colour": said.colour.value,
        "text": text(said.text),
        "reading": text(said.reading),
        "person": text(said.person),
        "files": jsonb(said.files),
    }


def _event(change: CaseTransition) -> dict[str, object]:
    return {
        "case": change.case.id,
        "n": change.case.n,
        "at": change.at,
        "event": change.event,
        "source": change.source.value,
        "target": change.target.value,
        "before": change.colour.value,
        "by": optional_text(change.by),
        "comment": optional_text(change.comment),
        "body": jsonb(change.case),
    }


def _step_row(step: EscalationStep) -> dict[str, object]:
    return {
        "case": step.case,
        "no": step.no,
        "n": step.n,
        "colour": step.colour.value,
        "role": text(step.role),
        "level": step.level.value,
        "after_s": step.after_s,
        "due": step.due,
        "left_s": step.left_s,
        "mark_at": step.mark.at,
        "mark_elapsed": step.mark.elapsed,
        "mark_boot": text(step.mark.boot),
        "outcome": step.outcome.value,
        "done": step.done,
        "by": optional_text(step.by),
        "clock": None if step.clock is None else step.clock.value,
        "since": step.since,
        "unnamed": step.unnamed,
        "duty": step.duty.value,
    }


def _case(row: Sequence[Any]) -> Case:
    identity, source, number, enterprise, state, colour, worst, opened, seen, unknown = row[:10]
    n, left_blue, risen, receipts, alarms, released, released_by, closed, loop = row[10:]
    return Case(
        identity,
        source,
        number,
        enterprise,
        CaseState(state),
        Colour(colour),
        Colour(worst),
        opened,
        seen,
        unknown,
        n,
        left_blue,
        risen,
        msgspec.convert(receipts, tuple[Receipt, ...]),
        tuple(alarms),
        released,
        released_by,
        closed,
        msgspec.convert(loop, Loop),
    )


def _step(row: Sequence[Any]) -> EscalationStep:
    case, no, n, colour, role, level, after_s, due, left_s = row[:9]
    *mark, outcome, done, by, clock, since, unnamed, duty = row[9:]
    return EscalationStep(
        case,
        no,
        n,
        Colour(colour),
        role,
        Level(level),
        after_s,
        due,
        left_s,
        ClockReading(*mark),
        Outcome(outcome),
        done,
        by,
        None if clock is None else Level(clock),
        since,
        unnamed,
        Duty(duty),
    )
