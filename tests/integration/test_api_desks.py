"""What is told of desks, from the worker's tables to those who may see it, over a restart."""

import asyncio
from dataclasses import replace
from typing import Any

from alerts.layout import compile_layout
from domain.alarms import Alarm, Kind, Priority, State, Transition, occurrence_id
from domain.desk_now import DeskNow, Note
from domain.frame import Lane
from hazwatch.restore import read_desk_memory
from hazwatch.told_desks import ToldDesks
from storage.alarms import write_transitions
from storage.database import Connection, DatabaseOptions, connect
from storage.desk_notes import write_desks
from storage.outbox import append_events
from tests.integration.test_api_events import event, logged_in, populated
from tests.support.api import listening_api
from tests.support.builders import at
from tests.support.seed import Plant, Seed
from tests.support.sse import following


def raised(plant: Plant, n: int, second: float, kind: Kind = Kind.H) -> Transition:
    """An occurrence of the first enterprise, told apart by its onset."""
    tag = plant.tags[0][0]
    alarm = Alarm(
        occurrence_id(Lane.LIVE, tag, kind, at(second)), Lane.LIVE, kind, tag, plant.sources[0],
        plant.enterprises[0], Priority.P3, State.UNACK, at(second), at(second), 9.0, 8.0, 9.0, 1,
    )  # fmt: skip
    return Transition(alarm, State.NORM, State.UNACK, "raise", at(second + n / 100))


def closed(change: Transition, second: float) -> Transition:
    over = replace(change.alarm, state=State.NORM, n=2, ended=at(second), closed=at(second))
    return Transition(over, State.UNACK, State.NORM, "acknowledge", at(second))


async def kept(
    conn: Connection, plant: Plant, desks: ToldDesks, changes: list[Transition], second: float
) -> tuple[DeskNow, ...]:
    """What the journal does with an entry; what was told."""
    desks.saw(plant.registry, compile_layout(plant.registry), changes)
    told, events = desks.news(plant.registry, at(second), second)
    async with conn.transaction():
        await write_transitions(conn, changes)
        await write_desks(conn, told)
        await append_events(conn, events)
    return told


async def restarted(conn: Connection, plant: Plant, second: float) -> ToldDesks:
    desks = ToldDesks()
    memory = await read_desk_memory(conn, at(second))
    desks.restore(plant.registry, compile_layout(plant.registry), memory, at(second))
    return desks


async def test_a_flood_reaches_those_who_may_see_it_and_outlives_the_worker(database_url):
    seed = Seed(database_url)
    plant = await asyncio.to_thread(populated, seed)
    await asyncio.to_thread(seed.person, "two", "enterprise", plant.enterprises[1])
    storm = [raised(plant, n, float(n)) for n in range(12)]
    head, last = str(storm[0].alarm.id), str(storm[11].alarm.id)
    async with (
        await connect(DatabaseOptions(database_url)) as conn,
        listening_api(database_url) as base,
        logged_in(base, "one") as one,
        logged_in(base, "two") as two,
        logged_in(base, "park") as park,
    ):
        async with following(one) as stream:
            await kept(conn, plant, ToldDesks(), storm, 12)
            began, desk = [await stream.next() for _ in range(2)]
        assert (began.event, began.data["system"]["what"]) == ("system", "flood began")
        assert desk.event == "desk"
        assert desk.data["node"] == str(plant.enterprises[0])
        assert desk.data["desk"]["notes"][last]["under"] == head
        async with following(two, last=0) as stream:
            await append_other(conn, plant)
            assert (await stream.next()).event == "risk", "the flood is not theirs to see"

        [mine] = (await one.get("/api/v1/desks")).json()
        assert mine["enterprise"] == str(plant.enterprises[0])
        assert mine["flood"] == desk.data["desk"]["flood"]
        assert mine["flood"]["folds"][0]["first"] == head
        assert (mine["suppressed"], mine["chattering"]) == (11, 1)
        [theirs] = (await two.get("/api/v1/desks")).json()
        assert (theirs["flood"], theirs["suppressed"]) == (None, 0)
        assert len((await park.get("/api/v1/desks")).json()) == 2
        items = await listed(one)
        assert items[last]["note"] == desk.data["desk"]["notes"][last]
        assert items[head]["note"]["first_out"] is True
        assert items[str(storm[5].alarm.id)]["note"]["under"] == head
        assert (await one.get(f"/api/v1/alarms/{last}")).json()["note"]["under"] == head

        desks = await restarted(conn, plant, 13)
        assert await kept(conn, plant, desks, [], 14) == (), "nothing is told twice"
        more = raised(plant, 0, 15)
        await kept(conn, plant, desks, [more, closed(storm[0], 15)], 16)
        items = await listed(one)
        assert items[str(more.alarm.id)]["note"]["under"] == str(storm[1].alarm.id)
        assert (await one.get(f"/api/v1/alarms/{head}")).json()["note"]["first_out"] is True

        desks = await restarted(conn, plant, 2000)
        await kept(conn, plant, desks, [], 2001)
        assert (await one.get("/api/v1/desks")).json()[0]["flood"] is None
        asked = {"from": at(0).isoformat(), "to": at(3000).isoformat()}
        [flood] = (await one.get("/api/v1/desks/floods", params=asked)).json()
        assert flood["since"] == mine["flood"]["since"]
        # the fifth-newest alarm, of 08:00:08.08, leaves the window of 10 min
        assert flood["until"] == "2026-11-21T08:10:08.080000Z"
        assert (await two.get("/api/v1/desks/floods", params=asked)).json() == []
        assert (await listed(one))[last]["note"] is None, "it stands by itself again"


async def test_a_note_that_is_over_is_kept_with_the_most_there_was(database_url):
    seed = Seed(database_url)
    plant = await asyncio.to_thread(populated, seed)
    change = raised(plant, 0, 0, Kind.SOURCE_OFFLINE)
    lost = replace(change.alarm, tag=None)
    async with (
        await connect(DatabaseOptions(database_url)) as conn,
        listening_api(database_url) as base,
        logged_in(base, "one") as one,
    ):
        told = DeskNow(plant.enterprises[0], at(1), notes=((lost.id, Note(suppressed=41)),))
        less = replace(told, at=at(2), notes=((lost.id, None),))
        await write_transitions(conn, [replace(change, alarm=lost)])
        await write_desks(conn, [told])
        await conn.commit()
        assert (await listed(one))[str(lost.id)]["note"]["suppressed"] == 41
        await write_desks(conn, [less])
        await conn.commit()
        assert (await listed(one))[str(lost.id)]["note"] is None
        await write_transitions(conn, [closed(replace(change, alarm=lost), 3)])
        await conn.commit()
        found = (await one.get(f"/api/v1/alarms/{lost.id}")).json()
        assert found["note"]["suppressed"] == 41


async def listed(client: Any) -> dict[str, Any]:
    items = (await client.get("/api/v1/alarms", params={"state": "active"})).json()["items"]
    return {item["id"]: item for item in items}


async def append_other(conn: Connection, plant: Plant) -> None:
    await append_events(conn, [event(plant, 1, plant.enterprises[1], type="risk")])
    await conn.commit()
