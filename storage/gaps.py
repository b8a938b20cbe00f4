"""The gap ledger 缺失台账: written with the batches, filled from what is stored.

A gap row is from–to, as it was found; `remaining` says what of it is still missing. It is kept in
the transaction that stores the samples, so it is as exact after a kill as they are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.instant import NEVER, micros, moment
from domain.plant import Registry
from ingest.gap_steps import Found, Steps, joined
from ingest.gaps import Heads
from storage.database import Connection
from storage.gap_filling import Filling, fill_one
from storage.gap_rows import BACK, end_open, ids_of, opened, outlive, passed_row
from storage.lease import Fence
from storage.queries import query

Sent = tuple[Frame, NDArray[np.int32]]
"""Samples, and the gateway that sent each."""


class GapLedger:
    """The ledger of one shard. `use` first; `write` belongs into the transaction of the samples.

    Batches are written in one thread, gaps are opened and filled in another: the heads are locked
    while they are looked at.
    """

    def __init__(self) -> None:
        self._registry: Registry | None = None
        self._heads: Heads | None = None
        self._enterprises: dict[tuple[str, int], int] = {}
        self._lock = Lock()

    @property
    def heads(self) -> Heads | None:
        """The heads as committed, or about to be; None before `seed`."""
        return self._heads

    def use(self, registry: Registry) -> None:
        """Go on with this reading of the registry."""
        with self._lock:
            self._registry = registry
            self._heads = None if self._heads is None else self._heads.carried(registry)
            enterprises = {("t", tag.id): tag.enterprise for tag in registry.tags.values()}
            enterprises |= {("g", one.id): one.enterprise for one in registry.gateways}
            self._enterprises = enterprises

    async def seed(self, conn: Connection) -> None:
        """Read what is committed; `tag_latest` is up to date. Not while something is written."""
        if self._registry is None:
            return
        heads = Heads(self._registry)
        rows = await (await conn.execute(query("gap_heads"))).fetchall()
        heads.seed(
            np.array([row[0] for row in rows], np.int32),
            np.array([micros(row[1]) for row in rows], np.int64),
            np.array([row[2] for row in rows], np.int32),
        )
        newest = await conn.execute(query("newest_gateway_gaps"))
        for gateway, begin, end in await newest.fetchall():
            heads.was_silent(gateway, micros(begin), micros(end))
        await conn.execute(query("end_passed_gaps"))
        rows = await (await conn.execute(query("gaps_open_now"))).fetchall()
        heads.open_tags([row[2] for row in rows if row[0] == "tag"])
        for kind, gateway, _, begin in rows:
            if kind == "gateway" and not heads.open_gateway(gateway, micros(begin)):
                await conn.execute(query("end_open_gaps"), passed_row("gateway", gateway, begin))
        with self._lock:
            self._heads = heads

    def attempt(self) -> "Attempt":
        """At a transaction that stores samples."""
        return Attempt(self)

    async def write(self, conn: Connection, samples: Sequence[Sent], at: datetime) -> None:
        """For `Attempt` alone."""
        told = self.advance(samples)
        if told:
            await self._write(conn, joined(told), at)

    def end(self, *, committed: bool) -> None:
        """For `Attempt` alone."""
        with self._lock:
            if self._heads is not None and committed:
                self._heads.keep()
            elif self._heads is not None:
                self._heads.undo()

    def advance(self, samples: Sequence[Sent]) -> list[Found]:
        """For `Attempt` alone."""
        with self._lock:
            if self._heads is None:
                return []
            found = [self._heads.advance(*one) for one in samples]
        return [one for one in found if one]

    async def open_overdue(
        self, conn: Connection, fence: Fence, at: datetime, *, before: Ints | None, most: int
    ) -> tuple[int, int]:
        """Enter gaps that are open at `at`, at most `most` of tags: (gateways, tags).

        before: the heads of gateways at the look before: who moves is catching up, not silent.
        """
        late = self._overdue(at, before, most)
        if late is None:
            return 0, 0
        heads, gateways, tags, outlived = late
        async with conn.transaction():
            await fence.check(conn)
            await self._insert(conn, "gateway", gateways, at)
            await self._insert(conn, "tag", tags, at)
            await outlive(conn, outlived)
        with self._lock:
            passed = heads.time[tags.subject] != tags.before
            heads.open_tags(tags.subject[~passed].tolist())
            begun = zip(gateways.subject.tolist(), gateways.before.tolist(), strict=True)
            gone = np.array([not heads.open_gateway(*one) for one in begun], np.bool_)
        await end_open(conn, "tag", tags.take(passed), at)
        await end_open(conn, "gateway", gateways.take(gone), at)
        return len(gateways), len(tags)

    def gateway_heads(self) -> Ints | None:
        """The heads of gateways now, for `open_overdue` at the next look; None: not known."""
        with self._lock:
            return None if self._heads is None else self._heads.gateway_time.copy()

    def _overdue(
        self, at: datetime, before: Ints | None, most: int
    ) -> tuple[Heads, Steps, Steps, Mapping[int, int]] | None:
        with self._lock:
            heads = self._heads
            if heads is None or before is None or len(before) != len(heads.gateway_time):
                return None
            late = heads.overdue(micros(at), heads.gateway_time != before)
            tags, one = late.tags[:most], np.ones(min(most, len(late.tags)), np.int64)
            gateways = np.array(list(late.gateways), np.int32)
            counts = np.array(list(late.gateways.values()), np.int64)
            if not len(tags) and not len(gateways):
                return None
            return (
                heads,
                opened(gateways, gateways, heads.gateway_time[gateways], counts),
                opened(tags, heads.sender[tags], heads.time[tags], one),
                late.outlived if len(tags) == len(late.tags) else {},
            )

    async def fill(
        self, conn: Connection, fence: Fence, tag: int, begin: datetime, end: datetime
    ) -> Filling:
        """Hold the closed gaps that a range of a tag touches against what is stored now."""
        known = None if self._registry is None else self._registry.tags.get(tag)
        if known is None or self._heads is None or tag >= len(self._heads.may):
            return Filling()
        may = int(self._heads.may[tag])
        async with conn.transaction():
            await fence.check(conn)
            asked = {"tag": tag, "from": begin, "to": end}
            rows = await (await conn.execute(query("fillable_gaps"), asked)).fetchall()
            filled = [await fill_one(conn, tag, may, *row) for row in rows]
        return Filling(len(rows), sum(filled))

    async def fill_touched(self, conn: Connection, fence: Fence, most: int) -> Filling:
        """Do so for spans into which samples of wrong clocks came."""
        async with conn.transaction():
            await fence.check(conn)
            rows = await (await conn.execute(query("take_touched"), {"most": most})).fetchall()
            done = [await self.fill(conn, fence, *row) for row in rows]
        return Filling(sum(one.gaps for one in done), sum(one.filled_s for one in done))

    async def _write(self, conn: Connection, found: Found, at: datetime) -> None:
        tags, gateways = found.moved
        if len(tags):
            sent = dict(zip(tags.tolist(), gateways.tolist(), strict=True))
            row = {"tags": list(sent), "gateways": list(sent.values())}
            await conn.execute(query("set_tag_gateways"), row)
        for kind, steps in (("gateway", found.gateways), ("tag", found.tags)):
            await self._insert(conn, kind, steps.take(steps.missing), at)
            await end_open(conn, kind, steps.take(~steps.missing), at)
        await outlive(conn, found.outlived)
        tags, first, last = found.back
        if len(tags):
            spans = zip(tags.tolist(), map(moment, first), map(moment, last), strict=True)
            columns = list(zip(*spans, strict=True))
            row = {name: list(column) for name, column in zip(BACK, columns, strict=True)}
            await conn.execute(query("touch_gaps"), row)

    async def _insert(self, conn: Connection, kind: str, steps: Steps, at: datetime) -> None:
        known = np.array(
            [(kind[0], one) in self._enterprises for one in steps.subject.tolist()], np.bool_
        )
        steps = steps.take(known)
        if not len(steps):
            return
        subjects = steps.subject.tolist()
        row = {
            "kind": kind,
            "at": at,
            "ids": ids_of(kind, steps),
            "enterprises": [self._enterprises[kind[0], one] for one in subjects],
            "gateways": steps.gateway.tolist(),
            "tags": subjects if kind == "tag" else [0] * len(subjects),
            "froms": [moment(us) for us in steps.before.tolist()],
            "tos": [None if us == NEVER else moment(us) for us in steps.after.tolist()],
            "counts": steps.tags.tolist(),
        }
        await conn.execute(query("write_gaps"), row)


class Attempt:
    """`with` around the transaction: if it fails, or may have, the heads are as they were before.

    Of attempts that are under way at a time only one at a time may write.
    """

    def __init__(self, ledger: GapLedger) -> None:
        self._ledger = ledger
        self._moved = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._moved:
            self._ledger.end(committed=kind is None)

    async def write(self, conn: Connection, samples: Sequence[Sent], at: datetime) -> None:
        """Enter what these frames leave out; they are being stored in this transaction."""
        self._moved = True
        await self._ledger.write(conn, samples, at)

    def passed(self, samples: Sequence[Sent]) -> None:
        """These frames were committed, by an attempt of which that was not known."""
        self._moved = True
        self._ledger.advance(samples)
