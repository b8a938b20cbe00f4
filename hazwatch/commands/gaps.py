"""`hazwatch gaps`: what is missing 缺失台账, and how complete the data are."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hazwatch.commands.output import Output, print_rows

if TYPE_CHECKING:
    from storage.reading import Reading, Row

WRONG, AWAY = 1, 3
COLUMNS = (
    *("from", "to", "state", "kind", "enterprise", "gateway", "tag", "cause", "tags", "missing_s"),
    *("messages", "seen_at", "filled_at", "filled_by", "id"),
)
TOTALS = (
    *("enterprise", "gateway", "tags", "completeness", "expected_s", "missing_s"),
    *("gaps", "filled", "messages"),
)
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
STATES = {"open": "bold red", "missing": "bold", "filled": "dim", "lost": "red"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; times are aware."""

    gateway: str | None
    tag: str | None
    node: str | None
    missing_only: bool
    begin: datetime | None
    end: datetime | None
    limit: int
    at: datetime


def gaps(
    gateway: Annotated[str | None, typer.Option(help="code of a gateway", metavar="CODE")] = None,
    tag: Annotated[
        str | None, typer.Option(help="a tag: its own gaps, and its gateway's", metavar="NAME")
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(help="code of a node, or the end of its path: p1/e7", metavar="CODE"),
    ] = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="also what has been filled, or is lost")
    ] = False,
    begin: Annotated[
        datetime | None,
        typer.Option("--from", formats=FORMATS, help="in the site's time zone, or with an offset"),
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=FORMATS, help="the same")] = None,
    totals: Annotated[
        bool, typer.Option("--totals", help="how complete each gateway's data are, instead")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="lines at most")] = 200,
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List missing data 缺失数据: of gateways, tags and numbered messages, the newest first.

    Without --all only what is still missing. --totals: completeness 数据完整率 of a period, by
    default of the last 24 hours.

    Example: hazwatch gaps --node e7 --from 2026-11-01 --output csv
    """
    from domain.clock import SystemClock
    from hazwatch.cli import read_settings
    from storage.database import DatabaseAway
    from storage.people import NodeUnclear
    from storage.reading import Reading

    settings = read_settings(database_url=database_url)
    zone = settings.timezone
    times = _aware(begin, zone), _aware(end, zone)
    asked = Asked(gateway, tag, node, not all_of_them, *times, limit, SystemClock().now())

    async def read() -> list[dict[str, Any]]:
        async with Reading(settings.database_url) as reading:
            return await (_totals if totals else _gaps)(reading, asked)

    try:
        rows = asyncio.run(read())
    except NodeUnclear as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG) from None
    except DatabaseAway:
        typer.echo("the database cannot be reached; is HAZWATCH_DATABASE_URL right?", err=True)
        raise typer.Exit(AWAY) from None
    if output is not Output.TABLE:
        print_rows(rows, TOTALS if totals else COLUMNS, output)
    else:
        (_show_totals if totals else _show)(rows, zone)


async def _gaps(reading: "Reading", asked: Asked) -> list[dict[str, Any]]:
    from storage.gaps_reading import list_gaps, state_of

    subject, node = await _subject(reading, asked)
    enterprises = await _enterprises(reading)
    rows = await list_gaps(
        reading,
        list(enterprises),
        at=asked.at,
        gateway=subject["gateway"],
        tag=subject["tag"],
        node=node,
        open=True if asked.missing_only else None,
        begin=asked.begin,
        end=asked.end,
        limit=asked.limit,
    )
    return [
        row
        | {
            "from": row["time_from"],
            "to": row["time_to"],
            "state": state_of(row),
            "enterprise": enterprises[row["enterprise"]],
            "gateway": row["gateway_code"],
            "tag": row["tag_name"],
        }
        for row in rows
    ]


async def _totals(reading: "Reading", asked: Asked) -> list[dict[str, Any]]:
    from storage.gaps_reading import completeness, gap_totals

    subject, node = await _subject(reading, asked)
    enterprises = await _enterprises(reading)
    until = min(asked.end or asked.at, asked.at)
    since = asked.begin or until - timedelta(days=1)
    below = [row["id"] for row in await reading.rows("gap_enterprises_below", node=node)]
    rows = await gap_totals(reading, below, since, until, limit=asked.limit)
    return [
        row
        | {
            "enterprise": enterprises[row["enterprise"]],
            "gateway": row["code"],
            "completeness": completeness(row),
        }
        for row in rows
        if subject["gateway"] in (None, row["gateway"])
    ]


async def _subject(reading: "Reading", asked: Asked) -> "tuple[Row, int | None]":
    """The gateway or tag that is asked for, and the node."""
    from storage.people import NodeUnclear, resolve_node

    node = None if asked.node is None else int((await resolve_node(reading, asked.node))["id"])
    if asked.gateway is None and asked.tag is None:
        return {"gateway": None, "tag": None}, node
    rows = await reading.rows("gap_subjects", gateway=asked.gateway, tag=asked.tag, node=node)
    if len(rows) == 1:
        return rows[0], node
    what = asked.tag or asked.gateway
    raise NodeUnclear(
        f"more than one is called {what!r}, or both were given: say --node, or one of them"
        if rows
        else f"there is no {'gateway' if asked.tag is None else 'tag'} {what!r}"
    )


async def _enterprises(reading: "Reading") -> dict[int, str]:
    return {
        row["id"]: row["code"] for row in await reading.rows("gap_enterprises_below", node=None)
    }


def _show(rows: list[dict[str, Any]], zone: ZoneInfo) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("from", "lasts", "state", "whose", "missing", "due to")
    for column in table.columns[:3]:
        column.no_wrap = True
    for row in rows:
        what = row["tag"] or ("messages" if row["kind"] == "messages" else f"{row['tags']} tags")
        last = None if row["to"] is None else (row["to"] - row["from"]).total_seconds()
        table.add_row(
            f"{row['from'].astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "…" if last is None else duration(last),
            f"[{STATES[row['state']]}]{row['state']}[/]",
            f"{row['enterprise']}/{row['gateway'] or '–'} {what}",
            row["filled_by"] or "" if row["state"] == "filled" else _amount(row),
            row["cause"],
        )
    Console().print(table if rows else "nothing is missing 没有缺失数据")


def _show_totals(rows: list[dict[str, Any]], _: ZoneInfo) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("gateway", "tags", "complete 完整率", "missing", "gaps", "filled", "messages")
    for row in rows:
        share = row["completeness"]
        table.add_row(
            f"{row['enterprise']}/{row['gateway']}",
            str(row["tags"]),
            "–" if share is None else f"{int(share * 1e5) / 1e3:.3f} %",
            duration(row["missing_s"]),
            *(str(row[name]) for name in ("gaps", "filled", "messages")),
        )
    Console().print(table)


def _amount(row: dict[str, Any]) -> str:
    if row["kind"] == "messages":
        return f"{row['messages']} messages"
    each = row["missing_s"] / max(1, row["tags"])
    return duration(each) if row["tags"] == 1 else f"{duration(each)} each"


def duration(seconds: float) -> str:
    """Whole seconds as 2 d 3 h, 3 h 4 min, 4 min 5 s or 5 s."""
    whole = round(seconds)
    parts: list[str] = []
    for size, word in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if whole >= size or (word == "s" and not parts):
            parts.append(f"{whole // size} {word}")
            whole %= size
    return " ".join(parts[:2])


def _aware(when: datetime | None, zone: ZoneInfo) -> datetime | None:
    if when is None:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
