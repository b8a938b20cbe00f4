"""Which row of GB 18218-2018 gives the critical quantity Q and the factor β of a substance."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from domain.gb18218_tables import Category, Named, Origin, Sourced, Tables
from domain.gb18218_words import number
from domain.problem import Loc

NO_CATEGORY = "none"
"""Written as the category of a substance that the standard does not count."""
Mixture = Literal["as_pure", "own"]
"""as_pure: in the category of its pure substance, so the whole of it counts as that; own: by the
category of the mixture itself, never by name."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A substance of a unit 单元. tonnes: the designed maximum; how: how that was reckoned.

    categories: of Table 2 (`W5.3`), or `NO_CATEGORY`. row: of Table 1, where the caller chooses.
    beta, beta_source: instead of the tables' β, with who says so.
    """

    name: str
    tonnes: Fraction
    cas: str | None = None
    how: str = ""
    categories: tuple[str, ...] = ()
    row: int | None = None
    mixture: Mixture | None = None
    beta: Fraction | None = None
    beta_source: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """critical: Q in tonnes, None where it does not count or could not be told. named: the row of
    Table 1 that gave it. problems: (where, clause)."""

    critical: Sourced | None = None
    named: Named | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[tuple[Loc, str], ...] = ()


def critical_of(holding: Holding, tables: Tables) -> Chosen:
    """The critical quantity: Table 1 by row, CAS or name, else the lowest of Table 2's."""
    strange = [one for one in holding.categories if one not in (*tables.categories, NO_CATEGORY)]
    if strange:
        return _problem("category", f"{strange[0]} is none of Table 2; {_allowed(tables)}")
    if holding.mixture == "own":
        return _by_category(holding, tables, "the mixture counts by a category of its own")
    rows = _candidates(holding, tables)
    if isinstance(rows, Chosen):
        return rows
    if not rows:
        return _by_category(holding, tables, "Table 1 has neither its CAS number nor its name")
    if len(rows) > 1:
        choice = "; ".join(f"{row.row} ({row.zh} {row.name})" for row in rows)
        return _problem("table1_row", f"several rows of Table 1 fit; allowed: {choice}")
    if NO_CATEGORY in holding.categories:
        return _problem("category", f"none is not allowed: Table 1 names it, {rows[0].label}")
    return _by_name(holding, rows[0])


def beta_of(
    holding: Holding, chosen: Chosen, tables: Tables
) -> tuple[Sourced | None, tuple[tuple[Loc, str], ...]]:
    """β: what the holding says, else Table 3 by CAS or name, else the largest of Table 4's.

    With what is lacking for it as (where, clause); a substance that does not count lacks nothing.
    """
    if chosen.critical is None:
        return None, ()
    if holding.beta is not None:
        origin = Origin("", "", holding.beta_source, "given", tables.rules["beta"].valid_from)
        return Sourced(holding.beta, origin, "given with the substance, instead of the tables"), ()
    if holding.mixture != "own":
        names = [(holding.name, holding.cas)]
        names += [(holding.name, cas) for cas in (chosen.named.cas if chosen.named else ())]
        for name, cas in names:
            gas = tables.gas(name, cas)
            if gas is not None:
                return Sourced(gas.beta, gas.origin, f"named in Table 3: {gas.zh} {gas.name}"), ()
    return _beta_by_category(holding, chosen, tables)


def _beta_by_category(
    holding: Holding, chosen: Chosen, tables: Tables
) -> tuple[Sourced | None, tuple[tuple[Loc, str], ...]]:
    symbols = [one for one in holding.categories if one != NO_CATEGORY]
    assumed = not symbols and chosen.named is not None
    if assumed and chosen.named is not None:
        symbols = list(chosen.named.categories)
    if not symbols:
        return None, ((("category",), f"is needed for β; {_allowed(tables)}"),)
    row = max((tables.categories[one] for one in symbols), key=lambda category: category.beta)
    why = f"category {_named(row)}"
    if len(symbols) > 1:
        why += f", the largest β of {', '.join(symbols)}"
    origin = row.beta_origin
    if assumed and chosen.named is not None:
        origin = replace(chosen.named.category_origin, clause=row.beta_origin.clause)
        why += ", assumed for this row of Table 1"
    return Sourced(row.beta, origin, why), ()


def _candidates(holding: Holding, tables: Tables) -> Sequence[Named] | Chosen:
    """The rows of Table 1 that may be meant; a problem where name and CAS contradict each other."""
    if holding.row is not None:
        chosen = tables.named_by_row(holding.row)
        if chosen is None:
            last = max(row.row for row in tables.named)
            return _problem("table1_row", f"{holding.row} is no row; allowed: 1 to {last}")
        return (chosen,)
    by_name = tables.named_by_name(holding.name)
    if holding.cas is None:
        return by_name
    by_cas = tables.named_by_cas(holding.cas)
    both = [row for row in by_name if holding.cas in row.cas or not row.cas]
    if by_name and not both:
        means = ", ".join(f"{row.label} ({', '.join(row.cas)})" for row in by_name)
        other = ", ".join(row.label for row in by_cas) or "in no row of Table 1"
        return _problem(
            "cas",
            f"{holding.cas} is {other}, but the name means {means}; correct one of them, or choose "
            "with table1_row",
        )
    return both or by_cas


def _by_name(holding: Holding, row: Named) -> Chosen:
    notes = []
    if holding.cas is not None and row.cas and holding.cas not in row.cas:
        notes.append(f"CAS {holding.cas} is not in {row.label}, which was chosen by table1_row")
    if holding.mixture == "as_pure":
        notes.append("the whole mixture counts as the pure substance")
    if row.holds_for:
        notes.append(
            f"{row.label} holds for: {row.holds_for}; otherwise write mixture: own and a category"
        )
    why = f"Table 1, {row.label}"
    return Chosen(Sourced(row.critical, row.origin, why), row, tuple(notes))


def _by_category(holding: Holding, tables: Tables, reason: str) -> Chosen:
    if holding.categories == (NO_CATEGORY,):
        return Chosen(notes=("in no category of Table 2: it does not count",))
    if NO_CATEGORY in holding.categories:
        return _problem("category", "none stands alone; leave the others or none out")
    if not holding.categories:
        return _problem("category", f"is missing: {reason}{_close(holding, tables)}; "
                        f"{_allowed(tables)}")  # fmt: skip
    rows = [tables.categories[one] for one in holding.categories]
    lowest = min(rows, key=lambda row: row.critical)
    why = f"Table 2, category {_named(lowest)}"
    if len(rows) > 1:
        all_of = ", ".join(f"{row.symbol} {number(row.critical)} t" for row in rows)
        why += f", the lowest of {all_of}"
    return Chosen(Sourced(lowest.critical, lowest.critical_origin, why))


def _named(row: Category) -> str:
    return f"{row.symbol} {row.zh} ({row.text})"


def _allowed(tables: Tables) -> str:
    return f"allowed: {', '.join(tables.categories)}, {NO_CATEGORY}"


def _close(holding: Holding, tables: Tables) -> str:
    words = {name: row for row in tables.named for name in (row.name, row.zh)}
    close = difflib.get_close_matches(holding.name, words, n=1, cutoff=0.8)
    return f" (did you mean {words[close[0]].label}?)" if close else ""


def _problem(member: str, text: str) -> Chosen:
    return Chosen(problems=(((member,), text),))
