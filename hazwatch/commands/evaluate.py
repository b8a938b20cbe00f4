"""`hazwatch evaluate`: the early-warning layers on recordings with known truth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from domain.replay_map import read_map
from hazwatch.commands.documents import WRONG, console, read_document
from hazwatch.commands.output import print_json

USAGE = 2
LONGEST_LIST = 40
"""Events that are shown on the screen; --json has all."""

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Measure early warning on recordings with known truth.\n\n"
        "Every recording goes through the same engine that runs live, sample after sample; false "
        "alarms are counted in episodes, and what came late counts as missed. The goals G1 to G8 "
        "and the rules of honesty are in docs/early-warning.md.\n\n"
        "Your own recording: hazwatch evaluate csv FILE --tags MAP.yaml --truth TRUTH.csv"
    ),
)

Json = Annotated[bool, typer.Option("--json", help="print one JSON document, and nothing else")]
Data = Annotated[
    Path, typer.Option("--data", help="folder with metec, tep, co2 and nab", file_okay=False)
]
DATA = Path("../shared/data")
Report = dict[str, Any]
Tell = Callable[[str, float], None]


@app.command("all")
def every(data: Data = DATA, json: Json = False) -> None:
    """Everything: synthetic ramps, METEC, Tennessee Eastman, room CO2, NAB. Some minutes.

    Example: hazwatch evaluate all --data ../shared/data --json
    """
    names = ("ramps", "metec", "tep", "co2", "nab")
    _present(data, names)
    with _progress() as tell:
        documents = [_document(name, data, tell) for name in names]
    _show(documents, json, as_list=True)


@app.command()
def ramps(
    json: Json = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="fewer tag-days, in a fraction of the time: a look")
    ] = False,
) -> None:
    """Synthetic ramps against the oracle that knows slope and noise: goals G1 to G4, and G8.

    Example: hazwatch evaluate ramps
    """
    with _progress() as tell:
        document = _ramps(quick, tell)
    _show([document], json)


@app.command()
def metec(data: Data = DATA, json: Json = False) -> None:
    """Real methane detectors, 17 controlled releases: goal G6.

    Example: hazwatch evaluate metec --data ../shared/data
    """
    _one("metec", data, json)


@app.command()
def tep(data: Data = DATA, json: Json = False) -> None:
    """Tennessee Eastman process, principal components learnt from the normal run: goal G5.

    Example: hazwatch evaluate tep --json
    """
    _one("tep", data, json)


@app.command()
def co2(data: Data = DATA, json: Json = False) -> None:
    """Real room CO2, forecasts of crossing 1000 ppm: goal G7.

    Example: hazwatch evaluate co2
    """
    _one("co2", data, json)


@app.command()
def nab(data: Data = DATA, json: Json = False) -> None:
    """Real temperature of a machine with four failures; no goal, to look at.

    Example: hazwatch evaluate nab
    """
    _one("nab", data, json)


@app.command("csv")
def own(
    file: Annotated[
        Path, typer.Argument(help="recorded table", exists=True, dir_okay=False, metavar="FILE")
    ],
    tags: Annotated[
        Path,
        typer.Option("--tags", help="replay map (YAML) of the table", exists=True, dir_okay=False),
    ],
    truth: Annotated[
        Path,
        typer.Option("--truth", help="what really happened (CSV)", exists=True, dir_okay=False),
    ],
    json: Json = False,
) -> None:
    """Any recording of your own.

    The map is that of `hazwatch replay`, with groups and train:

    groups: {site: {members: [GD-1, GD-2], kind: any}, unit: {members: [TI-1, PI-1, FI-1], kind:
    pca}}

    train: {until: 2022-05-10T00:00:00Z}

    The truth is a CSV with the columns event,start,end,tag,kind: tag is a tag, a group or *; kind
    is crossing:H (or :HH, :L, :LL; warned by a forecast that is on when it comes), release (found
    by intermittent gas), or any other word, such as fault (found by the group's principal
    components, or by a change of the tag).

    Example: hazwatch evaluate csv week.csv --tags week.yaml --truth week-truth.csv --json
    """
    from hazwatch.evaluate.own import evaluate
    from hazwatch.evaluate.truth import TruthError
    from rules.plan import PlanError
    from simulators.recording import RecordingError

    plan = read_document(tags, read_map)
    try:
        with _progress() as tell:
            report = evaluate(file, plan, truth, tell)
    except RecordingError as error:
        _fail(f"{file}: {error}", WRONG)
    except TruthError as error:
        _fail(str(error), WRONG)
    except PlanError as error:
        _fail("\n".join(f"{tags}: {problem}" for problem in error.problems), WRONG)
    _show([report.document()], json)


def _one(name: str, data: Path, json: bool) -> None:
    _present(data, (name,))
    with _progress() as tell:
        document = _document(name, data, tell)
    _show([document], json)


def _present(data: Path, names: tuple[str, ...]) -> None:
    lost = [name for name in names if name != "ramps" and not (data / name).is_dir()]
    if lost:
        _fail(
            f"no {', '.join(lost)} below {data.absolute()}; say where the sets are: --data DIR",
            USAGE,
        )


def _document(name: str, data: Path, tell: Tell) -> Report:
    from hazwatch.evaluate.sets import SETS, DataError

    if name == "ramps":
        return _ramps(False, tell)
    try:
        return SETS[name](data, tell).document()
    except DataError as error:
        _fail(str(error), USAGE)


def _ramps(quick: bool, tell: Tell) -> Report:
    try:
        synthetic = import_module("hazwatch.evaluate.ramps")
    except ImportError as error:
        _fail(f"the synthetic ramps are not part of this build ({error})", WRONG)
    document: Report = synthetic.ramps(quick=quick, progress=tell)
    return document


@contextmanager
def _progress() -> Iterator[Tell]:
    with Progress(
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    ) as bars:
        line = bars.add_task("", total=1.0)
        yield lambda what, share: bars.update(line, description=what, completed=share)


def _show(documents: list[Report], json: bool, *, as_list: bool = False) -> None:
    if json:
        print_json(documents if as_list else documents[0])
        return
    for document in documents:
        _print(document)


def _print(document: Report) -> None:
    out = console()
    table = Table("goal", "measure", "measured", "95 %", "target", "met", title=document["set"])
    for row in document["rows"]:
        met = {None: "", True: "yes", False: "NO"}[row["met"]]
        table.add_row(
            row["goal"] or "",
            row["measure"],
            _number(row["value"]),
            "" if row["interval"] is None else " to ".join(_number(b) for b in row["interval"]),
            _target(row),
            Text(met, "green" if row["met"] else "red"),
        )
    out.print(table)
    false = document["false_alarms"]
    if document.get("fault_free_days") is not None:
        out.print(
            f"{false['episodes']} false alarm episodes in {document['fault_free_days']:.4g} "
            "fault-free days"
        )
    _print_events(document)
    for note in document.get("notes", ()):
        out.print(Text(note, "yellow"))


def _print_events(document: Report) -> None:
    events = document.get("events") or []
    if not events:
        return
    table = Table("event", "warned", "by", "lead or delay, min")
    for event in events[:LONGEST_LIST]:
        seconds = event.get("lead_s", event.get("delay_s"))
        table.add_row(
            str(event["event"]),
            event["warned_at"] or Text("missed", "red"),
            event["by"] or "",
            "" if seconds is None else f"{seconds / 60:.1f}",
        )
    console().print(table)
    if len(events) > LONGEST_LIST:
        console().print(f"and {len(events) - LONGEST_LIST} more events; --json has all")


def _target(row: dict[str, Any]) -> str:
    if row["target"] is None:
        return ""
    sign = {"lower": "≤ ", "higher": "≥ "}.get(row.get("better") or "", "")
    return f"{sign}{row['target']}" if sign == "" else f"{sign}{row['target']:g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _fail(text: str, code: int) -> NoReturn:
    console(stderr=True).print(Text(text, "red"))
    raise typer.Exit(code)
