"""`hazwatch roster`: who is on duty 值班, what is wrong in the files, and when nobody is."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hazwatch.commands.output import Output, print_rows

if TYPE_CHECKING:
    from alerts.contacts import Book
    from alerts.people import Person
    from domain.ladders import Ladders
    from domain.roster import Duty, Watch
    from hazwatch.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Who is told of warnings: people, duties, rosters.")

WRONG, USAGE = 1, 2
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
SHOWN = ("role", "node", "person", "name", "why", "roster", "until", "channels", "quiet", "broken")
GAPS = ("role", "node", "from", "to", "hours", "told_instead")
SPANS = {"m": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0}
LOOK_AHEAD = timedelta(days=8)

File = Annotated[Path | None, typer.Option(help="contact file, instead of HAZWATCH_CONTACTS_FILE")]
Role = Annotated[str | None, typer.Option(help="of this role alone", metavar="CODE")]
Printed = Annotated[Output, typer.Option(help="how to print it")]


@app.command()
def show(
    at: Annotated[
        datetime | None,
        typer.Option(formats=FORMATS, help="in the site's time zone, or with an offset"),
    ] = None,
    role: Role = None,
    file: File = None,
    output: Printed = Output.TABLE,
) -> None:
    """Show who is on duty, now or at another time, for every role and node of the file.

    Example: hazwatch roster show --at 2026-10-01T03:00
    """
    settings, ladder, book = _opened(file)
    when = _at(at, settings.timezone)
    rows = [row for row in _holders(ladder, book, when) if role in (None, row["role"])]
    if output is not Output.TABLE:
        print_rows(rows, SHOWN, output)
    else:
        from hazwatch.commands.roster_screen import show_holders

        named = {one.role for one in book.contacts} | {one.role for one in book.duties}
        unnamed = [code for code in ladder.roles if code not in named and role in (None, code)]
        show_holders(rows, unnamed, when, settings.timezone)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="a contact file, or one roster (.ics)")],
    people: Annotated[
        Path | None, typer.Option(help="for a roster: the contact file that names its people")
    ] = None,
) -> None:
    """Say what is wrong in a contact file with all its rosters, or in one roster, line by line.

    Exit code 1 where something is. Where HAZWATCH_DATABASE_URL names the site's database, the file
    is held against the site, too.

    Example: hazwatch roster check contacts.toml
    """
    from alerts.contacts import ContactsError
    from alerts.roster_file import RosterFileError

    try:
        _check_roster(file, people) if file.suffix == ".ics" else _check_contacts(file)
    except (ContactsError, RosterFileError) as wrong:
        for trouble in wrong.troubles:
            where = file if trouble.line is None else f"{file}:{trouble.line}"
            typer.echo(f"{where}: {trouble.found}\n    {trouble.todo}")
        raise typer.Exit(WRONG) from None
    except (OSError, UnicodeDecodeError) as wrong:
        typer.echo(f"{file}: {wrong}", err=True)
        raise typer.Exit(WRONG) from None


@app.command()
def gaps(
    span: Annotated[str, typer.Option("--for", help="how far ahead: 30d, 12h, 4w")] = "30d",
    role: Role = None,
    file: File = None,
    output: Printed = Output.TABLE,
) -> None:
    """List when no roster has anybody, and who is told then. Exit code 1 where nobody is.

    Where HAZWATCH_DATABASE_URL names the site's database: also which source has nobody for a role
    at any time, and what is named at a node that the site does not have.

    Example: hazwatch roster gaps --for 30d --output csv
    """
    from domain import roster
    from domain.roster import Why
    from hazwatch.commands.roster_site import Against

    settings, ladders, book = _opened(file)
    zone = settings.timezone
    begin = _at(None, zone)
    end = begin + _span(span)
    found = [
        (duty, gap)
        for duty in book.duties
        if role in (None, duty.role)
        for gap in roster.gaps(duty, begin, end)
    ]
    rows = [_gap(duty, gap, zone) for duty, gap in found]
    against = Against.of(settings, ladders, book, role)
    if output is not Output.TABLE:
        print_rows([*rows, *against.rows(GAPS)], GAPS, output)
    else:
        from hazwatch.commands.roster_screen import show_gaps

        show_gaps(rows, span)
        against.show()
    if against.wrong or any(gap.who.why is Why.NOBODY for _, gap in found):
        raise typer.Exit(WRONG)


@app.command("calendar")
def calendar_(
    days: Annotated[int, typer.Option(min=1, max=31, help="how many days")] = 7,
    at: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="first day; today without it")
    ] = None,
    role: Role = None,
    file: File = None,
) -> None:
    """Picture who is on duty when, the next seven days: a line for each day and duty.

    Example: hazwatch roster calendar --role PK
    """
    from hazwatch.commands.roster_screen import show_calendar

    settings, _, book = _opened(file)
    first = _at(at, settings.timezone).astimezone(settings.timezone)
    duties = [duty for duty in book.duties if role in (None, duty.role)]
    show_calendar(duties, book.people, first, days)


def _opened(file: Path | None) -> "tuple[Settings, Ladders, Book]":
    """Settings, ladders and the contact file that is meant; exits where it can't be used."""
    from hazwatch.cli import read_settings
    from hazwatch.warning_rules import WarningRulesError, ladders_of, people_files

    settings = read_settings(contacts_file=file)
    if settings.contacts_file is None:
        typer.echo("no contact file: set HAZWATCH_CONTACTS_FILE, or give --file", err=True)
        raise typer.Exit(USAGE)
    try:
        return settings, ladders_of(settings), people_files(settings).book
    except WarningRulesError as wrong:
        typer.echo(f"{wrong}\nline by line: hazwatch roster check FILE", err=True)
        raise typer.Exit(WRONG) from None


def _holders(ladder: "Ladders", book: "Book", at: datetime) -> Iterator[dict[str, Any]]:
    """A row for each person and address of each duty and contact, by the order of the ladder."""
    from alerts.contacts import Entry
    from domain.roster import Duty, on_duty

    order = list(ladder.roles)
    entries: list[Entry | Duty] = [*book.contacts, *book.duties]
    for entry in sorted(entries, key=lambda one: (order.index(one.role), one.node)):
        row = dict.fromkeys(SHOWN) | {"role": entry.role, "node": "/".join(entry.node)}
        if isinstance(entry, Entry):
            yield row | {"why": "address", "channels": entry.contact.channel}
            continue
        who = on_duty(entry, at)
        row |= {"why": who.why.value, "roster": who.roster, "until": _until(entry, at)}
        row |= {"broken": ", ".join(who.broken) or None}
        for code in who.persons or (None,):
            yield row | {"person": code} | _members(book.people.get(code or ""))


def _members(person: "Person | None") -> dict[str, object]:
    if person is None:
        return {}
    quiet = person.quiet and f"{person.quiet.begin:%H:%M}-{person.quiet.end:%H:%M}"
    channels = " > ".join(way.channel for way in person.ways)
    return {"name": person.name, "channels": channels, "quiet": quiet}


def _until(duty: "Duty", at: datetime) -> datetime | None:
    """When somebody else is on duty; None: not within a week, or never."""
    from domain.roster import watches

    found = watches(duty, at, at + LOOK_AHEAD) if duty.rosters else []
    return found[0].end if len(found) > 1 else None


def _gap(duty: "Duty", gap: "Watch", zone: ZoneInfo) -> dict[str, Any]:
    return {
        "role": duty.role,
        "node": "/".join(duty.node),
        "from": gap.begin.astimezone(zone),
        "to": gap.end.astimezone(zone),
        "hours": round((gap.end - gap.begin) / timedelta(hours=1), 2),
        "told_instead": gap.who.persons[0] if gap.who.persons else None,
    }


def _check_contacts(file: Path) -> None:
    from alerts.person_file import read_contacts
    from domain.clock import SystemClock
    from hazwatch.cli import read_settings
    from hazwatch.commands.roster_site import Against
    from hazwatch.warning_rules import ladders_of

    settings = read_settings()
    ladders = ladders_of(settings)
    book = read_contacts(
        file.read_text("utf-8"),
        ladders,
        settings.timezone,
        lambda name: (file.parent / name).read_text("utf-8"),
        SystemClock().now(),
    )
    for doubt in book.doubts:
        typer.echo(f"{file}: over, so it decides nothing: {doubt}")
    rosters = {roster.name for duty in book.duties for roster in duty.rosters}
    typer.echo(
        f"{file}: good: {len(book.contacts)} contacts, {len(book.people)} people, "
        f"{len(book.duties)} duties, {len(rosters)} rosters"
    )
    against = Against.of(settings, ladders, book)
    against.show()
    if against.wrong:
        raise typer.Exit(WRONG)


def _check_roster(file: Path, people: Path | None) -> None:
    import tomllib

    from alerts.roster_file import read_roster
    from domain.clock import SystemClock
    from hazwatch.cli import read_settings

    settings = read_settings()
    named = people or settings.contacts_file
    if named is None:
        typer.echo("whose codes does it use? give --people CONTACTS.toml", err=True)
        raise typer.Exit(USAGE)
    try:
        persons = tomllib.loads(named.read_text("utf-8")).get("person", [])
        codes = [str(person["code"]) for person in persons]
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as wrong:
        typer.echo(f"{named}: {wrong!r}; hazwatch roster check {named}", err=True)
        raise typer.Exit(WRONG) from None
    at = SystemClock().now()
    found = read_roster(file.name, file.read_text("utf-8"), codes, settings.timezone, at)
    for doubt in found.doubts:
        typer.echo(f"{file}: over, so it decides nothing: {doubt}")
    typer.echo(f"{file}: good")


def _span(said: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,4})([mhdw])", said.strip())
    if found is None or not 0 < int(found[1]) * SPANS[found[2]] <= 400:
        typer.echo(f"--for {said!r}: expected such as 30d, 12h, 4w; at most 400 days", err=True)
        raise typer.Exit(USAGE)
    return timedelta(days=int(found[1]) * SPANS[found[2]])


def _at(at: datetime | None, zone: ZoneInfo) -> datetime:
    from domain.clock import SystemClock

    at = at or SystemClock().now()
    return at if at.tzinfo else at.replace(tzinfo=zone)
