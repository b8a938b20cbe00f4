"""PCA groups: moving means of T2 and SPE of tags that belong together, once a scan.

Event time is cut into scans of the model's interval, aligned to 1970 UTC. A scan is judged as soon
as every member that reports so often has a good sample in it; else at its end, with the values
held, which is when a sample of a later scan comes or a tick has passed the end. What comes late for
a judged scan counts in the next one. A member whose value is older than its silence is missing: its
place is taken by what the others imply (`rules.pca_statistics`); with too many missing, the scan is
not judged and nothing changes. After a long gap the means begin anew, unless the condition is
active; what was active before the model was taken in begins at the limits, so that one scan ends
nothing. Nor does one scan alone, however wild, lift them over their limits from normal running.

It begins when either moving mean reaches its limit, as of when it last rose through `returned` of
it, and ends when both are below that and no member is missing: silence ends nothing.

value: the larger moving mean in limits, so the limit is 1. detail: t2, spe: both in limits;
missing: members; first, second, third: ids of the tags that the larger one comes from, and their
first_share, … in this scan.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from domain.pca import PcaModel, number
from rules.findings import Collector
from rules.pca_statistics import Scan, statistics
from rules.pca_table import PcaTable, compile_pca
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

PLACES = ("first", "second", "third")


@dataclass(slots=True, eq=False)
class PcaMemory:
    """value: float64[g, m] and at: int64[g, m], last good sample of each member, NEVER = none.
    scan: int64[g], number of the open scan (event time // interval), NEVER = none. heard: bool[g,
    m], members with a good sample in it; all false once it is judged. last: int64[g], number of the
    scan judged last. t2, spe: float64[g], moving means. since: int64[g], event time at which one of
    them rose through `returned` of its limit, NEVER = it is below. lag: int64[g], microseconds from
    event time to receipt of the newest sample. onset: int64[g, 1]."""

    value: Floats
    at: Ints
    scan: Ints
    heard: NDArray[np.bool_]
    last: Ints
    t2: Floats
    spe: Floats
    since: Ints
    lag: Ints
    onset: Ints


def fresh(table: PcaTable) -> PcaMemory:
    """Nothing is known; the means begin where normal running has them."""
    shape = table.slot.shape
    g = shape[0]
    return PcaMemory(
        np.full(shape, np.nan),
        np.full(shape, NEVER, np.int64),
        np.full(g, NEVER, np.int64),
        np.zeros(shape, np.bool_),
        np.full(g, NEVER, np.int64),
        np.array([model.t2_mean for model in table.models], np.float64),
        np.array([model.spe_mean for model in table.models], np.float64),
        np.full(g, NEVER, np.int64),
        np.zeros(g, np.int64),
        np.full((g, 1), NEVER, np.int64),
    )


def judge(
    plan: Plan, table: PcaTable, memory: PcaMemory, samples: Samples, received: int, seen: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in good samples of members, those of a frame by event time, at one time by member:
    a frame is ordered by tag and may hold many scans."""
    if not len(table.keys):
        return
    good = samples.take(samples.good & np.isfinite(samples.value))
    place, entry = table.entries.among(good.slot)
    if not entry.size:
        return
    pair = table.pair[entry]
    order = np.lexsort((pair[:, 1], good.at[place], pair[:, 0]))
    row, column, place = pair[order, 0], pair[order, 1], place[order]
    edges = np.flatnonzero(np.diff(row, prepend=-1, append=-1))
    for begin, end in pairwise(edges.tolist()):
        group = _Group(plan, table, memory, int(row[begin]), found)
        part = place[begin:end]
        group.take(column[begin:end], good.at[part], good.value[part], received)


def pass_time(
    plan: Plan, table: PcaTable, memory: PcaMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Judge the scans whose end has come."""
    for row in np.flatnonzero(_ends(table, memory) <= at):
        _Group(plan, table, memory, int(row), found).end()


def next_due(table: PcaTable, memory: PcaMemory) -> int:
    """The earliest end of an open scan."""
    return int(_ends(table, memory).min(initial=FAR))


def _ends(table: PcaTable, memory: PcaMemory) -> Ints:
    """Wall time at which each open scan ends: int64[g], FAR = none is open."""
    end = (memory.scan + 1) * table.interval + memory.lag
    return np.where(memory.heard.any(axis=1), end, FAR)


class _Group:
    """One row of table and memory, at work."""

    def __init__(
        self, plan: Plan, table: PcaTable, memory: PcaMemory, row: int, found: Collector
    ) -> None:
        self.plan, self.table, self.memory, self.row, self.found = plan, table, memory, row, found
        self.model: PcaModel = table.models[row]
        self.m = len(self.model.tags)
        self.interval = int(table.interval[row])

    def take(self, column: NDArray[np.int32], at: Ints, value: Floats, received: int) -> None:
        """Samples of members by event time, scan after scan."""
        scan = at // self.interval
        newest = np.maximum.accumulate(np.maximum(scan, self.memory.scan[self.row]))
        cuts = np.flatnonzero(np.diff(newest, prepend=newest[0])).tolist()
        for begin, end in zip([0, *cuts], [*cuts, len(at)], strict=True):
            if newest[begin] > self.memory.scan[self.row]:
                self.end()
                self.memory.scan[self.row] = newest[begin]
            self._within(column[begin:end], at[begin:end], value[begin:end], scan[begin:end])
        if int(newest[-1]) == int(scan.max()):
            self.memory.lag[self.row] = received - int(at.max())

    def _within(self, column: NDArray[np.int32], at: Ints, value: Floats, scan: Ints) -> None:
        """Samples none of which opens a new scan: complete it where every member is heard."""
        memory, row = self.memory, self.row
        judged = memory.last[row] == memory.scan[row]
        open_ = (scan == memory.scan[row]) & ~judged
        heard = memory.heard[row, : self.m]
        first = np.full(self.m, len(column))
        np.minimum.at(first, column[open_], np.flatnonzero(open_))
        first[heard | ~self.table.needed[row, : self.m]] = -1
        complete = int(first.max())
        if 0 <= complete < len(column) and not judged:
            self._hold(column[: complete + 1], at[: complete + 1], value[: complete + 1])
            self._judge(int(memory.at[row, : self.m].max()))
            column, at, value = column[complete + 1 :], at[complete + 1 :], value[complete + 1 :]
        elif not judged:
            heard[column[open_]] = True
        self._hold(column, at, value)

    def _hold(self, column: NDArray[np.int32], at: Ints, value: Floats) -> None:
        """A member's samples come by rising time; NumPy keeps the last of repeated positions."""
        self.memory.value[self.row, column] = value
        self.memory.at[self.row, column] = at

    def end(self) -> None:
        """Judge the open scan as of its end, if anything was heard in it."""
        if self.memory.heard[self.row].any():
            self._judge((int(self.memory.scan[self.row]) + 1) * self.interval)

    def _judge(self, at: int) -> None:
        memory, row = self.memory, self.row
        gap, first = int(memory.scan[row]) - int(memory.last[row]), memory.last[row] == NEVER
        memory.heard[row] = False
        memory.last[row] = memory.scan[row]
        there = memory.at[row, : self.m] >= at - self.table.silence[row, : self.m]
        missing = self.m - int(there.sum())
        active = memory.onset[row, 0] != NEVER
        if first and active:
            memory.t2[row], memory.spe[row] = self.model.t2_limit, self.model.spe_limit
        if missing > number("statistic", "missing") * self.m:
            return
        if gap > number("statistic", "restart") and not active:
            memory.t2[row], memory.spe[row] = self.model.t2_mean, self.model.spe_mean
        scan = statistics(self.model, memory.value[row, : self.m], there)
        self._move(scan)
        self._tell(scan, missing, at)

    def _move(self, scan: Scan) -> None:
        memory, row, model = self.memory, self.row, self.model
        weight = number("statistic", "scan")
        memory.t2[row] += weight * (min(scan.t2, model.t2_clip) - memory.t2[row])
        memory.spe[row] += weight * (min(scan.spe, model.spe_clip) - memory.spe[row])

    def _tell(self, scan: Scan, missing: int, at: int) -> None:
        memory, row = self.memory, self.row
        t2 = memory.t2[row] / self.model.t2_limit
        spe = memory.spe[row] / self.model.spe_limit
        ratio = max(t2, spe)
        if ratio < number("statistic", "returned"):
            memory.since[row] = NEVER
        elif memory.since[row] == NEVER:
            memory.since[row] = at
        active = memory.onset[row, 0] != NEVER
        if not active and ratio >= 1:
            memory.onset[row, 0] = memory.since[row]
            self._edge(Edge.RAISED, scan, missing, at)
        elif active and memory.since[row] == NEVER and missing == 0:
            self._edge(Edge.RETURNED, scan, missing, at)
            memory.onset[row, 0] = NEVER

    def _edge(self, edge: Edge, scan: Scan, missing: int, at: int) -> None:
        memory, row = self.memory, self.row
        t2 = memory.t2[row] / self.model.t2_limit
        spe = memory.spe[row] / self.model.spe_limit
        shares = scan.of_spe if spe >= t2 else scan.of_t2
        shares = shares / max(float(shares.sum()), 1e-300)
        top = np.argsort(-shares, kind="stable")[: len(PLACES)]
        detail: dict[str, float] = {"t2": t2, "spe": spe, "missing": missing}
        for place, column in zip(PLACES, top, strict=False):
            detail[place] = float(self.plan.tags[self.table.slot[row, column]])
            detail[f"{place}_share"] = float(shares[column])
        self.found.nodes(
            edge, Kind.PCA, self.table.keys[row : row + 1], memory.onset[row : row + 1, 0].copy(),
            at, max(t2, spe), 1.0,
            detail={name: np.array([one]) for name, one in detail.items()},
        )  # fmt: skip


PCA = Layer("pca", (Kind.PCA,), compile_pca, fresh, judge, pass_time, next_due)
