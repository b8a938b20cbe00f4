"""A load: values that follow from tag and time, a site that can be read, a truth that is whole."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.site import read_site
from ingest.wiretime import instant
from simulators.swarm import (
    BREACH,
    CALM,
    FLOOR,
    MODULUS,
    SCALE,
    TAG_STEP,
    TIME_STEP,
    Bodies,
    Swarm,
    shifts,
    site_lines,
    start,
)
from simulators.swarm_play import canaries_for
from simulators.swarm_score import Score
from simulators.swarm_truth import TruthError, TruthFile, read_truth

NOW = 1_795_248_001_000_123
times = st.integers(1_700_000_000_000_000, 2_000_000_000_000_000)


def said(number: int, at: int) -> float:
    """The rule as the docstring writes it."""
    return (FLOOR + (number * TAG_STEP + at % MODULUS * TIME_STEP) % MODULUS) / SCALE


@given(st.integers(0, 2), st.integers(0, 3), st.integers(0, 10**9), times)
def test_a_message_says_what_the_rule_says_for_each_of_its_tags(enterprise, part, seq, at):
    swarm = Swarm(enterprises=3, tags=10, values=3)
    body = json.loads(Bodies(swarm, "b").body(enterprise, part, seq, at))
    [sample] = body["samples"]
    assert (body["boot"], body["seq"], body["sent"]) == ("b", seq, sample["time"])
    assert instant(sample["time"]) == at
    numbers = swarm.part(enterprise, part)
    assert len(numbers) == (1 if part == 3 else 3)
    assert sample["values"] == {swarm.name(n): said(n, at) for n in numbers}


@given(st.integers(0, 10**6), times)
def test_the_proof_computes_the_same_value_from_its_two_shares(number, at):
    shift = int(shifts(np.array([at]))[0])
    assert (FLOOR + (start(number) + shift) % MODULUS) / SCALE == said(number, at)


@given(st.integers(0, 10**6), times, st.integers(1, MODULUS - 1))
def test_a_value_under_another_tag_or_time_is_another_value(number, at, by):
    assert said(number, at) != said(number + by, at)
    assert said(number, at) != said(number, at + by)


def test_values_lie_within_all_limits_of_the_site():
    site = read_site("\n".join(site_lines(Swarm(2, 300, 100))))
    tags = [tag for one in site.enterprises for source in one.sources for tag in source.tags]
    assert len(tags) == 600
    assert all(
        tag.limits.L is not None
        and tag.limits.H is not None
        and tag.limits.L < FLOOR / SCALE
        and (FLOOR + MODULUS) / SCALE < tag.limits.H
        for tag in tags
    )


def test_every_tag_and_gateway_of_a_load_is_in_its_site():
    swarm = Swarm(2, 7, 3, canaries=5)
    site = read_site("\n".join(site_lines(swarm)))
    assert [e.gateways for e in site.enterprises] == [("g1", "canary"), ("g1",)]
    names = [{tag.name for s in e.sources for tag in s.tags} for e in site.enterprises]
    told = {
        name
        for part in range(swarm.parts)
        for name in json.loads(Bodies(swarm, "b").body(1, part, 0, NOW))["samples"][0]["values"]
    }
    assert names[1] == told
    assert names[0] == told | {f"CANARY-000{n}" for n in range(5)}


def test_a_canary_breaches_in_even_messages_and_is_calm_in_odd_ones():
    bodies = Bodies(Swarm(1, 1, 1, canaries=3), "b")
    values = [json.loads(bodies.canary(2, seq, NOW))["samples"][0]["values"] for seq in (4, 5)]
    assert values == [{"CANARY-0002": BREACH}, {"CANARY-0002": CALM}]


@pytest.mark.parametrize("every", [0.1, 0.7, 1, 30, 1000])
def test_a_canary_rests_longer_than_an_occurrence_waits_for_its_return(every):
    assert (canaries_for(every) - 1) * every > 60


def test_what_was_not_acknowledged_is_known_when_a_truth_is_read(tmp_path):
    swarm = Swarm(2, 10, 5, canaries=2)
    with TruthFile(tmp_path / "t", swarm, "boot") as file:
        for seq in range(3000):
            file.published(seq % 2, seq // 2, 0, NOW + seq)
        file.end([(1, 7), (0, 1499)])
    truth = read_truth(tmp_path / "t")
    assert (truth.swarm, truth.boot) == (swarm, "boot")
    assert truth.messages[:, 3].tolist() == [NOW + n for n in range(3000)]
    lost = truth.messages[~truth.acknowledged][:, :2].tolist()
    assert lost == [[1, 7], [0, 1499]]


@pytest.mark.parametrize("text", ["", "1,2,3,4\n", "# {}\n# {}\n", '# {"version": 1}\n1,2,3\n'])
def test_a_file_that_is_no_whole_truth_is_refused(tmp_path, text):
    (tmp_path / "t").write_text(text)
    with pytest.raises(TruthError):
        read_truth(tmp_path / "t")


def test_the_truth_of_a_load_that_did_not_end_is_refused(tmp_path):
    with TruthFile(tmp_path / "t", Swarm(1, 1, 1), "boot") as file:
        file.published(0, 0, 0, NOW)
    with pytest.raises(TruthError):
        read_truth(tmp_path / "t")


@given(st.lists(st.floats(2e-5, 900), min_size=1, max_size=300), st.sampled_from([0.5, 0.99]))
def test_a_share_of_delays_is_told_within_three_percent(delays, share):
    score = Score()
    for delay in delays:
        score.acknowledged(delay)
    exact = sorted(delays)[int(np.ceil(share * len(delays))) - 1] * 1e3
    assert score.puback_ms(share) == pytest.approx(exact, rel=0.03)


def test_without_a_puback_there_is_no_delay_to_tell():
    assert Score().result()["puback_ms_p99"] is None
