import gzip
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from domain.instant import micros
from domain.quality import Quality
from ingest.decode import decode
from ingest.message import MAX_SEQ, Message, Unread
from ingest.tolerant import MAX_REJECTED, read
from ingest.unpack import MAX_RAW, MAX_UNPACKED

T = micros(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
EXAMPLE = {
    "boot": "2026-11-21T07:58:00Z",
    "seq": 4711,
    "oldest": 4690,
    "sent": "2026-11-21T08:00:01.120Z",
    "historical": False,
    "samples": [
        {
            "time": "2026-11-21T08:00:00Z",
            "values": {
                "TK101.LI": 7.31,
                "GD07": {"value": 12.5, "quality": "uncertain", "unit": "ppm"},
                "XV101": True,
            },
        },
        {"time": 1795248001000, "values": {"TK101.LI": 7.32}},
    ],
}


def body(values: str, time: str = '"2026-11-21T08:00:00Z"', head: str = "") -> bytes:
    return f'{{{head}"samples":[{{"time":{time},"values":{values}}}]}}'.encode()


def message(payload: bytes) -> Message:
    told = decode(payload)
    assert isinstance(told, Message), told
    return told


def unread(payload: bytes) -> Unread:
    told = decode(payload)
    assert isinstance(told, Unread), told
    return told


def test_the_example_of_the_profile_is_read_as_it_says():
    told = message(json.dumps(EXAMPLE).encode())
    assert (told.boot, told.seq, told.oldest) == ("2026-11-21T07:58:00Z", 4711, 4690)
    assert told.sent == T + 1_120_000
    assert not told.historical
    assert told.names == ("TK101.LI", "GD07", "XV101", "TK101.LI")
    assert told.time.tolist() == [T, T, T, 1795248001000_000]
    assert told.value.tolist() == [7.31, 12.5, 1.0, 7.32]
    assert told.quality.tolist() == [192, Quality.UNCERTAIN, 192, 192]
    assert told.units == {1: "ppm"}
    assert told.rejected == ()
    assert told.unknown == 0


def test_all_but_samples_is_optional():
    told = message(b'{"samples": []}')
    assert (told.boot, told.seq, told.sent, told.historical) == (None, None, None, False)
    assert len(told.value) == 0
    assert told.newest is None


@pytest.mark.parametrize(
    "time",
    [
        '"2026-11-21T08:00:00Z"',
        '"2026-11-21T16:00:00+08:00"',
        '"2026-11-21T08:00:00.000000Z"',
        '"2026-11-21t08:00:00z"',
        "1795248000000",
        "1795248000000.0",
        '"2026-11-21T07:59:60Z"',
    ],
)
def test_one_instant_can_be_written_in_many_ways(time):
    assert message(body('{"A":1}', time)).time.tolist() == [T]


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ('"2026-11-21T08:00:00"', "naive_time"),
        ('"2026-11-21"', "naive_time"),
        ('"1999-12-31T23:59:59Z"', "too_old"),
        ("0", "too_old"),
        ("-5", "too_old"),
        ('"yesterday"', "bad_time"),
        ("true", "bad_time"),
        ("null", "bad_time"),
        ("1.5", "bad_time"),
        ("[1]", "bad_time"),
        ("NaN", "bad_time"),
        ("1e999", "bad_time"),
        ("99999999999999999999999", "bad_time"),
        ('"9999-12-31T23:59:59Z"', "bad_time"),
        ('"0001-01-01T00:00:00+14:00"', "too_old"),
    ],
)
def test_a_bad_time_rejects_the_values_of_its_sample_and_no_others(time, reason):
    payload = (
        f'{{"samples":[{{"time":{time},"values":{{"A":1,"B":2}}}},'
        f'{{"time":1795248000000,"values":{{"A":3}}}}]}}'
    )
    told = message(payload.encode())
    assert told.value.tolist() == [3]
    assert [(one.tag, one.reason) for one in told.rejected] == [("A", reason), ("B", reason)]


@pytest.mark.parametrize(
    ("said", "value", "quality"),
    [
        ("0", 0.0, 192),
        ("-0.0", 0.0, 192),
        ("7", 7.0, 192),
        ("true", 1.0, 192),
        ("false", 0.0, 192),
        ("null", math.nan, Quality.BAD),
        ("NaN", math.nan, Quality.BAD),
        ('{"value":null}', math.nan, Quality.BAD),
        ('{"value":NaN,"quality":"good"}', math.nan, Quality.BAD),
        ('{"value":null,"quality":"maintenance"}', math.nan, Quality.MAINTENANCE),
        ('{"value":5}', 5.0, 192),
        ('{"value":5,"quality":"calibration"}', 5.0, Quality.CALIBRATION),
        ('{"value":5,"quality":"Good"}', 5.0, 192),
        ('{"value":5,"quality":0}', 5.0, 0),
        ('{"value":5,"quality":216}', 5.0, 216),
        ('{"value":5,"quality":null,"unit":null}', 5.0, 192),
        ("123456789012345678901234567890", 1.2345678901234568e29, 192),
    ],
)
def test_a_value_is_a_number_a_boolean_null_or_an_object(said, value, quality):
    told = message(body(f'{{"A":{said},"B":1}}'))
    np.testing.assert_array_equal(told.value, [value, 1.0])
    assert told.quality.tolist() == [quality, 192]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('"7.3"', "not_a_number"),
        ("[1]", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("-Infinity", "not_a_number"),
        ("1e999", "not_a_number"),
        ("1" + "0" * 400, "not_a_number"),
        ("-1" + "0" * 5000, "not_a_number"),
        ('{"quality":"good"}', "not_a_number"),
        ('{"value":"x"}', "not_a_number"),
        ('{"value":{"value":1}}', "not_a_number"),
        ('{"value":1,"unit":3}', "bad_unit"),
    ],
)
def test_a_bad_value_never_rejects_its_neighbours(said, reason):
    told = message(body(f'{{"A":1,"B":{said},"C":NaN,"D":2}}'))
    assert told.names == ("A", "C", "D")
    assert [(one.tag, one.time, one.reason) for one in told.rejected] == [
        ("B", "2026-11-21T08:00:00Z", reason)
    ]
    assert told.rejected[0].detail


@pytest.mark.parametrize("said", ['"excellent"', "256", "-1", "true"])
def test_a_quality_that_nobody_knows_takes_nothing_from_the_value_and_is_told_once(said):
    odd = f'{{"value":95,"quality":{said}}}'
    told = message(body(f'{{"A":1,"B":{odd},"C":{odd}}}'))
    assert told.value.tolist() == [1, 95, 95]
    assert told.quality.tolist() == [192, 64, 64]
    assert [one.reason for one in told.odd] == ["bad_quality"]
    assert "'B' is taken for uncertain: allowed are good," in told.odd[0].detail


def test_rejections_quote_the_value_and_say_what_is_allowed():
    told = message(body('{"A":"high"}'))
    assert told.rejected[0].detail == (
        "value 'high': allowed are finite numbers, true, false and null"
    )
    assert told.rejected[0].payload == b'"high"'


def test_members_that_the_profile_does_not_have_are_ignored_and_counted():
    payload = (
        b'{"vendor":"x","samples":[{"time":1795248000000,"shift":3,'
        b'"values":{"A":{"value":1,"sigma":2}}}]}'
    )
    told = message(payload)
    assert told.unknown == 3
    assert told.value.tolist() == [1.0]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('"boot":7,', "boot"),
        (f'"boot":"{"b" * 65}",', "boot"),
        ('"boot":"a\\u0000",', "boot"),
        ('"boot":"\\ud800",', "boot"),
        ('"seq":"1",', "seq"),
        ('"seq":-1,', "seq"),
        ('"seq":true,', "seq"),
        (f'"seq":{MAX_SEQ + 1},', "seq"),
        ('"seq":5,"oldest":6,', "oldest"),
        ('"sent":"2026-11-21T08:00:00",', "sent"),
        ('"historical":"yes",', "historical"),
    ],
)
def test_a_member_of_the_head_that_makes_no_sense_counts_as_absent(head, name):
    told = message(body('{"A":1}', head=head))
    assert getattr(told, name) in (None, False)
    assert told.value.tolist() == [1.0]
    assert [name in odd.detail for odd in told.odd] == [True]


def test_null_in_the_head_is_the_same_as_nothing():
    head = '"boot":null,"seq":null,"oldest":null,"sent":null,"historical":null,'
    told = message(body('{"A":1}', head=head))
    assert (told.boot, told.seq, told.historical, told.odd) == (None, None, False, ())


def test_rows_come_in_order_of_time_whatever_the_order_of_the_samples():
    payload = (
        b'{"samples":[{"time":1795248002000,"values":{"A":3}},'
        b'{"time":1795248000000,"values":{"A":1}},{"time":1795248001000,"values":{"A":%s}}]}'
    )
    for said in (b"2", b'{"value":2,"unit":"m"}', b'{"value":2,"unit":"m","odd":1}'):
        told = message(payload % said)
        assert told.value.tolist() == [1, 2, 3]
        assert told.units == ({} if said == b"2" else {1: "m"})
        assert told.steady


def test_times_that_come_twice_are_said_to():
    twice = '[{"time":1795248000000,"values":{"A":1}},{"time":1795248000000,"values":{"A":%s}}]'
    assert not message(f'{{"samples":{twice % 2}}}'.encode()).steady
    assert not message(f'{{"samples":{twice % "NaN"}}}'.encode()).steady


@pytest.mark.parametrize("said", ["5", "null", "[1]", '{"time":1}', '{"time":1,"values":[]}'])
def test_a_sample_that_is_none_is_one_rejected_value(said):
    told = message(f'{{"samples":[{said},{{"time":1795248000000,"values":{{"A":1}}}}]}}'.encode())
    assert told.value.tolist() == [1]
    assert [one.reason for one in told.rejected] == ["bad_sample"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed"),
        (b"\x00\xff", "malformed"),
        (b'{"samples":[', "malformed"),
        (b"[" * 200_000, "malformed"),
        (b"{" * 200_000, "malformed"),
        (b"5", "not_an_object"),
        (b"[]", "not_an_object"),
        (b"NaN", "not_an_object"),
        (b"{}", "no_samples"),
        (b'{"samples":{}}', "no_samples"),
        (b" " * (MAX_RAW + 1), "too_large"),
        (b"\x1f\x8b\x08", "malformed"),
        (b"\x28\xb5\x2f\xfd\x00", "malformed"),
        (gzip.compress(b" " * (MAX_UNPACKED + 1), mtime=0), "too_large"),
        (gzip.compress(b'{"samples":[]}', mtime=0)[:-4], "malformed"),
        (gzip.compress(b'{"samples":[]}', mtime=0) + b"junk", "malformed"),
        (zstandard.compress(b" " * (MAX_UNPACKED + 1)), "too_large"),
    ],
)
def test_what_can_not_be_read_is_rejected_whole(payload, reason):
    rejection = unread(payload).rejection
    assert rejection.reason == reason
    assert rejection.detail


def test_packed_bodies_are_known_by_their_first_bytes():
    plain = json.dumps(EXAMPLE).encode()
    half = len(plain) // 2
    for packed in (
        gzip.compress(plain, mtime=0),
        gzip.compress(plain[:half], mtime=0) + gzip.compress(plain[half:]),
        zstandard.compress(plain),
        zstandard.compress(plain[:half]) + zstandard.compress(plain[half:]),
        zstandard.ZstdCompressor(write_content_size=False).compress(plain),
    ):
        assert message(packed).names == message(plain).names


def test_a_bomb_is_given_up_at_the_limit():
    bomb = gzip.compress(b"0" * (64 * 1024 * 1024))
    assert len(bomb) < MAX_RAW
    assert unread(bomb).rejection.reason == "too_large"


def test_text_in_another_encoding_costs_only_the_names_it_spoils():
    told = message(body('{"A":1,"XX":2}').replace(b"XX", "罐".encode("gbk")))
    assert told.names[0] == "A"
    assert told.value.tolist() == [1.0, 2.0]


def test_a_broken_body_still_tells_its_number_if_it_begins_with_it():
    cut = json.dumps(EXAMPLE).encode()[:120]
    told = unread(cut)
    assert (told.rejection.reason, told.boot, told.seq) == (
        "malformed",
        "2026-11-21T07:58:00Z",
        4711,
    )
    assert unread(b'{"samples":[{"boot":"x","seq":1,').boot is None
    assert unread(b'{"boot":"b","seq":3,"samples":5}').seq == 3
    huge = b'{"boot":"b","seq":9,"samples":[' + b" " * MAX_RAW
    assert unread(huge).seq == 9


def test_of_very_many_bad_values_all_are_counted_and_some_kept():
    values = ",".join(f'"T{n}":"x"' for n in range(MAX_REJECTED + 5))
    told = message(gzip.compress(body(f"{{{values}}}")))
    assert len(told.rejected) == MAX_REJECTED
    assert told.more_rejected == 5


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_bodies_that_once_were_trouble_are_read_or_rejected(file):
    assert isinstance(decode(file.read_bytes()), Message | Unread)


@given(st.binary())
@example(b'{"samples":[{"time":"2026-11-21T08:00:00+25:00","values":{"\\ud800":1}}]}')
def test_no_bytes_break_the_decoder(payload):
    assert isinstance(decode(payload), Message | Unread)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SAMPLES = st.lists(
    JSON
    | st.fixed_dictionaries(
        {
            "time": JSON | st.integers(10**12, 2 * 10**12) | st.datetimes().map(str),
            "values": JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=4),
        }
    ),
    max_size=4,
)
BODIES = st.fixed_dictionaries(
    {"samples": SAMPLES},
    optional=dict.fromkeys(("boot", "seq", "oldest", "sent", "historical", "more"), JSON),
)


@given(BODIES)
def test_every_value_of_every_body_is_taken_or_rejected(told):
    told_back = message(json.dumps(told).encode())
    expected = 0
    for sample in told["samples"]:
        values = sample.get("values") if isinstance(sample, dict) else None
        expected += len(values) if isinstance(values, dict) else 1
    assert len(told_back.names) + len(told_back.rejected) == expected
    assert len(told_back.time) == len(told_back.value) == len(told_back.quality)
    assert (np.diff(told_back.time) >= 0).all()
    assert not np.isinf(told_back.value).any()


NUMBERS = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
READINGS = NUMBERS | st.fixed_dictionaries(
    {"value": NUMBERS},
    optional={"quality": st.sampled_from(["good", "bad", 64, 0]), "unit": st.just("m")},
)
SOUND = st.fixed_dictionaries(
    {
        "samples": st.lists(
            st.fixed_dictionaries(
                {
                    "time": st.integers(10**12, 2 * 10**12),
                    "values": st.dictionaries(st.text("ab", max_size=2), READINGS, max_size=4),
                }
            ),
            max_size=4,
        ),
        "seq": st.integers(0, 100),
    }
)


@given(SOUND)
def test_both_ways_of_reading_agree_on_sound_bodies(told):
    payload = json.dumps(told).encode()
    fast, slow = message(payload), read(payload)
    assert isinstance(slow, Message)
    assert (fast.names, fast.seq, fast.units) == (slow.names, slow.seq, slow.units)
    assert fast.steady or not slow.steady
    np.testing.assert_array_equal(fast.time, slow.time)
    np.testing.assert_array_equal(fast.value, slow.value)
    np.testing.assert_array_equal(fast.quality, slow.quality)
