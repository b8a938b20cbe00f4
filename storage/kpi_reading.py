"""KPIs of operator positions over a period: what has to be read for them, put together."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from uuid import UUID

from domain.alarm_noise import KpiTargets, NoiseRules, kpi_targets
from domain.cases import Level
from domain.instant import micros
from domain.kpi import AlarmKpi, alarm_kpi
from domain.kpi_account import Members, account
from domain.kpi_advice import settable
from domain.kpi_cases import Asked, CasesKpi, CaseStep, Limits, cases_kpi, limits_of
from domain.kpi_desk import desk_journal
from domain.kpi_journal import Period
from domain.ladders import BySource, Ladders
from domain.levels import by_kind
from domain.risk import Colour
from storage.kpi_journal import (
    LEAD,
    NO_JOURNALS,
    TAIL,
    Journals,
    Subject,
    Subjects,
    read_journals,
)
from storage.ladders import ladders_of_sources
from storage.reading import Reading, Row

LEVELS = (Level.ENTERPRISE, Level.PARK, Level.COUNTY, Level.CITY, Level.PROVINCE)
"""Levels that have duty desks in the tree."""


def level_at(kind: str) -> Level:
    """The level whose desk stands at a node of a kind; elsewhere the enterprise's."""
    level = by_kind().get(kind)
    return level if level in LEVELS else Level.ENTERPRISE


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
    ladders: Ladders


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
    """Of the warnings of some positions. received: of what was asked, what arrived, at that
    instant."""

    steps: list[CaseStep] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    received: list[Asked] = field(default_factory=list)
    sources: dict[UUID, int] = field(default_factory=dict)

    def add(self, other: "_Cases") -> None:
        """Those of another enterprise, too."""
        self.steps.extend(other.steps)
        self.asked.extend(other.asked)
        self.received.extend(other.received)
        self.sources.update(other.sources)


_NO_CASES = _Cases()


@dataclass(frozen=True, slots=True)
class _Count:
    """What counts a position. cases: by enterprise; ladders: by source, whose limits hold."""

    asked: Query
    model: Model
    cases: Mapping[int, _Cases]
    ladders: BySource

    def position(self, row: Row, journals: Journals) -> PositionKpi:
        """The KPIs of a row of `kpi_positions`; its names are left out."""
        asked, model = self.asked, self.model
        cases = _Cases()
        for enterprise in row["enterprises"]:
            cases.add(self.cases.get(enterprise, _NO_CASES))
        if asked.level is Level.ENTERPRISE:
            journal = journals.of(row["id"])
        else:
            journal = desk_journal(cases.received, cases.steps, cases.sources, asked.level)
        end = min(asked.end, asked.now)
        standing = journals.standing(row["id"], asked.begin, end, model.rules.stale_s)
        first = micros(asked.end if row["since"] is None else row["since"])
        if len(journal):
            first = min(first, int(journal.at[0]))
        period = Period(min(max(micros(asked.begin), first), micros(end)), micros(end), asked.zone)

        sources = set(cases.sources.values())
        limits = {source: limits_of(self.ladders.of(source)) for source in sources}

        def of_case(case: UUID) -> Limits:
            return limits[cases.sources[case]]

        return PositionKpi(
            row["id"],
            row["code"],
            row["name"],
            asked.level,
            period,
            alarm_kpi(journal, standing, period, model.rules, model.targets),
            cases_kpi(
                cases.steps, cases.asked, asked.begin, asked.end, asked.now, of_case, asked.level
            ),
            {},
        )


async def read_kpis(
    reading: Reading, asked: Query, model: Model, progress: Callable[[str], None] = lambda _: None
) -> list[PositionKpi]:
    """The KPIs of every position that is asked for, by name. progress: is told what comes next.

    Statements run one by one and in no transaction; numbers are counted off the loop. Memory is
    bounded by `storage.kpi_journal.MOST_ROWS`.
    """
    positions = await reading.rows(
        "kpi_positions",
        kinds=[kind for kind, level in by_kind().items() if level is asked.level],
        node=asked.node,
        enterprises=None if asked.enterprises is None else list(asked.enterprises),
        areas=None if asked.areas is None else list(asked.areas),
    )
    enterprises = sorted({id for row in positions for id in row["enterprises"]})
    if not enterprises:
        return []
    progress("warnings")
    cases = await _read_cases(reading, enterprises, asked)
    sources = {source for one in cases.values() for source in one.sources.values()}
    count = _Count(asked, model, cases, await ladders_of_sources(reading, model.ladders, sources))
    if asked.level is not Level.ENTERPRISE:
        progress("counting")
        return await _counted(reading, count, positions, NO_JOURNALS)
    progress("alarms")
    places = {row["id"]: place for place, row in enumerate(positions)}
    found: list[PositionKpi] = []
    async for part, journals in read_journals(reading, enterprises, asked.begin, asked.end):
        progress(f"alarms, counting {len(found)} of {len(positions)}")
        rows = [positions[places[who]] for who in part]
        found += await _counted(reading, count, rows, journals)
    return sorted(found, key=lambda one: places[one.id])


async def _counted(
    reading: Reading, count: _Count, positions: Sequence[Row], journals: Journals
) -> list[PositionKpi]:
    def counted() -> list[PositionKpi]:
        return [count.position(row, journals) for row in positions]

    found = await asyncio.to_thread(counted)
    return await _named(reading, found, journals.subjects, count.asked.level, count.model.rules)


def position_members(found: PositionKpi, *, whole: bool = True) -> Members:
    """A position as the wire has it; whole: with chart and heat strip."""

    def name(number: int) -> Members:
        named = found.names[number]
        return {
            "kind": named.kind,
            "name": named.name,
            "place": named.place,
            "tag": None if named.tag is None else str(named.tag),
            "node": str(named.node),
        }

    told = account(found.alarms, found.cases, found.period, kpi_targets(), name, whole=whole)
    return {"id": str(found.id), "code": found.code, "name": found.name} | told


async def _read_cases(reading: Reading, enterprises: list[int], asked: Query) -> dict[int, _Cases]:
    """By enterprise."""
    span: dict[str, object] = {
        "enterprises": enterprises,
        "from": asked.begin - LEAD,
        "to": asked.end,
        "until": max(asked.now, asked.end + TAIL),
    }
    rows = await reading.rows("kpi_case_steps", **span)
    told = await reading.rows("kpi_asked", **span)
    return await asyncio.to_thread(_by_enterprise, rows, told)


def _by_enterprise(rows: Sequence[Row], told: Sequence[Row]) -> dict[int, _Cases]:
    """What happened, and who was told of it."""
    found: dict[int, _Cases] = defaultdict(_Cases)
    owner: dict[UUID, _Cases] = {}
    for row in rows:
        cases = owner[row["case_id"]] = found[row["enterprise"]]
        cases.steps.extend(_steps(row))
        cases.sources[row["case_id"]] = row["source"]
    for row in told:
        if (mine := owner.get(row["case_id"])) is None:
            continue
        case, n, level = row["case_id"], row["n"], Level(row["level"])
        if row["duty"] == "receive":
            mine.asked.append(Asked(case, n, level, row["at"]))
        if row["received"] is not None:
            mine.received.append(Asked(case, n, level, row["received"]))
    return found


def _steps(row: Row) -> list[CaseStep]:
    """What a transition of a case is here: a 签收 may be its closing too."""
    level = None if row["level"] is None else Level(row["level"])
    what = [row["event"]] if row["event"] in ("rise", "receive", "feedback") else []
    what += ["close"] if row["to_state"] == "closed" else []
    colour = Colour(row["colour"])
    return [CaseStep(row["case_id"], row["n"], row["at"], one, colour, level) for one in what]


async def _named(
    reading: Reading, found: list[PositionKpi], subjects: Subjects, level: Level, rules: NoiseRules
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

    def told(alarms: AlarmKpi) -> AlarmKpi:
        """With advice that can be followed."""
        said = {
            number: settable(
                advice, chosen[number].kind, of_tag.get(chosen[number].tag, {}).get("kind"), rules
            )
            for number, advice in alarms.advice.items()
        }
        kept = {number: advice for number, advice in said.items() if advice is not None}
        return replace(alarms, advice=kept)

    return [replace(one, names=_of(one, names), alarms=told(one.alarms)) for one in found]


def _of(position: PositionKpi, names: Mapping[int, Named]) -> dict[int, Named]:
    return {number: names[number] for number in _numbers(position.alarms)}


def _numbers(alarms: AlarmKpi) -> set[int]:
    return {one.subject for one in alarms.top} | {one.subject for one in alarms.chattering}
