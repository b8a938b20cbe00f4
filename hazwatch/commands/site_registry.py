"""The registry that a site file would make, to try its groups and rules without a database."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.circumstances import Places
from domain.instant import EPOCH
from domain.plant import Node, Registry, Tag
from domain.problem import Loc
from domain.site import Site
from storage.site_changes import Path, plant_of


@dataclass(frozen=True, slots=True)
class Draft:
    """A registry with made-up ids. places: where the node of a group or rule is in the file."""

    registry: Registry
    places: dict[int, Loc] = field(default_factory=dict)


def draft(site: Site) -> Draft:
    """The registry of a site whose references hold."""
    plant = plant_of(site)
    ids: dict[Path, int] = {path: id for id, path in enumerate(plant.nodes, 1)}
    owner = {path: ids[path] for path in plant.enterprises}
    nodes = {
        ids[path]: Node(
            ids[path],
            ids.get(path[:-1]),
            facts.kind,
            path[-1],
            facts.name,
            next((owner[path[:n]] for n in range(len(path), 0, -1) if path[:n] in owner), None),
            facts.position,
            facts.detail,
        )
        for path, facts in plant.nodes.items()
    }
    tags: dict[int, Tag] = {}
    places, locs = Places(nodes), dict[int, Loc]()
    for e, enterprise in enumerate(site.enterprises):
        ends = enterprise.park, enterprise.code
        above = next(path for path in plant.enterprises if path[-2:] == ends)
        for s, source in enumerate(enterprise.sources):
            path = (*above, source.code)
            here: Loc = ("enterprises", e, "sources", s)
            for entry in source.tags:
                id = len(tags) + 1
                where = places.of(ids[path], entry.equipment)
                tags[id] = entry.tag(id, 1, ids[above], ids[path], EPOCH, where)
            for g, group in enumerate(source.groups):
                locs[ids[*path, group.code]] = (*here, "groups", g)
            for r, rule in enumerate(source.rules):
                locs[ids[*path, rule.code]] = (*here, "rules", r, "when")
    return Draft(Registry(1, nodes, (), tags), locs)


def rule_faults(site: Site) -> Iterator[tuple[Loc, str]]:
    """What is wrong in the groups and written rules of a site, and where in the file."""
    sources = [source for enterprise in site.enterprises for source in enterprise.sources]
    if any(source.rules or source.groups for source in sources):
        # Loading the compiled rules takes longer than most commands do.
        from rules import composite_table, vote_table

        made = draft(site)
        tags = [made.registry.tags[id] for id in sorted(made.registry.tags)]
        for faults in (vote_table.faults, composite_table.faults):
            for node, fault in faults(made.registry, tags):
                yield made.places[node.id], fault
