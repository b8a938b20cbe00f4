"""Rules over several tags once more: one thing after the other, in plain Python.

Times are integer microseconds. A finding is (edge, kind, onset, effective).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.alarms import Finding
from domain.instant import SECOND, micros

Told = tuple[str, str, int, int]
GOOD, UNDER, OVER = 192, 85, 86


@dataclass
class Reading:
    """A sample as it arrives."""

    tag: int
    at: int
    value: float
    quality: int = GOOD

    @property
    def good(self) -> bool:
        return self.quality >= GOOD and self.value == self.value

    @property
    def starting(self) -> float:
        if self.value != self.value:
            return self.value
        ends = {OVER: float("inf"), UNDER: float("-inf")}
        return ends.get(self.quality, self.value)


@dataclass
class Condition:
    """Begins after one delay, ends after another."""

    kind: str
    on: int = 0
    off: int = 0
    onset: int | None = None
    due: int | None = None

    def look(self, when: int, begins: bool, holds: bool) -> list[Told]:
        active = self.onset is not None
        runs = not holds if active else begins
        if not runs:
            self.due = None
            return []
        if self.due is None:
            self.due = when + (self.off if active else self.on)
        if self.due > when:
            return []
        due, self.due = self.due, None
        if self.onset is not None:
            began, self.onset = self.onset, None
            return [("RETURNED", self.kind, began, due)]
        self.onset = due - self.on
        return [("RAISED", self.kind, self.onset, due)]


@dataclass
class Row:
    """Some tags, what is known of them, and the clock. silence: microseconds by tag id."""

    silence: dict[int, int]
    grace: int
    clock: int = 0
    heard: dict[int, int] = field(default_factory=dict)
    behind: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    begun: bool = False

    def hear(self, reading: Reading) -> None:
        raise NotImplementedError

    def look(self, when: int) -> list[Told]:
        raise NotImplementedError

    def own(self) -> int | None:
        raise NotImplementedError

    def until(self, tag: int) -> int:
        return max(self.heard.get(tag, self.grace), self.grace) + self.silence[tag]

    def sample(self, reading: Reading, received: int) -> list[Told]:
        out = self.run(max(self.clock, min(reading.at, received)))
        self.clock = max(self.clock, min(reading.at, received))
        self.heard[reading.tag] = reading.at
        self.behind[reading.tag] = received - reading.at
        if self.until(reading.tag) >= self.clock:
            self.hear(reading)
            out += self.look(self.clock)
        return out

    def tick(self, wall: int) -> list[Told]:
        least = min(self.behind.values(), default=0)
        behind = [b for tag, b in self.behind.items() if b - least <= self.silence[tag]]
        return self.run(wall - max([0, *behind]))

    def run(self, until: int) -> list[Told]:
        out: list[Told] = []
        if not self.begun:
            self.begun, self.clock = True, self.grace
            out += self.look(self.grace)
        while True:
            leaving = {tag: self.until(tag) for tag in self.silence if tag not in self.gone}
            first = min((at for at in leaving.values() if at < until), default=None)
            own = self.own()
            if own is not None and own <= until and (first is None or own <= first):
                when = own
            elif first is not None:
                when = first
                self.gone |= {tag for tag, at in leaving.items() if at == first}
            else:
                return out
            self.clock = max(self.clock, when)
            out += self.look(when)


class Plant:
    """Rows by node id; frames as the engine takes them."""

    def __init__(self, rows: dict[int, Row]) -> None:
        self.rows = rows
        self.last: dict[int, int] = {}

    def frame(self, readings: Sequence[Reading], received: int) -> list[tuple[int, Told]]:
        out = []
        for reading in readings:
            if reading.at <= self.last.get(reading.tag, -(2**62)):
                continue
            self.last[reading.tag] = reading.at
            for node, row in self.rows.items():
                if reading.tag in row.silence:
                    out += [(node, told) for told in row.sample(reading, received)]
        return out

    def tick(self, wall: int) -> list[tuple[int, Told]]:
        return [(node, told) for node, row in self.rows.items() for told in row.tick(wall)]


def told(findings: Iterable[Finding], kinds: Iterable[str]) -> list[tuple[int, Told]]:
    """Findings of the engine of some kinds, in the words of the reference."""
    return [
        (f.node or 0, (f.edge.name, f.kind.name, micros(f.onset), micros(f.effective)))
        for f in findings
        if f.kind.name in kinds
    ]


def by_subject(found: Iterable[tuple[int, Told]]) -> dict[tuple[int, str], list[Told]]:
    """Of each node and kind, in order."""
    out: dict[tuple[int, str], list[Told]] = {}
    for node, one in found:
        out.setdefault((node, one[1]), []).append(one)
    return out


def us(seconds: float) -> int:
    return round(seconds * SECOND)
