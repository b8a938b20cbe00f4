"""The doctor's look at the disk that the spool is for."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil

from hazwatch.doctor import Area, Diagnosis, aside
from hazwatch.settings import Settings
from storage.spool import SUFFIX, TORN

AREA = Area("disk")
WRITES, BLOCK = 10, 64 * 1024
SLOW_S = 0.05
"""An fsync above this holds up every acknowledgement while the database is away."""
LEAST_FREE = 64 * 2**20
GONE_AFTER_RESTART = ("tmpfs", "ramfs")


async def look(settings: Settings) -> Sequence[Diagnosis]:
    """Whether the spool has a place that takes it, keeps it, and is quick."""
    return await aside(lambda: _look(settings))


def _look(settings: Settings) -> list[Diagnosis]:
    folder = settings.data_dir.absolute()
    place = _nearest(folder)
    waiting = _waiting(folder / "spool")
    found = [_room(place, settings.spool_bytes, waiting), *_file_system(place)]
    found.append(_writable(place, folder))
    return [*found, *_left(folder / "spool", waiting)]


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _waiting(spool: Path) -> int:
    return sum(file.stat().st_size for file in spool.rglob(f"*{SUFFIX}"))


def _room(place: Path, spool_bytes: int, waiting: int) -> Diagnosis:
    free = shutil.disk_usage(place).free
    found = f"{_size(free)} free, the spool may take {_size(spool_bytes)}"
    if free < LEAST_FREE:
        return AREA.failed("room", found, f"make room on the disk of {place}")
    if free + waiting < spool_bytes:
        todo = f"make room on the disk of {place}, or lower HAZWATCH_SPOOL_BYTES"
        return AREA.warning("room", found, todo)
    return AREA.ok("room", found)


def _file_system(place: Path) -> list[Diagnosis]:
    mounts = [one for one in psutil.disk_partitions(all=True) if _below(place, one.mountpoint)]
    kind = max(mounts, key=lambda one: len(one.mountpoint)).fstype if mounts else ""
    if kind in GONE_AFTER_RESTART:
        todo = "set HAZWATCH_DATA_DIR to a disk: what is acknowledged would be lost"
        return [AREA.failed("lasts", f"{place} is {kind}, gone after a restart", todo)]
    return []


def _below(place: Path, mount: str) -> bool:
    return place.is_relative_to(mount)


def _writable(place: Path, folder: Path) -> Diagnosis:
    """Write and sync a file that is deleted again."""
    try:
        times = _sync_times(place)
    except OSError as error:
        todo = "let the account that runs hazwatch write there, or set HAZWATCH_DATA_DIR"
        return AREA.failed("fsync", f"{place}: {error.strerror}", todo)
    where = f"{folder}" if place == folder else f"{place} ({folder} will be made)"
    typical, worst = median(times), max(times)
    found = f"{where}: {typical * 1000:.1f} ms, worst {worst * 1000:.1f} ms"
    if typical > SLOW_S:
        todo = "use a faster disk: while the database is away each acknowledgement waits for it"
        return AREA.warning("fsync", found, todo)
    return AREA.ok("fsync", found)


def _sync_times(place: Path) -> list[float]:
    times = []
    with tempfile.TemporaryFile(dir=place) as file:
        for _ in range(WRITES):
            began = perf_counter()
            file.write(bytes(BLOCK))
            file.flush()
            os.fsync(file.fileno())
            times.append(perf_counter() - began)
    return times


def _left(spool: Path, waiting: int) -> list[Diagnosis]:
    """What an absence of the database, or of the disk's memory, has left."""
    found = []
    if torn := sorted(str(file) for file in spool.rglob(f"*{TORN}")):
        todo = "the disk lost what it had confirmed: keep these files, check the disk"
        found.append(AREA.warning("torn", ", ".join(torn), todo))
    if waiting:
        todo = "it drains when worker and database are up; look again"
        found.append(AREA.warning("backlog", f"{_size(waiting)} wait in the spool", todo))
    return found


def _size(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024:
            return f"{n:.0f} {unit}"
        n /= 1024
    return f"{n:.1f} TiB"
