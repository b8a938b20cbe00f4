"""KPIs of positions as the api and the command line tell them, from a journal in a database."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from math import nan
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from alerts.people import Contact
from api.options import ApiOptions
from domain.alarms import Alarm, Flag, Kind, Priority, State, Transition
from domain.cases import Level
from domain.escalation import default
from domain.frame import Lane
from domain.instant import rfc3339
from domain.risk import Colour
from hazwatch.cli import assembled
from storage.alarms import write_transitions
from storage.kpi_journal import Journals, read_journals
from storage.reading import Reading
from tests.support.alarm_month import fill
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.casework import Casework
from tests.support.clock import ManualClock
from tests.support.seed import Plant, Seed

V1 = "/api/v1"
DAY = 86_400
LONG = timedelta(days=4)
STATES = {
    (State.NORM, "raise"): State.UNACK,
    (State.UNACK, "acknowledge"): State.ACKED,
    (State.UNACK, "return"): State.RTNUN,
    (State.ACKED, "return"): State.NORM,
    (State.RTNUN, "acknowledge"): State.NORM,
}
FLAG = Flag(START, None, "li.na", "pump overhaul")


class Shift:
    """Transitions as the worker writes them."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._made: list[Transition] = []

    def alarm(
        self,
        tag: int,
        begin: float,
        *,
        kind: Kind = Kind.H,
        acknowledged: float | None = None,
        ended: float | None = None,
        priority: Priority = Priority.P3,
        lane: Lane = Lane.LIVE,
        flag: Flag | None = None,
    ) -> None:
        """An occurrence with its whole story: closed when it is acknowledged and over."""
        entry = self._plant.registry.tags[tag]
        alarm = Alarm(
            uuid4(), lane, kind, tag, entry.source, entry.enterprise, priority,
            State.NORM, at(begin), at(begin), 9.0, 8.0, nan, shelved=flag,
        )  # fmt: skip
        steps = [(begin, "raise"), (acknowledged, "acknowledge"), (ended, "return")]
        for when, event in sorted((s, e) for s, e in steps if s is not None):
            alarm = self._step(alarm, at(when), event)

    def _step(self, alarm: Alarm, when: datetime, event: str) -> Alarm:
        target = STATES[alarm.state, event]
        after = replace(alarm, state=target, n=alarm.n + 1)
        if event == "return":
            after = replace(after, ended=when)
        if target is State.NORM:
            after = replace(after, closed=when)
        self._made.append(Transition(after, alarm.state, target, event, when))
        return after

    async def write(self, url: str) -> None:
        """All of it."""
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await write_transitions(connection, self._made)


def planted(url: str) -> Plant:
    seed = Seed(url)
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("two", "enterprise", plant.enterprises[1])
    return plant


async def worked(url: str, plant: Plant) -> None:
    """From 16:00 Shanghai time: 12 alarms of the level in five minutes, one shelved, one found
    afterwards, a gas alarm after midnight that nobody acknowledges; and an orange warning."""
    shift = Shift(plant)
    level, gas = plant.tags[0]
    for n in range(12):
        begin = 25.0 * n
        shift.alarm(level, begin, acknowledged=begin + 10, ended=begin + 20)
    shift.alarm(level, 3600, flag=FLAG)
    shift.alarm(level, 3700, lane=Lane.REPLAY)
    shift.alarm(gas, 8.5 * 3600, kind=Kind.HH, priority=Priority.P1)
    shift.alarm(plant.tags[1][0], 100, acknowledged=400, ended=500)
    await shift.write(url)
    desk = Contact("webhook", "https://hooks.example.com/desk")
    cases = Casework(url, plant, {("PK", plant.park): [desk]})
    case = await cases.see(plant.sources[0], Colour.ORANGE, at(0.5))
    with Seed(url).connection() as connection:
        connection.execute("UPDATE notice SET delivered = %s WHERE channel = 'webhook'", (at(2),))
    case = await cases.sign(case, Level.ENTERPRISE, "li", at(60.5))
    case = await cases.sign(case, Level.PARK, "chen", at(400.5))
    await cases.reviewed(case, at(1000.5))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Api, httpx.AsyncClient]]:
    """The api a day after the start, and a client of the park's operator."""
    async with api_in_loop(url, clock=ManualClock(at(DAY))) as api:
        yield api, await api.login("park")


async def kpi(client: httpx.AsyncClient, **asked: str | int) -> dict[str, Any]:
    answer = await client.get(V1 + "/kpi", params={"from": rfc3339(START), **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_day_by_hand_on_either_database(database_url: str):
    plant = planted(database_url)
    async with opened(database_url) as (_, park):
        # an empty journal is no error
        (one,) = (await kpi(park, node=plant.enterprises[0]))["positions"]
        assert (one["annunciated"], one["top"], one["top_share"]) == (0, [], None)
        assert one["warnings"]["all"]["signed"]["share"] is None
        await worked(database_url, plant)
        both = await kpi(park)
        assert (both["desk"], both["timezone"]) == ("enterprise", "Asia/Shanghai")
        assert {one["code"]: one["annunciated"] for one in both["positions"]} == {"e1": 13, "e2": 1}
        assert [one["chart"] for one in both["positions"]] == [None, None]
        (one,) = (await kpi(park, node=plant.enterprises[0]))["positions"]
        _alarms_by_hand(one)
        _warnings_by_hand(one["warnings"])
        # after midnight in Shanghai is before it in London
        (one,) = (await kpi(park, node=plant.enterprises[0], tz="Europe/London"))["positions"]
        assert one["rates"]["max_day"] == 13
        await _park_desk_by_hand(park, plant)
    await asyncio.to_thread(_command_tells_the_same, database_url)


def _alarms_by_hand(one: dict[str, Any]) -> None:
    assert (one["annunciated"], one["muted"], one["enough_data"]) == (13, 1, False)
    assert one["rates"]["per_day"] == 13
    assert (one["rates"]["max_day"], one["rates"]["max_10_min"]) == (12, 12)
    # the tenth sounds at 225 s; the fifth-newest of twelve at 175 s leaves at 775 s
    assert (one["floods"]["number"], one["floods"]["seconds"]) == (1, 550)
    top = one["top"][0]
    assert (top["name"], top["kind"], top["place"], top["count"]) == ("LI101", "H", "液氨罐区", 12)
    (chatter,) = one["chattering"]
    assert (chatter["name"], chatter["spells"], chatter["activations"]) == ("LI101", 1, 12)
    # pauses of 5 s between 12 alarms of 20 s
    calmed = {
        "noisy": 12,
        "off_delay": {"longer_s": 6, "joined": 11},
        "on_delay": {"longer_s": 21, "dropped": 12},
    }
    assert top["advice"] == chatter["advice"] == calmed
    assert one["top"][1]["advice"] is None
    assert one["priorities"] == {"P1": 1, "P2": 0, "P3": 12, "P4": 0}
    assert one["acknowledge"]["P3"] == {"number": 12, "open": 0, "p50_s": 10, "p90_s": 10}
    assert one["acknowledge"]["P1"] == {"number": 0, "open": 1, "p50_s": None, "p90_s": None}
    assert one["close"]["P3"]["p50_s"] == 20
    assert sum(one["chart"]["counts"]) == 13
    assert [(row["day"], sum(n or 0 for n in row["hours"])) for row in one["heat"]] == [
        ("2026-11-21", 12),
        ("2026-11-22", 1),
    ]
    assert one["unauthorised"] == 0


def _warnings_by_hand(warnings: dict[str, Any]) -> None:
    assert warnings["cases"] == 1
    orange, level = warnings["by_colour"]["orange"], warnings["by_level"]
    assert level["enterprise"]["signed_in_time"] == {"of": 1, "done": 1, "share": 1}
    assert level["park"]["signed"] == {"of": 1, "done": 1, "share": 1}
    assert level["park"]["signed_in_time"] == {"of": 1, "done": 0, "share": 0}
    assert level["county"]["signed"] == {"of": 1, "done": 0, "share": 0}
    assert orange["disposed_in_time"] == {"of": 1, "done": 1, "share": 1}
    assert (orange["feedback"]["p50_s"], level["park"]["receive"]["p50_s"]) == (1000, 400)


async def _park_desk_by_hand(park: httpx.AsyncClient, plant: Plant) -> None:
    """It is judged by what it was told, and by nothing else."""
    (one,) = (await kpi(park, desk="park"))["positions"]
    assert (one["code"], one["annunciated"], one["priorities"]["P2"]) == ("p1", 1, 1)
    top = one["top"][0]
    assert (top["kind"], top["name"], top["tag"], top["count"]) == (None, "液氨罐区", None, 1)
    assert one["acknowledge"]["P2"]["p50_s"] == 398.5
    assert (await kpi(park, node=plant.park))["desk"] == "park"


def _command_tells_the_same(url: str) -> None:
    def run(*words: str):
        period = ("--from", "2026-11-21T16:00", "--to", "2026-11-22T16:00")
        return CliRunner().invoke(assembled(), ["kpi", *period, *words, "--database-url", url])

    found = json.loads(run("--output", "json").stdout)
    assert {one["code"]: one["annunciated"] for one in found} == {"e1": 13, "e2": 1}
    rows = list(csv.DictReader(io.StringIO(run("--enterprise", "e1", "--output", "csv").stdout)))
    flood = next(row for row in rows if row["kpi"] == "in_flood")
    assert float(flood["value"]) == pytest.approx(550 / DAY, abs=1e-6)
    assert (flood["target"], flood["met"]) == ("0.01", "True")
    shown = run("--enterprise", "e1").stdout
    for words in ("13 alarms annunciated", "1 muted", "less than 30 say little", "LI101 H", "█",
                  "+6 s joins 11 of 12"):  # fmt: skip
        assert words in shown
    assert "e2" in run().stdout
    assert run("--enterprise", "nowhere").exit_code == 1
    assert CliRunner().invoke(assembled(), ["kpi", "--last", "soon"]).exit_code == 2


async def test_a_division_is_a_city_and_limits_are_those_of_the_jurisdiction(timescale_url: str):
    plant = planted(timescale_url)
    Seed(timescale_url).person("city", "operator", plant.province)
    with Seed(timescale_url).connection() as connection:
        connection.execute("UPDATE node SET kind = 'division' WHERE id = %s", (plant.province,))
    await worked(timescale_url, plant)
    shipped = default()
    orange = replace(shipped.colours[Colour.ORANGE], receive_within_s=500.0)
    slow = replace(shipped, colours=dict(shipped.colours) | {Colour.ORANGE: orange})
    options = ApiOptions(by_node={("p1",): slow})
    async with api_in_loop(timescale_url, options, ManualClock(at(DAY))) as api:
        city = await api.login("city")
        found = await kpi(city, node=plant.province)
        assert (found["desk"], [one["code"] for one in found["positions"]]) == ("city", ["gansu"])
        (one,) = (await kpi(city, desk="park"))["positions"]
        # 400 s; the shipped ladder allows 300
        assert one["warnings"]["by_level"]["park"]["signed_in_time"]["done"] == 1


async def test_one_sees_only_ones_own_and_is_told_what_cannot_be_asked(timescale_url: str):
    plant = planted(timescale_url)
    async with opened(timescale_url) as (api, park):
        two = await api.login("two")
        assert [one["code"] for one in (await kpi(two))["positions"]] == ["e2"]
        assert (await kpi(two, desk="park"))["positions"] == []
        refused = await two.get(f"{V1}/kpi", params={"node": plant.enterprises[0]})
        assert refused.status_code == 404
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await api.client.get(f"{V1}/kpi")).status_code == 401
        for asked, parameter in (
            ({"from": rfc3339(at(DAY)), "to": rfc3339(at(DAY))}, "from"),
            ({"from": rfc3339(at(-400 * DAY))}, "from"),
            ({"tz": "Mars/Olympus"}, "tz"),
        ):
            answer = await park.get(f"{V1}/kpi", params=asked)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["parameter"] == parameter
        assert (await park.get(f"{V1}/kpi", params={"desk": "moon"})).status_code == 422
        shift = Shift(plant)
        level, gas = plant.tags[0]
        shift.alarm(level, -3 * DAY, acknowledged=-2 * DAY)
        shift.alarm(gas, -3 * DAY, ended=-1.5 * DAY)
        await shift.write(timescale_url)
        (one,) = (await kpi(park, node=plant.enterprises[0]))["positions"]
        assert (one["stale_on_a_day"], one["stale_at_end"]) == (1, 1)
        span = {"from": rfc3339(at(-3 * DAY)), "to": rfc3339(at(-1.9 * DAY))}
        (one,) = (await kpi(park, node=plant.enterprises[0], **span))["positions"]
        assert (one["stale_on_a_day"], one["stale_at_end"]) == (2, 2)


async def test_some_enterprises_at_a_time_are_read_as_all_at_once(timescale_url: str):
    month = await asyncio.to_thread(fill, timescale_url, 5000, days=3)
    async with Reading(timescale_url) as reading:
        found = await reading.rows("kpi_sizes", **{"from": START - LONG, "to": START + LONG})
        enterprises = [row["enterprise"] for row in found]

        async def read(who: list[int], most: int) -> list[tuple[list[int], Journals]]:
            begin = month.end - LONG
            return [part async for part in read_journals(reading, who, begin, month.end, most)]

        ((_, whole),) = await read(enterprises, 10**9)
        in_turn = await read(enterprises, 400)
        assert len(in_turn) > 5
        ((_, few),) = await read(enterprises[:3], 10**9)
        assert few.journal.keys() == set(enterprises[:3])
        parts = [*in_turn, (enterprises[:3], few)]
        for who, part in ((who, part) for them, part in parts for who in them):
            assert _rows(part, who) == _rows(whole, who)
            spans = [one.standing(who, START - LONG, START, DAY) for one in (part, whole)]
            assert sorted(zip(*spans[0], strict=True)) == sorted(zip(*spans[1], strict=True))
        # rows of raise, acknowledge, return count; those of shelves too
        assert sum(len(journal) for journal in whole.journal.values()) == month.rows


def _rows(journals: Journals, enterprise: int) -> list[tuple[object, ...]]:
    one = journals.of(enterprise)
    subjects = [journals.subjects[number] for number in one.subject.tolist()]
    columns = one.at.tolist(), subjects, one.priority.tolist(), one.what.tolist()
    return sorted(zip(*columns, strict=True), key=repr)
