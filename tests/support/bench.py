"""What benchmarks share: rows of results, real servers, the real service under the real load."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil
import psycopg

from simulators.swarm import Swarm, site_lines
from tests.support.databases import Databases
from tests.support.servers import Mosquitto, Session, Timescale, clear_abandoned
from tests.support.service import Service

WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, in the shape of build/bench.json. spread: [lowest, highest] of the
    repeats."""

    name: str
    value: float
    unit: str
    target: float
    better: str
    spread: tuple[float, float]
    context: str

    @classmethod
    def of(
        cls,
        name: str,
        repeats: Sequence[float],
        unit: str,
        target: float,
        better: str,
        context: str,
    ) -> "Row":
        """The median of repeats."""
        spread = (min(repeats), max(repeats))
        return cls(name, median(repeats), unit, target, better, spread, context)

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value <= self.target if self.better == "lower" else self.value >= self.target

    def told(self) -> dict[str, object]:
        """As build/bench.json has it."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "target": self.target,
            "better": self.better,
            "met": self.met,
            "spread": [_rounded(edge) for edge in self.spread],
            "context": self.context,
        }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


class SavingEverySecond(Mosquitto):
    """The broker of the tests, but for this: it saves what it holds once a second, not after every
    change. Saving is of everything, and stops the broker meanwhile."""

    def _config(self) -> str:
        return super()._config().replace("autosave_on_changes true", "autosave_on_changes false")


class Servers:
    """TimescaleDB and Mosquitto, started when a benchmark first asks for them."""

    def __init__(self) -> None:
        clear_abandoned()
        self._session = Session()
        self._timescale: Timescale | None = None
        self._mosquitto: Mosquitto | None = None
        self._databases: Databases | None = None

    def broker(self, *, saves_every_change: bool = False) -> str:
        """URL of a broker with nothing in it."""
        if self._mosquitto is not None:
            self._mosquitto.stop()
            shutil.rmtree(self._mosquitto.folder)
        kind = Mosquitto if saves_every_change else SavingEverySecond
        self._mosquitto = kind(self._session)
        self._mosquitto.start()
        return self._mosquitto.url

    @property
    def databases(self) -> Databases:
        """Makes fresh, migrated databases."""
        if self._databases is None:
            self._timescale = Timescale(self._session)
            self._timescale.start()
            self._databases = Databases(self._timescale)
        return self._databases

    def close(self) -> None:
        """Stop what was started."""
        for server in (self._timescale, self._mosquitto):
            if server is not None:
                server.stop()
        self._session.close()


@dataclass(slots=True)
class Running:
    """The service with a swarm's site loaded. loads: results of the loads so far."""

    database_url: str
    mqtt_url: str
    service: Service
    folder: Path
    swarm: Swarm
    truths: list[Path] = field(default_factory=list)

    def load(self, *words: object) -> "Load":
        """`hazwatch load` with this swarm and these options, running."""
        self.truths.append(self.folder / f"truth-{len(self.truths)}")
        swarm = self.swarm
        return Load(
            "--mqtt-url", self.mqtt_url, "--truth", self.truths[-1], "--output", "json",
            "--enterprises", swarm.enterprises, "--tags", swarm.tags,
            "--values-per-message", swarm.values, *words,
        )  # fmt: skip

    def prove(self) -> int:
        """Hold every truth against the database; the number of samples that were proved.

        `AssertionError` where something is missing, wrong or strange.
        """
        proved = 0
        for truth in self.truths:
            proof = command("load", "--verify", truth, "--database-url", self.database_url,
                            "--output", "json", may_fail=True)  # fmt: skip
            found = json.loads(proof or "{}")
            assert found.get("proved"), f"the load is not proved: {found}"
            proved += found["published"]
        return proved

    def stored(self) -> int:
        """Values in the database by its own count, which commits with them."""
        with psycopg.connect(self.database_url) as conn:
            row = conn.execute(
                "SELECT coalesce(sum(values_stored), 0) FROM ingest_count"
            ).fetchone()
        assert row is not None
        return int(row[0])


class Load:
    """A running `hazwatch load`."""

    def __init__(self, *words: object) -> None:
        self._process = subprocess.Popen(
            hazwatch("load", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def end(self) -> dict[str, float]:
        """Wait for its end; what it printed."""
        out, err = self._process.communicate()
        if self._process.returncode:
            raise AssertionError(f"hazwatch load ended with {self._process.returncode}:\n{err}")
        result: dict[str, float] = json.loads(out.splitlines()[-1])
        return result


@contextmanager
def running(
    servers: Servers,
    swarm: Swarm,
    roles: str = "worker",
    *,
    saves_every_change: bool = False,
    site: str = "",
    **settings: str,
) -> Iterator[Running]:
    """The real `hazwatch run` on a fresh database that holds the site of `swarm`, or this one."""
    with stage(servers, site or "\n".join(site_lines(swarm)), saves_every_change) as made:
        folder, url, broker = made
        with Service(folder, url, broker, roles, **settings) as service:
            service.start()
            until(lambda: service.watching, "the service takes messages")
            yield Running(url, broker, service, folder, swarm)
            service.end()


@contextmanager
def stage(
    servers: Servers, site: str, saves_every_change: bool = False
) -> Iterator[tuple[Path, str, str]]:
    """(a folder, the URL of a fresh database with this site, the URL of an empty broker)."""
    broker = servers.broker(saves_every_change=saves_every_change)
    with servers.databases.fresh() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "site.yaml"
        file.write_text(site, "utf-8")
        command("site", "load", file, "--database-url", url)
        yield folder, url, broker


def hazwatch(*words: object) -> list[str]:
    """The command line of `hazwatch`."""
    return [sys.executable, "-m", "hazwatch", *map(str, words)]


def command(*words: object, may_fail: bool = False) -> str:
    """What a command of `hazwatch` prints."""
    done = subprocess.run(hazwatch(*words), capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise AssertionError(f"hazwatch {words[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def until(true: Callable[[], object], what: str) -> None:
    """Look every 50 ms until `true()`."""
    deadline = time.monotonic() + WITHIN_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {WITHIN_S} s")
        time.sleep(0.05)


class Cores:
    """How many cores each of our processes takes, from its making to `told`."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before = _cpu_seconds()

    def used(self, who: str) -> float:
        """How many cores one part took."""
        return self._used()[who]

    def _used(self) -> dict[str, float]:
        took, now = time.monotonic() - self._began, _cpu_seconds()
        return {who: (now[who] - self._before.get(who, 0.0)) / took for who in now}

    def told(self) -> str:
        """Such as "worker 0.96, database 0.41, broker 0.20, load 0.08"."""
        used = self._used()
        order = sorted(used, key=lambda who: -used[who])
        return "cores: " + ", ".join(f"{who} {used[who]:.2f}" for who in order)


def _cpu_seconds() -> dict[str, float]:
    """CPU seconds by part, of processes that are alive."""
    used: dict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        try:
            words, times = process.cmdline(), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used[_part(process.name(), words)] += times.user + times.system
    return used


def _part(program: str, words: Sequence[str]) -> str:
    if program.startswith("postgres"):
        return "database"
    if program.startswith("mosquitto"):
        return "broker"
    return "load" if "load" in words else "service"
