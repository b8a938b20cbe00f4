"""What is told of desks and stands beside alarms: written with each entry, read at the start."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import nan
from typing import Any
from uuid import UUID

import msgspec

from domain.alarms import Alarm, Flag, Kind, Priority, State, Transition
from domain.desk_now import DeskNow, FloodNow, Note
from domain.frame import Lane
from storage.database import Connection
from storage.encoding import jsonb
from storage.queries import query

BEFORE = timedelta(hours=1)
"""So much of the journal is heard again at the start, more where a flood goes on."""
LONGEST = timedelta(hours=24)
"""A flood's transitions are not looked for further back than this."""
FIRST_OUT = timedelta(days=30)
"""What was first-out of a group that may still be open is looked for so far back."""
MOST = 100_000
"""Transitions that are heard again, the newest."""


async def write_desks(conn: Connection, told: Sequence[DeskNow]) -> None:
    """Keep what is told of desks and beside occurrences; the last word counts."""
    if not told:
        return
    notes = {id: _note(one, id, note or Note()) for one in told for id, note in one.notes}
    spans = [
        {"enterprise": one.enterprise, "since": span.since, "until": span.until,
         "heard": span.heard}
        for one in told for span in one.spans
    ]  # fmt: skip
    async with conn.cursor() as cursor:
        newest = {one.enterprise: _desk(one) for one in told}
        await cursor.executemany(query("upsert_desk"), list(newest.values()))
        if spans:
            await cursor.executemany(query("upsert_desk_flood"), spans)
        if notes:
            await cursor.executemany(query("upsert_desk_note"), list(notes.values()))


async def read_desks(conn: Connection) -> list[DeskNow]:
    """What was last told of every desk, without notes."""
    rows = await (await conn.execute(query("told_desks"))).fetchall()
    return [
        DeskNow(
            enterprise,
            at,
            None if flood is None else msgspec.convert(flood, FloodNow),
            suppressed,
            chattering,
        )
        for enterprise, at, flood, suppressed, chattering in rows
    ]


async def read_notes(conn: Connection) -> list[tuple[UUID, int, Note]]:
    """(occurrence, enterprise, note) of every open occurrence beside which anything was told."""
    rows = await (await conn.execute(query("told_notes"))).fetchall()
    return [(id, enterprise, Note(*rest)) for id, enterprise, *rest in rows]


async def read_heard(conn: Connection, desks: Sequence[DeskNow], at: datetime) -> list[Transition]:
    """What desks may have heard lately, in order: as much of each transition as noise rests on.

    The alarm of each is as it was then; numbers are NaN, texts empty.
    """
    floods = [desk.flood.since for desk in desks if desk.flood is not None]
    since = min([at, *floods]) - BEFORE
    asked = {
        "since": max(since, at - LONGEST),
        "first_out_since": at - FIRST_OUT,
        "most": MOST,
    }
    rows = await (await conn.execute(query("heard_changes"), asked)).fetchall()
    return [_heard(row) for row in reversed(rows)]


def _desk(one: DeskNow) -> dict[str, object]:
    return {
        "enterprise": one.enterprise,
        "at": one.at,
        "flood": None if one.flood is None else jsonb(one.flood.body()),
        "suppressed": one.suppressed,
        "chattering": one.chattering,
    }


def _note(desk: DeskNow, occurrence: UUID, note: Note) -> dict[str, object]:
    return {
        "occurrence": occurrence,
        "enterprise": desk.enterprise,
        "at": desk.at,
        "under": note.under,
        "suppressed": note.suppressed,
        "first_out": note.first_out,
        "uncertain": note.uncertain,
        "repeats": note.repeats,
    }


def _heard(row: Sequence[Any]) -> Transition:
    at, event, source, target, onset_last, priority, shelved, suppressed, out, *rest = row
    id, kind, tag, node, enterprise, onset, effective = rest
    flag = Flag(at, None, "", "")
    alarm = Alarm(
        *(id, Lane.LIVE, Kind[kind], tag, node, enterprise, Priority(priority), State(target)),
        *(onset, effective, nan, nan, nan),
        onset_last=None if onset_last is None else datetime.fromisoformat(onset_last),
        shelved=flag if shelved else None,
        suppressed=flag if suppressed else None,
        out_of_service=flag if out else None,
    )
    return Transition(alarm, State(source), State(target), event, at)
