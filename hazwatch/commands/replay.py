"""`hazwatch replay`: a recorded table through the real broker, as a gateway would have sent it."""

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import yaml
from rich.table import Table
from rich.text import Text

from domain.instant import rfc3339
from domain.replay_map import ReplayMap, read_map
from hazwatch.commands.documents import WRONG, console, read_document, schema_text
from hazwatch.commands.replaying import ReplayOptions, StalledError, play, recorded_rows
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.playback import Tally
from simulators.recording import RecordingError

USAGE, AWAY = 2, 3


def json_schema() -> str:
    """The published schema, `schemas/replay-map.schema.json`."""
    return schema_text(ReplayMap.model_json_schema(), "hazwatch replay map")


def _print_schema(wanted: bool) -> None:
    if wanted:
        typer.echo(json_schema(), nl=False)
        raise typer.Exit


def replay(
    file: Annotated[
        Path,
        typer.Argument(
            help="recorded table (CSV or the like)", exists=True, dir_okay=False, metavar="FILE"
        ),
    ],
    plan: Annotated[
        Path, typer.Option("--map", help="replay map (YAML)", exists=True, dir_okay=False)
    ],
    mqtt_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="as live data: the first row happens now")
    ] = False,
    historical: Annotated[
        bool, typer.Option("--historical", help="as backfill under its own times (default)")
    ] = False,
    speed: Annotated[
        float,
        typer.Option(min=0.001, help="with --rebase: pace and dates this many times as fast"),
    ] = 1.0,
    limit: Annotated[int | None, typer.Option(min=1, help="at most this many rows")] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="give up after this many seconds without progress")
    ] = 60.0,
    check: Annotated[
        bool, typer.Option("--check", "--dry-run", help="read everything, send nothing")
    ] = False,
    site: Annotated[
        bool, typer.Option("--site", help="print a site file for the map's tags, send nothing")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            callback=_print_schema,
            is_eager=True,
            help="print the JSON Schema of replay maps, and nothing else",
        ),
    ] = False,
) -> None:
    """Send a recorded table to the broker as the gateway that its map names, and wait for receipts.

    Load the map's site first (--site prints it), and have hazwatch running.
    --historical keeps the recorded times and goes as fast as receipts come: it
    is judged in the replay lane, as found afterwards. --rebase moves the first
    row to now and keeps the pace, so that alarms come live; with --speed 60 an
    hour takes a minute and is dated so, and rates are 60 times the recorded
    ones. Empty cells send nothing.

    Example: hazwatch replay detectors.csv --map deploy/maps/metec.yaml --historical
    """
    if rebase and historical:
        _fail("--rebase and --historical exclude each other", USAGE)
    if speed != 1.0 and not rebase:
        _fail("--speed goes with --rebase; backfill goes as fast as receipts come", USAGE)
    read = read_document(plan, read_map)
    if site:
        typer.echo(site_snippet(read), nl=False)
        return
    tally = Tally()
    try:
        if check:
            for row in recorded_rows(file, read, limit):
                tally.count(row)
            _show(tally, None)
        else:
            options = ReplayOptions(
                file, read, _broker(mqtt_url), speed if rebase else None, limit, timeout
            )
            _show(tally, asyncio.run(play(options, tally)))
    except RecordingError as error:
        _fail(f"{file}: {error}", WRONG)
    except StalledError as error:
        _fail(str(error), AWAY)
    if tally.unreadable or tally.spoilt:
        raise typer.Exit(WRONG)


def site_snippet(plan: ReplayMap) -> str:
    """A site file that registers the park, the enterprise, the gateway and the tags of a map."""
    content = plan.site().model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)


def _broker(mqtt_url: str | None) -> Broker:
    from hazwatch.cli import read_settings

    try:
        return Broker.of(read_settings(mqtt_url=mqtt_url).mqtt_url)
    except ValueError as error:
        _fail(str(error), USAGE)


def _show(tally: Tally, gateway: Gateway | None) -> None:
    out = console()
    table = Table(show_header=False)
    table.add_row("rows", str(tally.rows))
    if tally.first is not None and tally.last is not None:
        table.add_row("recorded", f"{rfc3339(tally.first)} to {rfc3339(tally.last)}")
    table.add_row("values", str(tally.values))
    table.add_row("empty cells", str(tally.empty))
    table.add_row("unreadable rows", str(tally.unreadable))
    table.add_row("unreadable cells", str(tally.spoilt))
    if gateway is not None:
        table.add_row("messages", str(tally.messages))
        table.add_row("receipt", f"boot {gateway.boot}, seq {gateway.receipt}")
    out.print(table)
    for trouble in tally.troubles:
        out.print(Text(trouble, "yellow"))


def _fail(text: str, code: int) -> NoReturn:
    console(stderr=True).print(Text(text, "red"))
    raise typer.Exit(code)
