"""Learning the PCA model of a registered group from stored samples."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.frame import Floats
from domain.groups import names_of, nodes_of_kind
from domain.instant import SECOND, micros, moment, rfc3339
from domain.pca import number
from domain.pca_record import PcaLearnt
from domain.plant import Node, Registry, Tag
from rules.pca_account import PcaAccount, account
from rules.pca_fit import FitError, fit
from rules.pca_scans import Samples, Scanning, last_of, scanning, scans
from storage.database import Connection
from storage.pca_models import Extent, disturbances, extent, good_samples

MOST_NUMBERS = 40_000_000
"""Scans times members: what a machine of ordinary size has room for, several times over."""
AT_ONCE_S = 86_400
"""So much time is read at once."""
READ_SHARE = 0.9
"""A member that is read in fewer of the scans cannot be learnt (`rules.pca_fit`)."""
Progress = Callable[[str, float], None]
"""Told what is being done, and how much of it is, 0 to 1."""


class CannotLearn(ValueError):
    """Nothing was learnt. sentences: why, and what to do."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be learnt: a group from [begin, end), by whom. anyway: in spite of alarms in that
    time, and without members that stood still or hardly report."""

    group: Node
    begin: datetime
    end: datetime
    by: str
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """A model, what it makes of the scans that it was learnt from, members that were left out (name
    and why), and the alarms in that time (kind, subject, how many)."""

    learnt: PcaLearnt
    account: PcaAccount
    left_out: tuple[tuple[str, str], ...]
    alarms: tuple[tuple[str, str, int], ...]


def address(registry: Registry, node: int) -> str:
    """Codes from the enterprise down, joined by /."""
    codes = []
    at: Node | None = registry.nodes.get(node)
    while at is not None and at.enterprise is not None:
        codes.append(at.code)
        at = None if at.parent is None else registry.nodes.get(at.parent)
    return "/".join(reversed(codes))


def group_called(registry: Registry, words: str) -> Node:
    """The group of kind pca whose code, or the end of whose path, is `words`; `CannotLearn`."""
    groups = [one for one in nodes_of_kind(registry, "group") if one.detail.get("kind") == "pca"]
    paths = {address(registry, one.id): one for one in groups}
    fitting = [path for path in paths if f"/{path}".endswith(f"/{words}")]
    if len(fitting) == 1:
        return paths[fitting[0]]
    what = "more than one group fits" if fitting else "no group of kind pca is called"
    there = ", ".join(fitting or list(paths)[:20])
    raise CannotLearn(
        f"{what} {words!r}; there is: {there or 'none yet: declare one in the site file'}"
    )


async def learn(
    conn: Connection, registry: Registry, task: Task, at: datetime, progress: Progress
) -> Lesson:
    """Read, check and learn; nothing is stored. Raises `CannotLearn`."""
    if not task.begin < task.end:
        raise CannotLearn(f"the period ends at {rfc3339(task.end)}, before it begins")
    members = _members(registry, task.group)
    alarms = await disturbances(
        conn, task.group.id, [tag.id for tag in members], task.begin, task.end
    )
    extents = await _extents(conn, members, task, progress)
    still = _checked(members, extents, alarms, task)
    kept = [tag for tag in members if tag.name not in still]
    how = scanning(kept)
    _room(how, kept, task)
    read = await _read(conn, kept, how, task, progress)
    left_out = {**still, **_hardly_read(kept, read, task)}
    progress("learning", 1.0)
    return _lesson(members, kept, read, how, task, at, left_out, alarms)


def _members(registry: Registry, group: Node) -> list[Tag]:
    named = names_of(registry)
    said = group.detail.get("members")
    names = [str(name) for name in said] if isinstance(said, list | tuple) else []
    there = [named.get((group.enterprise or 0, name)) for name in names]
    absent = [name for name, tag in zip(names, there, strict=True) if tag is None]
    if absent:
        raise CannotLearn(f"{', '.join(absent)}: not registered; mend the site file and load it")
    return [tag for tag in there if tag is not None]


async def _extents(
    conn: Connection, members: Sequence[Tag], task: Task, progress: Progress
) -> list[Extent]:
    found = []
    for n, tag in enumerate(members):
        progress(f"looking at {tag.name}", n / len(members))
        found.append(await extent(conn, tag.id, task.begin, task.end))
    return found


def _checked(
    members: Sequence[Tag],
    extents: Sequence[Extent],
    alarms: Iterable[tuple[str, str, int]],
    task: Task,
) -> dict[str, str]:
    """Members to be left out, and why; raises `CannotLearn` with all that is wrong."""
    period = f"from {rfc3339(task.begin)} to {rfc3339(task.end)}"
    wrong = []
    empty = [tag.name for tag, seen in zip(members, extents, strict=True) if not seen.count]
    if empty:
        wrong.append(
            f"{', '.join(empty)}: no good sample {period}; choose another period, or take it out "
            "of the group's members"
        )
    still = {
        tag.name: f"stood still at {seen.low:g} {tag.unit}".rstrip()
        for tag, seen in zip(members, extents, strict=True)
        if seen.count and seen.low == seen.high
    }
    if still and not task.anyway:
        told = ", ".join(f"{name} {why}" for name, why in still.items())
        wrong.append(
            f"{told} {period}; choose a period in which it moves, or --anyway to learn without it"
        )
    wrong += _disturbed(list(alarms), task)
    if wrong:
        raise CannotLearn(*wrong)
    return still


def _disturbed(alarms: Sequence[tuple[str, str, int]], task: Task) -> list[str]:
    count = sum(n for _, _, n in alarms)
    if not count or task.anyway:
        return []
    some = ", ".join(f"{n} {kind} of {subject}" for kind, subject, n in alarms[:5])
    more = ", …" if len(alarms) > 5 else ""
    return [
        f"{count} alarms of members or of the group in the period ({some}{more}): what is learnt "
        "now counts as normal from then on; choose a calm period, or --anyway if it was one"
    ]


def _room(how: Scanning, kept: Sequence[Tag], task: Task) -> None:
    count = (micros(task.end) - micros(task.begin)) // how.interval
    if count * len(kept) > MOST_NUMBERS:
        longest = timedelta(microseconds=MOST_NUMBERS // len(kept) * how.interval)
        raise CannotLearn(
            f"{count} scans of {len(kept)} members are too many at once; choose a period of at "
            f"most {longest.total_seconds() / 86_400:.1f} days"
        )


async def _read(
    conn: Connection, kept: Sequence[Tag], how: Scanning, task: Task, progress: Progress
) -> Floats:
    """Scans of the period: float64[n, p]."""
    first, end = micros(task.begin) // how.interval, -(-micros(task.end) // how.interval)
    step = max(1, AT_ONCE_S * SECOND // how.interval)
    held: list[Samples] = [(np.zeros(0, np.int64), np.zeros(0))] * len(kept)
    parts = []
    for begin in range(first, end, step):
        count = min(step, end - begin)
        since = max(moment(begin * how.interval), task.begin)
        until = min(moment((begin + count) * how.interval), task.end)
        for n, tag in enumerate(kept):
            progress(f"reading {since:%Y-%m-%d} {tag.name}", (begin - first) / (end - first))
            held[n] = last_of(held[n], *await good_samples(conn, tag.id, since, until))
        parts.append(scans(how, held, begin, count))
    return np.concatenate(parts)


def _hardly_read(kept: Sequence[Tag], read: Floats, task: Task) -> dict[str, str]:
    share = np.isfinite(read).mean(axis=0) if len(read) else np.zeros(len(kept))
    seldom = {
        tag.name: f"read in {part:.0%} of the scans"
        for tag, part in zip(kept, share.tolist(), strict=True)
        if part < READ_SHARE
    }
    if seldom and not task.anyway:
        told = ", ".join(f"{name} {why}" for name, why in seldom.items())
        raise CannotLearn(
            f"{told}; needed: {READ_SHARE:.0%}. Choose a period in which it reports, or --anyway "
            "to learn without it"
        )
    return seldom


def _lesson(
    members: Sequence[Tag],
    kept: Sequence[Tag],
    read: Floats,
    how: Scanning,
    task: Task,
    at: datetime,
    left_out: dict[str, str],
    alarms: Sequence[tuple[str, str, int]],
) -> Lesson:
    column = [n for n, tag in enumerate(kept) if tag.name not in left_out]
    names = [kept[n].name for n in column]
    least = int(max(number("fit", "least"), number("fit", "least_per_tag") * len(names)))
    interval_s = how.interval / SECOND
    span = f"{rfc3339(task.begin)} to {rfc3339(task.end)}"
    try:
        model = fit(names, read[:, column], interval_s, span)
    except FitError as error:
        raise CannotLearn(
            f"{error}. A scan is {interval_s:g} s here: choose a longer period (at least "
            f"{least * interval_s / 3600:.1f} h; several days with every usual state are better)"
        ) from None
    place = {name: n for n, name in enumerate(names)}
    seen = account(model, read[:, [column[place[name]] for name in model.tags]])
    learnt = PcaLearnt(
        task.group.id, task.group.enterprise or 0, task.begin, task.end, at, task.by,
        tuple(tag.name for tag in members), tuple(tag.id for tag in members), seen.scans,
        seen.independent, seen.explained, seen.alarmed, sum(n for _, _, n in alarms), model,
    )  # fmt: skip
    return Lesson(learnt, seen, tuple(left_out.items()), tuple(alarms))
