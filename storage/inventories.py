"""Inventory 储量 of hazard sources: one row each, what was last told, written and read."""

from collections.abc import Sequence

from domain.inventory import SourceInventory
from storage.database import Connection
from storage.encoding import jsonb
from storage.queries import query
from storage.reading import Reading, Row
from storage.sessions import Scope


async def write_inventories(conn: Connection, told: Sequence[SourceInventory]) -> None:
    """Keep what is told of sources; of one source the last word counts, whatever its time."""
    if told:
        newest = {one.source: one for one in told}
        async with conn.cursor() as cursor:
            await cursor.executemany(
                query("upsert_inventory"), [_row(one) for one in newest.values()]
            )


def _row(one: SourceInventory) -> dict[str, object]:
    return {
        "source": one.source,
        "enterprise": one.enterprise,
        "at": one.at,
        "load": one.load,
        "body": jsonb(
            {
                "pooled": one.pooled,
                "s_now": one.s_now,
                "s_design": one.s_design,
                "complete": one.complete,
                "held": one.held,
                "tanks": one.tanks,
                "substances": one.substances,
            }
        ),
    }


async def find_inventory(reading: Reading, scope: Scope, source: int) -> Row | None:
    """What was last told of a source, with `names` of its tanks and tags by id; at is None where
    nothing was told yet; None if there is no such source for this reader."""
    return await reading.row(
        "find_inventory", enterprises=scope.list_of_enterprises(), source=source
    )
