"""The registry on either kind of database: versions, ids, what stays and what goes."""

import json
import random
from datetime import timedelta

import psycopg
import pytest

from domain.alarms import Kind, Priority
from domain.plant import TagKind
from domain.site import read_site
from storage.database import DatabaseOptions, connect
from storage.registry import LoadReport, SiteConflictError, load_site, read_registry
from storage.site_changes import How
from tests.support.builders import START
from tests.support.sites import enterprise, site, site_data, tag

DAY = timedelta(days=1)


@pytest.fixture
async def conn(database_url):
    async with await connect(DatabaseOptions(database_url)) as connection:
        yield connection


async def load(conn, *enterprises, at=START, **options) -> LoadReport:
    return await load_site(conn, site(*enterprises), by="anna", at=at, **options)


async def tags_by_name(conn):
    return {tag.name: tag for tag in (await read_registry(conn)).tags.values()}


async def count(conn, table):
    statement = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
    return (await (await conn.execute(statement)).fetchone())[0]


async def test_before_the_first_load_the_registry_is_empty_and_of_version_0(conn):
    registry = await read_registry(conn)
    assert (registry.version, registry.nodes, registry.gateways, registry.tags) == (0, {}, (), {})


async def test_a_loaded_site_is_read_as_it_was_written(conn):
    level = tag(
        "LT-1",
        limits={"LL": 5, "L": 10, "H": 80, "HH": 88.5},
        deadband=0.5,
        delay_on_s=5,
        normal=[20, 78],
        equipment="V-1",
        safety_critical=True,
        position=[100.4, 38.9],
        priorities={"HH": "P1"},
    )
    report = await load(conn, enterprise("e1", level))
    registry = await read_registry(conn)
    assert report.version == registry.version == 1
    (found,) = registry.tags.values()
    assert found.limits == {Kind.LL: 5, Kind.L: 10, Kind.H: 80, Kind.HH: 88.5}
    assert (found.kind, found.version, found.since) == (TagKind.LEVEL, 1, START)
    assert found.priorities == {Kind.HH: Priority.P1}
    assert (found.normal, found.position, found.equipment) == ((20, 78), (100.4, 38.9), "V-1")
    source = registry.nodes[found.source]
    owner = registry.nodes[found.enterprise]
    assert (source.kind, source.detail["kind"]) == ("source", "storage")
    assert source.enterprise == owner.enterprise == owner.id == source.parent
    (gateway,) = registry.gateways
    assert (gateway.park, gateway.enterprise_code, gateway.code) == ("p1", "e1", "g1")
    assert gateway.enterprise == owner.id
    assert owner.parent is not None
    park = registry.nodes[owner.parent]
    assert (park.kind, park.enterprise) == ("park", None)
    assert {node.kind for node in registry.nodes.values()} == {
        "province", "park", "enterprise", "source", "equipment",
    }  # fmt: skip


async def test_the_same_site_again_changes_nothing_and_makes_no_version(conn):
    first = await load(conn, enterprise("e1", tag("A"), tag("B")))
    before = await read_registry(conn)
    again = await load(conn, enterprise("e1", tag("A"), tag("B")), at=START + DAY)
    assert (first.count("tag", How.NEW), again.changes, again.version) == (2, (), 1)
    assert await read_registry(conn) == before
    assert await count(conn, "site_version") == 1


async def test_a_changed_limit_keeps_the_tag_and_makes_a_version(conn):
    await load(conn, enterprise("e1", tag("A"), tag("B")))
    before = await tags_by_name(conn)
    report = await load(
        conn, enterprise("e1", tag("A", limits={"H": 70}), tag("B")), at=START + DAY
    )
    after = await tags_by_name(conn)
    (change,) = report.changes
    assert (change.how, change.path[-1], change.members) == (How.CHANGED, "A", ("limits",))
    assert after["A"].limits == {Kind.H: 70}
    assert (after["A"].id, after["A"].since) == (before["A"].id, START)
    assert after["B"] == before["B"]
    assert report.version == 2


@pytest.mark.parametrize("change", [{"unit": "m"}, {"kind": "other"}])
async def test_another_unit_or_kind_makes_a_new_tag_of_the_next_version(conn, change):
    await load(conn, enterprise("e1", tag("A")))
    before = await tags_by_name(conn)
    report = await load(conn, enterprise("e1", tag("A", **change)), at=START + DAY)
    after = await tags_by_name(conn)
    assert report.count("tag", How.RENEWED) == 1
    assert after["A"].id > before["A"].id
    assert (after["A"].version, after["A"].since) == (2, START + DAY)
    assert await count(conn, "tag") == 2


async def test_a_tag_that_comes_back_gets_a_new_id_and_the_next_version(conn):
    await load(conn, enterprise("e1", tag("A"), tag("B")))
    first = (await tags_by_name(conn))["A"]
    gone = await load(conn, enterprise("e1", tag("B")), at=START + DAY)
    assert gone.count("tag", How.REMOVED) == 1
    assert "A" not in await tags_by_name(conn)
    await load(conn, enterprise("e1", tag("A"), tag("B")), at=START + 2 * DAY)
    back = (await tags_by_name(conn))["A"]
    assert back.id not in (first.id, (await tags_by_name(conn))["B"].id)
    assert (back.version, back.since) == (2, START + 2 * DAY)


async def test_sources_and_gateways_that_come_back_keep_their_ids(conn):
    full = enterprise("e1", tag("A"))
    await load(conn, full)
    before = await read_registry(conn)
    bare = enterprise("e1") | {"gateways": ["g2"], "sources": []}
    await load(conn, bare)
    assert {node.kind for node in (await read_registry(conn)).nodes.values()} == {
        "province", "park", "enterprise",
    }  # fmt: skip
    await load(conn, full)
    after = await read_registry(conn)
    assert (after.nodes, after.gateways) == (before.nodes, before.gateways)


async def test_an_enterprise_that_the_file_does_not_mention_stays(conn):
    await load(conn, enterprise("e1", tag("A")))
    report = await load(conn, enterprise("e2", tag("A")))
    assert report.kept == (("gansu", "p1", "e1"),)
    registry = await read_registry(conn)
    assert len(registry.tags) == 2
    assert {gateway.enterprise_code for gateway in registry.gateways} == {"e1", "e2"}
    again = await load(conn, enterprise("e1", tag("A")))
    assert (again.changes, again.version) == ((), 2)


async def test_prune_removes_the_enterprises_that_the_file_does_not_mention(conn):
    await load(conn, enterprise("e1", tag("A")))
    report = await load(conn, enterprise("e2", tag("A")), prune=True)
    assert report.kept == ()
    registry = await read_registry(conn)
    assert [gateway.enterprise_code for gateway in registry.gateways] == ["e2"]
    assert {node.code for node in registry.nodes.values() if node.kind == "enterprise"} == {"e2"}
    assert len(registry.tags) == 1


async def test_a_dry_run_reports_and_leaves_everything(conn):
    report = await load(conn, enterprise("e1", tag("A")), dry_run=True)
    assert (report.count("tag", How.NEW), report.version) == (1, 1)
    assert (await read_registry(conn)).version == 0
    assert await count(conn, "node") == 0


async def test_listeners_hear_of_a_new_version_once_and_of_no_change_never(conn, database_url):
    async with await connect(DatabaseOptions(database_url)) as listener:
        await listener.execute("LISTEN hazwatch_site")
        await load(conn, enterprise("e1", tag("A")))
        await load(conn, enterprise("e1", tag("A")))
        await load(conn, enterprise("e1", tag("A")), enterprise("e2"))
        heard = [note.payload async for note in listener.notifies(timeout=10, stop_after=2)]
    assert heard == ["1", "2"]


async def test_the_version_keeps_who_loaded_what_and_when(conn):
    await load(conn, enterprise("e1", tag("A")))
    row = await (
        await conn.execute("SELECT version, loaded_at, loaded_by, content FROM site_version")
    ).fetchone()
    assert row[:3] == (1, START, "anna")
    assert row[3]["enterprises"][0]["sources"][0]["tags"][0]["name"] == "A"


async def test_a_park_code_stands_for_one_park_of_all_files(conn):
    await load(conn, enterprise("e1"))
    elsewhere = site_data()
    elsewhere["tree"][0]["code"] = "sichuan"
    other = read_site(json.dumps(elsewhere))
    with pytest.raises(SiteConflictError, match="park 'p1' stands under gansu already"):
        await load_site(conn, other, by="anna", at=START)
    await load_site(conn, other, by="anna", at=START, prune=True)
    nodes = (await read_registry(conn)).nodes.values()
    assert sorted(node.code for node in nodes) == ["p1", "sichuan"]


async def test_a_tag_that_moves_to_another_source_stays_the_same_tag(conn):
    await load(conn, enterprise("e1", tag("A")))
    before = (await tags_by_name(conn))["A"]
    moved = enterprise("e1")
    moved["sources"].append({"code": "s2", "kind": "storage", "name": "Other", "tags": [tag("A")]})
    report = await load(conn, moved)
    after = (await tags_by_name(conn))["A"]
    assert report.count("tag", How.CHANGED) == 1
    assert (after.id, after.version) == (before.id, 1)
    assert after.source != before.source


@pytest.mark.parametrize("seed", range(3))
async def test_an_id_never_stands_for_two_things_whatever_is_loaded(conn, seed):
    chance = random.Random(seed)
    stood_for: dict[int, tuple] = {}
    for day in range(12):
        names = chance.sample("ABCDE", chance.randint(0, 5))
        tags = [
            tag(name, unit=chance.choice(["%", "m"]), deadband=chance.choice([0, 1]))
            for name in names
        ]
        codes = chance.sample(["e1", "e2"], chance.randint(1, 2))
        wanted = [enterprise(code, *tags) for code in codes]
        await load(conn, *wanted, at=START + day * DAY, prune=chance.random() < 0.5)
        registry = await read_registry(conn)
        for found in registry.tags.values():
            what = (found.enterprise, found.name, found.unit, found.version)
            assert stood_for.setdefault(found.id, what) == what
        loaded = {registry.nodes[found.enterprise].code for found in registry.tags.values()}
        assert loaded >= (set(codes) if tags else set())
        again = await load(conn, *wanted, at=START + day * DAY)
        assert again.changes == ()
    assert len(set(stood_for.values())) == len(stood_for)
