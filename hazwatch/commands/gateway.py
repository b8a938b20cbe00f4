"""`hazwatch gateway key`: by which keys gateways send over HTTP."""

import getpass
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hazwatch.commands.database import fail, with_database
from hazwatch.commands.documents import console
from hazwatch.commands.output import Output, print_rows

if TYPE_CHECKING:
    from domain.plant import Gateway
    from storage.database import Connection
    from storage.gateway_keys import KeptKey

app = typer.Typer(no_args_is_help=True, help="Gateways: their keys for sending over HTTP.")
key_app = typer.Typer(no_args_is_help=True, help="Keys of gateways for sending over HTTP.")
app.add_typer(key_app, name="key")

WRONG = 1
COLUMNS = ("gateway", "key", "state", "created", "by", "expires", "used", "revoked", "revoked_by")
T = TypeVar("T")
Place = Annotated[
    str, typer.Argument(help="the gateway, as PARK/ENTERPRISE/GATEWAY", metavar="GATEWAY")
]
By = Annotated[str | None, typer.Option(help="who does it; by default you")]
DatabaseUrl = Annotated[str | None, typer.Option(help="overrides the setting")]


@key_app.command()
def add(
    gateway: Place,
    days: Annotated[
        int | None, typer.Option(help="for how many days it holds; by default for ever", min=1)
    ] = None,
    by: By = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key and print it, this once: only its digest is kept. Older keys go on holding.

    Example: hazwatch gateway key add p1/e1/g1 --days 365
    """
    from domain.clock import SystemClock
    from ingest.gateway_keys import GatewayKey, new_key
    from storage.gateway_keys import add_key

    at = SystemClock().now()
    expires = None if days is None else at + timedelta(days=days)
    id, key, digest = new_key()

    async def work(conn: "Connection") -> None:
        (found,) = await _gateways(conn, gateway)
        new = GatewayKey(id, found.id, digest, expires)
        await add_key(conn, new, found.enterprise, by=by or getpass.getuser(), at=at)

    _run(database_url, work)
    until = "for ever" if expires is None else f"until {expires:%Y-%m-%d}"
    typer.echo(f"key {id} of {gateway} holds {until}; it is shown this once:", err=True)
    typer.echo(key)


@key_app.command("list")
def list_all(
    gateway: Annotated[
        str | None,
        typer.Argument(help="one gateway, PARK/ENTERPRISE/GATEWAY; else all", metavar="[GATEWAY]"),
    ] = None,
    database_url: DatabaseUrl = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List keys, revoked ones too: who made them, until when they hold, when they were used.

    Example: hazwatch gateway key list p1/e1/g1
    """
    from rich.table import Table

    from domain.clock import SystemClock
    from storage.gateway_keys import list_keys

    async def work(conn: "Connection") -> list[dict[str, Any]]:
        names = {one.id: _name(one) for one in await _gateways(conn, gateway)}
        keys = await list_keys(conn, None if gateway is None else list(names))
        return [_row(key, names.get(key.gateway, "removed"), at) for key in keys]

    at = SystemClock().now()
    rows = _run(database_url, work)
    if output is not Output.TABLE:
        print_rows(rows, COLUMNS, output)
        return
    table = Table()
    for name in COLUMNS[:7]:
        table.add_column(name, no_wrap=name == "key", overflow="fold")
    for row in rows:
        table.add_row(*(str(row[name] or "–") for name in COLUMNS[:7]))
    console().print(table)


@key_app.command()
def revoke(
    gateway: Place,
    key: Annotated[
        str | None, typer.Option(help="which, by the id that the list shows", metavar="ID")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="all that hold")] = False,
    by: By = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a key hold no longer: within 5 s it opens no door. It stays in the list.

    Where several hold, say which, or --all.

    Example: hazwatch gateway key revoke p1/e1/g1 --key 0123456789ab
    """
    from domain.clock import SystemClock
    from storage.gateway_keys import list_keys, revoke_keys

    at = SystemClock().now()

    async def work(conn: "Connection") -> set[str]:
        (found,) = await _gateways(conn, gateway)
        keys = [one for one in await list_keys(conn, [found.id]) if one.holds(at)]
        ids = _chosen(keys, gateway, key, every=every)
        return await revoke_keys(conn, ids, by=by or getpass.getuser(), at=at)

    for id in sorted(_run(database_url, work)):
        typer.echo(f"key {id} of {gateway} revoked")


def _chosen(
    keys: Sequence["KeptKey"], gateway: str, id: str | None, *, every: bool
) -> Sequence[str]:
    """Ids of the keys that are meant."""
    ids = [key.id for key in keys]
    if id is not None and id not in ids:
        fail(f"{gateway} has no key {id} that holds; there is: {', '.join(ids) or 'none'}", WRONG)
    if not ids:
        fail(f"{gateway} has no key that holds", WRONG)
    if id is None and len(ids) > 1 and not every:
        fail(f"{gateway} has {len(ids)} keys: say which by --key, or --all: {', '.join(ids)}", 2)
    return ids if id is None else [id]


def _row(key: "KeptKey", name: str, at: datetime) -> dict[str, Any]:
    state = "holds" if key.holds(at) else "expired" if key.revoked_at is None else "revoked"
    return {
        "gateway": name,
        "key": key.id,
        "state": state,
        "created": f"{key.created_at:%Y-%m-%d}",
        "by": key.created_by,
        "expires": None if key.expires_at is None else f"{key.expires_at:%Y-%m-%d}",
        "used": None if key.used_at is None else f"{key.used_at:%Y-%m-%d %H}h",
        "revoked": None if key.revoked_at is None else f"{key.revoked_at:%Y-%m-%d}",
        "revoked_by": key.revoked_by,
    }


def _name(gateway: "Gateway") -> str:
    return f"{gateway.park}/{gateway.enterprise_code}/{gateway.code}"


async def _gateways(conn: "Connection", name: str | None) -> list["Gateway"]:
    """The gateway of that name, or all; exits where there is none."""
    from storage.registry import read_registry

    found = {_name(one): one for one in (await read_registry(conn)).gateways}
    if name is None:
        return list(found.values())
    if name not in found:
        known = ", ".join(sorted(found)[:20]) or "none yet, load a site first"
        fail(f"no gateway is called {name!r}; there is: {known}", WRONG)
    return [found[name]]


def _run(database_url: str | None, work: "Callable[[Connection], Awaitable[T]]") -> T:
    return with_database(database_url, work, "hazwatch-gateway")
