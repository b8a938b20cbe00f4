"""A lively plant with known truth: what was published, and what it must have raised."""

import asyncio
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
import psycopg

from alerts.book import AlarmBook
from domain.alarms import Transition
from domain.clock import Clock
from domain.frame import Frame
from domain.instant import micros
from domain.plant import Registry
from domain.quality import Quality
from ingest.spans import Spans
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from simulators.gateway import Gateway
from simulators.message import Sample
from tests.support.sites import enterprise, site_data, tag

TAGS = 12
EVERY_S = 0.05
TAIL = 80
"""Quiet samples at the end, in which everything returns."""


def lively_site(park: str, *codes: str) -> dict[str, Any]:
    """Enterprises of a park whose tags are judged within a second or two."""
    tags = [
        tag(
            f"LT-{number}",
            interval_s=1,
            delay_on_s=0.3,
            delay_off_s=1,
            deadband=1,
            safety_critical=True,
        )
        for number in range(TAGS)
    ]
    data = site_data(*(enterprise(code, *tags, park=park) for code in codes))
    data["tree"][0]["children"][0]["code"] = park
    return data


def reading(number: int, n: int) -> float:
    """What tag `number` shows in sample n: waves of different length, some beyond H, some beyond
    HH."""
    wave = math.sin(2 * math.pi * n / (60 + 17 * number))
    return round(60 + (12 + 3 * number) * wave + 0.001 * (n % 100), 6)


@dataclass(slots=True)
class Player:
    """Plays one enterprise through a gateway, and remembers what it played."""

    gateway: Gateway
    clock: Clock
    published: list[tuple[datetime, dict[str, float]]] = field(default_factory=list)

    async def play(self, stop: asyncio.Event) -> None:
        """A sample of all tags every `EVERY_S` seconds until `stop`, then the quiet tail."""
        began, n, left = self.clock.now(), 0, TAIL
        while left:
            left -= stop.is_set()
            time = began + timedelta(seconds=n * EVERY_S)
            quiet = stop.is_set()
            values = {
                f"LT-{number}": 50 + n % 100 / 1000 if quiet else reading(number, n)
                for number in range(TAGS)
            }
            self.published.append((time, values))
            await self.gateway.put([Sample(time, dict(values))])
            n += 1
            due = began + timedelta(seconds=n * EVERY_S)
            await self.clock.sleep(max(0.0, (due - self.clock.now()).total_seconds()))


def ids_of(registry: Registry, code: str) -> dict[str, int]:
    """Tag name → id of one enterprise."""
    (node,) = [node.id for node in registry.nodes.values() if node.code == code]
    return {tag.name: tag.id for tag in registry.tags.values() if tag.enterprise == node}


def truth(registry: Registry, players: dict[str, Player]) -> dict[tuple[int, datetime], float]:
    """(tag id, time) → value of everything that was published."""
    return {
        (ids[name], time): value
        for code, player in players.items()
        for ids in [ids_of(registry, code)]
        for time, values in player.published
        for name, value in values.items()
    }


def undisturbed(registry: Registry, players: dict[str, Player]) -> list[Transition]:
    """The transitions of a run in which nothing ever failed: one frame a message, in memory."""
    plan = compile_plan(registry)
    first = min(player.published[0][0] for player in players.values())
    state, book = RuleState.fresh(plan, micros(first)), AlarmBook(registry)
    messages = sorted(
        (
            (time, ids_of(registry, code), values)
            for code, player in players.items()
            for time, values in player.published
        ),
        key=lambda message: message[0],
    )
    found: list[Transition] = []
    spans = Spans(registry)
    for time, ids, values in messages:
        at = micros(time)
        tags, shown = np.array([ids[name] for name in values], np.int32), list(values.values())
        quality = spans.judged(tags, np.array(shown), np.full(len(tags), Quality.GOOD, np.int16))
        frame = Frame.of(tags, [at] * len(tags), shown, received=at, quality=quality)
        found += book.apply(step(plan, state, frame, time), time)
    return found


ABOUT_FAULTS = ("NO_ROOM", "INGEST_LAG")
"""Kinds of alarms that tell of the fault itself."""
Row = tuple[object, ...]
History = dict[str, list[Row]]
"""occurrence → rows of (event, from, to, kind, tag, onset, effective, ended)."""


def history_of(transitions: list[Transition]) -> History:
    """occurrence → what happened to it: which changes, with which onsets and returns.

    Without the moments at which the worker learnt of it, and without the steps in which it grew
    worse.
    """
    history: History = {}
    for change in transitions:
        if change.event == "worsen":
            continue
        alarm = change.alarm
        row = (change.event, change.source.value, change.target.value)
        what = (alarm.kind.name, alarm.tag, alarm.onset, alarm.effective, alarm.ended)
        history.setdefault(str(alarm.id), []).append((*row, *what))
    return history


def stored_history(url: str) -> History:
    """The same from the journal in the database."""
    history: History = {}
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            """SELECT occurrence::text, event, from_state, to_state,
                      body->>'kind', (body->>'tag')::int, (body->>'onset')::timestamptz,
                      (body->>'effective')::timestamptz, (body->>'ended')::timestamptz
               FROM alarm_event JOIN alarm ON alarm.id = occurrence
               WHERE lane = 0 AND event <> 'worsen' AND body->>'kind' <> ALL(%s)
               ORDER BY occurrence, alarm_event.n""",
            (list(ABOUT_FAULTS),),
        )
        for occurrence, *what in rows:
            history.setdefault(occurrence, []).append(tuple(what))
    return history


def without(deaf: list[tuple[datetime, datetime]], history: History) -> History:
    """A history without what was raised, or returned, while held values counted."""

    def heard(row: Row) -> bool:
        instants = [one for one in row[-2:] if isinstance(one, datetime)]
        return not any(begin <= one <= end for begin, end in deaf for one in instants)

    kept = {id: list(filter(heard, rows)) for id, rows in history.items()}
    return {id: rows for id, rows in kept.items() if rows}


def differences(
    stored: History, expected: History, parted: list[tuple[datetime, datetime]]
) -> list[str]:
    """Where the histories differ, in lines that people can read. parted: what became effective in
    one of these times may have done so later in it."""
    found = []
    for id in sorted(stored.keys() | expected.keys()):
        here, there = stored.get(id, []), expected.get(id, [])
        for place in range(max(len(here), len(there))):
            one = here[place] if place < len(here) else None
            other = there[place] if place < len(there) else None
            if one != other and not _is_late(one, other, parted):
                found.append(f"{id} stored {_told(one)} expected {_told(other)}")
    return found


def _is_late(one: Row | None, other: Row | None, parted: list[tuple[datetime, datetime]]) -> bool:
    """Whether the rows differ in when it became effective alone: in one of these times, the stored
    one later."""
    if one is None or other is None or one[:-2] != other[:-2] or one[-1] != other[-1]:
        return False
    late, due = cast(datetime, one[-2]), cast(datetime, other[-2])
    return any(begin <= due <= late <= end for begin, end in parted)


def _told(row: Row | None) -> str:
    return "nothing" if row is None else " ".join(map(str, row))


def stored_samples(url: str) -> dict[tuple[int, datetime], float]:
    """(tag id, time) → value of everything in the database; a second row for one would show as a
    count."""
    with psycopg.connect(url) as conn:
        rows = conn.execute("SELECT tag_id, time, value FROM sample").fetchall()
    assert len(rows) == len({(tag, time) for tag, time, _ in rows})
    return {(tag, time): value for tag, time, value in rows}


def oddly_judged(url: str, most: int = 40) -> list[str]:
    """Samples that were not judged at their own time as they came, in lines that people can
    read."""
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            """SELECT tag_id, flags, count(*), min(time), max(time), min(received_at),
                      max(received_at)
               FROM sample WHERE flags <> 0 GROUP BY tag_id, flags, received_at
               ORDER BY min(received_at), tag_id LIMIT %s""",
            (most,),
        ).fetchall()
    return [
        f"tag {tag} flags {flags}: {count} of {first} to {last}, received {begin} to {end}"
        for tag, flags, count, first, last, begin, end in rows
    ]


def number(url: str, question: str, *given: object) -> int:
    """The one number that a query answers with."""
    with psycopg.connect(url) as conn:
        row = conn.execute(question.encode(), given).fetchone()
    assert row is not None
    return int(row[0])


def counts(url: str) -> dict[str, int]:
    """Sums of ingest_count over all gateways."""
    with psycopg.connect(url) as conn:
        cursor = conn.execute("SELECT * FROM ingest_count")
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    return {
        name: sum(int(row[place]) for row in rows)
        for place, name in enumerate(names)
        if name != "gateway"
    }


def identities_hold(count: dict[str, int]) -> bool:
    """Those of the wire profile, with nothing in flight."""
    return (
        count["messages_received"]
        == count["messages_decoded"] + count["messages_repeated"] + count["messages_quarantined"]
        and count["values_decoded"]
        == count["values_stored"]
        + count["values_duplicate"]
        + count["values_conflict"]
        + count["values_quarantined"]
    )
