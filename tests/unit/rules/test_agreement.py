"""The array engine and the slow reference agree; cutting the stream and ticking change nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Finding
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Registry
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.state import RuleState
from tests.support.reference_rules import Reference, Told, told
from tests.support.rule_streams import ZERO, Sample, frame_of, plants, steps, streams

Judge = Callable[[Frame | None, int], list[Told]]
SILENCE = ("OFFLINE", "SOURCE_OFFLINE")
REFERRED = ("LL", "L", "H", "HH", "ROC", *SILENCE)
"""Kinds that the reference knows; each layer has one of its own."""
END = 4000 * SECOND
"""After the last sample of a stream: everything that can run out has run out."""


def by_subject(findings: Iterable[Told]) -> dict[tuple[object, ...], list[Told]]:
    """The findings of each tag (or node) and kind, in the order in which they came."""
    out: defaultdict[tuple[object, ...], list[Told]] = defaultdict(list)
    for finding in findings:
        if finding[1] in REFERRED:
            out[finding[1:4]].append(finding)
    return dict(out)


@given(st.data())
@settings(max_examples=60)
def test_the_engine_agrees_with_the_reference_on_anything_in_any_order(data: st.DataObject):
    registry = data.draw(plants())
    plan = compile_plan(registry)
    state, reference = RuleState.fresh(plan, ZERO), Reference(registry, ZERO)
    for frame, at in data.draw(steps(registry)):
        found = [told(finding) for finding in step(plan, state, frame, moment(at))]
        assert by_subject(found) == by_subject(reference.step(frame, at))


def run(
    registry: Registry,
    stream: list[Sample],
    cuts: Iterable[int],
    ticks: Iterable[int],
    judge: Judge | None = None,
) -> list[Told]:
    """Judge the stream, cut after the positions `cuts`, with a tick at each of `ticks`, and at END.

    A frame is received with its last sample; samples of one instant are not torn apart.
    """
    judge = judge or engine(registry)
    whole = [n for n in cuts if 0 < n < len(stream) and stream[n - 1].arrived < stream[n].arrived]
    edges = [0, *sorted(whole), len(stream)]
    parts = [stream[begin:end] for begin, end in pairwise(edges)]
    walls: dict[int, list[Sample]] = {stream[-1].arrived + END: []}
    for tick in ticks:
        if not any(part[0].arrived <= tick <= part[-1].arrived for part in parts):
            walls[tick] = []
    walls |= {part[-1].arrived: part for part in parts}
    out: list[Told] = []
    for wall, part in sorted(walls.items()):
        out += judge(frame_of(part, wall) if part else None, wall)
    return out


def engine(registry: Registry) -> Judge:
    """A fresh engine, in the words of the reference."""
    plan = compile_plan(registry)
    state = RuleState.fresh(plan, ZERO)
    return lambda frame, at: [told(finding) for finding in step(plan, state, frame, moment(at))]


@given(st.data())
@settings(max_examples=40)
def test_the_engine_agrees_with_the_reference_on_steady_streams(data: st.DataObject):
    registry = data.draw(plants())
    stream = data.draw(streams(registry))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    found = run(registry, stream, cuts, [])
    expected = run(registry, stream, cuts, [], Reference(registry, ZERO).step)
    assert by_subject(found) == by_subject(expected)


@given(st.data())
@settings(max_examples=40)
def test_limits_and_rates_are_found_the_same_however_the_stream_is_cut_and_ticked(
    data: st.DataObject,
):
    registry = data.draw(plants())
    stream = data.draw(streams(registry))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    ticks = data.draw(st.lists(st.integers(ZERO, stream[-1].arrived)))
    whole = run(registry, stream, [], [])
    one_by_one = run(registry, stream, range(len(stream)), [])
    parts = run(registry, stream, cuts, ticks)

    def judged(findings: list[Told]) -> dict[tuple[object, ...], list[Told]]:
        return by_subject(f for f in findings if f[1] not in SILENCE)

    assert judged(parts) == judged(one_by_one) == judged(whole)


@given(st.data())
@settings(max_examples=40)
def test_ticks_decide_when_a_thing_is_known_never_what(data: st.DataObject):
    registry = data.draw(plants())
    stream = data.draw(streams(registry))
    cuts = list(range(0, len(stream), data.draw(st.integers(1, 5))))
    ticks = data.draw(st.lists(st.integers(ZERO, stream[-1].arrived)))
    every_half_second = list(range(ZERO, stream[-1].arrived, SECOND // 2))
    bare = by_subject(run(registry, stream, cuts, []))
    assert by_subject(run(registry, stream, cuts, ticks)) == bare
    assert by_subject(run(registry, stream, cuts, every_half_second)) == bare


@given(st.data())
@settings(max_examples=30)
def test_nothing_happens_before_next_due_and_something_ends_at_it(data: st.DataObject):
    registry = data.draw(plants())
    plan = compile_plan(registry)
    state = RuleState.fresh(plan, ZERO)
    rated = {tag.id for tag in registry.tags.values() if tag.rate_per_min is not None}
    for frame, _ in data.draw(steps(registry)):
        received = moment(frame.received if frame is not None else ZERO)
        step(plan, state, frame, received)
        due = next_due(plan, state)
        if due is None:
            continue
        before = moment(micros(due) - 1)
        if before > received:
            assert step(plan, state, None, before) == []
            assert next_due(plan, state) == due
        assert step(plan, state, None, due) or rated
        after = next_due(plan, state)
        assert after is None or after > due


@given(st.data())
@settings(max_examples=30)
def test_ticking_at_next_due_only_finds_all_that_frequent_ticks_find(data: st.DataObject):
    registry = data.draw(plants())
    plan = compile_plan(registry)
    stream = data.draw(streams(registry))
    state = RuleState.fresh(plan, ZERO)
    out: list[Finding] = []
    arrivals = sorted({sample.arrived for sample in stream})
    for wall, until in pairwise([*arrivals, arrivals[-1] + END]):
        together = [sample for sample in stream if sample.arrived == wall]
        out += step(plan, state, frame_of(together, wall), moment(wall))
        while (due := next_due(plan, state)) is not None and micros(due) < until:
            out += step(plan, state, None, due)
    expected = run(registry, stream, range(len(stream)), [])
    assert by_subject(map(told, out)) == by_subject(expected)
