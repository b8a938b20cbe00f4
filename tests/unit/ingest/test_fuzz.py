"""Random and mutated bodies into the JSON decoder and intake: `make test` takes a part of them."""

import gzip
import json
import random
import re
from itertools import islice
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fuzz import Harness, mutations
from tests.support.gateway_line import body, written

KEPT = [file.read_bytes() for file in sorted((Path(__file__).parent / "corpus").iterdir())]
SOUND = [
    body(
        (
            0.0,
            {"T1": 7.31, "T2": {"value": 12.5, "quality": "uncertain", "unit": "cm"}, "T3": True},
        ),
        (1.0, {"T1": None, "T4": -9999}),
        seq=4711,
        oldest=4690,
        sent=1.1,
        historical=False,
    ),
    body((-5000.0, {"T1": 1}), (2.0, {"T1": 32767, "XX": 1}), historical=True),
    body(*((n, {"T1": n, "T2": -n * 1e-7}) for n in range(5)), seq=2**62, boot="b" * 64, oldest=0),
    body((0.0, {"罐\u0001": {"value": 1, "unit": "℃"}}), seq=None),
    b'{"samples": [{"time": 1795248000000, "values": {"T1": 1}}], "more": {"a": [1, {"b": null}]}}',
]
CORPUS = [*KEPT, *SOUND, *SOUND, *SOUND, gzip.compress(SOUND[0]), zstandard.compress(SOUND[1])]
WORDS = """
{ } [ ] , : " // /* ' NaN Infinity -Infinity 1e999 -1e999 1e-999 -0 0 00 .5 1. 0x1F null true false
"\\ud800" "\\u0000" "" {"value":1} {"value":[]} {"value":1,"unit":7} {"quality":256} undefined
{"value":5,"unit":"kPa"} {"value":-9999,"unit":"mm"} {"value":1e308,"unit":"km"} "samples" "values"
"time" "seq" "boot" "T1" "T5" "unit" "quality" "value" "1999-12-31T23:59:59Z" "2026-11-21T08:00:00"
"9999-12-31T23:59:59Z" 1795248000000 -99999999999999999999 ℃
"""
TOKENS = [word.encode() for word in WORDS.split()]
TOKENS += [b"9" * 400, b"[" * 300, b'{"a":' * 300, "罐".encode("gbk"), b"\x00", b"\\"]
TOKENS += [b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"]
ATOMS = re.compile(rb'(?<=:)"[^"]*"|-?[0-9][0-9.eE+-]*|true|false|null|\{[^{}]*\}')


def fuzzed(count: int, seed: int) -> Harness:
    harness = Harness()
    harness.run(islice(mutations(CORPUS, TOKENS, random.Random(seed), ATOMS), count))
    return harness


def test_no_mutated_body_raises_or_costs_a_neighbour_anything():
    harness = fuzzed(6_000, seed=1)
    # enough of each fate, or the mutations are too tame or too wild to say anything
    told = harness.outcomes
    assert min(told["decoded"] - 6_120, told["repeated"], told["quarantined"]) > 500
    reasons = {"malformed", "not_a_number", "bad_time", "unknown_tag", "bad_member", "bad_sample"}
    assert reasons <= told.keys()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_no_mutated_body_of_100_000_raises_or_costs_a_neighbour_anything(seed):
    fuzzed(10_000, seed=100 + seed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
VALUE = JSON | st.fixed_dictionaries(
    {"value": JSON}, optional={"quality": JSON, "unit": JSON | st.sampled_from(["cm", "kPa", "℃"])}
)
BODY = st.fixed_dictionaries(
    {
        "samples": st.lists(
            st.fixed_dictionaries(
                {
                    "time": JSON | st.integers(-100, 100).map(written),
                    "values": st.dictionaries(st.sampled_from(["T1", "T2", "T5", "X"]), VALUE),
                }
            ),
            max_size=3,
        )
    },
    optional=dict.fromkeys(("boot", "seq", "oldest", "sent", "historical", "more"), JSON),
).map(lambda told: json.dumps(told).encode())


@settings(max_examples=100)
@given(st.lists(BODY | JSON.map(lambda told: json.dumps(told).encode()) | st.binary(), max_size=5))
def test_no_body_of_any_shape_raises_or_costs_a_neighbour_anything(payloads):
    Harness().run(payloads)


def is_json(token: bytes) -> bool:
    try:
        json.loads(token)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "token", [token for token in TOKENS if is_json(token)], ids=lambda token: token.decode()[:20]
)
def test_a_value_that_is_none_costs_the_values_beside_it_nothing(token):
    harness = Harness()
    payload = b'{"samples":[{"time":"%b","values":{"T1":1,"T2":%b,"T3":3}}]}'
    harness.run([payload % (written(1).encode(), token)])
    values = {
        tag: value
        for batch in harness.line.batches
        for tag, value in zip(batch.frame.tag.tolist(), batch.frame.value.tolist(), strict=True)
    }
    assert (values[1], values[3]) == (1.0, 3.0)
