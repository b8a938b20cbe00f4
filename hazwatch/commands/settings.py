"""`hazwatch settings`: what is set, and what could be."""

from typing import Annotated

import typer

from hazwatch.commands.output import Output, print_rows
from hazwatch.settings import Settings, shown

COLUMNS = ("variable", "value", "set", "meaning")


def settings(
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List every setting with its environment variable, its present value and what it means.

    Passwords are not shown.

    Example: hazwatch settings --output json
    """
    from hazwatch.cli import read_settings

    now = read_settings()
    rows = [
        {
            "variable": f"HAZWATCH_{name.upper()}",
            "value": shown(getattr(now, name)),
            "set": name in now.model_fields_set,
            "meaning": field.description or "",
        }
        for name, field in Settings.model_fields.items()
    ]
    if output is not Output.TABLE:
        print_rows(rows, COLUMNS, output)
        return
    _show(rows)


def _show(rows: "list[dict[str, object]]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("variable", "value", "meaning")
    for row in rows:
        value = Text(str(row["value"]), "bold" if row["set"] else "dim")
        table.add_row(Text(str(row["variable"])), value, Text(str(row["meaning"])))
    Console().print(table)
