"""The audit of a site's set points as rows, on the screen and for programs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from domain.audit_row import AuditRow, Severity
from domain.gas_rules import gas_rules
from domain.problem import path
from domain.setpoints import Surroundings, audit
from domain.site import Site
from hazwatch.commands.documents import console

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "", Severity.OK: "dim"}


def audit_site(site: Site) -> list[tuple[str, str, AuditRow]]:
    """(place of the tag, name of the tag, what was found) for each comparison, in file order."""
    found = []
    for e, enterprise in enumerate(site.enterprises):
        for s, source in enumerate(enterprise.sources):
            around = Surroundings(source.substances, source.equipment)
            for t, tag in enumerate(source.tags):
                place = path(("enterprises", e, "sources", s, "tags", t))
                found += [(place, tag.name, row) for row in audit(tag, around, gas_rules())]
    return found


def audit_row(place: str, tag: str, row: AuditRow) -> dict[str, Any]:
    """A comparison as plain data."""
    return {"tag": tag, **asdict(row), "path": f"{place}.{row.member}"}


def show_audit(found: Sequence[tuple[str, str, AuditRow]], every: bool) -> None:
    """As a table; without `every` only what is not good."""
    out = console()
    table = Table("tag", "", "set point", "allowed", "what")
    for _, tag, row in found:
        if every or row.severity is not Severity.OK:
            value = "–" if row.value is None else f"{row.value:g} {row.unit}".rstrip()
            origin = ", ".join(word for word in (row.clause, row.confidence) if word)
            name = row.member.removeprefix("limits.")
            cells = (f"{name} {value}", f"{row.allowed} {row.unit}" if row.allowed else "–")
            colour = COLOURS[row.severity]
            table.add_row(
                Text(tag),
                Text(row.severity.value, colour),
                *(Text(cell) for cell in (*cells, f"{row.text} ({origin})")),
            )
    if table.row_count:
        out.print(table)
    counts = Counter(row.severity for *_, row in found)
    rules = gas_rules()
    told = ", ".join(
        f"{counts[severity]} {severity.value}" for severity in reversed(list(Severity))
    )
    out.print(Text(f"{told}. {rules.standard}, data {rules.version}"))
