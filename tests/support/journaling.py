"""Entries, and a journal with ears, for tests of the write side."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np
from prometheus_client import CollectorRegistry

from domain.alarms import (
    Alarm,
    Kind,
    Notice,
    OutboxEvent,
    Priority,
    State,
    Transition,
    event_id,
    notice_id,
    occurrence_id,
)
from domain.clock import SystemClock
from domain.frame import Frame, Lane
from domain.instant import micros
from ingest.batch import Batch, Count, LedgerDelta
from storage.database import Connection, DatabaseOptions, connect
from storage.journal import Entry, Journal, JournalOptions, Stored
from storage.lease import Fence, take
from storage.notices import Attempt, note_attempts
from storage.spool import Spool
from tests.support.builders import START, at
from tests.support.seed import Plant

DEADLINE_S = 30
QUICK = JournalOptions(group_s=0.0, retry_first_s=0.02, retry_most_s=0.1)
LONG = timedelta(hours=1)


def unique(name: object) -> UUID:
    return uuid5(NAMESPACE_OID, str(name))


def transition(plant: Plant, second: float, n: int = 1) -> Transition:
    """The raise of an occurrence that began `second` seconds after START (n: its next changes)."""
    tag = plant.tags[0][0]
    onset = at(second)
    alarm = Alarm(
        occurrence_id(Lane.LIVE, tag, Kind.HH, onset),
        Lane.LIVE,
        Kind.HH,
        tag,
        plant.sources[0],
        plant.enterprises[0],
        Priority.P1,
        State.UNACK if n == 1 else State.ACKED,
        onset,
        onset,
        9.5,
        float("nan"),
        9.5 + n,
        n=n,
    )
    source = State.NORM if n == 1 else State.UNACK
    return Transition(alarm, source, alarm.state, "raise" if n == 1 else "acknowledge", onset)


def event(change: Transition) -> OutboxEvent:
    alarm = change.alarm
    body: dict[str, object] = {"limit": alarm.limit, "n": alarm.n}
    identity = event_id(alarm.id, alarm.n)
    return OutboxEvent(identity, "alarm", change.at, alarm.enterprise, alarm.node, alarm.tag, body)


def notice(change: Transition) -> Notice:
    alarm = change.alarm
    identity = notice_id(alarm.id, alarm.n, "raise", "desk", "webhook")
    return Notice(identity, alarm.id, "webhook", "desk", {"n": alarm.n}, change.at)


async def said(
    conn: Connection,
    one: Notice,
    outcome: str,
    second: float,
    error: str | None = None,
    due: float | None = None,
) -> bool:
    """Keep what became of a look at a notice; whether the notice is there. second, due: after
    START."""
    later = None if due is None else at(due)
    made = Attempt(one.id, at(second), outcome, one.channel, one.recipient, 0, error, later)
    (there,) = await note_attempts(conn, [made])
    return there


def batch(plant: Plant, seq: int, frame: Frame) -> Batch:
    """What one message with this frame brings, of the first gateway."""
    gateway = plant.gateways[0]
    return Batch(
        frame,
        np.full(len(frame), gateway, np.int32),
        ledger=(LedgerDelta(gateway, "b1", ((seq, seq),), 0, 0, frame.received),),
        counts={gateway: Count(1, messages_decoded=1, values_decoded=len(frame))},
        handles=(object(),),
    )


def entry(plant: Plant, number: int, samples: int = 3) -> Entry:
    """An alarm, its event and notice, and a message of `samples` samples at the same second."""
    change = transition(plant, number)
    tags = np.resize(np.array([plant.tags[0][0], plant.tags[0][1]], np.int32), samples)
    spread = np.arange(samples) // 2
    frame = Frame.of(
        tags,
        micros(at(number)) + spread,
        np.linspace(0, 1, samples),
        received=micros(START) + number,
    )
    return Entry(
        number, (change,), (event(change),), (notice(change),), batch=batch(plant, number, frame)
    )


class Ears:
    """What the journal said, and a way to wait for it."""

    def __init__(self) -> None:
        self.told: list[Entry] = []
        self.safe: list[Entry] = []
        self.stored: list[tuple[Entry, Stored]] = []
        self._heard = asyncio.Event()

    def on_told(self, said: Entry) -> None:
        self.told.append(said)
        self._heard.set()

    def on_safe(self, said: Entry) -> None:
        self.safe.append(said)
        self._heard.set()

    def on_stored(self, said: Entry, stored: Stored) -> None:
        self.stored.append((said, stored))
        self._heard.set()

    @property
    def told_numbers(self) -> list[int]:
        return [said.number for said in self.told]

    @property
    def safe_numbers(self) -> list[int]:
        return [said.number for said in self.safe]

    @property
    def stored_numbers(self) -> list[int]:
        return [said.number for said, _ in self.stored]

    async def until_stored(self, entries: int) -> None:
        await self.until(lambda heard: len(heard.stored) >= entries)

    async def until(self, true: Callable[["Ears"], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not true(self):
                self._heard.clear()
                await self._heard.wait()


async def leased(url: str, holder: str = "here") -> Fence:
    """The lease of shard main, under a new epoch."""
    async with await connect(DatabaseOptions(url)) as conn:
        fence = await take(conn, "main", holder, START, LONG)
    assert fence is not None
    return fence


@asynccontextmanager
async def journal(
    url: str,
    spool: Path | Spool,
    epoch: int,
    ears: Ears,
    options: JournalOptions = QUICK,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[Journal]:
    """A journal on its own, not running; `spool` may be a folder for one."""
    with spool if isinstance(spool, Spool) else Spool(spool) as spool:
        yield Journal(
            database=DatabaseOptions(url, connect_s=2),
            spool=spool,
            clock=SystemClock(),
            shard="main",
            epoch=epoch,
            on_told=ears.on_told,
            on_safe=ears.on_safe,
            on_stored=ears.on_stored,
            options=options,
            registry=registry,
        )


@asynccontextmanager
async def running(book: Journal) -> AsyncIterator[None]:
    """The journal at work; it is stopped at the end, as a kill would stop it."""
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(book.run(), name="journal")
        yield
        work.cancel()


async def ask(conn: Connection, statement: str, *arguments: object) -> Sequence[tuple[object, ...]]:
    """All rows of a statement of a test."""
    return await (await conn.execute(statement.encode(), arguments)).fetchall()
