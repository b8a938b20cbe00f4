"""What stops an import, and what is only left out of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field


class ImportFault(Exception):
    """The file can't be imported as it is described; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A cell or a row that was not taken. line: of the file, from 1; of Parquet the row."""

    line: int
    column: str
    text: str
    reason: str
    detail: str


@dataclass(slots=True)
class Problems:
    """What was not taken of some rows: all of it counted, the first `KEPT` of each reason told."""

    KEPT = 1_000
    """Told of one reason and one piece of a file."""

    rows: int = 0
    """rows that say nothing"""
    cells: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """by reason"""
    told: list[Problem] = field(default_factory=list)

    def row(self, line: int, text: str, reason: str, detail: str) -> None:
        """A whole row is not taken."""
        self.rows += 1
        self._tell(reason, 1, [Problem(line, "", text, reason, detail)])

    def cell_count(self, reason: str, n: int, told: Iterable[Problem]) -> None:
        """n cells are not taken for the same reason; told: some or all of them, in order."""
        self.cells += n
        self._tell(reason, n, told)

    def note(self, reason: str, n: int, told: Iterable[Problem]) -> None:
        """Count and tell something that is neither row nor cell left out."""
        self._tell(reason, n, told)

    def add(self, other: "Problems") -> None:
        """Take over what another part found."""
        self.rows += other.rows
        self.cells += other.cells
        for reason, n in other.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + n
        self.told += other.told

    def _tell(self, reason: str, n: int, told: Iterable[Problem]) -> None:
        before = self.counts.get(reason, 0)
        self.counts[reason] = before + n
        room = self.KEPT - before
        if room > 0:
            for _, problem in zip(range(room), told, strict=False):
                self.told.append(problem)
