import json
import math

import numpy as np
import pytest

from domain.frame import Flag
from domain.plant import Gateway
from domain.quality import Quality
from ingest.batch import LedgerDelta
from ingest.intake import Intake
from tests.support.builders import ENTERPRISE, START, at, registry, tag
from tests.support.gateway_line import DATA, Line, body, plant, raw, rows, us, written


def test_samples_become_a_frame_sorted_by_tag_under_one_stamp():
    line = Line()
    batches = line.take(
        10,
        raw(body((9.0, {"T2": 2, "T1": 1}), seq=0), handle="a"),
        raw(body((9.5, {"T1": 1.5}), (9.6, {"T1": 1.6}), seq=1), handle="b"),
    )
    (batch,) = batches
    assert batch.frame.received == us(10)
    assert rows(batch) == [
        (1, 9.0, 9.0, 1.0, Flag.NONE),
        (1, 9.5, 9.5, 1.5, Flag.NONE),
        (1, 9.6, 9.6, 1.6, Flag.NONE),
        (2, 9.0, 9.0, 2.0, Flag.NONE),
    ]
    assert batch.gateway_of.tolist() == [1, 1, 1, 1]
    assert batch.handles == ("a", "b")
    assert batch.ledger == (LedgerDelta(1, "b", ((0, 1),), 0, 0, us(9.6)),)
    assert (batch.quarantined, batch.dirty, batch.clocks) == ((), (), ())


def test_nothing_taken_makes_no_batch():
    assert Line().take(0) == []


def test_values_of_two_gateways_are_told_apart():
    line = Line()
    (batch,) = line.take(
        1,
        raw(body((1.0, {"T2": 1}), seq=0)),
        raw(body((1.0, {"T1": 2}), seq=0), topic="hw/v1/P1/E1/G2/data"),
    )
    assert batch.frame.tag.tolist() == [1, 2]
    assert batch.gateway_of.tolist() == [2, 1]
    assert {delta.gateway for delta in batch.ledger} == {1, 2}


def test_null_is_stored_with_quality_bad_and_never_as_zero():
    batch = Line().say(1, (1.0, {"T1": None, "T2": 0}))
    assert math.isnan(batch.frame.value[0])
    assert batch.frame.value[1] == 0.0
    assert batch.frame.quality.tolist() == [Quality.BAD, Quality.GOOD]


@pytest.mark.parametrize(
    ("said", "quality"),
    [
        (102.0, Quality.GOOD),
        (102.01, Quality.OVER_RANGE),
        (-2.0, Quality.GOOD),
        (-2.01, Quality.UNDER_RANGE),
        ({"value": 500, "quality": "bad"}, Quality.BAD),
        ({"value": 500, "quality": 216}, Quality.OVER_RANGE),
        ({"value": 500, "quality": "simulated"}, Quality.SIMULATED),
        (None, Quality.BAD),
    ],
)
def test_a_good_value_beyond_the_range_by_2_percent_is_out_of_range_and_keeps_its_value(
    said, quality
):
    batch = Line().say(1, (1.0, {"T1": said}))
    assert batch.frame.quality.tolist() == [quality]
    if isinstance(said, float):
        assert batch.frame.value.tolist() == [said]


def test_a_tag_without_a_range_is_never_out_of_it():
    line = Line(Intake(registry(tag(1, "T1", range=None))))
    assert line.say(1, (1.0, {"T1": 1e300})).frame.quality.tolist() == [Quality.GOOD]


def test_a_unit_is_checked_against_the_registered_one():
    line = Line()
    values = {"T1": {"value": 1, "unit": "m"}, "T2": {"value": 2, "unit": "kg"}, "T3": 3}
    batch = line.say(1, (1.0, values))
    assert batch.frame.tag.tolist() == [1, 3]
    (refused,) = batch.quarantined
    assert (refused.tag, refused.reason) == ("T2", "unit_mismatch")
    assert "'kg'" in refused.detail
    assert "'m'" in refused.detail
    assert (line.total("values_decoded"), line.total("values_quarantined")) == (3, 1)


def test_values_of_unknown_tags_are_quarantined_one_by_one():
    line = Line()
    batch = line.say(1, (1.0, {"T1": 1, "X": 2.5, "Y": None}))
    assert batch.frame.tag.tolist() == [1]
    assert [(one.tag, one.reason, one.time) for one in batch.quarantined] == [
        ("X", "unknown_tag", "2026-11-21T08:00:01Z"),
        ("Y", "unknown_tag", "2026-11-21T08:00:01Z"),
    ]
    assert batch.quarantined[0].payload == b"2.5"
    assert (line.total("values_decoded"), line.total("values_quarantined")) == (3, 2)
    assert line.total("messages_decoded") == 1


def test_a_tag_registered_later_is_known_from_then_on():
    line = Line(Intake(registry(tag(1, "T1"))))
    line.say(1, (1.0, {"T1": 1, "T9": 1}))
    line.intake.update_registry(registry(tag(1, "T1"), tag(9, "T9")))
    assert line.say(2, (2.0, {"T1": 1, "T9": 1})).frame.tag.tolist() == [1, 9]


def test_a_new_registry_keeps_what_is_known_of_gateways_and_tags():
    line = Line()
    line.say(1, (1.0, {"T1": 1}), seq=0)
    line.intake.update_registry(plant())
    line.say(2, (1.0, {"T1": 1}), seq=0)
    assert line.total("messages_repeated") == 1


def test_a_new_version_of_a_tag_takes_over_its_name():
    old, new = tag(1, "T1"), tag(7, "T1", version=2, unit="cm")
    assert Line(Intake(registry(new, old))).say(1, (1.0, {"T1": 1})).frame.tag.tolist() == [7]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (DATA, b"{", "malformed"),
        (DATA, b"[]", "not_an_object"),
        (DATA, b"{}", "no_samples"),
        (DATA, b" " * (1024 * 1024 + 1), "too_large"),
        ("hw/v1/P1/E9/G1/data", body((1.0, {"T1": 1})), "unknown_enterprise"),
        ("hw/v1/P9/E1/G1/data", body((1.0, {"T1": 1})), "unknown_enterprise"),
        ("hw/v1/P1/E1/G9/data", body((1.0, {"T1": 1})), "unknown_gateway"),
        ("hw/v1/P1/E1/data", body((1.0, {"T1": 1})), "bad_topic"),
    ],
)
def test_a_message_that_can_not_be_taken_is_kept_and_counted_whole(topic, payload, reason):
    line = Line()
    (batch,) = line.take(1, raw(payload, topic, handle="h"))
    (kept,) = batch.quarantined
    assert (kept.reason, kept.topic, kept.size) == (reason, topic, len(payload))
    assert kept.payload == payload[: 64 * 1024]
    assert kept.detail
    assert (line.total("messages_received"), line.total("messages_quarantined")) == (1, 1)
    assert line.total("values_decoded") == 0
    assert batch.handles == ("h",)
    assert (1 in batch.counts) == (topic == DATA)


def test_a_quarantined_message_of_an_unknown_gateway_is_filed_under_its_enterprise():
    (batch,) = Line().take(1, raw(b"x", "hw/v1/P1/E1/G9/data"))
    assert (batch.quarantined[0].gateway, batch.quarantined[0].enterprise) == (None, ENTERPRISE)
    assert list(batch.counts) == [0]


def test_the_same_trouble_has_the_same_id_and_another_has_another():
    def ids(payload: bytes) -> list[object]:
        (batch,) = Line().take(1, raw(payload))
        return [one.id for one in batch.quarantined]

    bad = body((1.0, {"X": 1, "Y": 2}), seq=0)
    assert ids(bad) == ids(bad)
    assert len({*ids(bad), *ids(body((2.0, {"X": 1}), seq=0)), *ids(b"{")}) == 4


def test_a_retained_data_message_is_no_news():
    line = Line()
    (batch,) = line.take(1, raw(body((1.0, {"T1": 1}), seq=0), retained=True))
    assert [one.reason for one in batch.quarantined] == ["retained"]
    assert len(batch.frame) == 0
    assert batch.ledger == ()
    line.say(2, (1.0, {"T1": 1}), seq=0)
    assert line.total("messages_decoded") == 1


def test_a_retained_copy_of_a_message_that_came_is_a_repeat():
    line = Line()
    line.say(1, (1.0, {"T1": 1}), seq=0)
    line.take(2, raw(body((1.0, {"T1": 1}), seq=0), retained=True))
    assert line.total("messages_repeated") == 1


def test_a_member_of_the_head_that_makes_no_sense_is_kept_but_is_neither_message_nor_value():
    line = Line()
    batch = line.say(1, (1.0, {"T1": 1}), seq="one")
    assert len(batch.frame) == 1
    assert [(one.reason, one.tag) for one in batch.quarantined] == [("bad_member", None)]
    assert batch.ledger == ()
    assert (line.total("messages_quarantined"), line.total("values_quarantined")) == (0, 0)


def test_members_that_nobody_knows_are_counted():
    line = Line()
    line.say(1, (1.0, {"T1": 1}), vendor="x")
    assert line.intake.unknown_members == 1


def test_a_repeated_message_is_counted_and_acknowledged_and_nothing_else():
    line = Line()
    line.say(1, (1.0, {"T1": 1}), seq=0)
    (again,) = line.take(2, raw(body((1.0, {"T1": 1}), seq=0), handle="h", redelivered=True))
    assert len(again.frame) == 0
    assert again.ledger == ()
    assert again.handles == ("h",)
    count = again.counts[1]
    assert (count.messages_received, count.messages_repeated, count.messages_redelivered) == (
        1,
        1,
        1,
    )
    assert (count.messages_decoded, count.values_decoded) == (0, 0)


def test_a_repeat_is_known_from_the_ledger_of_an_earlier_process():
    known = LedgerDelta(1, "b", ((0, 4),), 0, 0, us(1.0))
    line = Line(Intake(plant(), [known]))
    line.say(2, (1.0, {"T1": 1}), seq=4)
    assert line.total("messages_repeated") == 1
    line.say(2, (2.0, {"T1": 1}), seq=5)
    assert line.total("messages_decoded") == 1
    assert line.batches[-1].ledger[0].seen == ((5, 5),)


def test_a_repeat_may_tell_that_the_gateway_holds_less():
    line = Line()
    line.say(1, (1.0, {"T1": 1}), seq=5)
    batch = line.say(2, (1.0, {"T1": 1}), seq=5, oldest=5)
    assert batch.ledger[0].oldest == 5


def test_a_known_seq_that_is_newer_than_all_means_that_the_boot_was_reused():
    line = Line()
    for n in range(3):
        line.say(n, (float(n), {"T1": n}), seq=n)
    first = line.say(10, (10.0, {"T1": 7}), seq=0)
    assert [(one.what, one.gateway) for one in first.clocks] == [("boot_reused", 1)]
    assert rows(first) == [(1, 10.0, 10.0, 7.0, Flag.NONE)]
    second = line.say(11, (11.0, {"T1": 8}), seq=1)
    assert second.clocks == ()
    assert len(second.frame) == 1
    assert line.total("messages_repeated") == 0


def test_a_quarantined_message_that_tells_its_number_is_in_the_ledger():
    line = Line()
    (batch,) = line.take(1, raw(b'{"boot":"b","seq":3,"samples":[{'))
    assert batch.ledger == (LedgerDelta(1, "b", ((3, 3),), 3, 0, None),)
    line.take(2, raw(b'{"boot":"b","seq":3,"samples":[{'))
    assert (line.total("messages_quarantined"), line.total("messages_repeated")) == (1, 1)


def test_a_gap_in_seq_stays_a_gap():
    line = Line()
    messages = [raw(body((float(n), {"T1": n}), seq=n)) for n in (0, 1, 4, 5, 2)]
    (batch,) = line.take(6, *messages)
    assert batch.ledger[0].seen == ((0, 2), (4, 5))


def test_too_many_gaps_are_complained_of_at_most_once_a_minute():
    line = Line()
    received = [n / 10 for n in range(2000)]
    said = [
        (now, one.what)
        for n, now in enumerate(received)
        for one in line.say(now, (now, {"T1": n}), sent=now, seq=2 * n).clocks
    ]
    assert said == [(100.0, "gaps"), (160.0, "gaps")]
    assert "receipts stand at 0" in line.batches[1000].clocks[0].text


def test_a_message_without_seq_that_the_broker_sends_again_is_redelivered_and_a_duplicate():
    line = Line()
    payload = body((1.0, {"T1": 1}))
    line.take(1, raw(payload))
    (again,) = line.take(2, raw(payload, redelivered=True))
    count = again.counts[1]
    assert (count.messages_decoded, count.messages_redelivered) == (1, 1)
    assert rows(again) == [(1, 1.0, 1.0, 1.0, Flag.HISTORY)]
    assert again.dirty == ()


def test_a_message_without_seq_marked_as_sent_again_that_never_came_is_ordinary():
    line = Line()
    (batch,) = line.take(1, raw(body((1.0, {"T1": 1})), redelivered=True))
    assert rows(batch) == [(1, 1.0, 1.0, 1.0, Flag.NONE)]
    assert line.total("messages_redelivered") == 0


def test_of_one_time_in_one_message_the_first_stands():
    batch = Line().say(1, (1.0, {"T1": 1, "T2": 1}), (1.0, {"T1": 2}))
    assert rows(batch) == [
        (1, 1.0, 1.0, 1.0, Flag.NONE),
        (1, 1.0, 1.0, 2.0, Flag.HISTORY),
        (2, 1.0, 1.0, 1.0, Flag.NONE),
    ]


def test_a_state_is_what_a_gateway_says():
    line = Line()
    told = {"online": True, "time": written(0.5), "boot": "b"}
    (batch,) = line.take(1, raw(json.dumps(told).encode(), "hw/v1/P1/E1/G1/state"))
    (said,) = batch.states
    assert (said.gateway, said.online, said.boot, said.received) == (1, True, "b", us(1))
    assert said.said_at == at(0.5)
    assert batch.counts == {}


def test_a_retained_state_is_as_old_as_it_says():
    told = {"online": True, "time": written(-7200)}
    message = raw(json.dumps(told).encode(), "hw/v1/P1/E1/G1/state", retained=True)
    (batch,) = Line().take(1, message)
    assert batch.states[0].received == us(-7200)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"online":1}',
        b'{"online":true,"time":"x"}',
        b'{"online":true,"boot":1}',
    ],
)
def test_a_state_that_says_nothing_is_quarantined_and_not_counted_as_data(payload):
    line = Line()
    (batch,) = line.take(1, raw(payload, "hw/v1/P1/E1/G1/state"))
    assert (len(batch.states), len(batch.quarantined)) == (0, 1)
    assert line.total("messages_received") == 0


def test_a_plants_own_alarm_is_kept_as_it_came():
    told = {"id": "a1", "time": written(0), "tag": "T1", "kind": "H", "active": True, "limit": 9}
    message = raw(json.dumps(told).encode(), "hw/v1/P1/E1/G1/alarm")
    (batch,) = Line().take(1, message)
    (alarm,) = batch.plant_alarms
    assert (alarm.gateway, alarm.id, alarm.tag, alarm.kind) == (1, "a1", "T1", "H")
    assert (alarm.active, alarm.time, alarm.received) == (True, START, us(1))
    assert alarm.body == told


@pytest.mark.parametrize(
    "change",
    [{"id": ""}, {"id": None}, {"tag": 5}, {"kind": "x" * 129}, {"active": "yes"}, {"time": None}],
)
def test_a_plants_alarm_that_lacks_something_is_quarantined(change):
    told = {"id": "a1", "time": written(0), "tag": "T1", "kind": "H", "active": True} | change
    (batch,) = Line().take(1, raw(json.dumps(told).encode(), "hw/v1/P1/E1/G1/alarm"))
    assert batch.plant_alarms == ()
    assert [one.reason for one in batch.quarantined] == ["bad_alarm"]


def test_the_body_of_an_alarm_can_be_kept_whatever_is_in_it():
    payload = (
        b'{"id":"a","time":%d,"tag":"T1","kind":"H","active":false,"value":1e999,"x":NaN,"y":'
        % (us(0) // 1000)
    ) + b"9" * 500
    (batch,) = Line().take(1, raw(payload + b"}", "hw/v1/P1/E1/G1/alarm"))
    assert batch.plant_alarms[0].body["x"] is None
    assert json.dumps(batch.plant_alarms[0].body)
    deep = raw(b"[" * 5000, "hw/v1/P1/E1/G1/alarm")
    assert Line().take(1, deep)[0].quarantined[0].reason == "malformed"


def test_a_gateway_that_joins_the_registry_is_heard():
    line = Line(Intake(registry(tag(1, "T1"))))
    topic = "hw/v1/P1/E1/G2/data"
    (before,) = line.take(1, raw(body((1.0, {"T1": 1}), seq=0), topic))
    assert [one.reason for one in before.quarantined] == ["unknown_gateway"]
    joined = registry(tag(1, "T1"), gateways=[Gateway(2, ENTERPRISE, "P1", "E1", "G2")])
    line.intake.update_registry(joined)
    (after,) = line.take(2, raw(body((2.0, {"T1": 1}), seq=1), topic))
    assert after.gateway_of.tolist() == [2]


def test_layouts_are_learnt_anew_when_there_are_too_many():
    line = Line()
    for n in range(1500):
        line.say(float(n), (float(n), {"T1": n, f"X{n}": 1}))
    assert np.concatenate([batch.frame.tag for batch in line.batches]).tolist() == [1] * 1500


def test_a_retained_alarm_is_no_news():
    told = {"id": "1", "time": written(0), "tag": "T1", "kind": "H", "active": True}
    topic = DATA.replace("data", "alarm")
    line = Line()
    line.take(
        1,
        raw(json.dumps(told).encode(), topic),
        raw(json.dumps(told).encode(), topic, retained=True),
    )
    assert len(line.batches[-1].plant_alarms) == 1
    assert [one.reason for one in line.batches[-1].quarantined] == ["retained"]
