"""Written rules over several tags 组合规则, in three-valued logic; see `rules.expression`.

| the rule is | COMPOSITE begins | COMPOSITE goes on | COMPOSITE_UNKNOWN            |
|-------------|------------------|-------------------|------------------------------|
| true        | yes              | yes               | ends                         |
| unknown     | no               | yes               | begins after some time, holds |
| false       | no               | no (off_s)        | ends                         |

A tag whose last sample was not good, or that has been silent for longer than it may, is unknown;
one that was never heard is awaited for that long: then `unknown` of it is itself unknown. A rule is
also true where it would be so if flagged values, while they are fresh, were good, and one beyond
its range infinite: so they start it, as they start limits, and never end it (see
`expression.evaluate`).

No mode ends a rule (domain.md 4.5a): while COMPOSITE is active, `mode(…)` is what it was when it
began. COMPOSITE_UNKNOWN waits for as long as the longest silence that one of the rule's tags may
keep, so that one bad sample raises nothing. Detail of findings: see `_detail`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules import joint
from rules.compiled import compiled
from rules.composite_table import KINDS, CompositeTable, compile_composites
from rules.expression.check import MOST_STEPS, MOST_TAGS
from rules.expression.evaluate import KEEP, MAYBE, READINGS, REMEMBERED, SURE, run, together
from rules.findings import Collector
from rules.joint import Company, Record, Records
from rules.onoff import NOTHING, RETURNED, SHOWN, TOLD, settle, tell
from rules.plan import Plan
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

_OWN = ("modes", "judged", "flagged", "over", "under")
NOW = np.dtype(
    [*joint.NOW, *REMEMBERED, *((name, np.int64) for name in _OWN), ("due", np.int64, (2,))]
)
"""See `joint.NOW`, `evaluate.REMEMBERED`. due: when running delays run out, FAR = none. modes:
those that the rule is judged by. judged: the `numbers` that it was last judged by. flagged, over,
under: sets of members whose last sample was a flagged value, and of those that are beyond their
range."""


@dataclass(slots=True, eq=False)
class CompositeMemory:
    """onset: int64[r, 2], see `rows.Memory`. now: `NOW` [r]."""

    onset: Ints
    now: Records


def fresh(table: CompositeTable) -> CompositeMemory:
    """Rules of which nothing is known."""
    now = np.zeros(len(table.keys), NOW)
    for name in ("clock", "own", "until", "wake", "left"):
        now[name] = NEVER
    now["due"] = now["since"] = FAR
    now["modes"], now["judged"] = table.rules["modes"], table.rules["numbers"]
    return CompositeMemory(np.full((len(now), 2), NEVER, np.int64), now)


class _Desk(NamedTuple):
    """What a rule is worked out with: its instructions, and room. value, register: float64[3, k],
    see `evaluate.run`."""

    code: Records
    operands: Ints
    value: Floats
    register: Floats


@compiled
def follow(
    rules: Records, code: Records, first: Rows, operands: Ints, onset: Ints, now: Records,
    work: Company,
) -> Records:  # fmt: skip
    """Let everything happen to some rules, one thing after the other."""
    told, n = np.empty(16, TOLD), 0
    value, register = np.empty((READINGS, MOST_TAGS)), np.empty((READINGS, MOST_STEPS + 1))
    for i in range(len(work.row)):
        row = work.row[i]
        rule, mine, members = rules[row], now[row], work.members[work.first[i] : work.first[i + 1]]
        desk = _Desk(code[first[row] : first[row + 1]], operands, value, register)
        for e in range(work.begin[i], work.begin[i + 1]):
            event = work.events[e]
            clock, member = max(mine["clock"], event["at"]), work.members[event["member"]]
            if mine["until"] <= clock:
                told, n = _run_out(
                    rule, desk, onset, mine, members, work.grace, row, clock, told, n
                )
            if joint.hear(mine, member, event, work.grace):
                _take(mine, member["bit"], event)
                told, n = _look(rule, desk, onset, mine, members, row, mine["clock"], told, n)
                until = min(mine["until"], joint.leaving(member, work.grace))
                mine["until"] = min(until, mine["own"])
        until = work.until[i]
        told, n = _run_out(rule, desk, onset, mine, members, work.grace, row, until, told, n)
    return told[:n]


@compiled
def _run_out(
    rule: Record, desk: _Desk, onset: Ints, mine: Record, members: Records, grace: int, row: int,
    until: int, told: Records, n: int,
) -> tuple[Records, int]:  # fmt: skip
    """What happens to a rule by itself up to event time `until`."""
    if mine["own"] == NEVER:
        for q in range(len(members)):
            if not members[q]["good"] and members[q]["heard"] != NEVER:
                mine["out"] |= members[q]["bit"]
        when = joint.begin(mine, members, grace)
        told, n = _look(rule, desk, onset, mine, members, row, when, told, n)
    when = joint.run_out(mine, members, grace, until)
    while when != FAR:
        told, n = _look(rule, desk, onset, mine, members, row, when, told, n)
        when = joint.run_out(mine, members, grace, until)
    return told, n


@compiled
def _take(mine: Record, bit: int, event: Record) -> None:
    """What a sample says."""
    mine["out"] &= ~bit
    mine["flagged"] &= ~bit
    mine["over"] &= ~bit
    mine["under"] &= ~bit
    if event["good"]:
        return
    if np.isnan(event["starting"]):
        mine["out"] |= bit
        return
    mine["flagged"] |= bit
    if event["starting"] == np.inf:
        mine["over"] |= bit
    elif event["starting"] == -np.inf:
        mine["under"] |= bit


@compiled
def _look(
    rule: Record, desk: _Desk, onset: Ints, mine: Record, members: Records, row: int, when: int,
    told: Records, n: int,
) -> tuple[Records, int]:  # fmt: skip
    """Judge a rule as it is at event time `when`: by the modes in which it began, and, when by
    those it has returned, by those of now."""
    awaited = _read(mine, members, desk.value)
    mine["judged"] = rule["numbers"]
    again = True
    while again:
        again = False
        if onset[row, 0] == NEVER:
            mine["modes"] = rule["modes"]
        soonest = run(desk.code, desk.operands, mine, desk.value, when, awaited, desk.register)
        holds = together(desk.register, rule["root"])
        for c in range(2):
            begins, goes_on = (holds > 0, holds >= 0) if c == 0 else (holds == 0, holds == 0)
            on, off = rule["delay_on"][c], rule["delay_off"][c]
            began = _since(mine, rule["timer"], when) if c == 0 else FAR
            stand = settle(onset[row, c], mine["due"][c], when, begins, goes_on, on, off, began)
            onset[row, c], mine["due"][c] = stand.since, stand.due
            if stand.edge != NOTHING:
                flagged = mine["flagged"] & ~mine["out"]
                told, n = tell(told, n, stand, c, row, flagged, mine["out"], members), n + 1
            again |= c == 0 and stand.edge == RETURNED and mine["modes"] != rule["modes"]
        mine["own"] = min(mine["due"][0], mine["due"][1], soonest)
    return told, n


@compiled
def _read(mine: Record, members: Records, value: Floats) -> bool:
    """Fill in what is known of a rule's tags, by reading; whether some are not heard yet."""
    awaited = False
    for k in range(len(members)):
        bit, known = members[k]["bit"], members[k]["value"]
        if mine["out"] & bit:
            value[SURE, k] = value[MAYBE, k] = value[KEEP, k] = np.nan
            continue
        awaited |= np.isnan(known)
        value[SURE, k] = value[KEEP, k] = np.nan if mine["flagged"] & bit else known
        if mine["over"] & bit:
            known = np.inf
        elif mine["under"] & bit:
            known = -np.inf
        value[MAYBE, k] = known
    return awaited


@compiled
def _since(mine: Record, timer: int, when: int) -> int:
    """Since when a rule holds that now does."""
    since = mine["since"]
    return when if timer < 0 else min(since[SURE, timer], since[MAYBE, timer])


@dataclass(frozen=True, slots=True, eq=False)
class _Composites:
    """The kernel of a step; see `joint.Kernel`."""

    table: CompositeTable
    memory: CompositeMemory
    found: Collector

    def __call__(self, work: Company) -> None:
        table, memory = self.table, self.memory
        told = follow(table.rules, *table.program, memory.onset, memory.now, work)
        for c, kind in enumerate(KINDS):
            some = told[told["column"] == c]
            node, onset, effective = table.keys[some["row"]], some["onset"], some["effective"]
            detail = _detail(table, some, c)
            self.found.nodes(some["edge"], kind, node, onset, effective, detail=detail)


def _detail(table: CompositeTable, told: Records, column: int) -> dict[str, Floats]:
    """members: tags of the rule; out, flagged: the sets of those of which nothing is known, and of
    those with a flagged value, bit k is the k-th; tag_k, value_k: id and last number of the first
    of them; priority: 1 to 4, of a rule that holds."""
    row = told["row"]
    first, size = table.members.first[row], np.diff(table.members.first)[row]
    shown = np.arange(SHOWN)
    blank = (np.isnan(told["value"]) & (shown < size[:, None])) << shown
    detail = {
        "members": size.astype(np.float64),
        "out": (told["out"] | np.bitwise_or.reduce(blank, axis=1)).astype(np.float64),
        "flagged": told["those"].astype(np.float64),
    }
    if column == 0:
        detail["priority"] = table.rules["priority"][row].astype(np.float64)
    for k in range(min(SHOWN, int(size.max(initial=0)))):
        pair = np.minimum(first + k, len(table.tag) - 1)
        detail[f"tag_{k}"] = np.where(k < size, table.tag[pair], np.nan)
        detail[f"value_{k}"] = told["value"][:, k]
    return detail


def judge(
    plan: Plan, table: CompositeTable, memory: CompositeMemory, samples: Samples, received: int,
    seen: Seen, found: Collector,
) -> None:  # fmt: skip
    """Judge the rules that a frame touches, after each sample of theirs."""
    if len(table.keys):
        kernel = _Composites(table, memory, found)
        joint.judge(table.members, memory, kernel, samples, received, seen)


def pass_time(
    plan: Plan, table: CompositeTable, memory: CompositeMemory, at: int, seen: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Tags that fall silent, times that have passed, and limits and modes that are others now."""
    now = memory.now
    other = np.flatnonzero((now["judged"] != table.rules["numbers"]) & (now["own"] != NEVER))
    if other.size:
        event = np.maximum(now["clock"][other], at - joint.lag(table.members, other, seen))
        now["own"][other] = np.minimum(now["own"][other], event)
        now["wake"][other] = now["until"][other] = NEVER
    joint.pass_time(table.members, memory, _Composites(table, memory, found), at, seen)


def next_due(table: CompositeTable, memory: CompositeMemory) -> int:
    """See `rows.Layer`."""
    return joint.next_due(memory)


COMPOSITES = Layer(
    "composite", KINDS, compile_composites, fresh, judge, pass_time, next_due, holds=True
)
