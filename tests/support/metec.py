"""The METEC week: what was released, what alarmed, how late, and how often for nothing."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

AFTERGLOW = timedelta(minutes=30)
"""A plume lingers: an alarm this soon after a release is not counted as false."""
MERGED = timedelta(minutes=15)
"""Alarms of any detector this close together are one episode."""


@dataclass(frozen=True, slots=True)
class Release:
    """A controlled release; `rate` in g/h."""

    name: str
    start: datetime
    end: datetime
    rate: float


@dataclass(frozen=True, slots=True)
class Active:
    """An occurrence: of which detector and kind, from onset to end."""

    tag: str
    kind: str
    onset: datetime
    ended: datetime


def releases(folder: Path) -> list[Release]:
    """The releases, in order."""
    with (folder / "releases.csv").open() as file:
        return sorted(
            (
                Release(
                    row["release"],
                    datetime.fromisoformat(row["start"]),
                    datetime.fromisoformat(row["end"]),
                    float(row["rate_g_h"]),
                )
                for row in csv.DictReader(file)
            ),
            key=lambda release: release.start,
        )


def first_alarm(release: Release, alarms: Sequence[Active]) -> Active | None:
    """The alarm that begins first while the release goes on, or is on when it starts."""
    during = [a for a in alarms if a.onset < release.end and a.ended > release.start]
    return min(during, key=lambda a: max(a.onset, release.start), default=None)


def false_episodes(known: Sequence[Release], alarms: Sequence[Active]) -> int:
    """Episodes that begin while nothing is released and no plume lingers."""
    episodes: list[tuple[datetime, datetime]] = []
    for alarm in sorted(alarms, key=lambda a: a.onset):
        if episodes and alarm.onset - episodes[-1][1] <= MERGED:
            episodes[-1] = (episodes[-1][0], max(episodes[-1][1], alarm.ended))
        else:
            episodes.append((alarm.onset, alarm.ended))
    return sum(
        not any(r.start <= begin <= r.end + AFTERGLOW for r in known) for begin, _ in episodes
    )


def quiet_days(known: Sequence[Release], begin: datetime, end: datetime) -> float:
    """Days between `begin` and `end` in which a false alarm could begin."""
    quiet, at = timedelta(0), begin
    for release in known:
        quiet += max(timedelta(0), release.start - at)
        at = max(at, release.end + AFTERGLOW)
    return (quiet + max(timedelta(0), end - at)) / timedelta(days=1)


def table(
    known: Sequence[Release], alarms: Sequence[Active], begin: datetime, end: datetime
) -> str:
    """The week as a table in Markdown, with the sums below."""
    lines = [
        "| release | start (UTC) | hours | g/h | first alarm | detector | delay min |",
        "|---|---|---|---|---|---|---|",
    ]
    delays = []
    for release in known:
        alarm = first_alarm(release, alarms)
        row = [
            release.name,
            f"{release.start:%m-%d %H:%M}",
            f"{(release.end - release.start) / timedelta(hours=1):.1f}",
            f"{release.rate:.0f}",
        ]
        if alarm is None:
            lines.append("| " + " | ".join([*row, "none", "", ""]) + " |")
            continue
        delay = max(timedelta(0), alarm.onset - release.start) / timedelta(minutes=1)
        delays.append(delay)
        row += [f"{alarm.onset:%m-%d %H:%M} {alarm.kind}", alarm.tag, f"{delay:.0f}"]
        lines.append("| " + " | ".join(row) + " |")
    false, days = false_episodes(known, alarms), quiet_days(known, begin, end)
    p90 = sorted(delays)[int(0.9 * (len(delays) - 1))] if delays else float("nan")
    lines += [
        "",
        f"found {len(delays)} of {len(known)}, median delay {median(delays):.0f} min, "
        f"p90 {p90:.0f} min; {false} false episodes in {days:.2f} quiet days, "
        f"{false / days:.1f} a day",
    ]
    return "\n".join(lines)
