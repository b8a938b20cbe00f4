"""Critical quantities of the registered substances of a source, as inventory needs them."""

from collections.abc import Mapping
from fractions import Fraction
from math import nan
from typing import Any

from domain.gb18218_choice import Holding, critical_of
from domain.gb18218_tables import tables


def critical_t(substance: Mapping[str, Any]) -> float:
    """Critical quantity 临界量 Q [t] of a substance's entry by GB 18218; NaN where the entry does
    not say enough for it, or the standard does not count it."""
    said = substance.get("category") or ()
    categories = (said,) if isinstance(said, str) else tuple(said)
    holding = Holding(
        substance["name"],
        Fraction(0),
        substance.get("cas"),
        categories=categories,
        row=substance.get("table1_row"),
        mixture=substance.get("mixture"),
    )
    chosen = critical_of(holding, tables())
    return nan if chosen.problems or chosen.critical is None else float(chosen.critical.value)
