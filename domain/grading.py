"""What GB 18218-2018 makes of a registered source, or of a unit in a grading file."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from domain.gb18218 import Grading, GradingError, grade
from domain.gb18218_choice import Holding
from domain.gb18218_tables import Tables
from domain.gb18218_words import exact, number
from domain.grading_file import Unit, Vessels
from domain.problem import Loc
from domain.site import Equipment, Source, Substance


class Outcome(StrEnum):
    """What came out of it."""

    GRADED = "graded"
    NOT_IDENTIFIED = "not_identified"
    """S < 1: no major hazard source, so no grade"""
    OPEN = "open"
    """something is missing or contradictory"""
    EMPTY = "empty"
    """no substances are registered, and no grade"""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The grading of one source or unit. place: where it stands in its file.

    registered: its grade by the file, 0: no major hazard source, None: the file says nothing.
    problems: (where, clause), where below `place`.
    """

    place: Loc
    code: str
    name: str
    registered: int | None
    outcome: Outcome
    grading: Grading | None
    notes: tuple[str, ...]
    problems: tuple[tuple[Loc, str], ...]

    @property
    def agrees(self) -> bool | None:
        """Whether the registered grade is the computed one; None where one of them is missing."""
        if self.grading is None or self.registered is None:
            return None
        return self.registered == (self.grading.grade or 0)

    def at(self, loc: Loc) -> Loc:
        """Where a problem stands in its file; the people are the enterprise's, if there is one."""
        of_enterprise = self.place[:1] == ("enterprises",) and loc[:1] == ("population_500m",)
        return (*(self.place[:2] if of_enterprise else self.place), *loc)


def assess_unit(unit: Unit, place: Loc, tables: Tables) -> Assessment:
    """Identify and grade a unit of a grading file."""
    holdings = []
    for substance in unit.substances:
        if substance.design_t is None:
            tonnes, how = _vessels_hold(substance.vessels)
        else:
            tonnes, how = exact(substance.design_t), "design_t"
        holdings.append(holding(substance, tonnes, how))
    head = (place, unit.code, unit.name or unit.code, unit.grade)
    return _assessed(head, holdings, unit.population_500m, (), tables)


def assess_source(source: Source, population: int | None, place: Loc, tables: Tables) -> Assessment:
    """Identify and grade a source by its registered design.

    A substance without `design_t` takes what the equipment that holds it is designed for.
    """
    head = (place, source.code, source.name, source.grade or 0)
    if not source.substances:
        return _without_substances(source, head)
    notes: list[str] = []
    problems: list[tuple[Loc, str]] = []
    holdings = []
    for i, substance in enumerate(source.substances):
        tonnes, how = _amount(source, i, problems)
        if substance.design_t is not None and len(source.substances) == 1:
            notes += _more_in_vessels(source.equipment, exact(substance.design_t))
        holdings.append(holding(substance, tonnes, how))
    if problems:
        return Assessment(*head, Outcome.OPEN, None, tuple(notes), tuple(problems))
    return _assessed(head, holdings, population, tuple(notes), tables)


def holding(substance: Substance, tonnes: Fraction, how: str) -> Holding:
    """The substance as the standard sees it. tonnes: its designed maximum."""
    return Holding(
        substance.name,
        tonnes,
        substance.cas,
        how,
        substance.category or (),
        substance.table1_row,
        substance.mixture,
        None if substance.beta is None else exact(substance.beta),
        substance.beta_source or "",
    )


_Head = tuple[Loc, str, str, int | None]


def _assessed(
    head: _Head,
    holdings: Sequence[Holding],
    population: int | None,
    notes: tuple[str, ...],
    tables: Tables,
) -> Assessment:
    try:
        grading = grade(holdings, population, tables)
    except GradingError as error:
        return Assessment(*head, Outcome.OPEN, None, notes, error.problems)
    outcome = Outcome.GRADED if grading.identified else Outcome.NOT_IDENTIFIED
    return Assessment(*head, outcome, grading, notes, ())


def _without_substances(source: Source, head: _Head) -> Assessment:
    if source.grade is None:
        return Assessment(*head, Outcome.EMPTY, None, ("no substances are registered",), ())
    problem = (("substances",), f"is missing, but grade {source.grade} is registered")
    return Assessment(*head, Outcome.OPEN, None, (), (problem,))


def _amount(source: Source, i: int, problems: list[tuple[Loc, str]]) -> tuple[Fraction, str]:
    """(tonnes, how they were reckoned); zero with a problem where that cannot be told."""
    written = source.substances[i].design_t
    if written is not None:
        return exact(written), "design_t"
    at: Loc = ("substances", i, "design_t")
    holding_some = [one for one in source.equipment if one.design_t or one.volume_m3]
    nameless = [one.code for one in holding_some if one.substance is None]
    mine = [one for one in holding_some if _holds(one, source, i)]
    unknown = [
        one.code for one in mine if not (one.design_t or (one.fill_limit and one.density_t_m3))
    ]
    if len(source.substances) > 1 and nameless:
        why = f"and {', '.join(nameless)} does not say which substance it holds"
    elif not mine:
        why = "and no equipment with a volume holds it"
    elif unknown:
        why = f"and {', '.join(unknown)} has no fill_limit or no density_t_m3"
    else:
        return _vessels_hold(*_as_vessels(mine))
    problems.append((at, f"is missing, {why}"))
    return Fraction(0), ""


def _holds(one: Equipment, source: Source, i: int) -> bool:
    """Whether the equipment holds the i-th substance: it says so, or there is no other."""
    substance = source.substances[i]
    if one.substance is None:
        return len(source.substances) == 1
    return one.substance in (substance.cas, substance.name)


def _as_vessels(equipment: Sequence[Equipment]) -> tuple[tuple[Vessels, ...], list[Fraction]]:
    """Those that say volume, fill limit and density, equal ones together; and the designed tonnes
    of those that say them."""
    counted: dict[tuple[float, float, float], int] = {}
    designed = [exact(one.design_t) for one in equipment if one.design_t is not None]
    for one in equipment:
        key = (one.volume_m3, one.fill_limit, one.density_t_m3)
        if one.design_t is None and None not in key:
            known: Any = key
            counted[known] = counted.get(known, 0) + 1
    vessels = tuple(
        Vessels(count=n, volume_m3=volume, fill_limit=fill, density_t_m3=density)
        for (volume, fill, density), n in counted.items()
    )
    return vessels, designed


def _vessels_hold(
    vessels: Sequence[Vessels], designed: Sequence[Fraction] = ()
) -> tuple[Fraction, str]:
    total, terms = sum(designed, Fraction(0)), [f"{number(tonnes)} t" for tonnes in designed]
    for one in vessels:
        numbers = [exact(n) for n in (one.count, one.volume_m3, one.fill_limit, one.density_t_m3)]
        count, volume, fill, density = numbers
        total += count * volume * fill * density
        times = f"{one.count} × " if one.count > 1 else ""
        terms.append(f"{times}{number(volume)} m³ · {number(fill)} · {number(density)} t/m³")
    return total, " + ".join(terms)


def _more_in_vessels(equipment: Sequence[Equipment], design: Fraction) -> list[str]:
    hold, terms = _vessels_hold(*_as_vessels(equipment))
    if hold <= design:
        return []
    return [f"design_t {number(design)} t is less than what the equipment holds: {terms} = "
            f"{number(hold)} t"]  # fmt: skip
