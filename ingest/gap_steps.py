"""What the gap ledger is told of: steps of heads, and who is silent for too long. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints

Ids = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of heads, [k]: of tags or gateways (`subject`), from `before` to `after`.

    missing: bool[k], the step is a gap; False: it only ends the open one. gateway: int32[k], who
    sent the sample. tags: int64[k], of a gateway how many tags its gap stands for, of a tag 1.
    """

    subject: Ids
    gateway: Ids
    before: Ints
    after: Ints
    missing: Mask
    tags: Ints

    def __len__(self) -> int:
        return len(self.subject)

    def take(self, which: Mask) -> "Steps":
        """Those that a mask chooses."""
        return Steps(
            self.subject[which],
            self.gateway[which],
            self.before[which],
            self.after[which],
            self.missing[which],
            self.tags[which],
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What a frame did to the heads.

    moved: (tags, gateways) whose sender is another now. outlived: {gateway: n}, so many tags stay
    silent, or were, for longer than the newest gap of their gateway, which no longer stands for
    them. back: (tags, first, last), live samples below the head, by tag.
    """

    tags: Steps
    gateways: Steps
    moved: tuple[Ids, Ids]
    outlived: Mapping[int, int]
    back: tuple[Ids, Ints, Ints]

    def __bool__(self) -> bool:
        return bool(len(self.tags) or len(self.gateways) or len(self.moved[0]) or len(self.back[0]))


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is silent for too long. tags: ids; gateways: {id: tags that its gap stands for}."""

    tags: Ids
    gateways: Mapping[int, int]
    outlived: Mapping[int, int]


def no_steps() -> Steps:
    """None at all."""
    return steps_of(())


def steps_of(rows: Sequence[tuple[int, int, int, bool, int]]) -> Steps:
    """Steps of gateways from rows of (gateway, before, after, missing, tags)."""
    table = np.array([(*row,) for row in rows], np.int64).reshape(len(rows), 5)
    gateway = table[:, 0].astype(np.int32)
    missing = table[:, 3].astype(np.bool_)
    return Steps(gateway, gateway, table[:, 1], table[:, 2], missing, table[:, 4])


def tally(ids: NDArray[np.integer]) -> dict[int, int]:
    """How often each id is there."""
    found, times = np.unique(ids, return_counts=True)
    return dict(zip(found.tolist(), times.tolist(), strict=True))


def sum_of(tallies: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """All tallies as one."""
    total: dict[int, int] = {}
    for one in tallies:
        for id, n in one.items():
            total[id] = total.get(id, 0) + n
    return total


def joined(founds: Sequence[Found]) -> Found:
    """The findings of one or more frames as one."""
    moved = [np.concatenate([one.moved[n] for one in founds]) for n in range(2)]
    return Found(
        _chained([one.tags for one in founds]),
        _chained([one.gateways for one in founds]),
        (moved[0], moved[1]),
        sum_of(one.outlived for one in founds),
        (
            np.concatenate([one.back[0] for one in founds]),
            np.concatenate([one.back[1] for one in founds]),
            np.concatenate([one.back[2] for one in founds]),
        ),
    )


def missing_between(time: Ints, may: int) -> list[tuple[int, int]]:
    """(from, to) of the spacings of rising instants that are longer than `may`."""
    far = np.flatnonzero(np.diff(time) > may)
    return [(int(time[n]), int(time[n + 1])) for n in far]


def unseen(seen: Iterable[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """Inclusive ranges of first..last that are in none of `seen`, which are apart and rise."""
    found, at = [], first
    for begin, end in seen:
        if begin > at:
            found.append((at, min(begin - 1, last)))
        at = max(at, end + 1)
        if at > last:
            return [one for one in found if one[0] <= one[1]]
    return [*found, (at, last)]


def _chained(steps: Sequence[Steps]) -> Steps:
    return Steps(
        np.concatenate([one.subject for one in steps]),
        np.concatenate([one.gateway for one in steps]),
        np.concatenate([one.before for one in steps]),
        np.concatenate([one.after for one in steps]),
        np.concatenate([one.missing for one in steps]),
        np.concatenate([one.tags for one in steps]),
    )
