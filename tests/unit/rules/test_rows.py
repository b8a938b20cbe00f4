"""A toy layer of tags and one of nodes: their rows outlive snapshots, new plans and restarts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from domain.alarms import Edge, Kind
from domain.instant import FAR, NEVER, SECOND, micros
from domain.plant import Registry, Tag
from rules import adoption, closing, compiling, engine, snapshot, state
from rules.closing import REMOVED, REPLACED, UNWATCHED
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.findings import Collector
from rules.plan import Plan, PlanError
from rules.rows import Layer, Seen
from rules.samples import Samples
from rules.state import RuleState, carry
from tests.support.builders import at, frame, registry, tag

CALLS: list[str] = []
"""What the engine asked of the layers, in its order."""


@dataclass(frozen=True)
class ToyTable:
    keys: np.ndarray
    marks: np.ndarray
    slots: tuple[np.ndarray, ...]


@dataclass
class ToyMemory:
    """newest: float64[r], the last value. seen: int32[r, 2], samples, ticks."""

    onset: np.ndarray
    newest: np.ndarray
    seen: np.ndarray


def fresh(table: ToyTable) -> ToyMemory:
    r = len(table.keys)
    return ToyMemory(
        np.full((r, 1), NEVER, np.int64), np.full(r, np.nan), np.zeros((r, 2), np.int32)
    )


def of_tags(_: Registry, tags: Sequence[Tag]) -> ToyTable:
    """Tags with a `resolution`; a row begins anew when it changes."""
    mine = [(slot, one) for slot, one in enumerate(tags) if one.resolution is not None]
    if any(one.resolution == 0 for _, one in mine):
        raise PlanError([f"tag {one.name!r}: resolution is 0" for _, one in mine])
    marks = np.array([int(1000 * (one.resolution or 0)) for _, one in mine], np.int64)
    slots = tuple(np.array([slot]) for slot, _ in mine)
    return ToyTable(np.array([one.id for _, one in mine], np.int64), marks, slots)


def of_nodes(_: Registry, tags: Sequence[Tag]) -> ToyTable:
    """Sources with tags; the mark is how many."""
    sources = np.array([one.source for one in tags], np.int64)
    keys, count = np.unique(sources, return_counts=True)
    return ToyTable(keys, count, tuple(np.flatnonzero(sources == key) for key in keys))


def toy(name: str, kind: Kind, compile: Any) -> Layer:
    """Raises what is at 5 or above, and returns it below."""

    def judge(
        plan: Plan, table: ToyTable, memory: ToyMemory, samples: Samples, received: int, seen: Seen,
        found: Collector,
    ) -> None:  # fmt: skip
        CALLS.append(f"judge {name}")
        assert (seen.at[samples.slot] >= samples.at).all()
        tell = found.nodes if layer.of_nodes else found.subjects
        for row, slots in enumerate(table.slots):
            for position in np.flatnonzero(np.isin(samples.slot, slots)):
                memory.newest[row] = samples.value[position]
                memory.seen[row, 0] += 1
                now, one = samples.at[position : position + 1], np.array([row])
                active = memory.onset[row, 0] != NEVER
                if memory.newest[row] >= 5 and not active:
                    memory.onset[row, 0] = now[0]
                    tell(Edge.RAISED, kind, table.keys[one], now, now)
                elif memory.newest[row] < 5 and active:
                    tell(Edge.RETURNED, kind, table.keys[one], memory.onset[one, 0], now)
                    memory.onset[row, 0] = NEVER

    def pass_time(
        plan: Plan, table: ToyTable, memory: ToyMemory, now: int, seen: Seen, found: Collector
    ) -> None:
        CALLS.append(f"pass_time {name}")
        memory.seen[:, 1] += 1

    def due(table: ToyTable, memory: ToyMemory) -> int:
        active = memory.onset[memory.onset != NEVER]
        return int(active.min()) + 60 * SECOND if active.size else FAR

    layer = Layer(name, (kind,), compile, fresh, judge, pass_time, due)
    return layer


TAGS, NODES = toy("toy", Kind.FROZEN, of_tags), toy("places", Kind.BALANCE, of_nodes)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine with nothing but these two layers."""
    for module in (adoption, closing, compiling, engine, snapshot, state):
        monkeypatch.setattr(module, "LAYERS", (TAGS, NODES))
    CALLS.clear()


def toyed(id: int, resolution: float | None = 0.1, **other: Any) -> Tag:
    return replace(tag(id, **other), resolution=resolution)


PLANT = registry(toyed(1), toyed(2), tag(3), toyed(4, source=30))


def alarmed() -> tuple[Plan, RuleState]:
    """Tags 1 and 4, and with the latter source 30, are active since 1 s and 2 s."""
    plan = compile_plan(PLANT)
    mine = RuleState.fresh(plan, micros(at(0)))
    found = step(plan, mine, frame((1, 1, 6.0), (1, 2, 1.0), (2, 4, 7.0)), at(2))
    assert {(f.edge, f.kind, f.tag, f.node) for f in found} >= {
        (Edge.RAISED, Kind.FROZEN, 1, None),
        (Edge.RAISED, Kind.FROZEN, 4, None),
        (Edge.RAISED, Kind.BALANCE, None, 30),
    }
    return plan, mine


def memory(mine: RuleState, layer: int) -> dict[str, list[Any]]:
    one = mine.layers[layer]
    return {name: getattr(one, name).tolist() for name in ("onset", "newest", "seen")}


def test_layers_judge_in_their_order_after_the_state_knows_the_frame_and_then_time_passes():
    plan = compile_plan(PLANT)
    mine = RuleState.fresh(plan, micros(at(0)))
    step(plan, mine, frame((1, 1, 6.0)), at(2))
    assert CALLS == ["judge toy", "judge places", "pass_time toy", "pass_time places"]
    CALLS.clear()
    step(plan, mine, None, at(3))
    step(plan, mine, frame((1, 1, 6.0)), at(4))
    assert CALLS == ["pass_time toy", "pass_time places"] * 2, "an old sample is not judged"


def test_next_due_is_the_earliest_of_all():
    plan, mine = alarmed()
    assert next_due(plan, mine) == at(61)


def test_a_snapshot_comes_back_exactly():
    plan, mine = alarmed()
    again = RuleState.from_bytes(plan, mine.to_bytes(plan))
    for layer in (0, 1):
        assert str(memory(again, layer)) == str(memory(mine, layer))


def test_a_snapshot_meets_another_plan():
    plan, mine = alarmed()
    data = mine.to_bytes(plan)
    plan = compile_plan(registry(toyed(1, 0.2), toyed(4, source=30), toyed(9, source=30)))
    again = RuleState.from_bytes(plan, data)
    tags, nodes = memory(again, 0), memory(again, 1)
    assert tags["onset"] == [[micros(at(1))], [micros(at(2))], [NEVER]]
    assert str(tags["newest"]) == "[nan, 7.0, nan]", "another mark begins anew, but stays active"
    assert nodes["onset"] == [[nodes["onset"][0][0]], [micros(at(2))]]
    assert str(nodes["newest"][1]) == "nan", "source 30 has another tag now"


def test_a_snapshot_of_an_engine_without_the_layer_leaves_it_fresh(
    monkeypatch: pytest.MonkeyPatch,
):
    plan, mine = alarmed()
    monkeypatch.setattr(snapshot, "LAYERS", (NODES,))
    data = replace(mine, layers=mine.layers[1:]).to_bytes(replace(plan, layers=plan.layers[1:]))
    monkeypatch.setattr(snapshot, "LAYERS", (TAGS, NODES))
    again = RuleState.from_bytes(plan, data)
    assert memory(again, 0)["onset"] == [[NEVER]] * 3
    assert memory(again, 1) == memory(mine, 1)


def test_a_memory_of_another_form_keeps_what_is_active():
    plan, mine = alarmed()
    other = replace(mine.layers[0], newest=mine.layers[0].newest.astype(np.float32))  # type: ignore
    data = replace(mine, layers=(other, mine.layers[1])).to_bytes(plan)
    again = RuleState.from_bytes(plan, data)
    assert memory(again, 0)["onset"] == memory(mine, 0)["onset"]
    assert str(memory(again, 0)["newest"]) == "[nan, nan, nan]"


def swapped(*tags: Tag) -> tuple[RuleState, list[tuple[Kind, int | None, int | None, str]]]:
    plan, mine = alarmed()
    mine, found = carry(plan, mine, compile_plan(registry(*tags)), at(10))
    closed = [f for f in found if f.edge is Edge.CLOSED]
    assert closed == found
    return mine, [(f.kind, f.tag, f.node, f.reason) for f in closed]


def test_under_a_new_plan_rows_with_the_same_mark_stay_and_others_begin_anew():
    mine, closed = swapped(toyed(1), toyed(2, 0.5), tag(3), toyed(4, 0.5, source=30))
    tags = memory(mine, 0)
    assert closed == []
    assert tags["onset"] == [[micros(at(1))], [NEVER], [micros(at(2))]]
    assert str(tags["newest"]) == "[6.0, nan, nan]"
    assert tags["seen"] == [[1, 1], [0, 0], [0, 0]]


def test_what_the_new_plan_does_not_watch_closes_with_its_reason():
    assert swapped(tag(1), toyed(2), tag(3), toyed(4, source=30))[1] == [
        (Kind.FROZEN, 1, None, UNWATCHED)
    ]
    assert sorted(swapped(toyed(1), toyed(2), tag(3))[1], key=str) == [
        (Kind.BALANCE, None, 30, UNWATCHED),
        (Kind.FROZEN, 4, None, REMOVED),
    ]
    renewed = toyed(7, name="LI004", source=30, version=2)
    mine, closed = swapped(toyed(1), toyed(2), tag(3), renewed)
    assert closed == [(Kind.FROZEN, 4, None, REPLACED)]
    assert memory(mine, 1)["onset"][1] == [micros(at(2))], "the source stays"


def test_after_a_restart_exactly_the_alarms_of_the_book_are_active():
    plan, mine = alarmed()
    long_ago = at(-600)
    orphans = mine.adopt(
        plan,
        [
            (Kind.FROZEN, 2, long_ago),
            (Kind.FROZEN, 3, long_ago),
            (Kind.BALANCE, 30, long_ago),
            (Kind.BALANCE, 99, long_ago),
            (Kind.PCA, 1, long_ago),
        ],
    )
    assert [(kind, who) for kind, who, _ in orphans] == [
        (Kind.FROZEN, 3),
        (Kind.BALANCE, 99),
        (Kind.PCA, 1),
    ]
    assert memory(mine, 0)["onset"] == [[NEVER], [micros(long_ago)], [NEVER]]
    assert memory(mine, 1)["onset"] == [[NEVER], [micros(long_ago)]]


def test_what_a_layer_refuses_is_told_when_the_plan_is_compiled():
    with pytest.raises(PlanError, match="resolution is 0"):
        compile_plan(registry(toyed(1, 0.0)))
