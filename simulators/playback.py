"""Playing a recording through a gateway: as if it happened now, or as backfill."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from domain.clock import Clock
from simulators.gateway import Gateway
from simulators.message import Sample
from simulators.recording import Row, Unreadable

VALUES_PER_MESSAGE = 2_000
"""Bound of a backfill message; far below the 1 MiB of the wire."""
SHOWN = 5
"""How many troubles of a recording are kept in words."""


@dataclass(slots=True)
class Tally:
    """What became of a recording so far. `troubles`: the first few, in words."""

    rows: int = 0
    unreadable: int = 0
    values: int = 0
    empty: int = 0
    spoilt: int = 0
    messages: int = 0
    first: datetime | None = None
    last: datetime | None = None
    troubles: list[str] = field(default_factory=list)

    def count(self, row: Row | Unreadable) -> None:
        """Take a row in."""
        self.rows += 1
        if isinstance(row, Unreadable):
            self.unreadable += 1
            self._note(f"row {row.number}: {row.reason}")
            return
        self.values += len(row.values)
        self.empty += row.empty
        self.spoilt += len(row.spoilt)
        self.first = row.at if self.first is None else min(self.first, row.at)
        self.last = row.at if self.last is None else max(self.last, row.at)
        for reason in row.spoilt:
            self._note(f"row {row.number}: {reason}")

    def _note(self, text: str) -> None:
        if len(self.troubles) < SHOWN:
            self.troubles.append(text)


async def play_live(
    rows: Iterable[Row | Unreadable], gateway: Gateway, clock: Clock, speed: float, tally: Tally
) -> None:
    """Send each row when its turn comes, dated so: the first row is now.

    With a speed other than 1 the time between rows shrinks in its dates as on the clock, since
    dates that ran ahead of the clock would be taken for a wrong clock. Rates are then `speed` times
    the recorded ones. A row older than its predecessor goes out at once.
    """
    began = clock.now()
    origin: datetime | None = None
    for row in rows:
        tally.count(row)
        if isinstance(row, Row) and row.values:
            origin = origin or row.at
            due = began + (row.at - origin) / speed
            wait_s = (due - clock.now()).total_seconds()
            if wait_s > 0:
                await clock.sleep(wait_s)
            await gateway.put([Sample(due, row.values)])
            tally.messages += 1


async def play_history(rows: Iterable[Row | Unreadable], gateway: Gateway, tally: Tally) -> None:
    """Send all rows under their own times as backfill, as fast as receipts come."""
    samples: list[Sample] = []
    filled = 0
    for row in rows:
        tally.count(row)
        if isinstance(row, Row) and row.values:
            samples.append(Sample(row.at, row.values))
            filled += len(row.values)
        if filled >= VALUES_PER_MESSAGE:
            await _backfill(samples, gateway, tally)
            samples, filled = [], 0
    if samples:
        await _backfill(samples, gateway, tally)


async def _backfill(samples: list[Sample], gateway: Gateway, tally: Tally) -> None:
    await gateway.put(samples, historical=True)
    tally.messages += 1
