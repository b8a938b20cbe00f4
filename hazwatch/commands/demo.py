"""`hazwatch demo`: a small park, its gateways, broker, database, worker and page, with one
command."""

import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazwatch.loading import ending_at_once

if TYPE_CHECKING:
    from hazwatch.demo import Wish
    from hazwatch.demo_score import Score
    from hazwatch.settings import Settings

FAILED, USAGE, AWAY = 1, 2, 3
CHATTY = ("amqtt", "asyncio", "simulators")
DURATION = re.compile(
    r"(?=.)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", re.ASCII
)


def duration(said: str) -> float:
    """A duration such as 60, 60s, 2m, 1h30m in seconds."""
    found = DURATION.fullmatch(said.strip())
    hours, minutes, rest = (float(part or 0) for part in found.groups()) if found else (0, 0, 0)
    seconds = hours * 3600 + minutes * 60 + rest
    if not 0 < seconds < float("inf"):
        raise typer.BadParameter(f"{said!r} is no duration; allowed are 60, 60s, 2m, 1h30m")
    return seconds


def demo(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="keeps its data here; by default /var/lib/hazwatch/demo as root, "
            "else below ~/.local/share; begin again by deleting it"
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="of the page; 0 takes a free one",
            show_default="8080, or a free one",
        ),
    ] = None,
    lasting: Annotated[
        float | None,
        typer.Option(
            "--for", parser=duration, metavar="DURATION", help="stop by itself: 60s, 2m, 1h30m"
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="measure with a canary alarm a second; end with one JSON line, and with exit code "
            "0 only where all figures hold; without --data-dir it begins from nothing and keeps "
            "nothing",
        ),
    ] = False,
    database_url: Annotated[
        str | None, typer.Option(help="use this database instead of the embedded one")
    ] = None,
    mqtt_url: Annotated[
        str | None, typer.Option(help="use this broker instead of the embedded one")
    ] = None,
) -> None:
    """Watch a simulated chemical park: the first incident comes 20 s after the start.

    Nothing has to be there beforehand. It prints the address of the page and
    accounts, made up for this run. Ctrl-C stops it; the data stay, open
    warnings too, and the next start goes on with them.
    HAZWATCH_DATABASE_URL and HAZWATCH_MQTT_URL do the same as the options;
    HAZWATCH_CONTACTS_FILE names who is told of warnings.

    Exit codes: 0 good; 1 figures do not add up, or a canary got lost; 2 usage;
    3 a server is away, or does not start.

    Example: hazwatch demo --port 8088

    Example: hazwatch demo --for 60s --json
    """
    with ending_at_once():
        from hazwatch.cli import read_settings
        from hazwatch.demo import Wish
        from hazwatch.embedded import demo_dir
        from hazwatch.warning_rules import WarningRulesError, warning_rules

    settings = read_settings(
        database_url=database_url, mqtt_url=mqtt_url, data_dir=data_dir, api_port=port
    )
    try:
        warning_rules(settings)
    except WarningRulesError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(USAGE) from None
    _configure_log(settings)
    chosen = settings.data_dir if "data_dir" in settings.model_fields_set else None
    with _folder(chosen, demo_dir(), passing=as_json) as folder:
        placed = settings.model_copy(update={"data_dir": folder})
        score = _run(Wish(placed, lasting, as_json))
    if as_json:
        _tell(score)


@contextmanager
def _folder(chosen: Path | None, usual: Path, *, passing: bool) -> Iterator[Path]:
    """Where the data go; of a passing run they are gone afterwards, unless a folder was chosen."""
    if chosen is not None or not passing:
        yield chosen or usual
        return
    folder = usual.with_name(f"{usual.name}-{os.getpid()}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configure_log(settings: "Settings") -> None:
    """Errors only, unless a level was set; and no word of connections that come back by
    themselves."""
    from hazwatch import log

    if "log_level" in settings.model_fields_set:
        log.configure(settings.log_level, as_json=settings.log_json)
        return
    log.configure("ERROR", as_json=settings.log_json)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.CRITICAL)


def _run(wish: "Wish") -> "Score | None":
    """Run it; what can be mended is said, and ends the process with its code."""
    import asyncio

    import psycopg

    from domain.clock import SystemClock
    from hazwatch.commands.documents import console
    from hazwatch.demo import Demo
    from hazwatch.demo_screen import Screen
    from hazwatch.demo_servers import DemoError
    from storage.database import DatabaseAway

    clock = SystemClock()
    screen, out = Screen(console(stderr=True), clock), console(stderr=wish.measured)
    score, trouble, code = None, "", 0
    try:
        score = asyncio.run(Demo(wish, screen, out, clock).run())
    except* DemoError as failed:
        found = _first(failed)
        trouble, code = str(found), getattr(found, "code", AWAY)
    except* (DatabaseAway, psycopg.OperationalError) as failed:
        trouble, code = f"the database is away: {_first(failed)}", AWAY
    if code:
        typer.echo(trouble, err=True)
        raise typer.Exit(code)
    return score


def _tell(score: "Score | None") -> None:
    if score is None:
        typer.echo("nothing was measured", err=True)
        raise typer.Exit(FAILED)
    typer.echo(json.dumps(score.result()))
    for fault in score.faults:
        typer.echo(f"does not hold: {fault}", err=True)
    if score.faults:
        raise typer.Exit(FAILED)


def _first(failed: BaseException) -> BaseException:
    """The first plain exception of a group."""
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    return failed
