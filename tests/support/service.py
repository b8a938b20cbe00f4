"""The real process, to be started, killed and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from hazwatch.embedded import free_port


class Running(Protocol):
    """What a service needs of its process, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Service:
    """`hazwatch run` as a child process. Its log goes to a file that a failing test can show."""

    def __init__(
        self, folder: Path, database_url: str, mqtt_url: str, roles: str = "worker", **settings: str
    ) -> None:
        self.port = free_port()
        self._folder = folder
        self._roles = roles
        self._process: Running | None = None
        self._environment = os.environ | {
            "HAZWATCH_DATABASE_URL": database_url,
            "HAZWATCH_MQTT_URL": mqtt_url,
            "HAZWATCH_DATA_DIR": str(folder / "data"),
            "HAZWATCH_API_PORT": str(self.port),
            **{f"HAZWATCH_{name.upper()}": value for name, value in settings.items()},
        }
        self._log = folder / "service.log"
        self._read = 0

    @property
    def log(self) -> str:
        """Everything that it has said."""
        return self._log.read_text("utf-8", errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def start(self, **environment: str) -> None:
        """Start it, this once with these variables as well; returns at once."""
        self._read = len(self.log)
        words = ("run", "--roles", self._roles)
        self._process = self._launched(words, self._environment | environment, self._log)

    def _launched(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> Running:
        """`hazwatch` with these words in this environment, its output at the end of a file."""
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "hazwatch", *words],
                env=environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )

    @property
    def ended(self) -> int | None:
        """The exit code of this run of it, negative for a signal; None: it runs."""
        assert self._process is not None
        return self._process.poll()

    @property
    def said(self) -> str:
        """What this run of it has said."""
        return self.log[self._read :]

    @property
    def watching(self) -> bool:
        """Whether this run of it takes messages; raises if it has died."""
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            raise AssertionError(
                f"the service ended with {code}:\n{self.log[self._read :][-4000:]}"
            )
        return "watching" in self.log[self._read :]

    def freeze(self) -> None:
        """SIGSTOP: it stands still, and its connections stand."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT, after `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def wait(self, within_s: float = 30) -> int:
        """The exit code, when it ends by itself."""
        assert self._process is not None
        return self._process.wait(within_s)

    def end(self, how: signal.Signals = signal.SIGTERM, within_s: float = 30) -> int:
        """Send a signal, wait, and give the exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(how)
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"it does not end:\n{self.log[self._read :][-4000:]}") from None
        finally:
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
