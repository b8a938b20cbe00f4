"""The rows of a message against what is remembered of its gateway's clock and its tags' times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from ingest.clocks import WRONG_AFTER, GatewayClock, Heard, Verdict, What, judge
from ingest.judged import JudgedTimes
from ingest.message import Message
from ingest.placing import Rows, placed
from ingest.sender import FRESH, Hearing, Sender


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else counts in judging a message, as of the batch that it may join.

    arrived: when it came in. known: its payload came before. reused: its seq counts anew under an
    old boot. absent_since, held_back_since: see `clocks.judge`.
    """

    arrived: int
    absent_since: int | None
    known: bool
    reused: bool
    held_back_since: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A message's rows, judged and placed, but not remembered yet.

    anew: tags whose times begin anew, so that nothing after `floor` counts as judged; None: none.
    """

    rows: Rows
    hearing: Hearing
    clock: GatewayClock
    verdict: Verdict
    anew: NDArray[np.int32] | None
    floor: int


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
        clock, verdict = judge(sender.clock, heard, now.absent_since, now.held_back_since)
    anew = sender.ids if verdict.restart else rows.ids if hearing.freed else None
    floor = min(now.arrived, int(rows.raw[-1])) - WRONG_AFTER
    if anew is not None:
        event = event.copy()
        event[anew] = np.minimum(event[anew], floor)
    rows = placed(
        rows,
        verdict,
        now.arrived,
        event,
        sender.last_raw,
        historical=message.historical,
        plain=hearing.plain,
    )
    return Judgement(rows, hearing, clock, verdict, anew, floor)


def runs_back(found: Judgement, event: Ints, *, historical: bool) -> bool:
    """Whether the rows may lie before rows of the same tags that were judged already."""
    if found.anew is not None:
        return True
    if historical or (found.verdict.trusted and not found.verdict.at_received):
        return False
    rows = found.rows
    before = rows.time <= event[rows.ids]
    return bool((before if rows.history is None else before & ~rows.history).any())


def remember(found: Judgement, message: Message, sender: Sender, times: JudgedTimes) -> None:
    """Make the judgement part of what later messages are judged by."""
    if found.hearing.plain:
        return
    sender.clock = found.clock
    if found.anew is not None:
        times.forget(found.anew, found.floor)
    if found.verdict.restart:
        sender.forget()
    rows = found.rows
    live = None if rows.history is None else ~rows.history
    if live is None:
        times.event[rows.ids] = rows.time
    else:
        times.event[rows.ids[live]] = rows.time[live]
    if not message.historical:
        sender.remember(rows.slots, rows.raw, rows.value, live)
        if not found.verdict.restart:
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
        now.arrived,
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
        sender.count(rows.slots, hearing.behind)
    elif not hearing.back:
        sender.count(rows.slots, 0)
