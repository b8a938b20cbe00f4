"""Samples as PostgreSQL's binary COPY carries them, and as NumPy sees the same bytes.

A row is its number of fields (int16), then each field with its length in bytes (int32) before it,
all big-endian; an instant is microseconds since 2000 UTC. No field may be NULL, so every row has
one size and a whole group is one structured array. Source: PostgreSQL manual, COPY, "Binary
Format".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame

POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01 UTC in microseconds since 1970."""
HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

Rows = NDArray[np.void]

ROW = np.dtype(
    [
        ("tag", np.int32),
        ("time", np.int64),
        ("value", np.float64),
        ("quality", np.int16),
        ("flags", np.int16),
        ("received", np.int64),
    ]
)
"""A sample in memory: times in microseconds since 1970."""
STAGED = np.dtype([("ordinal", np.int32), ("first", np.bool_), *ROW.descr])
"""A sample in the staging table: its position in the group, whether its key is there first."""
LATEST = np.dtype([(name, ROW[name]) for name in ("tag", "time", "received", "value", "quality")])
"""A row of `tag_latest`."""
INSTANTS = ("time", "received", "first_at", "last_at")


def rows_of(frames: Sequence[Frame]) -> Rows:
    """The samples of all frames in order, dtype `ROW`."""
    rows = np.empty(sum(len(frame) for frame in frames), ROW)
    start = 0
    for frame in frames:
        part = rows[start : start + len(frame)]
        for name in ROW.names or ():
            part[name] = getattr(frame, name)
        start += len(frame)
    return rows


def copy_stream(rows: Rows) -> bytes:
    """A whole binary COPY of `rows`, whose fields are the columns in order."""
    return b"".join((HEADER, encoded(rows).tobytes(), TRAILER))


def encoded(rows: Rows) -> Rows:
    """`rows` field by field as on the wire, between its lengths."""
    names = rows.dtype.names or ()
    wire: list[tuple[str, str]] = [("fields", ">i2")]
    for name in names:
        wire += [(f"length of {name}", ">i4"), (name, rows.dtype[name].newbyteorder(">").str)]
    out = np.empty(len(rows), np.dtype(wire))
    out["fields"] = len(names)
    for name in names:
        out[f"length of {name}"] = rows.dtype[name].itemsize
        out[name] = rows[name] - POSTGRES_EPOCH if name in INSTANTS else rows[name]
    return out
