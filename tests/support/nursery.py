"""Services that start in no time: children of a process that has loaded all of hazwatch already.

Importing it and loading its compiled rules takes seconds of a core. A test that kills fifty
services is about what they leave behind, not about that.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Self

from tests.support.service import Running, Service

AGAIN_S = 0.005


class Child:
    """What tests use of `subprocess.Popen`."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None: it runs."""
        if self._code is None:
            self._code = self._nursery.ask({"poll": self.pid})
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended."""
        began = time.monotonic()
        while (code := self.poll()) is None:
            if timeout is not None and time.monotonic() - began > timeout:
                raise subprocess.TimeoutExpired(f"service {self.pid}", timeout)
            time.sleep(AGAIN_S)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it, if the process is still there."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that has everything loaded; ends with what it started. environment: it has
    that, besides ours."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | dict(environment or {}),
        )

    def launch(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        """`hazwatch` with these words, its output at the end of `log`."""
        pid = self.ask({"words": list(words), "environment": dict(environment), "log": str(log)})
        assert pid is not None
        return Child(self, pid)

    def ask(self, what: Mapping[str, Any]) -> int | None:
        """Its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()
        answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class NursedService(Service):
    """A `Service` whose processes come from a nursery."""

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        database_url: str,
        mqtt_url: str,
        settings: Mapping[str, str],
        roles: str = "worker",
    ) -> None:
        super().__init__(folder, database_url, mqtt_url, roles, **settings)
        self._nursery = nursery

    def _launched(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> Running:
        return self._nursery.launch(words, environment, log)


def serve() -> None:
    """Do what is asked for until nobody asks any more; then end all that still run."""
    from hazwatch import app, commands
    from rules.warming import warm_up

    assert app
    for command in iter_modules(commands.__path__):
        import_module(f"{commands.__name__}.{command.name}")
    warm_up()
    running: set[int] = set()
    for line in sys.stdin.buffer:
        what = json.loads(line)
        if "poll" in what:
            answer = _polled(what["poll"], running)
        else:
            answer = os.fork()
            if answer == 0:
                _become(what)
            running.add(answer)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _polled(pid: int, running: set[int]) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _become(what: Mapping[str, Any]) -> None:
    """A `hazwatch` process of its own; never returns."""
    from hazwatch.cli import main

    code = 1
    try:
        log = os.open(what["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for to in (1, 2):
            os.dup2(log, to)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(what["environment"])
        sys.argv = ["hazwatch", *what["words"]]
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
