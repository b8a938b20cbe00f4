"""Acknowledgement overdue 确认超时: an alarm that its console has not acknowledged within the
policy's `ack` is told to others of the enterprise (domain.md 4.4: "before the in-plant escalation
fires"; the ladder names whom). Pure; the worker sends.

It moves no state. It is told once for each time that the alarm waits: one that came back before
anybody acknowledged goes on waiting; one that sounds again after an acknowledgement waits anew.
Never of what a flag silences, nor to park or bureau: tag alarms are the enterprise's. Nor of what
lies under a lost source or gateway, as long as it does: that one is told.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from heapq import heappop, heappush
from uuid import UUID

from alerts.asking import UNACKNOWLEDGED, ack_by, waiting_since
from alerts.case_notices import LOG, addressed, or_log
from alerts.people import Contacts, Recipient, holders
from domain.alarms import Alarm, Notice
from domain.elapsed import ClockReading
from domain.escalation import Ladder, Role
from domain.instant import micros, rfc3339
from domain.plant import Registry

LOOK_AGAIN_S = 10.0
"""What is late but lies under another is looked at so often."""


class AckWatch:
    """Which alarms wait too long, on elapsed seconds: a step of the wall clock moves nothing."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, UUID]] = []
        self._since: dict[UUID, int] = {}

    def saw(self, registry: Registry, alarms: Iterable[Alarm], now: ClockReading) -> None:
        """These occurrences changed, or are open after a start."""
        for alarm in alarms:
            since = waiting_since(alarm)
            if since is None:
                self._since.pop(alarm.id, None)
            elif self._since.get(alarm.id) != micros(since):
                self._since[alarm.id] = micros(since)
                left = (ack_by(registry, alarm, since) - now.at).total_seconds()
                heappush(self._due, (now.elapsed + left, micros(since), alarm.id))

    def overdue(
        self,
        find: Callable[[UUID], Alarm | None],
        now: ClockReading,
        lies: Callable[[UUID], bool] = lambda _: False,
    ) -> list[tuple[Alarm, datetime]]:
        """What has waited too long since the last call, and since when it waits. find: as they are
        now, None: closed. lies: whether one lies under what is lost; it is told later."""
        found: list[tuple[Alarm, datetime]] = []
        while self._due and self._due[0][0] <= now.elapsed:
            _, since, id = heappop(self._due)
            alarm = find(id)
            if alarm is None:
                self._since.pop(id, None)
                continue
            waits = waiting_since(alarm)
            if waits is None or not micros(waits) == since == self._since.get(id):
                continue
            if lies(id):
                heappush(self._due, (now.elapsed + LOOK_AGAIN_S, since, id))
            else:
                found.append((alarm, waits))
        return found


def overdue_notices(
    ladder: Ladder,
    registry: Registry,
    contacts: Contacts,
    alarm: Alarm,
    since: datetime,
    body: dict[str, object],
    at: datetime,
) -> list[Notice]:
    """The notices of an alarm that waits since then, one for each person or address of the ladder's
    roles; none where the ladder names nobody for its priority. body: what a notice of the alarm
    says.

    The same wait gives each of them the same id, however often it is asked.
    """
    named = ladder.unacknowledged
    if named is None or alarm.priority not in named.priorities:
        return []
    found: dict[object, tuple[Recipient, list[Role]]] = {}
    for role in named.roles:
        held = holders(contacts, registry, role.code, alarm.node, at)
        for one in or_log(held, role.code):
            key = one.person.code if one.person else one.ways
            found.setdefault(key, (one, []))[1].append(role)
    late = round((at - since).total_seconds() / 60)
    why = f"unacknowledged since {micros(since)}"
    return [
        addressed(
            alarm.id,
            0,
            why,
            one,
            body
            | {
                "transition": None,
                "reason": UNACKNOWLEDGED,
                "waits_since": rfc3339(since),
                "role": roles[0].code,
                "role_name": ", ".join(role.name for role in roles),
                "unnamed": one.person is None and one.ways[0].channel == LOG,
                "text": f"确认超时 not acknowledged for {late} min: {alarm.text}",
                "sent": rfc3339(at),
            },
            at,
        )
        for one, roles in found.values()
    ]
