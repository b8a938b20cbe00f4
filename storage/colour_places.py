"""Places whose colour may still be retained at the broker though the site has them no more."""

from storage.database import Connection
from storage.queries import query


async def places_gone(conn: Connection) -> list[tuple[str, str | None, str | None]]:
    """Codes of park, enterprise and source; of an enterprise without the last, of a park the first
    alone."""
    rows = await conn.execute(query("places_gone"))
    return [(park, enterprise, source) for park, enterprise, source in await rows.fetchall()]
