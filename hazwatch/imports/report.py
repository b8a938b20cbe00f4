"""The report: a CSV file of what was not taken, and of values that another one stands against."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from hazwatch.imports.errors import Problem

HEAD = ("line", "column", "text", "reason", "detail")
MOST = 100_000
"""Lines of one reason; the rest is only counted."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Written from a known length on, so that a piece that is tried again is told of once."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def write(self, length: int, before: Mapping[str, int], problems: Iterable[Problem]) -> int:
        """Put problems after the first `length` bytes; the new length. before: how many of each
        reason there were. Nothing is made where there is nothing to say."""
        told: dict[str, int] = dict(before)
        rows = []
        for problem in problems:
            told[problem.reason] = told.get(problem.reason, 0) + 1
            if told[problem.reason] <= MOST:
                rows.append(_row(problem))
        if not rows:
            return length
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if length == 0:
            writer.writerow(HEAD)
        writer.writerows(rows)
        return self._put(length, out.getvalue().encode("utf-8", "replace"))

    def _put(self, length: int, data: bytes) -> int:
        self.file.touch()
        with self.file.open("r+b") as raw:
            raw.truncate(length)
            raw.seek(length)
            raw.write(data)
        return length + len(data)


def _row(problem: Problem) -> tuple[object, ...]:
    texts = (problem.column, problem.text, problem.reason, problem.detail)
    return problem.line, *(_safe(text) for text in texts)


def _safe(text: str) -> str:
    """A text that a spreadsheet would take for a formula gets an apostrophe; numbers do not."""
    if text[:1] not in FORMULA:
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
