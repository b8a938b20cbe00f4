"""However much is packed into messages, intake hands it on in pieces."""

import gzip
import json

import pytest

from ingest.batch import Raw
from ingest.intake import ENOUGH, Intake
from ingest.message import MAX_VALUES
from tests.support.gateway_line import DATA, Line, body, plant, raw, us


def wide(seq: int, samples: int, values: int) -> bytes:
    times = [us(seq) // 1000 + n for n in range(samples)]
    told = {f"T{n}": n for n in range(1, values + 1)}
    packed = json.dumps(
        {"boot": "b", "seq": seq, "samples": [{"time": time, "values": told} for time in times]}
    )
    return gzip.compress(packed.encode())


def test_a_batch_ends_with_the_message_that_makes_it_big():
    line = Line()
    batches = line.take(9, *(raw(wide(seq, ENOUGH // 15, 5), handle=seq) for seq in range(7)))
    assert [batch.handles for batch in batches] == [(0, 1, 2, 3), (4, 5, 6)] or [
        batch.handles for batch in batches
    ] == [(0, 1, 2), (3, 4, 5), (6,)]
    assert all(len(batch.frame) < ENOUGH + ENOUGH // 3 + 5 for batch in batches)
    assert line.total("messages_decoded") == 7


def test_messages_that_are_not_reached_are_not_known_of():
    messages = [Raw(DATA, wide(seq, ENOUGH // 5, 5)) for seq in range(3)]
    intake, stamp = Intake(plant()), iter(range(us(9), us(10)))
    first = next(intake.take(messages, lambda: next(stamp)))
    assert first.ledger[0].seen == ((0, 0),)
    again = Intake(plant(), first.ledger)
    again.restore(intake.snapshot())
    rest = list(again.take(messages, lambda: next(stamp)))
    assert [delta.seen for batch in rest for delta in batch.ledger] == [((1, 1),), ((2, 2),)]


def test_the_stamp_of_a_batch_is_taken_when_the_batch_is_begun():
    line = Line()
    given: list[int] = []

    def stamp() -> int:
        given.append(us(9) + len(given))
        return given[-1]

    batches = line.intake.take([raw(wide(seq, ENOUGH // 5, 5)) for seq in range(2)], stamp)
    assert next(batches).frame.received == given[-1]
    assert len(given) == 1
    assert next(batches).frame.received == given[-1]


@pytest.mark.parametrize(
    "payload",
    [
        wide(3, MAX_VALUES // 5 + 1, 5),
        wide(3, MAX_VALUES + 1, 0),
        gzip.compress(b'{"boot":"b","seq":3,"samples":[' + b"[]," * MAX_VALUES + b"[]]}"),
        gzip.compress(b'{"boot":"b","seq":3,"samples":[' + b"{}," * 3 * MAX_VALUES + b"{}]}"),
        gzip.compress(
            b'{"boot":"b","seq":3,"samples":[{"time":NaN,"values":{'
            + b",".join(b'"%d":1' % n for n in range(MAX_VALUES + 1))
            + b"}}]}"
        ),
    ],
)
def test_a_message_with_too_many_values_is_quarantined_whole_and_accounted_for(payload):
    line = Line()
    (batch,) = line.take(4, raw(payload))
    assert [one.reason for one in batch.quarantined] == ["too_many_values"]
    assert len(batch.frame) == 0
    assert line.total("messages_quarantined") == 1
    assert batch.ledger[0].seen == ((3, 3),)


def test_as_many_values_as_are_allowed_are_taken():
    (batch,) = Line().take(1, raw(wide(0, MAX_VALUES // 5, 5)))
    assert len(batch.frame) == MAX_VALUES


@pytest.mark.parametrize(
    "inside",
    [
        b'{"x":[' + b"1.5," * 1_000_000 + b'1],"samples":[]}',
        b'{"samples":[{"values":{' + b'"a":1,' * 600_000,
    ],
)
def test_what_is_long_to_read_counts_although_it_has_no_values(inside):
    message = raw(gzip.compress(inside))
    assert len(Line().take(1, message, message)) == 2


def test_a_repeat_that_is_long_to_read_counts_too():
    line = Line()
    line.take(1, raw(wide(0, ENOUGH // 5, 5)))
    assert len(line.take(2, *[raw(wide(0, ENOUGH // 5, 5))] * 2)) == 2


def test_small_messages_share_a_batch():
    messages = [raw(body((n / 10, {"T1": n}), seq=n, sent=n / 10)) for n in range(500)]
    assert len(Line().take(50, *messages)) == 1


def test_names_that_no_tag_can_have_and_long_topics_are_not_remembered():
    line = Line()
    for n in range(20):
        line.say(n, (n, {f"{n}-" + "x" * 10_000: 1}))
    sender = line.intake._places.sender(1)
    assert sender is not None
    assert sum(len(name) for names in sender._layouts for name in names) < 1000
    line.take(30, *(raw(b"", topic=f"hw/v1/P1/E1/{n}{'x' * 60_000}/data") for n in range(20)))
    assert sum(map(len, line.intake._places._found)) < 10_000
    assert line.total("messages_quarantined") == 20
