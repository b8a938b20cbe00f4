"""The tables of GB 18218-2018 as the versioned data file has them, each number with its origin."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from domain.cas import cas_checked

UNVERIFIED = frozenset({"K", "K?", "P"})
"""Confidence marks of what no readable source says."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a number is from. `check`: what a person with the standard at hand must look at."""

    standard: str
    clause: str
    source: str
    confidence: str
    valid_from: date
    check: str = ""

    @property
    def uncertain(self) -> bool:
        """Whether a reader must be told not to rely on it."""
        return bool(self.check) or self.confidence in UNVERIFIED


@dataclass(frozen=True, slots=True)
class Sourced:
    """A number with its origin, and why this number was taken."""

    value: Fraction
    origin: Origin
    why: str


@dataclass(frozen=True, slots=True)
class Named:
    """A row of Table 1. critical: tonnes. categories: those that give its beta, with their own
    origin, () where the data file leaves them open. holds_for: what the row is restricted to."""

    row: int
    name: str
    zh: str
    names: frozenset[str]
    cas: tuple[str, ...]
    critical: Fraction
    origin: Origin
    holds_for: str
    categories: tuple[str, ...]
    category_origin: Origin

    @property
    def label(self) -> str:
        """As an error or a table shows it."""
        return f"row {self.row} {self.zh} {self.name}"


@dataclass(frozen=True, slots=True)
class Category:
    """A hazard category of Tables 2 and 4. critical: tonnes."""

    symbol: str
    zh: str
    text: str
    critical: Fraction
    critical_origin: Origin
    beta: Fraction
    beta_origin: Origin


@dataclass(frozen=True, slots=True)
class Gas:
    """A toxic gas of Table 3."""

    name: str
    zh: str
    names: frozenset[str]
    cas: str
    beta: Fraction
    origin: Origin


@dataclass(frozen=True, slots=True)
class Step:
    """A row of Table 5 or 6: what holds from `lowest` (people; R) upwards, inclusive."""

    lowest: Fraction
    value: Fraction
    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Tables:
    """One version of the whole standard. alpha, grades: falling `lowest`. rules: origins of the
    formulas and conventions, by section of the data file. identified_from: lowest S."""

    standard: str
    title: str
    version: str
    named: tuple[Named, ...]
    categories: Mapping[str, Category]
    gases: tuple[Gas, ...]
    alpha: tuple[Step, ...]
    grades: tuple[Step, ...]
    identified_from: Fraction
    rules: Mapping[str, Origin]

    def named_by_row(self, row: int) -> Named | None:
        """The row of Table 1 with this number."""
        return next((one for one in self.named if one.row == row), None)

    def named_by_cas(self, cas: str) -> tuple[Named, ...]:
        """Every row of Table 1 with this CAS number."""
        return tuple(one for one in self.named if cas in one.cas)

    def named_by_name(self, name: str) -> tuple[Named, ...]:
        """Every row of Table 1 with this English or Chinese name."""
        return tuple(one for one in self.named if plain(name) in one.names)

    def gas(self, name: str, cas: str | None) -> Gas | None:
        """The row of Table 3: by CAS where one is given, else by name."""
        if cas is not None:
            return next((one for one in self.gases if one.cas == cas), None)
        return next((one for one in self.gases if plain(name) in one.names), None)


_RULES = (
    "identification", "quantity", "formula", "beta", "several_categories", "mixture", "lowest",
)  # fmt: skip


def plain(name: str) -> str:
    """A name without case, blanks, brackets and punctuation, so that spellings meet."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s()\[\],;:·、，；：（）【】'\"_-]", "", folded)


def read_tables(text: str) -> Tables:
    """The tables that a text in the data file's form describes; raises `ValueError` where a CAS
    number, a symbol or the order of steps is wrong, `KeyError` where something is missing."""
    data = tomllib.loads(text, parse_float=Decimal)
    head = {"standard": data["standard"], "valid_from": data["valid_from"]}
    categories = {row["symbol"]: _category(head, row) for row in data["category"]}
    tables = Tables(
        data["standard"],
        data["title"],
        data["version"],
        tuple(_named(head, row) for row in data["named"]),
        categories,
        tuple(_gas(head, row) for row in data["gas"]),
        tuple(_step(head, row, row["value"], "") for row in data["alpha"]),
        tuple(_step(head, row, row["grade"], row["name"]) for row in data["grade"]),
        Fraction(data["identification"]["value"]),
        {name: _origin(head, data[name]) for name in _RULES},
    )
    _check(tables)
    return tables


@cache
def tables() -> Tables:
    """The tables that are delivered."""
    return read_tables(files("domain").joinpath("data/gb18218.toml").read_text("utf-8"))


def _origin(head: Mapping[str, Any], row: Mapping[str, Any], prefix: str = "") -> Origin:
    return Origin(
        row.get("standard", head["standard"]),
        row.get(f"{prefix}clause", row.get("clause", "")),
        row[f"{prefix}source"],
        row[f"{prefix}confidence"],
        row.get("valid_from", head["valid_from"]),
        row.get(f"{prefix}check", row.get("check", "")),
    )


def _named(head: Mapping[str, Any], row: Mapping[str, Any]) -> Named:
    origin = _origin(head, row)
    return Named(
        int(row["row"]),
        row["name"],
        row["zh"],
        _names(row),
        tuple(cas_checked(cas) for cas in row["cas"]),
        Fraction(row["critical_t"]),
        origin,
        row.get("holds_for", ""),
        tuple(row.get("category", ())),
        _origin(head, row, "category_") if "category" in row else origin,
    )


def _category(head: Mapping[str, Any], row: Mapping[str, Any]) -> Category:
    return Category(
        row["symbol"],
        row["zh"],
        row["text"],
        Fraction(row["critical_t"]),
        _origin(head, row, "critical_"),
        Fraction(row["beta"]),
        _origin(head, row, "beta_"),
    )


def _gas(head: Mapping[str, Any], row: Mapping[str, Any]) -> Gas:
    cas = cas_checked(row["cas"])
    return Gas(row["name"], row["zh"], _names(row), cas, Fraction(row["beta"]), _origin(head, row))


def _step(head: Mapping[str, Any], row: Mapping[str, Any], value: Any, name: str) -> Step:
    return Step(Fraction(row["from"]), Fraction(value), name, _origin(head, row))


def _names(row: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(plain(name) for name in (row["name"], row["zh"], *row["also"]))


def _check(found: Tables) -> None:
    for steps in (found.alpha, found.grades):
        lowest = [step.lowest for step in steps]
        if lowest != sorted(lowest, reverse=True) or lowest[-1] != 0:
            raise ValueError(f"steps must fall to 0: {[str(each) for each in lowest]}")
    numbers = [row.row for row in found.named]
    if len(set(numbers)) != len(numbers):
        raise ValueError("a row number of Table 1 is given twice")
    positive = [row.critical for row in found.named] + [row.beta for row in found.gases]
    positive += [n for row in found.categories.values() for n in (row.critical, row.beta)]
    if not all(number > 0 for number in positive):
        raise ValueError("a critical quantity or a beta is not above 0")
    strange = {one for row in found.named for one in row.categories} - found.categories.keys()
    if strange:
        raise ValueError(f"no such category in Table 2: {', '.join(sorted(strange))}")
