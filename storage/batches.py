"""Batches of ingest into the database: samples, quarantine, ledgers, counts, in one commit."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import moment
from ingest.batch import Batch, Count, GatewaySays, PlantAlarm, Quarantined
from storage.database import Connection, server_facts
from storage.dirty import mark
from storage.encoding import jsonb, optional_text, text
from storage.lease import Fence
from storage.ledgers import add_to_ledgers
from storage.partitions import Partitions, partitions
from storage.queries import query
from storage.samples import (
    NOTHING,
    LastStored,
    Outcomes,
    Stored,
    Tally,
    tallied,
    write_samples,
)


class BatchStore:
    """Writes numbered batches of one shard; what is committed already is known by its number."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._last = LastStored()
        self._partitions: Partitions | None = None

    async def write(
        self,
        conn: Connection,
        epoch: int,
        batches: Sequence[tuple[int, Batch]],
        ahead: Outcomes | None = None,
    ) -> list[Stored]:
        """Commit batches, whose numbers rise, in one transaction; what became of each.

        `epoch` is the one under which they were numbered, which for a spool may be an earlier one.
        Idempotent: batches up to the mark of that epoch are left out, with `NOTHING` in their
        place. ahead: what became of all samples, where `write_ahead` has stored them.
        """
        if ahead is None:
            await self._make_room(conn, [batch for _, batch in batches])
        async with conn.transaction():
            await self._fence.check(conn)
            done = await self._mark(conn, epoch)
            new = [(number, batch) for number, batch in batches if number > done]
            if not new:
                return [NOTHING] * len(batches)
            stored = await self._write_new(conn, [batch for _, batch in new], ahead)
            row = {"shard": self._fence.shard, "epoch": epoch, "number": new[-1][0]}
            await conn.execute(query("set_mark"), row)
        return [NOTHING] * (len(batches) - len(new)) + stored

    async def write_ahead(
        self, conn: Connection, epoch: int, number: int, batch: Batch, which: NDArray[np.intp]
    ) -> Outcomes:
        """Commit some of a batch's samples before the rest of it; the outcome of each.

        For a batch of too many days for one transaction, which then comes with `ahead`. Its record
        must be on the disk: a batch that was received anew would take them for somebody else's.
        """
        part = replace(batch, frame=batch.frame.take(which))
        await self._make_room(conn, [part])
        async with conn.transaction():
            await self._fence.check(conn)
            if number <= await self._mark(conn, epoch):
                return np.zeros(len(which), np.int8)
            return (await write_samples(conn, [part.frame], self._last, again=True))[0]

    async def _mark(self, conn: Connection, epoch: int) -> int:
        """Up to which number batches of this epoch are committed, -1 for none."""
        asked = {"shard": self._fence.shard, "epoch": epoch}
        row = await (await conn.execute(query("lock_mark"), asked)).fetchone()
        return -1 if row is None else int(row[0])

    async def _make_room(self, conn: Connection, batches: Sequence[Batch]) -> None:
        if self._partitions is None:
            self._partitions = partitions(await server_facts(conn))
            await self._last.seed(conn)
        times: Ints = np.concatenate([batch.frame.time for batch in batches])
        at = moment(max(batch.frame.received for batch in batches))
        await self._partitions.cover(conn, times, at)

    async def _write_new(
        self, conn: Connection, batches: Sequence[Batch], ahead: Outcomes | None
    ) -> list[Stored]:
        frames = [batch.frame for batch in batches]
        outcomes = [ahead] if ahead is not None else await write_samples(conn, frames, self._last)
        stored = [
            tallied(outcome, batch.gateway_of)
            for outcome, batch in zip(outcomes, batches, strict=True)
        ]
        at = moment(max(batch.frame.received for batch in batches))
        await _write_many(
            conn, "insert_quarantined", [_quarantined(q) for b in batches for q in b.quarantined]
        )
        await add_to_ledgers(conn, (delta for batch in batches for delta in batch.ledger), at)
        await _write_many(conn, "upsert_gateway_state", _states(batches))
        await _write_many(
            conn, "insert_plant_alarm", [_plant_alarm(p) for b in batches for p in b.plant_alarms]
        )
        await mark(conn, ((*span, b.frame.received) for b in batches for span in b.dirty))
        await _write_many(conn, "add_counts", _counts(batches, stored))
        return stored


async def _write_many(conn: Connection, statement: str, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        async with conn.cursor() as cursor:
            await cursor.executemany(query(statement), rows)


def _quarantined(one: Quarantined) -> dict[str, object]:
    return {
        "id": one.id,
        "received": moment(one.received),
        "topic": text(one.topic),
        "gateway": one.gateway,
        "enterprise": one.enterprise,
        "reason": one.reason,
        "detail": text(one.detail),
        "tag": optional_text(one.tag),
        "time": optional_text(one.time),
        "payload": one.payload,
        "size": one.size,
    }


def _states(batches: Iterable[Batch]) -> list[dict[str, object]]:
    """The newest word of each gateway."""
    newest: dict[int, GatewaySays] = {}
    for batch in batches:
        for said in batch.states:
            newest[said.gateway] = said
    return [
        {
            "gateway": said.gateway,
            "online": said.online,
            "boot": optional_text(said.boot),
            "said_at": said.said_at,
            "received": moment(said.received),
        }
        for _, said in sorted(newest.items())
    ]


def _plant_alarm(said: PlantAlarm) -> dict[str, object]:
    return {
        "gateway": said.gateway,
        "id": text(said.id),
        "time": said.time,
        "received": moment(said.received),
        "tag": text(said.tag),
        "kind": text(said.kind),
        "active": said.active,
        "body": jsonb(said.body),
    }


def _counts(batches: Sequence[Batch], stored: Sequence[Stored]) -> list[dict[str, object]]:
    """What the batches add to the counts of each gateway, in the order of gateways."""
    sums: dict[int, dict[str, int]] = {}
    for batch, outcome in zip(batches, stored, strict=True):
        for gateway in batch.counts.keys() | outcome.by_gateway.keys():
            added = asdict(batch.counts.get(gateway, Count()))
            tally = outcome.by_gateway.get(gateway, Tally())
            added |= {f"values_{word}": number for word, number in asdict(tally).items()}
            total = sums.setdefault(gateway, dict.fromkeys(added, 0))
            for name, number in added.items():
                total[name] += number
    return [{"gateway": gateway, **total} for gateway, total in sorted(sums.items())]
