"""`Inbox`: messages between the sockets and the pump, shared fairly by who sends them.

A reading is handed out by deficit round robin (Shreedhar and Varghese 1995) over enterprises, and
within each over its gateways, in bytes: who sends little is in the next reading, however much
others send. A queue may take one message more than its share, and pays for it in its next turns.

Memory is shared by dynamic thresholds (Choudhury and Hahne 1998): a lane may hold as much as is
left free. One that floods gets half of the bound, two a third each, and there is always room for
one that begins.
"""

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf

from ingest.batch import Raw

OVERHEAD = 300
"""Bytes that a message takes beside its topic and payload, roughly."""
READING = 512 * 1024
"""Bytes of a reading: some 20,000 values of 100 in a message, or 1,300 messages of one value."""
LEAST = 4096
"""Bytes of a turn at least."""
PACKED, MAGIC = 8, (b"\x1f\x8b", b"(\xb5")
"""A compressed body counts as so many times its size in a turn: it takes as long to judge."""

HISTORICAL, HEAD = re.compile(rb'"historical"\s*:\s*true'), 512
"""What says that a message is history, in so many bytes; one that says it later counts as live."""
SCANNED = 2000
"""Messages of a gateway that are looked at for the first that is none."""

Lane = tuple[str, str]
"""Whose messages stand in one line: park, enterprise."""
EARLY: Lane = ("", "")
"""What goes before everything else."""


class _Line:
    """Messages of one gateway."""

    __slots__ = ("deficit", "messages")

    def __init__(self) -> None:
        self.messages: deque[Raw] = deque()
        self.deficit = 0

    def give(self, out: list[Raw]) -> int:
        """Take messages out as long as nothing is owed; the bytes of memory that became free."""
        messages, deficit, freed = self.messages, self.deficit, 0
        while messages and deficit > 0:
            raw = messages.popleft()
            size = _size(raw)
            freed += size
            deficit -= size * PACKED if raw.payload[:2] in MAGIC else size
            out.append(raw)
        self.deficit = deficit
        return freed

    def oldest(self) -> float:
        """As `_LaneQueue.oldest`."""
        for raw in islice(self.messages, SCANNED):
            if raw.arrived is not None and not HISTORICAL.search(raw.payload, 0, HEAD):
                return raw.arrived
        return inf

    def __bool__(self) -> bool:
        return bool(self.messages)


class _LaneQueue:
    """The lines of one enterprise. bytes: what they hold; deficit: what it may still take."""

    __slots__ = ("bytes", "deficit", "lines", "ring", "taken_since")

    def __init__(self) -> None:
        self.bytes = 0
        self.deficit = 0
        self.lines: dict[str, _Line] = {}
        self.ring: deque[str] = deque()
        self.taken_since: int | None = None

    def put(self, raw: Raw, gateway: str) -> None:
        line = self.lines.get(gateway)
        if line is None:
            line = self.lines[gateway] = _Line()
            self.ring.append(gateway)
        line.messages.append(raw)

    def give(self, out: list[Raw]) -> None:
        """One turn: each line its share of what the lane may take."""
        while self.ring and self.deficit > 0:
            share = max(LEAST, self.deficit // len(self.ring))
            for _ in range(len(self.ring)):
                self._turn(share, out)
                if self.deficit <= 0:
                    break

    def _turn(self, share: int, out: list[Raw]) -> None:
        gateway = self.ring.popleft()
        line = self.lines[gateway]
        line.deficit += share
        before = line.deficit
        self.bytes -= line.give(out)
        self.deficit -= before - line.deficit
        if line:
            self.ring.append(gateway)
        else:
            del self.lines[gateway]

    def oldest(self) -> float:
        """The earliest arrival of what waits and is no history, microseconds; inf: nothing is."""
        return min((line.oldest() for line in self.lines.values()), default=inf)


class Inbox:
    """Bounded by bytes, and it refuses nothing: a message that is here was sent and waits for its
    acknowledgement. Who fills a lane has to stop when there is no `room` in it, and may go on when
    it is `low`.
    """

    def __init__(self, bound: int) -> None:
        self.bytes = 0
        """What it holds now."""
        self._bound = bound
        self._lanes: dict[Lane, _LaneQueue] = {}
        self._early: deque[Lane] = deque()
        self._ring: deque[Lane] = deque()
        self._held = False
        self._count = 0
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    def room(self, lane: Lane) -> int:
        """Bytes that still fit into this lane, 0 if it is full."""
        return max(0, self._bound - self.bytes - self._holds(lane))

    def low(self, lane: Lane) -> bool:
        """Whether there is so much room that reading is worth while again."""
        return 2 * self._holds(lane) <= self._bound - self.bytes

    def put(self, raw: Raw, lane: Lane | None = None) -> None:
        """Take a message in. lane: whose it is; None: as its topic says."""
        park, enterprise, gateway = place(raw.topic)
        self.put_all(lane or (park, enterprise), ((raw, gateway),))

    def put_all(self, lane: Lane, messages: Iterable[tuple[Raw, str]]) -> None:
        """Take in messages of one lane, each with its gateway."""
        queue = self._lanes.get(lane)
        if queue is None:
            queue = self._lanes[lane] = _LaneQueue()
        size, waits = 0, bool(queue.ring)
        for raw, gateway in messages:
            queue.put(raw, gateway)
            size += _size(raw)
            self._count += 1
        if queue.ring and not waits:
            (self._early if lane == EARLY else self._ring).append(lane)
        queue.bytes += size
        self.bytes += size
        self._tell()

    def hold(self) -> None:
        """Give out only what is `EARLY`, until it is opened."""
        self._held = True
        self._tell()

    def open(self) -> None:
        """Give out everything from now on, what is `EARLY` first."""
        self._held = False
        self._tell()

    async def get(self, most: int = READING) -> list[Raw]:
        """The next reading, about `most` bytes; waits for the first message. What the one before
        gave out is judged."""
        for queue in self._lanes.values():
            queue.taken_since = None
        await self._some.wait()
        out: list[Raw] = []
        self._share(self._early or self._ring, most, out)
        self._count -= len(out)
        self._tell()
        return out

    def waiting_since(self) -> Iterator[tuple[Lane, int]]:
        """Each lane with the earliest arrival of what is not judged yet, in microseconds."""
        for lane, queue in self._lanes.items():
            taken = inf if queue.taken_since is None else queue.taken_since
            oldest = min(queue.oldest(), taken)
            if oldest != inf:
                yield lane, int(oldest)

    def forget(self, lane: Lane) -> None:
        """Nothing comes in this lane any more; what is in it still goes out."""
        queue = self._lanes.get(lane)
        if queue is not None and not queue.ring:
            del self._lanes[lane]

    def _share(self, ring: deque[Lane], most: int, out: list[Raw]) -> None:
        """One turn of every lane that has something, and more as long as there is room."""
        left = most
        while ring and left > 0:
            share = max(LEAST, left // len(ring))
            for _ in range(len(ring)):
                left -= self._turn(ring, share, out)

    def _turn(self, ring: deque[Lane], share: int, out: list[Raw]) -> int:
        """The next lane's turn; what it used of the reading."""
        lane = ring.popleft()
        queue, first = self._lanes[lane], len(out)
        oldest = queue.oldest()
        queue.deficit += share
        before, held = queue.deficit, queue.bytes
        queue.give(out)
        used = before - queue.deficit
        self.bytes -= held - queue.bytes
        if len(out) > first and oldest != inf and queue.taken_since is None:
            queue.taken_since = int(oldest)
        if queue.ring:
            ring.append(lane)
        else:
            queue.deficit = min(0, queue.deficit)
        return used

    def _tell(self) -> None:
        """Let whoever asks have something, or wait."""
        if self._early or (self._ring and not self._held):
            self._some.set()
        else:
            self._some.clear()

    def _holds(self, lane: Lane) -> int:
        queue = self._lanes.get(lane)
        return 0 if queue is None else queue.bytes


def place(topic: str) -> tuple[str, str, str]:
    """Park, enterprise and gateway of a topic, as far as it names them; "" for the rest."""
    parts = topic.split("/", 5)[2:5]
    park, enterprise, gateway = (*parts, "", "", "")[:3]
    return park, enterprise, gateway


def _size(raw: Raw) -> int:
    return len(raw.payload) + len(raw.topic) + OVERHEAD
