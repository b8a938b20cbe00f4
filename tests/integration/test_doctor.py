"""`hazwatch doctor` at a real database and a real broker, well and ill."""

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from hazwatch.cli import assembled
from hazwatch.embedded import free_port
from tests.support.databases import Databases
from tests.support.deployed_broker import DeployedBroker

APP = assembled()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with DeployedBroker(tmp_path_factory.mktemp("broker"), ["hazwatch", "p1/e1/g1"]) as broker:
        yield broker


class Examined:
    """What the doctor said."""

    def __init__(self, database: str, broker: str, folder: Path, *words: str, **more: str) -> None:
        settings = {
            "HAZWATCH_DATABASE_URL": database,
            "HAZWATCH_MQTT_URL": broker,
            "HAZWATCH_DATA_DIR": str(folder),
            **more,
        }
        done = CliRunner().invoke(APP, ["doctor", "--output", "json", *words], env=settings)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        self.code = done.exit_code
        self.found = json.loads(done.stdout)

    def outcome(self, area: str, check: str) -> str:
        return str(self.one(area, check)["outcome"])

    def one(self, area: str, check: str) -> dict:
        return next(one for one in self.found if (one["area"], one["check"]) == (area, check))

    @property
    def bad(self) -> set[tuple[str, str]]:
        return {(one["area"], one["check"]) for one in self.found if one["outcome"] == "failed"}


@pytest.mark.broker
def test_a_sound_installation_is_found_sound(timescale_url, broker, tmp_path):
    seen = Examined(timescale_url, broker.url(), tmp_path)
    assert (seen.code, seen.bad) == (0, set())
    assert seen.one("broker", "queue for absent readers")["found"] == "kept all of 1200 messages"
    assert seen.outcome("broker", "rights: events") == "ok"
    assert seen.outcome("broker", "rights: receipts") == "ok"
    assert seen.outcome("broker", "dropped messages") == "ok"
    assert "Apache" in seen.one("database", "timescaledb")["found"]
    assert seen.outcome("database", "worker") == "warning"
    assert seen.outcome("disk", "fsync") == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_there_is_away(broker, tmp_path):
    url = f"postgresql://hazwatch@127.0.0.1:{free_port()}/hazwatch"
    seen = Examined(url, broker.url(), tmp_path, "--no-probe")
    assert seen.code == 3
    assert seen.one("database", "reachable")["away"]


def test_a_database_that_refuses_is_no_database_that_is_away(timescale_url, broker, tmp_path):
    other = psycopg.conninfo.make_conninfo(timescale_url, user="nobody_of_this_name")
    words = psycopg.conninfo.conninfo_to_dict(other)
    url = "postgresql://{user}@{host}:{port}/{dbname}".format(**words)
    seen = Examined(url, broker.url(), tmp_path, "--no-probe")
    assert seen.code == 1
    assert not seen.one("database", "reachable")["away"]
    assert "refuses" in seen.one("database", "reachable")["todo"]


def test_an_empty_database_is_told_to_migrate(timescale_databases: Databases, broker, tmp_path):
    url = timescale_databases._create("template1")
    seen = Examined(url, broker.url(), tmp_path, "--no-probe")
    assert seen.code == 1
    assert seen.one("database", "schema")["todo"] == "hazwatch db migrate"


@pytest.mark.parametrize(
    ("renewed", "expires", "outcome"),
    [
        ("now()", "now() + interval '1 hour'", "ok"),
        ("now() - interval '1 hour'", "now() - interval '1 hour'", "warning"),
        ("now() - interval '1 hour'", "now() - interval '59 minutes'", "failed"),
    ],
)
def test_a_worker_that_died_is_told_from_one_that_stopped(
    timescale_url, broker, tmp_path, renewed, expires, outcome
):
    with psycopg.connect(timescale_url, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO lease (shard, holder, epoch, renewed_at, expires_at) "
            f"VALUES ('main', 'here', 1, {renewed}, {expires})"
        )
    seen = Examined(timescale_url, broker.url(), tmp_path, "--no-probe")
    assert seen.outcome("database", "worker") == outcome
    assert seen.code == int(outcome == "failed")


def test_a_schema_of_a_later_hazwatch_is_left_alone(timescale_url, broker, tmp_path):
    with psycopg.connect(timescale_url, autocommit=True) as conn:
        conn.execute("UPDATE alembic_version SET version_num = 'later'")
    seen = Examined(timescale_url, broker.url(), tmp_path, "--no-probe")
    assert "update hazwatch" in seen.one("database", "schema")["todo"]


def test_a_broker_that_is_not_there_is_away(timescale_url, tmp_path):
    seen = Examined(timescale_url, f"mqtt://127.0.0.1:{free_port()}", tmp_path, "--no-probe")
    assert seen.code == 3
    assert seen.one("broker", "reachable")["away"]


def test_a_wrong_password_is_no_absence(timescale_url, broker, tmp_path):
    url = f"mqtt://hazwatch:wrong@127.0.0.1:{broker.own_port}"
    seen = Examined(timescale_url, url, tmp_path, "--no-probe")
    assert seen.code == 1
    assert "refuses" in seen.one("broker", "reachable")["todo"]


def test_an_account_without_our_rights_is_seen(timescale_url, broker, tmp_path):
    seen = Examined(timescale_url, broker.url("p1/e1/g1"), tmp_path, "--no-probe")
    assert {("broker", "rights: events"), ("broker", "rights: receipts")} <= seen.bad
    assert seen.outcome("broker", "dropped messages") == "unknown"
    assert seen.code == 1


@pytest.mark.broker
def test_mosquittos_default_queue_is_found_too_small(timescale_url, tmp_path):
    folder = tmp_path / "broker"
    with DeployedBroker(folder, ["hazwatch"], max_queued_messages="1000") as broker:
        seen = Examined(timescale_url, broker.url(), tmp_path / "data")
        assert seen.one("broker", "queue for absent readers")["outcome"] == "failed"
        assert "max_queued_messages 0" in seen.one("broker", "queue for absent readers")["todo"]
        assert seen.code == 1
        sessions = Examined(timescale_url, broker.url(), tmp_path / "data", "--no-probe")
        assert sessions.outcome("broker", "reachable") == "ok"


def test_variables_that_mean_nothing_are_named(timescale_url, broker, tmp_path):
    seen = Examined(timescale_url, broker.url(), tmp_path, "--no-probe", HAZWATCH_SPOOL_BITES="1")
    told = seen.one("settings", "unknown variable")
    assert told["found"].startswith("HAZWATCH_SPOOL_BITES")
    assert "HAZWATCH_SPOOL_BYTES" in told["todo"]
    assert seen.code == 0
