"""Which notice goes out when, and by which channel. Pure; the worker sends.

| attempts that failed | the next one                                                            |
|----------------------|-------------------------------------------------------------------------|
| 1, 2, 3 on a channel | the same channel, 30, 60, 120 s later                                   |
| 4 on a channel       | the next channel of that person, at once                                |
| 4 on each channel    | of a rung, rise or 核实, of P1 or P2 that wait for acknowledgement, of  |
|                      | hot work near gas: all round again, one attempt every 120 s while it is |
|                      | wanted;                                                                 |
|                      | of anything else: given up, and shown                                   |

Notices with the same address wait for one another: at most `AT_ONCE` of them are under way, the
most urgent first. So an address that hangs or refuses delays what is for itself, and nothing else.
What may leave as one (`alerts.joining`) is taken together.

An address hears of an alarm in the order in which it happened, as far as `alerts.order` says.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from urllib.parse import urlsplit
from uuid import UUID

from alerts.asking import asks
from alerts.channels import WEBHOOK
from alerts.drill import is_drill
from alerts.joining import likeness
from alerts.order import Order
from domain.alarms import Notice, Priority, Transition, notice_id
from domain.instant import rfc3339

RETRY_AFTER_S = (30.0, 60.0, 120.0)
"""Waits between attempts on one channel (domain proposal: three repeats, then the next channel)."""
ON_ONE = 1 + len(RETRY_AFTER_S)
"""Attempts on one channel before the next."""
AT_ONCE = 8
"""Attempts under way at the same time at one server."""
DONE = 100_000
"""So many notices that arrived are remembered, so that neither a hand-over nor who finds the same
hot work after a restart tells them again."""

Lane = tuple[str, str]
"""A channel, and the server behind an address on it."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that wants alarms. priorities: which; enterprise: only of this one, None = of
    all; channel: webhook, or apprise for people."""

    url: str
    priorities: frozenset[Priority]
    enterprise: int | None = None
    channel: str = WEBHOOK


def notices(
    transitions: Iterable[Transition], bodies: Iterable[dict[str, object]], hooks: Iterable[Webhook]
) -> list[Notice]:
    """One notice for each transition and each webhook that wants it; `bodies` are the transitions'
    events."""
    wanted = tuple(hooks)
    return [
        Notice(
            notice_id(change.alarm.id, change.alarm.n, change.event, hook.url, hook.channel),
            change.alarm.id,
            hook.channel,
            hook.url,
            {**body, "sent": rfc3339(change.at)},
            change.at,
        )
        for change, body in zip(transitions, bodies, strict=True)
        for hook in wanted
        if change.event != "worsen"
        and change.alarm.priority in hook.priorities
        and hook.enterprise in (None, change.alarm.enterprise)
    ]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one attempt, or of one look at a notice.

    notice: with the channel and address of this attempt. attempts: made so far. retry_s: seconds
    until the next, None = none (delivered, or given up). needless: it was not sent, for nobody
    needed it any more. held_s: it is held back so long. heirs: it goes to these instead.
    """

    notice: Notice
    attempts: int
    error: str | None
    retry_s: float | None
    needless: bool = False
    held_s: float | None = None
    heirs: tuple[Notice, ...] = ()

    @property
    def outcome(self) -> str:
        """delivered, failed, given up, withdrawn, held or handed over."""
        if self.held_s is not None:
            return "held"
        if self.heirs:
            return "handed over"
        if self.error is not None:
            return "given up" if self.retry_s is None else "failed"
        return "withdrawn" if self.needless else "delivered"

    @property
    def rank(self) -> int:
        """Which of a person's channels it was, from 0."""
        ways = _ways(self.notice)
        here = self.notice.channel, self.notice.recipient
        return ways.index(here) if here in ways else 0


class Outgoing:
    """Notices waiting for their time, on elapsed seconds (a step of the wall clock moves none of
    them).

    Unbounded in memory on purpose: each is also a row, and silence is worse than memory. A notice
    that is already waiting or being sent is not taken twice, nor one that has arrived.
    """

    def __init__(self) -> None:
        self._later: list[tuple[float, int, Notice]] = []
        self._ready: dict[Lane, list[tuple[str, int, Hashable]]] = {}
        self._alike: dict[Hashable, list[Notice]] = {}
        self._line = Order()
        self._busy: Counter[Lane] = Counter()
        self._lanes: dict[UUID, Lane] = {}
        self._attempts: dict[UUID, int] = {}
        self._done: dict[UUID, None] = {}
        self._order = 0

    def __len__(self) -> int:
        return len(self._attempts)

    def put(self, notice: Notice, due: float, attempts: int = 0) -> bool:
        """Send at elapsed second `due` or later; `attempts` were made already. Whether it is one
        more."""
        if notice.id in self._attempts or notice.id in self._done:
            return False
        self._attempts[notice.id] = attempts
        self._line.came(notice)
        self._wait(notice, due)
        return True

    def remember(self, notices: Iterable[UUID]) -> None:
        """These have arrived: they are not sent again. What was remembered longest is forgotten."""
        for notice in notices:
            self._done[notice] = None
        while len(self._done) > DONE:
            del self._done[next(iter(self._done))]

    def arrived(self, notice: UUID) -> bool:
        """Whether it has arrived, as far as is remembered."""
        return notice in self._done

    def attempts(self, notice: UUID) -> int:
        """How often one that waits was tried."""
        return self._attempts.get(notice, 0)

    def take(self, elapsed: float, at_once: int = AT_ONCE) -> list[Notice]:
        """What is to be tried now, the most urgent first, with channel and recipient of this
        attempt; at most `at_once` at one server, but what may leave as one is never parted. Each
        has to come back by one of the methods below."""
        while self._later and self._later[0][0] <= elapsed:
            _, order, notice = heappop(self._later)
            self._make_ready(self.addressed(notice), order)
        self._line.look(elapsed)
        self._look_again()
        taken: list[tuple[str, int, list[Notice]]] = []
        for lane, waiting in list(self._ready.items()):
            while waiting and self._busy[lane] < at_once:
                urgency, order, like = heappop(waiting)
                together = self._alike.pop(like)
                first = not self._attempts[together[0].id]
                may = self._line.may_leave((order, together[0]), elapsed, first=first)
                self._look_again()
                if not may:
                    continue
                self._busy[lane] += len(together)
                self._lanes |= dict.fromkeys((notice.id for notice in together), lane)
                taken.append((urgency, order, together))
            if not waiting:
                del self._ready[lane]
        taken.sort(key=lambda entry: entry[:2])
        return [notice for *_, together in taken for notice in together]

    def _make_ready(self, notice: Notice, order: int) -> None:
        """It waits for its server alone, beside those that it may leave with."""
        like = likeness(notice)
        together = self._alike.setdefault(like, [])
        if not together:
            entry = _urgency(notice), order, like
            heappush(self._ready.setdefault(_lane(notice), []), entry)
        together.append(notice)

    def _look_again(self) -> None:
        """What the order of its line held back until now waits for its server again."""
        freed, self._line.freed = self._line.freed, []
        for order, notice in freed:
            self._make_ready(self.addressed(notice), order)

    def is_superseded(self, notice: Notice) -> bool:
        """Whether what it says of an alarm is over, and the address has heard better."""
        return self._line.is_superseded(notice)

    def addressed(self, notice: Notice) -> Notice:
        """With channel and recipient of its next attempt."""
        ways, attempts = _ways(notice), self._attempts.get(notice.id, 0)
        whole = ON_ONE * len(ways)
        rank = attempts // ON_ONE if attempts < whole else (attempts - whole) % len(ways)
        channel, recipient = ways[rank]
        return replace(notice, channel=channel, recipient=recipient)

    def sent(self, notice: Notice) -> Delivery:
        """The notice arrived."""
        attempts = self._leave(notice) + 1
        self.remember([notice.id])
        return Delivery(notice, attempts, None, None)

    def withdrawn(self, notice: Notice) -> Delivery:
        """Nobody needs it any more."""
        return Delivery(notice, self._leave(notice), None, None, needless=True)

    def park(self, notice: Notice) -> None:
        """It waits for others, to leave with them (`alerts.digest`): its server is free meanwhile,
        and it comes back by `sent`, `withdrawn` or `failed`."""
        self._free(notice)
        self._line.aside(notice)

    def handed_over(self, notice: Notice, heirs: Iterable[Notice], elapsed: float) -> Delivery:
        """It is not sent: others are told instead, at once, but for those who were told already."""
        left = tuple(heir for heir in heirs if not self.arrived(heir.id))
        attempts = self._leave(notice)
        for heir in left:
            self.put(heir, elapsed)
        return Delivery(notice, attempts, None, None, needless=True, heirs=left)

    def held(self, notice: Notice, seconds: float, elapsed: float) -> Delivery:
        """Not now: look again after `seconds`; no attempt was made."""
        self._free(notice)
        self._line.tried(notice)
        self._wait(notice, elapsed + seconds)
        return Delivery(notice, self._attempts[notice.id], None, seconds, held_s=seconds)

    def failed(self, notice: Notice, error: str, elapsed: float) -> Delivery:
        """The attempt failed; what comes next stands in the table above."""
        attempts = self._attempts[notice.id] + 1
        spent = attempts >= ON_ONE * len(_ways(notice))
        if spent and not _insists(notice):
            self._leave(notice)
            return Delivery(notice, attempts, error, None)
        self._free(notice)
        self._attempts[notice.id] = attempts
        self._line.tried(notice)
        wait = RETRY_AFTER_S[-1] if spent else (0.0, *RETRY_AFTER_S)[attempts % ON_ONE]
        self._wait(notice, elapsed + wait)
        return Delivery(notice, attempts, error, wait)

    def _leave(self, notice: Notice) -> int:
        self._free(notice)
        self._line.done(notice)
        return self._attempts.pop(notice.id)

    def _free(self, notice: Notice) -> None:
        lane = self._lanes.pop(notice.id, None)
        if lane is not None:
            self._busy[lane] -= 1

    def _wait(self, notice: Notice, due: float) -> None:
        self._order += 1
        heappush(self._later, (due, self._order, notice))


def _ways(notice: Notice) -> tuple[tuple[str, str], ...]:
    return notice.ways or ((notice.channel, notice.recipient),)


def _lane(notice: Notice) -> Lane:
    """Topics and words have one server, the broker or the log; of a URL it is its host, or all of
    it where that is a key."""
    if "://" not in notice.recipient:
        return notice.channel, ""
    try:
        parts = urlsplit(notice.recipient)
        return notice.channel, f"{parts.scheme}://{parts.hostname}"
    except ValueError:
        return notice.channel, notice.recipient


PERMIT_HOLDER = "permit"
"""The role in notices to those who do hot work near gas; no ladder knows it."""
RISEN = "risen"
"""Reason of notices that say how grave a warning is now, with a rung or without."""
VERIFIED = "verified"
"""Reason of the line to those told 待核实: somebody has verified the red."""
ENDINGS = ("fallen", "closed")
"""Reasons of notices that ask for nothing to be done at once."""
_OF_COLOUR = {"red": "P0", "orange": "P1", "yellow": "P2"}


def _insists(notice: Notice) -> bool:
    """Whether it is tried for as long as somebody needs it."""
    grave = asks(notice) and _urgency(notice) in (Priority.P1, Priority.P2)
    return _climbs(notice) or grave or notice.body.get("role") == PERMIT_HOLDER


def _climbs(notice: Notice) -> bool:
    return notice.step is not None or notice.body.get("reason") in (RISEN, VERIFIED)


def _urgency(notice: Notice) -> str:
    colour = notice.body.get("colour")
    if is_drill(notice.body):
        return "P8"
    if notice.body.get("reason") in ENDINGS:
        return "P4"
    if notice.body.get("role") == PERMIT_HOLDER:
        return "P1"
    if _climbs(notice):
        return _OF_COLOUR.get(str(colour), "P9")
    alarm = notice.body.get("alarm")
    return str(alarm.get("priority", "P9")) if isinstance(alarm, dict) else "P9"
