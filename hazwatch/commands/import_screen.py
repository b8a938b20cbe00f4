"""What `hazwatch import` shows: a bar, what a file would bring, and what became of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from domain.clock import Clock
from domain.instant import moment, rfc3339
from domain.plant import Tag
from domain.quality import word
from hazwatch.commands.documents import console
from hazwatch.imports.binding import Binding
from hazwatch.imports.errors import Problem
from hazwatch.imports.work import Dry
from storage.imports import ImportFile

SHOWN = 10
"""Columns, rows or problems listed."""


class Bar:
    """Percent of the bytes, values a second, time left; silent where nobody looks."""

    def __init__(self, progress: Progress, name: str, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        self._task = progress.add_task(name, total=1.0, note="")
        self._began: tuple[float, int] | None = None

    def share(self, share: float, note: str = "") -> None:
        """So much of the file is read."""
        self._progress.update(self._task, completed=share, note=note)

    def told(self, file: ImportFile) -> None:
        """So far it is stored."""
        values = file.stored + file.duplicate + file.conflict
        now = self._clock.elapsed()
        if self._began is None:
            self._began = now, values
            self.share(file.share, f"{values:,} values")
            return
        seconds = max(now - self._began[0], 1e-9)
        rate = (values - self._began[1]) / seconds
        self.share(file.share, f"{values:,} values, {rate:,.0f}/s")

    def waiting(self, file: ImportFile) -> None:
        """The database is away."""
        self.share(file.share, "the database is away, waiting 等待数据库")


@contextmanager
def bars(clock: Clock, *, quiet: bool) -> Iterator[Callable[[str], Bar]]:
    """Makes bars that are gone at the end."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=quiet,
    )
    with progress:
        yield lambda name: Bar(progress, name, clock)


def show_binding(out: Console, name: str, found: Binding, unmatched: Sequence[str]) -> None:
    """Which column is which tag, and what is left out."""
    out.print(Text(f"{name} → {found.enterprise.code} ({found.enterprise.name})", "bold"))
    matched = found.matched
    pairs = [
        Text.assemble(key, ("", "") if key == tag.name else (f" → {tag.name}", "cyan"))
        for key, tag in list(matched.items())[:SHOWN]
    ]
    more = f" … {len(matched) - SHOWN} more" if len(matched) > SHOWN else ""
    out.print(Text(f"  {len(matched)} tags: ").append(Text(", ").join(pairs)).append(more))
    for what, names in (("no tag", found.missing), ("left out", unmatched)):
        if names:
            more = f" … {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            text = f"  {len(names)} columns {what}: {', '.join(names[:SHOWN])}{more}"
            out.print(Text(text, "yellow"))


def show_dry(out: Console, dry: Dry, tags: Mapping[int, Tag]) -> None:
    """What an import would bring."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("  rows", f"{dry.rows:,}")
    table.add_row("  values", f"{dry.values:,} of {len(dry.tags):,} tags")
    if dry.begin is not None and dry.end is not None:
        span = f"{rfc3339(moment(dry.begin))} to {rfc3339(moment(dry.end))}"
        table.add_row("  time", span)
    table.add_row("  empty cells", f"{dry.empty:,}")
    table.add_row("  not taken", f"{dry.refused:,} cells, {dry.bad_rows:,} whole rows")
    out.print(table)
    for tag, time, value, quality in dry.first:
        name, unit = (tags[tag].name, tags[tag].unit) if tag in tags else (str(tag), "")
        text = f"  {rfc3339(moment(time))}  {name} = {value:g} {unit} ({word(quality)})"
        out.print(Text(text, "dim"))
    show_problems(out, dry.problems.counts, dry.problems.told)


def show_problems(out: Console, counts: Mapping[str, int], told: Sequence[Problem] = ()) -> None:
    """What was not taken, by reason, and the first of each."""
    for reason, n in sorted(counts.items(), key=lambda one: -one[1]):
        out.print(Text(f"  {n:,} × {reason}", "yellow"))
        for one in [one for one in told if one.reason == reason][:3]:
            where = f"line {one.line}" + (f", {one.column}" if one.column else "")
            said = f" {one.text!r}" if one.text else ""
            out.print(Text(f"      {where}:{said} {one.detail}", "dim"))


def show_done(out: Console, file: ImportFile, rate: float | None) -> None:
    """What became of a file."""
    speed = "" if rate is None else f", {rate:,.0f} values/s"
    out.print(Text(f"{file.name}: import {file.id} is finished{speed}", "bold"))
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("  rows", f"{file.rows:,}, of which {file.bad_rows:,} could not be read")
    table.add_row("  stored", f"{file.stored:,} values")
    table.add_row("  there before", f"{file.duplicate:,} the same, {file.conflict:,} others stand")
    table.add_row("  not taken", f"{file.refused:,} cells; {file.empty:,} were empty")
    if file.time_from is not None and file.time_to is not None:
        table.add_row("  time", f"{rfc3339(file.time_from)} to {rfc3339(file.time_to)}")
    out.print(table)
    show_problems(out, file.problems)
    if file.reported:
        out.print(Text(f"  line by line in {file.report}", "yellow"))


def show_list(out: Console, files: Sequence[ImportFile]) -> None:
    """All imports."""
    table = Table("id", "file", "state", "began", "rows", "stored", "there before", "not taken")
    for file in files:
        state = "finished" if file.finished_at else f"{file.share:.0%} done"
        table.add_row(
            str(file.id),
            file.name,
            state,
            _short(file.started_at),
            f"{file.rows:,}",
            f"{file.stored:,}",
            f"{file.duplicate + file.conflict:,}",
            f"{file.refused:,} cells, {file.bad_rows:,} rows",
        )
    out.print(table)


def as_json(file: ImportFile) -> dict[str, Any]:
    """A row for programs."""
    plain = {name: getattr(file, name) for name in file.__dataclass_fields__ if name != "plan"}
    return {
        name: rfc3339(value) if isinstance(value, datetime) else value
        for name, value in plain.items()
    }


def _short(when: datetime) -> str:
    return rfc3339(when.replace(microsecond=0))
