"""The spool: records in order on the local disk, for as long as the database is away.

Segment files `0000000001.spool`, `…2.spool` and so on hold records one after the other: length and
CRC-32 (both uint32, little-endian), then the record. `append` returns when the records are on the
disk. A process killed at any byte leaves a torn end behind, which was never confirmed and is not
read; a segment that does not end cleanly is kept under `.torn` for people when it has been read,
never deleted. A record that was set aside lies alone under `.rejected`, until somebody deletes it,
or has it read again by calling it `.spool` before the next start.
"""

import contextlib
import errno
import fcntl
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

HEAD = struct.Struct("<II")
SUFFIX = ".spool"
TORN = ".torn"
REJECTED = ".rejected"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolFull(Exception):
    """The spool has reached its bound, or its disk has: nothing more can be made durable here."""


class SpoolBroken(SpoolFull):
    """The disk does not take it for another reason: it is read-only, or fails."""


class SpoolInUse(Exception):
    """Another process has this spool open."""


class Spool:
    """An ordered queue of records in `directory`. Calls block on the disk and on each other.

    limit_bytes: of all segments together; an append beyond it raises `SpoolFull` and keeps nothing
    of it. segment_bytes: a segment that has reached it is followed by a new one, and can be deleted
    when read. What was appended survives the process; what was dropped may come again after a
    crash, by at most a segment.
    """

    def __init__(
        self, directory: Path, limit_bytes: int = 4 << 30, segment_bytes: int = 16 << 20
    ) -> None:
        self._directory = directory
        self._limit = limit_bytes
        self._segment_bytes = segment_bytes
        directory.mkdir(parents=True, exist_ok=True)
        _sync_directory(directory.parent)
        self._claim = _claimed(directory)
        self._turn = threading.Lock()
        self._sizes = {path: path.stat().st_size for path in sorted(directory.glob(f"*{SUFFIX}"))}
        self._began = {path: path.stat().st_mtime for path in self._sizes}
        self._rejected = set(directory.glob(f"*{REJECTED}"))
        earlier = [*self._sizes, *self._rejected, *directory.glob(f"*{TORN}")]
        self._number = max((int(path.stem) for path in earlier), default=0)
        self._out: int | None = None
        self._head = 0
        self.torn_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes on the disk that count towards the limit."""
        return sum(self._sizes.values())

    @property
    def began(self) -> float | None:
        """When the oldest segment was begun (of one that an earlier process left: when it was last
        written to), in seconds since 1970 by the clock of the disk; None where there is none."""
        return next(iter(self._began.values()), None)

    @property
    def empty(self) -> bool:
        """Whether there is no segment left to read."""
        return not self._sizes

    def append(self, records: Sequence[bytes]) -> None:
        """Put records at the end, all or none, and wait until they are on the disk.

        Raises `SpoolFull`, or `SpoolBroken` where the disk fails otherwise; it may be tried again.
        """
        data = b"".join(framed(record) for record in records)
        with self._turn:
            if self.size + len(data) > self._limit:
                raise SpoolFull(
                    f"spool {self._directory}: {self.size} of {self._limit} bytes are taken"
                )
            self._append(data)

    def peek(self, most_bytes: int) -> list[bytes]:
        """The first records in order, about `most_bytes` of them; empty when all were dropped."""
        with self._turn:
            while self._sizes:
                oldest = next(iter(self._sizes))
                if records := list(_up_to(most_bytes, read_records(oldest, self._head))):
                    return records
                self._finish(oldest)
            return []

    def drop(self, records: Sequence[bytes]) -> None:
        """Forget the first records, as `peek` gave them; a segment without any more is deleted."""
        with self._turn:
            self._head += sum(HEAD.size + len(record) for record in records)
            oldest = next(iter(self._sizes), None)
            if oldest is not None and self._head >= self._sizes[oldest]:
                self._finish(oldest)

    @property
    def rejected(self) -> int:
        """Records that were set aside and wait for people."""
        return len(self._rejected)

    def set_aside(self, record: bytes) -> Path:
        """Keep a record for people; where it lies. It does not count towards the limit."""
        with self._turn, self._in_our_words():
            path, out = self._new(REJECTED)
            try:
                _write(out, framed(record))
            except OSError:
                path.unlink()
                raise
            finally:
                os.close(out)
            self._rejected.add(path)
            return path

    def close(self) -> None:
        """Let go of the files, once a call under way has ended."""
        with self._turn:
            self._end_segment()
            os.close(self._claim)

    def _append(self, data: bytes) -> None:
        with self._in_our_words():
            path, out = self._segment()
            try:
                _write(out, data)
            except OSError:
                self._take_back(path, out)
                raise
        self._sizes[path] += len(data)
        if self._sizes[path] >= self._segment_bytes:
            self._end_segment()

    def _take_back(self, path: Path, out: int) -> None:
        """Leave nothing of an append that failed, and nothing to be written behind it: after a
        failure to sync, nobody knows what of this file is on the disk."""
        with contextlib.suppress(OSError):
            os.ftruncate(out, self._sizes[path])
        self._end_segment()
        if self._sizes[path] == 0:
            del self._sizes[path], self._began[path]
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            kind = SpoolFull if exc.errno in NO_ROOM else SpoolBroken
            raise kind(f"spool {self._directory}: {exc.strerror}") from exc

    def _segment(self) -> tuple[Path, int]:
        """The segment at the end; what an earlier process left is never written to again."""
        if self._out is None:
            path, self._out = self._new(SUFFIX)
            self._sizes[path], self._began[path] = 0, path.stat().st_mtime
        return next(reversed(self._sizes)), self._out

    def _new(self, suffix: str) -> tuple[Path, int]:
        """A new file, whose name is on the disk."""
        self._number += 1
        path = self._directory / f"{self._number:010}{suffix}"
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            _sync_directory(self._directory)
        except OSError:
            os.close(out)
            path.unlink()
            raise
        return path, out

    def _end_segment(self) -> None:
        if self._out is not None:
            os.close(self._out)
            self._out = None

    def _finish(self, oldest: Path) -> None:
        """All that can be read of the oldest segment was read."""
        if len(self._sizes) == 1:
            self._end_segment()
        left = self._sizes.pop(oldest) - self._head
        self._began.pop(oldest, None)
        self._head = 0
        if left > 0:
            self.torn_bytes += left
            oldest.rename(oldest.with_suffix(TORN))
        else:
            oldest.unlink()


def framed(record: bytes) -> bytes:
    """A record as it lies in a segment."""
    return HEAD.pack(len(record), zlib.crc32(record)) + record


def read_records(path: Path, start: int = 0) -> Iterator[bytes]:
    """The records of a segment from a position on, up to the first that is cut off or damaged, or
    that the disk does not give back."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(start)
        while len(head := file.read(HEAD.size)) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            if length > os.fstat(file.fileno()).st_size:
                return
            record = file.read(length)
            if len(record) < length or zlib.crc32(record) != checksum:
                return
            yield record


def _up_to(most_bytes: int, records: Iterator[bytes]) -> Iterator[bytes]:
    for record in records:
        yield record
        most_bytes -= len(record)
        if most_bytes <= 0:
            return


def _write(out: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(out, view) :]
    os.fdatasync(out)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _claimed(directory: Path) -> int:
    claim = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(claim)
        raise SpoolInUse(f"spool {directory} is open in another process") from exc
    return claim
