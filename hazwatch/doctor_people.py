"""The doctor's look at who would be told: contact file and ladders held against the site."""

from alerts.contacts import place
from alerts.holes import holes, sentences, strays
from domain.ladders import Ladders, path, placed
from domain.levels import by_kind
from domain.plant import Registry
from hazwatch.doctor import Area, Diagnosis, Outcome
from hazwatch.settings import Settings
from hazwatch.warning_rules import WarningRulesError, ladders_of, people_files
from storage.database import Connection
from storage.registry import read_nodes

SHOWN = 10
"""Lines of a sort."""
NAME_IT = "name its codes as hazwatch site show --no-tags has them"
TODO = "add a [[duty]] or [[contact]] at the source or above it: hazwatch roster gaps"


async def look(conn: Connection, settings: Settings, area: Area) -> list[Diagnosis]:
    """Of a database whose schema is up to date. Files that can't be used are told elsewhere."""
    try:
        ladders, book = ladders_of(settings), people_files(settings).book
    except WarningRulesError:
        return []
    registry = await read_nodes(conn)
    directory, lost = place(book, registry)
    paths = [path(registry, node) for node in registry.nodes]
    found = [area.failed("people", said, NAME_IT) for said in [*strays(lost)][:SHOWN]]
    found += [
        area.failed("ladders", f"the site has no node {'/'.join(node)!r}", NAME_IT)
        for node in ladders.lost(paths)
    ]
    found.append(_signing(area, ladders, registry))
    if settings.contacts_file is None:
        return found
    missing = holes(placed(ladders, registry), registry, directory)
    at_once = [hole for hole in missing if hole.at_once]
    found += [area.warning("people", said, TODO) for said in sentences(at_once, registry)]
    if all(one.outcome is Outcome.OK for one in found):
        found.append(area.ok("people", "whom warnings tell at once is named for every source"))
    return found


def _signing(area: Area, ladders: Ladders, registry: Registry) -> Diagnosis:
    """For which levels of the ladders somebody could sign 签收, by the kinds of the nodes."""
    there = {by_kind()[node.kind] for node in registry.nodes.values() if node.kind in by_kind()}
    told = {role.level for role in ladders.roles.values()}
    can, cannot = (
        ", ".join(level.name.lower() for level in sorted(levels)) or "none"
        for levels in (told & there, told - there)
    )
    return area.ok("levels", f"can sign: {can}; no node, so nobody signs: {cannot}")
