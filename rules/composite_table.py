"""Written rules as arrays; see `rules.composites`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from domain import policy
from domain.alarms import Kind, Priority
from domain.frame import Ints
from domain.groups import names_of, nodes_of_kind
from domain.instant import SECOND
from domain.plant import Node, Registry, Tag, TagKind
from rules.expression.check import Scope, check
from rules.expression.lexer import RuleFault
from rules.expression.program import Program, program
from rules.expression.steps import Op, Steps
from rules.joint import Members, Records
from rules.plan import PlanError

KINDS = (Kind.COMPOSITE, Kind.COMPOSITE_UNKNOWN)


RULE = np.dtype(
    [
        *((name, np.int64) for name in ("root", "timer", "numbers", "modes", "priority")),
        ("delay_on", np.int64, (2,)),
        ("delay_off", np.int64, (2,)),
    ]
)
"""root: the instruction that says whether it holds. timer: that of a rule which as a whole must
last, -1 for none. numbers: differ where limits or modes that it names do. modes: the comparisons
with modes that hold, as bits. delays: by kind, microseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class CompositeTable:
    """Written rules, by rising node id; see `rows.Table`. rules: `RULE` [r]. tag: int64[p]."""

    keys: Ints
    marks: Ints
    members: Members
    program: Program
    rules: Records
    tag: Ints


def faults(registry: Registry, tags: Sequence[Tag]) -> Iterator[tuple[Node, str]]:
    """What is wrong in written rules, with its place in the text."""
    for node, checked in _checked(registry, tags):
        if isinstance(checked, RuleFault):
            yield node, str(checked)


def _checked(registry: Registry, tags: Sequence[Tag]) -> Iterator[tuple[Node, Steps | RuleFault]]:
    rules = nodes_of_kind(registry, "rule")
    if not rules:
        return
    named: dict[int, dict[str, Tag]] = {}
    for (enterprise, name), tag in names_of(registry, tags).items():
        named.setdefault(enterprise, {})[name] = tag
    siblings: dict[int | None, dict[str, Node]] = {}
    for rule in rules:
        siblings.setdefault(rule.parent, {})[rule.code] = rule
    units = _units(registry)
    for rule in rules:
        own, then = named.get(rule.enterprise or 0, {}), registry.began.get(rule.id)
        if then is not None:
            own = own | {name: t for (at, name), t in names_of(then).items()
                         if at == rule.enterprise and name in own}  # fmt: skip
        modes = registry.modes if then is None else then.modes
        scope = Scope(own, siblings[rule.parent], units.get(rule.parent, {}), modes)
        try:
            yield rule, check(rule, scope)
        except RuleFault as fault:
            yield rule, fault


def _units(registry: Registry) -> Mapping[int | None, dict[str, int]]:
    """Sources and their equipment by code, by source."""
    found: dict[int | None, dict[str, int]] = {}
    for id, node in registry.nodes.items():
        if node.kind == "source":
            found.setdefault(id, {})[node.code] = id
        elif node.kind == "equipment":
            found.setdefault(node.parent, {})[node.code] = id
    return found


def compile_composites(registry: Registry, tags: Sequence[Tag]) -> CompositeTable:
    """The written rules of a registry; their tags as `tags` are now."""
    checked = list(_checked(registry, tags))
    rules = [(node, steps) for node, steps in checked if isinstance(steps, Steps)]
    if len(rules) < len(checked):
        wrong = [(node, fault) for node, fault in checked if isinstance(fault, RuleFault)]
        raise PlanError(
            [f"rule {node.code!r} (node {node.id}): {fault}" for node, fault in wrong],
            [node.id for node, _ in wrong],
        )
    slot = {tag.id: slot for slot, tag in enumerate(tags)}
    silence = np.rint(np.array([policy.silence_after(t) for t in tags]) * SECOND).astype(np.int64)
    members = Members.of([[slot[tag.id] for tag in one.tags] for _, one in rules], silence)
    table = np.zeros(len(rules), RULE)
    for row, (node, one) in zip(table, rules, strict=True):
        row["root"], row["timer"], row["priority"] = one.root, _timer(one), _priority(node)
        row["numbers"] = crc32(repr((one.steps, one.modes)).encode())
        row["modes"] = sum(holds << n for n, holds in enumerate(one.modes))
        longest = max(silence[slot[tag.id]] for tag in one.tags)
        row["delay_on"][1] = longest + _lasting(one)
        row["delay_off"][0] = round(_off(node) * SECOND)
    return CompositeTable(
        np.array([node.id for node, _ in rules], np.int64),
        np.array([_mark(node, one) for node, one in rules], np.int64),
        members,
        program([one for _, one in rules]),
        table,
        np.array([tag.id for _, one in rules for tag in one.tags], np.int64),
    )


def _lasting(one: Steps) -> int:
    return max((int(step.a) for step in one.steps if step.op is Op.FOR), default=0)


def _timer(one: Steps) -> int:
    root = one.steps[one.root]
    return int(root.b) if root.op is Op.FOR else -1


def _mark(node: Node, one: Steps) -> int:
    """Differs where the shape of the rule, what it names or how it lasts differs; constants, such
    as limits, may change under a running rule."""
    shape = [(s.op, s.operands, s.b if s.op is Op.FOR else 0) for s in one.steps]
    return crc32(repr((node.detail.get("when"), shape, [tag.id for tag in one.tags])).encode())


def _off(node: Node) -> float:
    said = node.detail.get("off_s")
    if isinstance(said, int | float):
        return float(said)
    return policy.rule(TagKind.OTHER, Kind.COMPOSITE).off_s


def _priority(node: Node) -> int:
    said = node.detail.get("priority")
    return int((Priority(str(said)) if said else policy.node_priority(Kind.COMPOSITE))[1])
