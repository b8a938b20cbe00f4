"""MQTT 3.1.1 as bytes: cut anywhere, the same packets come out; what is no MQTT is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from ingest import wire
from ingest.wire import Answer, Delivery, MalformedError


def slow(data: bytes) -> list[tuple[int, bytes]]:
    """(first byte, body) of every whole packet, one byte after the other."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while True:
        size = shift = 0
        n = at + 1
        while n < len(data) and data[n] > 0x7F:
            size, shift, n = size | (data[n] & 0x7F) << shift, shift + 7, n + 1
        if n >= len(data) or n + 1 + (size := size | data[n] << shift) > len(data):
            return found
        found.append((data[at], data[n + 1 : n + 1 + size]))
        at = n + 1 + size


def told(data: bytes) -> tuple[list[Delivery], list[Answer]]:
    deliveries, answers = [], []
    for first, body in slow(data):
        if first >> 4 == wire.PUBLISH:
            end = 2 + int.from_bytes(body[:2])
            rest = end + (2 if first & wire.QOS else 0)
            deliveries.append(Delivery(first, body[2:end], body[end:rest], body[rest:]))
        else:
            answers.append(Answer(first >> 4, body))
    return deliveries, answers


PUBLISHES = st.builds(
    lambda topic, payload, qos, mid, retain: wire.publish(topic, payload, qos, mid, retain=retain),
    st.text(max_size=20),
    st.binary(max_size=300),
    st.sampled_from([0, 1]),
    st.integers(1, 0xFFFF),
    st.booleans(),
)
ANSWERS = st.sampled_from([b"\x20\x02\x01\x00", b"\x40\x02\x00\x07", b"\x90\x03\x00\x01\x80",
                           b"\xb0\x02\x00\x02", b"\xd0\x00"])  # fmt: skip


@given(st.lists(PUBLISHES | ANSWERS, max_size=12), st.lists(st.integers(1, 200), max_size=30))
def test_however_the_stream_is_cut_the_same_packets_come_out(packets, cuts):
    stream = b"".join(packets)
    deliveries: list[Delivery] = []
    answers: list[Answer] = []
    rest, at = b"", 0
    for size in [*cuts, len(stream)]:
        found = wire.split(rest + stream[at : at + size])
        deliveries += found.deliveries
        answers += found.answers
        rest = (rest + stream[at : at + size])[found.used :]
        at += size
    assert (deliveries, answers) == told(stream)
    assert rest == b""


@given(st.binary(max_size=60))
def test_no_bytes_break_it(data):
    try:
        found = wire.split(data)
    except MalformedError:
        return
    assert 0 <= found.used <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x00",
        b"\x32\x04\x00\x09to",
        b"\x34\x06\x00\x01t\x00\x01p",
        b"\x32\x03\x00\x01t",
        b"\x30\xff\xff\xff\xff\x01",
    ],
)
def test_what_is_no_mqtt_is_refused(data):
    with pytest.raises(MalformedError):
        wire.split(data)


def test_of_a_message_that_nobody_can_read_only_the_front_is_kept():
    body = wire.publish("t", b"x" * (3 * wire.LARGEST), 1, 7, retain=False)
    for have in (wire.LARGEST + 100, len(body)):
        found = wire.split(body[:have])
        [one] = found.deliveries
        assert (one.topic, one.mid, set(one.payload)) == (b"t", b"\x00\x07", {ord("x")})
        assert wire.LARGEST - 10 < len(one.payload) <= wire.LARGEST
        assert found.used + found.skip == len(body)
    assert wire.split(body[: wire.LARGEST]).deliveries == []


@given(st.lists(PUBLISHES, max_size=6))
def test_paho_reads_the_same(packets):
    heard: list[MQTTMessage] = []
    paho: Any = Client(CallbackAPIVersion.VERSION2)
    paho.on_message = lambda _client, _data, message: heard.append(message)
    paho._packet_queue = lambda *_: None
    stream = b"".join(packets)
    paho._sock_recv = Reader(stream)
    while paho._sock_recv.left:
        paho._packet_read()
    ours = wire.split(stream).deliveries
    assert [(m._topic, m.payload, m.retain) for m in heard] == [
        (one.topic, one.payload, bool(one.first & wire.RETAIN)) for one in ours if one.topic
    ]


class Reader:
    """A socket that has these bytes."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def __call__(self, size: int) -> bytes:
        out, self.left = self.left[:size], self.left[size:]
        return out


def test_acknowledgements_of_a_reading_are_one_write():
    assert wire.acknowledged([b"\x00\x01", b"\x01\x02"]) == b"\x40\x02\x00\x01\x40\x02\x01\x02"
    assert wire.acknowledged([]) == b""


def test_connect_says_who_and_for_how_long():
    assert wire.connect("me", None, None, 30, clean=False) == (
        b"\x10\x0e\x00\x04MQTT\x04\x00\x00\x1e\x00\x02me"
    )
    assert wire.connect("me", "u", "p", 30, clean=True) == (
        b"\x10\x14\x00\x04MQTT\x04\xc2\x00\x1e\x00\x02me\x00\x01u\x00\x01p"
    )


@given(st.integers(0, 300_000))
def test_lengths_are_as_long_as_they_need(size):
    made = wire.packet(0x30, b"x" * size)
    assert slow(made) == [(0x30, b"x" * size)]


def test_what_is_too_large_and_no_message_is_malformed():
    huge = wire.packet(0x90, bytes(wire.LARGEST + 100))
    with pytest.raises(MalformedError):
        wire.split(huge[:-10])
