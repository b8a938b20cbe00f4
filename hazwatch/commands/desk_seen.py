"""What `hazwatch alarms seen` does: record 已阅 for a person, and wait for the worker."""

from typing import TYPE_CHECKING, Any
from uuid import uuid5

from domain.alarms import NAMESPACE, OperatorAction
from domain.cases import Level
from domain.clock import SystemClock
from hazwatch.commands.desk import Unclear
from hazwatch.commands.drills import NotDone, answered

if TYPE_CHECKING:
    from storage.reading import Reading, Row


async def see(
    reading: "Reading", person: str, row: "Row", comment: str | None, level: Level | None
) -> dict[str, Any]:
    """What the worker answers. row: of `desk_alarms`. Raises `NotDone` where it is refused, or no
    worker has taken it."""
    from api.alarm_rights import seeing
    from api.problems import Problem
    from storage.actions_api import alarm_path, record_action
    from storage.sessions import scope_of

    at = SystemClock().now()
    scope = await scope_of(reading, person, at)
    if scope is None:
        raise Unclear(f"nobody is called {person!r}; hazwatch user list shows who is known")
    try:
        standing = seeing(scope, row, await alarm_path(reading, row["node"]), level)
    except Problem as problem:
        raise NotDone(problem.detail) from problem
    key = f"see/{row['id']}/{at.isoformat()}"
    id = uuid5(NAMESPACE, f"action/{scope.person}/{key}")
    action = OperatorAction(id, "see", row["id"], scope.person, comment, at, standing.level)
    await record_action(reading, action, key, standing.enterprise)
    return await answered(reading, scope.person, key)
