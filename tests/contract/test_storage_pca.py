"""Models of groups in the database: kept beside each other, put in force by a person, exact."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb

from domain.clock import SystemClock
from domain.frame import Flag, Lane
from domain.instant import SECOND, micros
from domain.pca import PcaModel
from domain.pca_record import PcaNow, PcaShare, PcaSight, digest, document_for
from hazwatch.pca_models import plant_version, read_plant
from storage.database import Connection, DatabaseOptions, connect
from storage.listen import listen
from storage.pca_models import (
    NoSuchModel,
    activate,
    activations,
    active_models,
    add_model,
    all_groups,
    decisions_of,
    disturbances,
    extent,
    good_samples,
    models_of,
    write_pca_now,
)
from storage.registry import read_registry
from tests.support.builders import START, at
from tests.support.pca_groups import NAMES, learnt, model
from tests.support.seed import Plant, Seed

MODEL = model()


@pytest.fixture
def plant(database_url: str) -> Plant:
    return Seed(database_url).plant()


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[Connection]:
    async with await connect(DatabaseOptions(database_url)) as connection:
        yield connection


@pytest.fixture
def group(database_url: str, plant: Plant) -> int:
    """A group of kind pca with the members of the model, which are registered."""
    source, owner = plant.sources[0], plant.enterprises[0]
    detail = {"kind": "pca", "members": list(NAMES)}
    spec = {"kind": "level", "unit": "m", "interval_s": 60}
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "INSERT INTO node (parent, kind, code, name, enterprise, detail)"
            " VALUES (%s, 'group', 'reactor', 'reactor', %s, %s) RETURNING id",
            (source, owner, Jsonb(detail)),
        ).fetchone()
        for name in NAMES:
            connection.execute(
                "INSERT INTO tag (version, enterprise, source, name, kind, unit, spec, since)"
                " VALUES (1, %s, %s, %s, 'level', 'm', %s, %s)",
                (owner, source, name, Jsonb(spec | {"name": name}), START),
            )
    assert row is not None
    return int(row[0])


async def members(conn: Connection) -> tuple[int, ...]:
    tags = {tag.name: tag.id for tag in (await read_registry(conn)).tags.values()}
    return tuple(tags[name] for name in NAMES)


async def stored(conn: Connection, plant: Plant, group: int, one: PcaModel = MODEL) -> int:
    said = learnt(one, group, plant.enterprises[0])
    return await add_model(conn, replace(said, tags=await members(conn)))


async def test_a_model_comes_back_to_the_last_bit_and_fits_its_group(conn, plant, group):
    odd = np.array(MODEL.loadings)
    odd[0, 0], odd[1, 0] = -0.0, 5e-324
    strange = replace(MODEL, loadings=odd, spe_clip=1.7e308, t2_clip=0.1 + 0.2)
    assert await stored(conn, plant, group, strange) == 1
    await activate(conn, group, 1, by="李工", reason="first", at=START)
    (found,) = await active_models(conn)
    assert digest(found.text) == found.digest
    registry = await read_plant(conn)
    again = PcaModel.of(document_for(registry.nodes[group], registry, found))
    assert again.fingerprint() == strange.fingerprint()
    assert again.loadings.tobytes() == odd.tobytes()
    assert registry.nodes[group].detail["model_version"] == 1
    assert "model" not in (await read_registry(conn)).nodes[group].detail


async def test_learning_puts_nothing_in_force_and_earlier_versions_stay(conn, plant, group):
    before = await plant_version(conn)
    assert [await stored(conn, plant, group) for _ in range(2)] == [1, 2]
    assert await active_models(conn) == []
    assert await plant_version(conn) == before
    assert await activate(conn, group, 2, by="a", reason="new", at=at(1)) is None
    assert await activate(conn, group, 1, by="b", reason="back", at=at(2)) == 2
    assert [one.version for one in await active_models(conn)] == [1]
    assert await activate(conn, group, None, by="c", reason="rebuilt", at=at(3)) == 1
    assert await active_models(conn) == []
    assert [one["version"] for one in await models_of(conn, group)] == [2, 1]
    said = [(one["version"], one["by"], one["reason"]) for one in await decisions_of(conn, group)]
    assert said == [(None, "c", "rebuilt"), (1, "b", "back"), (2, "a", "new")]
    assert await activations(conn) == 3
    assert (await plant_version(conn))[1] == before[1] + 3


async def test_a_version_that_is_not_there_cannot_be_put_in_force(conn, plant, group):
    await stored(conn, plant, group)
    with pytest.raises(NoSuchModel, match="no version 2"):
        await activate(conn, group, 2, by="a", reason="x", at=START)
    assert await activations(conn) == 0


async def test_models_learnt_at_once_get_versions_of_their_own(database_url, conn, plant, group):
    ids = await members(conn)

    async def one() -> int:
        async with await connect(DatabaseOptions(database_url)) as line:
            said = replace(learnt(MODEL, group, plant.enterprises[0]), tags=ids)
            return await add_model(line, said)

    assert sorted(await asyncio.gather(*(one() for _ in range(5)))) == [1, 2, 3, 4, 5]


async def test_what_people_decide_wakes_the_worker(database_url, conn, plant, group):
    await stored(conn, plant, group)
    heard, clock = asyncio.Event(), SystemClock()
    options = DatabaseOptions(database_url)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(
            listen(options, ["hazwatch_site"], lambda *_: heard.set(), clock)
        )
        while not heard.is_set():
            await activate(conn, group, 1, by="a", reason="x", at=START)
            await clock.sleep(0.1)
        listening.cancel()


async def test_only_good_samples_are_learnt_by_the_time_they_were_judged_at(
    database_url, conn, plant
):
    tag, other = plant.tags[0]
    seed = Seed(database_url)
    seed.samples(tag, (at(60), 2.0), (at(0), 1.0), (at(120), 9.0))
    seed.samples(tag, (at(30), 5.0), quality=64)
    seed.samples(tag, (at(40), float("nan")), (at(45), float("inf")))
    seed.samples(other, (at(10), 7.0))
    time, value = await good_samples(conn, tag, START, at(120))
    assert time.tolist() == [micros(START), micros(START) + 60 * SECOND]
    assert value.tolist() == [1.0, 2.0]
    seen = await extent(conn, tag, START, at(120))
    assert (seen.count, seen.low, seen.high) == (2, 1.0, 2.0)
    assert (await extent(conn, tag, at(500), at(600))).count == 0
    assert (await good_samples(conn, tag, at(500), at(600)))[0].tolist() == []
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE sample SET flags = %s, received_at = %s WHERE tag_id = %s AND time = %s",
            (int(Flag.AT_RECEIVED), at(300), tag, START),
        )
    time, value = await good_samples(conn, tag, START, at(120))
    assert (time.tolist()[-1], value.tolist()) == (micros(at(300)), [2.0, 1.0])


async def test_alarms_of_members_and_of_the_group_in_the_period_are_counted(
    database_url, conn, plant, group
):
    seed = Seed(database_url)
    tag, other = plant.tags[0]
    early = seed.raised(plant, tag, onset=at(-7200))
    seed.returned(plant, early, at(-3600))
    seed.raised(plant, tag, onset=at(10))
    seed.raised(plant, other, onset=at(20), lane=Lane.REPLAY)
    found = await disturbances(conn, group, [tag], START, at(100))
    assert found == [("HH", "LI101", 1)]
    assert sum(n for *_, n in await disturbances(conn, group, [tag, other], START, at(100))) == 2
    assert await disturbances(conn, group, [tag], at(-8000), at(-7300)) == []
    assert len(await disturbances(conn, group, [tag], at(-4000), at(-3900))) == 1
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE alarm SET tag_id = NULL, node = %s, kind = 'PCA' WHERE tag_id = %s",
            (group, other),
        )
    assert ("PCA", "reactor", 1) in await disturbances(conn, group, [tag], START, at(100))


async def test_the_last_word_about_a_group_counts(conn, plant, group):
    owner = plant.enterprises[0]
    tag = (await members(conn))[0]
    now = PcaNow(
        group, owner, at(5), PcaSight.WATCHED, 1, at(0), 0.5, float("nan"),
        shares=(PcaShare(tag, 1.0, 0.0),),
    )  # fmt: skip
    await write_pca_now(conn, [now, replace(now, at=at(4), t2=0.25)])
    await write_pca_now(conn, [])
    (row,) = await all_groups(conn)
    told: dict[str, Any] = row["told"]
    assert (row["told_at"], told["t2"], told["spe"]) == (at(4), 0.25, None)
    assert row["names"] == {str(tag): "TI-1"}
    assert (row["models"], row["active"], row["members"]) == (0, None, list(NAMES))


async def test_a_group_that_left_the_site_has_no_model_in_force(database_url, conn, plant, group):
    await stored(conn, plant, group)
    await activate(conn, group, 1, by="a", reason="x", at=START)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE node SET removed_at = %s WHERE id = %s", (START + timedelta(days=1), group)
        )
    assert await active_models(conn) == []
    assert await all_groups(conn) == []
