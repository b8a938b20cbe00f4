"""What batches bring besides samples: quarantine, ledgers, states, reported alarms, counts."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from domain.instant import moment
from ingest.batch import Batch, Count, GatewaySays, PlantAlarm, Quarantined
from storage.database import Connection
from storage.dirty import mark
from storage.encoding import jsonb, optional_text, text
from storage.ledgers import add_to_ledgers
from storage.queries import query
from storage.samples import Stored, Tally


async def write_beside(
    conn: Connection, batches: Sequence[Batch], stored: Sequence[Stored]
) -> None:
    """In the transaction that stores the samples. stored: what became of each batch's."""
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
