"""`hazwatch import`: years of history out of CSV and Parquet files, into the replay lane."""

from pathlib import Path
from typing import Annotated

import typer

from domain.import_map import ImportMap
from hazwatch.commands.documents import schema_text

USAGE = 2


def json_schema() -> str:
    """The published schema, `schemas/import-map.schema.json`."""
    return schema_text(ImportMap.model_json_schema(), "hazwatch import map")


def _print_schema(wanted: bool) -> None:
    if wanted:
        typer.echo(json_schema(), nl=False)
        raise typer.Exit


def import_files(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV (also .gz, .zst) or Parquet", exists=True, dir_okay=False, metavar="FILE…"
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--map", help="import map (YAML)", exists=True, dir_okay=False),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="of times without an offset, such as Asia/Shanghai"),
    ] = None,
    enterprise: Annotated[
        str | None, typer.Option(help="whose tags they are: code, or park/code")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--check", help="read and show everything, store nothing")
    ] = False,
    print_map: Annotated[
        bool, typer.Option("--print-map", help="print the map that would be used, store nothing")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="take a guessed map without asking")
    ] = False,
    skip_unknown: Annotated[
        bool, typer.Option(help="leave out columns of the map that no tag is registered for")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="read a file once more that was imported already")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="where to write what was not taken [default: FILE.problems.csv here]"),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="so many seconds for a database that is away")
    ] = 120.0,
    show: Annotated[
        bool, typer.Option("--list", help="show the imports so far, and nothing else")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="no bar, and nothing where all is well")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the result as JSON, no bar")] = False,
    database_url: Annotated[str | None, typer.Option(help="overrides the setting")] = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            callback=_print_schema,
            is_eager=True,
            help="print the JSON Schema of import maps, and nothing else",
        ),
    ] = False,
) -> None:
    """Import years of history into the database, to be judged afterwards 事后发现.

    Tables of one column for each tag, or of one value in each row. Without a
    map columns are matched to registered tags by name; look at it first:

    hazwatch import trend.csv --timezone Asia/Shanghai --dry-run

    Nothing of it ever raises a live alarm or replaces a newer value. What is
    there already stays. Killed at any moment, the same command goes on where
    it was; each sample ends there once. What can't be read is told line by
    line in a report, and keeps nothing else out.

    Services may run meanwhile. Exit codes: 0 all of it is there, 1 some of it
    is not taken (see the report), 2 usage, 3 the database is away.

    Example: hazwatch import 2019.csv.gz 2020.csv.gz --map trend.yaml
    """
    from hazwatch.commands import importing

    chosen = importing.Options(
        tuple(files or ()),
        plan,
        timezone,
        enterprise,
        dry_run=dry_run,
        print_map=print_map,
        yes=yes,
        skip_unknown=skip_unknown,
        again=again,
        report=report,
        wait_s=wait,
        quiet=quiet,
        as_json=as_json,
        database_url=database_url,
    )
    if show:
        importing.list_imports(chosen)
        return
    if not files:
        typer.echo("name a file, or say --list; hazwatch import --help tells more", err=True)
        raise typer.Exit(USAGE)
    if report is not None and len(files) > 1:
        typer.echo("--report goes with one file; without it each gets its own", err=True)
        raise typer.Exit(USAGE)
    importing.run(chosen)
