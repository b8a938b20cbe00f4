"""The command line: nouns and verbs, errors that say what to do."""

import asyncio
from importlib.metadata import version
from typing import Annotated

import typer
from pydantic import ValidationError

from hazwatch import log
from hazwatch.settings import Role, Settings

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
        "Settings are environment variables, HAZWATCH_DATABASE_URL and HAZWATCH_MQTT_URL first; "
        "[bold]hazwatch settings[/bold] lists them all."
    ),
)
USAGE, AWAY = 2, 3


def read_settings(**given: object) -> Settings:
    """The settings of the environment, with what the command line says on top; exits with 2 if they
    are wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        for problem in error.errors():
            name = "HAZWATCH_" + "_".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"{name} = {problem['input']!r}: {problem['msg']}", err=True)
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
    from hazwatch.app import serve

    known: tuple[Role, ...] = ("worker", "api")
    chosen = tuple(role for role in known if role in roles.replace(" ", "").split(","))
    if not chosen or len(chosen) != len(roles.split(",")):
        typer.echo(f"--roles {roles!r}: allowed are worker and api, joined by a comma", err=True)
        raise typer.Exit(USAGE)
    settings = read_settings(database_url=database_url, mqtt_url=mqtt_url)
    log.configure(settings.log_level, as_json=settings.log_json)
    asyncio.run(serve(settings, chosen))


@app.command()
def settings() -> None:
    """List every setting with its environment variable, its present value and what it means."""
    from rich.console import Console
    from rich.table import Table

    now = read_settings()
    table = Table("variable", "value", "meaning")
    for name, field in Settings.model_fields.items():
        table.add_row(f"HAZWATCH_{name.upper()}", str(getattr(now, name)), field.description or "")
    Console().print(table)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version("hazwatch"))


def main() -> None:
    """Entry point of the `hazwatch` script."""
    from hazwatch.commands import db, demo, replay, site, user

    app.add_typer(db.app, name="db")
    app.add_typer(site.app, name="site")
    app.add_typer(user.app, name="user")
    app.command("replay")(replay.replay)
    app.command("demo")(demo.demo)
    app()
