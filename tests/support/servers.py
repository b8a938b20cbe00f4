"""Real servers for tests: started by the test session, on ports and folders of its own.

Every server is stopped by the process that started it. What a killed session left behind is ended
by the next one, which knows it by its folder's name and by the lock that nobody holds any more.
"""

import fcntl
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psutil
import pytest

from hazwatch.embedded import EmbeddedPostgres, free_port
from tests.support.install import CACHE, TIMESCALE_ROOT, mosquitto, remove

WAIT_S = 60
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class MissingServerError(Exception):
    """A server that tests need is not on this machine."""


class Database(Protocol):
    """A PostgreSQL server that tests may stop and start."""

    @property
    def url(self) -> str:
        """psycopg URL of the maintenance database, as superuser."""

    def start(self) -> None:
        """Up and answering on return; nothing to do if it is."""

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Down on return. SIGINT: fast and in order. SIGQUIT: at once. SIGKILL: like a crash."""

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, then start on the same data and port."""


class Child:
    """A server process that is up when it has written `ready`, and down when its output ended."""

    def __init__(self, command: Sequence[str], ready: str, log: Path) -> None:
        self._command = list(command)
        self._ready = ready
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Up and answering on return; nothing to do if it is."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=ENVIRONMENT,
            start_new_session=True,
        )
        settled = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, settled))
        self._reader.start()
        if not settled.wait(WAIT_S) or self._process.poll() is not None:
            self.stop(signal.SIGKILL)
            raise RuntimeError(f"{self._command[0]} did not start:\n{self._log.read_text()}")

    def stop(self, how: signal.Signals) -> None:
        """Send the signal and wait for the process and all that share its output."""
        if self._process is None or self._reader is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._reader.join(WAIT_S)
        self._process = self._reader = None

    def _read(self, process: subprocess.Popen[str], settled: threading.Event) -> None:
        assert process.stdout is not None
        with self._log.open("a") as log, process.stdout as lines:
            for line in lines:
                log.write(line)
                log.flush()
                if self._ready in line:
                    settled.set()
        settled.set()


class Session:
    """The folders of one test session, open to the accounts that servers run under."""

    def __init__(self) -> None:
        self.name = f"session-{uuid.uuid4().hex}"
        self.folder = CACHE / "sessions" / self.name
        # It gets its name when it is locked: until then nobody can take it for an abandoned one.
        unnamed = self.folder.with_name(f"new-{self.name}")
        unnamed.mkdir(parents=True)
        self._lock = (unnamed / "owner").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unnamed.rename(self.folder)

    @property
    def inside_timescale(self) -> Path:
        """This session's folder in the root folder of TimescaleDB."""
        return _inside_timescale(self.name)

    def close(self) -> None:
        """Delete the folders. The servers have been stopped before."""
        _remove_session(self.folder)
        self._lock.close()


def clear_abandoned() -> None:
    """End the servers of sessions whose owner is gone, and delete their folders."""
    for folder in (CACHE / "sessions").glob("session-*"):
        try:
            with (folder / "owner").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_processes_of(folder.name)
                _remove_session(folder)
        except (FileNotFoundError, BlockingIOError):
            continue


def _end_processes_of(session: str) -> None:
    found = psutil.process_iter(["cmdline"])
    servers = [p for p in found if any(session in word for word in p.info["cmdline"] or ())]
    left = [*servers, *(child for server in servers for child in server.children())]
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=WAIT_S)


def _inside_timescale(session: str) -> Path:
    return TIMESCALE_ROOT / "srv" / session


def _remove_session(folder: Path) -> None:
    remove(_inside_timescale(folder.name))
    remove(folder)


class Timescale:
    """TimescaleDB in its root folder, with a cluster made for this session."""

    _BIN = "/usr/lib/postgresql/18/bin"
    _SETTINGS = (
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "shared_preload_libraries=timescaledb",
        # CREATE DATABASE … TEMPLATE fails while the scheduler is connected.
        "timescaledb.max_background_workers=0",
        "timescaledb.telemetry_level=off",
        # The root folder has no /dev/shm of its own, and so needs no bind mounts.
        "dynamic_shared_memory_type=mmap",
        "fsync=on",
    )

    def __init__(self, session: Session) -> None:
        if not TIMESCALE_ROOT.exists():
            raise MissingServerError(
                "TimescaleDB is not installed here; `make test` as root on Debian does it"
            )
        if os.geteuid() != 0:
            raise MissingServerError("TimescaleDB is started in a root folder, which takes root")
        self._home = session.inside_timescale
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        self._make_cluster()
        self._server = Child(
            self._inside("postgres", "-D", self._data, "-p", str(self._port), *self._options()),
            "database system is ready to accept connections",
            session.folder / "timescale.log",
        )

    def start(self) -> None:
        """Up and answering on return; nothing to do if it is."""
        self._server.start()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Down on return, with all its children."""
        self._server.stop(how)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, then start on the same data and port."""
        self.stop(how)
        self.start()

    def place(self, name: str) -> tuple[Path, str, tuple[int, int]]:
        """A folder for a test to make, as we and as the server see it; and whose it must be."""
        owner = self._home.stat()
        path = self._home / name
        return path, f"/{path.relative_to(TIMESCALE_ROOT)}", (owner.st_uid, owner.st_gid)

    @property
    def _data(self) -> str:
        return f"/{self._home.relative_to(TIMESCALE_ROOT)}/data"

    def _inside(self, program: str, *arguments: str) -> list[str]:
        account = "--userspec=postgres:postgres"
        return ["chroot", account, str(TIMESCALE_ROOT), f"{self._BIN}/{program}", *arguments]

    def _options(self) -> list[str]:
        return [word for setting in self._SETTINGS for word in ("-c", setting)]

    def _make_cluster(self) -> None:
        self._home.mkdir()
        owner = (TIMESCALE_ROOT / "var/lib/postgresql").stat()
        os.chown(self._home, owner.st_uid, owner.st_gid)
        options = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        # No test cuts the power, and a kill of the server loses nothing of what is unsynced here.
        initdb = self._inside("initdb", "-D", self._data, "--no-sync", *options)
        subprocess.run(initdb, check=True, capture_output=True, env=ENVIRONMENT)


class PlainPostgres:
    """The embedded PostgreSQL of the product, without TimescaleDB."""

    def __init__(self, session: Session) -> None:
        self._server = EmbeddedPostgres(session.folder / "plain", free_port())

    @property
    def url(self) -> str:
        """psycopg URL of the maintenance database, as superuser."""
        return self._server.url

    def start(self) -> None:
        """Up and answering on return; nothing to do if it is."""
        if not self._server.processes():
            self._server.start()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Down on return, with all its children."""
        self._server.stop(how)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, then start on the same data and port."""
        self.stop(how)
        self.start()


class Mosquitto:
    """A broker that keeps what it has acknowledged, also when it is killed. name: of its folder,
    for one beside another."""

    def __init__(self, session: Session, name: str = "mosquitto") -> None:
        program = mosquitto()
        if program is None:
            raise MissingServerError(
                "mosquitto is not installed here; `make test` as root on Debian does it"
            )
        self.host = "127.0.0.1"
        self.port = free_port()
        self.url = f"mqtt://{self.host}:{self.port}"
        self.folder = session.folder / name
        self.folder.mkdir()
        config = self.folder / "mosquitto.conf"
        config.write_text(self._config())
        log = session.folder / f"{name}.log"
        self._server = Child([program, "-c", str(config)], " running", log)

    def _config(self) -> str:
        user = "user root\n" if os.geteuid() == 0 else ""
        return user + (
            f"listener {self.port} {self.host}\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {self.folder}/\n"
            "autosave_on_changes true\n"
            "autosave_interval 1\n"
            "max_queued_messages 0\n"
            "max_inflight_messages 1000\n"
            "set_tcp_nodelay true\n"
            "sys_interval 1\n"
        )

    def start(self) -> None:
        """Up and answering on return; nothing to do if it is."""
        self._server.start()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Down on return. SIGTERM saves what it holds; SIGKILL is a crash."""
        self._server.stop(how)

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop, then start on the same folder and port."""
        self.stop(how)
        self.start()


class Given:
    """A server that a person has; tests use it and leave it running."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 1883

    def start(self) -> None:
        """It runs already."""

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Tests that stop servers are not for servers of a person."""
        pytest.skip(f"{self.host}:{self.port} is somebody's server: {how.name} is not for it")

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Tests that stop servers are not for servers of a person."""
        self.stop(how)
