"""A plan of everything that can be judged, and what had to be left out of it.

One bad tag, group, rule or vessel must not blind all others, at a start or when the site changes.
What is left out stays in the registry: its samples are stored, and its open alarms stay open, for
what nobody judges is not over.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import nan

from domain.alarms import OF_NODES, Edge, Finding, Kind
from domain.groups import voting_groups
from domain.modes import Kept, Modes
from domain.plant import Node, Registry
from domain.policy import LIMITS
from rules.closing import REMOVED, SOURCE_REMOVED, UNLIMITED, UNWATCHED
from rules.compiling import NO_MODES, compile_plan
from rules.plan import Plan, PlanError

Condition = tuple[Kind, int, datetime]
"""Kind, tag or node id, onset."""
OF_ONE_TAG = frozenset({*LIMITS, Kind.ROC, Kind.OFFLINE})
"""Kinds that need nothing but their tag."""
TOLD = 10
"""So many problems are told in one sentence."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """What a plan had to leave out, by id, each with the reason. sources: those below which
    anything was left out. weighed: sources of which a vessel was, so their inventory is not whole.
    degraded: sentences about groups that go on with fewer members."""

    tags: Mapping[int, str] = field(default_factory=dict)
    nodes: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    weighed: frozenset[int] = frozenset()
    degraded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or self.nodes)

    def __len__(self) -> int:
        return len(self.tags) + len(self.nodes)

    def why(self, registry: Registry, kind: Kind, subject: int) -> str | None:
        """Why a condition that has no place in the plan can't be judged; None: nothing of what was
        left out has to do with it, so people have taken it away.

        What rests on several tags may be gone with any of its source.
        """
        if kind in OF_NODES:
            source = source_of(registry, subject)
            return self.nodes.get(subject) or self.sources.get(-1 if source is None else source)
        tag = registry.tags.get(subject)
        if tag is None or subject in self.tags or kind in OF_ONE_TAG:
            return None if tag is None else self.tags.get(subject)
        return self.sources.get(tag.source)

    def keeps(self, registry: Registry, finding: Finding) -> bool:
        """Whether a finding ends what it can't know to be over: a condition that was left out, or
        the excess of a source of which not every vessel counts."""
        if finding.edge is Edge.RETURNED:
            return finding.kind is Kind.INVENTORY and finding.node in self.weighed
        subject = finding.node if finding.tag is None else finding.tag
        closed = finding.edge is Edge.CLOSED and subject is not None
        return closed and self.why(registry, finding.kind, subject or 0) is not None

    def sentence(self) -> str:
        """What was left out, in words for operators."""
        every = [*self.tags.values(), *self.nodes.values(), *self.degraded]
        more = [f"… {len(every) - TOLD} more"] if len(every) > TOLD else []
        return (
            f"{len(self.tags)} tags and {len(self.nodes)} groups, rules or vessels cannot be "
            "judged 无法判定, all others are; alarms of theirs stay open: "
            + "; ".join((*every[:TOLD], *more))
        )


def planned(
    registry: Registry, modes: Modes = NO_MODES, kept: Kept | None = None
) -> tuple[Plan, Unjudged]:
    """The plan of all that can be judged. kept: what stays in force against the modes.

    A group goes on without members that were left out. Raises `PlanError` where nothing can be left
    out that would help.
    """
    part, degraded, kept = registry, None, kept or Kept()
    tags: dict[int, str] = {}
    nodes: dict[int, str] = {}
    while True:
        try:
            plan = compile_plan(part, modes, kept.limits, kept.ahead, kept.rules)
        except PlanError as error:
            wrong = {id: _said(error, id) for id in error.nodes & part.nodes.keys() - nodes.keys()}
            if error.tags:
                tags |= error.tags
                rest = {id: tag for id, tag in part.tags.items() if id not in tags}
                part = replace(part, tags=rest)
            elif degraded is None:
                part, degraded = _degraded(part)
            elif wrong:
                nodes |= wrong
                part = _without(part, wrong)
            else:
                raise
        else:
            return plan, _left_out(registry, tags, nodes, degraded or ())


def marked(registry: Registry, unjudged: Unjudged, before: Registry, at: datetime) -> Registry:
    """The registry with what can't be judged, and since when: since `at`, or as it was before."""
    return replace(
        registry, unjudged={id: before.unjudged.get(id, at) for id in sorted(unjudged.tags)}
    )


def gone(registry: Registry, condition: Condition, at: datetime) -> Finding:
    """The end of a condition that has no place in the plan any more because people took it away."""
    kind, subject, onset = condition
    if kind in OF_NODES:
        reason = SOURCE_REMOVED if kind is Kind.SOURCE_OFFLINE else UNWATCHED
    elif subject not in registry.tags:
        reason = REMOVED
    else:
        reason = UNLIMITED if kind in OF_ONE_TAG else UNWATCHED
    tag, node = (None, subject) if kind in OF_NODES else (subject, None)
    return Finding(Edge.CLOSED, kind, tag, node, onset, at, nan, nan, reason)


def source_of(registry: Registry, id: int) -> int | None:
    """The source at or above a node."""
    node: Node | None = registry.nodes.get(id)
    while node is not None and node.kind != "source":
        node = None if node.parent is None else registry.nodes.get(node.parent)
    return None if node is None else node.id


def _said(error: PlanError, node: int) -> str:
    """What an error says of a node."""
    own = [problem for problem in error.problems if f"(node {node})" in problem]
    return "; ".join(own or error.problems[:1])


def _left_out(
    registry: Registry,
    tags: Mapping[int, str],
    nodes: Mapping[int, str],
    degraded: Collection[str],
) -> Unjudged:
    sources = {registry.tags[id].source: why for id, why in tags.items()}
    at = {id: source_of(registry, id) for id in nodes}
    sources |= {source: nodes[id] for id, source in at.items() if source is not None}
    vessels = {at[id] for id in nodes if registry.nodes[id].kind == "equipment"}
    weighed = frozenset(source for source in vessels if source is not None)
    return Unjudged(tags, nodes, sources, weighed, tuple(degraded))


def _degraded(registry: Registry) -> tuple[Registry, list[str]]:
    """Groups that vote go on without the members that are not there, with as many votes less: a
    detector that is lost makes its group more sensitive (domain.md 5.3)."""
    nodes, told = dict(registry.nodes), []
    for group in voting_groups(registry):
        if group.absent and group.members:
            names, lost = [tag.name for tag in group.members], len(group.absent)
            vote = f"{max(1, group.needed - lost)}oo{len(names)}"
            detail = {**group.node.detail, "vote": vote, "members": names}
            nodes[group.node.id] = replace(group.node, detail=detail)
            told.append(
                f"group {group.node.code!r} (node {group.node.id}) votes {vote} without "
                f"{', '.join(group.absent)}"
            )
    return replace(registry, nodes=nodes), told


def _without(registry: Registry, wrong: Collection[int]) -> Registry:
    """Without these nodes; a vessel stays, but nothing is known of it."""
    nodes = {id: node for id, node in registry.nodes.items() if id not in wrong}
    return replace(registry, nodes=nodes | dict(_bare(registry, wrong)))


def _bare(registry: Registry, wrong: Collection[int]) -> Iterator[tuple[int, Node]]:
    for node in (registry.nodes[id] for id in wrong):
        if node.kind == "equipment":
            kind = {"kind": node.detail["kind"]} if "kind" in node.detail else {}
            yield node.id, replace(node, detail=kind)
