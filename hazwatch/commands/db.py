"""`hazwatch db`: the schema."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The database: bring its schema up to date.")


@app.command()
def migrate(
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
) -> None:
    """Create or update the schema. Safe to repeat; nothing is ever dropped.

    Example: hazwatch db migrate --database-url postgresql://hazwatch@db/hazwatch
    """
    from hazwatch.cli import read_settings
    from storage.migrate import migrate as run

    typer.echo(str(run(read_settings(database_url=database_url).database_url)))
