"""Inventory, slowly: one sample after the other, in plain Python, without geometry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isnan

from domain.instant import SECOND

ON = OFF = 600 * SECOND
SILENCE = 60 * SECOND


@dataclass
class Tank:
    """design: tonnes at 100 %. most: readings above it are this. gauges: tag -> (last value, time
    of the last good one)."""

    design: float
    most: float
    gauges: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def tonnes(self) -> float | None:
        values = [value for value, _ in self.gauges.values()]
        return max(values) * self.design / 100 if values else None

    def heard(self) -> float:
        return min((good + SILENCE for _, good in self.gauges.values()), default=inf)


@dataclass
class Row:
    """One subject: since when it is over, or under again; when it began."""

    over: int | None = None
    under: int | None = None
    onset: int | None = None
    worst: float = 0.0


class SlowInventory:
    """tanks: by name; of: tag -> tank; design: of the source's only substance. Findings are
    (edge, subject, onset, effective)."""

    def __init__(self, tanks: Mapping[str, Tank], of: Mapping[int, str], design: float) -> None:
        self.tanks, self.of, self.design = tanks, of, design
        self.rows = {name: Row() for name in (*tanks, "source")}
        self.at: dict[str, int] = {}
        self.received: dict[str, int] = {}
        self.found: list[tuple[str, str, int, int]] = []

    def load(self, name: str) -> float | None:
        if name != "source":
            tonnes = self.tanks[name].tonnes
            return None if tonnes is None else tonnes / self.tanks[name].design
        known = [tank.tonnes for tank in self.tanks.values() if tank.tonnes is not None]
        return sum(known) / self.design if known else None

    def heard(self, name: str) -> float:
        tanks = self.tanks.values() if name == "source" else [self.tanks[name]]
        return min(tank.heard() for tank in tanks)

    def sample(self, tag: int, at: int, received: int, value: float, good: bool) -> None:
        name = self.of[tag]
        for subject in (name, "source"):
            now = max(self.at.get(subject, at), at)
            self.run_out(subject, now, None)
        tank = self.tanks[name]
        if not isnan(value):
            value = min(max(value, 0.0), tank.most)
            held, last = tank.gauges.get(tag, (-inf, -inf))
            if good or value > held:
                tank.gauges[tag] = (value, at if good else last)
        for subject in (name, "source"):
            self.weigh(subject, max(self.at.get(subject, at), at))
            if at > self.at.get(subject, -1):
                self.at[subject], self.received[subject] = at, received
        for subject in (name, "source"):
            self.run_out(subject, self.at[subject], self.at[subject])

    def weigh(self, subject: str, now: int) -> None:
        row, load = self.rows[subject], self.load(subject)
        if load is None:
            return
        if row.onset is None:
            row.over = (row.over if row.over is not None else now) if load > 1 + 1e-9 else None
            return
        row.under = (row.under if row.under is not None else now) if load <= 0.98 else None
        if load > row.worst + 0.01:
            row.worst = load
            self.found.append(("WORSE", subject, row.onset, now))

    def run_out(self, subject: str, until: int, earliest: int | None) -> None:
        row = self.rows[subject]
        if row.onset is None and row.over is not None and row.over + ON <= until:
            row.onset, row.worst = row.over, self.load(subject) or 0.0
            self.tell("RAISED", subject, row.over + ON, earliest)
            row.over = None
            return
        due = until + 1 if row.onset is None or row.under is None else row.under + OFF
        if due <= min(until, self.heard(subject)):
            self.tell("RETURNED", subject, due, earliest)
            row.onset = row.under = None

    def tell(self, edge: str, subject: str, due: int, earliest: int | None) -> None:
        onset = self.rows[subject].onset
        assert onset is not None
        self.found.append((edge, subject, onset, max(due, earliest or due)))

    def tick(self, wall: int, subjects: Sequence[str] | None = None) -> None:
        for subject in subjects or list(self.rows):
            if subject in self.at:
                now = self.at[subject] + wall - self.received[subject]
                self.run_out(subject, now, None)
