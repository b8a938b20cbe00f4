"""`hazwatch kpi`: how well a desk can live with its alarms and warnings 报警绩效."""

import asyncio
import re
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hazwatch.commands.output import Output, print_json, print_rows

if TYPE_CHECKING:
    from hazwatch.settings import Settings
    from storage.kpi_reading import Query

WRONG, USAGE, AWAY = 1, 2, 3
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
LAST = re.compile(r"(\d+)([hdw])")
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
PATIENCE_S = 120.0
"""One statement may read so long: a period has no bound here."""


class DeskWord(StrEnum):
    """Levels that have duty desks."""

    ENTERPRISE = "enterprise"
    PARK = "park"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"


def kpi(
    node: Annotated[
        str | None,
        typer.Option(
            "--enterprise",
            "--node",
            help="code of an enterprise, park …, or the end of its path: p1/e7",
            metavar="CODE",
        ),
    ] = None,
    desk: Annotated[
        DeskWord | None,
        typer.Option(help="whose desks; by default the node's own, else every enterprise's"),
    ] = None,
    begin: Annotated[
        datetime | None,
        typer.Option("--from", formats=FORMATS, help="in the site's time zone, or with an offset"),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=FORMATS, help="the same; default: now")
    ] = None,
    last: Annotated[
        str, typer.Option(help="instead of --from: so long before --to, such as 12h, 30d, 4w")
    ] = "30d",
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """KPIs of alarms 报警绩效 beside their targets (ISA-18.2, EEMUA 191), and of warnings.

    One position is shown whole, several as a list. docs/kpi.md says how everything is counted.

    Example: hazwatch kpi --enterprise e7 --last 30d

    Example: hazwatch kpi --desk park --from 2026-11-01 --to 2026-12-01 --output csv
    """
    from domain.clock import SystemClock
    from hazwatch.cli import read_settings

    settings = read_settings(database_url=database_url)
    zone = settings.timezone
    now = SystemClock().now()
    until = _aware(end, zone) or now
    since = _aware(begin, zone) or until - _length(last)
    if since >= until:
        typer.echo("--from must lie before --to", err=True)
        raise typer.Exit(USAGE)
    found = _read(settings, node, desk, (since, until, now), whole=output is Output.JSON)
    if not found:
        typer.echo("there is no such desk: load a site first, or name another node", err=True)
        raise typer.Exit(WRONG)
    if output is Output.JSON:
        print_json(found)
    elif output is Output.CSV:
        from hazwatch.commands.kpi_rows import COLUMNS, flat

        print_rows(flat(found), COLUMNS, output)
    else:
        from hazwatch.commands.kpi_screen import show

        show(found, zone)


def _read(
    settings: "Settings",
    node: str | None,
    desk: DeskWord | None,
    times: tuple[datetime, datetime, datetime],
    *,
    whole: bool,
) -> list[dict[str, Any]]:
    """The members of every position; whole: also where there are several."""
    from domain.cases import Level
    from storage.database import DatabaseAway
    from storage.kpi_reading import Query, level_at, position_members
    from storage.people import NodeUnclear, resolve_node
    from storage.reading import Reading

    since, until, now = times

    async def read() -> list[dict[str, Any]]:
        async with Reading(settings.database_url, statement_s=PATIENCE_S) as reading:
            place = None if node is None else await resolve_node(reading, node)
            kind = "enterprise" if place is None else str(place["kind"])
            level = Level[desk.value.upper()] if desk else level_at(kind)
            id = None if place is None else int(place["id"])
            asked = Query(level, id, since, until, now, settings.timezone)
            found = await _watched(reading, asked, settings)
            return [position_members(one, whole=whole or len(found) == 1) for one in found]

    try:
        return asyncio.run(read())
    except NodeUnclear as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG) from None
    except DatabaseAway:
        typer.echo("the database cannot be reached; is HAZWATCH_DATABASE_URL right?", err=True)
        raise typer.Exit(AWAY) from None


async def _watched(reading: Any, asked: "Query", settings: "Settings") -> list[Any]:
    """Read, and say on a terminal what is being read."""
    from domain.alarm_noise import kpi_targets, noise_rules
    from hazwatch.warning_rules import ladders_of
    from storage.kpi_reading import Model, read_kpis

    model = Model(noise_rules(), kpi_targets(), ladders_of(settings))
    if not sys.stderr.isatty():
        return await read_kpis(reading, asked, model)
    from rich.console import Console

    with Console(stderr=True).status("reading …") as status:
        return await read_kpis(reading, asked, model, lambda what: status.update(f"{what} …"))


def _length(words: str) -> timedelta:
    said = LAST.fullmatch(words)
    if said is None or int(said[1]) == 0:
        typer.echo(f"--last {words!r}: say such as 12h, 30d or 4w", err=True)
        raise typer.Exit(USAGE)
    return int(said[1]) * UNITS[said[2]]


def _aware(when: datetime | None, zone: ZoneInfo) -> datetime | None:
    if when is None:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
