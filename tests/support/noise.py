"""Annunciations for tests of the noise detectors, and slow references that must agree with them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from alerts.annunciation import Annunciation
from domain.alarm_noise import NoiseRules, noise_rules
from domain.alarms import Kind, Priority
from domain.risk_facts import Family
from tests.support.builders import at

RULES = noise_rules()


def sounds(
    seconds: float,
    number: int = 0,
    *,
    tag: int | None = None,
    kind: Kind = Kind.H,
    priority: Priority = Priority.P3,
    family: Family = Family.PROCESS,
    enterprise: int = 2,
    cause: int = 0,
    onset: float | None = None,
    clock: int | None = 1,
    node: int = 3,
    order: int = 0,
    path: tuple[int, ...] = (3, 2, 1),
) -> Annunciation:
    """An alarm heard that many seconds after the start; its number is its identity."""
    when = at(seconds if onset is None else onset)
    of = None if kind is Kind.SOURCE_OFFLINE else number if tag is None else tag
    return Annunciation(
        UUID(int=number), kind, of, node, enterprise, cause, priority, family, at(seconds), when,
        order, clock, path,
    )  # fmt: skip


def floods(times: Sequence[datetime], until: datetime) -> list[tuple[datetime, datetime | None]]:
    """Every flood, by asking at each instant at which a number can change."""
    rules = RULES.flood
    window = timedelta(seconds=rules.window_s)
    found: list[tuple[datetime, datetime | None]] = []
    for now in sorted({*times, *(time + window for time in times)}):
        within = sum(now - window < time <= now for time in times)
        lasts = bool(found) and found[-1][1] is None
        if lasts and within < rules.end and now <= until:
            found[-1] = found[-1][0], now
        elif not lasts and within >= rules.begin and now in times:
            found.append((now, None))
    return found


def spells(times: Sequence[datetime], rules: NoiseRules = RULES) -> list[tuple[datetime, int]]:
    """Every spell of chattering: when it was known, and its activations."""
    window = timedelta(seconds=rules.chattering.window_s)
    quiet = timedelta(seconds=rules.chattering.quiet_s)
    found: list[tuple[datetime, int]] = []
    last: datetime | None = None
    for n, now in enumerate(times):
        within = sum(now - window < time <= now for time in times[: n + 1])
        if found and last is not None and now - last < quiet:
            found[-1], last = (found[-1][0], found[-1][1] + 1), now
        elif within >= rules.chattering.activations:
            found.append((now, rules.chattering.activations))
            last = now
    return found


def flashes(
    spans: Sequence[tuple[datetime, datetime]], rules: NoiseRules = RULES
) -> list[datetime]:
    """When activations began that were fleeting."""
    short, apart = timedelta(seconds=rules.fleeting_s), timedelta(seconds=rules.apart_s)
    return [
        begin
        for n, (begin, end) in enumerate(spans)
        if end - begin < short
        and all(abs(begin - other) >= apart for m, (other, _) in enumerate(spans) if m != n)
    ]


def first(heard: Sequence[Annunciation]) -> tuple[UUID, bool]:
    """Which one is first-out of a group, and whether that is uncertain."""
    window = timedelta(seconds=RULES.first_out_s)
    able = [one for one in heard if one.at - heard[0].at <= window]
    best = min(able, key=lambda one: (one.onset, one.order))
    return best.occurrence, any(one.clock != best.clock for one in able)
