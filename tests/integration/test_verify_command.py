"""`hazwatch warnings verify`: recorded, waited for, answered."""

import asyncio
import json

from typer.testing import CliRunner, Result

from domain.clock import SystemClock
from domain.risk import Colour
from hazwatch.cli import assembled
from tests.support.builders import at
from tests.support.casework import Casework
from tests.support.seed import Seed

APP = assembled()


async def says(cases: Casework, *words: str) -> Result:
    """What the command prints, while a worker does what is asked for."""
    async with asyncio.TaskGroup() as tasks:
        said = asyncio.to_thread(CliRunner().invoke, APP, ["warnings", *words])
        command = tasks.create_task(said)
        while not command.done():
            await cases.apply_actions(at(60))
            await SystemClock().sleep(0.05)
    return command.result()


async def test_the_park_verifies_a_red_and_the_list_asks_for_it_no_more(database_url: str):
    seed = Seed(database_url)
    plant = seed.plant()
    seed.person("chen", "operator", plant.park)
    seed.person("li", "enterprise", plant.enterprises[0])
    cases = Casework(database_url, plant)
    red = await cases.see(plant.sources[0], Colour.RED)
    orange = await cases.see(plant.sources[1], Colour.ORANGE)
    url = ("--database-url", database_url)

    listed = json.loads((await says(cases, "list", "--output", "json", *url)).stdout)
    assert {row["colour"]: row["verify_by"] is not None for row in listed} == {
        "red": True,
        "orange": False,
    }
    assert "待核实" in (await says(cases, "show", str(red.id), *url)).stdout

    mine = ("verify", str(red.id), *url)
    refused = await says(cases, *mine, "--as", "li")
    assert refused.exit_code == 1
    assert "red is verified (核实) by a park" in refused.output
    other = await says(cases, "verify", str(orange.id), "--as", "chen", *url)
    assert other.exit_code == 1
    assert "only red is verified (核实), and the colour is orange" in other.output
    done = await says(cases, *mine, "--as", "chen", "--comment", "现场确认泄漏")
    assert done.exit_code == 0, done.output
    assert "核实 verified, by chen" in done.stdout
    again = await says(cases, *mine, "--as", "chen", "--output", "json")
    assert json.loads(again.stdout)["already"]["by"] == "chen"

    listed = json.loads((await says(cases, "list", "--output", "json", *url)).stdout)
    assert [row["verify_by"] for row in listed] == [None, None]
    shown = await says(cases, "show", str(red.id), *url)
    assert "现场确认泄漏" in shown.stdout
    document = json.loads((await says(cases, "show", str(red.id), "--output", "json", *url)).stdout)
    assert document["loop"]["verified"]["by"] == "chen"
    assert document["transitions"][-1]["event"] == "verify"
