"""Digests 汇总: in a flood one address gets so many notices in a minute, and the rest as one. Pure.

What lies under another alarm (docs/noise.md) never comes singly, in a flood of notices or not. That
a tag is silent, or speaks again, waits for a minute: the others behind its gateway follow, and they
are one notice then; or its source turns out to be lost, which is one notice too.

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
SILENCE_S = 60.0
"""Notices of OFFLINE wait so long for one another: as long as SOURCE_OFFLINE waits (domain.md 4.4),
and much less than there is to acknowledge them (30 min)."""
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
    """One address. sent: elapsed seconds at which something left for it, within the last minute.
    silences: of OFFLINE; they leave together at `speaks`."""

    sent: deque[float] = field(default_factory=deque)
    held: list[Notice] = field(default_factory=list)
    due: float = 0.0
    last: float = float("-inf")
    silences: list[Notice] = field(default_factory=list)
    speaks: float = 0.0

    def hold(self, notices: Iterable[Notice], elapsed: float) -> None:
        """Keep these for the next digest."""
        if not self.held:
            self.due = max(elapsed + GATHER_S, self.last + WITHIN_S)
        self.held += notices

    def wait(self, notice: Notice, elapsed: float) -> None:
        """Keep this one for others of its kind."""
        if not self.silences:
            self.speaks = elapsed + SILENCE_S
        self.silences.append(notice)


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
        return sum(len(line.held) + len(line.silences) for line in self._lines.values())

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
            elif may_fold(notice) and _alarm(notice).get("kind") == "OFFLINE":
                line.wait(notice, elapsed)
            elif may_fold(notice) and (self._full(line) or _cause(notice)):
                line.hold([notice], elapsed)
            else:
                line.sent.append(elapsed)
                leaving.append((notice,))
        for line in self._lines.values():
            if line.silences and line.speaks <= elapsed:
                if self._full(line):
                    line.hold(line.silences, elapsed)
                else:
                    leaving.append(tuple(line.silences))
                    line.sent.append(elapsed)
                line.silences = []
            if line.held and line.due <= elapsed:
                leaving.append(tuple(line.held))
                line.held = []
                line.last = elapsed
                line.sent.append(elapsed)
        self._forget(elapsed)
        return leaving

    def _full(self, line: _Line) -> bool:
        return bool(line.held) or len(line.sent) >= self._over

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
            if line.held or line.silences or (line.sent and line.sent[-1] > quiet)
        }


def may_fold(notice: Notice) -> bool:
    """Whether a notice may come in a digest instead of by itself."""
    body, alarm = notice.body, notice.body.get("alarm")
    if body.get("type") != "alarm" or notice.step is not None or is_drill(body):
        return False
    if body.get("alone") is True:
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
    causes = _causes(members)
    body: dict[str, object] = {
        "type": "digest",
        "count": len(members),
        "by_priority": _by_priority(members),
        "causes": causes,
        "first": _first(lead),
        "from": rfc3339(lead.created),
        "to": rfc3339(max(notice.created for notice in members)),
        "notices": ids,
        "text": f"报警汇总 {len(members)} further notices{_consequential(causes)}, "
        f"first 首条: {lead.body.get('text', '')}",
        "sent": rfc3339(at),
    }
    id = uuid5(NAMESPACE, f"digest/{'/'.join(ids)}")
    return Notice(id, lead.occurrence, lead.channel, lead.recipient, body, at)


def _by_priority(members: Sequence[Notice]) -> dict[str, int]:
    """How many of each priority, the most urgent first."""
    said = sorted(str(_alarm(notice)["priority"]) for notice in members)
    return {priority: said.count(priority) for priority in dict.fromkeys(said)}


def _causes(members: Sequence[Notice]) -> list[dict[str, object]]:
    """By what they lie under, the rest by enterprise and hazard source, the most frequent first:
    whose flood it is. under: id of the cause, null where they lie under nothing."""
    counts: dict[tuple[str, str, str], int] = {}
    names: dict[tuple[str, str, str], object] = {}
    for notice in members:
        alarm, cause = _alarm(notice), _cause(notice)
        key = str(alarm.get("enterprise", "")), str(alarm.get("source", "")), ""
        name = notice.body.get("source_name") or alarm.get("name")
        if cause:
            key, name = (*key[:2], str(cause.get("id", ""))), cause.get("name")
        counts[key] = counts.get(key, 0) + 1
        names.setdefault(key, name)
    ranked = sorted(counts, key=lambda key: (-counts[key], key))
    return [
        {"enterprise": key[0], "source": key[1], "name": names[key], "count": counts[key]}
        | {"under": key[2] or None}
        for key in ranked
    ]


def _cause(notice: Notice) -> Mapping[str, Any]:
    """What an alarm lay under when its notice was made; empty: nothing."""
    cause = notice.body.get("cause")
    return cause if isinstance(cause, Mapping) else {}


def _consequential(causes: Iterable[Mapping[str, object]]) -> str:
    under = [one for one in causes if one["under"] is not None]
    said = (
        f"; {one['name']} +{one['count']} consequential 其下 {one['count']} 条" for one in under
    )
    return "".join(said)


def _first(lead: Notice) -> dict[str, object]:
    """Of the earliest member what a line about it needs."""
    kept = {name: _alarm(lead).get(name) for name in ("name", "class", "kind", "priority")}
    return {**kept, "source_name": lead.body.get("source_name")}


def _alarm(notice: Notice) -> Mapping[str, Any]:
    """The alarm of a notice that may fold."""
    alarm = notice.body["alarm"]
    assert isinstance(alarm, Mapping), "only notices of alarms fold"
    return alarm
