"""Ledgers of gateways: which messages of which boot are durable here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from domain.instant import micros, moment
from ingest.batch import LedgerDelta
from ingest.ledger import KEEP_BOOTS, KEEP_RANGES, Run
from ingest.ledger import Ledger as InMemory
from storage.database import Connection
from storage.encoding import text
from storage.queries import query


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one boot of one gateway. seen: inclusive ranges of seq, apart and rising.

    newest_time: microseconds, None where no sample of it was stored. offsets: runs of seq whose
    times were stored with an offset.
    """

    gateway: int
    boot: str
    seen: tuple[tuple[int, int], ...]
    first_seq: int
    oldest: int
    newest_time: int | None
    offsets: tuple[Run, ...]
    updated: datetime


async def read_ledgers(
    conn: Connection, gateways: Sequence[int], boots: int = KEEP_BOOTS
) -> list[Ledger]:
    """The ledgers of the last `boots` boots of each of these gateways, the newest last."""
    rows = await conn.execute(query("read_ledgers"), {"gateways": list(gateways), "boots": boots})
    return [_ledger(row) for row in await rows.fetchall()]


async def add_to_ledgers(conn: Connection, deltas: Iterable[LedgerDelta], at: datetime) -> None:
    """Add what batches brought, in the transaction that stores them.

    Of more than `KEEP_RANGES` ranges the lowest are forgotten, as ingest does it in memory.
    """
    by_boot: dict[tuple[int, str], list[LedgerDelta]] = {}
    for delta in deltas:
        by_boot.setdefault((delta.gateway, text(delta.boot)), []).append(delta)
    for (gateway, boot), parts in sorted(by_boot.items()):
        newest = [part.newest_time for part in parts if part.newest_time is not None]
        row = {
            "gateway": gateway,
            "boot": boot,
            "seen": _multirange(one for part in parts for one in part.seen),
            "first_seq": parts[0].first_seq,
            "oldest": max(part.oldest for part in parts),
            "newest": moment(max(newest)) if newest else None,
            "offsets": await _offsets(conn, gateway, boot, parts),
            "updated": at,
        }
        await conn.execute(query("upsert_ledger"), row)
        most = {"gateway": gateway, "boot": boot, "most": KEEP_RANGES}
        await conn.execute(query("bound_ledger"), most)


def with_runs(present: Iterable[Run], added: Iterable[Run]) -> list[Run]:
    """All runs in the order in which they came, joined and bounded as ingest does it in memory."""
    ledger = InMemory(gateway=0, boot="", first_seq=0)
    for run in (*present, *added):
        ledger.shift(*run)
    return ledger.offsets


def _ledger(row: Sequence[Any]) -> Ledger:
    gateway, boot, seen, first_seq, oldest, newest, offsets, updated = row
    return Ledger(
        gateway,
        boot,
        tuple((one.lower, one.upper - 1) for one in seen),
        first_seq,
        oldest,
        None if newest is None else micros(newest),
        tuple((begin, end, offset) for begin, end, offset in offsets),
        updated,
    )


async def _offsets(
    conn: Connection, gateway: int, boot: str, parts: Sequence[LedgerDelta]
) -> Jsonb | None:
    """All runs of this boot with an offset, None where the parts add none."""
    added = [run for part in parts for run in part.offsets]
    if not added:
        return None
    found = await conn.execute(query("lock_offsets"), {"gateway": gateway, "boot": boot})
    row = await found.fetchone()
    present: list[Run] = [(run[0], run[1], run[2]) for run in row[0]] if row else []
    return Jsonb(with_runs(present, added))


def _multirange(ranges: Iterable[tuple[int, int]]) -> str:
    return "{" + ",".join(f"[{begin},{end}]" for begin, end in ranges) + "}"
