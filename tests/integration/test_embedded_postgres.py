"""The embedded PostgreSQL keeps what was committed, however it or its owner ended."""

import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hazwatch.embedded import PORTS, EmbeddedError, EmbeddedPostgres
from tests.support.servers import Session

pytestmark = pytest.mark.database


@pytest.fixture
def server(server_session: Session, request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(server_session.folder / request.node.name)
    yield server
    server.stop()


def write(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept (value int)")


def has_kept(server: EmbeddedPostgres) -> bool:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone()
    return row == (True,)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["in order", "killed"])
def test_what_was_committed_is_there_after_the_next_start(server, how):
    server.start()
    write(server)
    server.stop(how)
    assert server.processes() == []
    server.start()
    assert has_kept(server)


def test_a_server_killed_by_others_is_started_again_over_its_stale_pid_file(server):
    server.start()
    write(server)
    pid_file = server.data_dir / "postgres" / "cluster" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)
    server.start()
    assert has_kept(server)


def test_a_pid_file_that_names_a_stranger_stops_nobody_and_hinders_nothing(server):
    server.start()
    server.stop(signal.SIGKILL)
    pid_file = server.data_dir / "postgres" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    server.start()
    assert has_kept(server) is False


def test_a_server_whose_owner_was_killed_is_taken_over(server):
    owner = (
        "import os, pathlib, sys; from hazwatch.embedded import EmbeddedPostgres;"
        "EmbeddedPostgres(pathlib.Path(sys.argv[1])).start(); os._exit(0)"
    )
    status = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", owner, server.data_dir])
    assert status == 0
    left = {process.pid for process in server.processes()}
    assert left
    server.start()
    assert not left & {process.pid for process in server.processes()}


def test_a_data_directory_has_one_owner(server):
    server.start()
    with pytest.raises(EmbeddedError, match="another hazwatch"):
        EmbeddedPostgres(server.data_dir).start()


def test_only_this_machine_and_only_with_the_password(server):
    server.start()
    password = server.data_dir / "postgres" / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(server.url.replace(password.read_text(), "guess"))
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.info.port in PORTS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs under another account")
def test_a_folder_that_the_server_can_not_enter_is_named(tmp_path: Path):
    tmp_path.chmod(0o700)
    with pytest.raises(EmbeddedError, match=f"{tmp_path}.*nobody"):
        EmbeddedPostgres(tmp_path).start()
