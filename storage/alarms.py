"""Alarm occurrences: rows that are written with each transition, and read again at the start."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from domain.alarms import Alarm, Flag, Kind, OutboxEvent, Priority, Seen, State, Transition
from domain.elapsed import Timer
from domain.frame import Lane
from storage.database import Connection
from storage.encoding import real, recordset
from storage.lease import Fence
from storage.outbox import append_events
from storage.queries import listed, query

SHELVES_KEPT = timedelta(days=1)
"""Who shelved an alarm within a day may not do so as often as they like."""
PLAIN = 14
"""Columns of an occurrence from `onset` to `onset_last`."""


async def write_transitions(conn: Connection, transitions: Sequence[Transition]) -> None:
    """Bring occurrences to their newest state and keep every transition, each once."""
    if not transitions:
        return
    await _upsert(conn, (transition.alarm for transition in transitions))
    rows = recordset(map(_event, transitions))
    await conn.execute(query("insert_alarm_events"), {"rows": rows})


async def read_open(conn: Connection, enterprises: Sequence[int] | None = None) -> list[Alarm]:
    """Live occurrences of these enterprises that are not NORM, by onset.

    None: of all, those that were removed from the site among them.
    """
    rows = await conn.execute(query("open_alarms"), {"enterprises": listed(enterprises)})
    return [_alarm(row) for row in await rows.fetchall()]


async def read_known(
    conn: Connection, enterprises: Sequence[int] | None, closed_after: datetime
) -> list[Alarm]:
    """Live occurrences of these enterprises, or of all (None), that are open, were closed after an
    instant, or are shelved or were so within a day of it."""
    asked = {
        "enterprises": listed(enterprises),
        "closed_after": closed_after,
        "shelved_after": closed_after - SHELVES_KEPT,
    }
    rows = await conn.execute(query("known_alarms"), asked)
    return [_alarm(row) for row in await rows.fetchall()]


@dataclass(frozen=True, slots=True)
class LiveSpan:
    """When a live occurrence of some tag was active; `ended` is None while it is."""

    kind: Kind
    onset: datetime
    ended: datetime | None


async def live_spans(conn: Connection, tag: int, begin: datetime, end: datetime) -> list[LiveSpan]:
    """Live occurrences of a tag that were active at some time from `begin` to `end`."""
    rows = await conn.execute(query("live_spans"), {"tag": tag, "from": begin, "to": end})
    return [LiveSpan(Kind[kind], onset, ended) for kind, onset, ended in await rows.fetchall()]


async def replace_replay(
    conn: Connection,
    fence: Fence,
    tag: int,
    begin: datetime,
    end: datetime,
    alarms: Sequence[Alarm],
    events: Sequence[OutboxEvent] = (),
) -> None:
    """Make `alarms` the replay occurrences of `tag` that began from `begin` to `end`, in one
    commit."""
    found = {"tag": tag, "from": begin, "to": end}
    async with conn.transaction():
        await fence.check(conn)
        await conn.execute(query("delete_replay_events"), found)
        await conn.execute(query("delete_replay_alarms"), found)
        if alarms:
            await _upsert(conn, alarms)
        await append_events(conn, events)


async def _upsert(conn: Connection, alarms: Iterable[Alarm]) -> None:
    newest = {alarm.id: alarm for alarm in sorted(alarms, key=lambda alarm: alarm.n)}
    await conn.execute(query("upsert_alarms"), {"rows": recordset(map(_row, newest.values()))})


def _row(alarm: Alarm) -> dict[str, object]:
    return {
        "id": alarm.id,
        "lane": alarm.lane.value,
        "kind": alarm.kind.name,
        "tag_id": alarm.tag,
        "node": alarm.node,
        "enterprise": alarm.enterprise,
        "priority": alarm.priority.value,
        "state": alarm.state.value,
        "onset": alarm.onset,
        "effective": alarm.effective,
        "ended": alarm.ended,
        "closed": alarm.closed,
        "value": real(alarm.value),
        "limit_value": real(alarm.limit),
        "worst": real(alarm.worst),
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_at": alarm.acknowledged_at,
        "comment": alarm.comment,
        "reason": alarm.reason,
        "text": alarm.text,
        "onset_last": alarm.onset_last,
        "n": alarm.n,
        "latching": alarm.latching,
        "stale": alarm.stale,
        "shelved": alarm.shelved,
        "suppressed": alarm.suppressed,
        "out_of_service": alarm.out_of_service,
        "shelves": alarm.shelves,
        "re_alarm": alarm.re_alarm,
        "re_alarms": alarm.re_alarms,
        "chatter": alarm.chatter,
        "answered_s": real(alarm.answered_s),
        "seen": alarm.seen,
        "eased": alarm.eased,
    }


def _event(transition: Transition) -> dict[str, object]:
    alarm = transition.alarm
    return {
        "occurrence": alarm.id,
        "n": alarm.n,
        "at": transition.at,
        "event": transition.event,
        "from_state": transition.source.value,
        "to_state": transition.target.value,
        "by": transition.by,
        "comment": transition.comment,
        "body": msgspec.to_builtins(alarm) | {"kind": alarm.kind.name},
    }


def _alarm(row: Sequence[Any]) -> Alarm:
    identity, lane, kind, tag, node, enterprise, priority, state, *rest = row
    plain, flagged = rest[:PLAIN], rest[PLAIN:]
    latching, stale, shelved, suppressed, out_of_service, shelves, re_alarm, *more = flagged
    re_alarms, chatter, answered_s, seen, eased = more
    alarm = Alarm(
        identity,
        Lane(lane),
        Kind[kind],
        tag,
        node,
        enterprise,
        Priority(priority),
        State(state),
        *plain,
    )
    return replace(
        alarm,
        latching=latching,
        stale=stale,
        shelved=_flag(shelved),
        suppressed=_flag(suppressed),
        out_of_service=_flag(out_of_service),
        shelves=tuple(shelves),
        re_alarm=None if re_alarm is None else msgspec.convert(re_alarm, Timer),
        re_alarms=re_alarms,
        chatter=chatter,
        answered_s=answered_s,
        seen=msgspec.convert(seen, tuple[Seen, ...]),
        eased=_flag(eased),
    )


def _flag(said: object) -> Flag | None:
    return None if said is None else msgspec.convert(said, Flag)
