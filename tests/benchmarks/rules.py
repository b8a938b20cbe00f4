"""`rules.*`: a step of the engine over 100,000 tags, beside one bare comparison of the array."""

from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from time import perf_counter_ns

import numpy as np

from domain.alarms import Kind
from domain.frame import Frame
from domain.instant import micros
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from tests.support.bench import Row, Servers
from tests.support.builders import START, registry, tag

TAGS = 100_000
REPEATS, STEPS, WARM_UP = 5, 12, 25
"""The warm-up is longer than the window of the rates."""
LIMITS = {Kind.LL: 1.0, Kind.L: 2.0, Kind.H: 8.0, Kind.HH: 9.0}
TARGET_NS = 100.0


def limits(_: Servers) -> list[Row]:
    """Four limits a tag; then a limit on the rate for each as well."""
    return [
        _measured("rules.limits_100k_ns", None, "LL L H HH, deadbands, delays, silence"),
        _measured("rules.rated_100k_ns", 60.0, "the same and a limit on the rate of every tag"),
    ]


def _measured(name: str, rate: float | None, what: str) -> Row:
    tags = [
        tag(n, limits=LIMITS, delay_on_s=5.0, delay_off_s=5.0, rate_per_min=rate, interval_s=1.0)
        for n in range(1, TAGS + 1)
    ]
    plan = compile_plan(registry(*tags))
    state = RuleState.fresh(plan, micros(START))
    took: list[float] = []
    bare: list[float] = []
    for number, frame in enumerate(_frames()):
        at = START + timedelta(seconds=number + 1)
        began = perf_counter_ns()
        step(plan, state, frame, at)
        between = perf_counter_ns()
        np.greater(frame.value, plan.limits.high)
        took.append((between - began) / TAGS)
        bare.append((perf_counter_ns() - between) / TAGS)
    repeats = [median(took[n : n + STEPS]) for n in range(WARM_UP, len(took), STEPS)]
    context = (
        f"{what}; one sample of each tag a step, 1 s apart, 1 tag in 1,000 crosses H and returns; "
        f"bare np.greater over the same array in the same run: {median(bare[WARM_UP:]):.2f} ns"
    )
    return Row.of(name, repeats, "ns/sample", TARGET_NS, "lower", context)


def _frames() -> Iterator[Frame]:
    chance = np.random.default_rng(20261122)
    ids = np.arange(1, TAGS + 1, dtype=np.int32)
    for number in range(WARM_UP + REPEATS * STEPS):
        at = micros(START) + (number + 1) * 1_000_000
        value = 5.0 + 0.05 * chance.standard_normal(TAGS)
        if number % 24 < 12:
            value[::1000] = 8.5
        yield Frame.of(ids, np.full(TAGS, at), value, received=at)
