"""The live stream against a real database and a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4, uuid5

import httpx
import psycopg
import pytest

from api.options import ApiOptions
from domain.alarms import NAMESPACE, OutboxEvent
from storage.outbox import append_events
from tests.support.api import listening_api
from tests.support.builders import START, at
from tests.support.seed import PASSWORD, Plant, Seed
from tests.support.servers import Database
from tests.support.sse import following

WRITERS, EACH = 4, 50


@pytest.fixture
def seed(database_url: str) -> Seed:
    return Seed(database_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    return populated(seed)


def populated(seed: Seed) -> Plant:
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("one", "enterprise", plant.enterprises[0])
    return plant


@asynccontextmanager
async def logged_in(base: str, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base) as client:
        answer = await client.post("/api/v1/session", json={"user": name, "password": PASSWORD})
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


def event(plant: Plant, n: int, enterprise: int | None = None, type: str = "alarm") -> OutboxEvent:
    id = uuid5(NAMESPACE, f"test/{n}")
    return OutboxEvent(id, type, START, enterprise, None, None, {"id": str(id), "n": n})


async def test_a_transition_arrives_as_it_stands_in_the_list(database_url, seed, plant):
    async with listening_api(database_url) as base, logged_in(base, "park") as park:
        async with following(park) as stream:
            alarm = await asyncio.to_thread(seed.raised, plant, plant.tags[0][1])
            received = await stream.next()
        [item] = (await park.get("/api/v1/alarms")).json()["items"]
    assert received.event == "alarm"
    assert received.id == 1
    assert received.data["alarm"]["id"] == str(alarm.id)
    assert received.data["transition"]["to"] == "UNACK"
    assert received.data["alarm"].items() <= item.items()


async def test_resuming_skips_and_doubles_nothing_while_others_commit(database_url, plant):
    async def write(writer: int) -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            for n in range(EACH):
                made = event(plant, writer * EACH + n, plant.enterprises[n % 2])
                await append_events(connection, [made])
                await connection.commit()

    async def collect(park: httpx.AsyncClient) -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []
        while len(seen) < WRITERS * EACH:
            last = seen[-1][0] if seen else 0
            async with following(park, last=last) as stream:
                for received in await stream.take(min(17, WRITERS * EACH - len(seen))):
                    if received.event == "degraded":
                        continue  # of the moment, and not of the outbox: a slow machine
                    assert received.id is not None
                    seen.append((received.id, received.data["n"]))
        return seen

    async with (
        listening_api(database_url) as base,
        logged_in(base, "park") as park,
        asyncio.TaskGroup() as tasks,
    ):
        collecting = tasks.create_task(collect(park))
        for writer in range(WRITERS):
            tasks.create_task(write(writer))
    seen = collecting.result()
    assert [id for id, _ in seen] == list(range(1, WRITERS * EACH + 1))
    assert sorted(n for _, n in seen) == list(range(WRITERS * EACH))


async def test_each_sees_its_own_and_system_events_go_to_operators(database_url, seed, plant):
    first, second = plant.enterprises

    def commit() -> None:
        with seed.connection() as connection:
            for type, owner in (("alarm", second), ("system", None), ("alarm", first)):
                seed.append(connection, uuid4(), type, owner, None, {"owner": owner})

    async with (
        listening_api(database_url) as base,
        logged_in(base, "one") as one,
        logged_in(base, "park") as park,
        following(one) as narrow,
        following(park) as wide,
        following(park, topics="system") as system,
    ):
        await asyncio.to_thread(commit)
        assert [got.data["owner"] for got in await wide.take(3)] == [second, None, first]
        assert (await narrow.next()).data["owner"] == first
        assert (await system.next()).data["owner"] is None


async def test_who_was_away_too_long_is_told_to_load_the_lists_again(database_url, seed, plant):
    with seed.connection() as connection:
        for _ in range(6):
            seed.append(connection, uuid4(), "alarm", plant.enterprises[0], None, {})
        connection.execute("DELETE FROM outbox WHERE seq <= 3")
    async with listening_api(database_url) as base, logged_in(base, "park") as park:
        async with following(park, last=3) as fine:
            assert [got.id for got in await fine.take(3)] == [4, 5, 6]
        for cursor in (1, 99):
            async with following(park, last=cursor) as lost:
                told = await lost.next()
                assert (told.event, told.id) == ("reset", 6)


async def test_a_stream_is_never_silent_and_ends_with_its_session(database_url, seed, plant):
    options = ApiOptions(port=0, heartbeat_s=0.05, session_check_s=0.0)
    async with (
        listening_api(database_url, options) as base,
        logged_in(base, "park") as park,
        following(park) as stream,
    ):
        for _ in range(3):
            assert (await stream.next(comments=True)).event == ""
        await park.delete("/api/v1/session")
        with pytest.raises(EOFError):
            await stream.next()


async def test_there_are_only_so_many_seats(database_url, plant):
    options = ApiOptions(port=0, streams_per_person=2)
    async with listening_api(database_url, options) as base, logged_in(base, "park") as park:
        async with following(park), following(park), following(park) as third:
            assert third.answer.status_code == 429
            assert third.answer.headers["content-type"] == "application/problem+json"
        async with following(park) as again:
            assert again.answer.status_code == 200


async def test_stop_sends_followers_home(database_url, plant):
    async with AsyncExitStack() as serving:
        base = await serving.enter_async_context(listening_api(database_url))
        async with logged_in(base, "park") as park, following(park) as stream:
            await stream.next(comments=True)
            await serving.aclose()
            with pytest.raises(EOFError):
                await stream.next()


async def test_while_the_database_is_away_the_stream_says_so_and_loses_nothing(
    timescale_url: str, timescale: Database
):
    seed = Seed(timescale_url)
    plant = await asyncio.to_thread(populated, seed)
    async with (
        listening_api(timescale_url) as base,
        logged_in(base, "park") as park,
        following(park) as stream,
    ):
        await asyncio.to_thread(seed.raised, plant, plant.tags[0][1])
        assert (await stream.next()).id == 1
        await asyncio.to_thread(timescale.stop)
        told = await stream.next()
        assert (told.event, told.data["degraded"]) == ("degraded", True)
        refused = await park.post(f"/api/v1/alarms/{UUID(int=1)}/acknowledge")
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/database-away"
        await asyncio.to_thread(timescale.start)
        told = await stream.next()
        assert (told.event, told.data["degraded"]) == ("degraded", False)
        await asyncio.to_thread(seed.raised, plant, plant.tags[0][1], onset=at(60))
        assert (await stream.next()).id == 2
