"""Lists on the screen, for programs, and for spreadsheets."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import typer


class Output(StrEnum):
    """How a command prints a list."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class TableOrJson(StrEnum):
    """How a command prints what does not fit into one list."""

    TABLE = "table"
    JSON = "json"


def print_json(found: object) -> None:
    """As one JSON document, whatever the width of the screen."""
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], output: Output) -> None:
    """Rows as JSON or CSV. In CSV absence is empty, and a text that a spreadsheet would take for a
    formula gets an apostrophe before it."""
    if output is Output.JSON:
        print_json(list(rows))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)


def cell(value: Any) -> Any:
    """A value as CSV has it."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


def in_units(size: float | None) -> str:
    """Bytes as people read them; "?" where it is not known."""
    if size is None:
        return "?"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"
