"""PCA groups: what is learnt, what is said, and that the layer and the slow reference agree."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.pca import PcaModel, PcaModelError
from domain.plant import Node, Registry
from rules import rows
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.layers import LAYERS
from rules.pca import PCA
from rules.pca_fit import FitError, fit
from rules.pca_statistics import moving_mean, statistics
from rules.plan import PlanError
from rules.state import RuleState, carry
from tests.support.builders import ENTERPRISE, SOURCE, START, at, registry, tag
from tests.support.reference_pca import SlowPca

ZERO = micros(START)
NAMES = ("T1", "T2", "T3", "T4", "T5", "T6")
EVERY = 60.0
P = len(NAMES)


def running(n: int, seed: int = 1) -> np.ndarray:
    """Normal running: two slow causes, six tags, a little noise of each."""
    rng = np.random.default_rng(seed)
    causes = np.zeros((n, 2))
    for k in range(1, n):
        causes[k] = 0.7 * causes[k - 1] + rng.standard_normal(2)
    mixed = causes @ np.array([[1.0, 0.8, -0.6, 0.0, 0.3, 1.0], [0.0, 0.5, 0.9, 1.0, -0.7, 0.2]])
    return np.asarray(50 + 3 * mixed + 0.8 * rng.standard_normal((n, P)))


MODEL = fit(NAMES, running(1500), EVERY)


def plant(model: PcaModel | None = MODEL, **tags) -> Registry:
    detail: dict[str, object] = {"kind": "pca", "members": list(NAMES)}
    if model is not None:
        detail["model"] = json.loads(json.dumps(model.document()))
    group = Node(50, SOURCE, "group", "UNIT", "UNIT", ENTERPRISE, None, detail)
    given = {"interval_s": EVERY, "range": None} | tags
    members = [tag(n + 1, name, **given) for n, name in enumerate(NAMES)]
    return registry(*members, nodes=[group])


class Unit:
    """The plant, fed in whole scans."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.plan = compile_plan(registry or plant())
        self.state = RuleState.fresh(self.plan, ZERO)

    def feed(self, scans: np.ndarray, begin: int = 0) -> list[Finding]:
        out = []
        for n, scan in enumerate(scans, begin):
            when = micros(at(n * EVERY))
            there = np.flatnonzero(~np.isnan(scan))
            frame = Frame.of((there + 1).tolist(), [when] * len(there), scan[there], received=when)
            out += [f for f in step(self.plan, self.state, frame, moment(when)) if f.node == 50]
        return [f for f in out if f.kind is Kind.PCA]


def test_as_many_components_as_there_are_causes():
    assert MODEL.loadings.shape == (6, 2)


def test_a_model_survives_json_exactly():
    again = PcaModel.of(json.loads(json.dumps(MODEL.document())))
    assert again.fingerprint() == MODEL.fingerprint()


def test_normal_running_raises_nothing_for_a_day():
    assert Unit().feed(running(1440, seed=9)) == []


def test_a_gauge_that_leaves_the_others_is_found_and_named():
    scans = running(400, seed=3)
    scans[200:, 3] += 6.0
    found = Unit().feed(scans)
    assert [finding.edge for finding in found] == [Edge.RAISED]
    assert at(200 * EVERY) <= found[0].onset <= found[0].effective <= at(215 * EVERY)
    assert found[0].detail["first"] == 4
    assert found[0].detail["first_share"] > 0.5
    assert found[0].detail["spe"] == found[0].value >= 1 == found[0].limit


def test_it_returns_when_they_agree_again():
    scans = running(400, seed=3)
    scans[200:230, 3] += 6.0
    found = Unit().feed(scans)
    assert [finding.edge for finding in found] == [Edge.RAISED, Edge.RETURNED]
    assert found[0].onset == found[1].onset


def test_one_wild_scan_raises_nothing():
    scans = running(300, seed=3)
    scans[200, 3] = 1e300
    assert Unit().feed(scans) == []


def test_two_of_six_members_may_be_missing_and_what_is_left_still_tells():
    scans = running(500, seed=3)
    scans[:, [0, 4]][100:] = np.nan
    scans[100:, 4] = np.nan
    scans[300:, 3] += 8.0
    found = Unit().feed(scans)
    assert [finding.edge for finding in found] == [Edge.RAISED]
    assert found[0].onset >= at(300 * EVERY)
    assert found[0].detail["missing"] == 1


def test_with_too_many_missing_nothing_is_said_and_nothing_ends():
    scans = running(600, seed=3)
    scans[200:240, 3] += 6.0
    scans[230:, [0, 1, 2]] = np.nan
    assert [finding.edge for finding in Unit().feed(scans)] == [Edge.RAISED]


def test_while_a_member_is_missing_the_condition_does_not_end():
    scans = running(600, seed=3)
    scans[200:240, 3] += 6.0
    scans[230:400, 3] = np.nan
    found = Unit().feed(scans)
    assert [finding.edge for finding in found] == [Edge.RAISED, Edge.RETURNED]
    assert found[1].effective >= at(400 * EVERY)


def test_a_scan_that_stays_incomplete_is_judged_at_its_end_by_a_tick():
    unit = Unit()
    unit.feed(running(20))
    late = micros(at(20 * EVERY))
    frame = Frame.of([1, 2], [late, late], [50.0, 50.0], received=late)
    step(unit.plan, unit.state, frame, moment(late))
    due = next_due(unit.plan, unit.state)
    assert due is not None
    memory: Any = unit.state.layers[LAYERS.index(PCA)]
    before = memory.t2.copy()
    step(unit.plan, unit.state, None, moment((late // 60_000_000 + 1) * 60_000_000))
    assert memory.t2[0] != before[0]


def test_a_group_without_a_model_is_not_watched():
    plan = compile_plan(plant(None))
    assert len(plan.layers[LAYERS.index(PCA)].keys) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format is 2"),
        ({"scale": [0.0] * 6}, "scale must be above 0"),
        ({"mean": [1.0]}, "mean has shape"),
        ({"t2_limit": float("nan")}, "t2_limit is nan"),
        ({"tags": ["T1", "T2", "T3", "T4", "T5", "XX"]}, "'XX' is no member"),
    ],
)
def test_a_wrong_model_is_said_when_the_plan_is_compiled(change, words):
    wrong = plant()
    node = wrong.nodes[50]
    model: Any = node.detail["model"]
    detail = {**node.detail, "model": {**model, **change}}
    nodes = {**wrong.nodes, 50: replace(node, detail=detail)}
    with pytest.raises(PlanError, match=words):
        compile_plan(replace(wrong, nodes=nodes))


def test_a_document_that_lacks_something_says_what():
    with pytest.raises(PcaModelError, match="'variance' is missing"):
        PcaModel.of({k: v for k, v in MODEL.document().items() if k != "variance"})


@pytest.mark.parametrize("n", [0, 20, 60])
def test_too_little_training_is_refused(n):
    with pytest.raises(FitError, match="needed"):
        fit(NAMES, running(max(n, 1))[:n], EVERY)


def test_a_tag_that_stood_still_is_left_out_of_the_model():
    scans = running(600)
    scans[:, 2] = 7.0
    assert fit(NAMES, scans, EVERY).tags == ("T1", "T2", "T4", "T5", "T6")


def test_limits_hold_on_data_that_was_not_learnt_from():
    """Of 20 models each learnt from 500 scans, how many would alarm in the day that follows."""
    alarmed = 0
    for seed in range(20):
        scans = running(500 + 1440, seed=100 + seed)
        model = fit(NAMES, scans[:500], EVERY)
        judged = [statistics(model, scan, np.ones(P, np.bool_)) for scan in scans[500:]]
        t2 = moving_mean(np.array([s.t2 for s in judged]), model.t2_mean, model.t2_clip, 0.1)
        spe = moving_mean(np.array([s.spe for s in judged]), model.spe_mean, model.spe_clip, 0.1)
        alarmed += bool((t2 >= model.t2_limit).any() or (spe >= model.spe_limit).any())
    assert alarmed <= 2


def test_with_all_members_there_the_statistics_are_those_of_the_textbook():
    scan = running(50, seed=8)[20]
    z = (scan - MODEL.mean) / MODEL.scale
    t = MODEL.loadings.T @ z
    got = statistics(MODEL, scan, np.ones(P, np.bool_))
    assert got.t2 == pytest.approx(float(sum(t**2 / MODEL.variance)))
    assert got.spe == pytest.approx(float(z @ z - t @ t))


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, int, float, int]]:
    """(member, event time, value, quality) in order of arrival, some of them late for their scan; a
    member's times rise."""
    now, out = 0, []
    last = dict.fromkeys(range(P), -1)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    away = draw(st.sampled_from([0.0, 9.0, 30.0]))
    for _ in range(draw(st.integers(1, 60))):
        now += draw(st.sampled_from([60, 60, 60, 20, 300, 5000])) * SECOND
        scan = running(3, seed=int(rng.integers(2**32)))[2]
        scan[3] += away
        members = draw(st.permutations(range(P)))[: draw(st.sampled_from([P, P, P, 5, 2]))]
        for member in members:
            when = now + int(rng.integers(0, 30)) * SECOND
            if when > last[member]:
                last[member] = when
                quality = 192 if rng.random() < 0.95 else 0
                out.append((member, ZERO + when, float(scan[member]), quality))
    return out


@given(streams(), st.booleans())
@settings(max_examples=30)
def test_layer_and_reference_agree_sample_after_sample_whatever_is_late(stream, ticked):
    agreed(stream, set(range(len(stream))), ticked, None)


@given(streams(), st.sets(st.integers(0, 300)), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=60)
def test_layer_and_reference_agree_however_the_stream_is_cut_and_frames_are_ordered(
    stream, cuts, ticked, seed
):
    """Frames of the intake are ordered by tag, and hold several messages."""
    stream.sort(key=lambda one: (one[1], one[0]))
    agreed(stream, cuts, ticked, np.random.default_rng(seed))


Stream = list[tuple[int, int, float, int]]


def agreed(
    stream: Stream, cuts: set[int], ticked: bool, shuffling: np.random.Generator | None
) -> None:
    plan = compile_plan(plant())
    state = RuleState.fresh(plan, ZERO)
    slow = SlowPca(MODEL, [180 * SECOND] * P)
    found = []
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    newest, no_tick = 0, START
    for begin, end in pairwise(edges):
        part = stream[begin:end]
        newest = max(newest + 1, *(when for _, when, _, _ in part))
        arrived = part
        if shuffling is not None:
            part = [part[n] for n in shuffling.permutation(len(part)).tolist()]
        frame = Frame.of(
            [member + 1 for member, _, _, _ in part],
            [when for _, when, _, _ in part],
            [value for _, _, value, _ in part],
            received=newest,
            quality=[quality for _, _, _, quality in part],
        )
        found += step(plan, state, frame, no_tick)
        for member, when, value, quality in arrived:
            if quality == 192:
                slow.sample(member, when, value)
    if ticked:
        found += step(plan, state, None, moment(newest + 10**10))
        slow.end()
    told = [
        (f.edge.name, micros(f.onset), micros(f.effective)) for f in found if f.kind is Kind.PCA
    ]
    assert told == slow.told
    memory: Any = state.layers[LAYERS.index(PCA)]
    assert memory.t2[0] == pytest.approx(slow.t2, rel=1e-9)
    assert memory.spe[0] == pytest.approx(slow.spe, rel=1e-9)


def test_it_survives_a_snapshot():
    unit = Unit()
    scans = running(400, seed=3)
    scans[200:, 3] += 6.0
    assert unit.feed(scans[:230])
    copy = RuleState.from_bytes(unit.plan, unit.state.to_bytes(unit.plan))
    n = LAYERS.index(PCA)
    for name in rows._names(copy.layers[n]):
        np.testing.assert_array_equal(
            getattr(copy.layers[n], name), getattr(unit.state.layers[n], name)
        )


def wider(n: int) -> Registry:
    """The plant with one more group, of n tags of its own, learnt."""
    names = [f"W{k}" for k in range(n)]
    rng = np.random.default_rng(4)
    scans = rng.standard_normal((600, 1)) + 0.2 * rng.standard_normal((600, n))
    document = json.loads(json.dumps(fit(names, scans, EVERY).document()))
    detail: dict[str, object] = {"kind": "pca", "members": names, "model": document}
    group = Node(51, SOURCE, "group", "WIDE", "WIDE", ENTERPRISE, None, detail)
    tags = [tag(20 + k, name, interval_s=EVERY, range=None) for k, name in enumerate(names)]
    return registry(*plant().tags.values(), *tags, nodes=[plant().nodes[50], group])


@pytest.mark.parametrize("before", ["no model", "a smaller group"])
def test_a_model_of_more_members_is_taken_in_while_running_and_the_rest_stays(before):
    unit = Unit(plant(None) if before == "no model" else plant())
    unit.feed(running(30))
    state, found = carry(unit.plan, unit.state, compile_plan(wider(9)), at(31 * EVERY))
    memory: Any = state.layers[LAYERS.index(PCA)]
    assert found == []
    assert len(memory.onset) == 2
    if before == "a smaller group":
        old: Any = unit.state.layers[LAYERS.index(PCA)]
        assert memory.t2[0] == old.t2[0]
        np.testing.assert_array_equal(memory.value[0, :P], old.value[0, :P])


def test_a_model_of_too_many_members_is_refused():
    names = [f"T{n}" for n in range(129)]
    with pytest.raises(FitError, match=r"129 tags .* at most 128"):
        fit(names, np.random.default_rng(1).standard_normal((800, 129)), EVERY)


def test_what_was_active_before_a_new_model_does_not_end_with_its_first_scan():
    scans = running(400, seed=3)
    scans[200:, 3] += 6.0
    unit = Unit()
    assert [finding.edge for finding in unit.feed(scans[:230])] == [Edge.RAISED]
    again = fit(NAMES, running(1500, seed=77), EVERY)
    plan = compile_plan(plant(again))
    unit.state, _ = carry(unit.plan, unit.state, plan, at(230 * EVERY))
    unit.plan = plan
    assert unit.feed(scans[230:260], 230) == []
    calm = unit.feed(running(60, seed=5), 260)
    assert [finding.edge for finding in calm] == [Edge.RETURNED]
