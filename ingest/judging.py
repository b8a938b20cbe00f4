"""The rows of a message against what is remembered of its gateway's clock and its tags' times."""

from dataclasses import dataclass

import numpy as np

from domain.frame import Ints
from ingest.clocks import WRONG_AFTER, GatewayClock, Heard, Verdict, What, judge
from ingest.judged import JudgedTimes
from ingest.message import Message
from ingest.placing import Rows, placed
from ingest.sender import FRESH, Hearing, Sender


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else counts in judging a message, as of the batch that it may join.

    received: the batch's stamp. known: its payload came before. reused: its seq counts anew under
    an old boot.
    """

    received: int
    absent_since: int | None
    known: bool
    reused: bool


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A message's rows, judged and placed, but not remembered yet.

    floor: if the tags' times begin anew, nothing after it counts as judged; else None.
    """

    rows: Rows
    hearing: Hearing
    clock: GatewayClock
    verdict: Verdict
    floor: int | None


def judged(
    rows: Rows, message: Message, sender: Sender, event: Ints, now: Circumstances
) -> Judgement:
    """What becomes of the rows; changes nothing. event: as `JudgedTimes.event`."""
    hearing = FRESH
    if not message.historical:
        numbered = message.seq is not None
        hearing = sender.hear(rows.slots, rows.raw, rows.value, numbered=numbered, known=now.known)
    if hearing.plain:
        clock, verdict = sender.clock, _same_as_before(sender.clock)
    else:
        heard = _heard(rows, message, sender, hearing, now)
        clock, verdict = judge(sender.clock, heard, now.absent_since)
    floor = None
    if verdict.restart:
        floor = min(now.received, int(rows.raw[-1])) - WRONG_AFTER
        event = event.copy()
        event[sender.ids] = np.minimum(event[sender.ids], floor)
    rows = placed(
        rows,
        verdict,
        now.received,
        event,
        historical=message.historical,
        plain=hearing.plain,
    )
    return Judgement(rows, hearing, clock, verdict, floor)


def runs_back(found: Judgement, event: Ints, *, historical: bool) -> bool:
    """Whether the rows may lie before rows of the same tags that were judged already."""
    if found.floor is not None:
        return True
    if found.verdict.trusted or historical:
        return False
    return bool((found.rows.time <= event[found.rows.ids]).any())


def remember(found: Judgement, message: Message, sender: Sender, times: JudgedTimes) -> None:
    """Make the judgement part of what later messages are judged by."""
    if found.hearing.plain:
        return
    sender.clock = found.clock
    if found.floor is not None:
        times.forget(sender.ids, found.floor)
        sender.forget()
    rows = found.rows
    live = None if rows.history is None else ~rows.history
    if live is None:
        times.event[rows.ids] = rows.time
    else:
        times.event[rows.ids[live]] = rows.time[live]
    if not message.historical:
        sender.remember(rows.slots, rows.raw, rows.value, live)
        if found.floor is None:
            _count_behind(found.hearing, rows, message, sender)


def _heard(
    rows: Rows, message: Message, sender: Sender, hearing: Hearing, now: Circumstances
) -> Heard:
    ordered, offset = True, None
    ledger = None if now.reused else sender.ledgers.find(message.boot)
    if ledger is not None and message.seq is not None:
        last = ledger.seen.last
        ordered = last is None or message.seq > last
        offset = ledger.offset_of(message.seq)
    return Heard(
        now.received,
        int(rows.raw[-1]),
        message.sent,
        message.historical,
        hearing.still,
        hearing.back,
        hearing.behind,
        ordered,
        offset,
    )


def _same_as_before(clock: GatewayClock) -> Verdict:
    """The verdict on a plain repeat: as it was stored the first time, it is a duplicate."""
    return Verdict(clock.offset, What.RIGHT, False, False, None, 0)


def _count_behind(hearing: Hearing, rows: Rows, message: Message, sender: Sender) -> None:
    if hearing.still or (hearing.back and message.sent is None):
        sender.behind[rows.slots] = hearing.behind
    elif hearing is FRESH and sender.behind.any():
        sender.behind[rows.slots] = 0
