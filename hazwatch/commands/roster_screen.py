"""Rosters on the terminal: tables, and a picture of the days to come."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts.people import Person
from domain.roster import Duty, Watch, Why, watches

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")
WHYS = {
    "address": "[dim]address[/]",
    "named": "named",
    "roster": "roster",
    "fallback": "[bold yellow]gap: stands in 代班[/]",
    "nobody": "[bold red]NOBODY 无人[/]",
}
HALF_HOUR = timedelta(minutes=30)
RULER = "0     3     6     9     12    15    18    21"


def show_holders(
    rows: Sequence[Mapping[str, Any]], unnamed: Sequence[str], at: datetime, zone: ZoneInfo
) -> None:
    """Who is on duty, a line for each person; unnamed: roles of the ladder without an entry."""
    table = Table("role", "node", "who", "why", "reached by")
    for column in table.columns[:3]:
        column.no_wrap = True
    for row in rows:
        who = row["person"] or "–"
        quiet = f", no yellow {row['quiet']}" if row["quiet"] else ""
        until = row["until"]
        table.add_row(
            row["role"],
            row["node"],
            f"{who} {row['name']}" if row["name"] else who,
            _why(row) + ("" if until is None else f" until {until.astimezone(zone):%a %d %H:%M}"),
            f"{row['channels'] or ''}{quiet}",
        )
    console = Console()
    console.print(f"on duty 值班 at {at.astimezone(zone):%Y-%m-%d %H:%M} {zone}", highlight=False)
    console.print(table if rows else "the file names nobody 无人")
    if unnamed:
        console.print(f"nobody is named anywhere for {', '.join(unnamed)}", style="yellow")


def _why(row: Mapping[str, Any]) -> str:
    roster = f" {row['roster']}" if row["roster"] else ""
    broken = f" [bold red]{row['broken']} can't tell[/]" if row["broken"] else ""
    return f"{WHYS[row['why']]}{roster}{broken}"


def show_gaps(rows: Sequence[Mapping[str, Any]], span: str) -> None:
    """When nobody is on duty."""
    table = Table("role", "node", "from", "to", "hours", "told instead")
    for row in rows:
        instead = row["told_instead"] or "[bold red]nobody 无人[/]"
        when = (f"{row[end]:%a %Y-%m-%d %H:%M}" for end in ("from", "to"))
        table.add_row(row["role"], row["node"], *when, f"{row['hours']:g}", instead)
    Console().print(table if rows else f"no gap in {span} 值班无空档")


def show_calendar(
    duties: Sequence[Duty], people: Mapping[str, Person], first: datetime, days: int
) -> None:
    """A bar of half hours for each day and duty, a colour for each person; in a hand-over the
    halves of a cell are of two."""
    console = Console()
    seen: dict[str, str] = {}
    midnights = [
        datetime.combine(first.date() + timedelta(days=day), time(), first.tzinfo)
        for day in range(days + 1)
    ]
    for duty in duties:
        node = "/".join(duty.node)
        console.print(f"[bold]{duty.role}[/] {node}  [dim]{_behind(duty)}[/]", highlight=False)
        console.print(Text(f"{'':11}{RULER}", "dim"))
        for begin, end in pairwise(midnights):
            line = Text(f"{begin:%a %m-%d}  ").append_text(_bar(duty, begin, end, seen))
            console.print(line, no_wrap=True, overflow="ellipsis")
    legend = Text("\n")
    for code, style in seen.items():
        name = people[code].name if code in people else ""
        legend.append("██", style).append(f" {code} {name}   ")
    legend.append("▒▒", "bold yellow").append(" gap, another stands in 代班   ")
    legend.append("░░", "bold red").append(" nobody 无人")
    console.print(legend if duties else "the file has no duty, only addresses")


def _behind(duty: Duty) -> str:
    """Its rosters in their order, or the persons who always hold it."""
    return " > ".join(roster.name for roster in duty.rosters) or "always"


def _bar(duty: Duty, begin: datetime, end: datetime, seen: dict[str, str]) -> Text:
    """One day: its half hours, and who comes on when."""
    bar, found = Text(), watches(duty, begin.astimezone(UTC), end.astimezone(UTC))
    here = begin.astimezone(UTC)
    while here < end:
        now = next(watch for watch in found if watch.begin <= here < watch.end)
        bar.append_text(_cell(now, seen))
        here += HALF_HOUR
    for watch in found:
        when = watch.begin.astimezone(begin.tzinfo)
        bar.append(f"  {when:%H:%M} {'+'.join(watch.who.persons) or '无人'}", "dim")
    return bar


def _cell(watch: Watch, seen: dict[str, str]) -> Text:
    if watch.who.why is Why.NOBODY:
        return Text("░", "bold red")
    for code in watch.who.persons:
        seen.setdefault(code, COLOURS[len(seen) % len(COLOURS)])
    if watch.who.why is Why.FALLBACK:
        return Text("▒", "bold yellow")
    styles = [seen[code] for code in watch.who.persons]
    return Text("█", styles[0]) if len(styles) == 1 else Text("▀", f"{styles[0]} on {styles[1]}")
