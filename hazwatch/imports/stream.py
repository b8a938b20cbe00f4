"""The bytes of a file: unpacked, in UTF-8, from any position."""

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from hazwatch.imports.errors import ImportFault

BLOCK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PARQUET_MAGIC = b"PAR1"
UTF_8 = frozenset({"utf-8", "ascii", "utf-8-sig"})


class Readable(Protocol):
    """Something to read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class Stream:
    """Unpacked bytes of a file in UTF-8, without a mark at the beginning.

    position: of the next byte, unpacked. size: of the file, 1 at least. packed: bytes of it read so
    far, for progress.
    Raises `ImportFault` where the packing is broken or cut off.
    """

    def __init__(self, raw: BinaryIO, name: str, encoding: str = "utf-8") -> None:
        self._file = name
        self._raw = raw
        self.size = max(1, raw.seek(0, io.SEEK_END))
        raw.seek(0)
        self._source: Readable = _unpacked(self._raw)
        encoding = codecs.lookup(encoding).name
        if encoding not in UTF_8:
            self._source = _Recoded(self._source, encoding)
        self.position = 0
        self._plain = self._source is self._raw
        head = self._read(3)
        self._ahead = head.removeprefix(codecs.BOM_UTF8)
        self._mark = len(head) - len(self._ahead)

    @property
    def packed(self) -> int:
        """How much of the file was read."""
        return self._raw.tell()

    def skip_to(self, position: int) -> None:
        """Go on at a later position."""
        if self._plain:
            self._raw.seek(self._mark + position)
            self._ahead, self.position = b"", position
        while self.position < position:
            if not self.read(min(BLOCK, position - self.position)):
                raise ImportFault(f"{self._file} is shorter than when it was read last")

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end."""
        if self._ahead:
            out, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            out = self._read(size)
        self.position += len(out)
        return out

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        parts = []
        while size > 0 and (part := self.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def _read(self, size: int) -> bytes:
        try:
            return self._source.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise ImportFault(
                f"{self._file} can't be unpacked after {self.position} bytes: {error}. What came "
                "before is imported; get the file again and import it: what is there counts as "
                "duplicate"
            ) from error


class _Recoded:
    """UTF-8 out of another encoding; what is none of its characters becomes U+FFFD."""

    def __init__(self, source: Readable, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._ahead = b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._ahead:
            block = self._source.read(BLOCK)
            self._ahead = self._decoder.decode(block, final=not block).encode()
            if not block:
                break
        out, self._ahead = self._ahead[:size], self._ahead[size:]
        return out


class _WholeZstd:
    """All frames of a zstd file; one that is cut off is an error and no end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._unpacker = zstandard.ZstdDecompressor().decompressobj()
        self._ahead = b""
        self._fresh = True

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._ahead:
            packed = self._unpacker.unused_data if self._unpacker.eof else b""
            if self._unpacker.eof:
                self._unpacker, self._fresh = zstandard.ZstdDecompressor().decompressobj(), True
            packed = packed or self._raw.read(1 << 17)
            if not packed:
                if not self._fresh:
                    raise zstandard.ZstdError("it ends too early")
                break
            self._ahead, self._fresh = self._unpacker.decompress(packed), False
        out, self._ahead = self._ahead[:size], self._ahead[size:]
        return out


def _unpacked(raw: BinaryIO) -> Readable:
    head = raw.read(4)
    raw.seek(0)
    if head.startswith(GZIP_MAGIC):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), BLOCK)
    return _WholeZstd(raw) if head == ZSTD_MAGIC else raw


def is_parquet(file: Path) -> bool:
    """Whether a file begins as Parquet does."""
    with file.open("rb") as raw:
        return raw.read(4) == PARQUET_MAGIC


def digest(file: Path, told: Callable[[float], None]) -> str:
    """SHA-256 of a file in hex; `told` hears what share of it is read."""
    found, read, size = hashlib.sha256(), 0, max(1, file.stat().st_size)
    with file.open("rb") as raw:
        while block := raw.read(BLOCK):
            found.update(block)
            read += len(block)
            told(min(1.0, read / size))
    return found.hexdigest()
