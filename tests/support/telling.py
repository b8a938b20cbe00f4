"""A source under watch, its worker's messenger, and people with channels, on simulated time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from prometheus_client import CollectorRegistry

from alerts.channels.channel import DeliveryError
from alerts.people import Contacts
from domain.alarms import Kind, Notice
from domain.plant import TagKind
from domain.roster import Shift
from hazwatch.messenger import Messenger
from hazwatch.metrics import WorkerMetrics
from storage.database import DatabaseOptions
from tests.support.builders import START, at, registry, tag
from tests.support.clock import ManualClock
from tests.support.warned import Watched

NOWHERE = DatabaseOptions("postgresql://nobody@127.0.0.1:1/none")
LEVEL, GAS = 1, 2
PLANT = registry(
    tag(LEVEL, limits={Kind.H: 8.0, Kind.HH: 9.0}, safety_critical=True),
    tag(
        GAS,
        kind=TagKind.GAS_TOXIC,
        unit="ppm",
        range=(0.0, 100.0),
        limits={Kind.H: 20.0, Kind.HH: 40.0},
    ),
)
Mood = Callable[[float, Notice], str]
"""What a channel does at a second after START: takes, refuses, answers 500, breaks or hangs."""


@dataclass
class Line:
    """A channel of any name: keeps what it was asked to send, and does what its mood says."""

    clock: ManualClock
    mood: Mood = lambda _, __: "takes"
    tried: list[tuple[float, Notice, str]] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        does = self.mood(self.clock.elapsed(), notice)
        self.tried.append((self.clock.elapsed(), notice, does))
        match does:
            case "takes":
                return
            case "hangs":
                await asyncio.get_running_loop().create_future()
            case "breaks":
                raise RuntimeError("a bug of the channel")
            case said:
                raise DeliveryError(said)


class Room:
    """The worker's part of telling. `tell` is what the channels did, in order."""

    def __init__(self, contacts: Contacts, mood: Mood = lambda _, __: "takes") -> None:
        self.clock = ManualClock(START)
        self.watched = Watched(PLANT, contacts=contacts)  # type: ignore[arg-type]
        self.line = Line(self.clock, mood)
        self.decided: set[UUID] = set()
        self.while_asking: Callable[[], object] = lambda: None
        self.metrics = CollectorRegistry()
        self.messenger = Messenger(
            dict.fromkeys(("webhook", "mqtt", "log", "apprise"), self.line),
            lambda notice: self.watched.warnings.wanted(notice),
            lambda: True,
            self.clock,
            NOWHERE,
            WorkerMetrics(self.metrics),
            lambda notice, now: self.watched.warnings.sending(notice, now),
            self._decided,
        )
        self._known: set[UUID] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Room"]:
        """While the messenger runs."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.messenger.run())
            yield self
            assert not running.done()
            running.cancel()

    async def wait(self, seconds: int, pace: int = 1) -> None:
        """Let so much time pass and no more, with ticks of the worker."""
        for passed in range(0, seconds, pace):
            step = min(pace, seconds - passed)
            self.pass_on()
            await self.clock.advance(step)
            self.watched.wait(step, step)
        self.pass_on()
        await self.clock.settle()

    def pass_on(self) -> None:
        """What the worker has told of goes to the messenger."""
        fresh = [one for id, one in self.watched.notices.items() if id not in self._known]
        self._known |= {one.id for one in fresh}
        self.messenger.add(fresh)

    def rungs(self, role: str) -> list[tuple[float, Notice, str]]:
        """(second, notice, what the channel did) of a role's rungs; without what has no rung."""
        return [
            (second, notice, did)
            for second, notice, did in self.line.tried
            if notice.body["role"] == role and notice.step is not None
        ]

    def attempts(self, role: str) -> list[tuple[float, str, str]]:
        """(second, person or address, what the channel did) of a role's rungs."""
        return [
            (round(second), notice.person or notice.recipient, did)
            for second, notice, did in self.rungs(role)
        ]

    async def _decided(self) -> Collection[UUID]:
        self.while_asking()
        return self.decided


@dataclass
class Table:
    """A roster of (person, begin, end) in seconds after START."""

    rows: tuple[tuple[str, int, int], ...]
    name: str = "week.ics"

    def shifts(self, begin: object, end: object) -> list[Shift]:
        """All of them; whoever asks picks."""
        return [Shift(who, at(first), at(last)) for who, first, last in self.rows]


def hour(seconds: int) -> str:
    """The wall clock in UTC, as quiet hours are written."""
    return f"{START + timedelta(seconds=seconds):%H:%M}"
