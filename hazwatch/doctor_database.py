"""The doctor's look at the database."""

from collections.abc import Sequence
from datetime import timedelta

import psycopg

from domain.clock import Clock
from domain.instant import rfc3339
from hazwatch import doctor_kept, doctor_people, doctor_self_test
from hazwatch.doctor import Area, Diagnosis, aside
from hazwatch.settings import Settings
from storage import vitals
from storage.database import Connection, DatabaseOptions, connect, is_away, server_facts
from storage.vitals import Answer

AREA = Area("database")
CONNECT_S = 5
OLDEST = 160_000
"""PostgreSQL 16, as `server_version_num`."""
NEEDED_CONNECTIONS = 20
"""Of a worker and an api with its pool full; fewer free ones are too few after a restart."""
CLOCK_WARNING, CLOCK_FAILED = timedelta(seconds=1), timedelta(seconds=60)
UNSAFE_COMMITS = ("off", "local")


async def look(settings: Settings, clock: Clock) -> Sequence[Diagnosis]:
    """Everything about the database, as far as one gets."""
    options = DatabaseOptions(
        settings.database_url, application="hazwatch-doctor", connect_s=CONNECT_S, statement_s=5
    )
    try:
        conn = await connect(options)
    except psycopg.Error as error:
        return [await _no_connection(settings.database_url, error)]
    async with conn:
        try:
            return [
                AREA.ok("reachable", f"{conn.info.host}:{conn.info.port}, {conn.info.dbname}"),
                *await _server(conn),
                *await _schema(conn, settings.shard, clock),
                *await _kept(conn, settings, clock),
                await _connections(conn),
                await _clock(conn, clock),
            ]
        except psycopg.Error as error:
            if not is_away(error):
                raise
            return [AREA.away("reachable", f"lost while looking: {error}", "look at its log")]


async def _no_connection(url: str, error: psycopg.Error) -> Diagnosis:
    """Nobody there, or somebody who refuses: told apart without reading the message."""
    said = " ".join(str(error).split())
    answer = await aside(lambda: vitals.knock(url, CONNECT_S))
    if answer is Answer.READY:
        todo = (
            "it is there and refuses: check user, password and database in HAZWATCH_DATABASE_URL, "
            "and pg_hba.conf"
        )
        return AREA.failed("reachable", said, todo)
    if answer is Answer.NONSENSE:
        return AREA.failed("reachable", said, "HAZWATCH_DATABASE_URL is no address of a database")
    if answer is Answer.BUSY:
        return AREA.away("reachable", said, "it is starting or stopping: wait, look at its log")
    return AREA.away("reachable", said, "nobody answers: start it, or mend HAZWATCH_DATABASE_URL")


async def _server(conn: Connection) -> list[Diagnosis]:
    facts, keeps = await server_facts(conn), await vitals.durability(conn)
    number = f"PostgreSQL {facts.version // 10_000}.{facts.version % 10_000}"
    found = []
    if facts.version < OLDEST:
        found.append(AREA.failed("version", number, "hazwatch needs PostgreSQL 16 or later"))
    else:
        found.append(AREA.ok("version", number))
    if facts.timescale is None:
        todo = "fine for one plant; for more install TimescaleDB before the first migration"
        found.append(AREA.warning("timescaledb", "not in this database", todo))
    else:
        known = {"apache": "Apache licence: no compression", "timescale": "Community licence"}
        licence = known.get(facts.licence or "", f"licence {facts.licence}")
        found.append(AREA.ok("timescaledb", f"{facts.timescale}, {licence}"))
    return [*found, _durable(keeps)]


def _durable(keeps: vitals.Durability) -> Diagnosis:
    wrong = [
        name
        for name, bad in {
            "fsync = off": not keeps.fsync,
            "full_page_writes = off": not keeps.full_page_writes,
            f"synchronous_commit = {keeps.synchronous_commit}": keeps.synchronous_commit
            in UNSAFE_COMMITS,
        }.items()
        if bad
    ]
    if wrong:
        todo = "set it back: receipts promise that what is committed is kept"
        return AREA.failed("keeps what it commits", ", ".join(wrong), todo)
    return AREA.ok("keeps what it commits", f"synchronous_commit = {keeps.synchronous_commit}")


async def _schema(conn: Connection, shard: str, clock: Clock) -> list[Diagnosis]:
    has, wants = await vitals.revision(conn), vitals.newest_revision()
    if has is None:
        return [AREA.failed("schema", "there is none", "hazwatch db migrate")]
    if has not in vitals.known_revisions():
        todo = "the database is newer than this hazwatch: update hazwatch"
        return [AREA.failed("schema", f"revision {has} is not known here", todo)]
    lease = await _lease(conn, shard, clock)
    if has != wants:
        return [
            AREA.failed("schema", f"revision {has}, wanted {wants}", "hazwatch db migrate"),
            lease,
        ]
    return [AREA.ok("schema", f"revision {has}"), lease]


async def _lease(conn: Connection, shard: str, clock: Clock) -> Diagnosis:
    seen, at = await vitals.lease_of(conn, shard), clock.now()
    if seen is None:
        return AREA.warning("worker", f"none has run for shard {shard} yet", "hazwatch run")
    since = f"{seen.holder}, last heard {rfc3339(seen.renewed_at)}"
    if seen.expires_at > at:
        return AREA.ok("worker", f"holds the lease: {since}")
    if seen.given_up:
        return AREA.warning("worker", f"stopped in order: {since}", "nobody watches: hazwatch run")
    todo = "nobody watches: start the worker, look at why it died"
    return AREA.failed("worker", f"its lease has run out: {since}", todo)


async def _kept(conn: Connection, settings: Settings, clock: Clock) -> Sequence[Diagnosis]:
    if await vitals.revision(conn) != vitals.newest_revision():
        return []
    return [
        await doctor_self_test.look(conn, settings, clock, AREA),
        *await doctor_people.look(conn, settings, AREA),
        *await doctor_kept.look(conn, settings, clock, AREA),
    ]


async def _connections(conn: Connection) -> Diagnosis:
    free, most = await vitals.free_connections(conn)
    found = f"{free} of {most} free"
    if free < NEEDED_CONNECTIONS:
        todo = f"{NEEDED_CONNECTIONS} are needed: raise max_connections, or find who takes them"
        return AREA.warning("connections", found, todo)
    return AREA.ok("connections", found)


async def _clock(conn: Connection, clock: Clock) -> Diagnosis:
    before = clock.now()
    error = vitals.clock_error(before, said := await vitals.clock_of(conn), clock.now())
    found = f"{rfc3339(said)}, {error.total_seconds():+.3f} s from ours"
    todo = "synchronise both machines by NTP"
    if abs(error) > CLOCK_FAILED:
        return AREA.failed("clock", found, todo)
    return (
        AREA.warning("clock", found, todo)
        if abs(error) > CLOCK_WARNING
        else AREA.ok("clock", found)
    )
