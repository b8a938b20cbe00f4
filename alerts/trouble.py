"""What is wrong in a file that people wrote: where, what, and what to do about it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing. line: from 1, None where it belongs to no line. todo: what to do."""

    line: int | None
    found: str
    todo: str

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        return f"{where}{self.found}; {self.todo}"


def told(file: str, troubles: Iterable[Trouble]) -> str:
    """All of it in one line, for errors and the log."""
    return f"{file}: " + " | ".join(map(str, troubles))
