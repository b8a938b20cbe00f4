"""`rules.risk`: the risk of 5,000 sources with 20,000 open alarms, recomputed whole."""

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

import numpy as np

from alerts.facts import AlarmRows, compile_layout, gather
from domain.alarms import Alarm, Kind
from domain.instant import SECOND, micros
from domain.plant import Node, Registry, Tag, TagKind
from domain.risk import RiskFacts, risk_model
from domain.signals import Signals
from rules.risk import assess as assessed
from tests.support.bench import Row, Servers
from tests.support.builders import at
from tests.support.risk import alarm, tag

SOURCES, TAGS, ALARMS = 5_000, 20, 4
"""Tags and alarms are those of each source."""
WARM_UP, REPEATS, STEPS = 3, 5, 5
TARGET_MS = 20.0
KINDS = (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.LEVEL, TagKind.PRESSURE,
         TagKind.TEMPERATURE, TagKind.FLOW, TagKind.FIRE, TagKind.INTERLOCK)  # fmt: skip


def assess(_: Servers) -> list[Row]:
    """The assessment of facts that are there as arrays, then with making them from occurrences."""
    registry = plant()
    opened = list(open_alarms(registry))
    layout, known = compile_layout(registry), forecasts(registry)
    rows, now = AlarmRows(layout), micros(at(600))
    facts = gather(layout, opened, (), known, (), now, rows)
    what = (
        f"{SOURCES:,} sources, {len(registry.tags):,} tags, {len(opened):,} open alarms of all "
        "sorts, 1 tag in 50 blind, 1 source in 100 silent, a forecast for 1 tag in 10"
    )
    again = _timed(lambda: gather(layout, opened, (), known, (), now, rows))
    first = _timed(lambda: gather(layout, opened, (), known, (), now), 1)
    return [
        Row.of("rules.risk", _timed(lambda: _assess(facts)), "ms", TARGET_MS, "lower", what),
        Row.of("rules.risk_facts", again, "ms", 50, "lower", "those facts, no alarm has changed"),
        Row.of("rules.risk_facts_first", first, "ms", 500, "lower", "those facts, after a start"),
    ]


def _assess(facts: RiskFacts) -> None:
    assessed(risk_model(), facts, at(600), None)


def _timed(work: Callable[[], object], steps: int = STEPS) -> list[float]:
    """Milliseconds of each repeat, the median of its steps."""
    took = []
    for _ in range(WARM_UP + REPEATS * steps):
        began = perf_counter()
        work()
        took.append((perf_counter() - began) * 1000)
    return [median(took[n : n + steps]) for n in range(WARM_UP, len(took), steps)]


def plant() -> Registry:
    """One source in each of so many places, ten to an enterprise."""
    nodes: dict[int, Node] = {1: Node(1, None, "park", "p1", "Park")}
    tags: dict[int, Tag] = {}
    for number in range(SOURCES):
        owner = 2 + number // 10
        nodes.setdefault(owner, Node(owner, 1, "enterprise", f"e{owner}", "E", owner))
        source = 10_000 + number
        detail = {"grade": number % 5 or None}
        nodes[source] = Node(source, owner, "source", f"s{number}", "S", owner, None, detail)
        for each in range(TAGS):
            id = number * TAGS + each + 1
            place = (100.0 + number % 10 * 0.001, 38.0 + owner * 0.0005 + each * 0.0001)
            tags[id] = tag(
                id, KINDS[each % len(KINDS)], source, enterprise=owner, zone="AB"[each % 2],
                safety_critical=each % 3 == 0, position=place,
            )  # fmt: skip
    return Registry(1, nodes, (), tags)


def open_alarms(registry: Registry) -> Iterator[Alarm]:
    """Four of each source; besides them silent tags and sources."""
    chance = np.random.default_rng(20261122)
    limits = (Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.ROC)
    for number in range(SOURCES):
        first = number * TAGS + 1
        for id in chance.choice(TAGS, ALARMS, replace=False).tolist():
            gas = registry.tags[first + id].kind in (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE)
            kind = limits[int(chance.integers(2 if gas else 0, 5))]
            seen = 400.0 if chance.random() < 0.5 else None
            yield alarm(
                registry, first + id, kind, float(chance.uniform(0, 300)), acknowledged=seen
            )
        if number % 100 == 7:
            yield alarm(registry, 10_000 + number, Kind.SOURCE_OFFLINE, 100.0)
    for id in chance.choice(SOURCES * TAGS, SOURCES * TAGS // 50, replace=False).tolist():
        yield alarm(registry, id + 1, Kind.OFFLINE, 60.0)


def forecasts(registry: Registry) -> Signals:
    """A time to the limit for one tag in ten, an amount for every source."""
    tags = np.array(sorted(registry.tags)[::10], np.int32)
    sources = np.array([id for id, node in registry.nodes.items() if node.kind == "source"])
    chance = np.random.default_rng(7)
    ahead = (chance.uniform(0, 5000, len(tags)) * SECOND).astype(np.int64)
    action = np.full(len(tags), 600 * SECOND)
    fill = chance.uniform(0.3, 1.1, len(sources))
    return Signals(tags, ahead, action, np.sort(sources), fill, tags[:0])
