"""`hazwatch demo`: a small plant, its gateway, broker, database, worker and page, with one
command."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    data_dir: Annotated[
        Path | None, typer.Option(help="keeps its data here; begin again by deleting it")
    ] = None,
    port: Annotated[int, typer.Option(help="of the page; 0 takes a free one")] = 8080,
    last: Annotated[
        float | None, typer.Option("--for", help="stop by itself after so many seconds")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="use this database instead of the embedded one")
    ] = None,
    mqtt_url: Annotated[
        str | None, typer.Option(help="use this broker instead of the embedded one")
    ] = None,
) -> None:
    """Watch a simulated plant: a day tank overfills 20 s after the start. Nothing has to be there
    beforehand.

    Prints the address of the page and two accounts, made up for this run. Ctrl-C stops it; the data
    stay.

    Example: hazwatch demo --port 8088
    """
    import asyncio

    from hazwatch import log
    from hazwatch.demo import run_demo
    from hazwatch.embedded import EmbeddedError, demo_dir

    log.configure("ERROR", as_json=False)
    try:
        asyncio.run(run_demo(data_dir or demo_dir(), port, last, database_url, mqtt_url))
    except EmbeddedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
