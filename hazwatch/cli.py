"""The command line: nouns and verbs, errors that say what to do."""

import asyncio
import os
from importlib.metadata import version
from typing import Annotated

import typer
from pydantic import ValidationError

from domain import fault_points
from hazwatch import log
from hazwatch.loading import keep_compiled
from hazwatch.settings import Role, Settings, shown

app = typer.Typer(
    name="hazwatch",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    help=(
        "Watch major hazard sources 重大危险源 online: samples in, alarms out, nothing lost.\n\n"
        "First look:   hazwatch demo\n\n"
        "For real:     hazwatch db migrate · hazwatch site load SITE.yaml · "
        "hazwatch user add NAME --role operator --node PARK --generate · hazwatch run\n\n"
        "Trouble:      hazwatch doctor\n\n"
        "Settings are environment variables, HAZWATCH_DATABASE_URL and HAZWATCH_MQTT_URL first; "
        "[bold]hazwatch settings[/bold] lists them all. hazwatch --install-completion teaches "
        "your shell to complete. Exit codes: 0 good, 1 something is wrong in what was given, "
        "2 usage, 3 a server is away, 4 another worker has taken over."
    ),
)
USAGE, AWAY, REPLACED = 2, 3, 4


def read_settings(**given: object) -> Settings:
    """The settings of the environment, with what the command line says on top; exits with 2 if they
    are wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        for problem in error.errors():
            name = "HAZWATCH_" + "_".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"{name} = {shown(problem['input'])!r}: {problem['msg']}", err=True)
        raise typer.Exit(USAGE) from None


@app.command()
def run(
    roles: Annotated[
        str, typer.Option(help="what this process does: worker, api, or both with a comma")
    ] = "worker,api",
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    mqtt_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Example: hazwatch run --roles worker
    """
    known: tuple[Role, ...] = ("worker", "api")
    chosen = tuple(role for role in known if role in roles.replace(" ", "").split(","))
    if not chosen or len(chosen) != len(roles.split(",")):
        typer.echo(f"--roles {roles!r}: allowed are worker and api, joined by a comma", err=True)
        raise typer.Exit(USAGE)
    settings = read_settings(database_url=database_url, mqtt_url=mqtt_url)
    keep_compiled(settings.data_dir)
    from hazwatch.app import serve
    from hazwatch.notice_check import start_faults
    from storage.lease import LeaseLost

    if faults := start_faults(settings):
        typer.echo("\n".join(faults), err=True)
        raise typer.Exit(USAGE)
    log.configure(settings.log_level, as_json=settings.log_json)
    try:
        fault_points.arm(os.environ.get(fault_points.VARIABLE))
    except fault_points.FaultPointError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(USAGE) from None
    try:
        asyncio.run(serve(settings, chosen))
    except LeaseLost:
        raise typer.Exit(REPLACED) from None


@app.command("version")
def show_version() -> None:
    """Print the version.

    Example: hazwatch version
    """
    typer.echo(version("hazwatch"))


def assembled() -> typer.Typer:
    """The command line with all its nouns."""
    from hazwatch.commands import (
        alarms,
        cap,
        db,
        demo,
        doctor,
        evaluate,
        gaps,
        gateway,
        grade,
        import_files,
        kpi,
        load,
        notify,
        pca,
        prepare,
        replay,
        roster,
        settings,
        site,
        user,
        warnings,
        wire,
    )

    app.add_typer(db.app, name="db")
    app.add_typer(site.app, name="site")
    app.add_typer(user.app, name="user")
    app.add_typer(gateway.app, name="gateway")
    app.add_typer(alarms.app, name="alarms")
    app.add_typer(warnings.app, name="warnings")
    app.add_typer(evaluate.app, name="evaluate")
    app.add_typer(notify.app, name="notify")
    app.add_typer(pca.app, name="pca")
    app.add_typer(roster.app, name="roster")
    app.add_typer(wire.app, name="wire")
    app.add_typer(cap.app, name="cap")
    app.command("replay")(replay.replay)
    app.command("gaps")(gaps.gaps)
    app.command("kpi")(kpi.kpi)
    app.command("import")(import_files.import_files)
    app.command("grade")(grade.grade)
    app.command("demo")(demo.demo)
    app.command("prepare")(prepare.prepare)
    app.command("load")(load.load)
    app.command("doctor")(doctor.doctor)
    app.command("settings")(settings.settings)
    return app


def main() -> None:
    """Entry point of the `hazwatch` script."""
    assembled()()
