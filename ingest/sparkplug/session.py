"""`Session`: one edge node, followed through births, sequence numbers, silence and death.

Pure: every time is handed in. Rules of Sparkplug B 3.0 for a host; what the specification leaves to
us is said here.

| phase | since | data by name | data by alias |
|---|---|---|---|
| NEW | we hear this node | live | not taken |
| ALIVE | its NBIRTH | live | live |
| UNSURE | a gap that stayed, or the broker was gone | live | waits for a birth that says the same |
| DEAD | its NDEATH | history | not taken |

A message that is out of order waits for those before it, for `reorder` at most; then all that waits
is taken as in the table, and the node is asked for its births. An alias is never guessed: it holds
within one session (`bdSeq`) from a birth to a gap, and through a gap only if the birth after it
declares it as the one before did.

What a birth says stands at the moment of the birth, however long ago it was measured. What died is
STALE from the host's own time on. No live reading is stored at or before the last STALE: where the
node's clock is behind ours, its readings follow that by a microsecond each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import blake2b
from math import nan

from domain.instant import FAR, NEVER, SECOND, moment
from domain.plant import Gateway
from domain.quality import Quality
from ingest.batch import ClockFinding, GatewaySays, Raw, Told
from ingest.clocks import WRONG_AFTER
from ingest.message import RejectedValue, Unread
from ingest.rejection import Rejection, shown
from ingest.sparkplug.births import MAX_DEVICES, Births, Born
from ingest.sparkplug.names import BDSEQ, TagOf, is_control
from ingest.sparkplug.told import Readings, Row, message, written
from ingest.sparkplug.values import number
from ingest.sparkplug.wire import Metric, Payload
from ingest.wiretime import END, FIRST

HOLD = SECOND // 4
"""An NBIRTH so soon after the NDEATH of its own session may have been overtaken by it."""
REPEAT_SAID = 60 * SECOND
"""The same is said of a node no more often, and that it is online is said again as often."""
KEEP_DIGESTS = 128
"""Messages by which a repeated one is known; fewer than there are sequence numbers."""
HELD_BYTES = 4 * 2**20
"""Bytes of messages that wait for those before them."""
MAX_PENDING = 10_000
"""Readings by alias that wait for a birth."""
AGO = 2 * WRONG_AFTER
"""A reading this much older than the last STALE is late, whatever the clocks."""
NO_BIRTH = Rejection(
    "no_birth", "no birth tells what the alias means; the edge node was asked for its births"
)


class Phase(StrEnum):
    """See the module."""

    NEW = "new"
    ALIVE = "alive"
    UNSURE = "unsure"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Options:
    """Microseconds. reorder: how long a message may wait for those before it. debounce: between
    requests for births. patience: how long an answer may take."""

    reorder: int = 3 * SECOND
    debounce: int = 10 * SECOND
    patience: int = 10 * SECOND


@dataclass(slots=True)
class Tally:
    """Counted over all sessions of a desk."""

    rebirths: int = 0
    gaps: int = 0
    late: int = 0
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A message of the node. device None: of the node itself. at: when it came, microseconds."""

    type: str
    device: str | None
    raw: Raw
    payload: Payload
    at: int

    @property
    def sent(self) -> int | None:
        """When it was published by the node's clock, None where that can't be an instant."""
        time = self.payload.time
        return time if time is not None and FIRST <= time < END else None


@dataclass(frozen=True, slots=True)
class _Pending:
    """A reading by alias that waits for a birth to say what `born` says."""

    item: Item
    metric: Metric
    born: Born


@dataclass(slots=True)
class _Waits:
    """What time will bring; microseconds, `FAR` = nothing."""

    gap: int = FAR
    birth: int = FAR
    answer: int = FAR
    probe: int = FAR
    ask: int = FAR
    devices: dict[str, int] = field(default_factory=dict)

    def first(self) -> int:
        """The earliest."""
        waiting = min(self.devices.values(), default=FAR)
        return min(self.gap, self.birth, self.answer, self.probe, self.ask, waiting)


class Session:
    """Memory of one edge node. Changed in place by `take`, `pass_time`, `lost` and `up` only.

    out: what came of it so far, for intake, in order; commands: how many requests for births are to
    be sent. Whoever reads them empties them. fresh: tag -> device of what is known and not STALE.
    """

    def __init__(
        self, gateway: Gateway, tag_of: TagOf, options: Options, tally: Tally, topic: str
    ) -> None:
        self.gateway = gateway
        self.phase = Phase.NEW
        self.out: list[Raw] = []
        self.asking = False
        self.fresh: dict[str, str | None] = {}
        self.stale: set[str] = set()
        self._tag_of = tag_of
        self._options = options
        self._tally = tally
        self._topic = topic
        self._births = Births()
        self._claims: dict[str, tuple[str | None, str]] = {}
        self._bdseq: int | None = None
        self._expected = 0
        self._birth_time: int | None = None
        self._birth_at = NEVER
        self._death_at = NEVER
        self._buried: int | None = None
        self._buried_at = NEVER
        self._probed_at = NEVER
        self._asked_at = NEVER
        self._held: dict[int, Item] = {}
        self._held_bytes = 0
        self._waiting_since = NEVER
        self._candidate: Item | None = None
        self._pending: list[_Pending] = []
        self._digests: dict[bytes, None] = {}
        self._skew = 0
        self._floor = self._newest = NEVER
        self._said: dict[str, int] = {}
        self._given_up = False
        self._waits = _Waits()

    @property
    def next_due(self) -> int:
        """When `pass_time` matters next, microseconds; FAR = never."""
        return self._waits.first()

    def follow(self, gateway: Gateway, tag_of: TagOf) -> None:
        """The registry has changed."""
        self.gateway, self._tag_of = gateway, tag_of
        self._claims.clear()

    # --- what comes ------------------------------------------------------------------------------

    def take(self, item: Item) -> None:
        """A message has come."""
        if item.raw.retained:
            why = Rejection("retained", "a retained message is no news; births are not retained")
            self._tell(item.raw, Told(Unread(why, size=len(item.raw.payload))))
            self._ask(item.at)
        elif self._came_before(item):
            self._tell(item.raw, Told(repeated=True))
        elif item.type == "NDEATH":
            self._node_death(item)
        elif item.type == "NBIRTH":
            self._node_birth(item)
        else:
            self._sequenced(item)

    def lost(self, at: int) -> None:
        """The broker is gone: nothing that came through it is known any more."""
        self._release(at)
        self._give_up_birth(at)
        self._set_stale(list(self.fresh), at)
        self.phase = Phase.NEW if self._bdseq is None else Phase.UNSURE
        self._waits, self._waiting_since = _Waits(), NEVER
        self._says(None, at)

    def up(self, at: int) -> None:
        """The broker is there again: ask, unless the node comes by itself, as it does if it follows
        our STATE."""
        self._waits.ask = max(at + 2 * SECOND, self._asked_at + self._options.debounce)

    def seed(self, tags: Iterable[str]) -> None:
        """What came from this node before a restart of ours."""
        self.fresh.update(dict.fromkeys(tags))

    def pass_time(self, at: int) -> None:
        """What is due at `at`."""
        waits = self._waits
        if waits.gap <= at:
            self._gap(at)
        if waits.birth <= at:
            self._hold_ends(at)
        for device in [one for one, due in waits.devices.items() if due <= at]:
            del waits.devices[device]
            self._set_stale(self._of(device), at)
        if waits.probe <= at:
            self._no_answer(at, "is not heard of after an NDEATH that is not of its session")
        if waits.answer <= at:
            self._no_answer(at, "does not answer the request for its births")
        if waits.ask <= at:
            waits.ask = FAR
            self._ask(at)

    # --- births and deaths -----------------------------------------------------------------------

    def _node_birth(self, item: Item) -> None:
        if self._is_overtaken(item):
            self._give_up_birth(item.at)
            self._candidate, self._waits.birth = item, item.at + HOLD
            return
        self._give_up_birth(item.at)
        soon = item.at - self._birth_at <= self._options.reorder
        if self._is_before_birth(item) and soon and self.phase is Phase.ALIVE:
            self._tell_read(item, self._read(item, historical=True))
            self._ask(item.at)
            return
        self._be_born(item, item.at)

    def _is_overtaken(self, item: Item) -> bool:
        """Whether an NBIRTH may be of the session that is dead: it comes right behind the NDEATH,
        or was published before it. Once the node was asked, what comes is the answer."""
        if self._buried is None or _bdseq(item.payload) != self._buried:
            return False
        older = item.sent is not None and item.sent - self._skew < self._buried_at
        return item.at - self._buried_at < HOLD or (older and self._asked_at < self._buried_at)

    def _be_born(self, item: Item, at: int) -> None:
        """Begin anew by this birth."""
        bdseq = _bdseq(item.payload)
        goes_on = self.phase in (Phase.ALIVE, Phase.UNSURE) and bdseq == self._bdseq
        self._release(at, before=item.sent)
        devices = {own for own in self.fresh.values() if own is not None}
        self._births, self._claims = Births(), {}
        self._births.declare(None, item.payload.metrics)
        self._settle(None, goes_on)
        self.phase, self._bdseq = Phase.ALIVE, bdseq
        self._birth_time, self._birth_at = item.sent, at
        self._expected = ((item.payload.seq or 0) + 1) % 256
        self._waits = _Waits(devices=dict.fromkeys(devices, at + self._options.patience))
        self._waiting_since, self._given_up = NEVER, False
        own = self._of(None)
        self._tell_read(item, self._read(item))
        named = {self._tag_of(None, name) for _, name in self._births.names}
        self._set_stale([tag for tag in own if tag not in named], at)
        self._says(True, at, item.sent)
        self._go_on(at)

    def _give_up_birth(self, at: int) -> None:
        """A birth that was held is history: nothing showed that its session lives."""
        if self._candidate is not None:
            item, self._candidate = self._candidate, None
            self._tell_read(item, self._read(item, historical=True))
        self._waits.birth = FAR

    def _hold_ends(self, at: int) -> None:
        """A birth was held: now the node has to show that it lives."""
        if self._candidate is None or at - self._candidate.at >= self._options.patience:
            self._give_up_birth(at)
            return
        self._waits.birth = self._candidate.at + self._options.patience
        self._ask(at)

    def _node_death(self, item: Item) -> None:
        self._tell(item.raw, Told(message((), item.sent, len(item.raw.payload))))
        self._buried, self._buried_at = _bdseq(item.payload), item.at
        if self.phase is Phase.DEAD:
            return
        if self.phase is Phase.ALIVE and _bdseq(item.payload) == self._bdseq is not None:
            self._release(item.at)
            self._die(item.at)
        elif self.phase in (Phase.ALIVE, Phase.UNSURE):
            self._find(
                item.at,
                "sparkplug_death_ignored",
                "sent an NDEATH that is not of its session; it was asked whether it lives",
            )
            self._probed_at = item.at
            self._waits.probe = item.at + self._options.patience
            self._ask(item.at)

    def _die(self, at: int) -> None:
        self._tally.deaths += 1
        self._drop_pending()
        self._set_stale(list(self.fresh), at)
        self.phase, self._death_at = Phase.DEAD, at
        self._waits = _Waits()
        self._says(False, at)

    # --- data in order ---------------------------------------------------------------------------

    def _sequenced(self, item: Item) -> None:
        """DBIRTH, DDEATH, NDATA or DDATA."""
        seq = item.payload.seq
        if self._shows_life(item):
            assert self._candidate is not None
            birth, self._candidate = self._candidate, None
            self._be_born(birth, item.at)
        if seq is None:
            self._loose(item)
        elif self._in_order(item):
            self._advance(item)
            self._go_on(item.at)
        elif self.phase is not Phase.ALIVE and not self._may_wait(item):
            self._loose(item)
        else:
            self._hold(item, seq)

    def _in_order(self, item: Item) -> bool:
        """Whether it is the next one after a birth. A late one of the session that has just died
        is, too."""
        late = self.phase is Phase.DEAD and item.at - self._death_at <= HOLD
        if self.phase is not Phase.ALIVE and not late:
            return False
        return item.payload.seq == self._expected and not self._is_before_birth(item)

    def _is_before_birth(self, item: Item) -> bool:
        """Whether it was published before the birth that counts."""
        return None not in (item.sent, self._birth_time) and item.sent < self._birth_time  # type: ignore[operator] # neither is None

    def _shows_life(self, item: Item) -> bool:
        """Whether it follows a birth that is held, and can't have been overtaken as that was."""
        birth = self._candidate
        return (
            birth is not None
            and item.at - birth.at >= HOLD
            and item.payload.seq == ((birth.payload.seq or 0) + 1) % 256
            and None not in (item.sent, birth.sent)
            and item.sent >= birth.sent  # type: ignore[operator] # neither is None
        )

    def _advance(self, item: Item) -> None:
        """Take the next message of the session."""
        self._expected = (self._expected + 1) % 256
        if item.at - self._probed_at > SECOND:
            self._waits.probe = FAR
        if self.phase is Phase.ALIVE and item.at - self._said.get("online", NEVER) >= REPEAT_SAID:
            self._says(True, item.at, item.sent)
        self._apply(item, historical=self.phase is Phase.DEAD)

    def _go_on(self, at: int) -> None:
        """Take what waited for the message that has come."""
        while (item := self._held.get(self._expected)) is not None and self._in_order(item):
            self._unhold(self._expected)
            self._tally.late += 1
            self._advance(item)
        self._waits.gap = min(
            (one.at + self._options.reorder for one in self._held.values()), default=FAR
        )

    def _may_wait(self, item: Item) -> bool:
        """Whether a birth that was overtaken may still come; after that nothing is held up."""
        if self._waiting_since == NEVER:
            self._waiting_since = item.at
        self._ask(item.at)
        return item.at - self._waiting_since < self._options.reorder

    def _hold(self, item: Item, seq: int) -> None:
        size = len(item.raw.payload)
        if seq in self._held or self._held_bytes + size > HELD_BYTES:
            self._gap(item.at)
            self._loose(item)
            return
        self._held[seq] = item
        self._held_bytes += size
        self._waits.gap = min(self._waits.gap, item.at + self._options.reorder)

    def _unhold(self, seq: int) -> Item:
        item = self._held.pop(seq)
        self._held_bytes -= len(item.raw.payload)
        return item

    def _gap(self, at: int) -> None:
        """What is missing has not come."""
        if self.phase is Phase.ALIVE:
            self._tally.gaps += 1
            text = f"lost message {self._expected} of its session; it was asked for its births"
            self._find(at, "sparkplug_gap", text)
            self._doubt(at)
        self._release(at)

    def _doubt(self, at: int) -> None:
        """Aliases hold no longer."""
        if self.phase is Phase.ALIVE:
            self.phase = Phase.UNSURE
            self._waits.answer = at + self._options.patience
        self._ask(at)

    def _release(self, at: int, before: int | None = None) -> None:
        """Let go of what waits, in its order; before: only what was published before that."""
        order = sorted(self._held, key=lambda seq: (seq - self._expected) % 256)
        for seq in order:
            sent = self._held[seq].sent
            if before is None or sent is None or sent < before:
                self._loose(self._unhold(seq), ask=before is None)
        if not self._held:
            self._waits.gap = FAR

    def _loose(self, item: Item, *, ask: bool = True) -> None:
        """Take a message of which nobody knows where it belongs."""
        self._apply(item, historical=self.phase is Phase.DEAD, loose=True)
        if ask:
            self._ask(item.at)

    def _apply(self, item: Item, *, historical: bool, loose: bool = False) -> None:
        device = item.device
        if item.type == "DBIRTH" and not loose and not historical:
            if not self._births.declare(device, item.payload.metrics):
                why = Rejection("too_many_devices", f"a node has at most {MAX_DEVICES} devices")
                self._tell(item.raw, Told(Unread(why, size=len(item.raw.payload))))
                return
            self._device_birth(item)
        elif item.type == "DDEATH":
            self._tell(item.raw, Told(message((), item.sent, len(item.raw.payload))))
            self._device_death(item)
        else:
            dead = device is not None and self._births.devices.get(device) is False
            self._tell_read(item, self._read(item, historical=historical or dead, loose=loose))
            if dead:
                self._ask(item.at)

    def _device_birth(self, item: Item) -> None:
        device = item.device
        self._waits.devices.pop(device or "", None)
        self._claims = {tag: own for tag, own in self._claims.items() if own[0] != device}
        before = self._of(device)
        self._settle(device, goes_on=True)
        self._tell_read(item, self._read(item))
        named = {self._tag_of(*key) for key in self._births.names if key[0] == device}
        self._set_stale([tag for tag in before if tag not in named], item.at)

    def _device_death(self, item: Item) -> None:
        device = item.device or ""
        self._waits.devices.pop(device, None)
        self._births.devices.setdefault(device, False)
        self._births.forget(device)
        self._set_stale(self._of(device), item.at, item.sent)

    # --- metrics ---------------------------------------------------------------------------------

    def _read(self, item: Item, *, historical: bool = False, loose: bool = False) -> Readings:
        """The readings in a message; loose: its aliases are not known for sure."""
        found = Readings()
        birth = item.type in ("NBIRTH", "DBIRTH")
        for metric in item.payload.metrics:
            if metric.name is not None and is_control(metric.name):
                continue
            born = self._births.find(item.device, metric)
            if metric.why is None and metric.name is None and loose:
                if not self._keep(item, metric, born):
                    found.rejected.append(_rejected(item, metric, None, NO_BIRTH))
                continue
            self._reading(found, item, metric, born, birth=birth, historical=historical)
        return found

    def _reading(
        self,
        found: Readings,
        item: Item,
        metric: Metric,
        born: Born | None,
        *,
        birth: bool,
        historical: bool,
    ) -> None:
        """Put one metric among what is taken, or what is not."""
        row = self._row(item, metric, born, birth=birth, live=not historical)
        if isinstance(row, Rejection):
            name = born.name if born is not None else metric.name
            found.rejected.append(_rejected(item, metric, name, row))
            if row.reason in ("unknown_alias", "no_datatype"):
                self._ask(item.at)
        elif historical or (metric.historical and not birth):
            found.historical.append(row)
        else:
            found.live.append(row)
            self.fresh[row.tag] = item.device
            self.stale.discard(row.tag)

    def _row(
        self, item: Item, metric: Metric, born: Born | None, *, birth: bool, live: bool
    ) -> Row | Rejection:
        if metric.why is not None:
            return metric.why
        name = metric.name if born is None else born.name
        if name is None:
            return _nameless(metric)
        tag = self._tag(item.device, name)
        if isinstance(tag, Rejection):
            return tag
        value = number(metric, metric.datatype or (born.datatype if born is not None else None))
        if isinstance(value, Rejection):
            return value
        time = self._time(item, metric, birth=birth, live=live and not metric.historical)
        if isinstance(time, Rejection):
            return time
        quality = Quality.GOOD if metric.quality is None else metric.quality
        unit = metric.unit or (born.unit if born is not None else None)
        return Row(tag, time, value, quality, unit)

    def _tag(self, device: str | None, name: str) -> str | Rejection:
        tag = self._tag_of(device, name)
        whole = name if device is None else f"{device}/{name}"
        if tag is None:
            return Rejection("unknown_tag", f"no tag is registered for the metric {shown(whole)}")
        owner = self._claims.setdefault(tag, (device, name))
        if owner[0] != device:
            why = f"tag {shown(tag)} is metric {shown(name)} of {shown(owner[0])} already"
            return Rejection("ambiguous_metric", f"{why}; register {shown(whole)}")
        return tag

    def _time(self, item: Item, metric: Metric, *, birth: bool, live: bool) -> int | Rejection:
        """When a reading was taken, by the node's clock: in a birth, at the birth."""
        own = None if birth or metric.time is None else metric.time * 1000
        time = own if own is not None else item.sent
        if time is None:
            time = item.at + self._skew
        if time < FIRST:
            return Rejection("too_old", f"timestamp {metric.time} is before the year 2000")
        if time >= END:
            return Rejection("bad_time", f"timestamp {metric.time} is beyond the year 9999")
        if not live:
            return time
        if self._floor - AGO < time <= self._floor:
            self._floor += 1
            time = self._floor
        ahead = item.at + self._skew + WRONG_AFTER
        self._newest = max(self._newest, min(time, ahead))
        return time

    def _keep(self, item: Item, metric: Metric, born: Born | None) -> bool:
        """Let a reading wait for a birth; False: none can explain it, or too many wait."""
        if born is None or self.phase is not Phase.UNSURE or len(self._pending) >= MAX_PENDING:
            return False
        self._pending.append(_Pending(item, metric, born))
        self._waits.answer = min(self._waits.answer, item.at + self._options.patience)
        return True

    def _settle(self, device: str | None, goes_on: bool) -> None:
        """A birth has come: readings that waited for it are what they were, or are not taken."""
        mine = [one for one in self._pending if one.born.device == device or not goes_on]
        self._pending = [one for one in self._pending if one.born.device != device and goes_on]
        for one in mine:
            found = Readings()
            if goes_on and self._births.find(device, one.metric) == one.born:
                self._reading(found, one.item, one.metric, one.born, birth=False, historical=False)
            else:
                found.rejected.append(_rejected(one.item, one.metric, None, NO_BIRTH))
            self._tell_read(one.item, found, f"/{one.metric.alias}")

    def _drop_pending(self) -> None:
        waiting, self._pending = self._pending, []
        for one in waiting:
            none = [_rejected(one.item, one.metric, None, NO_BIRTH)]
            self._tell_read(one.item, Readings(rejected=none), f"/{one.metric.alias}")

    # --- what is said ----------------------------------------------------------------------------

    def _tell(self, raw: Raw, told: Told) -> None:
        self.out.append(replace(raw, told=told))

    def _tell_read(self, item: Item, found: Readings, part: str = "") -> None:
        """Hand over what was read of a message; part: names a further part of one."""
        sent, size = item.sent, 0 if part else len(item.raw.payload)
        if found.live and sent is not None:
            self._skew = sent - item.at
        if found.live or found.rejected or not part:
            live = message(found.live, sent, size, found.rejected)
            self._tell(_part(item.raw, part), Told(live, counted=not part))
        if found.historical:
            late = message(found.historical, sent, historical=True)
            self._tell(_part(item.raw, f"{part}/historical"), Told(late, counted=False))

    def _own(self, at: int) -> Raw:
        """The frame of what is said by us, and not by the node."""
        return Raw(self._topic, b"", arrived=at)

    def _set_stale(self, tags: list[str], at: int, sent: int | None = None) -> None:
        """Make these tags STALE: at the host's time `at`, or at the node's `sent`.

        Where the node's clock is far off, its other times are moved by what it is off; so this one
        is told on its clock too.
        """
        if not tags:
            return
        far = abs(self._skew) > WRONG_AFTER
        time = sent if sent is not None else at + self._skew if far else at
        time = max(time, self._newest + 1)
        self._floor, self._newest = max(self._floor, time), time
        rows = [Row(tag, time, nan, Quality.STALE) for tag in tags]
        told = message(rows, time if far or sent is not None else None)
        self._tell(self._own(at), Told(told, counted=False))
        for tag in tags:
            self.fresh.pop(tag, None)
        self.stale.update(tags)

    def _of(self, device: str | None) -> list[str]:
        """Tags of a device that are known and not STALE."""
        return [tag for tag, own in self.fresh.items() if own == device]

    def _says(self, online: bool | None, at: int, sent: int | None = None) -> None:
        boot = None if self._bdseq is None else f"{BDSEQ} {self._bdseq}"
        when = None if sent is None else moment(sent)
        said = GatewaySays(self.gateway.id, online, boot, when, at)
        self._said["online"] = at
        self._tell(self._own(at), Told(counted=False, says=(said,)))

    def _find(self, at: int, what: str, text: str) -> None:
        """Say what is wrong with the node, at most once in `REPEAT_SAID`."""
        if at - self._said.get(what, NEVER) >= REPEAT_SAID:
            self._said[what] = at
            gateway = self.gateway
            name = f"{gateway.park}/{gateway.enterprise_code}/{gateway.code}"
            said = ClockFinding(gateway.id, what, 0.0, f"edge node {name} {text}")
            self._tell(self._own(at), Told(counted=False, findings=(said,)))

    def _no_answer(self, at: int, text: str) -> None:
        """The node was asked, and has not answered: what it said last is not known to hold."""
        self._waits.answer = self._waits.probe = FAR
        self._find(at, "sparkplug_unanswered", text)
        self._drop_pending()
        if not self._given_up:
            self.phase, self._given_up = Phase.UNSURE, True
            self._set_stale(list(self.fresh), at)
            self._says(None, at)

    def _ask(self, at: int) -> None:
        """Ask for births, but not again and again."""
        due = self._asked_at + self._options.debounce
        if at >= due:
            self._asked_at = at
            self._waits.ask = FAR
            self._tally.rebirths += 1
            self.asking = True
        else:
            self._waits.ask = min(self._waits.ask, due)

    def _came_before(self, item: Item) -> bool:
        """Whether this very message has come before; it is remembered."""
        told = f"{item.type}/{item.device}".encode() + item.raw.payload
        digest = blake2b(told, digest_size=16).digest()
        if digest in self._digests:
            return item.type != "NDEATH"
        if item.sent is not None:
            self._digests[digest] = None
        if len(self._digests) > KEEP_DIGESTS:
            del self._digests[next(iter(self._digests))]
        return False


def _part(raw: Raw, name: str) -> Raw:
    """A part of a message, whose quarantined values are told from those of other parts."""
    return replace(raw, payload=raw.payload + name.encode()) if name else raw


def _bdseq(payload: Payload) -> int | None:
    """The number of the session that a birth or a death of the node is of."""
    for metric in payload.metrics:
        if metric.name == BDSEQ and metric.kind in ("long_value", "int_value"):
            return int(metric.raw)
    return None


def _nameless(metric: Metric) -> Rejection:
    if metric.alias is None:
        return Rejection("no_name", "the metric has neither name nor alias")
    why = f"alias {metric.alias} is of no metric of this birth, or of two"
    return Rejection("unknown_alias", f"{why}; the edge node was asked for its births")


def _rejected(item: Item, metric: Metric, name: str | None, why: Rejection) -> RejectedValue:
    shown_name = name if name is not None else f"alias {metric.alias}"
    payload = b"" if metric.raw is None else str(metric.raw).encode()[:1024]
    time = metric.time * 1000 if metric.time is not None else item.sent
    in_range = time is not None and FIRST <= time < END
    when = written(time) if in_range else None
    return RejectedValue(shown_name[:128], when, why.reason, why.detail, payload)
