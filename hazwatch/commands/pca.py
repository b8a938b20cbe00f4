"""`hazwatch pca`: learn, look at, and put in force the models of groups of tags."""

import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.text import Text

from domain.clock import SystemClock
from hazwatch.commands.database import fail, with_database
from hazwatch.commands.documents import WRONG, console
from hazwatch.commands.output import print_json
from hazwatch.commands.pca_picture import (
    lesson_document,
    show_groups,
    show_lesson,
    show_models,
)

if TYPE_CHECKING:
    from hazwatch.pca_learn import Lesson
    from storage.database import Connection

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Groups of tags that move together (PCA 工况偏离): learn what normal running looks like, "
        "look at it, put it in force.\n\n"
        "A group of `kind: pca` in the site file is not watched until a model is active. Learn one "
        "from a calm period of several days in which the unit went through all its usual states: "
        "what is in it counts as normal from then on. Learn anew when the unit was changed. "
        "docs/early-warning.md shows the whole way."
    ),
)
T = TypeVar("T")
LONG_S = 600.0
"""A statement over a long period of a fast tag may take so long."""

Group = Annotated[
    str,
    typer.Argument(
        help="code of the group, or the end of its path: acme/s1/reactor", metavar="GROUP"
    ),
]
Version = Annotated[int, typer.Argument(help="of the model; pca show lists them", min=1)]
DatabaseUrl = Annotated[str | None, typer.Option(help="overrides the setting")]
By = Annotated[str | None, typer.Option(help="who decides it; by default you")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]


def instant(said: str) -> datetime:
    """An instant with its zone, such as 2026-11-01T08:00+08:00."""
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter(
            f"{said!r} is no instant with a zone; write 2026-11-01T00:00+08:00, or …Z for UTC"
        )
    return found.astimezone(UTC)


@app.command()
def learn(
    group: Group,
    begin: Annotated[
        datetime,
        typer.Option("--from", parser=instant, metavar="TIME", help="2026-11-01T00:00+08:00"),
    ],
    end: Annotated[
        datetime | None,
        typer.Option("--to", parser=instant, metavar="TIME", help="by default now"),
    ] = None,
    activate: Annotated[
        bool, typer.Option("--activate", help="put it in force at once; needs --reason")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="why it is put in force")] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="in spite of alarms, and without members that stand still or are rare"
        ),
    ] = False,
    by: By = None,
    as_json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Learn a model of a group from its stored samples, and keep it as the next version.

    It reads every member over the period, refuses what cannot teach anything, and
    shows the components that the members have in common, the limits, and how the
    period itself would have looked. Nothing is watched by it until it is active.

    Example: hazwatch pca learn reactor --from 2026-11-01T00:00+08:00 --to 2026-11-08T00:00+08:00

    Example: hazwatch pca learn acme/s1/reactor --from 2026-11-01T00:00Z --activate --reason new
    """
    from hazwatch.commands.pca_work import found, learnt
    from hazwatch.pca_learn import Task, address
    from storage import pca_models

    if activate and not (reason or "").strip():
        fail('--activate needs --reason, such as --reason "after overhaul"', 2)
    at = SystemClock().now()
    who = by or getpass.getuser()

    async def work(conn: "Connection") -> "tuple[str, Lesson, int]":
        registry, node = await found(conn, group)
        task = Task(node, begin, min(end or at, at), who, anyway)
        lesson, version = await learnt(conn, registry, task, at)
        if activate:
            await pca_models.activate(conn, node.id, version, by=who, reason=str(reason), at=at)
        return address(registry, node.id), lesson, version

    path, lesson, version = _run(database_url, work)
    if as_json:
        print_json(lesson_document(path, lesson, version, activate))
        return
    show_lesson(path, lesson, version)
    if activate:
        console().print(Text(f"version {version} is active; a running service takes it in now"))
    else:
        console().print(
            Text(f'not active yet: hazwatch pca activate {path} {version} --reason "…"')
        )


@app.command("list")
def list_all(as_json: Json = False, database_url: DatabaseUrl = None) -> None:
    """List all groups of kind pca: the model in force, and what the worker says of them now.

    Example: hazwatch pca list
    """
    from hazwatch.commands.pca_work import overview

    rows = _run(database_url, overview)
    if as_json:
        print_json(rows)
    elif rows:
        show_groups(rows)
    else:
        console().print(Text("no group of kind pca; docs/site-file.md says how to declare one"))


@app.command()
def show(group: Group, as_json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Show a group's models, who put which in force and why, and its statistics now.

    Example: hazwatch pca show reactor
    """
    from hazwatch.commands.pca_work import shown

    told = _run(database_url, lambda conn: shown(conn, group))
    if as_json:
        print_json(told)
        return
    out = console()
    out.print(Text(told["group"], "bold").append(f": {told['now']}"))
    for share in told["mostly"]:
        numbers = f"T² {share['of_t2']:.0%}, SPE {share['of_spe']:.0%}"
        out.print(Text(f"  {share['name']:<16} {numbers}"))
    if not told["versions"]:
        out.print(Text(f"no model yet: hazwatch pca learn {told['group']} --from … --to …"))
        return
    show_models(told["versions"])
    for one in told["decisions"]:
        what = "dropped" if one["version"] is None else f"version {one['version']} activated"
        out.print(Text(f"{one['at']} {what} by {one['by']}: {one['reason']}"))


@app.command()
def activate(
    group: Group,
    version: Version,
    reason: Annotated[str, typer.Option(help="why; it is kept with your name and the time")],
    by: By = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Put a version in force; running services take it in within a second. Earlier ones stay.

    An alarm of the group that is active stays so until the new model has seen it return.

    Example: hazwatch pca activate reactor 3 --reason "new catalyst since 3 November"
    """
    path, before = _decided(database_url, group, version, by, reason)
    told = "" if before is None else f", instead of version {before}"
    console().print(Text(f"{path}: version {version} is active{told}"))


@app.command()
def drop(
    group: Group,
    reason: Annotated[str, typer.Option(help="why; it is kept with your name and the time")],
    by: By = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a group go without a model: it is not watched from then on. Its models stay.

    Example: hazwatch pca drop reactor --reason "unit is being rebuilt"
    """
    path, before = _decided(database_url, group, None, by, reason)
    if before is None:
        console().print(Text(f"{path}: no model was active, and none is"))
    else:
        console().print(Text(f"{path}: no model is active any more (it was version {before})"))


def _decided(
    database_url: str | None, group: str, version: int | None, by: str | None, reason: str
) -> tuple[str, int | None]:
    """Path of the group, and the version in force before."""
    from hazwatch.commands.pca_work import found
    from hazwatch.pca_learn import address
    from storage import pca_models

    if not reason.strip():
        fail('--reason is empty; say why, such as --reason "after overhaul"', 2)
    at, who = SystemClock().now(), by or getpass.getuser()

    async def work(conn: "Connection") -> tuple[str, int | None]:
        registry, node = await found(conn, group)
        before = await pca_models.activate(conn, node.id, version, by=who, reason=reason, at=at)
        return address(registry, node.id), before

    return _run(database_url, work)


def _run(database_url: str | None, work: "Callable[[Connection], Awaitable[T]]") -> T:
    """What `work(connection)` returns; exits with 1 and the sentences of a refusal."""
    from hazwatch.pca_learn import CannotLearn
    from storage.pca_models import NoSuchModel

    try:
        return with_database(database_url, work, "hazwatch-pca", LONG_S)
    except CannotLearn as refused:
        fail("\n".join((*refused.sentences, "nothing was done")), WRONG)
    except NoSuchModel as error:
        fail(f"{error}; hazwatch pca show lists the versions", WRONG)
