"""Stored samples of a group's members as the scans that `rules.pca` would have judged.

As there: a scan is complete as soon as every needed member has a good sample in it, and is judged
with the values of that instant; else with those at its end. A value older than its member's silence
is missing. Samples are taken to have arrived in order of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, SECOND
from domain.plant import Tag
from domain.policy import silence_after
from rules.pca_table import OFTEN

Samples = tuple[Ints, Floats]
"""Good samples of a member: times, rising, microseconds; values."""


@dataclass(frozen=True, slots=True)
class Scanning:
    """How a group is scanned. interval: microseconds. silence: int64[p] microseconds after which a
    member's value no longer counts. needed: bool[p], members that a scan waits for."""

    interval: int
    silence: Ints
    needed: NDArray[np.bool_]


def scanning(members: Sequence[Tag]) -> Scanning:
    """Scans as often as half of the members report."""
    interval_s = float(np.median([tag.interval_s for tag in members]))
    fast = np.array([tag.interval_s <= OFTEN * interval_s for tag in members])
    silence = [round(silence_after(tag) * SECOND) for tag in members]
    return Scanning(max(round(interval_s * SECOND), 1), np.array(silence), fast | ~fast.any())


def scans(how: Scanning, members: Sequence[Samples], first: int, count: int) -> Floats:
    """Scans number `first` to `first + count` (event time // interval) in which anything was read:
    float64[n, p], NaN = missing. What is older than the first is held."""
    start = np.full((len(members), count), FAR)
    for n, (at, _) in enumerate(members):
        number = at // how.interval - first
        begins = np.flatnonzero(np.diff(number, prepend=-1) != 0)
        begins = begins[(number[begins] >= 0) & (number[begins] < count)]
        start[n, number[begins]] = at[begins]
    heard = np.flatnonzero((start < FAR).any(axis=0))
    complete = start[how.needed][:, heard].max(axis=0)
    end = (first + heard + 1) * how.interval
    whole = complete < FAR
    judged, newest = np.where(whole, complete, end), np.where(whole, complete, end - 1)
    out = np.full((len(heard), len(members)), np.nan)
    for n, (at, value) in enumerate(members):
        place = np.searchsorted(at, newest, "right") - 1
        there = place >= 0
        there[there] = at[place[there]] >= judged[there] - how.silence[n]
        out[there, n] = value[place[there]]
    return out


def last_of(samples: Samples, at: Ints, value: Floats) -> Samples:
    """Newer samples of a member, behind the last one of those before."""
    before, held = samples
    return np.concatenate((before[-1:], at)), np.concatenate((held[-1:], value))
