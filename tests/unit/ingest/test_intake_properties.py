"""What holds of intake whatever comes in."""

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instant import SECOND
from ingest.batch import Count, Raw
from ingest.intake import Intake
from ingest.ledger import Receipts
from storage.entry import Entry, Spooled, decode, encode
from tests.support.builders import registry, tag
from tests.support.gateway_line import (
    DATA,
    Line,
    body,
    frames_are_sorted,
    judged_rises,
    plant,
    raw,
    same_samples,
    us,
)

often = settings(max_examples=60)

VALUES = st.dictionaries(
    st.sampled_from(["T1", "T2", "T3", "T4", "X"]),
    st.none() | st.integers(-5, 5) | st.just("high") | st.just({"value": 1, "unit": "ft"}),
    max_size=4,
)


@st.composite
def sound_traffic(draw: st.DrawFn) -> list[Raw]:
    """Messages of a sound clock in order of sending; some of their samples are late."""
    messages = []
    for seq in range(draw(st.integers(1, 12))):
        times = draw(st.lists(st.integers(-15, 0), min_size=1, max_size=3, unique=True))
        # Of no two messages the newest time is the same: that would be a question to the clock.
        samples = [(seq + time + seq / 1000, draw(VALUES)) for time in times]
        messages.append(raw(body(*samples, seq=seq, sent=float(seq)), handle=seq))
    return messages


@st.composite
def any_traffic(draw: st.DrawFn) -> list[tuple[float, list[Raw]]]:
    """Calls of `take`: (seconds, messages) with clocks and bodies of every kind."""
    calls, now = [], 0.0
    seconds = st.sampled_from([-28800.0, -100.0, -30.0, -1.0, 0.0, 0.0, 0.5, 30.0, 100.0, 28800.0])
    for _ in range(draw(st.integers(1, 6))):
        now += draw(st.sampled_from([0.0, 0.001, 1.0, 61.0]))
        messages = []
        for _ in range(draw(st.integers(0, 5))):
            base = draw(st.sampled_from([now, 0.0])) + draw(seconds)
            steps = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
            head: dict[str, Any] = {}
            if draw(st.booleans()):
                head["seq"] = draw(st.integers(0, 12))
            if draw(st.booleans()):
                head["sent"] = base + draw(st.sampled_from([0.0, 1.0, 90.0]))
            if draw(st.booleans()) and draw(st.booleans()):
                head["historical"] = True
            payload = body(*((base + step, draw(VALUES)) for step in steps), **head)
            if draw(st.integers(0, 9)) == 0:
                payload = payload[:-7]
            messages.append(raw(payload, redelivered=draw(st.booleans())))
        calls.append((now, messages))
    return calls


def taken(calls: list[tuple[float, list[Raw]]]) -> Line:
    line = Line()
    for now, messages in calls:
        line.take(now, *messages)
    return line


@often
@given(any_traffic())
def test_messages_and_values_are_accounted_for_whole(calls):
    line = taken(calls)
    sent = [message for _, messages in calls for message in messages]
    assert line.total("messages_received") == len(sent)
    assert len(sent) == (
        line.total("messages_decoded")
        + line.total("messages_repeated")
        + line.total("messages_quarantined")
    )
    rows = sum(len(batch.frame) for batch in line.batches)
    assert line.total("values_decoded") == rows + line.total("values_quarantined")
    kept = [one for batch in line.batches for one in batch.quarantined]
    assert sum(one.tag is not None for one in kept) == line.total("values_quarantined")
    assert line.total("messages_redelivered") >= line.total("messages_repeated")
    assert sum(len(batch.handles) for batch in line.batches) == len(sent)


@often
@given(any_traffic())
def test_evaluation_times_rise_and_nothing_is_stored_ahead(calls):
    line = taken(calls)
    assert judged_rises(line.batches)
    assert frames_are_sorted(line.batches)
    stamps = [batch.frame.received for batch in line.batches]
    assert stamps == sorted(set(stamps))
    for batch in line.batches:
        assert (batch.frame.time <= batch.frame.received + 60 * SECOND).all()
        assert len(batch.frame) == len(batch.gateway_of)


@often
@given(any_traffic())
def test_stored_rows_are_judged_again_at_the_same_times(calls):
    line, again = taken(calls), Intake(plant())
    for batch in line.batches:
        live = batch.frame.judged()
        rebuilt = again.judged_again(live.take(np.arange(len(live))[::-1]))
        assert rebuilt.tag.tolist() == live.tag.tolist()
        assert rebuilt.at.tolist() == live.at.tolist()


@often
@given(sound_traffic(), st.data())
def test_the_same_samples_come_out_however_messages_are_handed_over(messages, data):
    whole = Line()
    whole.take(12.0, *messages)
    cut = Line()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(messages)), max_size=4)))
    for begin, end in zip([0, *cuts], [*cuts, len(messages)], strict=True):
        cut.take(12.0, *messages[begin:end])
    assert same_samples(whole.batches, cut.batches)
    for name in Count.__slots__:
        assert whole.total(name) == cut.total(name)


@often
@given(sound_traffic(), st.data())
def test_redelivery_of_any_part_anywhere_changes_nothing_but_the_repeats(messages, data):
    plain = Line()
    for message in messages:
        plain.take(12.0, message)
    disturbed = Line()
    repeats = 0
    for place, message in enumerate(messages):
        disturbed.take(12.0, message)
        first = data.draw(st.integers(0, place + 1))
        again = messages[first : data.draw(st.integers(first, place + 1))]
        disturbed.take(12.0, *(raw(one.payload, redelivered=True) for one in again))
        repeats += len(again)
    assert same_samples(plain.batches, disturbed.batches)
    assert [b.dirty for b in plain.batches if b.dirty] == [
        b.dirty for b in disturbed.batches if b.dirty
    ]
    for name in ("messages_decoded", "messages_quarantined", "values_decoded"):
        assert plain.total(name) == disturbed.total(name)
    assert disturbed.total("messages_repeated") == repeats
    assert disturbed.total("messages_redelivered") == repeats
    assert disturbed.total("messages_received") == len(messages) + repeats


@often
@given(sound_traffic(), st.data())
def test_after_a_crash_nothing_is_taken_twice_and_nothing_is_missed(messages, data):
    whole = Line()
    whole.take(12.0, *messages)
    first = Line()
    safe = data.draw(st.integers(0, len(messages)))
    first.take(12.0, *messages[:safe])
    known = [delta for batch in first.batches for delta in batch.ledger]
    second = Line(Intake(plant(), known))
    for batch in first.batches:
        second.intake.judged_again(batch.frame)
    second.take(13.0, *messages)
    assert same_samples(whole.batches, [*first.batches, *second.batches])
    assert second.total("messages_repeated") == safe
    receipts = Receipts()
    for batch in [*first.batches, *second.batches]:
        receipts.durable(batch.ledger)
    assert receipts.moved() == {1: ("b", len(messages) - 1)}


@often
@given(st.lists(st.tuples(st.text(max_size=30) | st.just(DATA), st.binary(max_size=60))))
def test_no_message_breaks_intake(said):
    line = Line()
    line.take(0.0, *(raw(payload, topic) for topic, payload in said))
    assert line.total("messages_received") == len(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
REPORT = st.dictionaries(
    st.sampled_from(["id", "time", "tag", "kind", "active", "online", "boot", "x"]),
    JSON | st.just("T1") | st.just(us(0) // 1000) | st.booleans(),
)


@often
@given(st.lists(st.tuples(st.sampled_from(["state", "alarm"]), REPORT)))
def test_every_report_is_taken_or_quarantined(said):
    line = Line()
    messages = [
        raw(json.dumps(told).encode(), f"hw/v1/P1/E1/G1/{channel}") for channel, told in said
    ]
    batches = line.take(0.0, *messages)
    kept = sum(len(b.states) + len(b.plant_alarms) + len(b.quarantined) for b in batches)
    assert kept == len(said)


ODD = st.text(st.sampled_from("\ud800\udfff\x00aT1"), max_size=4)
ODD_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD | st.just(us(0) // 1000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=6,
)
NAMES = ["boot", "seq", "oldest", "sent", "samples", "time", "values", "value", "quality", "unit"]
NAMES += ["id", "tag", "kind", "active", "online"]
OBJECT = st.dictionaries(st.sampled_from(NAMES) | ODD, ODD_JSON, max_size=6)
SAMPLE = st.fixed_dictionaries(
    {"time": ODD | st.just(us(0) // 1000), "values": st.dictionaries(ODD | st.just("T1"), ODD_JSON)}
)
DATA_BODY = st.fixed_dictionaries(
    {"samples": st.lists(SAMPLE, max_size=3)}, optional={"boot": ODD, "seq": st.integers(-1, 5)}
)
ALARM_BODY = st.fixed_dictionaries(
    {"id": ODD, "tag": ODD, "kind": ODD, "active": st.just(True), "time": st.just(us(0) // 1000)},
    optional={"x": ODD_JSON},
)
STATE_BODY = st.fixed_dictionaries({"online": st.just(True), "boot": ODD})
PAYLOAD = st.binary(max_size=40) | (OBJECT | DATA_BODY | ALARM_BODY | STATE_BODY).map(
    lambda told: json.dumps(told).encode()
)
TOPIC = st.sampled_from(["data", "state", "alarm"]).map(lambda last: f"hw/v1/P1/E1/G1/{last}")


@settings(max_examples=300)
@given(st.lists(st.tuples(TOPIC | ODD, PAYLOAD), min_size=1, max_size=6))
def test_whatever_came_the_spool_can_write_it_down(said):
    for batch in Line().take(0.0, *(raw(payload, topic) for topic, payload in said)):
        spooled = decode(encode(Spooled(1, Entry(1, batch=batch))))
        assert spooled.entry.batch is not None
        assert spooled.entry.batch.quarantined == batch.quarantined
        assert spooled.entry.batch.states == batch.states


def test_a_name_that_is_no_text_never_means_a_registered_tag():
    named = registry(tag(1, "T\ufffd"))
    told = {"samples": [{"time": us(0) // 1000, "values": {"T\ud800": 1}}]}
    (batch,) = Line(Intake(named)).take(0, raw(json.dumps(told).encode()))
    assert [(one.reason, one.tag) for one in batch.quarantined] == [("unknown_tag", "T\ufffd")]
