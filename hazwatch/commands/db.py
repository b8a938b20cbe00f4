"""`hazwatch db`: the schema."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The database: bring its schema up to date.")


@app.command()
def migrate(
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
) -> None:
    """Create or update the schema. Safe to repeat; nothing is ever dropped.

    Once before the first hazwatch site load; hazwatch run does it, too, when it
    starts. Where the server has TimescaleDB, it is used.

    Example: hazwatch db migrate --database-url postgresql://hazwatch@db/hazwatch
    """
    from hazwatch.cli import AWAY, read_settings
    from storage.database import DatabaseAway
    from storage.migrate import TimescaleNotPermitted
    from storage.migrate import migrate as run

    settings = read_settings(database_url=database_url)
    try:
        report = run(settings.database_url)
    except DatabaseAway as away:
        typer.echo(f"the database is away: {away}", err=True)
        raise typer.Exit(AWAY) from None
    except TimescaleNotPermitted as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    done = f"brought up to {report.after}" if report.applied else f"is at {report.after} already"
    kind = "TimescaleDB" if report.timescale else "PostgreSQL without TimescaleDB"
    typer.echo(f"the schema {done}; {kind}")
