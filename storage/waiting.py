"""`Waiting`: entries that are not safe yet, in order, and who waits for a change of them."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, islice

from domain.clock import Clock
from storage.entry import Entry
from storage.metrics import JournalMetrics


class Waiting:
    """What was put and is neither in the database nor on the local disk.

    `untold`: its alarm parts are not committed. `unstored`: they are, its batch is not.
    """

    def __init__(self, clock: Clock, metrics: JournalMetrics) -> None:
        self.untold: deque[Entry] = deque()
        self.unstored: deque[Entry] = deque()
        self.weight = 0
        """Samples and alarm parts."""
        self.unstored_weight = 0
        """Of those that are unstored."""
        self._clock = clock
        self._metrics = metrics
        self._came: deque[float] = deque()
        self._looking: list[asyncio.Future[None]] = []

    def __iter__(self) -> Iterator[Entry]:
        return chain(self.unstored, self.untold)

    def put(self, entry: Entry) -> None:
        """The newest entry."""
        self.untold.append(entry)
        self._came.append(self._clock.elapsed())
        self._weigh(entry.weight)

    def told(self, count: int) -> None:
        """The alarm parts of the first `count` that are untold are committed."""
        for _ in range(count):
            entry = self.untold.popleft()
            self.unstored.append(entry)
            self.unstored_weight += entry.weight
        self.changed()

    def safe(self) -> Entry:
        """The oldest entry is safe, and leaves."""
        entry = self.unstored.popleft() if self.unstored else None
        if entry is not None:
            self.unstored_weight -= entry.weight
        else:
            entry = self.untold.popleft()
        self._came.popleft()
        self._weigh(-entry.weight)
        return entry

    def behind(self, taken: int) -> Iterator[Entry]:
        """Those that are unstored but for the first `taken`."""
        return islice(self.unstored, taken, None)

    @property
    def oldest_s(self) -> float:
        """How long the oldest entry has waited, in seconds; 0 where there is none."""
        return self._clock.elapsed() - self._came[0] if self._came else 0.0

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when something is true that can only become so by a change."""
        while not true():
            change = asyncio.get_running_loop().create_future()
            self._looking.append(change)
            await change

    async def until_or(self, true: Callable[[], bool], seconds: float) -> None:
        """The same, or when so much time has passed."""
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        sleep.add_done_callback(lambda _: self.changed())
        try:
            await self.until(lambda: sleep.done() or true())
        finally:
            sleep.cancel()

    def changed(self) -> None:
        """Let everybody who waits look again."""
        looking, self._looking = self._looking, []
        for change in looking:
            if not change.done():
                change.set_result(None)

    def _weigh(self, weight: int) -> None:
        self.weight += weight
        self._metrics.queued.set(self.weight)
        self.changed()
