"""`hazwatch db`: the schema, and what is kept in it."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from hazwatch.commands.documents import console
from hazwatch.commands.output import TableOrJson, in_units, print_json

app = typer.Typer(
    no_args_is_help=True, help="The database: bring its schema up to date, see what it keeps."
)


@app.command()
def migrate(
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
) -> None:
    """Create or update the schema. Safe to repeat; nothing is ever dropped.

    Once before the first hazwatch site load; hazwatch run does it, too, when it
    starts. Where the server has TimescaleDB, it is used. A table that somebody
    reads for long is waited for shortly, five times; then exit code 3 says who.

    Example: hazwatch db migrate --database-url postgresql://hazwatch@db/hazwatch
    """
    from hazwatch.cli import AWAY, read_settings
    from storage.database import DatabaseAway
    from storage.migrate import TablesInUse, TimescaleNotPermitted
    from storage.migrate import migrate as run

    settings = read_settings(database_url=database_url)
    try:
        report = run(settings.database_url, waiting=lambda text: typer.echo(text, err=True))
    except TablesInUse as used:
        typer.echo(f"given up: {used}", err=True)
        raise typer.Exit(AWAY) from None
    except DatabaseAway as away:
        typer.echo(f"the database is away: {away}", err=True)
        raise typer.Exit(AWAY) from None
    except TimescaleNotPermitted as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    done = f"brought up to {report.after}" if report.applied else f"is at {report.after} already"
    kind = "TimescaleDB" if report.timescale else "PostgreSQL without TimescaleDB"
    typer.echo(f"the schema {done}; {kind}")


@app.command()
def kept(
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """What is kept how long, what a day adds, and how large it will be. Changes nothing.

    Rows are the server's own estimate. What the disk must hold in the end is
    what a day adds times the days that it is kept, without compression.

    Example: hazwatch db kept --output json
    """
    from domain.clock import SystemClock
    from hazwatch.cli import read_settings
    from hazwatch.commands.database import with_database
    from hazwatch.keeping import keep_of
    from storage.sizes import sizes

    settings = read_settings(database_url=database_url)
    keep, at = keep_of(settings), SystemClock().now()
    found = with_database(database_url, lambda conn: sizes(conn, keep, at), "hazwatch-db")
    if output is TableOrJson.JSON:
        print_json(
            {
                "tables": [asdict(one) | {"in_the_end": one.in_the_end} for one in found.tables],
                "others": found.others,
                "thinned": {"stored": found.thinned[0], "deleted": found.thinned[1]},
            }
        )
        return
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for head in ("table", "from"):
        table.add_column(head, no_wrap=True)
    for head in ("size", "rows a day", "a day", "kept", "in all"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in found.tables:
        table.add_row(
            one.table,
            f"{one.oldest:%Y-%m-%d}" if one.oldest else "",
            in_units(one.size),
            f"{one.rows_a_day:,.0f}" if one.rows_a_day else "?",
            in_units(one.bytes_a_day),
            f"{one.days} d",
            in_units(one.in_the_end),
        )
    table.add_row("others", "", in_units(found.others), "", "", "", "")
    console().print(table)
    stored, deleted = found.thinned
    if stored:
        console().print(f"thinned out: {deleted:,} of {stored:,} samples of old days")
