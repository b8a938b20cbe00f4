"""Histories into files: CSV for spreadsheets (RFC 4180), Parquet for analysis.

They are streamed, and counted again in the end.
"""

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from hazwatch.commands.database import fail, with_database
from hazwatch.commands.desk import Members
from hazwatch.commands.documents import WRONG
from hazwatch.commands.output import cell

if TYPE_CHECKING:
    from hazwatch.settings import Settings
    from storage.database import Connection
    from storage.desk_reading import AlarmsAsked, CasesAsked
    from storage.reading import Row

TIMES = frozenset(
    {"onset", "effective", "ended", "closed", "acknowledged_at", "opened", "risen", "sign_by"}
    | {"feedback_by", "close_by"}
    | {"next_due", "released"}
)
NUMBERS = frozenset({"value", "limit", "worst"})
"""Of alarms; the worst of a case is a colour."""
COUNTS = frozenset({"number", "rungs_done", "rungs_waiting", "alarms"})
STATEMENT_S = 3600.0
Take = Callable[[Sequence[Members]], None]


class As(StrEnum):
    """What is written."""

    CSV = "csv"
    PARQUET = "parquet"


class MiscountedError(Exception):
    """The file does not have as many rows as were asked for."""


def kind_of(file: Path, wanted: As | None) -> As:
    """What was asked for, or what the name of the file says."""
    return wanted or (As.PARQUET if file.suffix in (".parquet", ".pq") else As.CSV)


async def export(
    conn: "Connection",
    asked: "AlarmsAsked | CasesAsked",
    columns: Sequence[str],
    members: "Callable[[Row], Members]",
    file: Path,
    kind: As,
    zone: ZoneInfo,
    *,
    bom: bool = False,
) -> int:
    """Write everything that is asked for, as of one moment; how many rows there are now in the
    file. `-` is the standard output, for CSV alone.

    The file appears whole or not at all. Raises `MiscountedError` where it has not as many rows as
    the database counted.
    """
    from storage.desk_reading import streamed

    part = file if str(file) == "-" else file.with_name(f".{file.name}.part")
    async with streamed(conn, asked) as stream:
        try:
            with _written(part, columns, kind, zone, bom=bom) as take, _bar(stream.total) as step:
                async for rows in stream.batches():
                    take([members(row) for row in rows])
                    step(len(rows))
            found = stream.total if str(file) == "-" else counted(part, kind)
            if found != stream.total:
                raise MiscountedError(f"{stream.total} rows were to be written, {found} are there")
        except BaseException:
            if part != file:
                part.unlink(missing_ok=True)
            raise
        if part != file:
            part.replace(file)
    return found


def counted(file: Path, kind: As) -> int:
    """How many rows a file has, by reading it."""
    if kind is As.PARQUET:
        return int(pq.read_metadata(file).num_rows)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


@contextmanager
def _written(
    file: Path, columns: Sequence[str], kind: As, zone: ZoneInfo, *, bom: bool
) -> Iterator[Take]:
    if kind is As.PARQUET:
        numbers = NUMBERS if "value" in columns else frozenset()
        schema = pa.schema([(name, _type(name, zone, numbers)) for name in columns])
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield lambda rows: writer.write_batch(_batch(rows, schema))
        return
    with _opened(file, bom=bom) as out:
        lines = csv.writer(out, lineterminator="\r\n")
        lines.writerow(columns)
        yield lambda rows: lines.writerows(
            [_text(row.get(name)) for name in columns] for row in rows
        )


@contextmanager
def _opened(file: Path, *, bom: bool) -> Iterator[IO[str]]:
    encoding = "utf-8-sig" if bom else "utf-8"
    if str(file) != "-":
        with file.open("w", encoding=encoding, newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        return
    with open(sys.stdout.fileno(), "w", encoding=encoding, newline="", closefd=False) as out:
        yield out


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else cell(value)


def _type(name: str, zone: ZoneInfo, numbers: frozenset[str]) -> pa.DataType:
    if name in TIMES:
        return pa.timestamp("us", tz=zone.key)
    if name in numbers:
        return pa.float64()
    if name == "unknown":
        return pa.bool_()
    return pa.int64() if name in COUNTS else pa.string()


def _batch(rows: Sequence[Members], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for field in schema:
        values: list[Any] = [row.get(field.name) for row in rows]
        if field.name in TIMES:
            values = [None if one is None else datetime.fromisoformat(one) for one in values]
        elif pa.types.is_string(field.type):
            values = [None if one is None else str(one) for one in values]
        arrays.append(pa.array(values, type=field.type))
    return pa.record_batch(arrays, schema=schema)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal, nothing where there is none."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("rows", total=total)
        yield lambda rows: progress.advance(task, rows)


def write(
    settings: "Settings",
    asked: "AlarmsAsked | CasesAsked",
    columns: Sequence[str],
    members: "Callable[[Row], Members]",
    file: Path,
    wanted: As | None,
    bom: bool,
) -> None:
    """Export, and say how many rows there are; exits with 1 where that can't be."""
    kind = kind_of(file, wanted)
    if kind is As.PARQUET and (bom or str(file) == "-"):
        raise typer.BadParameter("Parquet goes into a file, and knows no --bom")

    async def work(conn: "Connection") -> int:
        zone = settings.timezone
        return await export(conn, asked, columns, members, file, kind, zone, bom=bom)

    try:
        found = with_database(settings.database_url, work, "hazwatch-export", STATEMENT_S)
    except (OSError, MiscountedError) as error:
        fail(f"{file}: {error}; nothing was written", WRONG)
    typer.echo(f"{found:,} rows in {file}, counted 已核对行数", err=True)
