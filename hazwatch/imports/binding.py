"""A map against the registry and a file: which column is which tag, and who reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.explain import shown, suggestion
from domain.import_map import ImportMap
from domain.plant import Node, Registry, Tag
from hazwatch.imports.columnar import Columnar
from hazwatch.imports.decode import TIME, Bound, Judge, Long, Wide
from hazwatch.imports.delimited import Delimited, Format
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.stream import is_parquet
from hazwatch.imports.times import TimeReader
from ingest.conversion import Exchange
from ingest.spans import Spans
from simulators.recording import EMPTY

Table = Delimited | Columnar


@dataclass(frozen=True, slots=True)
class Binding:
    """What an import reads. matched: by column or name in the file. missing: those of the map that
    no tag is registered for. places: columns of the file by key; repeated: as in `Shape`."""

    enterprise: Node
    reader: Wide | Long
    matched: Mapping[str, Tag]
    missing: tuple[str, ...]
    places: dict[str, int]
    repeated: frozenset[str]


def table_of(file: Path, plan: ImportMap) -> Table:
    """The file as a table; `ImportFault` where it is none."""
    if is_parquet(file):
        return Columnar(file)
    return Delimited(file, Format(plan.separator, plan.header, plan.encoding, plan.transposed))


def enterprise_of(registry: Registry, code: str, park: str | None = None) -> Node:
    """The enterprise of a code, or of park/code; `ImportFault` where there is not one of it."""
    if park is None and "/" in code:
        park, code = code.split("/", 1)
    every = enterprises(registry)
    found = [
        node
        for node in every
        if node.code == code and park in (None, registry.nodes[node.parent or 0].code)
    ]
    if len(found) == 1:
        return found[0]
    names = [f"{registry.nodes[node.parent or 0].code}/{node.code}" for node in every]
    said = code if park is None else f"{park}/{code}"
    if found:
        raise ImportFault(f"several enterprises are called {said}; say park/enterprise")
    hint = suggestion(said, names) if names else "; load a site first: hazwatch site load"
    raise ImportFault(f"no enterprise {shown(said)} is registered{hint}")


def enterprises(registry: Registry) -> list[Node]:
    """The enterprises of the registry, by id."""
    ids = {gateway.enterprise for gateway in registry.gateways}
    ids |= {tag.enterprise for tag in registry.tags.values()}
    return [registry.nodes[id] for id in sorted(ids)]


def tags_of(registry: Registry, enterprise: Node) -> dict[str, Tag]:
    """The tags of an enterprise by name."""
    return {tag.name: tag for tag in registry.tags.values() if tag.enterprise == enterprise.id}


def bind(registry: Registry, plan: ImportMap, table: Table, at: datetime) -> Binding:
    """Everything that reads the table into the registry's tags; `at`: when the import began."""
    enterprise = enterprise_of(registry, plan.enterprise, plan.park)
    tags = tags_of(registry, enterprise)
    judge = Judge(
        TimeReader(plan.time, at),
        Spans(registry),
        Exchange(registry),
        EMPTY | {word.lower() for word in plan.empty},
    )
    matched = {key: tags[one.name] for key, one in plan.tags.items() if one.name in tags}
    missing = tuple(key for key, one in plan.tags.items() if one.name not in tags)
    bound = {key: Bound(key, tag, plan.tags[key].unit) for key, tag in matched.items()}
    times = {} if plan.time.column is None else {TIME: plan.time.column}
    if plan.long is None:
        if not bound:
            raise ImportFault(f"no column of the map is a tag of {enterprise.code}")
        wide = Wide(judge, tuple(bound.values()))
        places = _places(table, times | {key: key for key in bound})
        return Binding(enterprise, wide, matched, missing, places, frozenset())
    long = plan.long
    reader = Long(
        judge,
        {name: Bound(name, tag) for name, tag in tags.items()} | bound,
        *(long.tag, long.value, long.quality, long.unit),
    )
    columns = [key for key in (long.tag, long.value, long.quality, long.unit) if key]
    places = _places(table, times | {key: key for key in columns})
    repeated = frozenset({long.tag, long.quality or "", long.unit or "", TIME})
    return Binding(enterprise, reader, tags | matched, missing, places, repeated)


def _places(table: Table, wanted: Mapping[str, str]) -> dict[str, int]:
    found = table.places(dict.fromkeys(wanted.values()))
    return {key: found[column] for key, column in wanted.items()}
