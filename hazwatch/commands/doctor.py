"""`hazwatch doctor`: what is wrong with this installation, and what to do."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hazwatch.commands.documents import console
from hazwatch.commands.output import TableOrJson, print_json
from hazwatch.doctor import Check, Diagnosis, Outcome, examine, exit_code
from hazwatch.settings import Settings

COLOURS = {
    Outcome.OK: "green",
    Outcome.UNKNOWN: "cyan",
    Outcome.WARNING: "yellow",
    Outcome.FAILED: "bold red",
}
WORDS = {Outcome.UNKNOWN: "can't tell"}
DATABASE_S, BROKER_S, PROBE_S, MACHINE_S = 20.0, 20.0, 30.0, 10.0
"""Deadlines of the checks."""


def doctor(
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    mqtt_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            help="send 1,200 small messages to see whether the broker keeps them",
        ),
    ] = True,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Look at settings, disk, clocks, database and broker, and say what to do. Changes nothing.

    Exit code 0: nothing failed; 1: something did; 3: a server is away.
    Warnings do not count.

    Example: hazwatch doctor --output json
    """
    from hazwatch.cli import read_settings

    settings = read_settings(database_url=database_url, mqtt_url=mqtt_url)
    with console(stderr=True).status("looking at database, broker, clocks and disk …"):
        found = asyncio.run(examine(_checks(settings, probe)))
    if output is TableOrJson.JSON:
        print_json([asdict(one) for one in found])
    else:
        _show(found)
    raise typer.Exit(exit_code(found))


def _checks(settings: Settings, probe: bool) -> list[Check]:
    from domain.clock import SystemClock
    from hazwatch import (
        doctor_broker,
        doctor_clocks,
        doctor_database,
        doctor_disk,
        doctor_settings,
    )

    clock = SystemClock()

    async def sane() -> Sequence[Diagnosis]:
        return doctor_settings.look(settings, os.environ)

    return [
        Check(doctor_settings.AREA, "sane", sane, MACHINE_S),
        Check(doctor_disk.AREA, "spool", lambda: doctor_disk.look(settings), MACHINE_S),
        Check(doctor_clocks.AREA, "NTP", doctor_clocks.look, MACHINE_S),
        Check(
            doctor_database.AREA,
            "reachable",
            lambda: doctor_database.look(settings, clock),
            DATABASE_S,
            server=True,
        ),
        Check(
            doctor_broker.AREA,
            "reachable",
            lambda: doctor_broker.look(settings),
            BROKER_S,
            server=True,
        ),
        *(
            [Check(doctor_broker.AREA, "queue", lambda: doctor_broker.probe(settings), PROBE_S)]
            if probe
            else []
        ),
    ]


def _show(found: Sequence[Diagnosis]) -> None:
    table = Table("", "check", "")
    for column in ("found", "what to do"):
        table.add_column(column, overflow="fold")
    area = ""
    for one in found:
        outcome = Text(WORDS.get(one.outcome, one.outcome), COLOURS[one.outcome])
        name = one.area if one.area != area else ""
        table.add_row(Text(name, "bold"), one.check, outcome, Text(one.found), Text(one.todo))
        area = one.area
    console().print(table, soft_wrap=False)
