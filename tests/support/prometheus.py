"""A real Prometheus that evaluates two rules over many series, and how long it says it took."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from hazwatch.embedded import free_port
from tests.support.install import PROMETHEUS

WITHIN_S = 60
CONFIG = """
global: {{scrape_interval: 5s, evaluation_interval: 5s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: plant
    static_configs: [targets: ["127.0.0.1:{port}"]]
"""
RULES = """
groups:
  - name: limits
    rules:
      - {alert: High, expr: reading >= 8, for: 5s}
      - {alert: Low, expr: reading <= 2, for: 5s}
"""


def evaluation_seconds(series: int, evaluations: int) -> list[float]:
    """How long evaluations of two limits over so many series took: the group's last duration, once
    for each, after all series are there."""
    took: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        _exporter(series) as source,
        _prometheus(Path(folder), source) as port,
    ):
        _until(lambda: _metric(port, "prometheus_tsdb_head_series") >= series, "all series")
        judged = _rounds(port) + 2
        while len(took) < evaluations:
            _until(lambda: _rounds(port) > judged + len(took), "the next evaluation")
            took.append(_metric(port, "prometheus_rule_group_last_duration_seconds"))
    return took


@contextmanager
def _exporter(series: int) -> Iterator[int]:
    """An exporter of readings between the limits, one in 1,000 of them too high now and then."""
    calm = [f'reading{{tag="LI{n}"}} {5 + n % 97 / 1000}' for n in range(series)]
    high = [line if n % 1000 else f'reading{{tag="LI{n}"}} 8.5' for n, line in enumerate(calm)]
    bodies = ["\n".join([*lines, ""]).encode() for lines in (calm, high)]
    scrapes = iter(range(1_000_000))

    class Exporter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies[next(scrapes) // 2 % 2]
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _prometheus(folder: Path, source: int) -> Iterator[int]:
    (folder / "prometheus.yml").write_text(CONFIG.format(port=source), "utf-8")
    (folder / "rules.yml").write_text(RULES, "utf-8")
    port = free_port()
    process = subprocess.Popen(
        [
            str(PROMETHEUS), f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def _rounds(port: int) -> float:
    return _metric(port, "prometheus_rule_group_iterations_total")


def _metric(port: int, name: str) -> float:
    """A metric of Prometheus about itself, -1 while it is not there."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except (URLError, OSError):
        return -1.0
    lines = (line for line in text.splitlines() if line.startswith((name + " ", name + "{")))
    return max((float(line.rsplit(" ", 1)[1]) for line in lines), default=-1.0)


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {WITHIN_S} s")
        time.sleep(0.05)
