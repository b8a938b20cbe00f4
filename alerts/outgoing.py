"""Which notice goes out when: priority first, retries 30, 60, 120 s later; then that of an alarm is
given up, that of a rung goes on every 120 s for as long as it is wanted. Pure; the worker sends."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from uuid import UUID

from domain.alarms import Notice, Priority, Transition, notice_id
from domain.instant import rfc3339

RETRY_AFTER_S = (30.0, 60.0, 120.0)
"""Waits between attempts (domain proposal: three repeats, then the next channel; here a person of
the ladder is tried on the same one, and an alarm's address is given up and shown)."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that wants alarms. priorities: which; enterprise: only of this one, None = of
    all."""

    url: str
    priorities: frozenset[Priority]
    enterprise: int | None = None


def notices(
    transitions: Iterable[Transition], bodies: Iterable[dict[str, object]], hooks: Iterable[Webhook]
) -> list[Notice]:
    """One notice for each transition and each webhook that wants it; `bodies` are the transitions'
    events."""
    wanted = tuple(hooks)
    return [
        Notice(
            notice_id(change.alarm.id, change.alarm.n, change.event, hook.url, "webhook"),
            change.alarm.id,
            "webhook",
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
    """What became of one attempt. retry_s: seconds until the next, None = none (delivered, or given
    up). needless: it was not sent, for nobody needed it any more."""

    notice: Notice
    attempts: int
    error: str | None
    retry_s: float | None
    needless: bool = False

    @property
    def outcome(self) -> str:
        """delivered, failed, given up or withdrawn."""
        if self.error is not None:
            return "given up" if self.retry_s is None else "failed"
        return "withdrawn" if self.needless else "delivered"


class Outgoing:
    """Notices waiting for their time, on elapsed seconds (a step of the wall clock moves none of
    them).

    Unbounded in memory on purpose: each is also a row, and silence is worse than memory. A notice
    that is already
    waiting or being sent is not taken twice.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str, int, Notice]] = []
        self._known: set[UUID] = set()
        self._attempts: dict[UUID, int] = {}
        self._order = 0

    def __len__(self) -> int:
        return len(self._known)

    def put(self, notice: Notice, due: float, attempts: int = 0) -> None:
        """Send at elapsed second `due` or later; `attempts` were made already."""
        if notice.id in self._known:
            return
        self._known.add(notice.id)
        self._attempts[notice.id] = attempts
        self._push(notice, due)

    def take(self, elapsed: float, room: int) -> list[Notice]:
        """At most `room` notices that are due, the most urgent first among those due together."""
        due: list[tuple[str, int, Notice]] = []
        while self._heap and self._heap[0][0] <= elapsed:
            _, urgency, order, notice = heappop(self._heap)
            due.append((urgency, order, notice))
        due.sort(key=lambda entry: entry[:2])
        for _, _, notice in due[room:]:
            self._push(notice, elapsed)
        return [notice for _, _, notice in due[:room]]

    def sent(self, notice: Notice) -> Delivery:
        """The notice arrived."""
        attempts = self._attempts.pop(notice.id) + 1
        self._known.discard(notice.id)
        return Delivery(notice, attempts, None, None)

    def withdrawn(self, notice: Notice) -> Delivery:
        """The notice was not sent."""
        return replace(self.sent(notice), needless=True)

    def failed(self, notice: Notice, error: str, elapsed: float) -> Delivery:
        """The attempt failed: again after the next wait; an alarm's is given up after the last."""
        attempts = self._attempts[notice.id] + 1
        if attempts > len(RETRY_AFTER_S) and notice.step is None:
            del self._attempts[notice.id]
            self._known.discard(notice.id)
            return Delivery(notice, attempts, error, None)
        self._attempts[notice.id] = attempts
        wait = RETRY_AFTER_S[min(attempts, len(RETRY_AFTER_S)) - 1]
        self._push(notice, elapsed + wait)
        return Delivery(notice, attempts, error, wait)

    def _push(self, notice: Notice, due: float) -> None:
        self._order += 1
        heappush(self._heap, (due, _urgency(notice), self._order, notice))


_OF_COLOUR = {"red": "P0", "orange": "P1", "yellow": "P2"}


def _urgency(notice: Notice) -> str:
    colour = notice.body.get("colour")
    if notice.step is not None:
        return _OF_COLOUR.get(str(colour), "P9")
    alarm = notice.body.get("alarm")
    return str(alarm.get("priority", "P9")) if isinstance(alarm, dict) else "P9"
