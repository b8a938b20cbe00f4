"""`AuditRow`: one set point held against one rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.gas_rules import Given


class Severity(StrEnum):
    """How bad a row is, rising."""

    OK = "ok"
    NOTE = "note"
    """could not be compared, or worth a look"""
    WARNING = "warning"
    """allowed under a condition only, or something is missing"""
    ERROR = "error"
    """not allowed"""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One comparison.

    member: the tag's member, such as `limits.H`. value: as it is set, None = none; allowed: in the
    same unit, with its sign. clause, source, confidence: of the number that allows it.
    """

    rule: str
    member: str
    value: float | None
    unit: str
    allowed: str
    severity: Severity
    text: str
    clause: str
    source: str
    confidence: str


def worst(rows: Iterable[AuditRow]) -> Severity:
    """The worst of them, OK where there are none."""
    order = list(Severity)
    return max((row.severity for row in rows), key=order.index, default=Severity.OK)


def audit_row(
    rule: str,
    member: str,
    value: float | None,
    unit: str,
    allowed: str,
    severity: Severity,
    text: str,
    given: Given,
) -> AuditRow:
    """A row that `given` decides."""
    return AuditRow(
        rule, member, value, unit, allowed, severity, text, given.clause, given.source,
        given.confidence,
    )  # fmt: skip
