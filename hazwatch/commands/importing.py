"""The work behind `hazwatch import`: look, ask, import, tell."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

import psycopg
import typer
import yaml
from rich.text import Text

from domain.clock import SystemClock
from domain.import_map import ImportMap, read_import_map
from domain.instant import moment
from domain.plant import Registry
from hazwatch.cli import read_settings
from hazwatch.commands import import_screen as screen
from hazwatch.commands.database import fail
from hazwatch.commands.documents import WRONG, console, read_document
from hazwatch.commands.output import print_json
from hazwatch.imports.binding import Binding, Table, bind, table_of
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.guess import Hints, guess
from hazwatch.imports.stream import digest
from hazwatch.imports.work import Importer, Plan, tried, user
from storage import imports
from storage.database import DatabaseAway, DatabaseOptions, Link, is_away, link
from storage.imports import ImportElsewhere, ImportFile
from storage.registry import read_registry

USAGE, AWAY, STOPPED = 2, 3, 130
STATEMENT_S = 600.0
"""A piece of many days that overlaps with what is there takes its time."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    files: tuple[Path, ...]
    map: Path | None
    timezone: str | None
    enterprise: str | None
    dry_run: bool
    print_map: bool
    yes: bool
    skip_unknown: bool
    again: bool
    report: Path | None
    wait_s: float
    quiet: bool
    as_json: bool
    database_url: str | None

    @property
    def silent(self) -> bool:
        """No bar."""
        return self.quiet or self.as_json


@dataclass(frozen=True, slots=True)
class Ready:
    """A file, what it is, and what of it is left out."""

    file: Path
    table: Table
    map: ImportMap
    binding: Binding
    unmatched: tuple[str, ...]


def list_imports(options: Options) -> None:
    """Show the imports so far."""

    async def work(line: Link) -> list[ImportFile]:
        return await line.run(lambda conn: imports.all_imports(conn, 1000))

    found = _with_link(options, work)
    if options.as_json:
        print_json([screen.as_json(file) for file in found])
    elif found:
        screen.show_list(console(), found)
    else:
        console().print("nothing was imported yet")


def run(options: Options) -> None:
    """Everything that was asked for, file after file."""
    try:
        _with_link(options, lambda line: _all(options, line))
    except KeyboardInterrupt:
        fail("stopped; the same command goes on where it was", STOPPED)


async def _all(options: Options, line: Link) -> None:
    clock = SystemClock()
    registry = await line.run(read_registry)
    ready = [_ready(file, options, registry, clock.now()) for file in options.files]
    if options.print_map:
        for one in ready:
            typer.echo(_yaml(one.map), nl=False)
        return
    if options.dry_run:
        _dry_run(ready, options, registry)
        return
    _agreed(ready, options)
    done = [await _import(one, options, line, registry) for one in ready]
    if options.as_json:
        print_json([screen.as_json(file) for file in done])
    if any(file.refused or file.bad_rows or file.conflict for file in done):
        raise typer.Exit(WRONG)


def _ready(file: Path, options: Options, registry: Registry, at: datetime) -> Ready:
    try:
        if options.map is None:
            _checked_zone(options.timezone)
            found = guess(file, registry, Hints(options.timezone, options.enterprise), at)
            plan, unmatched = found.plan, found.unmatched
        else:
            plan, unmatched = _given(options), ()
        table = table_of(file, plan)
        binding = bind(registry, plan, table, at)
    except (ImportFault, OSError) as wrong:
        fail(str(wrong), WRONG)
    if binding.missing and not options.skip_unknown:
        names = ", ".join(plan.tags[key].name for key in binding.missing[:20])
        fail(
            f"{options.map}: {len(binding.missing)} tags of the map are not registered in "
            f"{binding.enterprise.code}: {names}\nregister them (hazwatch site load), or leave "
            "them out with --skip-unknown",
            WRONG,
        )
    return Ready(file, table, plan, binding, unmatched)


def _given(options: Options) -> ImportMap:
    """The map, with what the command line says on top."""
    assert options.map is not None
    plan = read_document(options.map, read_import_map)
    if options.timezone is not None:
        _checked_zone(options.timezone)
        time = plan.time.model_copy(update={"timezone": options.timezone})
        plan = plan.model_copy(update={"time": time})
    if options.enterprise is not None:
        park, _, code = options.enterprise.rpartition("/")
        plan = plan.model_copy(update={"park": park or None, "enterprise": code})
    return plan


def _checked_zone(name: str | None) -> None:
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        fail(f"--timezone {name}: allowed are names such as Asia/Shanghai, UTC", USAGE)


def _yaml(plan: ImportMap) -> str:
    content = plan.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)


def _dry_run(ready: list[Ready], options: Options, registry: Registry) -> None:
    out, told, wrong = console(), [], False
    for one in ready:
        with screen.bars(SystemClock(), quiet=options.silent) as bar:
            try:
                dry = tried(one.table, one.binding, bar(one.file.name).share)
            except ImportFault as fault:
                fail(str(fault), WRONG)
        wrong = wrong or bool(dry.refused or dry.bad_rows)
        told.append({"file": str(one.file), "unmatched": one.unmatched, **dry.summary()})
        if not options.as_json:
            screen.show_binding(out, str(one.file), one.binding, one.unmatched)
            screen.show_dry(out, dry, registry.tags)
        oldest = None if dry.begin is None else moment(dry.begin)
        _warn_of_retention(oldest, SystemClock().now(), options)
    if options.as_json:
        print_json(told)
    if wrong:
        raise typer.Exit(WRONG)


def _agreed(ready: list[Ready], options: Options) -> None:
    """A guess is shown before anything is written, and people say yes to it."""
    if options.map is not None or options.yes:
        return
    out = console(stderr=True)
    for one in ready:
        screen.show_binding(out, str(one.file), one.binding, one.unmatched)
        out.print(Text(_yaml(one.map), "dim"))
    if not sys.stdin.isatty():
        fail(
            "nothing was stored: this is a guess. Look at it with --dry-run, then say --yes", USAGE
        )
    if not typer.confirm("Import it so?", err=True):
        fail("nothing was stored", USAGE)


async def _import(one: Ready, options: Options, line: Link, registry: Registry) -> ImportFile:
    clock = SystemClock()
    with screen.bars(clock, quiet=options.silent) as bars:
        plan = Plan(one.file, await _digest(one.file, bars), one.table, one.map, one.binding)
        bar = bars(one.file.name)
        importer = Importer(line, clock, options.wait_s, bar.waiting)
        report = options.report or Path(f"{one.file.name}.problems.csv")
        began = await importer.begin(plan.new(report, user()), again=options.again)
        if began.finished_at is not None:
            _say_already(began, options)
            return replace(began, refused=0, bad_rows=0, conflict=0)
        bar.told(began)
        since = clock.elapsed()
        try:
            binding = bind(registry, one.map, one.table, began.started_at)
            done = await importer.run(one.table, binding, began, bar.told)
        except ImportFault as fault:
            fail(str(fault), WRONG)
        except ImportElsewhere:
            fail(f"{one.file}: another process imports it just now", WRONG)
        except DatabaseAway as away:
            fail(f"the database is away: {away}\n{one.file}: {_goes_on(began)}", AWAY)
    if not options.silent:
        seconds = max(clock.elapsed() - since, 1e-9)
        values = [file.stored + file.duplicate + file.conflict for file in (began, done)]
        screen.show_done(console(), done, (values[1] - values[0]) / seconds)
    _warn_of_retention(done.time_from, clock.now(), options)
    return done


def _warn_of_retention(oldest: datetime | None, at: datetime, options: Options) -> None:
    """Say so where what was imported is older than what is kept."""
    days = read_settings(database_url=options.database_url).keep_samples_days
    if days and oldest is not None and oldest < at - timedelta(days=days):
        text = (
            f"samples are kept for {days:g} days (HAZWATCH_KEEP_SAMPLES_DAYS): what is older will "
            "be dropped again, and only its roll-ups stay"
        )
        console(stderr=True).print(Text(text, "yellow"))


def _goes_on(file: ImportFile) -> str:
    return f"what is stored stays; the same command goes on with import {file.id} where it was"


async def _digest(file: Path, bars: Callable[[str], screen.Bar]) -> str:
    bar = bars(f"{file.name}: known already?")
    return await asyncio.to_thread(digest, file, bar.share)


def _say_already(file: ImportFile, options: Options) -> None:
    if not options.silent:
        console().print(
            Text(
                f"{file.name}: already imported, import {file.id} of "
                f"{file.started_at:%Y-%m-%d %H:%M} UTC; --again reads it once more"
            )
        )


def _with_link(options: Options, work: Callable[[Link], Awaitable[T]]) -> T:
    url = read_settings(database_url=options.database_url).database_url
    database = DatabaseOptions(
        url, application="hazwatch import", statement_s=STATEMENT_S, answer_s=STATEMENT_S + 10
    )

    async def with_line() -> T:
        async with link(database) as line:
            return await work(line)

    try:
        return asyncio.run(with_line())
    except psycopg.errors.UndefinedTable:
        fail("the database lacks tables of this release: hazwatch db migrate", AWAY)
    except (DatabaseAway, psycopg.Error) as error:
        if not is_away(error):
            raise
        _say_away(error)


def _say_away(error: Exception) -> NoReturn:
    fail(f"the database is away: {error}\nset --database-url or HAZWATCH_DATABASE_URL", AWAY)
