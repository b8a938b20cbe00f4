"""Whole lines out of a stream, some megabytes at a time. A record of a table is one line."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.stream import Stream

BLOCK_BYTES = 4 << 20
"""Of a block; one line more where a line is longer."""
LONGEST_LINE = 64 << 20
NEWLINE, RETURN = 10, 13


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a file. line: number of the first, from 1. end: position after the last byte."""

    data: bytes
    line: int
    end: int

    def lines(self) -> Ints:
        """int64[n]: numbers of the lines that are not empty; each is a record."""
        starts, ends = self._spans()
        return self.line + np.flatnonzero(ends > starts)

    def next_line(self) -> int:
        """Number of the first line after the block."""
        return self.line + len(self._spans()[0])

    def halves(self) -> "list[Block]":
        """The block as two, cut between lines; itself where it is one line."""
        cut = self.data.find(b"\n", len(self.data) // 2) + 1
        if cut in (0, len(self.data)):
            cut = self.data.rfind(b"\n", 0, len(self.data) - 1) + 1
        if cut == 0:
            return [self]
        first = Block(self.data[:cut], self.line, self.end - len(self.data) + cut)
        return [first, Block(self.data[cut:], first.next_line(), self.end)]

    def _spans(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Begin and end of each line, without its end mark."""
        text = np.frombuffer(self.data, np.uint8)
        ends = np.flatnonzero(text == NEWLINE)
        if len(text) and (not len(ends) or ends[-1] != len(text) - 1):
            ends = np.append(ends, len(text))
        starts = np.append(0, ends[:-1] + 1)[: len(ends)]
        marked = (ends > starts) & (text[np.maximum(ends - 1, 0)] == RETURN)
        return starts, ends - marked


def blocks(stream: Stream, line: int, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The rest of a stream, of which `line` is the next; the last line need not end in a mark.

    Where a block ends depends on where it begins alone, however often reading was taken up.
    """
    rest, want = b"", size
    while True:
        fresh = stream.exactly(want - len(rest))
        data = rest + fresh
        ended = len(data) < want
        cut = len(data) if ended else data.rfind(b"\n") + 1
        if cut:
            block = Block(data[:cut], line, stream.position - len(data) + cut)
            yield block
            line = block.next_line()
        if ended:
            return
        rest = data[cut:]
        want = size if cut else want + size
        if want > LONGEST_LINE:
            raise ImportFault(
                f"line {line} is longer than {LONGEST_LINE >> 20} MiB: is it a table at all?"
            )
