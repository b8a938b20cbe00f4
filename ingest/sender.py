"""`Sender`: what is remembered of one gateway, and of what it sent for each of its tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import NEVER
from domain.plant import Gateway
from ingest.clocks import STILL_AFTER, GatewayClock
from ingest.ledger import Ledgers

MAX_NAMES = 100_000
"""Names in the layouts kept for a gateway; when there are more, all are forgotten and learnt
again."""
MAX_WIDTH = 10_000
"""Values of a message up to which its layout is kept."""
LONGEST_NAME = 128
"""Characters of a tag's name; a layout with a longer one is not kept."""
KEEP_PAYLOADS = 256
"""Payloads without a seq by which a plain repeat is known; the oldest goes first."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the values of a message go, by the order of its tag names.

    ids: int32[m] and slots: intp[m] of the registered tags, which stand in `rows` (intp[m]) of
    the message, or in all of them where `rows` is None. unknown: rows whose names are not
    registered.
    """

    ids: NDArray[np.int32]
    slots: NDArray[np.intp]
    rows: NDArray[np.intp] | None
    unknown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hearing:
    """How the times of a message stand to those that the gateway sent before for the same tags.

    still, back, behind: as in `clocks.Heard`. plain: the same message, or the same samples, once
    more. freed: it advances after the clock of these tags had stood still.
    """

    still: bool = False
    back: bool = False
    behind: int = 0
    plain: bool = False
    freed: bool = False


FRESH = Hearing()


class Holders:
    """Which gateway sent a tag first, and which have tags that others send too (`sharing`, ids)."""

    def __init__(self) -> None:
        self.sharing: set[int] = set()
        self._first = np.zeros(1024, np.int32)

    def forget(self) -> None:
        """Nobody has sent anything."""
        self.sharing.clear()
        self._first.fill(0)

    def hold(self, tags: Sequence[int], gateway: int) -> None:
        """A gateway sends these tags, by id."""
        missing = max(tags, default=0) + 1 - len(self._first)
        if missing > 0:
            more = np.zeros(max(missing, len(self._first)), np.int32)
            self._first = np.concatenate((self._first, more))
        before = self._first[tags]
        others = set(before[(before != 0) & (before != gateway)].tolist())
        if others:
            self.sharing |= {gateway, *others}
        self._first[tags] = np.where(before == 0, gateway, before)


class Sender:
    """Memory of one gateway; arrays have a place ("slot") for each tag that it ever sent.

    last_raw: the last live time by its own clock, `NEVER` if none. last_value: the value then.
    behind: messages in a row that did not advance; some_behind: whether there may be any. payloads:
    digests of the last ones without a seq. gaps_said_at: when its gaps were last complained of,
    microseconds. All changed in place.
    """

    def __init__(self, gateway: Gateway, holders: Holders) -> None:
        self.gateway = gateway
        self._holders = holders
        self.clock = GatewayClock()
        self.ledgers = Ledgers()
        self.ids: NDArray[np.int32] = np.empty(0, np.int32)
        self.last_raw: Ints = np.empty(0, np.int64)
        self.last_value: Floats = np.empty(0, np.float64)
        self.behind: Ints = np.empty(0, np.int64)
        self.payloads: dict[bytes, None] = {}
        self._slots: dict[int, int] = {}
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._names = 0
        self.some_behind = False
        self.gaps_said_at = NEVER
        self.is_edge_node = False

    def registered(self, gateway: Gateway) -> None:
        """The registry changed: names may mean other tags now."""
        self.gateway = gateway
        self._forget_layouts()

    def layout(self, names: tuple[str, ...], tags: Mapping[str, int]) -> Layout:
        """The layout of a message; tags: name -> id of the enterprise."""
        layout = self._layouts.get(names)
        if layout is None:
            layout = self._learn(names, tags)
            if len(names) <= MAX_WIDTH and max(map(len, names), default=0) <= LONGEST_NAME:
                if self._names + len(names) > MAX_NAMES:
                    self._forget_layouts()
                self._names += len(names)
                self._layouts[names] = layout
        return layout

    def sends(self, tag: int) -> bool:
        """Whether it has sent this tag."""
        return tag in self._slots

    @property
    def shares(self) -> bool:
        """Whether others have sent tags of its."""
        return self.gateway.id in self._holders.sharing

    def repeats(self, payload: bytes) -> bool:
        """Whether a message without a seq came before as it is."""
        return bool(self.payloads) and _digest(payload) in self.payloads

    def remember_payload(self, payload: bytes) -> None:
        """Know this message without a seq from now on."""
        self.payloads[_digest(payload)] = None
        if len(self.payloads) > KEEP_PAYLOADS:
            del self.payloads[next(iter(self.payloads))]

    def hear(
        self, slots: NDArray[np.intp], time: Ints, value: Floats, *, numbered: bool, known: bool
    ) -> Hearing:
        """Compare a live message with what came before; changes nothing.

        time: int64[n], rising. numbered: it has a seq, so the same samples in it are new. known:
        the payload came before.
        """
        if known:
            return Hearing(plain=True)
        before = self.last_raw[slots]
        if (time > before).all():
            return self._advancing(slots)
        newest, top = time[-1], before.max()
        if top < newest:
            return self._advancing(slots)
        if not numbered:
            standing = self.last_value[slots]
            same = (value == standing) | (np.isnan(value) & np.isnan(standing))
            if ((time == before) & same).all():
                return Hearing(plain=True)
        behind = int(self.behind[slots].max()) + 1
        return Hearing(bool(top == newest), bool(top > newest), behind)

    def remember(
        self, slots: NDArray[np.intp], time: Ints, value: Floats, judged: NDArray[np.bool_] | None
    ) -> None:
        """Take in a live message: what was judged of it (None: all), and what is newer than before.

        So a clock that stands still is noticed even where nothing of it is judged.
        """
        if judged is not None:
            counts = judged | (time > self.last_raw[slots])
            slots, time, value = slots[counts], time[counts], value[counts]
        self.last_raw[slots] = time
        self.last_value[slots] = value

    def count(self, slots: NDArray[np.intp], behind: int) -> None:
        """How many messages in a row have not advanced for these tags."""
        if behind or self.some_behind:
            self.some_behind = True
            self.behind[slots] = behind

    def recall(self, tag: NDArray[np.int32], raw: Ints, value: Floats, behind: Ints) -> None:
        """Set what an earlier process remembered of these tags."""
        ids = tag.tolist()
        slots = [self._slots.setdefault(one, len(self._slots)) for one in ids]
        self._grow(ids, slots)
        self.last_raw[slots], self.last_value[slots], self.behind[slots] = raw, value, behind
        self.some_behind = bool(self.behind.any())

    def sent_again(self, tag: NDArray[np.int32], raw: Ints, value: Floats) -> None:
        """Take in stored rows of its tags, by their own times."""
        ours = np.isin(tag, self.ids)
        slots = [self._slots[one] for one in tag[ours].tolist()]
        self.last_raw[slots], self.last_value[slots] = raw[ours], value[ours]

    def forget(self) -> None:
        """Its clock begins anew: times before and after can't be compared."""
        self.last_raw.fill(NEVER)
        self.behind.fill(0)
        self.some_behind = False

    def _forget_layouts(self) -> None:
        self._layouts.clear()
        self._names = 0

    def _advancing(self, slots: NDArray[np.intp]) -> Hearing:
        if self.some_behind and self.behind[slots].max() >= STILL_AFTER:
            return Hearing(freed=True)
        return FRESH

    def _learn(self, names: Sequence[str], tags: Mapping[str, int]) -> Layout:
        found = [tags.get(name) for name in names]
        ids = [tag for tag in found if tag is not None]
        slots = [self._slots.setdefault(tag, len(self._slots)) for tag in ids]
        self._grow(ids, slots)
        unknown = tuple(row for row, tag in enumerate(found) if tag is None)
        rows = None
        if unknown:
            rows = np.array([row for row, tag in enumerate(found) if tag is not None], np.intp)
        return Layout(np.array(ids, np.int32), np.array(slots, np.intp), rows, unknown)

    def _grow(self, ids: Sequence[int], slots: Sequence[int]) -> None:
        more = len(self._slots) - len(self.ids)
        if more:
            self._holders.hold(ids, self.gateway.id)
            self.ids = np.concatenate((self.ids, np.zeros(more, np.int32)))
            self.ids[slots] = ids
            self.last_raw = np.concatenate((self.last_raw, np.full(more, NEVER, np.int64)))
            self.last_value = np.concatenate((self.last_value, np.full(more, np.nan)))
            self.behind = np.concatenate((self.behind, np.zeros(more, np.int64)))


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=16).digest()
