"""The order in which an address hears of one alarm of a tag or a node. Pure.

All that one address hears of one alarm is a line.

| a notice                              | waits                                                    |
|---------------------------------------|----------------------------------------------------------|
| any                                   | while the first attempt of another of its line is under  |
|                                       | way, for `PATIENCE_S` at most                            |
| that asks for no acknowledgement,     | and until what its occurrence said before has left       |
| such as a return                      |                                                          |
| the same, once its occurrence has     | for nothing: it is superseded, and is not sent           |
| asked again                           |                                                          |

So the end of an alarm never arrives before its beginning, nor after its beginning anew; what asks
waits for no queue, for no second attempt, and for no address that is slow. Each step costs what it
changes: a receiver that is away for a night may have thousands of notices.
"""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from uuid import UUID

from alerts.asking import asks
from domain.alarms import Notice

PATIENCE_S = 2.0
"""So long is order worth waiting for (hazwatch proposal)."""
Line = Hashable
Held = tuple[int, Notice]
"""A notice and its place in the queue of its server."""


@dataclass(slots=True)
class _Occurrence:
    """What a line says of one occurrence. undone: what is to leave still, with the number under
    which it came; after: what waits for it; asked: the newest that asked and was tried."""

    undone: dict[UUID, int] = field(default_factory=dict)
    after: dict[UUID, Held] = field(default_factory=dict)
    asked: int = -1


class Order:
    """Which notices may leave. `freed` collects those held back that may be looked at again;
    whoever reads it empties it."""

    def __init__(self) -> None:
        self.freed: list[Held] = []
        self._numbers: dict[UUID, int] = {}
        self._came = 0
        self._of: defaultdict[tuple[Line, UUID], _Occurrence] = defaultdict(_Occurrence)
        self._leading: dict[Line, UUID] = {}
        self._turns: dict[Line, list[tuple[int, UUID]]] = {}
        self._waiting: dict[UUID, Held] = {}
        self._until: dict[UUID, float] = {}
        self._deadlines: list[tuple[float, int, UUID]] = []

    def __len__(self) -> int:
        """How many notices are known; for tests of what is left."""
        left = len(self._of), len(self._leading), len(self._turns), len(self._until)
        return len(self._numbers) + len(self._waiting) + sum(left)

    def came(self, notice: Notice) -> None:
        """It is to be sent, after all that came before it."""
        line = line_of(notice)
        if line is not None:
            self._came += 1
            self._numbers[notice.id] = self._came
            self._of[line, notice.occurrence].undone[notice.id] = self._came

    def may_leave(self, held: Held, elapsed: float, *, first: bool) -> bool:
        """Whether it may be tried now; if not, it is kept here until it is freed. first: it is its
        first attempt."""
        _, notice = held
        line, number = line_of(notice), self._numbers.get(notice.id)
        if line is None or number is None or self.is_superseded(notice):
            return True
        said = self._of[line, notice.occurrence]
        if not asks(notice) and min(said.undone.values(), default=number) < number:
            said.after[notice.id] = held
            return False
        patient = elapsed < self._until.get(notice.id, inf)
        if first and patient and line in self._leading:
            self._keep(line, held, elapsed)
            return False
        if asks(notice):
            said.asked = max(said.asked, number)
            self._free(said, [id for id in said.after if self._numbers[id] < number])
        if first:
            self._leading.setdefault(line, notice.id)
        return True

    def is_superseded(self, notice: Notice) -> bool:
        """Whether it asks for nothing, and its occurrence has asked since it came."""
        number, said = self._numbers.get(notice.id), self._of.get(_key(notice))
        return number is not None and said is not None and not asks(notice) and number < said.asked

    def look(self, elapsed: float) -> None:
        """Free what has waited long enough for its turn."""
        while self._deadlines and self._deadlines[0][0] <= elapsed:
            _, _, id = heappop(self._deadlines)
            if (held := self._waiting.pop(id, None)) is not None:
                self.freed.append(held)

    def tried(self, notice: Notice) -> None:
        """It was looked at, and stays."""
        if (number := self._numbers.get(notice.id)) is not None:
            self._of[_key(notice)].undone[notice.id] = number
        self._gives_way(notice)

    def aside(self, notice: Notice) -> None:
        """It waits for something else: meanwhile it stands before nothing."""
        said = self._of.get(_key(notice))
        if said is not None and said.undone.pop(notice.id, None) is not None:
            self._after(notice, said)
        self._gives_way(notice)

    def done(self, notice: Notice) -> None:
        """It has left, or is not to be sent any more."""
        self.aside(notice)
        self._numbers.pop(notice.id, None)
        self._until.pop(notice.id, None)

    def _after(self, notice: Notice, said: _Occurrence) -> None:
        """What its occurrence says next may leave."""
        if not said.undone:
            self._free(said, list(said.after))
            del self._of[_key(notice)]
        elif said.after:
            earliest = min(said.undone.values())
            self._free(said, [id for id in said.after if self._numbers[id] <= earliest])

    def _gives_way(self, notice: Notice) -> None:
        line = line_of(notice)
        if line is not None and self._leading.get(line) == notice.id:
            del self._leading[line]
            self._next(line)

    def _keep(self, line: Line, held: Held, elapsed: float) -> None:
        _, notice = held
        number = self._numbers[notice.id]
        self._waiting[notice.id] = held
        heappush(self._turns.setdefault(line, []), (number, notice.id))
        until = self._until.setdefault(notice.id, elapsed + PATIENCE_S)
        heappush(self._deadlines, (until, number, notice.id))

    def _next(self, line: Line) -> None:
        """Free what came first of those that wait, unless another leads."""
        turns = self._turns.get(line, [])
        while turns and line not in self._leading:
            if (held := self._waiting.pop(heappop(turns)[1], None)) is not None:
                self.freed.append(held)
                break
        if not turns:
            self._turns.pop(line, None)

    def _free(self, said: _Occurrence, ids: list[UUID]) -> None:
        self.freed += [said.after.pop(id) for id in ids]


def happened(notice: Notice) -> tuple[str, int]:
    """Sorts what was said of one alarm at one instant by when it happened: onset of the occurrence,
    number of its change."""
    alarm, change = notice.body.get("alarm"), notice.body.get("transition")
    onset = alarm.get("onset") if isinstance(alarm, dict) else None
    return str(onset or ""), change.get("n", 0) if isinstance(change, dict) else 0


def line_of(notice: Notice) -> Line | None:
    """One address and what it hears of one alarm of a tag or a node; None: its order is no
    matter, as of what tells of no change."""
    alarm, change = notice.body.get("alarm"), notice.body.get("transition")
    if notice.body.get("type") != "alarm" or not isinstance(alarm, dict) or change is None:
        return None
    address = notice.ways[0] if notice.ways else (notice.channel, notice.recipient)
    return address, notice.body.get("node"), alarm.get("tag"), alarm.get("kind")


def _key(notice: Notice) -> tuple[Line | None, UUID]:
    return line_of(notice), notice.occurrence
