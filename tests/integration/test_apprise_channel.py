"""The apprise channel against real servers on loopback.

Apprise has the hosts of WeCom, DingTalk and Feishu written into its classes: there the class is
told to call our server; everything else is as in operation. Mail and JSON name their server.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from alerts.channels.apprise_address import Address
from alerts.channels.apprise_channel import AT_ONCE, AppriseChannel
from alerts.channels.channel import DeliveryError
from alerts.wording import Wording
from domain.alarms import Notice
from domain.clock import SystemClock
from hazwatch.notice_samples import SAMPLES
from hazwatch.wordings import shipped, writer
from tests.support.notice_servers import Letters, Robot, mail_server, robot

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
ROOT = Path(__file__).parents[2]
KEY = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"
WECOM = f"wecombot://{KEY}"
DINGTALK = f"dingtalk://{KEY.replace('-', '')}"
FEISHU = f"feishu://{KEY}"
LARK = f"lark://{KEY}"
WORDS = Wording(*shipped(), ZoneInfo("Asia/Shanghai"))


def notice(address: str, sample: str = "gas raised", id: int = 5, **body: object) -> Notice:
    when = datetime(2026, 11, 22, 19, 16, 30, tzinfo=UTC)
    return Notice(UUID(int=id), UUID(int=6), "apprise", address, SAMPLES[sample] | body, when)


def channel(timeout_s: float = 10.0) -> AppriseChannel:
    return AppriseChannel(writer(WORDS, "zh-CN"), timeout_s)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    """One server for the three robots."""
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.feishu import NotifyFeishu
    from apprise.plugins.lark import NotifyLark
    from apprise.plugins.wecombot import NotifyWeComBot

    with robot() as server:
        ways = {
            NotifyWeComBot: "/cgi-bin/webhook/send?key={key}",
            NotifyDingTalk: "/robot/send?access_token={token}",
            NotifyFeishu: "/open-apis/bot/v2/hook/{token}/",
            NotifyLark: "/open-apis/bot/v2/hook/",
        }
        for plugin, path in ways.items():
            monkeypatch.setattr(plugin, "notify_url", server.url + path)
        yield server


@pytest.fixture
def letters() -> Iterator[Letters]:
    with mail_server() as server:
        yield server


async def test_wecom_gets_title_and_body_as_text(service):
    await channel().send(notice(WECOM))
    ((path, body),) = service.got
    assert path == f"/cgi-bin/webhook/send?key={KEY}"
    assert body["msgtype"] == "text"
    lines = body["text"]["content"].splitlines()
    assert lines[0] == "P1紧急报警：液氨罐区 AT-101 气体二级报警"
    assert "当前值：52.3 ppm" in lines
    assert "确认时限：1分钟内，即 2026-11-23 03:17:30（UTC+8）前" in lines


async def test_dingtalk_gets_markdown_and_its_signature(service):
    await channel().send(notice(f"dingtalk://SECret123456@{KEY.replace('-', '')}", name_="x"))
    ((path, body),) = service.got
    assert path.startswith(f"/robot/send?access_token={KEY.replace('-', '')}&timestamp=")
    assert "&sign=" in path
    assert body["msgtype"] == "markdown"
    assert body["markdown"]["title"] == "P1紧急报警：液氨罐区 AT-101 气体二级报警"
    assert "**当前值**：52.3 ppm\n\n**二级设定值**：50 ppm" in body["markdown"]["text"]


async def test_dingtalk_gets_text_where_its_address_says_so(service):
    await channel().send(notice(f"{DINGTALK}?format=text"))
    assert "\n当前值：52.3 ppm\n" in service.got[0][1]["text"]["content"].replace("\r", "")


@pytest.mark.parametrize("address", [FEISHU, LARK])
async def test_feishu_and_lark_get_text(service, address):
    await channel().send(notice(f"{address}?hw_language=en", "warning opened"))
    ((path, body),) = service.got
    assert path.startswith(f"/open-apis/bot/v2/hook/{KEY}")
    text = body["content"]["text"]
    assert body["msg_type"] == "text"
    assert text.splitlines()[0] == "Orange warning (level Ⅱ): 示范化工有限公司, 液氨罐区"
    assert "Sign within: 5 min, that is by 2026-11-23 03:20:12 (UTC+8)" in text


async def test_the_language_of_a_person_is_kept_unless_the_address_has_its_own(service):
    await channel().send(notice(WECOM, language="en"))
    await channel().send(notice(f"{WECOM}?hw_language=zh-CN", language="en"))
    first, second = (body["text"]["content"] for _, body in service.got)
    assert first.startswith("P1 urgent alarm:")
    assert second.startswith("P1紧急报警：")


async def test_short_form_and_drill_mark(service):
    await channel().send(notice(f"{WECOM}?hw_form=short", "drill"))
    assert service.got[0][1]["text"]["content"] == (
        "【演练 DRILL】【橙色预警】示范化工有限公司液氨罐区，03:15起，请03:20前签收并处置"
    )


async def test_an_sms_gateway_gets_the_short_form(service, monkeypatch):
    from apprise.plugins.seven import NotifySeven

    monkeypatch.setattr(NotifySeven, "notify_url", service.url + "/api/sms")
    await channel().send(notice("seven://0123456789abcdef0123/8613800138000"))
    ((_, body),) = service.got
    assert body["text"].startswith(
        "【P1紧急】液氨罐区 AT-101气体二级报警 52.3 ppm（限50 ppm），03:15起"
    )


async def test_mail_arrives_as_a_letter(letters):
    address = f"mailto://127.0.0.1:{letters.port}?from=watch@example.org&to=zhang@example.org"
    await channel().send(notice(address, "drill"))
    (letter,) = letters.got
    assert letter["Subject"] == "【演练 DRILL】橙色预警（Ⅱ级）：示范化工有限公司 液氨罐区"
    assert "zhang@example.org" in letter["To"]
    body = letter.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r", "")
    assert text.startswith("【演练 DRILL】\n演练：chen.jing 发起，至 04:00，")
    assert "\n预警：橙色（Ⅱ级）\n危险源：液氨罐区\n" in text
    assert "签收时限：5 分钟内，即 2026-11-23 03:20:12（UTC+8）前" in text


async def test_mail_that_is_refused_is_a_failed_delivery(letters):
    letters.refuse = True
    address = f"mailto://li:s3cret@127.0.0.1:{letters.port}?from=a@example.org&to=b@example.org"
    with pytest.raises(
        DeliveryError, match=r"mailto: .*; check address, server and account"
    ) as told:
        await channel().send(notice(address))
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("address", [WECOM, DINGTALK, FEISHU, LARK])
@pytest.mark.parametrize(
    ("behave", "answer", "reason"),
    [
        (200, {"errcode": 93000, "errmsg": "invalid webhook url KEY", "code": 19001,
               "msg": "param invalid KEY"}, "refused it: .* invalid.*; check"),
        (200, {}, "gave no answer that says it took it"),
        (200, "not an object", "gave no answer that says it took it"),
        (500, {}, "the service answered 500: it is out of order"),
        (404, {}, "answered 404: the service does not know this address"),
        ("close", None, r"no connection to the service \(ConnectionError\): is the way out"),
        ("redirect", None, "answered 302: it moved; give its new address"),
    ],
)  # fmt: skip
async def test_what_is_not_taken_is_told_without_the_key(service, address, behave, answer, reason):
    own = address.split("://")[1]
    service.behave = behave
    service.answer = json.loads(json.dumps(answer).replace("KEY", own))
    with pytest.raises(DeliveryError, match=reason) as told:
        await channel().send(notice(address))
    assert str(told.value).startswith(address.split("://")[0])
    assert own not in str(told.value)
    assert len(service.got) == 1


async def test_nobody_listens():
    with pytest.raises(DeliveryError, match=r"no connection to the service .*firewall"):
        await channel().send(notice("json://127.0.0.1:1/s3cret"))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "expected SERVICE://"),
        ("nosuchthing://abc", "apprise can't use this address"),
        ("wecombot://!", "apprise can't use this address"),
        ("wecombot://KEY?hw_language=fr", "hw_language is 'fr'"),
    ],
)
async def test_an_address_that_cannot_be_used_says_so(address, reason):
    with pytest.raises(DeliveryError, match=reason):
        await channel().send(notice(address))


async def test_one_address_that_hangs_delays_no_other_and_fails_in_time(service):
    impatient, clock = channel(3.0), SystemClock()
    await impatient.send(notice(WECOM, id=99))
    with robot() as stuck:
        stuck.behave = "hang"
        hung = f"json://127.0.0.1:{stuck.server_port}/s3cret"
        begun = clock.elapsed()
        hanging = [asyncio.ensure_future(impatient.send(notice(hung, id=n))) for n in range(40)]
        for n in range(10):
            await impatient.send(notice(WECOM, id=100 + n))
        assert not any(one.done() for one in hanging)
        told = await asyncio.gather(*hanging, return_exceptions=True)
        assert clock.elapsed() - begun < 6
        assert all(isinstance(one, DeliveryError) for one in told)
        assert not [one for one in told if "s3cret" in str(one)]
        assert len(stuck.got) <= 4 * AT_ONCE
    assert len(service.got) == 11


async def test_while_attempts_hang_further_ones_fail_at_once(monkeypatch):
    from alerts.channels import apprise_sending

    freed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stuck(address: Address, message: Any, timeout_s: float) -> None:
        asyncio.run_coroutine_threadsafe(freed.wait(), loop).result()

    monkeypatch.setattr(apprise_sending, "attempt", stuck)
    impatient, clock = channel(0.1), SystemClock()
    for _ in range(AT_ONCE):
        with pytest.raises(DeliveryError, match=r"wecombot: no answer within 0\.1 s"):
            await impatient.send(notice(WECOM))
    begun = clock.elapsed()
    with pytest.raises(DeliveryError, match="attempts before hang still"):
        await impatient.send(notice(WECOM))
    assert clock.elapsed() - begun < 0.05
    freed.set()
    async with asyncio.timeout(5):
        while impatient.hanging(WECOM):
            await clock.sleep(0.01)
    await impatient.send(notice(WECOM))


async def test_a_burst_to_a_healthy_address_arrives_whole(service):
    service.pause_s = 0.01
    good = channel()
    await asyncio.gather(*(good.send(notice(WECOM, id=n)) for n in range(30)))
    assert len(service.got) == 30


async def test_secrets_are_in_no_log(service, capfd):
    service.behave = 500
    seen: list[str] = []
    root = logging.getLogger()
    hearing = logging.Handler(0)
    hearing.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    root.addHandler(hearing)
    level = root.level
    root.setLevel(0)
    try:
        for address in (WECOM, DINGTALK, FEISHU, LARK, f"json://127.0.0.1:1/{KEY}"):
            with pytest.raises(DeliveryError):
                await channel().send(notice(address))
    finally:
        root.setLevel(level)
        root.removeHandler(hearing)
    out, err = capfd.readouterr()
    said = "".join(seen) + out + err
    assert KEY not in said
    assert KEY.replace("-", "") not in said


def test_who_does_not_use_it_does_not_load_it():
    script = (
        "import sys, hazwatch.wordings, hazwatch.notice_check, hazwatch.notify_trial\n"
        "print([name for name in ('apprise', 'requests', 'markdown') if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert told.stdout.strip() == "[]"


async def test_a_hanging_attempt_does_not_hold_up_the_end_of_the_process():
    with robot() as stuck:
        stuck.behave = "hang"
        script = (
            "import asyncio, datetime, uuid\n"
            "from alerts.channels.apprise_channel import AppriseChannel\n"
            "from alerts.channels.apprise_sending import Message\n"
            "from alerts.channels.channel import DeliveryError\n"
            "from domain.alarms import Notice\n"
            "at = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)\n"
            f"one = Notice(uuid.uuid4(), uuid.uuid4(), 'apprise', 'json://127.0.0.1:{stuck.server_port}',"
            " {}, at)\n"
            "said = lambda notice, address: Message('t', 'b', 'm', 's')\n"
            "try:\n    asyncio.run(AppriseChannel(said, 1.0).send(one))\n"
            "except DeliveryError as error:\n    print(error)\n"
        )
        clock = SystemClock()
        begun = clock.elapsed()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await child.communicate()
        assert clock.elapsed() - begun < 15
        assert "within" in out.decode() or "no connection" in out.decode()
