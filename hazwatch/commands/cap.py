"""`hazwatch cap`: CAP 1.2 messages of warnings, as the feed has them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from hazwatch.commands.output import Output, print_rows

if TYPE_CHECKING:
    from domain.cap import CapOptions, Message
    from storage.cap_reading import CapReading

app = typer.Typer(no_args_is_help=True, help="CAP 1.2 messages of warnings 预警.")
WRONG, AWAY = 1, 3
COLUMNS = ("sent", "type", "colour", "status", "headline", "identifier")
T = TypeVar("T")
Database = Annotated[str | None, typer.Option(help="overrides the setting")]


@app.command()
def show(
    which: Annotated[
        str, typer.Argument(help="identifier of a message, or id of a case: its newest message")
    ],
    database_url: Database = None,
) -> None:
    """Print a message as it is sent: XML, the same at any time.

    Example: hazwatch cap show 6639f4c7-05c6-5e3d-b171-5f716fe3da65.1
    """
    from domain.cap import messages, parse_identifier
    from domain.cap_xml import document

    key = parse_identifier(which)
    case = key[0] if key is not None else _case(which)

    async def work(
        cases: "CapReading", owners: list[int], options: "CapOptions"
    ) -> "list[Message]":
        chains = await cases.chains(owners, [] if case is None else [case])
        return [made for chain in chains.values() for made in messages(chain, options)]

    made = _read(database_url, work)
    found = [one for one in made if key is None or one.identifier == which]
    if not found:
        typer.echo(f"there is no warning or message {which!r}", err=True)
        raise typer.Exit(WRONG)
    typer.echo(document(found[-1]).decode(), nl=False)


@app.command()
def feed(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="messages at most")] = 50,
    database_url: Database = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List the newest messages of all warnings.

    Example: hazwatch cap feed --limit 200 --output csv
    """
    from domain.cap import identifier, messages

    async def work(
        cases: "CapReading", owners: list[int], options: "CapOptions"
    ) -> "list[Message]":
        rows = await cases.newest(owners, None, limit)
        chains = await cases.chains(owners, {row["case_id"] for row in rows})
        known = {
            made.identifier: made for chain in chains.values() for made in messages(chain, options)
        }
        return [known[identifier(row["case_id"], row["n"])] for row in rows]

    rows = [
        {
            "sent": made.sent,
            "type": made.msg_type,
            "colour": made.colour.name.lower(),
            "status": made.status,
            "headline": made.infos[0].headline,
            "identifier": made.identifier,
        }
        for made in _read(database_url, work)
    ]
    if output is Output.TABLE:
        _table(rows)
    else:
        print_rows(rows, COLUMNS, output)


def _read(
    database_url: str | None,
    work: "Callable[[CapReading, list[int], CapOptions], Awaitable[T]]",
) -> T:
    """What `work` finds in the database; exits with 3 where that is away."""
    from hazwatch.app import cap_options
    from hazwatch.cli import read_settings
    from storage.cap_reading import CapReading
    from storage.database import DatabaseAway
    from storage.reading import Reading

    settings = read_settings(database_url=database_url)

    async def read() -> T:
        async with Reading(settings.database_url) as reading:
            rows = await reading.rows("cap_enterprises")
            owners = [row["enterprise"] for row in rows]
            cases = CapReading(reading)
            return await work(cases, owners, await cases.as_issued(cap_options(settings)))

    try:
        return asyncio.run(read())
    except DatabaseAway:
        typer.echo("the database cannot be reached; is HAZWATCH_DATABASE_URL right?", err=True)
        raise typer.Exit(AWAY) from None


def _case(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _table(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {"red": "bold red", "orange": "dark_orange", "yellow": "yellow", "blue": "blue"}
    table = Table("sent", "message", "headline, identifier", box=None, padding=(0, 1, 0, 0))
    for row in rows:
        what = Text.assemble(f"{row['type']} ", (row["colour"], styles[row["colour"]]))
        table.add_row(row["sent"], what, Text(f"{row['headline']}\n{row['identifier']}"))
    Console().print(table)
