"""`Batch`: everything that one reading of the broker brought, to be made durable as one."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame
from ingest.message import Message, Unread


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as the broker handed it over.

    `handle` is what the adapter needs to acknowledge it. `arrived`: when it came in, wall time in
    microseconds; None: when it is taken. `alone`: its batch is to have no other message. `told`:
    what its sender's session made of it, of Sparkplug only.
    `absent_since`: when we had last stopped listening when it came, `held_back_since`: since when
    the broker may have been holding messages back for us, 0 where that is not known; None: never,
    and it does not. See `clocks.judge`.
    """

    topic: str
    payload: bytes
    handle: object = None
    redelivered: bool = False
    retained: bool = False
    arrived: int | None = None
    alone: bool = False
    absent_since: int | None = None
    held_back_since: int | None = None
    told: "Told | None" = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that was not understood: a whole message, or one value of it (`tag` set).

    reason: a stable word such as `unknown_tag`; detail: a sentence for people; payload: what came,
    at most 64 KiB of it; size: how much it was; id: deterministic, so that a redelivered message is
    kept once.
    """

    id: UUID
    received: int
    topic: str
    gateway: int | None
    enterprise: int | None
    reason: str
    detail: str
    payload: bytes
    size: int
    tag: str | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerDelta:
    """What a batch adds to the ledger of one boot of one gateway.

    `seen`: inclusive ranges of seq.
    """

    gateway: int
    boot: str
    seen: tuple[tuple[int, int], ...]
    first_seq: int
    oldest: int
    newest_time: int | None
    offsets: tuple[tuple[int, int, int], ...] = ()


@dataclass(slots=True)
class Count:
    """What became of messages and values of one gateway (0: none of ours), in this batch.

    Of the values, stored, duplicate and conflict are only known when the batch is stored.
    """

    messages_received: int = 0
    messages_redelivered: int = 0
    messages_decoded: int = 0
    messages_repeated: int = 0
    messages_quarantined: int = 0
    values_decoded: int = 0
    values_quarantined: int = 0


@dataclass(frozen=True, slots=True)
class GatewaySays:
    """A gateway's `state` message."""

    gateway: int
    online: bool | None
    boot: str | None
    said_at: datetime | None
    received: int


@dataclass(frozen=True, slots=True)
class PlantAlarm:
    """A message of the `alarm` topic, kept as it came."""

    gateway: int
    id: str
    time: datetime
    received: int
    tag: str
    kind: str
    active: bool
    body: dict[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """What the session of an edge node made of a message, or of time passing.

    message: what there is to store, None = nothing. counted: whether this is the message that came;
    else it is a further part of one, or ours. repeated: it came before.
    """

    message: Message | Unread | None = None
    counted: bool = True
    repeated: bool = False
    says: tuple[GatewaySays, ...] = ()
    findings: tuple["ClockFinding", ...] = ()


@dataclass(frozen=True, slots=True)
class ClockFinding:
    """A gateway's clock is wrong, stuck or running backwards, or right again.

    error_s: its clock minus ours.
    """

    gateway: int
    what: str
    error_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What is committed together, and acknowledged when it is. `frame` may be empty.

    gateway_of: int32[n] beside the frame, so that stored values can be counted to their sender.
    dirty: (tag id, from, to) in microseconds, for the replay lane. arrived: when the first of its
    messages came in, wall time in microseconds; sent: when the first of its ordinary ones was sent,
    by the clock of its gateway; 0: not known.
    """

    frame: Frame
    gateway_of: NDArray[np.int32]
    quarantined: tuple[Quarantined, ...] = ()
    ledger: tuple[LedgerDelta, ...] = ()
    counts: dict[int, Count] = field(default_factory=dict)
    dirty: tuple[tuple[int, int, int], ...] = ()
    states: tuple[GatewaySays, ...] = ()
    plant_alarms: tuple[PlantAlarm, ...] = ()
    clocks: tuple[ClockFinding, ...] = ()
    handles: tuple[object, ...] = ()
    arrived: int = 0
    sent: int = 0
