"""The packets of MQTT 3.1.1 that one takes who reads at QoS 1 and publishes (OASIS standard,
chapters 2 and 3). Pure.

paho reads a packet byte by byte, 35 µs of a core for each; these take about 1.
"""

from collections.abc import Sequence
from struct import pack
from typing import NamedTuple

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 9, 11, 13
"""Types of packets that a broker sends."""
DUP, RETAIN, QOS = 0x08, 0x01, 0x06
"""Bits in the first byte of a PUBLISH."""
LARGEST = 2 * 2**20
"""Bytes after which the rest of a PUBLISH is not kept. Intake refuses what is half as large, so
nothing is lost of a message that could be read."""
PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
ACKNOWLEDGE = b"\x40\x02"
"""PUBACK before its message id."""
REFUSED = 0x80
"""From here on a code in SUBACK says no."""
MANY = 10
"""Of so many topics nobody would list the refused ones in an error."""

SAID = {
    1: "it does not speak MQTT 3.1.1",
    2: "it refuses our client id",
    3: "it is not available",
    4: "bad user name or password",
    5: "we are not authorised",
}
"""Codes of CONNACK (3.2.2.3)."""


class MalformedError(Exception):
    """What came is not MQTT 3.1.1."""


class Delivery(NamedTuple):
    """A PUBLISH. first: its first byte with `DUP` and `RETAIN`; mid: its message id, two bytes, or
    none at QoS 0."""

    first: int
    topic: bytes
    mid: bytes
    payload: bytes


class Answer(NamedTuple):
    """Any other packet: its type, and what follows its fixed header."""

    kind: int
    body: bytes


class Split(NamedTuple):
    """What a piece of the stream held. used: bytes of whole packets; skip: bytes of the rest of a
    too large one, which may not have come yet."""

    deliveries: list[Delivery]
    answers: list[Answer]
    used: int
    skip: int = 0


def split(data: bytes) -> Split:
    """The packets at the front of `data`; raises `MalformedError`."""
    deliveries: list[Delivery] = []
    answers: list[Answer] = []
    at, end = 0, len(data)
    while at + 2 <= end:
        first, size, body = data[at], data[at + 1], at + 2
        if size > 0x7F:
            size, body = _size(data, at + 1)
            if size < 0:
                break
        stop = body + size
        if stop > end:
            if size <= LARGEST or body + LARGEST > end:
                break
            if first >> 4 != PUBLISH:
                raise MalformedError("a packet that is far too large, and no PUBLISH")
            deliveries.append(_delivery(first, data[body : body + LARGEST]))
            return Split(deliveries, answers, body + LARGEST, stop - body - LARGEST)
        if first >> 4 == PUBLISH:
            deliveries.append(_delivery(first, data[body : min(stop, body + LARGEST)]))
        else:
            answers.append(Answer(first >> 4, data[body:stop]))
        at = stop
    return Split(deliveries, answers, at)


def _delivery(first: int, body: bytes) -> Delivery:
    if len(body) < 2:
        raise MalformedError("a PUBLISH without a topic")
    at = 2 + (body[0] << 8 | body[1])
    if not first & QOS:
        mid, rest = b"", at
    elif first & QOS == 2:
        mid, rest = body[at : at + 2], at + 2
    else:
        raise MalformedError("a PUBLISH at a QoS that nobody has subscribed to")
    if len(body) < rest:
        raise MalformedError("a PUBLISH that is shorter than it says")
    return Delivery(first, body[2:at], mid, body[rest:])


def _size(data: bytes, at: int) -> tuple[int, int]:
    """(remaining length, where the rest begins); -1 where the length is not all there (2.2.3)."""
    size = 0
    for n, byte in enumerate(data[at : at + 4]):
        size |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return size, at + n + 1
    if len(data) >= at + 4:
        raise MalformedError("a length of more than four bytes")
    return -1, at


def connect(
    client_id: str,
    user: str | None,
    password: str | None,
    keepalive_s: int,
    *,
    clean: bool,
    will: tuple[str, str] | None = None,
) -> bytes:
    """CONNECT (3.1). will: topic and text that the broker publishes when we are gone, QoS 1,
    retained."""
    flags = (0x02 if clean else 0) | (0x80 if user is not None else 0)
    flags |= (0x40 if password is not None else 0) | (0x2C if will is not None else 0)
    said = [text(word) for word in (client_id, *(will or ()), user, password) if word is not None]
    return packet(0x10, text("MQTT") + pack(">BBH", 4, flags, keepalive_s) + b"".join(said))


def subscribe(mid: int, filters: Sequence[str]) -> bytes:
    """SUBSCRIBE at QoS 1 (3.8)."""
    return packet(0x82, pack(">H", mid) + b"".join(text(one) + b"\x01" for one in filters))


def unsubscribe(mid: int, filters: Sequence[str]) -> bytes:
    """UNSUBSCRIBE (3.10)."""
    return packet(0xA2, pack(">H", mid) + b"".join(text(one) for one in filters))


def publish(topic: str, payload: bytes, qos: int, mid: int, *, retain: bool) -> bytes:
    """PUBLISH at QoS 0 or 1 (3.3); at 0 there is no `mid`."""
    id = pack(">H", mid) if qos else b""
    return packet(0x30 | qos << 1 | (RETAIN if retain else 0), text(topic) + id + payload)


def acknowledged(mids: Sequence[bytes]) -> bytes:
    """A PUBACK for each of these message ids (3.4)."""
    return ACKNOWLEDGE + ACKNOWLEDGE.join(mids) if mids else b""


def text(words: str) -> bytes:
    """A string with its length before it (1.5.3)."""
    encoded = words.encode()
    return pack(">H", len(encoded)) + encoded


def packet(first: int, body: bytes) -> bytes:
    """A packet of this first byte."""
    size, length = len(body), b""
    while size > 0x7F:
        length += bytes((size & 0x7F | 0x80,))
        size >>= 7
    return bytes((first,)) + length + bytes((size,)) + body
