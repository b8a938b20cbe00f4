"""Missing data 数据缺失: where the stored samples of tags and gateways step further than they may.

Every tag has a head: the time of its newest stored sample. A sample that lies further above the
head than the tag may be silent (`domain.policy.silence_after`) leaves a gap; one below it can only
fill one. So the gaps of a tag are the steps of its head, less what came into them later, and that
is what a scan of its stored samples says. A gateway has a head as well, of all tags that it sends,
and may be silent for as long as the quickest of them: what its tags miss because all of it was
silent is one gap of the gateway.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Frame, Ints
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry
from domain.policy import silence_after
from ingest.gap_steps import Found, Ids, Mask, Overdue, Steps, steps_of, tally

Slots = NDArray[np.intp]
OPEN = -1
"""Instead of how long a subject may be silent, while a gap of it is open: any step ends it."""


class Heads:
    """By tag id and by gateway id: the head, and how long it may stand still; microseconds.

    A mirror of what is committed, changed in place; who could not commit takes it back by `undo`.
    time: `NEVER` = no sample. sender: 0 = not known. may: as the registry says, `FAR` = not
    registered. limit: `may`, or `OPEN`. gap_from, gap_to: the newest closed gap of a gateway.
    """

    def __init__(self, registry: Registry) -> None:
        tags, gateways = _room(registry.tags), _room(one.id for one in registry.gateways)
        self.time: Ints = np.full(tags, NEVER, np.int64)
        self.sender: Ids = np.zeros(tags, np.int32)
        self.may: Ints = np.full(tags, FAR, np.int64)
        for tag in registry.tags.values():
            self.may[tag.id] = round(silence_after(tag) * SECOND)
        self.limit: Ints = self.may.copy()
        self.gateway_time: Ints = np.full(gateways, NEVER, np.int64)
        self.gateway_open: Mask = np.zeros(gateways, np.bool_)
        self.gap_from: Ints = np.full(gateways, NEVER, np.int64)
        self.gap_to: Ints = np.full(gateways, NEVER, np.int64)
        self._gateway_may: Ints | None = None
        self._undo: list[Callable[[], None]] = []

    @property
    def gateway_may(self) -> Ints:
        """How long each gateway may be silent: as long as the quickest of its tags."""
        if self._gateway_may is None:
            self._gateway_may = np.full(len(self.gateway_time), FAR, np.int64)
            np.minimum.at(self._gateway_may, self.sender, self.may)
            self._gateway_may[0] = FAR
        return self._gateway_may

    def seed(self, tag: Ids, time: Ints, sender: Ids) -> None:
        """What is committed: the newest stored times, and who sends each tag (0: not known)."""
        known = (tag < len(self.time)) & (sender < len(self.gateway_time))
        tag, time, sender = tag[known], time[known], sender[known]
        self.time[tag], self.sender[tag] = time, sender
        np.maximum.at(self.gateway_time, sender, time)
        self.gateway_time[0] = NEVER
        self._gateway_may = None

    def open_tags(self, tags: Iterable[int]) -> None:
        """A gap of each of these tags is open from its head on."""
        self.limit[[tag for tag in tags if tag < len(self.limit)]] = OPEN

    def open_gateway(self, gateway: int, begin: int) -> bool:
        """A gap of this gateway is open from its head on; False: its head is past `begin`."""
        if gateway >= len(self.gateway_time) or self.gateway_time[gateway] > begin:
            return False
        self.gateway_time[gateway] = begin
        self.gateway_open[gateway] = True
        return True

    def was_silent(self, gateway: int, begin: int, end: int) -> None:
        """The newest closed gap of a gateway."""
        if gateway < len(self.gap_to):
            self.gap_from[gateway], self.gap_to[gateway] = begin, end

    def carried(self, registry: Registry) -> "Heads":
        """The same heads for another reading of the registry."""
        heads = Heads(registry)
        kept = min(len(self.time), len(heads.time))
        heads.time[:kept] = self.time[:kept]
        heads.limit[:kept] = np.where(self.limit[:kept] == OPEN, OPEN, heads.limit[:kept])
        known = min(len(self.gateway_time), len(heads.gateway_time))
        heads.sender[:kept] = np.where(self.sender[:kept] < known, self.sender[:kept], 0)
        heads.gateway_time[:known] = self.gateway_time[:known]
        heads.gateway_open[:known] = self.gateway_open[:known]
        heads.gap_from[:known] = self.gap_from[:known]
        heads.gap_to[:known] = self.gap_to[:known]
        return heads

    def advance(self, frame: Frame, gateway_of: Ids) -> Found | None:
        """Take the stored samples of a frame, sorted by tag; None: no head did more than it may.

        int32[n] `gateway_of` says who sent each.
        """
        tag, time = frame.tag, frame.time
        if len(tag) == 0:
            return None
        if int(tag[-1]) >= len(self.time) or int(gateway_of.max()) >= len(self.gateway_time):
            return self._known_only(frame, gateway_of)
        first, newest = self._gateways_of(time, gateway_of)
        head, of_gateways = self.time[tag], self.gateway_time
        step = time - _before(tag, time, head)
        plain = (
            not (step > self.limit[tag]).any()
            and not (step < 0).any()
            and not ((first - self.gateway_time > self._gateway_limit()) & (newest != NEVER)).any()
            and not (self.sender[tag] == 0).any()
        )
        if plain and not self._taken_over(tag, time, gateway_of).any():
            self.time[tag] = time
            self.gateway_time = np.maximum(of_gateways, newest)
            self._undo.append(lambda: self._take_back(tag, head, of_gateways))
            return None
        return self._sorted(frame, gateway_of)

    def keep(self) -> None:
        """What was done so far is committed."""
        self._undo.clear()

    def undo(self) -> None:
        """Take back what was done since `keep`."""
        while self._undo:
            self._undo.pop()()

    def overdue(self, now: int, moving: Mask | None = None) -> Overdue:
        """What is silent at `now` for longer than it may, and has no open gap.

        A tag alone is silent where its gateway spoke after it should have; else it is the gateway.
        moving: bool by gateway, those that are still catching up.
        """
        silent = (now - self.gateway_time > self._gateway_limit()) & ~self.gateway_open
        silent &= self.gateway_time != NEVER
        if moving is not None:
            silent &= ~moving
        gateways = {
            int(g): self._stands_for(int(g), int(self.gateway_time[g]))
            for g in np.flatnonzero(silent)
        }
        spared = self._within_gap(np.arange(len(self.time)), self.time)
        base = np.where(spared, np.maximum(self.time, self.gap_to[self.sender]), self.time)
        proof = np.minimum(self.gateway_time[self.sender], now)
        due = (self.time != NEVER) & (self.may < FAR) & (self.limit != OPEN) & (self.sender != 0)
        tags = np.flatnonzero(due & (proof - base > self.may))
        return Overdue(tags.astype(np.int32), gateways, tally(self.sender[tags[spared[tags]]]))

    def _gateway_limit(self) -> Ints:
        return np.where(self.gateway_open, OPEN, self.gateway_may)

    def _known_only(self, frame: Frame, gateway_of: Ids) -> Found | None:
        known = (frame.tag < len(self.time)) & (gateway_of < len(self.gateway_time))
        return self.advance(frame.take(known), gateway_of[known]) if known.any() else None

    def _gateways_of(self, time: Ints, gateway_of: Ids) -> tuple[Ints, Ints]:
        """The first and the last time that each gateway sent; before all others where none."""
        first = np.full(len(self.gateway_time), FAR, np.int64)
        last = np.full(len(self.gateway_time), NEVER, np.int64)
        one = int(gateway_of[0])
        if (gateway_of == one).all():
            first[one], last[one] = time.min(), time.max()
        else:
            np.minimum.at(first, gateway_of, time)
            np.maximum.at(last, gateway_of, time)
        silent = (first == FAR) | (self.gateway_time == NEVER)
        return np.where(silent, self.gateway_time, first), last

    def _take_back(self, tag: Ids, head: Ints, of_gateways: Ints) -> None:
        self.time[tag], self.gateway_time = head, of_gateways

    def _remember(self, tag: Ids) -> None:
        """Let `undo` bring back all that is known of these tags, and of all gateways."""
        before = self.time[tag], self.limit[tag], self.sender[tag]
        heads, opened = self.gateway_time.copy(), self.gateway_open.copy()
        begun, ended = self.gap_from.copy(), self.gap_to.copy()

        def back() -> None:
            self.time[tag], self.limit[tag], self.sender[tag] = before
            self.gateway_time, self.gateway_open = heads, opened
            self.gap_from, self.gap_to = begun, ended
            self._gateway_may = None

        self._undo.append(back)

    def _taken_over(self, tag: Ids, time: Ints, gateway_of: Ids) -> Mask:
        """Where the sender of a tag is unknown, or another one sends while it is silent."""
        known = self.sender[tag]
        if np.array_equal(known, gateway_of):
            return np.zeros(len(tag), np.bool_)
        silent = self.gateway_time[known] + self.may[tag] < time
        over: Mask = (known != gateway_of) & (silent | (known == 0))
        return over

    def _sorted(self, frame: Frame, gateway_of: Ids) -> Found:
        """The same, by the way that is exact whatever the frame holds."""
        self._remember(frame.tag)
        order = np.lexsort((frame.time, frame.tag))
        rows, gateway_of = frame.take(order), gateway_of[order]
        head = self.time[rows.tag]
        back = _back(rows, rows.time < head)
        ahead = rows.time > head
        tag, time, gateway_of = rows.tag[ahead], rows.time[ahead], gateway_of[ahead]
        moved = self._move(tag, time, gateway_of)
        before = _before(tag, time, self.time[tag])
        gateways = self._gateway_steps(time, gateway_of)
        step, opened = time - before, self.limit[tag] == OPEN
        opened[1:] &= tag[1:] != tag[:-1]
        missing = (step > self.may[tag]) & (before != NEVER)
        steps = Steps(tag, gateway_of, before, time, missing, np.ones(len(tag), np.int64))
        covered, outlived = self._covered(steps, opened, gateways)
        self.limit[tag] = self.may[tag]
        self.time[tag] = time
        return Found(steps.take(opened | (missing & ~covered)), gateways, moved, outlived, back)

    def _move(self, tag: Ids, time: Ints, gateway_of: Ids) -> tuple[Ids, Ids]:
        over = self._taken_over(tag, time, gateway_of)
        if not over.any():
            return tag[:0], gateway_of[:0]
        self.sender[tag[over]] = gateway_of[over]
        self._gateway_may = None
        moved = np.unique(tag[over])
        return moved, self.sender[moved]

    def _gateway_steps(self, time: Ints, gateway_of: Ids) -> Steps:
        """Steps of gateways; their heads are moved, and `gap_from`, `gap_to` are the newest gap."""
        found: list[tuple[int, int, int, bool, int]] = []
        for gateway in np.unique(gateway_of).tolist():
            head = int(self.gateway_time[gateway])
            times = np.unique(time[gateway_of == gateway])
            times = times[times > head]
            if not len(times):
                continue
            before = np.append(head, times[:-1])
            missing = (times - before > self.gateway_may[gateway]) & (before != NEVER)
            told = missing.copy()
            told[0] |= bool(self.gateway_open[gateway])
            for place in np.flatnonzero(told).tolist():
                begin, end, gap = int(before[place]), int(times[place]), bool(missing[place])
                found.append((gateway, begin, end, gap, self._stands_for(gateway, begin)))
                if gap:
                    self.gap_from[gateway], self.gap_to[gateway] = begin, end
            self.gateway_open[gateway] = False
            self.gateway_time[gateway] = times[-1]
        return steps_of(found)

    def _stands_for(self, gateway: int, begin: int) -> int:
        """How many tags are silent because this gateway is, from `begin` on."""
        of = (self.sender == gateway) & (self.limit != OPEN) & (self.time != NEVER)
        return int(np.count_nonzero(of & (self.time >= begin - self.may)))

    def _within_gap(self, tag: NDArray[np.integer], before: Ints) -> Mask:
        """Whether a silence that began at `before` is the newest gap of the tag's gateway."""
        sender = self.sender[tag]
        begun = before >= self.gap_from[sender] - self.may[tag]
        within: Mask = begun & (before < self.gap_to[sender]) & (self.gap_to[sender] != NEVER)
        return within

    def _covered(
        self, steps: Steps, opened: Mask, gateways: Steps
    ) -> tuple[Mask, Mapping[int, int]]:
        """Which steps of tags are gaps of their gateway, and how many outlived its newest."""
        may, covered = self.may[steps.subject], np.zeros(len(steps), np.bool_)
        now = gateways.take(gateways.missing)
        recent = set(
            zip(now.subject.tolist(), now.before.tolist(), now.after.tolist(), strict=True)
        )
        for one in np.unique(steps.gateway).tolist():
            recent.add((one, int(self.gap_from[one]), int(self.gap_to[one])))
        within = steps.missing & ~opened
        for gateway, begin, end in recent:
            begun = (steps.gateway == gateway) & (steps.before >= begin - may)
            covered |= within & begun & (steps.before < end) & (steps.after <= end + may)
        late = within & ~covered & self._within_gap(steps.subject, steps.before)
        return covered, tally(steps.gateway[late])


def _before(tag: Ids, time: Ints, head: Ints) -> Ints:
    """The head of each tag before each sample, if the samples of a tag rise."""
    same = np.flatnonzero(tag[1:] == tag[:-1])
    if not len(same):
        return head
    before = head.copy()
    before[same + 1] = time[same]
    return before


def _back(rows: Frame, below: Mask) -> tuple[Ids, Ints, Ints]:
    """(tag, first, last) of the samples below the head that the replay lane will not look at; rows
    are sorted by tag and time."""
    which = np.flatnonzero(below & ((rows.flags & Flag.HISTORY) == 0))
    tag, time = rows.tag[which], rows.time[which]
    first = np.flatnonzero(np.append(True, tag[1:] != tag[:-1])[: len(tag)])
    last = np.append(first[1:], len(tag))[: len(first)] - 1
    return tag[first], time[first], time[last]


def _room(ids: Iterable[int]) -> int:
    return max(ids, default=0) + 1
