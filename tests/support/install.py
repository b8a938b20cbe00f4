"""One-time set-up of the servers that tests run against: `python -m tests.support.install`.

On Debian as root it installs what is missing; in any other place it says what will be missing.
The result is kept outside the project, so that every clone on a machine uses the same.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = (
    Path("/var/lib/hazwatch-test")
    if os.geteuid() == 0
    else Path.home() / ".cache" / "hazwatch-test"
)
CACHE = Path(os.environ.get("HAZWATCH_TEST_CACHE") or HOME)
TIMESCALE_ROOT = CACHE / "timescale-pg18"
"""A root folder of Debian unstable with TimescaleDB: Debian stable has no package of it."""
COMPOSE = CACHE / "docker-compose"
"""Compose 2, which Debian stable does not have either; it needs no daemon to check a file."""
PROMETHEUS = CACHE / "prometheus"
"""Debian's program alone, out of its package: nothing is set up or started on the machine."""
EDGE_NODE = CACHE / "edge-node"
"""An environment for the Sparkplug edge node of others, which needs libraries of its own."""
EDGE_NODE_PACKAGES = ("mqtt-spb-wrapper==2.1.2", "paho-mqtt==1.6.1", "protobuf==3.20.3")
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "chromium": "chromium",
    "curl": "curl",
    "faketime": "faketime",
    "jq": "jq",
}
"""Program to look for, Debian package that brings it."""
FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
"""Chromium needs it to draw Chinese."""


def mosquitto() -> str | None:
    """The broker's program, which Debian puts where ordinary users do not look."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def main() -> int:
    """Install what is missing, once, whoever else is doing so at the same time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone():
        if os.geteuid() == 0 and shutil.which("apt-get"):
            _install_packages()
            _install_timescale()
            _install_compose()
            _install_prometheus()
        else:
            _say("not root on Debian: servers that are missing here are left out of the tests")
        edge_node()
    return 0


def edge_node() -> Path | None:
    """The Python of the edge node, made where it is missing; None where that is not possible."""
    python = EDGE_NODE / "bin/python"
    if not python.exists():
        _say("fetching a Sparkplug edge node")
        part = EDGE_NODE.with_name(f"{EDGE_NODE.name}.{os.getpid()}")
        venv.create(part, with_pip=True, clear=True)
        install = [str(part / "bin/python"), "-m", "pip", "install", "--quiet"]
        done = subprocess.run([*install, *EDGE_NODE_PACKAGES], check=False, capture_output=True)
        if done.returncode:
            _say(f"no edge node: {done.stderr.decode(errors='replace')[-500:]}")
            remove(part)
            return None
        if not python.exists():
            part.rename(EDGE_NODE)
    return python


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install_packages() -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [
        package for program, package in PROGRAMS.items() if not shutil.which(program, path=path)
    ]
    if not FONT.exists():
        missing.append("fonts-noto-cjk")
    if missing:
        _say(f"installing {', '.join(missing)}")
        _run("apt-get", "-qq", "update")
        _run("apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing)


def _install_timescale() -> None:
    """Built beside its place and moved there when complete, so that half a folder is never used."""
    if TIMESCALE_ROOT.exists():
        return
    _say("fetching TimescaleDB into a root folder of its own (about half a minute)")
    part = TIMESCALE_ROOT.with_name(TIMESCALE_ROOT.name + ".part")
    _debootstrap(part, "essential", "postgresql-18-timescaledb,locales-all")
    part.rename(TIMESCALE_ROOT)


def _install_compose() -> None:
    if COMPOSE.exists():
        return
    _say("fetching docker compose")
    part = COMPOSE.with_name(COMPOSE.name + ".part")
    _debootstrap(part, "extract", "docker-compose")
    (part / "usr/libexec/docker/cli-plugins/docker-compose").rename(COMPOSE)
    remove(part)


def _install_prometheus() -> None:
    """Benchmarks alone need it."""
    if PROMETHEUS.exists():
        return
    _say("fetching Prometheus")
    part = PROMETHEUS.with_name(PROMETHEUS.name + ".part")
    remove(part)
    part.mkdir(mode=0o755)
    _run("apt-get", "-qq", "update")
    _run("apt-get", "-qq", "download", "prometheus", folder=part)
    _run("dpkg-deb", "-x", *map(str, part.glob("*.deb")), str(part / "root"))
    (part / "root/usr/bin/prometheus").rename(PROMETHEUS)
    remove(part)


def _debootstrap(folder: Path, variant: str, packages: str) -> None:
    """Packages of Debian unstable, and what they need, in a folder of their own."""
    remove(folder)
    _run(
        "mmdebstrap",
        "--quiet",
        f"--variant={variant}",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        f"--include={packages}",
        "sid",
        str(folder),
    )


def remove(folder: Path) -> None:
    """Delete a folder, but never through something that is mounted inside it."""
    inside = str(folder) + "/"
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    mounted = [place for place in mounts if place.startswith(inside)]
    if mounted:
        raise OSError(f"{folder} is not deleted, because {mounted} are mounted in it")
    if folder.exists():
        shutil.rmtree(folder)


def _run(*command: str, folder: Path | None = None) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout.decode(errors='replace')[-4000:]}")


def _say(what: str) -> None:
    sys.stderr.write(f"test servers: {what}\n")


if __name__ == "__main__":
    sys.exit(main())
