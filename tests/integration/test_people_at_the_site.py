"""Contact file and ladders held against the site in a real database, before anything is red."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.options import ApiOptions
from domain.escalation import default
from domain.risk import Colour
from hazwatch import doctor_people
from hazwatch.cli import assembled
from hazwatch.doctor import Area, Outcome
from hazwatch.settings import Settings
from hazwatch.warning_rules import ladders_of
from storage.database import DatabaseOptions, connect
from tests.support.api import api_in_loop
from tests.support.casework import Casework
from tests.support.seed import Seed

APP = assembled()
SHIPPED = Path(__file__).parents[2] / "domain" / "data" / "escalation.toml"


def contact(role: str, node: str) -> str:
    return f'[[contact]]\nrole = "{role}"\nnode = "{node}"\nchannel = "log"\naddress = "x"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Everybody but FR is named; OP at one of two enterprises."""
    roles = [role for role in default().roles if role not in ("FR", "OP")]
    file = tmp_path / "contacts.toml"
    said = [contact(role, "p1") for role in roles] + [contact("OP", "p1/e1")]
    file.write_text("".join(said), "utf-8")
    return file


@pytest.fixture
def url(timescale_url: str) -> str:
    Seed(timescale_url).plant()
    return timescale_url


def hazwatch(url: str, *words: object, **more: str) -> Result:
    env = {"HAZWATCH_DATABASE_URL": url, "COLUMNS": "150", **more}
    return CliRunner().invoke(APP, [*map(str, words)], env=env)


async def diagnosed(url: str, **given: Any) -> list[tuple[str, Outcome, str]]:
    async with await connect(DatabaseOptions(url)) as conn:
        found = await doctor_people.look(conn, Settings(**given), Area("database"))
    return [(one.check, one.outcome, one.found) for one in found]


async def test_the_doctor_names_roles_without_anybody_and_nodes_that_are_not_there(url, file):
    levels, *people = await diagnosed(url, contacts_file=file)
    assert levels[2] == (
        "can sign: enterprise, park, province; no node, so nobody signs: county, city, fire"
    )
    assert [one[:2] for one in people] == [("people", Outcome.WARNING)] * 2
    text = file.read_text("utf-8")
    file.write_text(text + contact("FR", "my-prak") + contact("OP", "e2"), "utf-8")
    (stray, _, hole) = await diagnosed(url, contacts_file=file)
    assert stray == (
        "people",
        Outcome.FAILED,
        "contact FR: the site has no node 'my-prak', or several",
    )
    assert "FR (told at once 立即通知) has nobody for 2 of 2 sources: gansu/p1/e1/s1" in hole[2]
    file.write_text(text + contact("FR", "gansu") + contact("OP", "e2"), "utf-8")
    assert {one[1] for one in await diagnosed(url, contacts_file=file)} == {Outcome.OK}
    wrong = {"contacts_file": file, "escalation_ladders": {"p2": SHIPPED}}
    assert (await diagnosed(url, **wrong))[0][:2] == ("ladders", Outcome.FAILED)


def test_roster_commands_hold_the_file_against_the_site(url, file):
    done = hazwatch(url, "roster", "gaps", "--file", file)
    assert (done.exit_code, "FR (told at once" in done.output) == (1, True)
    done = hazwatch(url, "roster", "gaps", "--file", file, "--role", "OP", "--output", "csv")
    (hole,) = csv.DictReader(io.StringIO(done.stdout))
    assert (hole["role"], hole["node"], hole["told_instead"]) == ("OP", "gansu/p1/e2/s1", "")
    assert hazwatch(url, "roster", "gaps", "--file", file, "--role", "PK").exit_code == 0
    done = hazwatch(url, "roster", "check", file)
    assert (done.exit_code, "OP (told at once" in done.output) == (1, True)
    file.write_text(file.read_text("utf-8") + contact("OP", "p1") + contact("FR", "gansu"), "utf-8")
    assert hazwatch(url, "roster", "check", file).exit_code == 0
    gone = hazwatch("postgresql://127.0.0.1:1/x", "roster", "check", file)
    assert (gone.exit_code, "not held against the site" in gone.stderr) == (0, True)


async def test_api_and_command_say_which_ladder_a_source_has_and_count_by_it(
    timescale_url, tmp_path
):
    seed = Seed(timescale_url)
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("two", "enterprise", plant.enterprises[1])
    text = SHIPPED.read_text("utf-8").replace('"2026-11"', '"own"')
    file = tmp_path / "own.toml"
    file.write_text(text.replace("{ value = 10,", "{ value = 7,", 1), "utf-8")
    cases = Casework(timescale_url, plant)
    for source in plant.sources:
        await cases.see(source, Colour.YELLOW)
    named = {"HAZWATCH_ESCALATION_LADDERS": f"p1/e1={file}"}
    ladders = ladders_of(Settings(escalation_ladders={"p1/e1": file}))
    options = ApiOptions(ladder=ladders.default, by_node=ladders.by_node)
    async with api_in_loop(timescale_url, options) as api:
        park, two = await api.login("park"), await api.login("two")
        found = [(await park.get(f"/api/v1/sources/{one}/ladder")).json() for one in plant.sources]
        assert [(one["node"], one["version"]) for one in found] == [
            ("p1/e1", "own"),
            (None, default().version),
        ]
        assert [one["colours"][0]["sign_within_s"] for one in found] == [420.0, 600.0]
        assert found[0]["roles"][0]["level"] == "enterprise"
        unseen = await two.get(f"/api/v1/sources/{plant.sources[0]}/ladder")
        assert unseen.status_code == 404
        items = (await park.get("/api/v1/warnings")).json()["items"]
        assert {one["source"]: one["sign_within_s"] for one in items} == {
            str(plant.sources[0]): 420.0,
            str(plant.sources[1]): 600.0,
        }
    for words, where in (("e1/s1", ("p1/e1", str(file))), ("e2/s1", (None, "the shipped ladder"))):
        asked = ("warnings", "ladder", words)
        done = await asyncio.to_thread(hazwatch, timescale_url, *asked, "--output", "json", **named)
        shown = json.loads(done.stdout)
        assert (shown["node"], shown["file"]) == where
        read = (await asyncio.to_thread(hazwatch, timescale_url, *asked, **named)).stdout
        assert "at once 立即" in read
        assert where[1] in read.replace("\n", "")
    listed = await asyncio.to_thread(
        hazwatch, timescale_url, "warnings", "list", "--output", "json", **named
    )
    first, second = sorted(json.loads(listed.stdout), key=lambda one: str(one["enterprise"]))
    assert first["sign_by"] < second["sign_by"]
