"""What a map shows beside the tree."""

from storage.reading import Reading, Row
from storage.sessions import Scope


async def map_nodes(reading: Reading, scope: Scope) -> dict[int, Row]:
    """boundary (of enterprises), grade and updated_at (of sources), by node; each may be None."""
    rows = await reading.rows("map_nodes", enterprises=scope.list_of_enterprises())
    return {row["id"]: row for row in rows}


async def map_tags(reading: Reading, scope: Scope) -> list[Row]:
    """Present tags that have a position of their own, by id."""
    return await reading.rows("map_tags", enterprises=scope.list_of_enterprises())
