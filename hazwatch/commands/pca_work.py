"""What `hazwatch pca` does with the database."""

from datetime import datetime
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.pca_record import PcaSight, sight_of
from domain.plant import Node, Registry
from hazwatch.commands.documents import console
from hazwatch.pca_learn import Lesson, Task, address, group_called, learn
from storage.database import Connection
from storage.pca_models import add_model, all_groups, decisions_of, models_of
from storage.registry import read_registry


async def found(conn: Connection, words: str) -> tuple[Registry, Node]:
    """The registry, and the group that `words` names; `CannotLearn`."""
    registry = await read_registry(conn)
    return registry, group_called(registry, words)


async def learnt(
    conn: Connection, registry: Registry, task: Task, at: datetime
) -> tuple[Lesson, int]:
    """Learn behind a progress bar and keep the model; what came of it, and its version."""
    with _progress() as progress:
        bar = progress.add_task("", total=1.0)

        def moved(what: str, share: float) -> None:
            progress.update(bar, description=what, completed=share)

        lesson = await learn(conn, registry, task, at, moved)
    return lesson, await add_model(conn, lesson.learnt)


async def overview(conn: Connection) -> list[dict[str, Any]]:
    """All groups of kind pca."""
    registry, now = await read_registry(conn), SystemClock().now()
    return [
        {
            "group": address(registry, row["id"]),
            "node": row["id"],
            "members": len(row["members"] or ()),
            "models": row["models"],
            "active": row["active"],
            "since": None if row["active"] is None else rfc3339(row["decided_at"]),
            "by": row["decided_by"],
            "now": _in_words(row, now),
        }
        for row in await all_groups(conn)
    ]


async def shown(conn: Connection, words: str) -> dict[str, Any]:
    """A group with its models and what people decided."""
    (registry, node), now = await found(conn, words), SystemClock().now()
    (row,) = [one for one in await all_groups(conn) if one["id"] == node.id]
    watched = sight_of(row["told"], row["told_at"], row["active"], now)[0] is PcaSight.WATCHED
    shares = (row["told"] or {}).get("shares", []) if watched else []
    return {
        "group": address(registry, node.id),
        "node": node.id,
        "active": row["active"],
        "now": _in_words(row, now),
        "mostly": sorted(
            ({**one, "name": row["names"].get(str(one["tag"]), "")} for one in shares),
            key=lambda one: -max(one["of_t2"], one["of_spe"]),
        )[:5],
        "versions": [_model(one, row["active"]) for one in await models_of(conn, node.id)],
        "decisions": [
            one | {"at": rfc3339(one["at"])} for one in await decisions_of(conn, node.id)
        ],
    }


def _model(row: dict[str, Any], active: int | None) -> dict[str, Any]:
    rest = {k: v for k, v in row.items() if k not in ("node", "learnt_from", "learnt_to")}
    return rest | {
        "from": rfc3339(row["learnt_from"]),
        "to": rfc3339(row["learnt_to"]),
        "learnt_at": rfc3339(row["learnt_at"]),
        "active": row["version"] == active,
    }


def _in_words(row: dict[str, Any], now: datetime) -> str:
    """What the worker last said of a group, if that is of now."""
    sight, why = sight_of(row["told"], row["told_at"], row["active"], now)
    if sight is PcaSight.WATCHED:
        told = row["told"]
        state = "in alarm" if told["active"] else "normal"
        return f"{state}, T² {told['t2']:.2f} and SPE {told['spe']:.2f} of their limits"
    words = {
        PcaSight.NO_MODEL: "not watched, no model is active",
        PcaSight.REFUSED: "not watched, its model does not fit",
        PcaSight.UNKNOWN: "unknown",
    }[sight]
    return f"{words}: {why}" if why else words


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=console(stderr=True), transient=True,
    )  # fmt: skip
