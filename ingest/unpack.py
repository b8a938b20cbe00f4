"""Bodies as they travel: plain, gzip or zstd, told apart by their first bytes."""

import zlib

import zstandard

from ingest.rejection import Rejection

MIB = 1024 * 1024
MAX_RAW = MIB
"""Bytes of a body as it comes."""
MAX_UNPACKED = 8 * MIB
"""Bytes of a body after unpacking; unpacking stops there, however much was promised."""
GZIP_MAGIC = b"\x1f\x8b"
_HEADER_CRC = 2
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def unpack(payload: bytes) -> bytes | Rejection:
    """The JSON text of a payload, or `too_large`, or `malformed` where the packing is broken."""
    if len(payload) > MAX_RAW:
        return Rejection("too_large", f"{len(payload)} bytes came; at most {MAX_RAW} are taken")
    try:
        if payload.startswith(GZIP_MAGIC):
            body = _gunzip(payload)
        elif payload.startswith(ZSTD_MAGIC):
            body = _unzstd(payload)
        else:
            return payload
    except (zlib.error, zstandard.ZstdError) as error:
        return Rejection("malformed", f"the packed body can't be unpacked: {error}")
    if len(body) > MAX_UNPACKED:
        return Rejection("too_large", f"the body unpacks to more than {MAX_UNPACKED} bytes")
    return body


def timeless(payload: bytes) -> bytes:
    """A gzip body without the moment at which it was packed (RFC 1952, MTIME), so that the same
    packed again is the same; anything else as it is."""
    if payload.startswith(GZIP_MAGIC) and len(payload) >= 10 and not payload[3] & _HEADER_CRC:
        return payload[:4] + bytes(4) + payload[8:]
    return payload


def _gunzip(payload: bytes) -> bytes:
    """All members of a gzip file, up to one byte more than allowed."""
    body = bytearray()
    while payload and len(body) <= MAX_UNPACKED:
        member = zlib.decompressobj(wbits=31)
        body += member.decompress(payload, MAX_UNPACKED + 1 - len(body))
        if not member.eof and len(body) <= MAX_UNPACKED:
            raise zlib.error("it ends too early")
        payload = member.unused_data
    return bytes(body)


def _unzstd(payload: bytes) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_UNPACKED)
    with unpacker.stream_reader(payload, read_across_frames=True) as reader:
        return reader.read(MAX_UNPACKED + 1)
