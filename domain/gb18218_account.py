"""A grading as plain data, complete enough to check by hand.

Every number is `{"exact": text, "value": float}`: all its decimals, or a fraction `10/3` where
they do not end; `value` is for display and was never compared.
"""

from fractions import Fraction
from typing import Any

from domain.gb18218 import Grading, Row
from domain.gb18218_tables import Origin, Sourced
from domain.gb18218_words import ends, number
from domain.grading import Assessment
from domain.problem import path

FORMULA = "S = Σ q/Q; R = α · Σ (β · q/Q)"


def account(found: Assessment) -> dict[str, Any]:
    """The whole arithmetic of one source or unit. grading: None where there is none."""
    return {
        "code": found.code,
        "name": found.name,
        "outcome": found.outcome.value,
        "registered_grade": found.registered,
        "agrees": found.agrees,
        "grading": None if found.grading is None else _grading(found.grading),
        "notes": list(found.notes),
        "problems": [{"path": path(found.at(loc)), "text": text} for loc, text in found.problems],
    }


def uncertain(grading: Grading) -> list[str]:
    """A sentence for every number used that no readable source says, or that must be checked."""
    lines = []
    for what, origin in grading.origins():
        if origin.uncertain:
            why = origin.check or f"mark {origin.confidence}, {origin.source}"
            lines.append(f"{what}: {why}")
    return list(dict.fromkeys(lines))


def plain_number(value: Fraction) -> dict[str, Any]:
    """{"exact", "value"}; `value` is None where the number is beyond a float."""
    text = number(value) if ends(value) else str(value)
    try:
        return {"exact": text, "value": float(value)}
    except OverflowError:
        return {"exact": text, "value": None}


def _grading(grading: Grading) -> dict[str, Any]:
    tables = grading.tables
    return {
        "standard": tables.standard,
        "title": tables.title,
        "version": tables.version,
        "formula": FORMULA,
        "substances": [_row(row, grading.identified) for row in grading.rows],
        "s": plain_number(grading.s),
        "identified_from": plain_number(tables.identified_from),
        "identified": grading.identified,
        "population_500m": grading.population,
        "alpha": None if grading.alpha is None else _sourced(grading.alpha),
        "weighted": None if grading.weighted is None else plain_number(grading.weighted),
        "r": None if grading.r is None else plain_number(grading.r),
        "grade": grading.grade,
        "grade_name": grading.grade_name,
        "grades": [
            {"grade": int(step.value), "name": step.name, "from": plain_number(step.lowest)}
            for step in tables.grades
        ],
        "alphas": [
            {"from": int(step.lowest), "alpha": plain_number(step.value)} for step in tables.alpha
        ],
        "rules": {name: _origin(origin) for name, origin in tables.rules.items()},
        "uncertain": uncertain(grading),
    }


def _row(row: Row, identified: bool) -> dict[str, Any]:
    holding = row.holding
    weighted = row.weighted if identified else None
    return {
        "name": holding.name,
        "cas": holding.cas,
        "quantity_t": plain_number(holding.tonnes),
        "quantity_from": holding.how,
        "critical_t": None if row.critical is None else _sourced(row.critical),
        "beta": None if row.beta is None else _sourced(row.beta),
        "fraction": plain_number(row.fraction),
        "weighted": None if weighted is None else plain_number(weighted),
        "notes": list(row.notes),
    }


def _sourced(given: Sourced) -> dict[str, Any]:
    return plain_number(given.value) | {"why": given.why} | _origin(given.origin)


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "standard": origin.standard,
        "clause": origin.clause,
        "source": origin.source,
        "confidence": origin.confidence,
        "valid_from": origin.valid_from.isoformat(),
        "check": origin.check or None,
    }
