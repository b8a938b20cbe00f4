"""The identities of the wire profile, over everything that can become of a message and a value."""

import json
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frame import CODE_SHIFT, Flag
from ingest.batch import Batch, Raw
from tests.support.gateway_line import Line, body, raw

VALUE = st.sampled_from(
    [0, 1.5, 50, True, None, 200, -9999, 32767, 1e20, "high", [1]]
    + [{"value": 150, "unit": "cm"}, {"value": 1.5, "unit": "m"}, {"value": -9999, "unit": "mm"}]
    + [{"value": 3, "unit": "kPa"}, {"value": 3, "unit": "furlong"}, {"value": 3, "unit": 7}]
    + [{"value": 1.7e308, "unit": "km"}, {"value": None, "unit": "furlong"}, {"value": 5}]
    + [{"value": 1, "quality": quality} for quality in ("bad", "calibration", 216, 256, "odd")]
)
VALUES = st.dictionaries(st.sampled_from(["T1", "T2", "T3", "X"]), VALUE, max_size=4)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[list[list[Raw]], int]:
    """Calls of `take`, and how many messages were published: what is sent again is the same one."""
    calls: list[list[Raw]] = []
    sent: list[Raw] = []
    published = 0
    for number in range(draw(st.integers(1, 12))):
        messages = []
        for part in range(draw(st.integers(0, 3))):
            base = float(number) + part / 10
            back = draw(st.sampled_from([0.0, 0.0, 0.0, -20.0, -4000.0, -28800.0]))
            times = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
            head: dict[str, Any] = {"historical": draw(st.booleans())} if back < -100 else {}
            if draw(st.integers(0, 3)):
                head |= {"seq": 10 * number + part, "sent": base}
            # what tells one unnumbered message from another
            payload = body(
                *((base + back + t, draw(VALUES)) for t in times), **head, note=published
            )
            if "seq" in head and draw(st.integers(0, 7)) == 0:
                payload = payload[:-9]
            topic = f"hw/v1/P1/E1/{draw(st.sampled_from(['G1', 'G1', 'G1', 'G2']))}/data"
            messages.append(raw(payload, topic))
            published += 1
        again = draw(st.lists(st.sampled_from(sent), max_size=2)) if sent else []
        messages += [raw(one.payload, one.topic, redelivered=True) for one in again]
        sent += [one for one in messages if not one.redelivered]
        calls.append(messages)
    return calls, published


class Store:
    """What a database keeps of frames: the first value of a tag and time, by a slow loop."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], float] = {}
        self.fates: Counter[str] = Counter()

    def take(self, batch: Batch) -> None:
        frame = batch.frame
        for tag, time, value in zip(
            frame.tag.tolist(), frame.time.tolist(), frame.value, strict=True
        ):
            standing = self.rows.setdefault((tag, time), value)
            if standing is value:
                self.fates["stored"] += 1
            else:
                same = standing == value or (np.isnan(standing) and np.isnan(value))
                self.fates["duplicate" if same else "conflict"] += 1


def values_of(payload: bytes) -> int:
    """Values in a body; none in one that is broken off."""
    try:
        return sum(len(sample["values"]) for sample in json.loads(payload)["samples"])
    except ValueError:
        return 0


def numbered_again(message: Raw) -> bool:
    return message.redelivered and b'"seq"' in message.payload


@settings(max_examples=150)
@given(traffic())
def test_every_message_and_every_value_has_one_fate(case):
    calls, published = case
    line, store = Line(), Store()
    for number, messages in enumerate(calls):
        line.take(float(number) + 0.5, *messages)
    for batch in line.batches:
        store.take(batch)
    total = line.total
    received = sum(len(messages) for messages in calls)
    assert total("messages_received") == received
    assert received == (
        total("messages_decoded") + total("messages_repeated") + total("messages_quarantined")
    )
    assert published == received - total("messages_redelivered")
    # what a broker sends again without a number is read again
    read = [one for one in (raw for call in calls for raw in call) if not numbered_again(one)]
    assert total("values_decoded") == sum(values_of(one.payload) for one in read)
    assert total("values_decoded") == (
        store.fates["stored"]
        + store.fates["duplicate"]
        + store.fates["conflict"]
        + total("values_quarantined")
    )
    quarantined = [one for batch in line.batches for one in batch.quarantined]
    assert sum(one.tag is not None for one in quarantined) == total("values_quarantined")


@settings(max_examples=100)
@given(traffic())
def test_what_is_converted_or_means_no_value_is_marked_and_nothing_else_is(case):
    line = Line()
    for number, messages in enumerate(case[0]):
        for batch in line.take(float(number) + 0.5, *messages):
            frame = batch.frame
            denied = (frame.flags & Flag.SENTINEL) != 0
            assert np.isnan(frame.value[denied]).all()
            assert (frame.quality[denied] < 64).all()
            assert not np.isin(frame.value, [-9999, 32767, 1e20, -9.999, np.inf]).any()
            converted = (frame.flags >> CODE_SHIFT > 0) & ~denied
            assert np.isin(frame.value[converted], [1.5, np.nan]).all()
