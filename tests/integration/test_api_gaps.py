"""What is missing, as the api and the command line tell it."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from domain.instant import rfc3339
from hazwatch.commands import gaps
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.seed import Plant, Seed

V1 = "/api/v1"
APP = typer.Typer()
APP.command()(gaps.gaps)


@pytest.fixture
def plant(timescale_url: str) -> Plant:
    """Gateway 1 was silent for 1,000 s, of which one of its two tags has come up to 600 s; its
    level for 100 s more, filled. Three messages are missing. Gateway 2 is silent."""
    seed = Seed(timescale_url)
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("two", "enterprise", plant.enterprises[1])
    one, two = plant.gateways
    level, gas = plant.tags[0]
    rows = [
        ("g1", "gateway", 0, one, None, 0, 1000, "(0,1000)", 2, None),
        ("t1", "tag", 0, one, level, 2000, 2100, "", 1, 2500),
        ("g2", "gateway", 1, two, None, 3000, None, "(3000,)", 2, None),
    ]
    with seed.connection() as connection:
        for id, kind, who, gateway, tag, begin, end, left, tags, filled in rows:
            connection.execute(
                "INSERT INTO gap (id, kind, enterprise, gateway, tag_id, time_from, time_to,"
                " remaining, tags, cause, seen_at, filled_at, filled_by)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s::tstzmultirange, %s, %s, %s, %s, %s)",
                (id, kind, plant.enterprises[who], gateway, tag, at(begin), end and at(end),
                 spans(left), tags, "gateway", at(begin + 90), filled and at(filled),
                 filled and "backfill"),
            )  # fmt: skip
        connection.execute(
            "INSERT INTO gap_part VALUES ('g1', %s, %s::tstzmultirange)", (gas, spans("(600,1000)"))
        )
        connection.execute(
            "INSERT INTO gap (id, kind, enterprise, gateway, time_from, time_to, remaining, boot,"
            " seq_from, seq_to, seq_left, cause, seen_at) VALUES ('m1', 'messages', %s, %s, %s, %s,"
            " '{}', 'b1', 5, 9, '{[5,7),[9,10)}', 'gateway', %s)",
            (plant.enterprises[0], one, at(10), at(20), at(30)),
        )
        for sent, sender in zip(plant.tags, plant.gateways, strict=True):
            for one_tag in sent:
                connection.execute("INSERT INTO tag_gateway VALUES (%s, %s)", (one_tag, sender))
    return plant


def spans(words: str) -> str:
    """(a,b) in seconds as the database writes it."""
    if not words:
        return "{}"
    begin, end = words.strip("()").split(",")
    return f"{{({rfc3339(at(float(begin)))},{rfc3339(at(float(end))) if end else ''})}}"


@pytest.fixture
async def api(timescale_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(timescale_url) as api:
        yield api


async def items(client: httpx.AsyncClient, path: str, **asked: str | int) -> list[dict[str, Any]]:
    answer = await client.get(V1 + path, params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def ids(client: httpx.AsyncClient, **asked: str | int) -> list[str]:
    return [item["id"] for item in await items(client, "/gaps", **asked)]


async def test_gaps_are_listed_newest_first_and_only_to_who_may_see_them(api: Api, plant: Plant):
    park, two = await api.login("park"), await api.login("two")
    assert await ids(park) == ["g2", "t1", "m1", "g1"]
    assert await ids(two) == ["g2"]
    assert await ids(two, gateway=plant.gateways[0]) == []
    assert await ids(park, open="true") == ["g2", "m1", "g1"]
    assert await ids(park, open="false") == ["t1"]
    assert await ids(park, kind="tag,messages") == ["t1", "m1"]
    assert await ids(park, node=plant.sources[0]) == ["t1", "m1", "g1"]
    assert await ids(park, **{"from": rfc3339(at(1500)), "to": rfc3339(at(2500))}) == ["t1"]
    first = (await park.get(f"{V1}/gaps", params={"limit": 3})).json()
    assert [item["id"] for item in first["items"]] == ["g2", "t1", "m1"]
    assert await ids(park, cursor=first["next"], limit=3) == ["g1"]
    for wrong in ({"cursor": "x"}, {"kind": "x"}, {"from": "yesterday"}):
        assert (await park.get(f"{V1}/gaps", params=wrong)).status_code == 422
    assert (await api.client.get(f"{V1}/gaps")).status_code == 401


async def test_a_gap_tells_how_much_of_it_remains_for_all_its_tags_and_for_one(
    api: Api, plant: Plant
):
    park = await api.login("park")
    open_, filled, messages, gateway = await items(park, "/gaps")
    assert (open_["state"], open_["to"], open_["tag"]) == ("open", None, None)
    assert open_["remaining"] == [[rfc3339(at(3000)), None]]
    assert (filled["state"], filled["filled_by"], filled["missing_s"]) == ("filled", "backfill", 0)
    assert (filled["tag_name"], filled["gateway_code"]) == ("LI101", "g1")
    assert (messages["seq"], messages["messages"], messages["boot"]) == ([5, 9], 3, "b1")
    assert (gateway["state"], gateway["tags"], gateway["missing_s"]) == ("missing", 2, 1400)
    level, gas = plant.tags[0]
    of_gas = await items(park, "/gaps", tag=gas, kind="gateway")
    assert [(one["missing_s"], one["remaining"]) for one in of_gas] == [
        (400, [[rfc3339(at(600)), rfc3339(at(1000))]])
    ]
    assert [one["id"] for one in await items(park, "/gaps", tag=level)] == ["t1", "m1", "g1"][::2]


async def test_completeness_is_what_is_not_missing_of_what_was_due(api: Api, plant: Plant):
    park = await api.login("park")
    period = {"from": rfc3339(START), "to": rfc3339(at(4000))}
    one, two = await items(park, "/gaps/totals", **period)
    assert one["expected_s"] == two["expected_s"] == 8000
    assert (one["missing_s"], one["completeness"]) == (1400, 1 - 1400 / 8000)
    assert (one["gaps"], one["filled"], one["messages"]) == (2, 1, 3)
    assert (two["missing_s"], two["completeness"]) == (2000, 0.75)
    half = await items(park, "/gaps/totals", **(period | {"from": rfc3339(at(500))}))
    assert half[0]["missing_s"] == 500 + 400
    wrong = await park.get(f"{V1}/gaps/totals", params={"from": rfc3339(at(10**9))})
    assert wrong.status_code == 422


def test_the_command_tells_the_same(timescale_url: str, plant: Plant):
    def run(*words: str):
        return CliRunner().invoke(APP, [*words, "--database-url", timescale_url])

    missing = json.loads(run("--output", "json").stdout)
    assert [one["id"] for one in missing] == ["g2", "m1", "g1"]
    every = list(csv.DictReader(io.StringIO(run("--all", "--output", "csv").stdout)))
    assert [(one["id"], one["state"], one["gateway"]) for one in every] == [
        ("g2", "open", "g1"),
        ("t1", "filled", "g1"),
        ("m1", "missing", "g1"),
        ("g1", "missing", "g1"),
    ]
    words = ("--totals", "--from", "2026-11-21T16:00", "--to", "2026-11-21T09:06:40+0000")
    totals = json.loads(run(*words, "--node", "p1/e1", "--output", "json").stdout)
    assert [(one["enterprise"], one["completeness"]) for one in totals] == [("e1", 0.825)]
    assert "82.500 %" in run(*words).stdout
    table = run("--all").stdout
    assert all(words in table for words in ("2026-11-21 16:00:00 │ 16 min 40 s", "LI101"))
    assert run("--gateway", "g1").exit_code == 1, "both enterprises have one"
    assert run("--gateway", "g1", "--node", "e1").exit_code == 0
    assert "there is no tag 'X'" in run("--tag", "X").stderr
    assert "nothing is missing" in run("--from", "2020-01-01", "--to", "2020-01-02").stdout
