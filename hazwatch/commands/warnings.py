"""`hazwatch warnings`: warning cases 预警 on the command line, with their ladder and their loop."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from domain.cases import CaseState, Level
from domain.clock import SystemClock
from domain.risk import Colour
from hazwatch.commands.database import fail
from hazwatch.commands.demo import duration
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
from hazwatch.commands.documents import WRONG
from hazwatch.commands.output import Output, TableOrJson, print_json, print_rows

if TYPE_CHECKING:
    from domain.escalation import Ladder
    from domain.ladders import BySource
    from storage.desk_reading import CasesAsked
    from storage.reading import Reading, Row

app = typer.Typer(
    no_args_is_help=True,
    help="Warning cases 预警: list, show, follow, export, verify; drills 演练: begin and end one.",
)
WORDS = {colour.name.lower(): colour for colour in Colour}

Colours = Annotated[
    str | None, typer.Option("--colour", help="of now: red, orange, yellow, blue, by commas")
]
Worst = Annotated[str | None, typer.Option("--worst", help="the highest so far, the same")]
States = Annotated[
    str | None,
    typer.Option("--state", help=f"{', '.join(CaseState)}, by commas", metavar="STATES"),
]
Unreceived = Annotated[bool, typer.Option("--unreceived", help="only what waits for 签收")]


@app.command("list")
def list_(
    colour: Colours = None,
    worst: Worst = None,
    state: States = None,
    enterprise: Enterprise = None,
    source: Source = None,
    unreceived: Unreceived = False,
    begin: Since = None,
    end: Until = None,
    limit: Limit = 200,
    database_url: DatabaseUrl = None,
    output: Annotated[Output, typer.Option(help="how to print it")] = Output.TABLE,
) -> None:
    """List warnings: what is open now; with --from, --to or --state closed, what is closed as well.

    The open first, then by colour, then the newest. The ladder 升级阶梯 says what is done, who was
    told last, and who is next in how long.

    Example: hazwatch warnings list --colour red,orange

    Example: hazwatch warnings list --from 2026-11-01 --enterprise e7 --output json
    """
    from hazwatch.commands.desk_alarms import show as print_
    from hazwatch.commands.desk_warnings import COLUMNS, members, table
    from hazwatch.warning_rules import ladders_of
    from storage import desk_reading
    from storage.ladders import ladders_of_sources

    settings = settings_of(database_url)
    zone, ladders = settings.timezone, ladders_of(settings)
    asked = _asked(colour, worst, state, unreceived, aware(begin, zone), aware(end, zone))

    async def work(reading: "Reading") -> "tuple[list[Row], BySource]":
        nodes = await nodes_of(reading, enterprise, source)
        rows = await desk_reading.cases(reading, replace(asked, nodes=nodes), limit)
        return rows, await ladders_of_sources(reading, ladders, (row["source"] for row in rows))

    rows, by_source = read(settings, work)
    if output is not Output.TABLE:
        print_rows([members(row, by_source, zone) for row in rows], COLUMNS, output)
        return
    print_(Console(), table(rows, by_source, zone, SystemClock().now()))
    if note := enterprises_note(len(rows), limit):
        typer.echo(note, err=True)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="id of a case, or how it begins", metavar="ID")],
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Show everything of one warning: ladder and loop as a time line, its alarms, its notices.

    Example: hazwatch warnings show 6639f4c7
    """
    from hazwatch.commands.desk_alarms import show as print_
    from hazwatch.commands.desk_case import detail, document
    from hazwatch.warning_rules import ladders_of
    from storage import desk_reading
    from storage.ladders import ladders_of_sources

    settings = settings_of(database_url)
    zone, ladders = settings.timezone, ladders_of(settings)

    async def work(reading: "Reading") -> "tuple[Row, list[Row], list[Row], list[Row], Ladder]":
        asked = desk_reading.CasesAsked(id=id.strip().lower())
        row = the_only(await desk_reading.cases(reading, asked, 6), id, "warning")
        return (
            row,
            await desk_reading.case_journal(reading, row["id"]),
            await desk_reading.notices(reading, row["id"]),
            await desk_reading.alarms_of(reading, row["alarms"]),
            (await ladders_of_sources(reading, ladders, [row["source"]])).of(row["source"]),
        )

    found = read(settings, work)
    if output is TableOrJson.JSON:
        print_json(document(*found, zone))
        return
    print_(Console(), detail(*found, zone, SystemClock().now()))


@app.command("ladder")
def ladder_(
    source: Annotated[
        str,
        typer.Argument(help="code of a hazard source, or the end of its path", metavar="SOURCE"),
    ],
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Show which ladder 升级阶梯 a source has, where it comes from, whom it tells, and when.

    Example: hazwatch warnings ladder demo/tanks
    """
    from hazwatch.commands.desk_ladder import document, picture
    from hazwatch.warning_rules import ladders_of
    from storage.ladders import source_paths

    settings = settings_of(database_url)
    ladders = ladders_of(settings)

    async def work(reading: "Reading") -> tuple[str, ...]:
        (node,) = await nodes_of(reading, None, source) or (0,)
        return (await source_paths(reading, [node]))[node]

    found = document(settings, ladders, read(settings, work))
    if output is TableOrJson.JSON:
        print_json(found)
        return
    Console().print(picture(found))


@app.command()
def follow(
    colour: Colours = None,
    enterprise: Enterprise = None,
    source: Source = None,
    after: After = None,
    database_url: DatabaseUrl = None,
    output: Annotated[FollowAs, typer.Option(help="table: a line each")] = FollowAs.TABLE,
) -> None:
    """Follow warnings as they change, a line a change, until Ctrl-C.

    In the end it tells the place of the stream, from which --after goes on without a gap.

    Example: hazwatch warnings follow --colour red,orange
    """
    from hazwatch.commands.desk_follow import Following, Printed
    from hazwatch.commands.desk_follow import follow as follow_
    from hazwatch.commands.desk_warnings import CHANGES, change_line, change_members

    settings = settings_of(database_url)
    colours = listed(colour, WORDS, "--colour")

    async def prepare(
        reading: "Reading",
    ) -> tuple[tuple[int, ...] | None, dict[int, tuple[str, str]]]:
        from storage.desk_reading import source_names

        return await nodes_of(reading, enterprise, source), await source_names(reading)

    def make(known: tuple[tuple[int, ...] | None, dict[int, tuple[str, str]]]) -> Following:
        nodes, names = known

        def wanted(event: Any, body: dict[str, Any]) -> bool:
            case = body["warning"]
            place = names.get(int(case["source"]), ("", ""))
            case["enterprise_name"], case["source_name"] = place
            return (colours is None or case["colour"] in colours) and (
                nodes is None or nodes[0] in {event.enterprise, event.node}
            )

        printed = Printed(output, settings.timezone, CHANGES, change_members, change_line)
        return Following("warning", printed, wanted)

    follow_(settings, prepare, make, after)


@app.command()
def export(
    file: Annotated[
        Path, typer.Argument(help="FILE.csv, FILE.parquet, or - for CSV on the screen")
    ],
    colour: Colours = None,
    worst: Worst = None,
    state: States = None,
    enterprise: Enterprise = None,
    source: Source = None,
    unreceived: Unreceived = False,
    begin: Since = None,
    end: Until = None,
    as_: Annotated[As | None, typer.Option("--as", help="by default what the name says")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="mark CSV as UTF-8, for Excel")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the history of warnings into a file: exactly what the filters leave, as of one moment.

    The rows are counted again in the finished file. What a ladder has is in `warnings show`.

    Example: hazwatch warnings export november.parquet --from 2026-11-01 --to 2026-12-01
    """
    from hazwatch.commands.desk_warnings import COLUMNS, members
    from hazwatch.warning_rules import ladders_of
    from storage.ladders import ladders_of_all

    settings = settings_of(database_url)
    zone, ladders = settings.timezone, ladders_of(settings)
    asked = _asked(colour, worst, state, unreceived, aware(begin, zone), aware(end, zone))

    async def work(reading: "Reading") -> "tuple[tuple[int, ...] | None, BySource]":
        nodes = await nodes_of(reading, enterprise, source)
        return nodes, await ladders_of_all(reading, ladders)

    nodes, by_source = read(settings, work)
    asked = replace(asked, nodes=nodes, open=None)
    rows = partial(members, ladders=by_source, zone=zone)
    write(settings, asked, COLUMNS, rows, file, as_, bom)


@app.command("drill")
def drill(
    source: Annotated[
        str,
        typer.Argument(help="code of a hazard source, or the end of its path", metavar="SOURCE"),
    ],
    person: Annotated[str, typer.Option("--as", help="who orders it: a name of hazwatch user")],
    colour: Annotated[str, typer.Option(help="that is supposed: yellow, orange, red")] = "yellow",
    lasting: Annotated[
        float | None,
        typer.Option("--for", parser=duration, metavar="DURATION", help="30m, 1h30m; an hour"),
    ] = None,
    comment: Annotated[
        str | None, typer.Option(help="what is drilled, for whoever reads it")
    ] = None,
    level: Annotated[str | None, typer.Option(help="for whom: enterprise, park, county …")] = None,
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Begin a drill 演练 on a source: real people are told, by the same ladder, marked 演练.

    The source's own colour and its real warnings know nothing of it. A real warning of the source
    breaks it off.

    Whoever may run this on the machine answers for the name: no password is asked.

    Example: hazwatch warnings drill demo/tanks --colour red --for 30m --as chen.jing
    """
    from api.routes.drills import drill_decision
    from hazwatch.commands import drills

    asked, *others = listed(colour, ("yellow", "orange", "red"), "--colour") or ("yellow",)
    if others:
        raise typer.BadParameter("one colour at a time", param_hint="--colour")
    said = person, asked, lasting, comment, _level(level)

    async def work(reading: "Reading") -> dict[str, Any]:
        (node,) = await nodes_of(reading, None, source) or (0,)
        who, what, seconds, words, spoken_for = said
        made = drill_decision(who, node, what, None, seconds, None, words, spoken_for)
        return await drills.begin(reading, who, node, lambda: made)

    _tell(
        read_or_refuse(database_url, work), output, f"演练开始 drill begun, {colour}, by {person}"
    )


@app.command("end-drill")
def end_drill(
    id: Annotated[str, typer.Argument(help="id of a drill, or how it begins", metavar="ID")],
    person: Annotated[str, typer.Option("--as", help="who ends it: a name of hazwatch user")],
    comment: Annotated[str | None, typer.Option(help="why")] = None,
    level: Annotated[str | None, typer.Option(help="for whom: enterprise, park, county …")] = None,
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """End a drill 演练, however far its loop has come. A real warning is not ended so.

    Whoever may run this on the machine answers for the name: no password is asked.

    Example: hazwatch warnings end-drill 6639f4c7 --as chen.jing
    """
    from hazwatch.commands import drills
    from storage import desk_reading

    async def work(reading: "Reading") -> dict[str, Any]:
        asked = desk_reading.CasesAsked(id=id.strip().lower())
        row = the_only(await desk_reading.cases(reading, asked, 6), id, "warning")
        return await drills.end(reading, person, row, comment, _level(level))

    _tell(read_or_refuse(database_url, work), output, f"演练结束 drill ended, by {person}")


@app.command("verify")
def verify(
    id: Annotated[str, typer.Argument(help="id of a case, or how it begins", metavar="ID")],
    person: Annotated[str, typer.Option("--as", help="who has looked: a name of hazwatch user")],
    comment: Annotated[str | None, typer.Option(help="what was found on the spot")] = None,
    level: Annotated[str | None, typer.Option(help="for whom: park, county or city")] = None,
    database_url: DatabaseUrl = None,
    output: Annotated[TableOrJson, typer.Option(help="how to print it")] = TableOrJson.TABLE,
) -> None:
    """Verify 核实 a red warning: the park has found that it is so.

    Its mark 待核实 goes, those who were told with it hear so, and the clock of 核实 stops.

    Whoever may run this on the machine answers for the name: no password is asked.

    Example: hazwatch warnings verify 6639f4c7 --as chen.jing --comment 现场确认泄漏
    """
    from hazwatch.commands import drills
    from storage import desk_reading

    async def work(reading: "Reading") -> dict[str, Any]:
        asked = desk_reading.CasesAsked(id=id.strip().lower())
        row = the_only(await desk_reading.cases(reading, asked, 6), id, "warning")
        return await drills.verify(reading, person, row, comment, _level(level))

    answer = read_or_refuse(database_url, work)
    first = answer.get("already")
    said = f"核实 verified, by {person}"
    if first:
        said = f"已由 {first['by']} 核实 verified by {first['by']} already, {first['at']}"
    _tell(answer, output, said)


def read_or_refuse(
    database_url: str | None, work: "Callable[[Reading], Awaitable[dict[str, Any]]]"
) -> dict[str, Any]:
    """The answer of the worker; exits with 1 where it was refused."""
    from hazwatch.commands.drills import NotDone

    try:
        return read(settings_of(database_url), work)
    except NotDone as refused:
        fail(str(refused), WRONG)


def _tell(answer: dict[str, Any], output: TableOrJson, said: str) -> None:
    if output is TableOrJson.JSON:
        print_json(answer)
        return
    case = f"  {answer['warning']}" if "warning" in answer else ""
    typer.echo(f"{said}{case}")


def _level(given: str | None) -> Level | None:
    words = listed(given, (level.name.lower() for level in Level), "--level")
    return None if words is None else Level[words[0].upper()]


def _asked(
    colour: str | None,
    worst: str | None,
    state: str | None,
    unreceived: bool,
    begin: Any,
    end: Any,
) -> "CasesAsked":
    """The filter; without a time or a state it is what is open."""
    from storage.desk_reading import CasesAsked

    def of(given: str | None, option: str) -> tuple[Colour, ...] | None:
        words = listed(given, WORDS, option)
        return None if words is None else tuple(WORDS[word] for word in words)

    return CasesAsked(
        open=True if state is None and begin is None and end is None else None,
        states=listed(state, CaseState, "--state"),
        colours=of(colour, "--colour"),
        worst=of(worst, "--worst"),
        unreceived=unreceived,
        begin=begin,
        end=end,
    )
