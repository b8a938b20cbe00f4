"""`hazwatch user`: who may log in, and what each may see."""

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hazwatch.commands.output import Output, print_rows

if TYPE_CHECKING:
    from storage.reading import Reading

app = typer.Typer(no_args_is_help=True, help="People: who may log in, and what each may see.")

WRONG, AWAY = 1, 3
SHORTEST = 12
"""Characters of a password that a person chooses."""

T = TypeVar("T")
DatabaseUrl = Annotated[str | None, typer.Option(help="overrides the setting")]


class Role(StrEnum):
    """What a person may do."""

    OPERATOR = "operator"
    ENTERPRISE = "enterprise"


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="what the person logs in with", metavar="NAME")],
    role: Annotated[
        Role,
        typer.Option(
            help="operator: a desk, sees and signs for all below its node; enterprise: its own"
        ),
    ],
    node: Annotated[
        list[str],
        typer.Option(
            help="code of a node, or the end of its path: p1, p1/e7; repeatable", metavar="CODE"
        ),
    ],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    generate: Annotated[bool, typer.Option("--generate", help="make one and print it")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Add a person. The password is asked for unless it comes from elsewhere.

    The node says for which level the person signs for warnings (签收):
    enterprise, park, county, city or province. Alarms are acknowledged (确认) by persons of an
    enterprise, the others mark them as seen (已阅).

    Example: hazwatch user add zhang.wei --role operator --node p1 --generate
    """
    from api.passwords import hash_password
    from domain.clock import SystemClock
    from storage.people import NodeUnclear, PersonKnown, add_person, resolve_node
    from storage.reading import Reading

    password = _password(password_stdin, generate)

    async def work(reading: Reading) -> None:
        nodes = [await resolve_node(reading, words) for words in node]
        for words, found in zip(node, nodes, strict=True):
            _fits(role, words, found["kind"], found["enterprise"], found["id"])
        grants = [(role.value, int(found["id"])) for found in nodes]
        await add_person(reading, name, hash_password(password), grants, SystemClock().now())

    try:
        _run(database_url, work)
    except (NodeUnclear, PersonKnown) as error:
        told = f"{name!r} is there already" if isinstance(error, PersonKnown) else str(error)
        typer.echo(told, err=True)
        raise typer.Exit(WRONG) from None
    typer.echo(f"{name} added as {role} of {', '.join(node)}", err=generate)
    if generate:
        typer.echo(password)


@app.command("list")
def list_all(
    database_url: DatabaseUrl = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List everybody who may log in.

    Example: hazwatch user list --output csv
    """
    from rich.console import Console
    from rich.table import Table

    from storage.people import list_people

    people = [
        {
            "name": person["name"],
            "roles": ", ".join(f"{grant['role']} of {grant['node']}" for grant in person["roles"]),
            "since": f"{person['created']:%Y-%m-%d}",
        }
        for person in _run(database_url, list_people)
    ]
    if output is not Output.TABLE:
        print_rows(people, ("name", "roles", "since"), output)
        return
    table = Table("name", "roles", "since")
    for row in people:
        table.add_row(row["name"], row["roles"] or "none", row["since"])
    Console().print(table)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="what the person logs in with", metavar="NAME")],
    database_url: DatabaseUrl = None,
) -> None:
    """Take a person's roles and sessions away at once. The journal keeps the name.

    Example: hazwatch user remove zhang.wei
    """
    from domain.clock import SystemClock
    from storage.people import remove_person
    from storage.reading import Reading

    async def work(reading: Reading) -> bool:
        return await remove_person(reading, name, SystemClock().now())

    if not _run(database_url, work):
        typer.echo(f"there is nobody called {name!r}", err=True)
        raise typer.Exit(WRONG)
    typer.echo(f"{name} removed")


def _password(from_stdin: bool, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(15)
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < SHORTEST:
        typer.echo(f"the password needs at least {SHORTEST} characters", err=True)
        raise typer.Exit(WRONG)
    return password


def _fits(role: Role, words: str, kind: str, enterprise: int | None, id: int) -> None:
    if enterprise is not None and enterprise != id:
        _refuse(f"{words!r} is a {kind}; roles reach a whole enterprise, or an area above")
    if role is Role.ENTERPRISE and enterprise is None:
        _refuse(f"{words!r} is a {kind}; the role enterprise needs an enterprise")


def _refuse(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


def _run(database_url: str | None, work: "Callable[[Reading], Awaitable[T]]") -> T:
    from hazwatch.cli import read_settings
    from storage.database import DatabaseAway
    from storage.reading import Reading

    async def opened() -> T:
        async with Reading(read_settings(database_url=database_url).database_url) as reading:
            return await work(reading)

    try:
        return asyncio.run(opened())
    except DatabaseAway:
        typer.echo("the database cannot be reached; is HAZWATCH_DATABASE_URL right?", err=True)
        raise typer.Exit(AWAY) from None
