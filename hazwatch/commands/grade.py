"""`hazwatch grade`: identification and grading by GB 18218-2018, with every step."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from domain.gb18218 import Grading, Row
from domain.gb18218_account import FORMULA, account, uncertain
from domain.gb18218_tables import Sourced, tables
from domain.gb18218_words import number
from domain.grading import Assessment, Outcome, assess_source, assess_unit
from domain.grading_file import GradingFile, read_grading
from domain.problem import DocumentError, Loc, Problem, path
from domain.site import read_site
from domain.yaml_source import YamlSource, parse
from hazwatch.commands.documents import WRONG, console, read_document, schema_text
from hazwatch.commands.output import print_json

GRADES = {0: "no major hazard source", 1: "一级", 2: "二级", 3: "三级", 4: "四级"}


def json_schema() -> str:
    """The published schema, `schemas/grading.schema.json`."""
    return schema_text(GradingFile.model_json_schema(), "hazwatch grading file")


def _print_schema(wanted: bool) -> None:
    if wanted:
        typer.echo(json_schema(), nl=False)
        raise typer.Exit


def grade(
    file: Annotated[
        Path,
        typer.Argument(
            help="site file or grading file (YAML)", exists=True, dir_okay=False, metavar="FILE"
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON document with the whole arithmetic")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            callback=_print_schema,
            is_eager=True,
            help="print the JSON Schema of grading files, and nothing else",
        ),
    ] = False,
) -> None:
    """Identify and grade major hazard sources 重大危险源 by GB 18218-2018, showing every step.

    Of a site file every source is graded by its registered design. Exit code 1 where a registered
    grade is not the computed one, or something is missing. docs/gb18218.md has an example by hand.

    Example: hazwatch grade plant.yaml

    Example: hazwatch grade farm.yaml --json
    """
    found = read_document(file, assessments)
    if as_json:
        print_json([account(one) for one in found])
    else:
        for one in found:
            _show(one)
        _sum_up(found)
    if any(one.problems or one.agrees is False for one in found):
        raise typer.Exit(WRONG)


def assessments(text: str) -> list[Assessment]:
    """What a site file or a grading file comes to; raises `DocumentError`."""
    document = parse(text)
    if isinstance(document.data, dict) and "units" in document.data:
        units = read_grading(text).units
        return [assess_unit(unit, ("units", i), tables()) for i, unit in enumerate(units)]
    if isinstance(document.data, dict) and "tree" in document.data:
        return _of_site(text)
    raise DocumentError([Problem(1, "", _neither(document))])


def _neither(document: YamlSource) -> str:
    kind = type(document.data).__name__
    seen = ", ".join(document.data) if isinstance(document.data, dict) else f"a {kind}"
    return f"{seen}: allowed is a site file (with tree) or a grading file (with units)"


def _of_site(text: str) -> list[Assessment]:
    found = []
    for e, enterprise in enumerate(read_site(text).enterprises):
        for s, source in enumerate(enterprise.sources):
            place: Loc = ("enterprises", e, "sources", s)
            found.append(assess_source(source, enterprise.population_500m, place, tables()))
    return found


def _show(found: Assessment) -> None:
    out = console()
    out.print(Text(f"{found.code} {found.name}", "bold"))
    for note in found.notes:
        out.print(Text(f"  note: {note}", "yellow"))
    for loc, text in found.problems:
        out.print(Text.assemble("  ", (path(found.at(loc)), "cyan"), f": {text}"))
    if found.grading is not None:
        _show_grading(found.grading)
        _show_registered(found)
    out.print()


def _show_registered(found: Assessment) -> None:
    if found.agrees is False and found.registered is not None and found.grading is not None:
        computed = GRADES[found.grading.grade or 0]
        line = f"  registered is {GRADES[found.registered]}, computed is {computed}: they differ"
        console().print(Text(line, "bold red"))


def _show_grading(grading: Grading) -> None:
    out = console()
    table = Table("substance", "q (t)", "Q (t)", "β", "q/Q", "β·q/Q")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in grading.rows:
        table.add_row(*_cells(row, grading.identified))
    weighted = "" if grading.weighted is None else number(grading.weighted)
    table.add_row("Σ", "", "", "", number(grading.s), weighted, style="bold")
    out.print(table)
    for line in _steps(grading):
        out.print(Text(f"  {line}"))
    for row in grading.rows:
        for line in _reasons(row, grading.identified):
            out.print(Text(f"  {row.holding.name}: {line}", "dim"))
    for line in uncertain(grading):
        out.print(Text(f"  to be checked: {line}", "yellow"))


def _cells(row: Row, identified: bool) -> tuple[str, ...]:
    if row.critical is None:
        return row.holding.name, number(row.holding.tonnes), "–", "–", "0", "0"
    beta = "–" if row.beta is None else number(row.beta.value)
    weighted = number(row.weighted) if identified and row.weighted is not None else "–"
    name = row.holding.name + (f" ({row.holding.cas})" if row.holding.cas else "")
    numbers = number(row.holding.tonnes), number(row.critical.value)
    return name, *numbers, beta, number(row.fraction), weighted


def _steps(grading: Grading) -> list[str]:
    s, least = number(grading.s), number(grading.tables.identified_from)
    clause = grading.tables.rules["identification"].clause
    if grading.alpha is None or grading.r is None or grading.weighted is None:
        return [f"S = {s} < {least}: no major hazard source 不构成重大危险源, no grade ({clause})"]
    alpha, r = number(grading.alpha.value), number(grading.r)
    bounds = ", ".join(
        f"{step.name} R ≥ {number(step.lowest)}" if step.lowest else f"{step.name} below"
        for step in grading.tables.grades
    )
    return [
        f"S = {s} ≥ {least}: major hazard source 重大危险源 ({clause})",
        f"α = {alpha}: {grading.alpha.why} ({_origin(grading.alpha)})",
        f"R = α · Σ β·q/Q = {alpha} · {number(grading.weighted)} = {r}",
        f"grade {grading.grade} {grading.grade_name} ({bounds})",
    ]


def _reasons(row: Row, identified: bool) -> list[str]:
    lines = []
    if row.holding.how not in ("", "design_t"):
        lines.append(f"q = {row.holding.how} = {number(row.holding.tonnes)} t")
    if row.critical is not None:
        lines.append(f"Q: {row.critical.why} ({_origin(row.critical)})")
    if row.beta is not None and identified:
        lines.append(f"β: {row.beta.why} ({_origin(row.beta)})")
    return lines + list(row.notes)


def _origin(given: Sourced) -> str:
    origin = given.origin
    return f"{origin.clause or 'given'}, {origin.source}, {origin.confidence}"


def _sum_up(found: list[Assessment]) -> None:
    counts = {outcome: sum(one.outcome is outcome for one in found) for outcome in Outcome}
    words = {
        Outcome.GRADED: "graded",
        Outcome.NOT_IDENTIFIED: "no major hazard source",
        Outcome.OPEN: "open",
        Outcome.EMPTY: "without substances",
    }
    parts = [f"{n} {words[outcome]}" for outcome, n in counts.items() if n]
    differ = sum(one.agrees is False for one in found)
    parts += [f"{differ} registered otherwise"] if differ else []
    standard = f"{tables().standard}, tables {tables().version}"
    console().print(Text(f"{', '.join(parts) or 'nothing to grade'}. {FORMULA} ({standard})"))
