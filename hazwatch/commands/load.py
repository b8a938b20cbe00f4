"""`hazwatch load`: any number of enterprises and tags at a rate, and what became of it."""

import asyncio
import json
import re
from contextlib import nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from domain.clock import Clock, SystemClock
from hazwatch.commands.documents import WRONG, console
from simulators.broker import Broker
from simulators.swarm import Swarm, site_lines
from simulators.swarm_carrier import RefusedError, Window
from simulators.swarm_play import BrokerAwayError, Pace, Player, canaries_for, new_boot
from simulators.swarm_score import Score
from simulators.swarm_truth import TruthError, TruthFile, read_truth

USAGE, AWAY = 2, 3
LOOK_EVERY_S = 0.5
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Output(StrEnum):
    """How the result is printed."""

    TABLE = "table"
    JSON = "json"


def seconds(said: str) -> float:
    """A duration such as 30, 30s, 5m, 1.5h in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", said.strip())
    if found is None or float(found[1]) == 0:
        raise typer.BadParameter(f"{said!r} is no duration; allowed are 30, 30s, 5m, 1.5h")
    return float(found[1]) * UNITS[found[2]]


def load(
    enterprises: Annotated[int, typer.Option(min=1, max=999, help="how many enterprises")] = 1,
    tags: Annotated[int, typer.Option(min=1, max=999_999, help="tags of each enterprise")] = 1000,
    rate: Annotated[
        float, typer.Option(min=0, help="values a second over all; 0: as fast as it goes")
    ] = 10_000,
    values: Annotated[
        int,
        typer.Option("--values-per-message", min=1, max=20_000, help="at most the number of tags"),
    ] = 100,
    lasting: Annotated[
        float, typer.Option("--for", parser=seconds, metavar="DURATION", help="30s, 5m, 1h")
    ] = "30s",  # type: ignore[assignment]
    breach_every: Annotated[
        float,
        typer.Option(
            min=0, help="seconds between breaches of canary tags, each 0.1 or more; 0: none"
        ),
    ] = 0,
    truth: Annotated[
        Path | None, typer.Option(help="write what was published, for --verify", dir_okay=False)
    ] = None,
    window: Annotated[
        int, typer.Option(min=1, max=60_000, help="messages of a gateway without PUBACK")
    ] = 500,
    unreceipted: Annotated[
        int,
        typer.Option(
            min=0,
            help="messages of a gateway without a receipt of hazwatch, and wait for the last one; "
            "0 does not look at receipts",
        ),
    ] = 0,
    park: Annotated[str, typer.Option(help="code of the load's park")] = "load",
    mqtt_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="overrides the setting (--verify)")
    ] = None,
    site: Annotated[
        bool, typer.Option("--site", help="print the site file of this load, send nothing")
    ] = False,
    verify: Annotated[
        Path | None,
        typer.Option(help="hold this truth file against the database", exists=True, dir_okay=False),
    ] = None,
    output: Annotated[
        Output, typer.Option(help="table, or one JSON line at the end")
    ] = Output.TABLE,
) -> None:
    """Play enterprises full of tags over MQTT, at QoS 1, and prove that nothing of it was lost.

    For a machine that you want to measure: load its site first, with hazwatch
    running. Each value follows from its tag and time, and no tag has a time
    twice. With --unreceipted the load is only as fast as hazwatch stores it.
    One core makes millions of values a second with 100 in a message, and some
    60,000 messages with one.

    Example: hazwatch load --tags 5000 --site > load.yaml && hazwatch site load load.yaml

    Example: hazwatch load --tags 5000 --rate 50000 --for 60s --unreceipted 2000 --truth load.truth

    Example: hazwatch load --verify load.truth
    """
    if verify is not None:
        _verify(verify, database_url, output)
        return
    if values > tags:
        _fail(f"--values-per-message {values}: allowed is up to --tags, {tags}", USAGE)
    if 0 < breach_every < 0.1:
        _fail(f"--breach-every {breach_every:g}: allowed are 0.1 and more, and 0 for none", USAGE)
    swarm = Swarm(enterprises, tags, values, canaries_for(breach_every), park)
    if site:
        for line in site_lines(swarm):
            typer.echo(line)
        return
    pace = Pace(rate, lasting, Window(window, unreceipted), breach_every)
    _show(_played(swarm, _broker(mqtt_url), pace, truth).result(), output)


def _played(swarm: Swarm, broker: Broker, pace: Pace, truth: Path | None) -> Score:
    clock = SystemClock()
    boot = new_boot(clock)
    with nullcontext() if truth is None else TruthFile(truth, swarm, boot) as file:
        player = Player(swarm, broker, clock, pace, file, boot)
        try:
            asyncio.run(_watched(player, clock, pace))
        except* (BrokerAwayError, RefusedError) as failed:
            _fail(str(failed.exceptions[0]), AWAY)
    return player.score


async def _watched(player: Player, clock: Clock, pace: Pace) -> None:
    with _progress() as progress:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(
                _watch(player.score, clock, pace, progress), name="load progress"
            )
            await player.play()
            watching.cancel()


async def _watch(score: Score, clock: Clock, pace: Pace, progress: Progress) -> None:
    line = progress.add_task("connecting", total=pace.for_s)
    began = at = clock.elapsed()
    before = 0
    while True:
        await clock.sleep(LOOK_EVERY_S)
        now = clock.elapsed()
        rate = (score.values - before) / (now - at)
        before, at = score.values, now
        text = f"{score.values:,} values, {rate:,.0f}/s, {score.published - score.acked} open"
        progress.update(line, completed=min(now - began, pace.for_s), description=text)


def _progress() -> Progress:
    return Progress(
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    )


def _verify(file: Path, database_url: str | None, output: Output) -> None:
    from psycopg import OperationalError

    from hazwatch.cli import read_settings
    from hazwatch.commands.proving import UnknownTagsError, verify

    url = read_settings(database_url=database_url).database_url
    try:
        proof = verify(read_truth(file), url)
    except (TruthError, UnknownTagsError) as error:
        _fail(str(error), WRONG)
    except OperationalError as error:
        _fail(f"the database does not answer: {error}", AWAY)
    _show({**asdict(proof), "proved": proof.holds}, output)
    if not proof.holds:
        raise typer.Exit(WRONG)


def _show(result: dict[str, object], output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps(result))
        return
    table = Table(show_header=False)
    for name, value in result.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_row(name.replace("_", " "), f"{value:,}" if number else str(value))
    console().print(table)


def _broker(mqtt_url: str | None) -> Broker:
    from hazwatch.cli import read_settings

    try:
        return Broker.of(read_settings(mqtt_url=mqtt_url).mqtt_url)
    except ValueError as error:
        _fail(str(error), USAGE)


def _fail(text: str, code: int) -> NoReturn:
    console(stderr=True).print(Text(text, "red"))
    raise typer.Exit(code)
