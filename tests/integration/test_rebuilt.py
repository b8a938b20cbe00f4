"""What a start reads from the journal is what the worker has in memory: alarms, cases, rungs."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from prometheus_client import CollectorRegistry

from domain.alarms import Kind, Transition
from domain.cases import Case, Level
from hazwatch.warnings import Told
from storage.alarms import read_known
from storage.cases import read_known_cases, read_steps
from storage.commits import Commits
from storage.database import Connection, DatabaseOptions, connect, link
from storage.entry import Entry
from storage.metrics import JournalMetrics
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.journaling import leased
from tests.support.seed import Seed
from tests.support.warned import Watched

Shown = Mapping[object, str]


class Journaled(Watched):
    """What it keeps waits as entries for the journal."""

    def _changed(self, changes: list[Transition]) -> None:
        self._entry(transitions=tuple(changes))
        super()._changed(changes)

    def _keep(self, told: Told) -> None:
        self._entry(
            cases=tuple(told.cases),
            steps=tuple(told.steps),
            notices=tuple(told.notices),
            events=tuple(told.events),
            risks=tuple(told.risks),
        )
        super()._keep(told)

    def _entry(self, **parts: object) -> None:
        self.__dict__.setdefault("entries", []).append(parts)

    def entries_since(self, number: int) -> list[Entry]:
        """Those that were not taken yet, numbered on."""
        waiting = self.__dict__.pop("entries", [])
        return [Entry(number + k, **parts) for k, parts in enumerate(waiting)]

    def alive(self) -> tuple[Shown, Shown, Shown]:
        """Open occurrences, open cases and their rungs, as the worker has them in memory."""
        cases = self.warnings._cases.open()
        rungs = [step for one in cases for step in self.warnings._escalation.steps(one.id)]
        return (
            {alarm.id: repr(alarm) for alarm in self.book.open()},
            {one.id: _shown(one) for one in cases},
            {(step.case, step.no): repr(step) for step in rungs},
        )


def _shown(case: Case) -> str:
    """The score goes with each transition, not with the case."""
    return repr(replace(case, score=None, model=""))


async def rebuilt(conn: Connection) -> tuple[Shown, Shown, Shown]:
    """The same from the database."""
    alarms = await read_known(conn, None, START)
    cases = [one for one in await read_known_cases(conn) if one.closed is None]
    rungs = await read_steps(conn, [one.id for one in cases])
    return (
        {alarm.id: repr(alarm) for alarm in alarms if alarm.closed is None},
        {one.id: _shown(one) for one in cases},
        {(step.case, step.no): repr(step) for step in rungs},
    )


def chapters(watched: Journaled, level: int, gas: int) -> Mapping[str, Callable[[], object]]:
    """A night in steps; after each what is written down is compared."""

    def loop() -> None:
        watched.act("receive", Level.ENTERPRISE, "li")
        watched.act("receive", Level.PARK, "chen")
        watched.loop()

    def over() -> None:
        watched.returns(Kind.HH, gas)
        watched.acknowledge()
        watched.reset()
        watched.wait(3600, 300)

    return {
        "a level": lambda: watched.raises(Kind.H, level, 85.0),
        "a leak": lambda: watched.raises(Kind.HH, gas, 50.0),
        "nobody answers": lambda: watched.wait(400, 20),
        "the loop": loop,
        "it worsens": lambda: watched.raises(Kind.HH, level, 95.0),
        "killed": watched.kill,
        "it is quiet": over,
        "on it goes": lambda: watched.wait(120, 40),
    }


async def test_after_every_step_of_a_night_the_journal_has_what_the_worker_has(database_url: str):
    plant = Seed(database_url).plant()
    level, gas = plant.tags[0]
    watched = Journaled(plant.registry)
    fence = await leased(database_url)
    commits = Commits(fence, ManualClock(at(0)), JournalMetrics(CollectorRegistry()))
    number = 0
    options = DatabaseOptions(database_url)
    async with link(options) as line, await connect(options) as conn:
        for name, happens in chapters(watched, level, gas).items():
            happens()
            entries = watched.entries_since(number)
            number += len(entries)
            for entry in entries:
                await commits.alarm_parts(line, [entry])
            alive = watched.alive()
            assert await rebuilt(conn) == alive, name
            # Written once more, from any point, nothing changes.
            await commits.alarm_parts(line, entries[len(entries) // 2 :])
            assert await rebuilt(conn) == alive, name
    assert len(watched.cases) >= 1
