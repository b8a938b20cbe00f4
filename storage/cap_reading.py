"""Warning cases as CAP sees them: their journals, with what they are about and where.

Names, boundary and grade are those of the site file that was in force when the case was opened, so
a message stays what it was when the site changes. Where no version of the site tells (rows that
were put in another way), they are those of now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.alarms import Kind
from domain.cap import CapOptions, Chain, Issuer, Step
from domain.cap_area import Place, Position
from domain.cap_signs import Sign
from domain.gas_rules import gas_rules
from domain.plant import TagKind
from domain.risk import Colour
from storage.reading import Reading, Row

KEPT = 2_000
"""Sources, each at a version of the site, that are remembered."""
REACTOR = "reactor"
"""Kind of equipment."""


@dataclass(frozen=True, slots=True)
class Known:
    """A source at a version of the site. tags: gas and equipment by name; reactors: their codes;
    gas: (Chinese, English) of its only substance."""

    place: Place
    tags: Mapping[str, Mapping[str, Any]]
    reactors: frozenset[str]
    gas: tuple[str, str] | None


class CapReading:
    """Reads chains; remembers what the site was, which never changes."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[tuple[int, int], Known] = {}

    async def as_issued(self, options: CapOptions) -> CapOptions:
        """With the senders and zones that messages have been issued with."""
        rows = await self._reading.rows("cap_issuers")
        kept = (Issuer(row["since"], row["sender"], ZoneInfo(row["zone"])) for row in rows)
        return replace(options, issuers=tuple(kept))

    async def newest(
        self,
        enterprises: Sequence[int],
        before: tuple[datetime, UUID, int] | None,
        limit: int,
    ) -> list[Row]:
        """(case_id, n, at) of messages, newest first; `before` is the last one known."""
        at, case, n = before or (None, None, None)
        return await self._reading.rows(
            "cap_newest",
            enterprises=list(enterprises),
            before=at,
            before_case=case,
            before_n=n,
            limit=limit,
        )

    async def chains(self, enterprises: Sequence[int], cases: Iterable[UUID]) -> dict[UUID, Chain]:
        """By case; one that is not there for this reader has none."""
        ids, owners = list(set(cases)), list(enterprises)
        rows = await self._reading.rows("cap_cases", cases=ids, enterprises=owners) if ids else []
        if not rows:
            return {}
        steps: dict[UUID, list[Step]] = {row["id"]: [] for row in rows}
        for row in await self._reading.rows("cap_steps", cases=list(steps)):
            steps[row["case_id"]].append(_step(row))
        named = {id for made in steps.values() for step in made for id in step.alarms}
        found = await self._reading.rows("cap_signs", alarms=list(named))
        signs = {row["id"]: row for row in found}
        places = await self._learn(rows)
        chains = {}
        for row in rows:
            known = places[_key(row)]
            behind = {id for step in steps[row["id"]] for id in step.alarms} & signs.keys()
            chains[row["id"]] = Chain(
                row["id"],
                row["opened"],
                known.place,
                tuple(steps[row["id"]]),
                {id: _sign(signs[id], known) for id in behind},
            )
        return chains

    async def _learn(self, rows: Sequence[Row]) -> dict[tuple[int, int], Known]:
        """The places of these cases, by source and version of the site."""
        places = {_key(row): self._known[_key(row)] for row in rows if _key(row) in self._known}
        new = {_key(row): row for row in rows if _key(row) not in places}
        parks = {row["park"] for row in new.values()}
        areas = {park: await self._areas(park) for park in parks}
        lasting: dict[tuple[int, int], Known] = {}
        for as_of in {row["as_of"] for row in new.values()}:
            here = {row["source"]: row for row in new.values() if row["as_of"] == as_of}
            then = await self._as_of(here, as_of)
            for source, row in here.items():
                now = areas[row["park"]]
                if (found := then.get(source)) is None:
                    places[_key(row)] = _now(row, now)
                else:
                    lasting[_key(row)] = _then(found, now)
        if len(self._known) + len(lasting) > KEPT:
            self._known.clear()
        self._known |= lasting
        return places | lasting

    async def _areas(self, park: int | None) -> tuple[tuple[str, str], ...]:
        rows = await self._reading.rows("cap_areas", node=park)
        return tuple((row["code"], row["name"]) for row in rows)

    async def _as_of(self, wanted: Mapping[int, Row], as_of: int) -> dict[int, Row]:
        """By source, what the newest site file up to a version says that has it; a file may be of
        some enterprises only."""
        found: dict[int, Row] = {}
        version = as_of
        while version > 0 and (left := [row for id, row in wanted.items() if id not in found]):
            for row in await self._reading.rows(
                "cap_sources_in_version",
                version=version,
                ids=[row["source"] for row in left],
                parks=[row["park_code"] for row in left],
                enterprises=[row["enterprise_code"] for row in left],
                sources=[row["code"] for row in left],
            ):
                found[row["id"]] = row
            version -= 1
        return found


def _key(row: Row) -> tuple[int, int]:
    return row["source"], row["as_of"]


def _step(row: Row) -> Step:
    return Step(
        row["n"],
        row["at"],
        Colour(row["before"]),
        Colour(row["colour"]),
        row["closed"],
        bool(row["unknown"]),
        tuple(UUID(id) for id in row["alarms"] or ()),
        row["score"],
        row["model"],
        row["kind"],
        row["drill"],
    )


def _then(then: Row, now: tuple[tuple[str, str], ...]) -> Known:
    enterprise, source = then["enterprise"], then["source"]
    names = tuple(_names(then["tree"], [code for code, _ in now])) or now
    place = Place(
        source["code"],
        source["name"],
        enterprise["name"],
        names,
        source.get("grade"),
        _position(source.get("position") or enterprise.get("position")),
        _ring(enterprise.get("boundary")),
    )
    equipment = source.get("equipment", ())
    reactors = frozenset(one["code"] for one in equipment if one["kind"] == REACTOR)
    return Known(place, then["tags"] or {}, reactors, _only_gas(source.get("substances")))


def _now(row: Row, areas: tuple[tuple[str, str], ...]) -> Known:
    position = row["lon"], row["lat"]
    if row["lon"] is None:
        position = row["enterprise_lon"], row["enterprise_lat"]
    place = Place(
        row["code"],
        row["name"],
        row["enterprise_name"],
        areas,
        row["grade"],
        None if position[0] is None else position,
        _ring(row["boundary"]),
    )
    return Known(place, {}, frozenset(), _only_gas(row["substances"]))


def _names(tree: Sequence[Mapping[str, Any]], codes: Sequence[str]) -> list[tuple[str, str]]:
    """(code, name) of the areas on a path, as a site file has them; [] where it has not all."""
    found: list[tuple[str, str]] = []
    for code in codes:
        area = next((one for one in tree if one["code"] == code), None)
        if area is None:
            return []
        found.append((code, area["name"]))
        tree = area.get("children", ())
    return found


def _sign(row: Row, known: Known) -> Sign:
    said = known.tags.get(row["subject"], row)
    tag_kind = None if row["tag_kind"] is None else TagKind(row["tag_kind"])
    return Sign(
        row["id"],
        Kind[row["kind"]],
        row["onset"],
        row["subject"] or "",
        tag_kind,
        _gas(said["gas"]) if said["gas"] else known.gas,
        said["equipment"] in known.reactors,
    )


def _gas(word: str, cas: str | None = None) -> tuple[str, str] | None:
    found = gas_rules().gas(word, cas)
    return (word, word) if found is None else (found.zh, found.name)


def _only_gas(substances: Sequence[Mapping[str, Any]] | None) -> tuple[str, str] | None:
    """(Chinese, English) of a source's only substance; None where there are several, or none."""
    if not substances or len(substances) != 1:
        return None
    return _gas(substances[0]["name"], substances[0].get("cas"))


def _position(said: Sequence[float] | None) -> Position | None:
    return None if said is None else (float(said[0]), float(said[1]))


def _ring(said: Sequence[Sequence[float]] | None) -> tuple[Position, ...]:
    return tuple((float(lon), float(lat)) for lon, lat in said or ())
