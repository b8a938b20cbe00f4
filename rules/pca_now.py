"""What the PCA layer has to say of its groups at an instant, for people."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.instant import NEVER, micros, moment
from domain.pca import number
from domain.pca_record import PcaNow, PcaShare, PcaSight
from domain.plant import Node
from rules.pca import PcaMemory
from rules.pca_statistics import statistics
from rules.pca_table import PcaTable
from rules.plan import Plan
from rules.rows import rows_of


def groups_now(
    table: PcaTable, memory: PcaMemory, groups: Sequence[Node], at: datetime
) -> Iterator[PcaNow]:
    """These groups at wall time `at`, those without a model too; shares are left out."""
    rows = rows_of(table, [group.id for group in groups])
    for group, row in zip(groups, rows.tolist(), strict=True):
        yield _unwatched(group, at) if row < 0 else _watched(table, memory, row, group, at)


def with_shares(plan: Plan, table: PcaTable, memory: PcaMemory, now: PcaNow) -> PcaNow:
    """With what each member adds, where the group is watched."""
    if now.sight is not PcaSight.WATCHED:
        return now
    row = int(rows_of(table, [now.node])[0])
    there = _there(table, memory, row, now.at)
    return replace(now, shares=_shares(plan, table, memory, row, there))


def _unwatched(group: Node, at: datetime) -> PcaNow:
    lost = "a member cannot be judged" if "model" in group.detail else ""
    why = str(group.detail.get("model_refused", lost))
    sight = PcaSight.REFUSED if why else PcaSight.NO_MODEL
    return PcaNow(group.id, group.enterprise or 0, at, sight, _version(group), why=why)


def _version(group: Node) -> int | None:
    version = group.detail.get("model_version")
    return version if isinstance(version, int) else None


def _watched(table: PcaTable, memory: PcaMemory, row: int, group: Node, at: datetime) -> PcaNow:
    """Members that are missing are counted now, the statistics are those of the newest scan."""
    model, m = table.models[row], len(table.models[row].tags)
    last = int(memory.last[row])
    end = (last + 1) * int(table.interval[row])
    missing = m - int(_there(table, memory, row, at).sum())
    onset = int(memory.onset[row, 0])
    seen = last != NEVER and missing <= number("statistic", "missing") * m
    known = PcaNow(
        group.id, group.enterprise or 0, at, PcaSight.WATCHED if seen else PcaSight.UNKNOWN,
        _version(group), None if last == NEVER else moment(end),
        missing=missing, active=None if onset == NEVER else moment(onset),
        why="" if seen else _why(last, missing, m),
    )  # fmt: skip
    if not seen:
        return known
    t2 = float(memory.t2[row]) / model.t2_limit
    spe = float(memory.spe[row]) / model.spe_limit
    return replace(known, t2=t2, spe=spe)


def _there(table: PcaTable, memory: PcaMemory, row: int, at: datetime) -> NDArray[np.bool_]:
    """bool[m]: members whose value counts at wall time `at`."""
    m = len(table.models[row].tags)
    now = micros(at) - int(memory.lag[row])
    return np.asarray(memory.at[row, :m] >= now - table.silence[row, :m])


def _why(last: int, missing: int, m: int) -> str:
    return "no scan judged yet" if last == NEVER else f"{missing} of {m} members are missing"


def _shares(
    plan: Plan, table: PcaTable, memory: PcaMemory, row: int, there: NDArray[np.bool_]
) -> tuple[PcaShare, ...]:
    m = len(there)
    scan = statistics(table.models[row], memory.value[row, :m], there)
    of_t2 = scan.of_t2 / max(float(scan.of_t2.sum()), 1e-300)
    of_spe = scan.of_spe / max(float(scan.of_spe.sum()), 1e-300)
    tags = plan.tags[table.slot[row, :m]].tolist()
    return tuple(map(PcaShare, tags, of_t2.tolist(), of_spe.tolist()))
