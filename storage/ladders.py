"""Ladders by source, where several are in force: the tree is asked for the sources' paths."""

from collections.abc import Iterable

from domain.ladders import BySource, Ladders, Path, PlacedLadders
from storage.reading import Reading


async def ladders_of_sources(
    reading: Reading, ladders: Ladders, sources: Iterable[int]
) -> BySource:
    """The ladders of these sources, present or removed; with one ladder nothing is asked."""
    if not ladders.by_node:
        return ladders.default
    return PlacedLadders(ladders, (await source_paths(reading, sources)).get)


async def ladders_of_all(reading: Reading, ladders: Ladders) -> BySource:
    """The ladders of all sources, present or removed."""
    if not ladders.by_node:
        return ladders.default
    paths = {row["id"]: tuple(row["codes"]) for row in await reading.rows("desk_nodes")}
    return PlacedLadders(ladders, paths.get)


async def source_paths(reading: Reading, sources: Iterable[int]) -> dict[int, Path]:
    """Codes from the root down, by id; a source that never was has none."""
    rows = await reading.rows("codes_down_to", nodes=list(set(sources)))
    return {row["node"]: tuple(row["codes"]) for row in rows}
