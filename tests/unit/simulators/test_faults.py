"""Faults: each does what it says to a message, and leaves the original alone."""

import copy
import json
from datetime import timedelta

import numpy as np
import pytest

from simulators import faults
from simulators.message import Address, Message, Sample, encode
from tests.support.builders import START, at


def body(seq: int = 0):
    samples = [Sample(at(seq), {"A": float(seq), "B": True}), Sample(at(seq + 0.5), {"A": 9.0})]
    return Message(seq, samples).body("b1", 0, at(seq + 1), historical=False)


BODIES = [body(seq) for seq in range(6)]


def times(one):
    return [sample["time"] for sample in one["samples"]]


def test_a_message_is_written_as_the_wire_says():
    assert json.loads(encode(body(3))) == {
        "boot": "b1",
        "seq": 3,
        "oldest": 0,
        "sent": "2026-11-21T08:00:04Z",
        "historical": False,
        "samples": [
            {"time": "2026-11-21T08:00:03Z", "values": {"A": 3.0, "B": True}},
            {"time": "2026-11-21T08:00:03.500000Z", "values": {"A": 9.0}},
        ],
    }
    assert Address("p1", "e1", "g1").topic("data") == "hw/v1/p1/e1/g1/data"


def test_duplicates_and_losses_and_disorder():
    assert [one["seq"] for one in faults.duplicated(BODIES, [1])] == [0, 1, 1, 2, 3, 4, 5]
    shuffled = faults.reordered(BODIES, 3, np.random.default_rng(1))
    order = [one["seq"] for one in shuffled]
    assert sorted(order) == list(range(6)) != order
    assert all(abs(place - seq) <= 3 for place, seq in enumerate(order))
    assert faults.dropped(BODIES, 0.0, np.random.default_rng(1)) == BODIES
    assert faults.dropped(BODIES, 1.0, np.random.default_rng(1)) == []


def test_wrong_clocks():
    hours = timedelta(hours=8)
    skewed = faults.skewed(body(), hours)
    assert times(skewed) == ["2026-11-21T16:00:00Z", "2026-11-21T16:00:00.500000Z"]
    assert skewed["sent"] == "2026-11-21T16:00:01Z"
    assert faults.stamped(body(), hours)["sent"] == body()["sent"]
    assert times(faults.stamped(body(), hours)) == times(skewed)
    assert set(times(faults.stuck(body(), START))) == {"2026-11-21T08:00:00Z"}


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "1e999", "-", '"text"'])
def test_a_literal_goes_into_the_text_as_it_is(literal):
    text = faults.with_literal(body(), "B", literal).decode()
    assert f'"B": {literal}' in text
    assert "literal" not in text


def test_frozen_torn_and_replaced_values():
    values = [one["samples"][0]["values"]["A"] for one in faults.frozen(BODIES, "A")]
    assert values == [0.0] * 6
    assert faults.torn(b"abcdef", 4) == b"abcd"
    assert faults.with_value(body(), "A", None)["samples"][1]["values"] == {"A": None}


def test_no_fault_touches_the_original():
    before = copy.deepcopy(BODIES)
    faults.skewed(BODIES[0], timedelta(days=1))
    faults.stuck(BODIES[0], START)
    faults.with_literal(BODIES[0], "A", "NaN")
    faults.frozen(BODIES, "A")
    assert before == BODIES
