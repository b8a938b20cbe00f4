"""What must fit together in a site file, beyond the shape of its entries: (where, clause)."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from domain.circumstances import circumstances
from domain.explain import shown, suggestion
from domain.group_rules import group_problems
from domain.plant import Circumstance
from domain.problem import Loc
from domain.suppression_rules import suppression_problems
from domain.tag_rules import fill_problems, tag_problems
from domain.vessels import describe

if TYPE_CHECKING:
    from domain.site import Area, Enterprise, Position, Site, Source, Substance, TagEntry

Problems = Iterator[tuple[Loc, str]]

PARK = "park"
RESERVED_PARKS = frozenset({"events", "hazwatch-self-test"})
"""A topic level of the wire, and the park of the self-test's canary: no park may be called so."""
RESERVED_KINDS = frozenset({"enterprise", "source", "equipment", "group", "rule"})
SELF_TEST = "self_test"
KNOWN_KINDS = ("country", "province", "corps", "city", "division", "county", "regiment", "park")


def site_problems(site: "Site", absent: frozenset[str]) -> Problems:
    """Everything in a site that does not fit together.

    `absent`: codes and names of entries that are wrong in themselves and were left out of `site`.
    """
    parks: dict[str, tuple[str, ...]] = {}
    yield from _area_problems(site.tree, ("tree",), parks)
    taken: dict[tuple[str, str], int] = {}
    for i, enterprise in enumerate(site.enterprises):
        at: Loc = ("enterprises", i)
        if enterprise.park not in parks and enterprise.park not in absent:
            yield (
                (*at, "park"),
                f"no park {shown(enterprise.park)} in the tree{suggestion(enterprise.park, parks)}",
            )
        if enterprise.code in parks.get(enterprise.park, ()):
            yield (
                (*at, "code"),
                f"{shown(enterprise.code)} is the code of a child of park {enterprise.park}",
            )
        first = taken.setdefault((enterprise.park, enterprise.code), i)
        if first != i:
            yield (*at, "code"), _again(enterprise.code, f"enterprises[{first}]")
        yield from _enterprise_problems(enterprise, at, absent)


def unique(values: Iterable[tuple[Loc, str]], where: str) -> Problems:
    """A problem for every value that came before."""
    seen: dict[str, Loc] = {}
    for loc, value in values:
        if value in seen:
            yield loc, _again(value, where)
        seen.setdefault(value, loc)


def _again(value: str, where: str) -> str:
    return f"{shown(value)} is used before, in {where}; allowed: once"


def _area_problems(
    areas: "tuple[Area, ...]", at: Loc, parks: dict[str, tuple[str, ...]]
) -> Problems:
    yield from unique(
        (((*at, i, "code"), area.code) for i, area in enumerate(areas)), "its siblings"
    )
    for i, area in enumerate(areas):
        here: Loc = (*at, i)
        yield from _kind_problems(area.kind, (*here, "kind"))
        if area.kind == PARK:
            if area.code in RESERVED_PARKS:
                yield (
                    (*here, "code"),
                    f"{shown(area.code)} is reserved by the wire; name the park otherwise",
                )
            if area.code in parks:
                yield (
                    (*here, "code"),
                    _again(area.code, "the tree as a park (topics name the park alone)"),
                )
            parks[area.code] = tuple(child.code for child in area.children)
        yield from _area_problems(area.children, (*here, "children"), parks)


def _kind_problems(kind: str, at: Loc) -> Problems:
    if kind in RESERVED_KINDS:
        yield at, f"{shown(kind)} belongs under enterprises, not in the tree"
    if kind == SELF_TEST:
        yield at, f"{shown(kind)} is for hazwatch's own self-test"
    close = difflib.get_close_matches(kind, KNOWN_KINDS, n=1, cutoff=0.8)
    if close and kind not in KNOWN_KINDS:
        yield at, f"{shown(kind)}: did you mean {shown(close[0])}?"


def _enterprise_problems(enterprise: "Enterprise", at: Loc, absent: frozenset[str]) -> Problems:
    yield from unique(
        (((*at, "gateways", i), code) for i, code in enumerate(enterprise.gateways)),
        "the enterprise's gateways",
    )
    if enterprise.boundary is not None:
        yield from _ring_problems(enterprise.boundary, (*at, "boundary"))
    sources = enterprise.sources
    yield from unique(
        (((*at, "sources", i, "code"), source.code) for i, source in enumerate(sources)),
        "the enterprise's sources",
    )
    names = [
        ((*at, "sources", i, "tags", k, "name"), tag.name)
        for i, source in enumerate(sources)
        for k, tag in enumerate(source.tags)
    ]
    yield from unique(names, "the enterprise's tags")
    present = {tag.name: tag for source in sources for tag in source.tags}
    for i, source in enumerate(sources):
        yield from _source_problems(source, (*at, "sources", i), present, absent)
    entries = [
        ((*at, "sources", i, "tags", k), tag)
        for i, source in enumerate(sources)
        for k, tag in enumerate(source.tags)
    ]
    where = {name: found for source in sources for name, found in _where(source).items()}
    yield from suppression_problems(entries, absent, where)


def _where(source: "Source") -> dict[str, frozenset[Circumstance]]:
    """Circumstances of the tags of a source, by name."""
    vessels = {one.code: dict(one) for one in source.equipment}
    return {
        tag.name: circumstances(source.grade, vessels.get(tag.equipment or ""))
        for tag in source.tags
    }


def _source_problems(
    source: "Source", at: Loc, tags: "Mapping[str, TagEntry]", absent: frozenset[str]
) -> Problems:
    vessels = {vessel.code: vessel for vessel in source.equipment}
    where = _where(source)
    codes = [((*at, "equipment", i, "code"), own.code) for i, own in enumerate(source.equipment)]
    codes += [((*at, "groups", i, "code"), own.code) for i, own in enumerate(source.groups)]
    codes += [((*at, "rules", i, "code"), own.code) for i, own in enumerate(source.rules)]
    yield from unique(codes, "the source's equipment, groups and rules")
    for k, tag in enumerate(source.tags):
        here: Loc = (*at, "tags", k)
        yield from tag_problems(tag, here, where[tag.name])
        if tag.equipment in vessels:
            yield from fill_problems(tag, vessels[tag.equipment], here)
        elif tag.equipment is not None and tag.equipment not in absent:
            yield (
                (*here, "equipment"),
                f"no equipment {shown(tag.equipment)} in source {source.code}"
                f"{suggestion(tag.equipment, vessels)}",
            )
    for i, substance in enumerate(source.substances):
        yield from substance_problems(substance, (*at, "substances", i))
    yield from vessel_problems(source, at, absent)
    yield from group_problems(source, at, tags, absent)


def vessel_problems(source: "Source", at: Loc, absent: frozenset[str]) -> Problems:
    """What contradicts itself in the vessels of a source: geometry, content, flows."""
    substances = [one.model_dump(mode="json", exclude_none=True) for one in source.substances]
    for i, vessel in enumerate(source.equipment):
        detail = vessel.model_dump(mode="json", exclude_none=True)
        for loc, clause in describe(detail, vessel.code, source.tags, substances)[1]:
            if not _names_absent(detail, loc, absent):
                yield (*at, "equipment", i, *loc), clause


def _names_absent(detail: object, loc: Loc, absent: frozenset[str]) -> bool:
    """Whether the entry at `loc` is the name of something that was left out for its own faults."""
    for step in loc:
        if isinstance(detail, dict):
            detail = detail.get(step)
        elif isinstance(detail, list) and isinstance(step, int):
            detail = detail[step]
    return isinstance(detail, str) and detail in absent


def substance_problems(substance: "Substance", at: Loc) -> Problems:
    """What does not fit together within a substance. What GB 18218 asks of it, `hazwatch grade`
    tells."""
    if (substance.beta is None) != (substance.beta_source is None):
        absent = "beta" if substance.beta is None else "beta_source"
        yield (*at, absent), "is missing; beta and beta_source go together"


def _ring_problems(ring: "tuple[Position, ...]", at: Loc) -> Problems:
    """A boundary is a simple ring with an area; the last point may repeat the first."""
    points = list(ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring)
    if len(set(points)) < 3:
        yield at, f"has {len(set(points))} different points; allowed: 3 or more"
        return
    n = len(points)
    edges = [(points[i], points[(i + 1) % n]) for i in range(n)]
    for i in range(n):
        for k in range(i + 2, n - (i == 0)):
            if _cross(*edges[i], *edges[k]):
                yield (*at, i), f"the edge from this point crosses the edge from point {k}"
                return
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in edges)
    if abs(twice_area) < 1e-12:
        yield at, "has no area; all its points lie on a line"


def _cross(a: "Position", b: "Position", c: "Position", d: "Position") -> bool:
    """Whether segments ab and cd have an inner point in common."""

    def side(p: "Position", q: "Position", r: "Position") -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
