"""The doctor's look at what the database keeps: whether it fits, and whether roll-ups keep up."""

import shutil
from datetime import timedelta

from domain.clock import Clock
from hazwatch.commands.output import in_units
from hazwatch.doctor import Area, Diagnosis
from hazwatch.keeping import keep_of
from hazwatch.settings import Settings
from storage.database import Connection
from storage.rollup_state import NOTHING, read_state
from storage.sizes import Sizes, data_directory, sizes

BEHIND = timedelta(minutes=30)
SOON_DAYS = 14
HERE = ("localhost", "127.0.0.1", "::1", "")


async def look(conn: Connection, settings: Settings, clock: Clock, area: Area) -> list[Diagnosis]:
    """Of a database whose schema is up to date."""
    found = await sizes(conn, keep_of(settings), clock.now())
    return [await _room(conn, found, area), *await _rollups(conn, clock, area)]


async def _room(conn: Connection, found: Sizes, area: Area) -> Diagnosis:
    a_day = sum(one.bytes_a_day or 0 for one in found.tables)
    end = sum(one.in_the_end or 0 for one in found.tables)
    told = f"{in_units(sum(one.size for one in found.tables) + found.others)} of readings"
    if not a_day:
        return area.unknown("room", f"{told}; a day must pass before it can be told")
    told += f", {in_units(a_day)} a day, in the end {in_units(end)}"
    free = await _free(conn)
    if free is None:
        return area.unknown("room", f"{told}; its disk can't be seen from here")
    told += f"; {in_units(free)} free"
    days = found.full_after(free)
    if days is None:
        return area.ok("room", told)
    todo = "a larger disk, or keep less: docs/storage.md; hazwatch db kept shows what takes it"
    if days < SOON_DAYS:
        return area.failed("room", f"{told}: full in {days:.0f} days", todo)
    return area.warning("room", f"{told}: full in {days:.0f} days", todo)


async def _free(conn: Connection) -> int | None:
    """Bytes free where the server's data are; None where we can't see that."""
    folder = await data_directory(conn)
    return _free_at(folder) if folder is not None and conn.info.host in HERE else None


def _free_at(folder: str) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


async def _rollups(conn: Connection, clock: Clock, area: Area) -> list[Diagnosis]:
    state = await read_state(conn)
    if state.done == NOTHING:
        return []
    lag = clock.now() - state.done
    if lag > BEHIND:
        todo = "charts of long spans are slow until the worker has caught up; else look at its log"
        minutes = lag // timedelta(minutes=1)
        return [area.warning("roll-ups", f"{minutes:,} minutes behind", todo)]
    return [area.ok("roll-ups", f"{lag.total_seconds():.0f} s behind")]
