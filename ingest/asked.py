"""Messages whose senders wait for an answer, from their arrival until the database has them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ingest.batch import Batch, Count
from ingest.http_refusals import Refused, away_meanwhile, unsure


class Tally(Protocol):
    """How many samples had which outcome."""

    @property
    def stored(self) -> int:
        """New ones."""
        ...

    @property
    def duplicate(self) -> int:
        """Those that stand there with the same value."""
        ...

    @property
    def conflict(self) -> int:
        """Those where another value stands, and stays."""
        ...


class Stored(Protocol):
    """What became of the samples of a batch."""

    @property
    def total(self) -> Tally:
        """Over all gateways."""
        ...


@dataclass(frozen=True, slots=True)
class Became:
    """What became of the only message of a batch, which is in the database."""

    batch: Batch
    tally: Tally

    @property
    def count(self) -> Count:
        """Of its gateway, in this batch."""
        (count,) = self.batch.counts.values()
        return count


class Asked:
    """Handle of a message that is alone in its batch. judged: told how many values it had."""

    def __init__(self, judged: Callable[[Batch], None]) -> None:
        self.answer: asyncio.Future[Became] = asyncio.get_running_loop().create_future()
        self.judged = judged

    def became(self, became: Became) -> None:
        """It is in the database."""
        if not self.answer.done():
            self.answer.set_result(became)

    def refuse(self, refused: Refused) -> None:
        """Nobody can say that it is."""
        if not self.answer.done():
            self.answer.set_exception(refused)
            self.answer.exception()


class Waiting:
    """Who waits for what. Bounded by who asks: see `http.Door`."""

    def __init__(self) -> None:
        self._asked: set[Asked] = set()
        self._entries: dict[int, tuple[Asked, Batch]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def add(self, asked: Asked) -> None:
        """Somebody waits from now on."""
        self._asked.add(asked)

    def drop(self, asked: Asked) -> None:
        """Somebody waits no longer."""
        self._asked.discard(asked)

    def judged(self, number: int, batch: Batch) -> None:
        """A batch went into the journal, in the entry of that number; numbers rise."""
        if batch.handles and isinstance(asked := batch.handles[0], Asked):
            self._entries[number] = asked, batch
            asked.judged(batch)

    def stored(self, number: int, stored: Stored) -> None:
        """The entry of that number is in the database, and with it all before it that can be.

        An entry of which this was never said was set aside. One that was committed before its
        outcome was known says nothing of its samples.
        """
        while self._entries and (first := next(iter(self._entries))) <= number:
            asked, batch = self._entries.pop(first)
            tally = stored.total
            known = tally.stored + tally.duplicate + tally.conflict == len(batch.frame)
            if first == number and known:
                asked.became(Became(batch, tally))
            else:
                asked.refuse(unsure())

    def give_up(self) -> None:
        """The database is away, or we are going: nobody shall wait for it."""
        for asked in self._asked:
            asked.refuse(away_meanwhile())
