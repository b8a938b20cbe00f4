"""Which numbers of a tag mean "no value", and what is said of the tags that send them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.frame import CODE_SHIFT, Flag, Floats, Frame, Ints
from domain.instant import NEVER, SECOND
from domain.plant import Registry
from domain.sentinels import sentinels

Codes = NDArray[np.int16]

NONE = -1
"""The code of a number that is a reading."""
OVER_AFTER = 600 * SECOND
"""A tag sends values again when it has sent no sentinel for so long."""


class Sentinels:
    """By tag id beyond which bounds a number may be one; what lies between is a reading.

    top, bottom: float64 by tag id; the range, where there is one (ranged: bool by tag id).
    """

    def __init__(self, registry: Registry) -> None:
        size = max(registry.tags, default=0) + 1
        self.top: Floats = np.full(size, np.inf)
        self.bottom: Floats = np.full(size, -np.inf)
        self.ranged = np.zeros(size, np.bool_)
        self._own_list = np.zeros(size, np.bool_)
        self._own: dict[int, frozenset[float]] = {}
        known = sentinels()
        self._value: Floats = np.array([one.value for one in known])
        self._code: Codes = np.array([one.code for one in known], np.int16)
        self._always = np.array([one.always for one in known])
        always = self._value[self._always]
        bounds = always[always > 0].min(), always[always < 0].max()
        for tag in registry.tags.values():
            if tag.sentinels is not None:
                self._own[tag.id] = frozenset(tag.sentinels)
                self._own_list[tag.id] = True
            if tag.range is not None:
                self.ranged[tag.id] = True
                self.bottom[tag.id], self.top[tag.id] = tag.range
            else:
                self._bound(tag.id, tag.sentinels, bounds)

    def codes(self, tag: NDArray[np.int32], came: Floats) -> Codes:
        """Which sentinel each number is, int16[n]; `NONE`: a reading. All lie beyond the bounds."""
        place = np.minimum(np.searchsorted(self._value, came), len(self._value) - 1)
        hit = self._value[place] == came
        counts = hit & (self._always[place] | self.ranged[tag]) & ~self._own_list[tag]
        codes = np.where(counts, self._code[place], np.int16(NONE)).astype(np.int16)
        for n in np.flatnonzero(self._own_list[tag]):
            if float(came[n]) in self._own[int(tag[n])]:
                codes[n] = self._code[place[n]] if hit[n] else 0
        return codes

    def _bound(
        self, tag: int, own: Sequence[float] | None, bounds: tuple[np.float64, np.float64]
    ) -> None:
        """Bounds of a tag without a range: just short of the innermost number that counts."""
        top, bottom = (
            bounds if own is None else (min(own, default=np.inf), max(own, default=-np.inf))
        )
        self.top[tag] = np.nextafter(top, -np.inf) if np.isfinite(top) else top
        self.bottom[tag] = np.nextafter(bottom, np.inf) if np.isfinite(bottom) else bottom


def flagged(code: Codes) -> Codes:
    """What a sentinel adds to the flags of its sample, int16[n]."""
    return (np.int16(Flag.SENTINEL) | (code << CODE_SHIFT)).astype(np.int16)


class Watch:
    """Which tags send sentinels now, and how many they sent. Changed in place."""

    def __init__(self) -> None:
        self.count: Ints = np.zeros(1024, np.int64)
        """By tag id, since the start."""
        self._last: Ints = np.full(1024, NEVER, np.int64)
        self._some = False

    def saw(self, frame: Frame) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Tags that began to send sentinels with this frame, and those that send values again."""
        sent = (frame.flags & Flag.SENTINEL) != 0
        none = np.empty(0, np.int32)
        if not self._some and not sent.any():
            return none, none
        self._reach(int(frame.tag.max(initial=0)))
        tags, how_many = np.unique(frame.tag[sent], return_counts=True)
        began = tags[self._last[tags] == NEVER]
        self.count[tags] += how_many
        self._last[tags] = frame.received
        valued = np.unique(frame.tag[~sent & ~np.isnan(frame.value)])
        long_ago = frame.received - self._last[valued] > OVER_AFTER
        over = valued[(self._last[valued] != NEVER) & long_ago]
        self._last[over] = NEVER
        self._some = bool((self._last != NEVER).any())
        return began, over

    def _reach(self, tag: int) -> None:
        missing = tag + 1 - len(self.count)
        if missing > 0:
            more = max(missing, len(self.count))
            self.count = np.concatenate((self.count, np.zeros(more, np.int64)))
            self._last = np.concatenate((self._last, np.full(more, NEVER, np.int64)))
