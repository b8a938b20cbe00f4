"""The desk: records what a person decided, and waits a moment for what the worker makes of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from api.live import happened
from api.options import ApiOptions
from api.problems import EXPLANATIONS, Problem
from domain.alarms import NAMESPACE, OperatorAction, State
from domain.cases import Level
from domain.clock import Clock
from domain.frame import Lane
from domain.instant import rfc3339
from storage.actions_api import action_by_key, find_action, record_action
from storage.outbox_reading import OutboxStream
from storage.reading import Reading, Row
from storage.sessions import Scope

LOOK_AGAIN_S = 0.25
"""How often the result is looked for when no NOTIFY comes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about `target`, said once under `key`.

    level: for whom the person wants to speak, None where that follows from the grants. detail: what
    else the verb needs, as plain JSON.
    """

    verb: str
    target: UUID
    comment: str | None
    key: str
    level: Level | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision meets. level: for whom it speaks, in a warning.

    first: the answer, where it is known without the worker that somebody was first.
    """

    enterprise: int
    level: Level | None = None
    first: dict[str, Any] | None = None


Look = Callable[[Scope, Decision], Awaitable[Standing]]
"""Finds what a decision meets, or raises the problem for what needs no worker to be refused."""


class Desk:
    """Where the decisions of people come in; the worker alone applies them."""

    def __init__(
        self, reading: Reading, stream: OutboxStream, clock: Clock, options: ApiOptions
    ) -> None:
        self._reading = reading
        self._stream = stream
        self._clock = clock
        self._options = options

    async def take(
        self, scope: Scope, decision: Decision, look: Look
    ) -> tuple[int, dict[str, Any]]:
        """(status, body) of the answer; the same key again gives the same action."""
        action = await action_by_key(self._reading, scope.person, decision.key)
        if action is None:
            standing = await look(scope, decision)
            if standing.first is not None:
                return 200, standing.first
            await self._record(scope, decision, standing)
            # read back: the same key may have come at the same time, for something else
            action = await action_by_key(self._reading, scope.person, decision.key)
            assert action is not None, "an action is never deleted"
        if not same(action, decision):
            raise Problem(409, f"The key was used before, for {action['verb']} {action['target']}.")
        return answer(str(action["id"]), await self._result(scope, action["id"]))

    async def _record(self, scope: Scope, decision: Decision, standing: Standing) -> None:
        action = OperatorAction(
            uuid5(NAMESPACE, f"action/{scope.person}/{decision.key}"),
            decision.verb,
            decision.target,
            scope.person,
            decision.comment,
            self._clock.now(),
            standing.level,
            decision.detail,
        )
        await record_action(self._reading, action, decision.key, standing.enterprise)

    async def _result(self, scope: Scope, id: UUID) -> dict[str, Any] | None:
        until = self._clock.elapsed() + self._options.action_wait_s
        while True:
            changed = self._stream.actions_changed
            row = await find_action(self._reading, scope, id)
            if row is not None and row["done_at"] is not None:
                return dict(row["result"])
            left = until - self._clock.elapsed()
            if left <= 0:
                return None
            await happened(changed, min(left, LOOK_AGAIN_S))


def same(action: Row, decision: Decision) -> bool:
    """Whether an action that was recorded under the key is this decision, and not another one."""
    if (action["verb"], action["target"]) != (decision.verb, decision.target):
        return False
    said = action.get("comment"), action.get("detail")
    if decision.detail and said != (decision.comment, decision.detail):
        return False
    return decision.level is None or decision.level == action["level"]


def settled(alarm: Row | None) -> dict[str, Any] | None:
    """Who was first, where that is known without asking the worker; refuses what cannot be done."""
    if alarm is None:
        raise Problem(404, EXPLANATIONS["not-found"])
    if alarm["lane"] != Lane.LIVE:
        raise Problem(409, "It was found afterwards in stored data; nobody has to acknowledge it.")
    if alarm["state"] not in (State.ACKED, State.NORM) or alarm["acknowledged_by"] is None:
        return None
    at = alarm["acknowledged_at"]
    return {"already": {"by": alarm["acknowledged_by"], "at": rfc3339(at) if at else None}}


def spoken(scope: Scope, case: Row | None, wanted: Level | None) -> Standing:
    """For whom a person speaks in a warning; refuses what cannot be done.

    That is the level `wanted`, or the highest that the person's grants give where the case lies.
    """
    if case is None:
        raise Problem(404, EXPLANATIONS["not-found"])
    held = scope.levels(case["enterprise"], case["path"])
    if not held:
        raise Problem(403, "No role of this person speaks for a level of this warning.")
    if wanted is not None and wanted not in held:
        told = ", ".join(level.name.lower() for level in sorted(held))
        raise Problem(403, f"This person speaks for {told}, not for {wanted.name.lower()}.")
    if case["closed"] is not None:
        raise Problem(409, f"The warning is closed 已销警 since {rfc3339(case['closed'])}.")
    return Standing(case["enterprise"], max(held) if wanted is None else wanted)


def answer(action: str, result: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
    """(status, body) for what the worker made of an action; None: nothing yet."""
    if result is None:
        return 202, {"action": action}
    refused = result.get("refused")
    if refused is not None:
        raise Problem(int(refused.get("status", 409)), str(refused.get("detail", "refused")))
    return 200, {"action": action, **result}
