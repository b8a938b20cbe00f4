"""What is wrong with something that people wrote, and where."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `path` as in `enterprises[0].tags[3].limits.HH`; `text` is a clause."""

    line: int
    path: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path + ': ' if self.path else ''}{self.text}"


class DocumentError(ValueError):
    """A document has problems; the text lists them by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def path(loc: Loc) -> str:
    """A location as people write it: `sources[1].tags`; odd keys are quoted: `tags["wind dir"]`."""
    steps = []
    for step in loc:
        if isinstance(step, int):
            steps.append(f"[{step}]")
        elif re.fullmatch(r"[\w%+-]+", step):
            steps.append(f".{step}")
        else:
            steps.append(f"[{json.dumps(step, ensure_ascii=False)}]")
    return "".join(steps).removeprefix(".")
