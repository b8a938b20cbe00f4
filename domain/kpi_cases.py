"""签收率, 处置率, 及时率 of warning cases (domain.md 4.9), per colour and per level. Pure.

A rise asks for a 签收: the enterprise at once, every other level when a rung told it. It is signed
if that level signs before the next rise that asks it anew, in time if within the colour's minutes
from when it was asked. It is disposed of (处置) by the first 反馈 before the next rise; that clock
runs from the rise. What another rise takes the place of within its limit was never due.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf, nan
from uuid import UUID

import numpy as np

from domain.cases import Level
from domain.escalation import Ladder
from domain.kpi import Times, quantiles
from domain.risk import Colour


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One event of a case that counts here. what: rise, receive, feedback or close. colour: after
    it; level: who signed."""

    case: UUID
    n: int
    at: datetime
    what: str
    colour: Colour
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A level was told to sign for the rise that is transition `n` of the case."""

    case: UUID
    n: int
    level: Level
    at: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds within which a colour has to be signed, and to have its first 反馈 (inf: no matter
    when). A median 签收 below `floor_s` is a finding."""

    receive_s: Mapping[Colour, float]
    feedback_s: Mapping[Colour, float]
    floor_s: float = 0.0


def limits_of(ladder: Ladder) -> Limits:
    """The limits that a ladder sets."""
    return Limits(
        {colour: rungs.receive_within_s for colour, rungs in ladder.colours.items()},
        {
            colour: inf if rungs.feedback is None else rungs.feedback.within_s
            for colour, rungs in ladder.colours.items()
        },
        ladder.receive_median_s or 0.0,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """of: how many were due; done: how many were done; share: NaN where none was due."""

    of: int
    done: int

    @property
    def share(self) -> float:
        """done / of."""
        return self.done / self.of if self.of else nan


@dataclass(frozen=True, slots=True)
class LoopKpi:
    """A colour, or a level, or all. signed 签收率 and disposed 处置率 of what was due, each with
    what was done in time 及时率; receive, feedback, close: how long they took. too_fast: the median
    签收 is below what a person needs to read it: a finding."""

    rises: int
    signed: Share
    signed_in_time: Share
    disposed: Share
    disposed_in_time: Share
    receive: Times
    feedback: Times
    close: Times
    too_fast: bool


@dataclass(frozen=True, slots=True)
class CasesKpi:
    """cases: opened in the period. by_colour: of the colour risen to; by_level: of the level asked,
    whose 处置 is that of the case."""

    cases: int
    all: LoopKpi
    by_colour: Mapping[Colour, LoopKpi]
    by_level: Mapping[Level, LoopKpi]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A 签收 that was asked for. rise: (case, n). asked_s, rose_s: seconds since it was asked, and
    since the rise, until now or another rise took its place; signed_s, fed_s: seconds to the 签收
    and to the first 反馈; closed_s: to the closing, where the rise `opens` the case; None: not yet.
    limits: of its jurisdiction.
    """

    rise: tuple[UUID, int]
    colour: Colour
    level: Level
    asked_s: float
    rose_s: float
    signed_s: float | None
    fed_s: float | None
    closed_s: float | None
    opens: bool
    limits: Limits


def cases_kpi(
    steps: Iterable[CaseStep],
    asked: Iterable[Asked],
    begin: datetime,
    end: datetime,
    now: datetime,
    limits: Callable[[UUID], Limits],
    level: Level | None = None,
) -> CasesKpi:
    """Of rises from `begin` to `end`; what came later, up to `now`, counts for them. limits: of
    a case; level: all and by colour only what was asked of that level, None: of every level."""
    told = {(one.case, one.n, one.level): one.at for one in _first_told(asked)}
    claims: list[_Claim] = []
    opened = 0
    for history in _by_case(steps).values():
        claims += _claims(history, told, begin, end, now, limits(history[0].case))
        opened += begin <= history[0].at < end and history[0].what == "rise"
    mine = [one for one in claims if level in (None, one.level)]
    colours = (Colour.YELLOW, Colour.ORANGE, Colour.RED)
    return CasesKpi(
        opened,
        _loop(mine),
        {colour: _loop([one for one in mine if one.colour is colour]) for colour in colours},
        {
            level: _loop([one for one in claims if one.level is level])
            for level in Level
            if any(one.level is level for one in claims)
        },
    )


def _first_told(asked: Iterable[Asked]) -> list[Asked]:
    return sorted(asked, key=lambda one: one.at, reverse=True)


def _by_case(steps: Iterable[CaseStep]) -> dict[UUID, list[CaseStep]]:
    histories: dict[UUID, list[CaseStep]] = {}
    for step in sorted(steps, key=lambda one: (one.case, one.n)):
        histories.setdefault(step.case, []).append(step)
    return histories


def _claims(
    history: Sequence[CaseStep],
    told: Mapping[tuple[UUID, int, Level], datetime],
    begin: datetime,
    end: datetime,
    now: datetime,
    limits: Limits,
) -> list[_Claim]:
    """The claims of one case, by the rises in the period."""
    found: list[_Claim] = []
    closed = next((step.at for step in history if step.what == "close"), None)
    rises = [place for place, step in enumerate(history) if step.what == "rise"]

    def since_of(rise: CaseStep, level: Level) -> datetime | None:
        since = told.get((rise.case, rise.n, level))
        return rise.at if since is None and level is Level.ENTERPRISE else since

    def until(place: int, level: Level | None) -> int:
        """The next rise, or the next that asks a level; the end of the history if there is none."""
        later = (one for one in rises if one > place)
        asks = (one for one in later if level is None or since_of(history[one], level) is not None)
        return next(asks, len(history))

    def over(place: int) -> datetime:
        return now if place == len(history) else min(now, history[place].at)

    for place in rises:
        rise, next_rise = history[place], until(place, None)
        if not begin <= rise.at < end:
            continue
        after = history[place + 1 : next_rise]
        fed = next((step.at for step in after if step.what == "feedback"), None)
        for level in Level:
            since, anew = since_of(rise, level), until(place, level)
            if since is None:
                continue
            signs = (step for step in history[place + 1 : anew] if step.what == "receive")
            sign = next((step.at for step in signs if step.level is level), None)
            found.append(
                _Claim(
                    (rise.case, rise.n),
                    rise.colour,
                    level,
                    (over(anew) - since).total_seconds(),
                    (over(next_rise) - rise.at).total_seconds(),
                    _after(since, sign),
                    _after(rise.at, fed),
                    _after(rise.at, closed) if place == rises[0] else None,
                    place == rises[0],
                    limits,
                )
            )
    return found


def _after(since: datetime, when: datetime | None) -> float | None:
    return None if when is None else max(0.0, (when - since).total_seconds())


def _loop(claims: Sequence[_Claim]) -> LoopKpi:
    """What is neither done nor late yet is not due. A rise is disposed of once, whoever signs."""
    rises = {one.rise: one for one in claims}.values()
    receive = _quantiles((one.signed_s for one in claims), claims)
    signed = [one.signed_s - one.limits.floor_s for one in claims if one.signed_s is not None]
    over_floor = _quantiles(signed, signed)
    return LoopKpi(
        len(rises),
        *_shares([(one.signed_s, one.asked_s, one.limits.receive_s[one.colour]) for one in claims]),
        *_shares([(one.fed_s, one.rose_s, one.limits.feedback_s[one.colour]) for one in rises]),
        receive,
        _quantiles((one.fed_s for one in rises), rises),
        _quantiles((one.closed_s for one in rises if one.opens), [r for r in rises if r.opens]),
        over_floor.number > 0 and over_floor.p50 < 0,
    )


def _shares(done: Iterable[tuple[float | None, float, float]]) -> tuple[Share, Share]:
    """(done, done in time) of (seconds it took, seconds since it was asked, seconds allowed)."""
    due = [(took, limit) for took, waited, limit in done if took is not None or waited > limit]
    took = [took for took, _ in due if took is not None]
    in_time = sum(took is not None and took <= limit for took, limit in due)
    return Share(len(due), len(took)), Share(len(due), in_time)


def _quantiles(seconds: Iterable[float | None], of: Collection[object]) -> Times:
    known = [one for one in seconds if one is not None]
    return quantiles(np.array(known, np.float64), len(of) - len(known))
