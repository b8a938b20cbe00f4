"""Who is in the demonstration: its site, with or without the self-test, and who may look at it."""

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from api.passwords import hash_password
from domain.alarms import Priority
from domain.plant import TagKind
from domain.site import Area, Enterprise, Limits, Priorities, Site, Source, TagEntry
from hazwatch.demo_servers import DemoError
from simulators.message import Address
from storage.database import Connection
from storage.people import add_person, remove_person, resolve_node
from storage.reading import Reading
from storage.registry import SiteConflictError, load_site, read_registry

PARK = "demo"
SELF_TEST = Address(PARK, "self-test", "canary")
CANARIES = 120
"""Each rests for two minutes after its breach: sooner than one it would be the same occurrence."""
NAME = "hazwatch self-test 自检"
ENTERPRISES = 2
"""How many of the park's enterprises get an account."""
BY = "hazwatch demo"
PARK_DESK = "demo-park"
"""The account that sees all of the demonstration, and may do all that people can do."""


def canary(number: int) -> str:
    """The name of a canary's tag; numbers beyond `CANARIES` begin anew."""
    return f"CANARY-{number % CANARIES + 1:03d}"


def self_test(*, empty: bool = False) -> Enterprise:
    """An enterprise of canaries: states whose 1 raises an alarm at once, and whose 0 ends it.

    Its priority P4 has no weight in the risk of the source, so it opens no warning. empty: without
    canaries.
    """
    tags = tuple(
        TagEntry(
            name=canary(number),
            kind=TagKind.STATE,
            range=(0.0, 1.0),
            limits=Limits(H=1.0),
            delay_on_s=0.0,
            delay_off_s=0.0,
            interval_s=1.0,
            max_silence_s=3600.0,
            priorities=Priorities(H=Priority.P4),
        )
        for number in range(CANARIES)
    )
    source = Source(code="canaries", kind="storage", name=NAME, tags=tags)
    return Enterprise(
        code=SELF_TEST.enterprise,
        park=PARK,
        name=NAME,
        gateways=(SELF_TEST.gateway,),
        sources=() if empty else (source,),
    )


def with_self_test(site: Site, *, empty: bool = False) -> Site:
    """The site with the self-test as one more enterprise."""
    enterprises = (*site.enterprises, self_test(empty=empty))
    return site.model_copy(update={"enterprises": enterprises})


async def load(conn: Connection, site: Site, at: datetime, *, measured: bool, ours: bool) -> None:
    """Make the registry say what the demonstration is; measured: with the self-test.

    ours: nobody else uses the database, what the site does not name may go. In another's database
    nothing of others is touched, and of a self-test of an earlier run an empty enterprise stays.
    """
    if measured:
        site = with_self_test(site)
    elif not ours and await _has_self_test(conn):
        site = with_self_test(site, empty=True)
    try:
        await load_site(conn, site, by=BY, at=at, prune=ours)
    except SiteConflictError as conflict:
        raise DemoError(
            f"the demonstration does not fit into this database: {conflict}\n"
            "give it a database of its own"
        ) from conflict


async def _has_self_test(conn: Connection) -> bool:
    known = {(one.park, one.enterprise_code) for one in (await read_registry(conn)).gateways}
    return (SELF_TEST.park, SELF_TEST.enterprise) in known


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may look. place: codes from the root; of: the node's name; password: of this
    start; desks: places of enterprises for whose desks this person speaks as well."""

    name: str
    role: str
    place: tuple[str, ...]
    of: str
    password: str
    desks: tuple[tuple[str, ...], ...] = ()


def accounts(site: Site, *, measured: bool = False) -> list[Account]:
    """The park's desk, its county's, and those of its first enterprises, with fresh passwords.

    The first sits at the desks of all enterprises too, so that one visitor can do everything:
    acknowledge for a plant, and sign for the park. Where no county lies above the park, the nearest
    area above it stands for one. measured: with the self-test's.
    """
    way = _way(site.tree, PARK)
    codes = tuple(area.code for area in way)
    counties = [depth for depth, area in enumerate(way) if area.kind == "county"]
    county = counties[-1] if counties else max(0, len(way) - 2)
    plants = [one for one in site.enterprises if one.park == PARK][:ENTERPRISES]
    found = [
        (PARK_DESK, "operator", codes, way[-1].name),
        ("demo-county", "operator", codes[: county + 1], way[county].name),
        *(
            (f"demo-plant{number}", "enterprise", (*codes, plant.code), plant.name)
            for number, plant in enumerate(plants, 1)
        ),
    ]
    made = [Account(*one, secrets.token_urlsafe(9)) for one in found]
    own = [one.code for one in site.enterprises if one.park == PARK]
    desks = tuple((*codes, code) for code in (*own, *[SELF_TEST.enterprise] * measured))
    return [replace(made[0], of=f"{way[-1].name}及各企业 and its plants", desks=desks), *made[1:]]


def _way(areas: Iterable[Area], park: str) -> list[Area]:
    """The areas from the root down to a park; empty where it is not below `areas`."""
    for area in areas:
        if area.kind == "park" and area.code == park:
            return [area]
        below = _way(area.children, park)
        if below:
            return [area, *below]
    return []


async def let_in(database: str, people: Iterable[Account], at: datetime) -> None:
    """Make these accounts; what stood under their names loses its password, roles and sessions."""
    async with Reading(database) as reading:
        for one in people:
            places = [(one.role, one.place), *(("enterprise", desk) for desk in one.desks)]
            nodes = [await resolve_node(reading, "/".join(place)) for _, place in places]
            grants = [
                (role, int(node["id"])) for (role, _), node in zip(places, nodes, strict=True)
            ]
            hashed = await asyncio.to_thread(hash_password, one.password)
            await remove_person(reading, one.name, at)
            await add_person(reading, one.name, hashed, grants, at)
