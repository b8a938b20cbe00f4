"""`rules.*`: the engine without its layers, beside one bare comparison of the array; its memory;
new plans; and Prometheus with two rules."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import perf_counter_ns

import numpy as np

from domain.alarms import Kind
from domain.frame import Frame
from domain.instant import micros
from domain.plant import Registry
from rules.compiling import compile_plan
from rules.engine import step
from rules.plan import Plan
from rules.state import RuleState, carry
from tests.support.bench import Row, Servers
from tests.support.builders import START, registry, tag
from tests.support.layers import layers
from tests.support.prometheus import evaluation_seconds
from tests.support.weighing import weigh

TAGS = 100_000
REPEATS, STEPS, WARM_UP = 5, 12, 25
"""The warm-up is longer than the window of the rates."""
LIMITS = {Kind.LL: 1.0, Kind.L: 2.0, Kind.H: 8.0, Kind.HH: 9.0}
SPARSE, MILLION = 2_000, 1_000_000
TRASH = np.zeros(8_000_000)
"""64 MB, read and written between steps: nothing of the engine is left in the caches."""
CROSSES = "1 tag in 1,000 crosses H and returns"


@dataclass(frozen=True)
class Load:
    """Steps 1 s apart, one sample of each of these tags. sparse: of only so many, other ones each
    time. shuffled: in any order. cold: with other memory traffic in between. tall: so many of each
    tag in a frame, 1 s apart, by tag."""

    tags: int = TAGS
    rate: float | None = None
    sparse: int = 0
    shuffled: bool = False
    cold: bool = False
    steps: int = REPEATS * STEPS
    tall: int = 1

    def plant(self) -> Registry:
        silence = 1800.0 if self.sparse else None
        return registry(
            *(
                tag(
                    n, limits=LIMITS, delay_on_s=5.0, delay_off_s=5.0, rate_per_min=self.rate,
                    interval_s=1.0, max_silence_s=silence, source=3 + n % 50,
                )
                for n in range(1, self.tags + 1)
            )
        )  # fmt: skip

    def frames(self) -> Iterator[Frame]:
        chance = np.random.default_rng(20261122)
        ids = np.arange(1, self.tags + 1, dtype=np.int32)
        for number in range(WARM_UP + self.steps):
            at = micros(START) + (number + 1) * 1_000_000 * self.tall
            mine = ids
            if self.sparse:
                mine = chance.choice(ids, self.sparse, replace=False)
            elif self.shuffled:
                mine = chance.permutation(ids)
            tags = mine.repeat(self.tall)
            value = 5.0 + 0.05 * chance.standard_normal(len(tags))
            if number % 24 < 12:
                value[::1000] = 8.5
            before = np.tile(np.arange(self.tall)[::-1] * 1_000_000, len(mine))
            yield Frame.of(tags, at - before, value, received=at)

    def run(self) -> tuple[list[float], list[float]]:
        """Nanoseconds of each step, and of a bare comparison after it."""
        plan = compile_plan(self.plant())
        state = RuleState.fresh(plan, micros(START))
        took: list[float] = []
        bare: list[float] = []
        for number, frame in enumerate(self.frames()):
            at = START + timedelta(seconds=(number + 1) * self.tall)
            if self.cold:
                np.add(TRASH, 1.0, out=TRASH)
            began = perf_counter_ns()
            step(plan, state, frame, at)
            between = perf_counter_ns()
            np.greater(frame.value[: len(plan)], plan.limits.high[: len(frame)])
            took.append(between - began)
            bare.append(perf_counter_ns() - between)
        return took[WARM_UP:], bare[WARM_UP:]


def _repeats(took: list[float], share: float) -> list[float]:
    """Medians of as many steps as make `REPEATS` repeats, times `share`."""
    size = max(len(took) // REPEATS, 1)
    return [median(took[n : n + size]) * share for n in range(0, len(took) - size + 1, size)]


def limits(servers: Servers) -> list[Row]:
    """Four limits a tag, in plants of several sizes."""
    with layers():
        took, bare = Load().run()
        shuffled, _ = Load(shuffled=True).run()
        cold, _ = Load(cold=True).run()
        small, _ = Load(tags=1000, steps=500).run()
        million, _ = Load(tags=MILLION, steps=REPEATS * 2).run()
        sparse, _ = Load(tags=MILLION, sparse=SPARSE, rate=60.0).run()
        trashed, _ = Load(tags=MILLION, sparse=SPARSE, cold=True, rate=60.0).run()
    share = 1 / TAGS
    per_sample = median(took) * share
    return [
        Row.of(
            "rules.limits_100k_ns", _repeats(took, share), "ns/sample", 100.0, "lower",
            f"LL L H HH, deadbands, delays, silence; one sample of each tag a step, 1 s apart, "
            f"{CROSSES}; bare np.greater over the same array in the same run: "
            f"{median(bare) * share:.2f} ns; tags in random order {median(shuffled) * share:.1f} "
            f"ns; with 64 MB of other traffic between steps {median(cold) * share:.1f} ns",
        ),
        Row.of(
            "rules.limits_1k_step_ms", _repeats(small, 1e-6), "ms", 0.15, "lower",
            f"a step of 1,000 tags; the fastest of all: {min(small) * 1e-6:.3f} ms",
        ),
        Row.of(
            "rules.limits_1m_ratio", [one / MILLION / per_sample for one in _repeats(million, 1)],
            "x", 1.5, "lower",
            f"per sample at 1,000,000 tags ({median(million) / MILLION:.1f} ns) over that at "
            f"100,000 in the same run",
        ),
        Row.of(
            "rules.limits_sparse_ms", _repeats(sparse, 1e-6), "ms", 1.0, "lower",
            f"{SPARSE:,} samples scattered over 1,000,000 tags, limits and rates; the fastest of "
            f"all: {min(sparse) * 1e-6:.2f} ms; with 64 MB of other traffic between steps "
            f"{median(trashed) * 1e-6:.2f} ms",
        ),
    ]  # fmt: skip


def rated(servers: Servers) -> list[Row]:
    """A limit on the rate of every tag as well."""
    with layers():
        took, _ = Load(rate=60.0).run()
        shuffled, _ = Load(rate=60.0, shuffled=True).run()
    return [
        Row.of(
            "rules.rated_100k_ns", _repeats(took, 1 / TAGS), "ns/sample", 100.0, "lower",
            f"as rules.limits_100k_ns, and a limit on the rate of every tag; tags in random order "
            f"{median(shuffled) / TAGS:.1f} ns",
        )
    ]  # fmt: skip


def memory(servers: Servers) -> list[Row]:
    """Plan and state of tags with four limits and a rate each, all layers included."""
    plant, chance = Load(rate=60.0).plant(), np.random.default_rng(1)
    core = _bytes_per_tag(plant)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = compile_plan(plant)
    kept_state = RuleState.fresh(kept, micros(START))
    traced = (tracemalloc.get_traced_memory()[0] - before) / TAGS
    tracemalloc.stop()
    whole = weigh(kept, kept_state) / TAGS
    offset = chance.uniform(0, 1, TAGS)
    unlike = registry(
        *(
            tag(
                n, rate_per_min=60.0, range=(0.0, 10.0 + shift), normal=(3.0, 6.0 + shift),
                limits={kind: limit + shift for kind, limit in LIMITS.items()},
            )
            for n, shift in enumerate(offset.tolist(), 1)
        )
    )  # fmt: skip
    return [
        Row.of(
            "rules.memory_bytes_per_tag", [whole], "B", 400.0, "lower",
            f"plan and state, all layers, {TAGS:,} tags with four limits and a rate; tracemalloc "
            f"says {traced:.0f}; limits, rates and silence alone {core:.0f}, and "
            f"{_bytes_per_tag(unlike):.0f} where no two tags have a limit or a range in common",
        )
    ]  # fmt: skip


def _bytes_per_tag(plant: Registry) -> float:
    with layers():
        plan = compile_plan(plant)
        return weigh(plan, RuleState.fresh(plan, micros(START))) / len(plan)


def plans(servers: Servers) -> list[Row]:
    """Compiling a plan, and taking a state over to one with other limits for 1 % of the tags."""
    with layers():
        plant = Load(rate=60.0).plant()
        changed = dict(plant.tags)
        for n in range(1, TAGS, 100):
            changed[n] = tag(n, limits={Kind.H: 7.0}, rate_per_min=60.0, interval_s=1.0)
        compiled = [_timed(lambda: compile_plan(plant)) for _ in range(REPEATS)]
        old, new = compile_plan(plant), compile_plan(Registry(2, plant.nodes, (), changed))
        state = _run_in(old)
        carried = [_timed(lambda: carry(old, state, new, START)) for _ in range(REPEATS)]
    return [
        Row.of("rules.compile_100k_s", compiled, "s", 0.5, "lower", "four limits and a rate each"),
        Row.of(
            "rules.carry_100k_ms", [one * 1e3 for one in carried], "ms", 100.0, "lower",
            "state taken over to a plan in which 1 % of the tags have other limits",
        ),
    ]  # fmt: skip


def _timed(work: Callable[[], object]) -> float:
    began = perf_counter_ns()
    work()
    return (perf_counter_ns() - began) * 1e-9


def _run_in(plan: Plan) -> RuleState:
    state = RuleState.fresh(plan, micros(START))
    for number, frame in enumerate(Load(rate=60.0).frames()):
        step(plan, state, frame, START + timedelta(seconds=number + 1))
    return state


def prometheus(servers: Servers) -> list[Row]:
    """Debian's Prometheus with two alert rules over as many series, on the same machine."""
    with layers():
        took, _ = Load(steps=STEPS).run()
    theirs = evaluation_seconds(TAGS, 4)
    again, _ = _again()
    ours = median([*took, *again]) * 1e-9
    return [
        Row.of(
            "rules.prometheus_ratio", [one / ours for one in theirs], "x", 100.0, "higher",
            f"prometheus_rule_group_last_duration_seconds of two alert rules (value >= 8, value <= "
            f"2, for 5 s) over {TAGS:,} series, {min(theirs):.2f} to {max(theirs):.2f} s, over a "
            f"step of as many tags with four limits each, {ours * 1e3:.2f} ms",
        )
    ]  # fmt: skip


def _again() -> tuple[list[float], list[float]]:
    with layers():
        return Load(steps=STEPS).run()
