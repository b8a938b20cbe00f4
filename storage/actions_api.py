"""Alarms as they are read, and what people ask for: recorded here, applied by the worker alone."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alarms import OperatorAction
from domain.frame import Lane
from storage.encoding import jsonb
from storage.reading import Reading, Row
from storage.sessions import Scope


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which occurrences. None does not filter; open: all but NORM; node: with all below it;
    flags: with any of these."""

    lane: Lane | None = Lane.LIVE
    open: bool = False
    states: tuple[str, ...] | None = None
    acknowledged: bool | None = None
    priorities: tuple[str, ...] | None = None
    node: int | None = None
    tag: int | None = None
    id: UUID | None = None
    flags: tuple[str, ...] | None = None


async def list_alarms(
    reading: Reading,
    scope: Scope,
    which: AlarmFilter,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 1,
) -> list[Row]:
    """Occurrences, newest onset first; `before` is (onset, id) of the last one known."""
    moment, id = before or (None, None)
    return await reading.rows(
        "list_alarms",
        enterprises=scope.owners(),
        lane=None if which.lane is None else int(which.lane),
        open=which.open,
        states=None if which.states is None else list(which.states),
        acknowledged=which.acknowledged,
        priorities=None if which.priorities is None else list(which.priorities),
        node=which.node,
        tag=which.tag,
        flags=None if which.flags is None else list(which.flags),
        id=which.id,
        before=moment,
        before_id=id,
        limit=limit,
    )


async def find_alarm(reading: Reading, scope: Scope, id: UUID) -> Row | None:
    """One occurrence of any lane; None if it is not there for this reader."""
    found = await list_alarms(reading, scope, AlarmFilter(lane=None, id=id))
    return found[0] if found else None


async def alarm_path(reading: Reading, node: int) -> frozenset[int]:
    """The node of an alarm and every node above it, removed ones among them."""
    return frozenset(row["id"] for row in await reading.rows("alarm_path", node=node))


async def count_alarms(reading: Reading, scope: Scope, node: int | None = None) -> Row:
    """How many live occurrences are open, wait, are latched, or are silenced by which flag."""
    row = await reading.row("count_alarms", enterprises=scope.owners(), node=node)
    assert row is not None, "a count has one row"
    return row


async def alarm_journal(reading: Reading, scope: Scope, id: UUID) -> list[Row]:
    """Every transition of an occurrence, in order."""
    return await reading.rows("alarm_journal", enterprises=scope.owners(), id=id)


async def record_action(
    reading: Reading, action: OperatorAction, key: str, enterprise: int
) -> bool:
    """Keep what a person decided and wake the worker; False if this person used the key before."""
    row = await reading.row(
        "record_action",
        id=action.id,
        key=key,
        by=action.by,
        verb=action.verb,
        target=action.target,
        enterprise=enterprise,
        comment=action.comment,
        level=None if action.level is None else int(action.level),
        detail=jsonb(dict(action.detail)),
        at=action.at,
    )
    return row is not None


async def action_by_key(reading: Reading, by: str, key: str) -> Row | None:
    """What this person asked for under this key, if anything."""
    return await reading.row("action_by_key", by=by, key=key)


async def find_action(reading: Reading, scope: Scope, id: UUID) -> Row | None:
    """An action and what became of it; None if it is not there for this reader."""
    return await reading.row("action_by_id", enterprises=scope.owners(), id=id)
