"""`hazwatch notify` with a real database, broker, receiver, robot and mail server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest
from typer.testing import CliRunner

from hazwatch.cli import assembled
from hazwatch.notice_samples import SAMPLES
from tests.support.notice_servers import mail_server, robot
from tests.support.seed import Seed
from tests.support.webhooks import receiving

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
TOPIC = "hw/v1/events/p1/-/notice/PK"


def contacts(receiver: str, service: int, mail: int) -> str:
    return f"""
[[contact]]
role = "PK"
node = "p1"
channel = "mqtt"
address = "{TOPIC}"

[[person]]
code = "zhang"
name = "张伟"
language = "en"
channels = [
  {{ channel = "webhook", address = "{receiver}" }},
  {{ channel = "webhook", address = "http://127.0.0.1:1/s3cret" }},
  {{ channel = "apprise", address = "json://127.0.0.1:{service}/s3cret" }},
  {{ channel = "apprise", address = "mailto://127.0.0.1:{mail}?from=a@a.cn&to=b@b.cn" }},
]

[[duty]]
role = "PK"
node = "p1"
persons = ["zhang"]
"""


def told(*words: str, **env: str) -> tuple[int, str, str]:
    """Exit code, standard output and error of a command."""
    result = CliRunner().invoke(assembled(), words, env={"COLUMNS": "160", **env})
    return result.exit_code, result.stdout, result.stderr


@asynccontextmanager
async def listening(mosquitto: Any) -> AsyncIterator[asyncio.Future[Any]]:
    heard = asyncio.get_running_loop().create_future()
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as listener:
        await listener.subscribe(TOPIC, qos=1)

        async def listen() -> None:
            async for message in listener.messages:
                if not heard.done():
                    heard.set_result(json.loads(bytes(message.payload)))

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(listen())
            yield heard
            task.cancel()


async def test_a_drill_reaches_every_address_and_says_which_did_not_take_it(
    timescale_url, mosquitto, tmp_path
):
    Seed(timescale_url).plant()
    file = tmp_path / "contacts.toml"
    with receiving() as receiver, robot() as service, mail_server() as letters:
        file.write_text(contacts(receiver.url, service.server_port, letters.port), "utf-8")
        env = {
            "HAZWATCH_DATABASE_URL": timescale_url,
            "HAZWATCH_MQTT_URL": mosquitto.url,
            "HAZWATCH_CONTACTS_FILE": str(file),
        }
        test = ("notify", "test", "--role", "PK", "--node", "p1")
        async with listening(mosquitto) as heard:
            code, out, err = await asyncio.to_thread(
                told, *test, "--drill", "--output", "json", **env
            )
            published = await asyncio.wait_for(heard, 10)
        plain, shown, _ = await asyncio.to_thread(told, *test, **env)
    assert (code, plain) == (1, 1), err
    rows = {row["channel"] + row["address"]: row for row in json.loads(out)}
    assert [row["delivered"] for row in json.loads(out)] == [True, True, False, True, True]
    assert rows[f"mqtt{TOPIC}"]["person"] is None
    failed = rows["webhookhttp://127.0.0.1:1/…"]
    assert failed["person"] == "张伟"
    assert "no connection" in failed["error"]
    assert "s3cret" not in out + err + shown
    assert published["drill"] is True
    assert published["text"].startswith("【演练 DRILL】黄色预警")
    bodies = [json.loads(body) for _, body in receiver.got]
    assert [body.get("drill") for body in bodies] == [True, None]
    assert bodies[1]["type"] == "test"
    first, second = (body for _, body in service.got)
    assert first["title"].startswith("【演练 DRILL】Yellow warning (level Ⅲ)")
    assert second["title"] == "Test of hazwatch notices, nothing to do"
    subject = letters.got[0]["Subject"]
    assert subject.startswith("【演练 DRILL】Yellow warning")
    assert shown.count("delivered 已送达") == 4
    assert shown.count("failed 未送达") == 1


def test_what_is_wrong_is_said(timescale_url, tmp_path):
    Seed(timescale_url).plant()
    file = tmp_path / "contacts.toml"
    env = {"HAZWATCH_DATABASE_URL": timescale_url, "HAZWATCH_CONTACTS_FILE": str(file)}
    for words, text, code, said in (
        ("--role XX --node p1", "", 2, "no role 'XX'; known: OP, SM"),
        ("--role PK --node p9", "", 2, "the site has no node 'p9'"),
        ("--role PK --node p1", "", 1, "nobody holds PK for p1: name somebody in"),
        ("--role PK --node p1", "[[contact]]\nrole = 5\n", 2, "role is 5, expected"),
    ):
        file.write_text(text, "utf-8")
        got, _, err = told("notify", "test", *words.split(), **env)
        assert (got, said in err) == (code, True), err


def test_the_preview_shows_all_in_both_languages(tmp_path):
    code, out, _ = told("notify", "preview", "--output", "json")
    rows = json.loads(out)
    assert code == 0
    assert {row["language"] for row in rows} == {"zh-CN", "en"}
    assert len(rows) == 2 * len(SAMPLES)
    page = tmp_path / "page.html"
    assert told("notify", "preview", "--html", str(page))[0] == 0
    assert page.read_text("utf-8").count('class="card"') == len(rows)
    assert "P1紧急报警：液氨罐区 AT-101 气体二级报警" in told("notify", "preview")[1]


def test_a_broken_template_stops_preview_and_service(tmp_path, monkeypatch):
    broken = tmp_path / "en" / "test.txt"
    broken.parent.mkdir()
    broken.write_text("[short]\n$nonsense\n[title]\na\n[body]\nb\n", "utf-8")
    monkeypatch.setenv("HAZWATCH_NOTICE_TEMPLATES", str(tmp_path))
    for words in (("notify", "preview"), ("run",)):
        code, _, err = told(*words)
        assert code == 2
        assert f"{broken} line 2: no word $nonsense" in err


def test_an_address_that_its_service_cannot_use_stops_the_service(tmp_path, monkeypatch):
    file = tmp_path / "contacts.toml"
    way = 'role = "PK"\nnode = "p1"\nchannel = "apprise"\naddress = "wecombot://!s3cret!"'
    file.write_text(f"[[contact]]\n{way}\n", "utf-8")
    monkeypatch.setenv("HAZWATCH_CONTACTS_FILE", str(file))
    monkeypatch.setenv("HAZWATCH_WEBHOOKS", "https://good.example.org,nosuch://s3cret")
    code, _, err = told("run")
    assert code == 2
    assert "HAZWATCH_WEBHOOKS nosuch://…: nosuch: apprise can't use this address" in err
    assert "PK wecombot://…: wecombot: apprise can't use this address" in err
    assert "s3cret" not in err
