"""`hazwatch notify`: whether notices reach people, and what they say."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hazwatch.commands.database import fail, with_database
from hazwatch.commands.documents import WRONG, console
from hazwatch.commands.output import Output, print_rows

if TYPE_CHECKING:
    from hazwatch.notify_trial import Tried
    from hazwatch.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Notices: whether they reach people, and what they say."
)
USAGE = 2
COLUMNS = ("person", "channel", "address", "delivered", "error", "took_s")


@app.command("test")
def send_test(
    role: Annotated[str, typer.Option(help="role of the ladder, such as PK", metavar="ROLE")],
    node: Annotated[
        str, typer.Option(help="code of a node, or the end of its path: p1, p1/e7", metavar="CODE")
    ],
    drill: Annotated[
        bool, typer.Option("--drill", help="send a warning marked 演练 DRILL, not a bare test")
    ] = False,
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    output: Annotated[Output, typer.Option(help="how to print what became of it")] = Output.TABLE,
) -> None:
    """Send a test to every address of whoever holds a role for a node, through the real channels.

    Nothing of it is stored, and no alarm or warning is made. Exit code 1 if
    an address did not take it, or nobody holds the role.

    Example: hazwatch notify test --role PK --node my-park --drill
    """
    from domain.clock import SystemClock
    from hazwatch.cli import read_settings
    from hazwatch.notify_trial import NodeUnclear, find_node, send_all, trial_body, who
    from hazwatch.warning_rules import WarningRulesError, ladder_of
    from hazwatch.wordings import WordingError
    from storage.registry import read_registry

    settings, clock = read_settings(), SystemClock()
    registry = with_database(database_url, read_registry, "hazwatch notify")
    try:
        known = ladder_of(settings).roles
        if role not in known:
            fail(f"no role {role!r}; known: {', '.join(known)}", USAGE)
        place = find_node(registry, node)
        people = who(settings, registry, role, place, clock)
    except (WarningRulesError, NodeUnclear) as wrong:
        fail(str(wrong), USAGE)
    if not people:
        fail(_nobody(settings, role, node), WRONG)
    body = trial_body(registry, role, place, clock, drill=drill)
    try:
        tried = asyncio.run(send_all(settings, people, body, clock))
    except WordingError as wrong:
        fail(str(wrong), USAGE)
    _show(tried, output)
    if any(one.error is not None for one in tried):
        raise typer.Exit(WRONG)


@app.command()
def preview(
    html: Annotated[
        Path | None, typer.Option(help="write a page with all of them to this file", metavar="FILE")
    ] = None,
    output: Annotated[Output, typer.Option(help="how to print them")] = Output.TABLE,
) -> None:
    """Show every notice in both languages and both forms, from the templates in force.

    HAZWATCH_NOTICE_TEMPLATES names a folder whose templates replace the
    shipped ones; docs/notices.md tells how to write them.

    Example: hazwatch notify preview --html notices.html
    """
    from hazwatch.cli import read_settings
    from hazwatch.notice_preview import COLUMNS, preview_page, preview_rows
    from hazwatch.wordings import WordingError, wording

    try:
        rows = preview_rows(wording(read_settings()))
    except WordingError as wrong:
        fail(str(wrong), USAGE)
    if html is not None:
        html.write_text(preview_page(rows), "utf-8")
        console().print(Text(f"{len(rows)} notices written to {html}"))
    elif output is not Output.TABLE:
        print_rows(rows, COLUMNS, output)
    else:
        _print(rows)


def _nobody(settings: "Settings", role: str, node: str) -> str:
    file = settings.contacts_file
    where = "set HAZWATCH_CONTACTS_FILE" if file is None else f"name somebody in {file}"
    return f"nobody holds {role} for {node}: {where}"


def _show(tried: "list[Tried]", output: Output) -> None:
    rows = [
        {**asdict(one), "delivered": one.error is None, "took_s": round(one.took_s, 3)}
        for one in tried
    ]
    if output is not Output.TABLE:
        print_rows([{name: row[name] for name in COLUMNS} for row in rows], COLUMNS, output)
        return
    table = Table("person", "channel", "address", "", "took", "why not")
    for one in tried:
        good = one.error is None
        mark = Text("delivered 已送达", "green") if good else Text("failed 未送达", "red")
        table.add_row(
            Text(one.person or "–"),
            one.channel,
            Text(one.address),
            mark,
            f"{one.took_s:.1f} s",
            Text(one.error or ""),
        )
    out = console()
    out.soft_wrap = False
    out.print(table)


def _print(rows: list[dict[str, object]]) -> None:
    out = console()
    for row in rows:
        out.rule(Text(f"{row['sample']} · {row['language']}"), align="left", style="dim")
        out.print(Text(str(row["title"]), "bold"))
        out.print(Text(str(row["body"])))
        out.print(Text(f"{row['short']}  [{row['length']}]", "dim"))
