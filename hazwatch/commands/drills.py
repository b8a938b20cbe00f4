"""What `hazwatch warnings drill`, `end-drill` and `verify` do: record a decision, and wait for the
worker."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from domain.alarms import NAMESPACE, OperatorAction
from domain.cases import Level
from domain.clock import SystemClock
from hazwatch.commands.desk import Unclear

if TYPE_CHECKING:
    from api.desk import Decision
    from storage.reading import Reading, Row

LOOK_AGAIN_S = 0.25
PATIENCE_S = 10.0
"""So long a worker is waited for."""


class NotDone(Exception):
    """It was refused, or no worker has taken it yet."""


async def begin(
    reading: "Reading",
    person: str,
    source: int,
    decision: Callable[[], "Decision"],
) -> dict[str, Any]:
    """Begin a drill in the name of a person; what the worker answers."""
    from storage.warnings_reading import source_to_act_on

    return await _taken(reading, person, await source_to_act_on(reading, None, source), decision())


async def end(
    reading: "Reading", person: str, row: "Row", comment: str | None, level: Level | None
) -> dict[str, Any]:
    """End a drill in the name of a person. row: of `desk_cases`."""
    return await _of_case(reading, "end_drill", person, row, comment, level)


async def verify(
    reading: "Reading", person: str, row: "Row", comment: str | None, level: Level | None
) -> dict[str, Any]:
    """Verify 核实 a red in the name of a person. row: of `desk_cases`."""
    return await _of_case(reading, "verify", person, row, comment, level)


async def _of_case(
    reading: "Reading",
    verb: str,
    person: str,
    row: "Row",
    comment: str | None,
    level: Level | None,
) -> dict[str, Any]:
    from api.desk import Decision
    from storage.warnings_reading import source_to_act_on

    case: UUID = row["id"]
    key = f"{verb}/{case}/{SystemClock().now().isoformat()}"
    place = await source_to_act_on(reading, None, row["source"])
    decision = Decision(verb, case, comment, key, level)
    return await _taken(reading, person, place, decision)


async def _taken(
    reading: "Reading", person: str, place: "Row | None", decision: "Decision"
) -> dict[str, Any]:
    from api.desk import spoken
    from api.problems import Problem
    from storage.actions_api import record_action
    from storage.sessions import scope_of

    at = SystemClock().now()
    scope = await scope_of(reading, person, at)
    if scope is None:
        raise Unclear(f"nobody is called {person!r}; hazwatch user list shows who is known")
    try:
        standing = spoken(scope, place, decision.level)
    except Problem as problem:
        raise NotDone(problem.detail) from problem
    id = uuid5(NAMESPACE, f"action/{scope.person}/{decision.key}")
    action = OperatorAction(
        id, decision.verb, decision.target, scope.person, decision.comment, at, standing.level,
        decision.detail,
    )  # fmt: skip
    await record_action(reading, action, decision.key, standing.enterprise)
    return await answered(reading, person, decision.key)


async def answered(reading: "Reading", person: str, key: str) -> dict[str, Any]:
    """What the worker made of the decision of a person under a key. Raises `NotDone`."""
    from storage.actions_api import action_by_key

    clock = SystemClock()
    until = clock.elapsed() + PATIENCE_S
    while clock.elapsed() < until:
        row = await action_by_key(reading, person, key)
        if row is not None and row["result"] is not None:
            refused = row["result"].get("refused")
            if refused is not None:
                raise NotDone(str(refused["detail"]))
            return dict(row["result"])
        await clock.sleep(LOOK_AGAIN_S)
    raise NotDone("it is recorded; no worker has taken it yet: is hazwatch running? 已记录,待执行")
