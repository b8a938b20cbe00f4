"""GB 18218-2018 危险化学品重大危险源辨识: identification and grading, in exact arithmetic.

    S = Σ q/Q             a major hazard source 重大危险源 where S ≥ 1
    R = α · Σ (β · q/Q)   graded where S ≥ 1: 一级 R ≥ 100, 二级 ≥ 50, 三级 ≥ 10, 四级 below

q is the designed maximum 设计最大量 in tonnes, never what is there today. All numbers are
fractions: what is compared was never rounded. `domain.gb18218_tables` knows where each is from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from domain.gb18218_choice import Holding, beta_of, critical_of
from domain.gb18218_tables import Origin, Sourced, Step, Tables
from domain.gb18218_words import number
from domain.problem import Loc


class GradingError(ValueError):
    """Something is missing or contradictory: `problems` are (where, clause)."""

    def __init__(self, problems: Sequence[tuple[Loc, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{loc}: {text}" for loc, text in problems))


@dataclass(frozen=True, slots=True)
class Row:
    """One substance of the sum.

    critical: Q, None where the substance is in no category and counts nothing. beta: None where it
    does not count, or is not known and not needed (S < 1). fraction: q/Q. weighted: β · q/Q.
    """

    holding: Holding
    critical: Sourced | None
    beta: Sourced | None
    fraction: Fraction
    weighted: Fraction | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grading:
    """The whole arithmetic of one unit 单元.

    s: Σ q/Q. identified: S ≥ 1. weighted, alpha, r, grade: None unless identified; weighted is
    Σ β·q/Q, grade 1 (一级) to 4 (四级).
    """

    rows: tuple[Row, ...]
    s: Fraction
    identified: bool
    population: int | None
    weighted: Fraction | None
    alpha: Sourced | None
    r: Fraction | None
    grade: int | None
    tables: Tables

    @property
    def grade_name(self) -> str:
        """一级 … 四级, or that it is no major hazard source."""
        if self.grade is None:
            return "不构成重大危险源 not identified"
        return next(step.name for step in self.tables.grades if step.value == self.grade)

    def origins(self) -> tuple[tuple[str, Origin], ...]:
        """(what, where from) of every number that this grading used."""
        found = []
        for row in self.rows:
            name = row.holding.name
            if row.critical is not None:
                found.append((f"Q of {name}", row.critical.origin))
            if row.beta is not None and self.identified:
                found.append((f"β of {name}", row.beta.origin))
        if self.alpha is not None:
            found.append(("α", self.alpha.origin))
        return tuple(found)


def grade(holdings: Sequence[Holding], population: int | None, tables: Tables) -> Grading:
    """Identify and grade a unit that holds these substances.

    population: people living within 500 m outside the boundary 厂区边界向外扩展500 m; None: not
    known, which is an error only where S ≥ 1. Raises `GradingError` with everything wrong.
    """
    problems: list[tuple[Loc, str]] = []
    rows = []
    lacking: list[tuple[Loc, str]] = []
    for i, holding in enumerate(holdings):
        chosen = critical_of(holding, tables)
        problems += [(("substances", i, *loc), text) for loc, text in chosen.problems]
        beta, lack = beta_of(holding, chosen, tables)
        lacking += [(("substances", i, *loc), text) for loc, text in lack]
        rows.append(_row(holding, chosen.critical, beta, chosen.notes))
    if problems:
        raise GradingError(problems)
    s = sum((row.fraction for row in rows), Fraction(0))
    if s < tables.identified_from:
        return Grading(tuple(rows), s, False, population, None, None, None, None, tables)
    if population is None or population < 0:
        lacking.append((("population_500m",), _PEOPLE.format(population)))
    if population is None or lacking:
        found = f" (S = {number(s)}, so it must be graded)"
        raise GradingError([(loc, text + found) for loc, text in lacking])
    return _graded(tuple(rows), s, population, tables)


_PEOPLE = "{}; allowed: a whole number from 0, of people within 500 m outside the boundary"


def _row(
    holding: Holding, critical: Sourced | None, beta: Sourced | None, notes: tuple[str, ...]
) -> Row:
    if critical is None:
        return Row(holding, None, None, Fraction(0), Fraction(0), notes)
    fraction = holding.tonnes / critical.value
    weighted = None if beta is None else beta.value * fraction
    return Row(holding, critical, beta, fraction, weighted, notes)


def _graded(rows: tuple[Row, ...], s: Fraction, population: int, tables: Tables) -> Grading:
    weighted = sum((row.weighted for row in rows if row.weighted is not None), Fraction(0))
    step = _reached(tables.alpha, Fraction(population))
    why = f"{population} people within 500 m: {number(step.lowest)} or more"
    alpha = Sourced(step.value, step.origin, why)
    r = alpha.value * weighted
    level = int(_reached(tables.grades, r).value)
    return Grading(rows, s, True, population, weighted, alpha, r, level, tables)


def _reached(steps: Sequence[Step], value: Fraction) -> Step:
    """The highest step whose lowest value is reached; the last one is at 0."""
    return next(step for step in steps if value >= step.lowest)
