"""The doctor's look at this machine's clock.

A broker tells nobody its own, and nothing depends on it.
"""

import asyncio
import shutil
from collections.abc import Sequence

from hazwatch.doctor import Area, Diagnosis

AREA = Area("clock")
TODO = "set NTP up (chrony, systemd-timesyncd): onsets and delays are told by this clock"
WARNING_S, FAILED_S = 0.5, 60.0


async def look() -> Sequence[Diagnosis]:
    """Whether NTP keeps the wall clock, from chrony or systemd, whichever answers first."""
    for program, ask in (("chronyc", _chrony), ("timedatectl", _systemd)):
        if shutil.which(program) and (found := await ask()):
            return [found]
    return [AREA.unknown("NTP", "neither chronyc nor timedatectl answers here", TODO)]


async def _chrony() -> Diagnosis | None:
    fields = (await _answer("chronyc", "-c", "tracking") or "").split(",")
    if len(fields) < 14:
        return None
    return by_chrony(offset_s=-float(fields[4]), leap=fields[13])


def by_chrony(offset_s: float, leap: str) -> Diagnosis:
    """offset_s: the clock minus NTP's time. leap: as `chronyc -c tracking` has it."""
    found = f"chrony: {offset_s:+.6f} s from NTP"
    if leap == "Not synchronised":
        return AREA.warning("NTP", "chrony is not synchronised", TODO)
    if abs(offset_s) > FAILED_S:
        return AREA.failed("NTP", found, "chronyc makestep, then restart the worker")
    return AREA.warning("NTP", found, TODO) if abs(offset_s) > WARNING_S else AREA.ok("NTP", found)


async def _systemd() -> Diagnosis | None:
    words = ("show", "--property=NTPSynchronized", "--value")
    match (await _answer("timedatectl", *words) or "").strip():
        case "yes":
            return AREA.ok("NTP", "systemd: synchronised")
        case "no":
            return AREA.warning("NTP", "systemd: not synchronised", TODO)
        case _:
            return None


async def _answer(*command: str) -> str | None:
    """Its standard output; None where it fails."""
    devnull = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=devnull, stdout=asyncio.subprocess.PIPE, stderr=devnull
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return None if process.returncode else said.decode(errors="replace")
