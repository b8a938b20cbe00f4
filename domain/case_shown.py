"""The loop 闭环 of a warning case on the wire: who did what when, and what is due. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from domain.cases import Attachment, CaseState, Closing, Deed, Drill, Feedback, Loop
from domain.escalation import Ladder, Rungs
from domain.instant import rfc3339
from domain.risk import Colour

Shown = dict[str, object]
COMPLETE = (CaseState.SETTLED, CaseState.CLOSED)


def loop_body(
    ladder: Ladder, state: CaseState, colour: Colour, loop: Loop, signed: datetime | None
) -> Shown:
    """The loop since the last rise. colour: of the source now; signed: when the first 签收 came
    since then, None if none did.

    Absent times and people are null.
    """
    return {
        "rose": _moment(loop.rose),
        "rose_to": loop.rose_to.name.lower(),
        "handled": _deed(loop.handled),
        "feedback": None if loop.feedback is None else feedback_body(loop.feedback),
        "review": _deed(loop.review),
        "closing": None if loop.closing is None else _closing(loop.closing),
        "verified": _deed(loop.verified),
        "gas_l2": loop.gas_l2,
        "deadlines": _deadlines(ladder, state, colour, loop, signed),
    }


def drill_body(drill: Drill | None) -> Shown | None:
    """What a drill 演练 supposes, who ordered it, and how it ended; null where a case is real."""
    if drill is None:
        return None
    return {
        "colour": drill.colour.name.lower(),
        "by": drill.by,
        "level": drill.level.name.lower(),
        "until": rfc3339(drill.until),
        "comment": drill.comment,
        "end": None if drill.end is None else drill.end.value,
    }


def first_signed(receipts: Iterable[tuple[int, datetime]], risen: int) -> datetime | None:
    """When the first 签收 came that is newer than the last rise; receipts: their n and instant."""
    return min((at for n, at in receipts if n > risen), default=None)


def overdue(deadlines: Iterable[Mapping[str, object]], now: datetime) -> list[str]:
    """The duties whose time is over and that nobody has done, by the wall clock."""
    return [
        str(one["duty"])
        for one in deadlines
        if one["done"] is None and datetime.fromisoformat(str(one["due"])) <= now
    ]


def feedback_body(said: Feedback) -> Shown:
    """A feedback with its evidence."""
    return {
        "n": said.n,
        "by": said.by,
        "at": rfc3339(said.at),
        "level": said.level.name.lower(),
        "colour": said.colour.name.lower(),
        "text": said.text,
        "reading": said.reading,
        "person": said.person,
        "files": [_file(one) for one in said.files],
    }


def _deadlines(
    ladder: Ladder, state: CaseState, colour: Colour, loop: Loop, signed: datetime | None
) -> list[Shown]:
    rungs = ladder.colours.get(loop.rose_to)
    if rungs is None or loop.rose is None:
        return []
    fed_back = None if loop.feedback is None else loop.feedback.at
    closed = loop.closing if state in COMPLETE else None
    done = None if closed is None else closed.second_at or closed.at
    asked = [("receive", rungs.receive_within_s, signed), *_verifying(rungs, colour, loop)]
    if rungs.feedback is not None:
        asked.append(("feedback", rungs.feedback.within_s, fed_back))
    if rungs.close is not None:
        asked.append(("close", rungs.close.within_s, done))
    return [
        {
            "duty": duty,
            "within_s": within_s,
            "due": rfc3339(loop.rose + timedelta(seconds=within_s)),
            "done": _moment(when),
        }
        for duty, within_s, when in asked
    ]


def _verifying(
    rungs: Rungs, colour: Colour, loop: Loop
) -> list[tuple[str, float, datetime | None]]:
    """The deadline of 核实: none once red is over that nobody has verified."""
    done = loop.verified
    if rungs.verify is None or (done is None and colour is not Colour.RED):
        return []
    return [("verify", rungs.verify.within_s, None if done is None else done.at)]


def _deed(deed: Deed | None) -> Shown | None:
    if deed is None:
        return None
    return {
        "by": deed.by,
        "at": rfc3339(deed.at),
        "level": deed.level.name.lower(),
        "comment": deed.comment,
    }


def _closing(closing: Closing) -> Shown:
    return {
        "kind": closing.kind.value,
        "by": closing.by,
        "at": rfc3339(closing.at),
        "level": closing.level.name.lower(),
        "reason": closing.reason,
        "second": closing.second,
        "second_at": _moment(closing.second_at),
    }


def _file(one: Attachment) -> Shown:
    return {
        "id": str(one.id),
        "name": one.name,
        "type": one.type,
        "size": one.size,
        "sha256": one.sha256,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
