"""`hazwatch alarms`: tag alarms 报警 on the command line, as the desk's screen has them."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from domain import policy
from domain.alarms import Kind, Priority
from domain.cases import Level
from domain.clock import SystemClock
from domain.frame import Lane
from hazwatch.commands.desk import (
    After,
    DatabaseUrl,
    Enterprise,
    FollowAs,
    Limit,
    Since,
    Source,
    Until,
    aware,
    enterprises_note,
    listed,
    nodes_of,
    read,
    settings_of,
    the_only,
)
from hazwatch.commands.desk_export import As, write
from hazwatch.commands.output import Output, TableOrJson, print_json, print_rows

if TYPE_CHECKING:
    from storage.desk_reading import AlarmsAsked
    from storage.reading import Reading, Row

app = typer.Typer(
    no_args_is_help=True,
    help="Tag alarms 报警: list, show, follow, export; and seen 已阅, which silences nobody.",
)
STATES = ("UNACK", "ACKED", "RTNUN", "LATUN", "LATAC", "NORM")
FLAGS = ("shelved", "suppressed", "out_of_service")

Priorities = Annotated[str | None, typer.Option("--priority", help="P1 … P4, by commas")]
Kinds = Annotated[
    str | None, typer.Option("--kind", help="HH, OFFLINE, PREDICT …, by commas", metavar="KINDS")
]
States = Annotated[
    str | None, typer.Option("--state", help="UNACK, ACKED, RTNUN, LATUN, LATAC, NORM, by commas")
]
TagName = Annotated[str | None, typer.Option("--tag", help="name of a tag 位号", metavar="NAME")]
Active = Annotated[
    bool | None, typer.Option("--active/--returned", help="whether the condition still holds")
]
Unacked = Annotated[bool, typer.Option("--unacked", help="only what nobody has acknowledged")]
Flags = Annotated[
    str | None, typer.Option("--flags", help="shelved, suppressed, out-of-service, by commas")
]
Afterwards = Annotated[
    bool, typer.Option("--afterwards", help="what was found later in stored data 事后发现, instead")
]


@app.command("list")
def list_(
    state: States = None,
    priority: Priorities = None,
    kind: Kinds = None,
    enterprise: Enterprise = None,
    source: Source = None,
    tag: TagName = None,
    active: Active = None,
    unacked: Unacked = False,
    flags: Flags = None,
    begin: Since = None,
    end: Until = None,
    afterwards: Afterwards = False,
    limit: Limit = 200,
    database_url: DatabaseUrl = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List alarms: what is open now; with --from or --to, or --state NORM, what is closed as well.

    Unacknowledged first, then by priority, then the newest.

    Example: hazwatch alarms list --priority P1,P2 --unacked

    Example: hazwatch alarms list --from 2026-11-01 --to 2026-11-08 --enterprise e7 --output csv
    """
    from hazwatch.commands.desk_alarms import COLUMNS, members, table
    from hazwatch.commands.desk_alarms import show as print_
    from storage import desk_reading

    settings = settings_of(database_url)
    zone = settings.timezone
    asked = _asked(
        state, priority, kind, tag, active, unacked, flags,
        aware(begin, zone), aware(end, zone), afterwards,
    )  # fmt: skip

    async def work(reading: "Reading") -> "list[Row]":
        nodes = await nodes_of(reading, enterprise, source)
        return await desk_reading.alarms(reading, replace(asked, nodes=nodes), limit)

    rows = read(settings, work)
    if output is not Output.TABLE:
        print_rows([members(row, zone) for row in rows], COLUMNS, output)
        return
    out = Console()
    print_(out, table(rows, zone, SystemClock().now(), out.width))
    if note := enterprises_note(len(rows), limit):
        typer.echo(note, err=True)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="id of an occurrence, or how it begins", metavar="ID")],
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Show everything of one alarm: value, limit, every transition, notices, the case it is in.

    Example: hazwatch alarms show 9843e12c
    """
    from hazwatch.commands.desk_alarms import detail, document
    from hazwatch.commands.desk_alarms import show as print_
    from storage import desk_reading

    settings = settings_of(database_url)
    zone = settings.timezone

    async def work(reading: "Reading") -> "tuple[Row, list[Row], list[Row], list[Row]]":
        asked = desk_reading.AlarmsAsked(lane=None, id=id.strip().lower())
        row = the_only(await desk_reading.alarms(reading, asked, 6), id, "alarm")
        return (
            row,
            await desk_reading.alarm_journal(reading, row["id"]),
            await desk_reading.notices(reading, row["id"]),
            await desk_reading.cases_of(reading, row["id"]),
        )

    found = read(settings, work)
    if output is TableOrJson.JSON:
        print_json(document(*found, zone))
        return
    print_(Console(), detail(*found, zone, SystemClock().now()))


@app.command()
def seen(
    id: Annotated[str, typer.Argument(help="id of an occurrence, or how it begins", metavar="ID")],
    person: Annotated[str, typer.Option("--as", help="who has seen it: a name of hazwatch user")],
    comment: Annotated[str | None, typer.Option(help="for the journal")] = None,
    level: Annotated[
        str | None, typer.Option(help="for whom: park, county, city, province; the highest")
    ] = None,
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Say that a desk above the enterprise has seen an open alarm 已阅. Its state does not change.

    Whoever may run this on the machine answers for the name: no password is asked.

    Example: hazwatch alarms seen 9843e12c --as wang.fang
    """
    from hazwatch.commands.desk_seen import see
    from hazwatch.commands.warnings import read_or_refuse
    from storage import desk_reading

    words = listed(level, policy.who_may_see(), "--level")
    desk = None if words is None else Level[words[0].upper()]

    async def work(reading: "Reading") -> dict[str, Any]:
        asked = desk_reading.AlarmsAsked(id=id.strip().lower())
        row = the_only(await desk_reading.alarms(reading, asked, 6), id, "alarm")
        return await see(reading, person, row, comment, desk)

    answer = read_or_refuse(database_url, work)
    if output is TableOrJson.JSON:
        print_json(answer)
        return
    before = answer.get("already")
    typer.echo(f"已阅 seen before, {before['at']}" if before else f"已阅 seen, by {person}")


@app.command()
def follow(
    priority: Priorities = None,
    kind: Kinds = None,
    enterprise: Enterprise = None,
    source: Source = None,
    after: After = None,
    database_url: DatabaseUrl = None,
    output: Annotated[FollowAs, typer.Option(help="table: a line each")] = FollowAs.TABLE,
) -> None:
    """Follow alarms as they change, a line a change, until Ctrl-C.

    In the end it tells the place of the stream, from which --after goes on without a gap.

    Example: hazwatch alarms follow --priority P1,P2

    Example: hazwatch alarms follow --output json --after 48211 >> alarms.ndjson
    """
    from hazwatch.commands.desk_alarms import CHANGES, change_line, change_members
    from hazwatch.commands.desk_follow import Following, Printed
    from hazwatch.commands.desk_follow import follow as follow_

    settings = settings_of(database_url)
    priorities = listed(priority, Priority, "--priority")
    kinds = listed(kind, Kind.__members__, "--kind")

    async def prepare(reading: "Reading") -> tuple[int, ...] | None:
        return await nodes_of(reading, enterprise, source)

    def make(nodes: tuple[int, ...] | None) -> Following:
        def wanted(event: Any, body: dict[str, Any]) -> bool:
            alarm = body["alarm"]
            places = {event.enterprise, event.node, int(alarm["source"])}
            return (
                (priorities is None or alarm["priority"] in priorities)
                and (kinds is None or alarm["kind"] in kinds)
                and (nodes is None or nodes[0] in places)
            )

        printed = Printed(output, settings.timezone, CHANGES, change_members, change_line)
        return Following("alarm", printed, wanted)

    follow_(settings, prepare, make, after)


@app.command()
def export(
    file: Annotated[
        Path, typer.Argument(help="FILE.csv, FILE.parquet, or - for CSV on the screen")
    ],
    state: States = None,
    priority: Priorities = None,
    kind: Kinds = None,
    enterprise: Enterprise = None,
    source: Source = None,
    tag: TagName = None,
    active: Active = None,
    unacked: Unacked = False,
    flags: Flags = None,
    begin: Since = None,
    end: Until = None,
    afterwards: Afterwards = False,
    as_: Annotated[As | None, typer.Option("--as", help="by default what the name says")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="mark CSV as UTF-8, for Excel")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the history of alarms into a file: exactly what the filters leave, as of one moment.

    CSV after RFC 4180, times with their offset; a text that a spreadsheet would take for a formula
    gets an apostrophe. The rows are counted again in the finished file.

    Example: hazwatch alarms export november.csv --from 2026-11-01 --to 2026-12-01 --bom
    """
    from hazwatch.commands.desk_alarms import COLUMNS, members

    settings = settings_of(database_url)
    zone = settings.timezone
    asked = replace(
        _asked(
            state, priority, kind, tag, active, unacked, flags,
            aware(begin, zone), aware(end, zone), afterwards,
        ),
        open=False,
    )  # fmt: skip
    nodes = read(settings, lambda reading: nodes_of(reading, enterprise, source))
    write(
        settings, replace(asked, nodes=nodes), COLUMNS, partial(members, zone=zone), file, as_, bom
    )


def _asked(
    state: str | None,
    priority: str | None,
    kind: str | None,
    tag: str | None,
    active: bool | None,
    unacked: bool,
    flags: str | None,
    begin: datetime | None,
    end: datetime | None,
    afterwards: bool,
) -> "AlarmsAsked":
    """The filter; without a time or a state it is what is open."""
    from storage.desk_reading import AlarmsAsked

    return AlarmsAsked(
        open=state is None and begin is None and end is None and not afterwards,
        lane=Lane.REPLAY if afterwards else Lane.LIVE,
        states=listed(state, STATES, "--state"),
        priorities=listed(priority, Priority, "--priority"),
        kinds=listed(kind, Kind.__members__, "--kind"),
        tag=tag,
        active=active,
        unacked=unacked,
        flags=listed(flags, FLAGS, "--flags"),
        begin=begin,
        end=end,
    )
