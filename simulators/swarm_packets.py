"""The few packets of MQTT 3.1.1 that a publisher at QoS 1 needs (OASIS standard, chapter 3). Pure.

paho takes 58 µs of a core for a message, these about 3; with one value a message the client would
otherwise be what is measured.
"""

from collections.abc import Iterator
from struct import pack

CONNACK, PUBLISH, PUBACK = 2, 3, 4
"""Types of packets that come in; SUBACK needs no answer."""
CLEAN_SESSION, USER, PASSWORD = 0x02, 0x80, 0x40

Packet = tuple[int, bytes]
"""Type, and what follows the fixed header."""


def connect(client_id: str, user: str | None, password: str | None) -> bytes:
    """CONNECT with a clean session and no keep-alive: a load that pauses is no dead client."""
    flags = CLEAN_SESSION | (USER if user is not None else 0)
    flags |= PASSWORD if password is not None else 0
    said = [text(client_id)]
    said += [text(word) for word in (user, password) if word is not None]
    return _packet(0x10, text("MQTT") + pack(">BBH", 4, flags, 0) + b"".join(said))


def publish(topic: bytes, mid: int, payload: bytes) -> bytes:
    """PUBLISH at QoS 1; `topic` as `text` gives it."""
    size = len(topic) + 2 + len(payload)
    return b"".join((b"\x32", _length(size), topic, pack(">H", mid), payload))


def subscribe(topic: str) -> bytes:
    """SUBSCRIBE at QoS 0 under message id 1."""
    return _packet(0x82, pack(">H", 1) + text(topic) + b"\x00")


def disconnect() -> bytes:
    """DISCONNECT."""
    return b"\xe0\x00"


def text(words: str) -> bytes:
    """A string as MQTT writes it, with its length before it."""
    encoded = words.encode()
    return pack(">H", len(encoded)) + encoded


def published(body: bytes) -> bytes:
    """The payload of a PUBLISH at QoS 0, without its topic."""
    return body[2 + int.from_bytes(body[:2]) :]


def split(buffer: bytearray) -> Iterator[Packet]:
    """Take every whole packet from the front of `buffer`; a beginning stays in it."""
    start, end = 0, len(buffer)
    try:
        while start + 2 <= end:
            size, body = _sized(buffer, start + 1)
            if body + size > end:
                return
            yield buffer[start] >> 4, bytes(buffer[body : body + size])
            start = body + size
    except IndexError:
        return
    finally:
        del buffer[:start]


def _sized(buffer: bytearray, at: int) -> tuple[int, int]:
    """(remaining length, where the rest begins); `IndexError` where the length is not all there."""
    size = shift = 0
    while buffer[at] & 0x80:
        size |= (buffer[at] & 0x7F) << shift
        shift += 7
        at += 1
    return size | buffer[at] << shift, at + 1


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _length(len(body)) + body


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    if size < 0x4000:
        return bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14))
