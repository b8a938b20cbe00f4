"""Written rules over several tags 组合规则, in three-valued logic; see `rules.expression`.

| the rule is | COMPOSITE begins | COMPOSITE goes on | COMPOSITE_UNKNOWN            |
|-------------|------------------|-------------------|------------------------------|
| true        | yes              | yes               | ends                         |
| unknown     | no               | yes               | begins after some time, holds |
| false       | no               | no (off_s)        | ends                         |

A tag whose last sample was not good, or that has been silent for longer than it may, is unknown;
one that was never heard is awaited for that long: then `unknown` of it is itself unknown.
COMPOSITE_UNKNOWN waits for as long as the longest silence that one of the rule's tags may keep, so
that one bad sample raises nothing. Detail of findings: see `_detail`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from domain import policy
from domain.alarms import Kind, Priority
from domain.frame import Floats, Ints
from domain.groups import names_of, nodes_of_kind
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Node, Registry, Tag, TagKind
from rules import joint
from rules.expression.check import MOST_TIMERS, Scope, check
from rules.expression.evaluate import Remembered, Run
from rules.expression.lexer import RuleFault
from rules.expression.program import Program, program
from rules.expression.steps import Op, Steps
from rules.findings import Collector
from rules.joint import Company, Members
from rules.onoff import Delays, settle
from rules.plan import Plan, PlanError
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

KINDS = (Kind.COMPOSITE, Kind.COMPOSITE_UNKNOWN)
SHOWN = 8
"""Tags whose values are told."""


@dataclass(frozen=True, slots=True, eq=False)
class CompositeTable:
    """Written rules, by rising node id; see `rows.Table`.

    number: intp[p], of a member in its row; width: the most members of a row. timer: intp[r], that
    of a rule which as a whole must last, -1 for none. numbers: int64[r], differ where limits or
    modes that the rule names do. tag: int64[p]. priority: int64[r].
    """

    keys: Ints
    marks: Ints
    members: Members
    program: Program
    number: Rows
    width: int
    timer: Rows
    numbers: Ints
    tag: Ints
    priority: Ints
    delays: tuple[Delays, Delays]


@dataclass(slots=True, eq=False)
class CompositeMemory:
    """See `joint.Memory`, `evaluate.Remembered`. onset, due: int64[r, 2], see `onoff.settle`.
    judged: int64[r], the `numbers` that the rule was last judged by."""

    onset: Ints
    due: Ints
    latch: Ints
    left: Ints
    since: Ints
    judged: Ints
    clock: Ints
    out: Ints
    own: Ints
    until: Ints
    wake: Ints


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
        scope = Scope(
            named.get(rule.enterprise or 0, {}),
            siblings[rule.parent],
            units.get(rule.parent, {}),
            registry.modes,
        )
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
    longest = [max(silence[slot[tag.id]] for tag in one.tags) + _lasting(one) for _, one in rules]
    size = np.diff(members.first)
    return CompositeTable(
        np.array([node.id for node, _ in rules], np.int64),
        np.array([_mark(node, one) for node, one in rules], np.int64),
        members,
        program([one for _, one in rules]),
        np.arange(len(members.slot)) - np.repeat(members.first[:-1], size),
        int(size.max(initial=0)),
        np.array([_timer(one) for _, one in rules], np.intp),
        np.array([crc32(repr(one.steps).encode()) for _, one in rules], np.int64),
        np.array([tag.id for _, one in rules for tag in one.tags], np.int64),
        np.array([_priority(node) for node, _ in rules], np.int64),
        (
            Delays(np.zeros(len(rules), np.int64), _us([_off(node) for node, _ in rules])),
            Delays(np.array(longest, np.int64), np.zeros(len(rules), np.int64)),
        ),
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


def _us(seconds: Sequence[float]) -> Ints:
    return np.rint(np.array(seconds, np.float64) * SECOND).astype(np.int64)


def fresh(table: CompositeTable) -> CompositeMemory:
    """Rules of which nothing is known."""
    n = len(table.keys)
    onset, due = np.full((n, 2), NEVER, np.int64), np.full((n, 2), FAR, np.int64)
    left = np.full((n, MOST_TIMERS), NEVER, np.int64)
    since = np.full((n, MOST_TIMERS), FAR, np.int64)
    clock, own, until, wake = (np.full(n, NEVER, np.int64) for _ in range(4))
    return CompositeMemory(
        onset, due, np.zeros(n, np.int64), left, since, table.numbers.copy(), clock,
        np.zeros(n, np.int64), own, until, wake,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """The kernel of a step; see `joint.Kernel`."""

    table: CompositeTable
    memory: CompositeMemory
    samples: Samples | None
    found: Collector

    def begin(self, work: Company, i: Rows) -> None:
        place, pair = work.of_rows(i)
        bad = ~work.good[pair] & (work.heard[pair] != NEVER)
        np.bitwise_or.at(self.memory.out, work.row[i][place[bad]], work.bit[pair[bad]])

    def hear(self, work: Company, i: Rows, q: Rows, s: Rows) -> None:
        assert self.samples is not None
        row, bit, good = work.row[i], work.bit[q], self.samples.good[s]
        out = self.memory.out[row]
        self.memory.out[row] = np.where(good, out & ~bit, out | bit)

    def look(self, work: Company, i: Rows, when: Ints) -> None:
        memory, table = self.memory, self.table
        order = np.argsort(work.row[i], kind="stable")
        i, when = i[order], when[order]
        row = work.row[i]
        place, pair = work.of_rows(i)
        known = (memory.out[row][place] & work.bit[pair]) == 0
        value = np.full((len(i), table.width), np.nan)
        value[place, table.number[work.pair[pair]]] = np.where(known, work.value[pair], np.nan)
        awaited = np.zeros(len(i), np.bool_)
        awaited[place[known & np.isnan(work.value[pair])]] = True
        soonest = np.full(len(i), FAR, np.int64)
        remembered = Remembered(memory.latch, memory.left, memory.since)
        holds = Run(table.program, remembered, row, when, value, awaited, soonest).holds()
        memory.judged[row] = table.numbers[row]
        self._tell(work, i, row, when, holds)
        memory.own[row] = np.minimum(memory.due[row].min(axis=1), soonest)

    def _tell(self, work: Company, i: Rows, row: Rows, when: Ints, holds: Floats) -> None:
        memory, table = self.memory, self.table
        timer = table.timer[row]
        began = np.where(timer >= 0, memory.since[row, np.maximum(timer, 0)], when)
        unknown = holds == 0
        for c, (begins, goes_on) in enumerate(((holds > 0, holds >= 0), (unknown, unknown))):
            delays = Delays(table.delays[c].on[row], table.delays[c].off[row])
            onset, due = memory.onset[:, c], memory.due[:, c]
            first = began if c == 0 else None
            for change in settle(onset, due, row, when, begins, goes_on, delays, first):
                self.found.nodes(
                    change.edge,
                    KINDS[c],
                    table.keys[row[change.place]],
                    change.onset,
                    change.effective,
                    detail=_detail(table, memory, work, i[change.place], c),
                )


def _detail(
    table: CompositeTable, memory: CompositeMemory, work: Company, i: Rows, column: int
) -> dict[str, Floats]:
    """members: tags of the rule; out: the set of those that are unknown, bit k is the k-th; tag_k,
    value_k: id and last number of the first of them; priority: 1 to 4, of a rule that holds."""
    row = work.row[i]
    first, size = work.first[i], work.first[i + 1] - work.first[i]
    place, pair = work.of_rows(i)
    out = memory.out[row]
    np.bitwise_or.at(out, place, np.where(np.isnan(work.value[pair]), work.bit[pair], 0))
    detail = {"members": size.astype(np.float64), "out": out.astype(np.float64)}
    if column == 0:
        detail["priority"] = table.priority[row].astype(np.float64)
    for k in range(min(SHOWN, int(size.max(initial=0)))):
        pair = np.minimum(first + k, len(work.pair) - 1)
        detail[f"tag_{k}"] = np.where(k < size, table.tag[work.pair[pair]], np.nan)
        detail[f"value_{k}"] = np.where(k < size, work.value[pair], np.nan)
    return detail


def judge(
    plan: Plan, table: CompositeTable, memory: CompositeMemory, samples: Samples, received: int,
    seen: Seen, found: Collector,
) -> None:  # fmt: skip
    """Judge the rules that a frame touches, after each sample of theirs."""
    if len(table.keys):
        event = table.members.seen_by(samples.slot)
        kernel = _Rules(table, memory, samples, found)
        joint.judge(table.members, memory, kernel, samples, received, seen, event)


def pass_time(
    plan: Plan, table: CompositeTable, memory: CompositeMemory, at: int, seen: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Tags that fall silent, times that have passed, and limits and modes that are others now."""
    other = np.flatnonzero((memory.judged != table.numbers) & (memory.own != NEVER))
    if other.size:
        now = at - Company.of(table.members, other, seen).lag(seen)
        memory.own[other] = np.minimum(memory.own[other], np.maximum(memory.clock[other], now))
    memory.wake[other] = memory.until[other] = NEVER
    joint.pass_time(table.members, memory, _Rules(table, memory, None, found), at, seen)


def next_due(table: CompositeTable, memory: CompositeMemory) -> int:
    """See `rows.Layer`."""
    return joint.next_due(memory)


COMPOSITES = Layer(
    "composite", KINDS, compile_composites, fresh, judge, pass_time, next_due, holds=True
)
