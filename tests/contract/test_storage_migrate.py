import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from sqlalchemy.engine import make_url

from storage.database import DatabaseAway, DatabaseOptions, connect
from storage.migrate import (
    Patience,
    TablesInUse,
    TimescaleNotPermitted,
    create_timescale,
    driver,
    migrate,
    upgrade,
)
from storage.queries import query
from storage.schema import is_newest, newest
from tests.support.builders import at
from tests.support.rollups import Kept, wrong
from tests.support.seed import Seed
from tests.support.servers import Database


@pytest.fixture(params=["timescale", "plain_postgres"])
def empty_url(request: pytest.FixtureRequest):
    """A database of its own with nothing in it."""
    server: Database = request.getfixturevalue(request.param)
    code = f"empty_{uuid4().hex}"
    name = sql.Identifier(code)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    yield urlunsplit(urlsplit(server.url)._replace(path=f"/{code}"))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_an_empty_database_gets_the_whole_schema_and_a_second_run_does_nothing(empty_url: str):
    assert not is_newest(empty_url)
    first = migrate(empty_url)
    assert is_newest(empty_url)
    assert newest() == first.after
    assert (first.before, first.applied[0], first.after) == (None, "0001", first.applied[-1])
    second = migrate(empty_url)
    assert (second.before, second.after, second.applied) == (first.after, first.after, ())
    assert second.timescale == first.timescale
    with psycopg.connect(empty_url) as connection:
        hyper = connection.execute("SELECT relkind FROM pg_class WHERE relname = 'sample'")
        assert hyper.fetchone() == ("r" if first.timescale else "p",)


def test_a_database_of_the_release_before_gets_what_is_new(empty_url: str):
    engine = sqlalchemy.create_engine(
        make_url(empty_url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        create_timescale(driver(connection))
        upgrade(connection, "0002")
    with psycopg.connect(empty_url) as connection:
        connection.execute("INSERT INTO node (kind, code, name) VALUES ('park', 'p1', 'Park')")
        assert connection.execute("SELECT to_regclass('management_input')").fetchone() == (None,)
    report = migrate(empty_url)
    assert (report.before, report.applied[0]) == ("0002", "0003")
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT version FROM management_input_version").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM node").fetchone() == (1,)


def test_a_database_with_plant_alarms_of_the_release_before_finds_the_newest_by_index(
    empty_url: str,
):
    engine = sqlalchemy.create_engine(
        make_url(empty_url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        create_timescale(driver(connection))
        upgrade(connection, "0004")
    with psycopg.connect(empty_url) as connection:
        connection.execute("INSERT INTO node (kind, code, name) VALUES ('enterprise', 'e', 'E')")
        connection.execute("INSERT INTO gateway (enterprise, code) SELECT id, 'g' FROM node")
        connection.execute(
            """INSERT INTO plant_alarm
               SELECT id, n::text, at, at, 'LI101', 'H', true, '{}'
               FROM gateway, generate_series(1, 20000) n,
                    LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 min' AS at) times"""
        )
    report = migrate(empty_url)
    assert (report.before, report.applied[0]) == ("0004", "0005")
    with psycopg.connect(empty_url) as connection:
        connection.execute("ANALYZE plant_alarm")
        wanted = {"since": datetime(2026, 1, 14, 21, tzinfo=UTC)}
        rows = connection.execute(query("last_plant_alarms"), wanted).fetchall()
        assert [row[1] for row in rows] == ["20000"]
        steps = connection.execute(b"EXPLAIN " + query("last_plant_alarms"), wanted).fetchall()
        assert "plant_alarm_received" in " ".join(row[0] for row in steps)


def test_a_database_of_the_release_before_gets_the_tables_of_models(empty_url: str):
    engine = sqlalchemy.create_engine(
        make_url(empty_url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        create_timescale(driver(connection))
        upgrade(connection, "0005")
    with psycopg.connect(empty_url) as connection:
        connection.execute("INSERT INTO node (kind, code, name) VALUES ('park', 'p1', 'Park')")
        assert connection.execute("SELECT to_regclass('pca_model')").fetchone() == (None,)
    report = migrate(empty_url)
    assert (report.before, report.applied[0]) == ("0005", "0006")
    with psycopg.connect(empty_url) as connection:
        for table in ("pca_model", "pca_activation", "pca_now"):
            rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert rows == (0,)
        assert connection.execute("SELECT count(*) FROM node").fetchone() == (1,)


def test_samples_of_the_release_before_are_rolled_up(empty_url: str):
    engine = sqlalchemy.create_engine(
        make_url(empty_url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        create_timescale(driver(connection))
        upgrade(connection, "0006")
    seed = Seed(empty_url)
    plant = seed.plant()
    tag = plant.tags[0][0]
    for day in range(3):
        times = [at(day * 86_400 + 20 * n) for n in range(400)]
        seed.samples(tag, *((time, float(n % 17)) for n, time in enumerate(times)))
    seed.samples(plant.tags[0][1], (at(5), float("nan")), (at(-86_400), 3.0), quality=64)
    seed.raised(plant, tag)
    report = migrate(empty_url)
    assert (report.before, report.applied[0]) == ("0006", "0007")

    async def rolled_up() -> None:
        async with await connect(DatabaseOptions(empty_url)) as conn:
            kept = await Kept.of(conn)
            assert await kept.roll_up()
            assert await wrong(kept) == []
            assert sum(one.n + one.empty for one in (await kept.rolled()).values()) == 1202
            assert (await kept.rolled("sample_hour"))[plant.tags[0][1], at(-86_400)].quality == 64

    asyncio.run(rolled_up())


def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str):
    with ThreadPoolExecutor(4) as threads:
        reports = list(threads.map(migrate, [empty_url] * 4))
    assert sorted(len(report.applied) for report in reports)[:3] == [0, 0, 0]
    assert len({report.after for report in reports}) == 1


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str):
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE engine_snapshot (in_the_way int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("DROP TABLE engine_snapshot")
        assert connection.execute("SELECT to_regclass('node')").fetchone() == (None,)
    assert migrate(empty_url).before is None


@pytest.fixture
def older_url(empty_url: str):
    """A database of the release before the newest change of `alarm`."""
    engine = sqlalchemy.create_engine(
        make_url(empty_url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        create_timescale(driver(connection))
        upgrade(connection, "0015")
    return empty_url


IMPATIENT = Patience(lock_s=0.2, tries=3, again_s=0.0)


def test_a_migration_lets_others_pass_and_says_who_reads_for_long(older_url: str):
    told: list[str] = []

    def meanwhile(text: str) -> None:
        told.append(text)
        with psycopg.connect(older_url) as other:
            other.execute("SET statement_timeout = '2s'; SELECT FROM alarm")

    with psycopg.connect(older_url, application_name="report of the month") as reader:
        reader.execute("SELECT count(*) FROM alarm")
        with pytest.raises(TablesInUse, match="pg_terminate_backend") as given_up:
            migrate(older_url, waiting=meanwhile, patience=IMPATIENT)
        pid = reader.info.backend_pid
    assert len(told) == IMPATIENT.tries - 1
    for text in (*told, str(given_up.value)):
        assert f"pid {pid} (report of the month, user" in text
        assert "SELECT count(*) FROM alarm" in text
    report = migrate(older_url, patience=IMPATIENT)
    assert (report.before, report.applied[0]) == ("0015", "0016")


def test_a_migration_goes_on_by_itself_when_the_reader_has_ended(older_url: str):
    with psycopg.connect(older_url) as reader:
        reader.execute("SELECT count(*) FROM alarm")
        report = migrate(older_url, waiting=lambda _: reader.rollback(), patience=IMPATIENT)
    assert (report.before, report.applied[0]) == ("0015", "0016")
    assert is_newest(older_url)


def test_processes_that_migrate_wait_for_each_other_for_longer_than_for_a_reader(older_url: str):
    with psycopg.connect(older_url) as first, ThreadPoolExecutor(1) as threads:
        first.execute(query("lock_migrations"))
        second = threads.submit(migrate, older_url, patience=Patience(0.05, 1, 0.0))
        while not first.execute(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ).fetchall():
            assert not second.done()
        first.execute("SELECT pg_sleep(0.2)")
        first.rollback()
        assert second.result().applied[0] == "0016"


@pytest.fixture
def commoners_url(timescale: Database):
    """A database in which its user may use what is there, and create nothing beside it."""
    with psycopg.connect(timescale.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE commoner LOGIN")
        connection.execute("CREATE DATABASE for_a_commoner TEMPLATE template0")
    parts = urlsplit(timescale.url)
    netloc = f"commoner@{parts.netloc.rpartition('@')[2]}"
    yield urlunsplit(parts._replace(netloc=netloc, path="/for_a_commoner"))
    with psycopg.connect(timescale.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE for_a_commoner WITH (FORCE)")
        connection.execute("DROP ROLE commoner")


def test_who_may_not_create_timescale_is_told_what_to_do(commoners_url: str):
    with pytest.raises(TimescaleNotPermitted, match="CREATE EXTENSION timescaledb"):
        migrate(commoners_url)


def test_a_database_that_is_not_there_is_away_so_that_a_start_waits_for_it():
    with pytest.raises(DatabaseAway):
        migrate("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseAway):
        is_newest("postgresql://nobody@127.0.0.1:1/none")
