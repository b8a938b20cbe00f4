"""`Outgoing`: what waits to be published, and what the broker has not confirmed yet."""

import asyncio
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to publish. arrived: is done when the broker has confirmed it; cancelled, nobody
    wants it any more, and it does not go out unless it is on its way."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    arrived: asyncio.Future[None] | None = field(default=None, compare=False)


class Outgoing:
    """Publishes of the worker, in order; kept while the broker is away. Putting never waits.

    Of retained ones only the newest of a topic is kept, so they are as many as there are topics.
    Of the others there are at most `bound`: when that is reached the oldest goes, and `dropped`
    counts it. What goes is not lost, its subscribers find it in the live stream. Each is
    published at least once.
    """

    def __init__(self, bound: int) -> None:
        self.dropped = 0
        """Letters given up so far because the broker was away for too long."""
        self._bound = bound
        self._events: deque[Letter] = deque()
        self._retained: dict[str, Letter] = {}
        self._unconfirmed: dict[int, Letter] = {}

    def __len__(self) -> int:
        return len(self._events) + len(self._retained) + len(self._unconfirmed)

    @property
    def unconfirmed(self) -> int:
        """How many were sent, and not confirmed by the broker."""
        return len(self._unconfirmed)

    def put(self, letter: Letter) -> None:
        """Publish this when there is a connection."""
        if letter.retain:
            self._retained[letter.topic] = letter
        else:
            self._events.append(letter)
            self._trim()

    def next(self) -> Letter | None:
        """The next to be sent, events before what is retained; None if there is none."""
        while self._events:
            letter = self._events.popleft()
            if letter.arrived is None or not letter.arrived.cancelled():
                return letter
        if self._retained:
            return self._retained.pop(next(iter(self._retained)))
        return None

    def sent(self, mid: int, letter: Letter) -> None:
        """It is on its way under this message id."""
        self._unconfirmed[mid] = letter

    def confirmed(self, mid: int) -> None:
        """The broker has it."""
        letter = self._unconfirmed.pop(mid, None)
        if letter is not None and letter.arrived is not None and not letter.arrived.done():
            letter.arrived.set_result(None)

    def disconnected(self) -> None:
        """What is unconfirmed has to be sent again, before all else."""
        for letter in reversed(self._unconfirmed.values()):
            if letter.retain:
                self._retained.setdefault(letter.topic, letter)
            else:
                self._events.appendleft(letter)
        self._unconfirmed.clear()
        self._trim()

    def _trim(self) -> None:
        while len(self._events) > self._bound:
            self._events.popleft()
            self.dropped += 1
