"""A month of a park's alarms, copied straight into a migrated database: 50 enterprises, 20,000
tags, with chattering, floods, stale and shelved alarms, and warning cases. The same seed makes the
same month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.alarms import Alarm, Flag, Kind, Priority, State
from domain.frame import Lane
from domain.instant import micros
from tests.support.builders import START

ENTERPRISES, SOURCES, TAGS = 50, 4, 20_000
DAY = 86_400
RAISED, ACKED, RETURNED, SHELVED, UNSHELVED = range(5)
KINDS = ("LL", "L", "H", "HH", "ROC", "OFFLINE")
SITE = """
    WITH park AS (
        INSERT INTO node (parent, kind, code, name) VALUES (NULL, 'park', 'p1',
            '临港化工园') RETURNING id),
    firm AS (
        INSERT INTO node (parent, kind, code, name)
        SELECT id, 'enterprise', 'e' || n, '企业' || n FROM park, generate_series(1,
            %(enterprises)s) n RETURNING id)
    INSERT INTO node (parent, kind, code, name, enterprise)
    SELECT id, 'source', 's' || n, '罐区' || n, id FROM firm, generate_series(1, %(sources)s) n"""
TAGGED = """
    INSERT INTO tag (version, enterprise, source, name, kind, unit, spec, since)
    SELECT 1, n.enterprise, n.id, 'LI-' || n.id || '-' || t,
        CASE WHEN t %% 10 = 0 THEN 'gas_toxic' ELSE 'level' END, 'm', '{}', %(since)s
    FROM node n, generate_series(1, %(each)s) t WHERE n.kind = 'source'
    RETURNING id, source, enterprise"""
STAGED = """
    CREATE TEMP TABLE staged (
        no int, n int, at timestamptz, event text, from_state text, to_state text, kind text,
            tag int, node int,
        enterprise int, priority text, shelved bool)"""
NUMBERED = "md5(no::text)::uuid"
EVENTS = f"""
    INSERT INTO alarm_event (occurrence, n, at, event, from_state, to_state, by, body)
    SELECT {NUMBERED}, n, at, event, from_state, to_state, CASE WHEN event IN ('raise',
        'return') THEN NULL ELSE 'wang.fang' END,
        %(body)s::jsonb || jsonb_build_object('id', {NUMBERED}, 'n', n, 'tag', tag, 'node', node,
            'kind', kind,
            'enterprise', enterprise, 'priority', priority, 'state', to_state,
            'shelved', CASE WHEN shelved THEN %(flag)s::jsonb END)
    FROM staged ORDER BY at, no, n"""
ALARMS = f"""
    INSERT INTO alarm (id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective,
        ended, closed,
        value, limit_value, worst, reason, text, n)
    SELECT {NUMBERED}, 0, min(kind), min(tag), min(node), min(enterprise), min(priority),
        (array_agg(to_state ORDER BY n DESC))[1], min(at), min(at),
            max(at) FILTER (WHERE event = 'return'),
        max(at) FILTER (WHERE to_state = 'NORM'), 8.4, 8, 8.6, '', 'LI101 高报 8.4 m ≥ 8 m', max(n)
    FROM staged GROUP BY no"""
CASES = """
    WITH made AS (
        INSERT INTO warning_case (id, source, number, enterprise, state, colour, worst, opened,
            seen, unknown, n,
            left_blue, risen, receipts, alarms, closed)
        SELECT gen_random_uuid(), s.id, k, s.enterprise, 'closed', 2, 2, t, t, false, 4, 1, 1,
            '[]', '{}',
            t + interval '2 h'
        FROM node s, generate_series(1, %(each)s) k,
            LATERAL (SELECT %(begin)s::timestamptz + (k * 7919 + s.id * 104729) %% %(seconds)s *
                interval '1 s') o (t)
        WHERE s.kind = 'source' RETURNING id, opened),
    told AS (
        INSERT INTO escalation_step (case_id, no, n, colour, role, level, after_s, due, left_s,
            mark_at, mark_elapsed,
            mark_boot, outcome, done, unnamed)
        SELECT id, no, 1, 2, 'duty', no - 1, 0, opened, 0, opened, 0, 'b', 'told',
            opened + no * interval '1 min', false
        FROM made, generate_series(1, 2) no RETURNING case_id, no, done),
    sent AS (
        INSERT INTO notice (id, occurrence, channel, recipient, body, created, due, delivered, step)
        SELECT gen_random_uuid(), case_id, 'webhook', 'x', '{}', done, done, done + interval '1 s',
            no FROM told)
    INSERT INTO case_event (case_id, n, at, event, from_state, to_state, before, body)
    SELECT id, n, opened + (n - 1) * interval '5 min',
        (ARRAY['rise', 'receive', 'feedback', 'review'])[n], 'open',
            CASE n WHEN 4 THEN 'closed' ELSE 'open' END, 0,
        jsonb_build_object('colour', 2, 'receipts', jsonb_build_array(jsonb_build_object('level',
            0, 'n', 2)))
    FROM made, generate_series(1, 4) n"""

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Month:
    """What was copied: rows of the journal, occurrences, and the end of the month."""

    rows: int
    alarms: int
    end: datetime


@dataclass(frozen=True, slots=True)
class _Rows:
    """Transitions: occurrence, tag by place, ms since the begin, what."""

    alarm: Column
    tag: Column
    at: Column
    what: Column


def fill(url: str, rows: int, *, days: int = 30, seed: int = 1) -> Month:
    """A site and `rows` journal rows, to a few. A fifth of it is chattering, a tenth floods."""
    chance = np.random.default_rng(seed)
    begin = START - timedelta(days=days)
    with psycopg.connect(url) as conn:
        tags = _site(conn, begin)
        found = _story(chance, rows, len(tags), days)
        _copy(conn, found, tags, begin)
        conn.execute(EVENTS.encode(), {"body": _body(), "flag": _flag()})
        conn.execute(ALARMS.encode())
        conn.execute("UPDATE node SET enterprise = id WHERE kind = 'enterprise'")
        asked = {"each": 8, "begin": begin, "seconds": days * DAY}
        conn.execute(CASES, asked)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")
    return Month(len(found.at), int(found.alarm.max()) + 1, START)


def _site(conn: psycopg.Connection[Any], since: datetime) -> list[tuple[int, int, int]]:
    """(tag, source, enterprise) of every tag."""
    conn.execute(SITE, {"enterprises": ENTERPRISES, "sources": SOURCES})
    asked = {"each": TAGS // ENTERPRISES // SOURCES, "since": since}
    return conn.execute(TAGGED, asked).fetchall()


def _story(chance: np.random.Generator, rows: int, tags: int, days: int) -> _Rows:
    """Activations, and what became of each."""
    want = round(rows / 3.02)
    length = days * DAY * 1000
    busy = np.sort(chance.permutation(tags)[: tags // 40])
    spells = want // 5 // 12
    each = chance.integers(3, 22, spells)
    chatter_at = np.repeat(chance.integers(0, length, spells), each)
    first = np.repeat(np.cumsum(each) - each, each)
    gaps = chance.integers(4_000, 30_000, each.sum())
    walked = np.cumsum(gaps)
    chatter_at = chatter_at + walked - walked[first]
    chatter_tag = np.repeat(chance.choice(busy, spells), each)
    floods = max(1, want // 10 // 80)
    flood_at = np.repeat(chance.integers(0, length, floods), 80) + chance.integers(
        0, 900_000, floods * 80
    )
    firm = tags // ENTERPRISES
    flood_tag = np.repeat(chance.integers(0, ENTERPRISES, floods) * firm, 80) + chance.integers(
        0, firm, floods * 80
    )
    plain = max(0, want - len(chatter_at) - len(flood_at))
    plain_at = chance.integers(0, length, plain)
    plain_tag = np.minimum((tags * chance.random(plain) ** 2).astype(np.int64), tags - 1)
    at = np.concatenate([chatter_at, flood_at, plain_at])
    tag = np.concatenate([chatter_tag, flood_tag, plain_tag]).astype(np.int64)
    lasts = np.concatenate(
        [
            chance.integers(500, 4_000, len(chatter_at)),
            (1000 * chance.lognormal(6, 1.6, len(flood_at) + plain)).astype(np.int64),
        ]
    )
    stale = chance.random(len(at)) < 0.002
    lasts = np.where(stale, lasts + 2 * DAY * 1000, lasts)
    acked = (1000 * chance.lognormal(5, 1.4, len(at))).astype(np.int64) + 1000
    alarm = np.arange(len(at))
    some = np.flatnonzero(chance.random(len(at)) < 0.01)
    whats = ((RAISED, alarm, 0 * at), (ACKED, alarm, acked), (RETURNED, alarm, lasts),
             (SHELVED, some, np.minimum(acked, lasts)[some] // 2),
             (UNSHELVED, some, (acked + lasts)[some] + 3_600_000))  # fmt: skip
    made = _Rows(
        np.concatenate([of for _, of, _ in whats]),
        np.concatenate([tag[of] for _, of, _ in whats]),
        np.concatenate([at[of] + after for _, of, after in whats]),
        np.concatenate([np.full(len(of), what) for what, of, _ in whats]),
    )
    keep = np.flatnonzero(made.at < length)
    order = keep[np.lexsort((made.what[keep], made.at[keep], made.alarm[keep]))]
    return _Rows(*(getattr(made, name)[order] for name in made.__slots__))


def _copy(
    conn: psycopg.Connection[Any], found: _Rows, tags: list[tuple[int, int, int]], begin: datetime
) -> None:
    conn.execute(STAGED)
    origin = micros(begin)
    words = ("raise", "acknowledge", "return", "shelve", "unshelve")
    columns = (getattr(found, name).tolist() for name in found.__slots__)
    alarm, n, active, acked, muted = -1, 0, False, False, False
    with conn.cursor().copy("COPY staged FROM STDIN") as copy:
        for of, tag, at, what in zip(*columns, strict=True):
            if of != alarm:
                alarm, n, active, acked, muted = of, 0, False, False, False
            before = _state(n, active, acked)
            n += 1
            active = what == RAISED or (active and what != RETURNED)
            acked = acked or what == ACKED
            muted = what == SHELVED or (muted and what != UNSHELVED)
            id, node, enterprise = tags[tag]
            copy.write_row((
                of, n, _iso(origin + at * 1000), words[what], before, _state(n, active, acked),
                KINDS[tag * 7 % len(KINDS)], id, node, enterprise,
                PRIORITIES[tag * 13 % len(PRIORITIES)], muted,
            ))  # fmt: skip


PRIORITIES = ("P4",) * 12 + ("P3",) * 5 + ("P2",) * 2 + ("P1",)


def _state(n: int, active: bool, acked: bool) -> str:
    if n == 0:
        return "NORM"
    if active:
        return "ACKED" if acked else "UNACK"
    return "NORM" if acked else "RTNUN"


def _iso(at: int) -> str:
    return str(np.datetime64(at, "us")) + "Z"


def _body() -> str:
    """What the worker would keep beside a transition."""
    alarm = Alarm(
        UUID(int=1), Lane.LIVE, Kind.H, 1, 1, 1, Priority.P3, State.UNACK, START, START,
        8.4, 8.0, nan,
        text="LI101 液氨储罐液位 高报 8.4 m ≥ 8 m，自 08:00:00 起",
    )  # fmt: skip
    return msgspec.json.encode(msgspec.to_builtins(alarm)).decode()


def _flag() -> str:
    flag = Flag(START, START + timedelta(hours=1), "wang.fang", "pump overhaul")
    return msgspec.json.encode(msgspec.to_builtins(flag)).decode()
