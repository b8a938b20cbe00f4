"""Payloads byte by byte, and what is no payload."""

import random
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.quality import Quality
from ingest.rejection import Rejection
from ingest.sparkplug.values import number
from ingest.sparkplug.wire import Metric, Payload, read, rebirth
from tests.support.gateway_line import us
from tests.support.sparkplug import (
    bdseq,
    double,
    metric,
    payload,
    quality,
    reading,
    single,
    text,
    unit,
    varint,
    whole,
)

CORPUS = Path(__file__).parent / "corpus"


def only(body: bytes) -> Metric:
    told = read(payload(body))
    assert isinstance(told, Payload)
    (found,) = told.metrics
    return found


def value(body: bytes, born: int | None = None) -> float | str:
    found = only(body)
    taken = number(found, found.datatype or born)
    return taken.reason if isinstance(taken, Rejection) else taken


def test_every_field_is_where_the_specification_has_it():
    body = metric("A", double(13, 1.5), alias=7, time=2, more=whole(5, 1) + whole(6, 1))
    told = read(payload(body, seq=255, time=3) + text(4, "u") + text(5, b"b"))
    assert isinstance(told, Payload)
    assert (told.time, told.seq) == (us(3), 255)
    found = told.metrics[0]
    assert (found.name, found.alias, found.time, found.datatype) == ("A", 7, us(2) // 1000, 10)
    assert (found.historical, found.null, found.kind, found.raw) == (
        True,
        False,
        "double_value",
        1.5,
    )


@pytest.mark.parametrize(
    ("datatype", "field", "is_"),
    [
        (1, whole(10, 0xFF), -1.0),
        (1, whole(10, 2**32 - 128), -128.0),
        (1, whole(10, 127), 127.0),
        (1, whole(10, 0x1234), "bad_value"),
        (2, whole(10, 0xFFFF), -1.0),
        (2, whole(10, 2**32 - 32768), -32768.0),
        (3, whole(10, 2**32 - 1), -1.0),
        (3, whole(11, 2**64 - 1), -1.0),
        (3, whole(11, 2**32 - 5), -5.0),
        (4, whole(11, 2**64 - 2), -2.0),
        (4, whole(11, 2**63), -(2.0**63)),
        (5, whole(10, 255), 255.0),
        (5, whole(10, 256), "bad_value"),
        (6, whole(10, 65535), 65535.0),
        (7, whole(10, 2**32 - 1), 2.0**32 - 1),
        (8, whole(11, 2**64 - 1), 2.0**64),
        (9, single(12, 7.1), 7.1),
        (9, single(12, float("inf")), "not_a_number"),
        (10, double(13, 1e308), 1e308),
        (10, whole(10, 3), 3.0),
        (11, whole(14, 1), 1.0),
        (11, whole(14, 0), 0.0),
        (12, text(15, "7"), "not_a_number"),
        (13, whole(11, 5), "not_a_number"),
        (16, text(17, b""), "not_a_number"),
        (17, text(16, b"1"), "not_a_number"),
        (19, text(18, b"\xff"), "not_a_number"),
        (34, text(16, b"1"), "not_a_number"),
        (10, b"", "no_value"),
        (None, whole(10, 5), "no_datatype"),
        (None, single(12, 2.5), 2.5),
        (None, whole(14, 1), 1.0),
    ],
)
def test_values(datatype, field, is_):
    assert value(metric("A", field, datatype=datatype)) == is_


def test_null_and_nan_are_no_value_and_the_birth_tells_the_type():
    assert isnan(float(value(metric("A", more=whole(7, 1)))))
    assert isnan(float(value(metric("A", double(13, float("nan"))))))
    assert value(metric(None, whole(10, 0xFFFE), alias=1, datatype=None), born=2) == -2.0


def test_properties():
    assert only(reading("A", 1.0, more=quality(500))).quality == Quality.STALE
    assert only(reading("A", 1.0, more=quality(0))).quality == 0
    assert only(reading("A", 1.0, more=quality(0, key="Other"))).quality is None
    assert only(reading("A", 1.0, more=unit("m"))).unit == "m"
    why = only(reading("A", 1.0, more=text(9, b"\xff"))).why
    assert why is not None
    assert why.reason == "malformed"


def test_a_broken_metric_takes_no_neighbour_with_it():
    told = read(payload(b"\xff\xff", metric(b"\xff\xfe", double(13, 1)), reading("A", 1.0)))
    assert isinstance(told, Payload)
    assert [one.why and one.why.reason for one in told.metrics] == ["malformed", "bad_name", None]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff", "malformed"),
        (b"\x12\xff\xff\xff\xff\x0f", "malformed"),
        (b"\x00" * (2**20 + 1), "too_large"),
        (b"\x12\x00" * 100_001, "too_many_values"),
        (text(4, "SPBV1.0_COMPRESSED") + text(5, b"x"), "compressed"),
    ],
)
def test_what_is_no_payload(body, reason):
    told = read(body)
    assert isinstance(told, Rejection)
    assert told.reason == reason


def test_a_sequence_number_beyond_255_is_none():
    assert read(payload(seq=256)) == Payload(None, None, ())


def test_the_request_for_births_is_what_the_specification_says():
    made = rebirth(us(1))
    time = whole(1, us(1) // 1000)
    named = metric("Node Control/Rebirth", whole(14, 1), datatype=11, time=1)
    assert sorted(made) == sorted(time + text(2, named))
    assert only(made[len(time) + 2 :]).name == "Node Control/Rebirth"


@given(st.binary(max_size=400))
def test_reading_never_raises(body):
    told = read(body)
    if isinstance(told, Payload):
        for one in told.metrics:
            number(one, one.datatype)


SEEDS = (
    payload(bdseq(3), reading("A", 1.0, alias=1, more=quality(192)), seq=0, time=0),
    payload(metric(None, whole(10, 5), alias=2, datatype=3, time=1), seq=9, time=2),
    payload(metric("T", text(18, text(2, reading("x", 1.0)))), reading("B", 2.0), seq=1),
)


def mutated(seed: int) -> bytes:
    """A sound payload with some bytes changed, cut out, or doubled; the same for the same seed."""
    chance = random.Random(seed)
    body = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        how = chance.randrange(4)
        if how == 0 and at < len(body):
            body[at] = chance.randrange(256)
        elif how == 1:
            del body[at : at + chance.randint(1, 8)]
        elif how == 2:
            body[at:at] = body[at : at + chance.randint(1, 16)]
        else:
            body[at:at] = varint(chance.choice([0, 127, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
    return bytes(body)


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_mutated_payloads_never_raise(count):
    for seed in range(count):
        told = read(mutated(seed))
        for one in told.metrics if isinstance(told, Payload) else ():
            number(one, one.datatype)


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.bin")), ids=lambda file: file.stem)
def test_the_kept_corpus_is_read_as_it_was(file):
    told = read(file.read_bytes())
    if isinstance(told, Rejection):
        assert file.stem.endswith(told.reason)
    else:
        whys = [why.reason if (why := one.why or one.odd) else "taken" for one in told.metrics]
        assert file.stem.split("-", 1)[1] == ("-".join(whys) or "empty")
