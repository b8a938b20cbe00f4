"""PCA models of groups: what was learnt, what is in force, and what the worker tells of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from psycopg.rows import dict_row

from domain.frame import Flag, Floats, Ints
from domain.pca_record import PcaActive, PcaLearnt, PcaNow, digest, document_text
from storage.database import Connection
from storage.encoding import jsonb, text
from storage.queries import listed, query
from storage.reading import Reading, Row
from storage.rows import POSTGRES_EPOCH
from storage.sessions import Scope

PACKED = np.dtype([("time", ">i8"), ("value", ">f8")])
"""A sample as pca_models.sql packs it; time counts from 2000."""


class NoSuchModel(ValueError):
    """The group has no model of that version."""


async def add_model(conn: Connection, learnt: PcaLearnt) -> int:
    """Keep a model beside the earlier ones; its version. It is not in force by that."""
    body = document_text(learnt.model)
    row = {
        "node": learnt.node, "enterprise": learnt.enterprise, "since": learnt.since,
        "until": learnt.until, "at": learnt.at, "by": text(learnt.by),
        "members": list(learnt.members), "tags": list(learnt.tags),
        "kept": list(learnt.model.tags), "scans": learnt.scans,
        "independent": learnt.independent, "explained": list(learnt.explained),
        "alarmed": learnt.alarmed, "alarms": learnt.alarms, "digest": digest(body), "body": body,
    }  # fmt: skip
    async with conn.transaction():
        await conn.execute(query("lock_pca_models"))
        added = await (await conn.execute(query("add_pca_model"), row)).fetchone()
    assert added is not None, "the insert returns its row"
    return int(added[0])


async def activate(
    conn: Connection, node: int, version: int | None, *, by: str, reason: str, at: datetime
) -> int | None:
    """Put a version in force, None = none, and wake the worker; the version before, if any.

    Raises `NoSuchModel`.
    """
    row = {"node": node, "version": version, "by": text(by), "reason": text(reason), "at": at}
    async with conn.transaction():
        await conn.execute(query("lock_pca_models"))
        if version is not None:
            there = await (await conn.execute(query("has_pca_model"), row)).fetchone()
            if there is None or not there[0]:
                raise NoSuchModel(f"there is no version {version}")
        before = await (await conn.execute(query("active_pca_version"), row)).fetchone()
        await conn.execute(query("add_pca_activation"), row)
        await conn.execute(query("tell_pca_activation"), row)
    return None if before is None else before[0]


async def activations(conn: Connection) -> int:
    """Rises with everything that people decide about models."""
    row = await (await conn.execute(query("pca_activations"))).fetchone()
    assert row is not None, "a count has one row"
    return int(row[0])


async def active_models(conn: Connection) -> list[PcaActive]:
    """The model in force of each present group, by node."""
    rows = await (await conn.execute(query("active_pca_models"))).fetchall()
    return [PcaActive(row[0], row[1], tuple(row[2]), tuple(row[3]), *row[4:]) for row in rows]


async def good_samples(
    conn: Connection, tag: int, begin: datetime, end: datetime
) -> tuple[Ints, Floats]:
    """Good samples of a tag measured in [begin, end): times, int64[n], rising; values."""
    asked = {"tag": tag, "from": begin, "to": end, "at_received": int(Flag.AT_RECEIVED)}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(query("pca_samples"), asked, prepare=False)
        row = await cursor.fetchone()
    rows = np.frombuffer(row[0] if row is not None and row[0] is not None else b"", PACKED)
    return rows["time"].astype(np.int64) + POSTGRES_EPOCH, rows["value"].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Extent:
    """Good samples of a tag in some time: how many, and between which values; NaN = none."""

    count: int
    low: float
    high: float


async def extent(conn: Connection, tag: int, begin: datetime, end: datetime) -> Extent:
    """What is stored of a tag in [begin, end)."""
    asked = {"tag": tag, "from": begin, "to": end}
    row = await (await conn.execute(query("pca_extent"), asked, prepare=False)).fetchone()
    count, low, high = row or (0, None, None)
    return Extent(count, math.nan if low is None else low, math.nan if high is None else high)


async def disturbances(
    conn: Connection, node: int, tags: Sequence[int], begin: datetime, end: datetime
) -> list[tuple[str, str, int]]:
    """(kind, tag or group, how many) of the occurrences that were active in [begin, end), of these
    tags and of the group; the most frequent first."""
    asked = {"node": node, "tags": list(tags), "from": begin, "to": end}
    rows = await (await conn.execute(query("pca_disturbances"), asked)).fetchall()
    return [(row[0], row[1], int(row[2])) for row in rows]


async def write_pca_now(conn: Connection, told: Sequence[PcaNow]) -> None:
    """Keep what is told of groups; of one group the last word counts."""
    if told:
        newest = {one.node: one for one in told}
        async with conn.cursor() as cursor:
            await cursor.executemany(
                query("upsert_pca_now"), [_now_row(one) for one in newest.values()]
            )


def _now_row(one: PcaNow) -> dict[str, object]:
    body = {
        "sight": one.sight.value, "version": one.version, "scan": one.scan, "t2": one.t2,
        "spe": one.spe, "missing": one.missing, "active": one.active, "shares": one.shares,
        "why": one.why,
    }  # fmt: skip
    return {"node": one.node, "enterprise": one.enterprise, "at": one.at, "body": jsonb(body)}


async def all_groups(conn: Connection) -> list[Row]:
    """Present groups of kind pca, as `find_groups`."""
    return await _rows(conn, "list_pca_groups", enterprises=None, node=None)


async def models_of(conn: Connection, node: int) -> list[Row]:
    """All models of a group, the newest first."""
    return await _rows(conn, "list_pca_models", node=node)


async def decisions_of(conn: Connection, node: int) -> list[Row]:
    """What people decided about a group, the newest first."""
    return await _rows(conn, "list_pca_activations", node=node)


async def _rows(conn: Connection, name: str, **values: object) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query(name), values)
        return await cursor.fetchall()


async def find_groups(reading: Reading, scope: Scope, node: int | None = None) -> list[Row]:
    """Groups of kind pca that this reader may see, with the version in force and what was told."""
    enterprises = listed(scope.list_of_enterprises())
    return await reading.rows("list_pca_groups", enterprises=enterprises, node=node)


async def find_models(reading: Reading, node: int) -> list[Row]:
    """All models of a group, the newest first; the caller has checked that it may be seen."""
    return await reading.rows("list_pca_models", node=node)


async def find_decisions(reading: Reading, node: int) -> list[Row]:
    """What people decided about a group, the newest first."""
    return await reading.rows("list_pca_activations", node=node)
