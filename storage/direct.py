"""From memory into the database, while it is there and keeps up."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from domain.clock import Clock
from storage.commits import Commits
from storage.database import Link, Refused
from storage.entry import Entry, in_groups, is_wide
from storage.samples import Stored
from storage.waiting import Waiting
from storage.writer import LANES, Writer

LATEST_S = 1.0
"""So long after the last group `tag_latest` is brought up to it."""


class TooSlow(Exception):
    """The database is there, and takes longer than entries may wait."""


class Direct:
    """Commits what waits; `run` ends with whatever stops that, and all in flight still waits.

    speak: people may be told of entries. safe: the oldest entry is in the database, with what
    became of its batch.
    """

    def __init__(
        self,
        waiting: Waiting,
        commits: Commits,
        writer: Writer,
        clock: Clock,
        epoch: int,
        speak: Callable[[Iterable[Entry]], None],
        safe: Callable[[Stored], None],
    ) -> None:
        self._waiting = waiting
        self._commits = commits
        self._writer = writer
        self._clock = clock
        self._epoch = epoch
        self._speak = speak
        self._safe = safe
        self._flying: deque[tuple[Sequence[Entry], asyncio.Task[list[Stored]]]] = deque()
        self._taken = self._taken_weight = 0

    async def run(
        self, alarms: Link, alarm_group: int, group_s: float, group_size: int, slow_s: float
    ) -> None:
        """Raises `DatabaseAway`, `Refused`, `TooSlow` or `LeaseLost`, in a group. See
        `JournalOptions`."""

        async def whole(work: Coroutine[Any, Any, None]) -> None:
            try:
                await work
            except BaseException:
                # Who waits for a server that does not answer would not hear of a cancellation.
                alarms.hang_up()
                self._writer.hang_up()
                raise

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(whole(self._tell(alarms, alarm_group)), name="journal: alarm parts")
            tasks.create_task(whole(self._store(group_s, group_size)), name="journal: batches")
            tasks.create_task(whole(self._watch(slow_s)), name="journal: pace")

    async def _tell(self, line: Link, most: int) -> None:
        """Commit alarm parts as they come."""
        untold = self._waiting.untold
        while True:
            await self._waiting.until(lambda: bool(untold))
            group = [untold[place] for place in range(min(most, len(untold)))]
            await self._commits.alarm_parts(line, group)
            self._speak(group)
            self._waiting.told(len(group))

    async def _store(self, group_s: float, group_size: int) -> None:
        """Commit the batches of entries whose alarm parts are committed, in groups: several at a
        time, each as large as it has become while it had to wait."""
        self._flying.clear()
        self._taken = self._taken_weight = 0
        series = await self._writer.series()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._land()
                if len(self._flying) < LANES and self._left:
                    await self._ripen(group_s, group_size)
                    self._land()
                    group = self._next(group_size)
                    task = tasks.create_task(series.write(self._epoch, group))
                    task.add_done_callback(lambda _: self._waiting.changed())
                    self._flying.append((group, task))
                elif self._flying or not self._writer.latest_waits:
                    await self._waiting.until(self._can_go_on)
                else:
                    await self._waiting.until_or(self._can_go_on, LATEST_S)
                    if not self._left:
                        await series.write_latest()

    @property
    def _left(self) -> bool:
        return len(self._waiting.unstored) > self._taken

    @property
    def _landing(self) -> bool:
        return bool(self._flying) and self._flying[0][1].done()

    def _can_go_on(self) -> bool:
        return self._landing or (self._left and len(self._flying) < LANES)

    async def _ripen(self, group_s: float, group_size: int) -> None:
        """Let a small group grow for a moment, while those on their way land."""

        def full() -> bool:
            return self._waiting.unstored_weight - self._taken_weight >= group_size

        until = self._clock.elapsed() + group_s
        while not full() and any(entry.batch for entry in self._waiting.behind(self._taken)):
            left_s = until - self._clock.elapsed()
            if left_s <= 0:
                return
            await self._waiting.until_or(lambda: full() or self._landing, left_s)
            self._land()

    def _next(self, group_size: int) -> Sequence[Entry]:
        """A group. What takes several transactions goes by way of the spool, which can take up
        where it was."""
        group = next(in_groups(self._waiting.behind(self._taken), group_size))
        if is_wide(group):
            raise Refused(f"entry {group[0].number} has samples of {len(group[0].days)} days")
        self._taken += len(group)
        self._taken_weight += sum(entry.weight for entry in group)
        return group

    def _land(self) -> None:
        """Those at the front that are committed are safe; raises what came of one that is not."""
        while self._landing:
            group, task = self._flying.popleft()
            stored = task.result()
            self._taken -= len(group)
            self._taken_weight -= sum(entry.weight for entry in group)
            for became in stored:
                self._safe(became)

    async def _watch(self, slow_s: float) -> None:
        """Storage gives way before alarms do: an entry that waits for too long, though the way has
        been clear, ends all this."""
        began = self._clock.elapsed()
        while (waits_s := min(self._waiting.oldest_s, self._clock.elapsed() - began)) <= slow_s:
            await self._clock.sleep(slow_s / 10)
        raise TooSlow(f"an entry has waited for {waits_s:.1f} s")
