"""MQTT packets of a load, held against paho's and against any cutting of the stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.swarm_packets import connect, publish, published, split, subscribe, text

packets_in = st.lists(
    st.tuples(st.sampled_from([2, 3, 4, 9]), st.binary(max_size=400)), min_size=1, max_size=8
)


def framed(kind: int, body: bytes) -> bytes:
    """As a broker writes it: length in sevens, lowest first."""
    size, length = len(body), bytearray()
    while True:
        size, seven = divmod(size, 128)
        length.append(seven | (0x80 if size else 0))
        if not size:
            return bytes((kind << 4,)) + bytes(length) + body


@given(packets_in, st.lists(st.integers(0, 4000), max_size=6))
def test_packets_come_out_whole_however_the_stream_is_cut(packets, cuts):
    stream = b"".join(framed(kind, body) for kind, body in packets)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    buffer, found = bytearray(), []
    for left, right in pairwise(edges):
        buffer += stream[left:right]
        found += list(split(buffer))
    assert found == packets
    assert buffer == b""


@pytest.mark.parametrize("size", [0, 1, 110, 127, 128, 16_370, 16_384, 1_048_576])
def test_a_message_of_any_size_is_framed_as_the_standard_says(size):
    packet = publish(text("a/b"), 0x1234, b"x" * size)
    assert packet == framed(3, b"\x00\x03a/b\x12\x34" + b"x" * size).replace(b"\x30", b"\x32", 1)


def test_connect_carries_name_user_and_password_and_a_clean_session():
    body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"\x00\x01c" + b"\x00\x01u" + b"\x00\x02pw"
    assert connect("c", "u", "pw") == framed(1, body)
    assert connect("c", None, None) == framed(1, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x01c")


def test_subscribe_asks_for_one_topic_at_qos_0():
    assert subscribe("t")[1:] == framed(8, b"\x00\x01\x00\x01t\x00")[1:]
    assert subscribe("t")[0] == 0x82, "its reserved bits are 0010"


def test_the_payload_of_a_receipt_stands_behind_its_topic():
    assert published(text("hw/v1/p/e/g/receipt") + b"{}") == b"{}"
