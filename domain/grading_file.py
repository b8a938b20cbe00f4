"""The grading file: units of GB 18218-2018 without a site, with substances and people, no more."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from domain.document import Entry, read
from domain.problem import Loc
from domain.site import Code, Label, Positive, Substance
from domain.site_rules import substance_problems, unique


class Vessels(Entry):
    """Equal vessels that hold a substance."""

    count: Annotated[int, Field(ge=1)] = 1
    volume_m3: Positive
    """of each"""
    fill_limit: Annotated[float, Field(gt=0, le=1)]
    """safe fill as a share of the volume, 0 to 1"""
    density_t_m3: Positive


class HeldSubstance(Substance):
    """A substance of a unit. How much: `design_t`, or `vessels`."""

    vessels: tuple[Vessels, ...] = ()
    """instead of design_t: count · volume · fill limit · density"""


class Unit(Entry):
    """A unit 单元 of GB 18218: a production or a storage unit."""

    STAND_INS: ClassVar[dict[str, Any]] = {"code": "stand-in"}

    code: Code
    name: Label | None = None
    population_500m: Annotated[int, Field(ge=0)] | None = None
    """people living within 500 m outside the boundary; not needed where S < 1"""
    grade: Annotated[int, Field(ge=0, le=4)] | None = None
    """registered grade 1 (一级) to 4 (四级), 0: registered as no major hazard source; left out: not
    compared"""
    substances: Annotated[tuple[HeldSubstance, ...], Field(min_length=1)]


class GradingFile(Entry):
    """Everything that one grading file says."""

    STAND_INS: ClassVar[dict[str, Any]] = {"version": 1}

    version: Literal[1]
    """version of the file format: 1"""
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]
    """each is identified and graded by itself"""


def read_grading(text: str) -> GradingFile:
    """The grading file that a YAML text describes; raises `domain.problem.DocumentError`."""
    return read(text, GradingFile, grading_problems)


def grading_problems(file: GradingFile, absent: frozenset[str]) -> Iterator[tuple[Loc, str]]:
    """Everything in a grading file that does not fit together."""
    codes = (((("units", i, "code")), unit.code) for i, unit in enumerate(file.units))
    yield from unique(codes, "units")
    for i, unit in enumerate(file.units):
        for k, substance in enumerate(unit.substances):
            at: Loc = ("units", i, "substances", k)
            yield from substance_problems(substance, at)
            if (substance.design_t is None) == (not substance.vessels):
                yield (*at, "design_t"), "allowed: either design_t or vessels"
