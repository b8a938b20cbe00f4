"""KPIs of operator positions over a period: what has to be read for them, put together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from uuid import UUID

import numpy as np

from domain.alarm_noise import KpiTargets, NoiseRules, kpi_targets
from domain.cases import Level
from domain.frame import Ints
from domain.instant import micros
from domain.kpi import AlarmKpi, alarm_kpi
from domain.kpi_account import Members, account
from domain.kpi_cases import Asked, CasesKpi, CaseStep, Limits, cases_kpi
from domain.kpi_desk import desk_journal
from domain.kpi_journal import Journal, Period
from domain.risk import Colour
from storage.kpi_journal import LEAD, TAIL, Journals, Subject, read_journals, read_standing
from storage.reading import Reading, Row

LEVELS = (Level.ENTERPRISE, Level.PARK, Level.COUNTY, Level.CITY, Level.PROVINCE)
"""Levels that have duty desks in the tree."""
NONE: tuple[Ints, Ints] = (np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. node: positions at or below it, None: all. enterprises, areas: what may be
    seen, None: everything. now: what has not happened by then has not happened yet."""

    level: Level
    node: int | None
    begin: datetime
    end: datetime
    now: datetime
    zone: tzinfo
    enterprises: Sequence[int] | None = None
    areas: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """By which numbers it is judged."""

    rules: NoiseRules
    targets: KpiTargets
    limits: Limits


@dataclass(frozen=True, slots=True)
class Named:
    """An alarm as people call it. kind: None of a desk above the enterprise, whose alarms are
    sources."""

    kind: str | None
    name: str
    place: str
    tag: int | None
    node: int


@dataclass(frozen=True, slots=True)
class PositionKpi:
    """The KPIs of one operator position. period: what of the period asked for has data; names: of
    the alarms that the result numbers."""

    id: int
    code: str
    name: str
    level: Level
    period: Period
    alarms: AlarmKpi
    cases: CasesKpi
    names: Mapping[int, Named]


@dataclass(frozen=True, slots=True)
class _Cases:
    """Of the warnings of all positions. received: of what was asked, what arrived, at that
    instant."""

    steps: Sequence[CaseStep]
    asked: Sequence[Asked]
    received: Sequence[Asked]
    sources: Mapping[UUID, int]
    enterprise: Mapping[UUID, int]

    def of(self, enterprises: Sequence[int]) -> "_Cases":
        """Those of some enterprises."""
        mine = {case for case, who in self.enterprise.items() if who in enterprises}
        return _Cases(
            [one for one in self.steps if one.case in mine],
            [one for one in self.asked if one.case in mine],
            [one for one in self.received if one.case in mine],
            {case: source for case, source in self.sources.items() if case in mine},
            {case: who for case, who in self.enterprise.items() if case in mine},
        )


async def read_kpis(
    reading: Reading, asked: Query, model: Model, progress: Callable[[str], None] = lambda _: None
) -> list[PositionKpi]:
    """The KPIs of every position that is asked for, by name. progress: is told what comes next."""
    positions = await reading.rows(
        "kpi_positions",
        kind=asked.level.name.lower(),
        node=asked.node,
        enterprises=None if asked.enterprises is None else list(asked.enterprises),
        areas=None if asked.areas is None else list(asked.areas),
    )
    enterprises = sorted({id for row in positions for id in row["enterprises"]})
    if not enterprises:
        return []
    progress("warnings")
    cases = await _read_cases(reading, enterprises, asked)
    journals = Journals(Journal.empty(), np.empty(0, np.int32), ())
    standing: dict[int, tuple[Ints, Ints]] = {}
    if asked.level is Level.ENTERPRISE:
        progress("alarms")
        journals = await read_journals(reading, enterprises, asked.begin, asked.end)
        standing = await read_standing(
            reading, enterprises, asked.begin, min(asked.end, asked.now), model.rules.stale_s
        )
    progress("counting")

    def count() -> list[PositionKpi]:
        return [_position(row, asked, model, journals, standing, cases) for row in positions]

    return await _named(reading, await asyncio.to_thread(count), journals.subjects, asked.level)


def position_members(found: PositionKpi) -> Members:
    """A position as the wire has it."""

    def name(number: int) -> Members:
        named = found.names[number]
        return {
            "kind": named.kind,
            "name": named.name,
            "place": named.place,
            "tag": None if named.tag is None else str(named.tag),
            "node": str(named.node),
        }

    told = account(found.alarms, found.cases, found.period, kpi_targets(), name)
    return {"id": str(found.id), "code": found.code, "name": found.name} | told


def _position(
    row: Row,
    asked: Query,
    model: Model,
    journals: Journals,
    standing: Mapping[int, tuple[Ints, Ints]],
    every: _Cases,
) -> PositionKpi:
    cases = every.of(row["enterprises"])
    if asked.level is Level.ENTERPRISE:
        journal = journals.of(tuple(row["enterprises"]))
    else:
        journal = desk_journal(cases.received, cases.steps, cases.sources, asked.level)
    first = micros(asked.end if row["since"] is None else row["since"])
    if len(journal):
        first = min(first, int(journal.at[0]))
    end = micros(min(asked.end, asked.now))
    period = Period(min(max(micros(asked.begin), first), end), end, asked.zone)
    return PositionKpi(
        row["id"],
        row["code"],
        row["name"],
        asked.level,
        period,
        alarm_kpi(journal, standing.get(row["id"], NONE), period, model.rules, model.targets),
        cases_kpi(
            cases.steps,
            cases.asked,
            asked.begin,
            asked.end,
            asked.now,
            model.limits,
            None if asked.level is Level.ENTERPRISE else asked.level,
        ),
        {},
    )


async def _read_cases(reading: Reading, enterprises: list[int], asked: Query) -> _Cases:
    span: dict[str, object] = {
        "enterprises": enterprises,
        "from": asked.begin - LEAD,
        "to": asked.end,
        "until": max(asked.now, asked.end + TAIL),
    }
    rows = await reading.rows("kpi_case_steps", **span)
    told = await reading.rows("kpi_asked", **span)
    return _Cases(
        [step for row in rows for step in _steps(row)],
        [
            Asked(row["case_id"], row["n"], Level(row["level"]), row["at"])
            for row in told
            if row["duty"] == "receive"
        ],
        [
            Asked(row["case_id"], row["n"], Level(row["level"]), row["received"])
            for row in told
            if row["received"] is not None
        ],
        {row["case_id"]: row["source"] for row in rows},
        {row["case_id"]: row["enterprise"] for row in rows},
    )


def _steps(row: Row) -> list[CaseStep]:
    """What a transition of a case is here: a 签收 may be its closing too."""
    level = None if row["level"] is None else Level(row["level"])
    what = [row["event"]] if row["event"] in ("rise", "receive", "feedback") else []
    what += ["close"] if row["to_state"] == "closed" else []
    colour = Colour(row["colour"])
    return [CaseStep(row["case_id"], row["n"], row["at"], one, colour, level) for one in what]


async def _named(
    reading: Reading, found: list[PositionKpi], subjects: Sequence[Subject], level: Level
) -> list[PositionKpi]:
    """The results with the names of the alarms in them."""
    numbers = {number for position in found for number in _numbers(position.alarms)}
    if level is Level.ENTERPRISE:
        chosen = {number: subjects[number] for number in numbers}
    else:
        chosen = {number: Subject("", None, number) for number in numbers}
    tags = {one.tag for one in chosen.values() if one.tag is not None}
    tag_rows = await reading.rows("kpi_tags", ids=sorted(tags))
    node_rows = await reading.rows("kpi_nodes", ids=sorted({one.node for one in chosen.values()}))
    of_tag = {row["id"]: row for row in tag_rows}
    of_node = {row["id"]: str(row["name"]) for row in node_rows}
    names: dict[int, Named] = {}
    for number, one in chosen.items():
        place = of_node.get(one.node, "?")
        tag = None if one.tag is None else of_tag.get(one.tag)
        name = place if one.tag is None else "?" if tag is None else str(tag["name"])
        names[number] = Named(one.kind or None, name, place, one.tag, one.node)
    return [replace(one, names=_of(one, names)) for one in found]


def _of(position: PositionKpi, names: Mapping[int, Named]) -> dict[int, Named]:
    return {number: names[number] for number in _numbers(position.alarms)}


def _numbers(alarms: AlarmKpi) -> set[int]:
    return {one.subject for one in alarms.top} | {one.subject for one in alarms.chattering}
