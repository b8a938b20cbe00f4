"""Rows for tests of the api, put straight into a migrated database."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from alerts.events import alarm_event
from alerts.lifecycle import Event, Verb, step
from api.passwords import hash_password
from domain.alarms import Alarm, Kind, Priority, State, Transition, occurrence_id
from domain.cases import Level
from domain.frame import Lane
from domain.plant import Gateway, Node, Registry, Tag, TagKind
from tests.support.builders import START

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Plant:
    """Ids of a park p1 with enterprises e1 and e2, each with a source of two tags and a gateway."""

    province: int
    park: int
    enterprises: tuple[int, int]
    sources: tuple[int, int]
    tags: tuple[tuple[int, int], tuple[int, int]]
    gateways: tuple[int, int]
    registry: Registry


class Seed:
    """Writes rows as the worker and the registry would."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction."""
        with psycopg.connect(self._url) as connection:
            yield connection

    def plant(self) -> Plant:
        """The plant that most tests use."""
        nodes: dict[int, Node] = {}

        def node(parent: int | None, kind: str, code: str, name: str, owner: int | None) -> int:
            row = connection.execute(
                "INSERT INTO node (parent, kind, code, name, enterprise)"
                " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                (parent, kind, code, name, owner),
            ).fetchone()
            assert row is not None
            id: int = row[0]
            if kind == "enterprise":
                connection.execute("UPDATE node SET enterprise = id WHERE id = %s", (id,))
                owner = id
            nodes[id] = Node(id, parent, kind, code, name, owner)
            return id

        with self.connection() as connection:
            province = node(None, "province", "gansu", "甘肃省", None)
            park = node(province, "park", "p1", "临港化工园", None)
            one = node(park, "enterprise", "e1", "华东化工", None)
            two = node(park, "enterprise", "e2", "西部气体", None)
            sources = (
                node(one, "source", "s1", "液氨罐区", one),
                node(two, "source", "s1", "液氯库房", two),
            )
            tags: dict[int, Tag] = {}
            pairs: list[tuple[int, int]] = []
            for owner, source in ((one, sources[0]), (two, sources[1])):
                level = self._tag(connection, owner, source, "LI101", TagKind.LEVEL, "m", tags)
                gas = self._tag(connection, owner, source, "GD07", TagKind.GAS_TOXIC, "ppm", tags)
                pairs.append((level, gas))
            gateways = tuple(self._gateway(connection, owner) for owner in (one, two))
        senders = tuple(
            Gateway(id, owner, "p1", code, "g1")
            for id, owner, code in zip(gateways, (one, two), ("e1", "e2"), strict=True)
        )
        registry = Registry(1, nodes, senders, tags)
        return Plant(
            province,
            park,
            (one, two),
            sources,
            (pairs[0], pairs[1]),
            (gateways[0], gateways[1]),
            registry,
        )

    def _tag(
        self,
        connection: psycopg.Connection[Any],
        enterprise: int,
        source: int,
        name: str,
        kind: TagKind,
        unit: str,
        tags: dict[int, Tag],
    ) -> int:
        limits = {"H": 8.0, "HH": 9.0} if kind is TagKind.LEVEL else {"H": 20.0, "HH": 40.0}
        spec = {
            "name": name,
            "kind": kind.value,
            "unit": unit,
            "range": [0, 10] if kind is TagKind.LEVEL else [0, 100],
            "limits": limits,
            "interval_s": 5,
        }
        row = connection.execute(
            "INSERT INTO tag (version, enterprise, source, name, kind, unit, spec, since)"
            " VALUES (1, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (enterprise, source, name, kind.value, unit, json.dumps(spec), START),
        ).fetchone()
        assert row is not None
        id: int = row[0]
        by_kind = {Kind[level]: value for level, value in limits.items()}
        tags[id] = Tag(id, 1, enterprise, source, name, kind, unit, START, limits=by_kind)
        return id

    @staticmethod
    def _gateway(connection: psycopg.Connection[Any], enterprise: int) -> int:
        row = connection.execute(
            "INSERT INTO gateway (enterprise, code) VALUES (%s, 'g1') RETURNING id", (enterprise,)
        ).fetchone()
        assert row is not None
        id: int = row[0]
        return id

    def person(self, name: str, role: str, node: int, at: datetime = START) -> None:
        """Somebody with one role, whose password is `PASSWORD`."""
        with self.connection() as connection:
            connection.execute(
                "INSERT INTO person (name, password, created) VALUES (%s, %s, %s)",
                (name, hash_password(PASSWORD), at),
            )
            connection.execute("INSERT INTO role_grant VALUES (%s, %s, %s)", (name, role, node))

    def samples(
        self, tag: int, *values: tuple[datetime, float], quality: int = 192, flags: int = 0
    ) -> None:
        """Samples of one tag, and the newest of them as its latest."""
        with self.connection() as connection:
            if values and self._partitioned(connection):
                self._partitions(connection, [time for time, _ in values])
            connection.cursor().executemany(
                "INSERT INTO sample VALUES (%s, %s, %s, %s, %s, %s)",
                [(tag, time, value, quality, flags, time) for time, value in values],
            )
            time, value = max(values)
            connection.execute(
                "INSERT INTO tag_latest VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (tag_id) DO UPDATE SET time = excluded.time,"
                " received_at = excluded.received_at, value = excluded.value,"
                " quality = excluded.quality",
                (tag, time, time, value, quality),
            )

    @staticmethod
    def _partitioned(connection: psycopg.Connection[Any]) -> bool:
        row = connection.execute("SELECT relkind FROM pg_class WHERE relname = 'sample'").fetchone()
        return row is not None and row[0] == "p"

    @staticmethod
    def _partitions(connection: psycopg.Connection[Any], times: list[datetime]) -> None:
        for day in sorted({time.date() for time in times}):
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS sample_{day:%Y%m%d} PARTITION OF sample"
                f" FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
            )

    def raised(
        self,
        plant: Plant,
        tag: int,
        *,
        kind: Kind = Kind.HH,
        priority: Priority = Priority.P1,
        onset: datetime = START,
        value: float = 45.5,
        lane: Lane = Lane.LIVE,
        latching: bool = False,
    ) -> Alarm:
        """An occurrence that has just been raised, with its journal and its event."""
        entry = plant.registry.tags[tag]
        limit = entry.limits.get(kind, float("nan"))
        alarm = Alarm(
            occurrence_id(lane, tag, kind, onset),
            lane,
            kind,
            tag,
            entry.source,
            entry.enterprise,
            priority,
            State.NORM,
            onset,
            onset,
            value,
            limit,
            value,
            text=f"{entry.name}: {value:g} {entry.unit} ≥ {limit:g} {entry.unit}",
            latching=latching,
        )
        return self.changed(plant, alarm, Event(Verb.RAISE), onset)

    def returned(self, plant: Plant, alarm: Alarm, at: datetime) -> Alarm:
        """The condition is gone."""
        return self.changed(plant, alarm, Event(Verb.RETURN, effective=at), at)

    def acknowledged(self, plant: Plant, alarm: Alarm, by: str, at: datetime) -> Alarm:
        """Somebody has seen it."""
        return self.changed(plant, alarm, Event(Verb.ACKNOWLEDGE, by=by, comment="seen"), at)

    def changed(self, plant: Plant, alarm: Alarm, event: Event, at: datetime) -> Alarm:
        """One transition, written as the worker writes it."""
        after, transition = step(alarm, event, at)
        assert transition is not None, f"{alarm.state} has no transition for {event.verb}"
        with self.connection() as connection:
            self.write(connection, plant, transition)
        return after

    def write(
        self, connection: psycopg.Connection[Any], plant: Plant, transition: Transition
    ) -> None:
        """Occurrence, journal, event, in the transaction of `connection`."""
        alarm = transition.alarm
        event = alarm_event(plant.registry, transition)
        there = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'alarm'"
        ).fetchall()
        connection.execute(_alarm_sql({name for (name,) in there}), _alarm_values(alarm))
        connection.execute(
            "INSERT INTO alarm_event VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                alarm.id,
                alarm.n,
                transition.at,
                transition.event,
                transition.source.value,
                transition.target.value,
                transition.by,
                transition.comment,
                json.dumps(event.body["alarm"]),
            ),
        )
        if alarm.lane is Lane.LIVE:
            self.append(
                connection, event.id, "alarm", alarm.enterprise, alarm.node, event.body, event.at
            )

    @staticmethod
    def append(
        connection: psycopg.Connection[Any],
        id: UUID,
        type: str,
        enterprise: int | None,
        node: int | None,
        body: dict[str, Any],
        at: datetime = START,
    ) -> None:
        """An event at the next place of the stream, and a nudge."""
        connection.execute("SELECT pg_advisory_xact_lock(1212438092, 2)")
        connection.execute(
            "INSERT INTO outbox SELECT coalesce(max(seq), 0) + 1, %s, %s, %s, %s, %s, NULL, %s"
            " FROM outbox",
            (id, type, at, enterprise, node, json.dumps(body)),
        )
        connection.execute("SELECT pg_notify('hazwatch_outbox', '')")

    def lease(self, until: datetime) -> None:
        """A worker that is at work until then."""
        with self.connection() as connection:
            connection.execute(
                "INSERT INTO lease VALUES ('main', 'test', 1, %s, %s)"
                " ON CONFLICT (shard) DO UPDATE SET expires_at = excluded.expires_at",
                (until, until),
            )

    def apply_actions(self, plant: Plant, alarms: dict[UUID, Alarm], at: datetime) -> int:
        """Do what the worker does with acknowledgements, resets and 已阅 that wait; how many there
        were."""
        with self.connection() as connection:
            waiting = connection.execute(
                "SELECT id, verb, target, by, comment, level FROM operator_action"
                " WHERE done_at IS NULL ORDER BY requested_at FOR UPDATE"
            ).fetchall()
            for id, verb, target, by, comment, level in waiting:
                desk = None if level is None else Level(level).name.lower()
                decided = Event(Verb(verb), by=by, comment=comment, level=desk)
                after, transition = step(alarms[target], decided, at)
                result: dict[str, Any] = {"already": {"by": after.acknowledged_by, "at": None}}
                if transition is not None:
                    self.write(connection, plant, transition)
                    told = {"from": transition.source.value, "to": transition.target.value}
                    result = {"transition": told | {"at": at.isoformat(), "by": by}}
                alarms[target] = after
                self.done(connection, id, result, at)
        return len(waiting)

    @staticmethod
    def done(
        connection: psycopg.Connection[Any], id: UUID, result: dict[str, Any], at: datetime
    ) -> None:
        """Write what became of an action, and tell who waits."""
        connection.execute(
            "UPDATE operator_action SET done_at = %s, result = %s WHERE id = %s",
            (at, json.dumps(result), id),
        )
        connection.execute("SELECT pg_notify('hazwatch_action_done', %s)", (str(id),))


_COLUMNS = (
    "id",
    "lane",
    "kind",
    "tag_id",
    "node",
    "enterprise",
    "priority",
    "state",
    "onset",
    "effective",
    "ended",
    "closed",
    "value",
    "limit_value",
    "worst",
    "acknowledged_by",
    "acknowledged_at",
    "comment",
    "reason",
    "text",
    "n",
    "latching",
    "stale",
    "seen",
)


def _alarm_sql(there: set[str]) -> str:
    """For the columns that the table has: in a release before it has not all."""
    columns = [name for name in _COLUMNS if name in there]
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return (
        f"INSERT INTO alarm ({', '.join(columns)})"
        f" VALUES ({', '.join(f'%({name})s' for name in columns)})"
        f" ON CONFLICT (id) DO UPDATE SET {changes}"
    )


def _alarm_values(alarm: Alarm) -> dict[str, object]:
    plain = {name: getattr(alarm, name) for name in _COLUMNS if hasattr(alarm, name)}
    return plain | {
        "lane": int(alarm.lane),
        "kind": alarm.kind.name,
        "tag_id": alarm.tag,
        "priority": alarm.priority.value,
        "state": alarm.state.value,
        "limit_value": alarm.limit,
        "seen": json.dumps(msgspec.to_builtins(alarm.seen)),
    }
