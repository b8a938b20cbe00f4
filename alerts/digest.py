"""Digests 汇总: in a flood one address gets so many notices in a minute, and the rest as one. Pure.

Only what may wait folds: alarms of P2 to P4 that are neither gas, oxygen, fire, interlock, utility
or detector fault nor beyond HH or LL. Never P1, never a rung of a ladder, never hot work, never a
drill, never what is not known here.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid5

from alerts.drill import is_drill
from domain.alarms import NAMESPACE, Notice
from domain.instant import rfc3339

OVER = 10
"""Notices to one address within `WITHIN_S`; what is more folds."""
WITHIN_S = 60.0
GATHER_S = 10.0
"""The first digest waits so long for its members; each further one `WITHIN_S` after the last."""
PEOPLE = frozenset({"apprise"})
"""Channels that people read; programs get every notice."""
MAY_WAIT = frozenset({"P2", "P3", "P4"})
ALONE = frozenset(
    {
        *("GAS_L1", "GAS_L2", "O2_LOW", "O2_HIGH", "FIRE", "SIS_TRIP", "UTILITY"),
        *("DETECTOR_FAULT", "INTERMITTENT", "VOTE", "VOTE_UNKNOWN", "SELF_TEST", "NO_ROOM"),
    }
)
"""Classes of alarms that never fold."""
ALONE_KINDS = frozenset({"HH", "LL"})


@dataclass(slots=True)
class _Line:
    """One address. sent: elapsed seconds at which something left for it, within the last minute."""

    sent: deque[float] = field(default_factory=deque)
    held: list[Notice] = field(default_factory=list)
    due: float = 0.0
    last: float = float("-inf")


class Digest:
    """Decides what leaves singly and what together, on elapsed seconds.

    over: see `OVER`; channels: those that people read. What it holds is a row of the database like
    every notice that waits: a restart takes it up again.
    """

    def __init__(self, over: int = OVER, channels: frozenset[str] = PEOPLE) -> None:
        self._over = over
        self._channels = channels
        self._lines: dict[tuple[str, str], _Line] = {}

    @property
    def held(self) -> int:
        """Notices that wait for their digest."""
        return sum(len(line.held) for line in self._lines.values())

    def fold(self, due: Iterable[Notice], elapsed: float) -> list[tuple[Notice, ...]]:
        """What leaves now: tuples of one are sent as they are, longer ones as `digest`.

        due: notices whose time has come, each given once; those neither in this answer nor in an
        earlier one are held, and come with a later call, an empty one too.
        """
        leaving: list[tuple[Notice, ...]] = []
        for notice in due:
            line = self._line(notice, elapsed)
            if line is None:
                leaving.append((notice,))
            elif may_fold(notice) and (line.held or len(line.sent) >= self._over):
                if not line.held:
                    line.due = max(elapsed + GATHER_S, line.last + WITHIN_S)
                line.held.append(notice)
            else:
                line.sent.append(elapsed)
                leaving.append((notice,))
        for line in self._lines.values():
            if line.held and line.due <= elapsed:
                leaving.append(tuple(line.held))
                line.held = []
                line.last = elapsed
                line.sent.append(elapsed)
        self._forget(elapsed)
        return leaving

    def _line(self, notice: Notice, elapsed: float) -> _Line | None:
        if notice.channel not in self._channels:
            return None
        line = self._lines.setdefault((notice.channel, notice.recipient), _Line())
        while line.sent and line.sent[0] <= elapsed - WITHIN_S:
            line.sent.popleft()
        return line

    def _forget(self, elapsed: float) -> None:
        quiet = elapsed - WITHIN_S
        self._lines = {
            address: line
            for address, line in self._lines.items()
            if line.held or (line.sent and line.sent[-1] > quiet)
        }


def may_fold(notice: Notice) -> bool:
    """Whether a notice may come in a digest instead of by itself."""
    body, alarm = notice.body, notice.body.get("alarm")
    if body.get("type") != "alarm" or notice.step is not None or is_drill(body):
        return False
    if not isinstance(alarm, Mapping):
        return False
    return (
        alarm.get("priority") in MAY_WAIT
        and alarm.get("class") not in ALONE
        and alarm.get("kind") not in ALONE_KINDS
    )


def digest(members: Sequence[Notice], at: datetime) -> Notice:
    """The one notice that stands for several to one address; the same members give the same id."""
    lead = min(members, key=lambda notice: (notice.created, str(notice.id)))
    ids = sorted(str(notice.id) for notice in members)
    body: dict[str, object] = {
        "type": "digest",
        "count": len(members),
        "by_priority": _by_priority(members),
        "causes": _causes(members),
        "first": _first(lead),
        "from": rfc3339(lead.created),
        "to": rfc3339(max(notice.created for notice in members)),
        "notices": ids,
        "text": f"报警汇总 {len(members)} further notices, first 首条: {lead.body.get('text', '')}",
        "sent": rfc3339(at),
    }
    id = uuid5(NAMESPACE, f"digest/{'/'.join(ids)}")
    return Notice(id, lead.occurrence, lead.channel, lead.recipient, body, at)


def _by_priority(members: Sequence[Notice]) -> dict[str, int]:
    """How many of each priority, the most urgent first."""
    said = sorted(str(_alarm(notice)["priority"]) for notice in members)
    return {priority: said.count(priority) for priority in dict.fromkeys(said)}


def _causes(members: Sequence[Notice]) -> list[dict[str, object]]:
    """By enterprise and hazard source, the most frequent first: whose flood it is."""
    counts: dict[tuple[str, str], int] = {}
    names: dict[tuple[str, str], object] = {}
    for notice in members:
        alarm = _alarm(notice)
        cause = str(alarm.get("enterprise", "")), str(alarm.get("source", ""))
        counts[cause] = counts.get(cause, 0) + 1
        names.setdefault(cause, notice.body.get("source_name") or alarm.get("name"))
    ranked = sorted(counts, key=lambda cause: (-counts[cause], cause))
    return [
        {"enterprise": of[0], "source": of[1], "name": names[of], "count": counts[of]}
        for of in ranked
    ]


def _first(lead: Notice) -> dict[str, object]:
    """Of the earliest member what a line about it needs."""
    kept = {name: _alarm(lead).get(name) for name in ("name", "class", "kind", "priority")}
    return {**kept, "source_name": lead.body.get("source_name")}


def _alarm(notice: Notice) -> Mapping[str, Any]:
    """The alarm of a notice that may fold."""
    alarm = notice.body["alarm"]
    assert isinstance(alarm, Mapping), "only notices of alarms fold"
    return alarm
