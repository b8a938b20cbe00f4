"""The clocks of gateways: a value per gateway, judged by one message after the other.

What a message's times are compared with is `ref`: `sent`, else its newest time.

| clock | when | stored under | evaluated at |
|---|---|---|---|
| right | ref within 60 s of received | its time | its time; received where untimely |
| wrong | ref > 60 s off | time + (received - ref) | stored time; received where untimely |
| stuck | newest time stands still | received | received |
| backwards | newest time runs back | its time | received |

Untimely: the newest time of the message is more than 60 s from received. A newest time more than
60 s ahead makes a clock wrong, whatever `sent` says; then only what lies ahead is pulled back.

Standing still and running back are seen against what the gateway sent *for the same tags*. A
sender whose `sent` goes on rising delivers late data, its clock is sound; a first message that
does not advance may be late, or a conflict. `ordered` False (its seq is below one seen before)
always means late.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.instant import SECOND

WRONG_AFTER = 60 * SECOND
"""A clock is wrong when it is further off than this; so is a time that lies further ahead."""
STILL_AFTER = 2
"""Messages in a row that must not advance before a clock is held to stand still or run back."""
OFFSET_SLACK = 5 * SECOND
"""A run keeps its offset while the offset of a message alone is at most this much greater."""
RIGHT_AFTER = 60 * SECOND
"""A clock is said to be right again when it has given no trouble for so long."""
ZONE = 8 * 3600 * SECOND
"""China Standard Time: local time sent as UTC is wrong by this much."""
ZONE_SLACK = 300 * SECOND


class What(StrEnum):
    """What is said of a clock."""

    RIGHT = "right"
    WRONG = "wrong"
    ZONE = "zone"
    STUCK = "stuck"
    BACKWARDS = "backwards"


@dataclass(frozen=True, slots=True)
class GatewayClock:
    """What is remembered of a gateway's clock. Times in microseconds.

    sent: of the last live message. offset: what the last message was shifted by, 0 if it was not.
    what, error, said_at: the last finding. trouble_at: when the clock was last not right.
    absence: the last absence of ours that it knows of; excused_from: set while messages may be
    old because the broker held them; lag, lag_at: the least age of them so far, and when it was
    reached.
    """

    sent: int | None = None
    offset: int = 0
    held: What = What.RIGHT
    what: What = What.RIGHT
    error: int = 0
    said_at: int = 0
    trouble_at: int = 0
    absence: int | None = None
    excused_from: int | None = None
    lag: int = 0
    lag_at: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message tells of a clock.

    still: its newest time is one that the gateway sent before for these tags. back: it is older
    than one. behind: messages in a row, this one included, of which that was so. known_offset: of
    the run of seq that the message belongs to, from the ledger.
    """

    received: int
    newest: int
    sent: int | None = None
    historical: bool = False
    still: bool = False
    back: bool = False
    behind: int = 0
    ordered: bool = True
    known_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a message is stored and evaluated.

    offset: microseconds to add to its times. trusted: its times can be compared with what was
    judged before; else all of it is judged. restart: what was remembered of its tags' times no
    longer counts. finding: what to say of the clock now, None if nothing changed. error: its
    clock minus ours, microseconds.
    """

    offset: int
    held: What
    at_received: bool
    restart: bool
    finding: What | None
    error: int

    @property
    def trusted(self) -> bool:
        """Whether the clock is right."""
        return self.held is What.RIGHT


def judge(
    clock: GatewayClock,
    heard: Heard,
    absent_since: int | None = None,
    held_back_since: int | None = None,
) -> tuple[GatewayClock, Verdict]:
    """Judge a message by its gateway's clock.

    absent_since: when we ourselves last stopped listening. Messages from then on that the broker
    held for us count as received when they were sent, up to the gateway's first message that
    comes in time, or until their age has not shrunk for a minute: then it is the clock after all.
    held_back_since: since when the broker has been holding messages back because we are too slow, 0
    where that is not known, None: it does not. As long as it does, a clock that was right and runs
    on counts as right, however old its messages get.
    """
    ref = heard.newest if heard.sent is None else heard.sent
    clock, arrived = _arrival(clock, heard, ref, absent_since, held_back_since)
    error = ref - arrived
    ahead = heard.newest + (heard.known_offset or 0) - arrived
    held = _held(clock, heard, error, ahead)
    if abs(error) <= WRONG_AFTER < ahead:
        error = ahead
    offset = _offset(clock, heard, held, arrived - ref)
    finding = _finding(clock, held, error, heard.received)
    restart = held is What.BACKWARDS or (
        held is What.RIGHT and clock.held is What.WRONG and not heard.historical
    )
    untimely = not heard.historical and (
        held in (What.STUCK, What.BACKWARDS) or abs(ahead) > WRONG_AFTER
    )
    verdict = Verdict(offset, held, untimely, restart, finding, error)
    return _next(clock, heard, verdict), verdict


def _arrival(
    clock: GatewayClock,
    heard: Heard,
    ref: int,
    absent_since: int | None,
    held_back_since: int | None,
) -> tuple[GatewayClock, int]:
    """When the message would have come, had we been there, and had time for it."""
    received = heard.received
    if absent_since is not None and absent_since != clock.absence:
        start = absent_since if clock.excused_from is None else clock.excused_from
        clock = replace(
            clock,
            absence=absent_since,
            excused_from=min(start, absent_since),
            lag=received - ref,
            lag_at=received,
        )
    lag = received - ref
    if lag > WRONG_AFTER and _runs_on(clock, heard, ref, held_back_since):
        start = ref if clock.excused_from is None else min(clock.excused_from, ref)
        return replace(clock, excused_from=start, lag=lag, lag_at=received), ref
    if clock.excused_from is None:
        return clock, received
    if abs(lag) <= WRONG_AFTER:
        return replace(clock, excused_from=None), received
    if ref < clock.excused_from - WRONG_AFTER or ref > received + WRONG_AFTER:
        return clock, received
    if lag < clock.lag - SECOND:
        return replace(clock, lag=lag, lag_at=received), ref
    if received - clock.lag_at > WRONG_AFTER:
        return replace(clock, excused_from=None), received
    return clock, ref


def _runs_on(clock: GatewayClock, heard: Heard, ref: int, held_back_since: int | None) -> bool:
    """Whether an old message is one that the broker held back, by a clock that was right and ran on
    since; one that was never heard must have sent it meanwhile."""
    if held_back_since is None or clock.held is not What.RIGHT or heard.still or heard.back:
        return False
    if clock.sent is None or heard.sent is None:
        return ref >= held_back_since - WRONG_AFTER
    return heard.sent >= clock.sent


def _held(clock: GatewayClock, heard: Heard, error: int, ahead: int) -> What:
    """Which row of the module's table the message belongs to."""
    wrong = abs(error) > WRONG_AFTER
    if heard.historical:
        return What.WRONG if heard.sent is not None and wrong else What.RIGHT
    comparable = wrong or clock.held is not What.WRONG
    if heard.ordered and comparable and (heard.still or heard.back):
        sent_stands = heard.sent is not None and clock.sent is not None and heard.sent <= clock.sent
        again = sent_stands or heard.behind >= STILL_AFTER
        if heard.still and (again or wrong):
            return What.STUCK
        if not wrong and (sent_stands or (again and heard.sent is None)):
            return What.BACKWARDS
    return What.WRONG if wrong or ahead > WRONG_AFTER else What.RIGHT


def _offset(clock: GatewayClock, heard: Heard, held: What, alone: int) -> int:
    """What the message is shifted by; `alone` is what it would be without its run."""
    if heard.known_offset is not None:
        return heard.known_offset
    if held is not What.WRONG or abs(alone) <= WRONG_AFTER:
        return 0
    if clock.offset != 0 and clock.offset <= alone <= clock.offset + OFFSET_SLACK:
        return clock.offset
    return alone


def _finding(clock: GatewayClock, held: What, error: int, received: int) -> What | None:
    """What has changed and is not said yet. Trouble is said at most once a minute."""
    if held is What.RIGHT:
        quiet = received - clock.trouble_at >= RIGHT_AFTER
        return What.RIGHT if quiet and clock.what is not What.RIGHT else None
    what = held
    if held is What.WRONG and abs(abs(error) - ZONE) <= ZONE_SLACK:
        what = What.ZONE
    if clock.what is What.RIGHT:
        return what
    changed = what is not clock.what or abs(error - clock.error) > WRONG_AFTER
    return what if changed and received - clock.said_at >= RIGHT_AFTER else None


def _next(clock: GatewayClock, heard: Heard, verdict: Verdict) -> GatewayClock:
    said = verdict.finding is not None
    return GatewayClock(
        sent=clock.sent if heard.historical or heard.sent is None else heard.sent,
        offset=clock.offset if heard.historical else _run_offset(verdict),
        held=clock.held if heard.historical else verdict.held,
        what=verdict.finding or clock.what,
        error=verdict.error if said else clock.error,
        said_at=heard.received if said else clock.said_at,
        trouble_at=clock.trouble_at if verdict.trusted else heard.received,
        absence=clock.absence,
        excused_from=clock.excused_from,
        lag=clock.lag,
        lag_at=clock.lag_at,
    )


def _run_offset(verdict: Verdict) -> int:
    return verdict.offset if verdict.held is What.WRONG else 0


def described(what: What, error: int, gateway: str) -> str:
    """A finding as a sentence for people; error in microseconds, gateway as people call it."""
    seconds = abs(error) / SECOND
    direction = "ahead of" if error > 0 else "behind"
    match what:
        case What.RIGHT:
            return f"the clock of gateway {gateway} is right again"
        case What.WRONG:
            return f"the clock of gateway {gateway} is {seconds:.1f} s {direction} ours"
        case What.ZONE:
            return (
                f"the clock of gateway {gateway} is 8 h {direction} ours ({seconds:.1f} s): "
                f"it looks like local time sent as UTC, or the reverse"
            )
        case What.STUCK:
            return f"the clock of gateway {gateway} stands still; its samples get our time"
        case What.BACKWARDS:
            return (
                f"the clock of gateway {gateway} ran backwards; "
                f"it is {seconds:.1f} s {direction} ours"
            )
