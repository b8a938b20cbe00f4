"""The webhook channel against a real HTTP server."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alerts.channels.channel import DeliveryError
from alerts.channels.webhook import WebhookChannel
from domain.alarms import Notice
from tests.support.clock import ManualClock
from tests.support.webhooks import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
async def channel():
    async with opened("key") as channel:
        yield channel


@asynccontextmanager
async def opened(secret: str = "") -> AsyncIterator[WebhookChannel]:
    channel = WebhookChannel(secret)
    yield channel
    await channel.close()


def notice(url: str) -> Notice:
    body: dict[str, object] = {"type": "alarm", "text": "液位 高高报"}
    return Notice(
        UUID(int=5), UUID(int=6), "webhook", url, body, datetime(2026, 11, 21, tzinfo=UTC)
    )


async def test_notice_arrives_signed_and_with_its_key(receiver, channel):
    await channel.send(notice(receiver.url))
    ((headers, body),) = receiver.got
    assert json.loads(body) == {"type": "alarm", "text": "液位 高高报"}
    assert headers["Idempotency-Key"] == str(UUID(int=5))
    signature = hmac.new(b"key", body, hashlib.sha256).hexdigest()
    assert headers["X-Hazwatch-Signature"] == f"sha256={signature}"


PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text("utf-8")
(VERIFY,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def test_the_example_of_the_page_tells_ours_from_a_forgery_and_from_a_repeat(receiver):
    meant = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
    channel = WebhookChannel("key", clock=ManualClock(meant))
    await channel.send(notice(receiver.url))
    await channel.close()
    ((headers, body),) = receiver.got
    names: dict[str, Any] = {}
    exec(VERIFY, names)
    ours, now = names["is_ours"], meant.timestamp()
    assert headers["X-Hazwatch-Timestamp"] == str(int(now))
    assert ours(b"key", headers, body, now)
    assert ours(b"key", headers, body, now + 299)
    assert not ours(b"other", headers, body, now)
    assert not ours(b"key", headers, body + b" ", now)
    assert not ours(b"key", headers, body, now + 301)
    later = headers | {"X-Hazwatch-Timestamp": str(int(now) + 600)}
    assert not ours(b"key", later, body, now + 600)
    assert not ours(b"key", {}, body, now)


async def test_a_drill_is_marked(receiver, channel):
    one = notice(receiver.url)
    one.body["drill"] = True
    await channel.send(one)
    ((_, body),) = receiver.got
    assert json.loads(body) == {"type": "alarm", "text": "【演练 DRILL】液位 高高报", "drill": True}


async def test_a_wrong_address_is_not_repeated_in_its_error(channel):
    with pytest.raises(DeliveryError) as told:
        await channel.send(notice("http://desk:s3cret"))
    assert "s3cret" not in str(told.value)


async def test_the_address_is_called_as_it_was_given(receiver, channel):
    """Some receivers sign it."""
    said = "/hook?sp=%2Ftriggers%2Fx%41~%7E&sig=a%2Bb%3D"
    await channel.send(notice(receiver.url.replace("/hook", said)))
    assert receiver.paths == [said]


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_called_instead(receiver, monkeypatch, name):
    for other in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, receiver.url.removesuffix("/hook"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with opened() as channel:
        await channel.send(notice("http://hooks.invalid/desk"))
        await channel.send(notice(receiver.url))
        await channel.send(notice(receiver.url.replace("//", "//li:s3cret@")))
    assert receiver.paths == ["http://hooks.invalid/desk", "/hook", "/hook"]


async def test_a_proxy_that_cannot_be_used_is_not_passed_by(receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    async with opened() as channel:
        with pytest.raises(DeliveryError, match=r"no proxy that can be used \(socks5\)"):
            await channel.send(notice(receiver.url))
    assert receiver.got == []


async def test_no_password_of_this_machine_goes_out(receiver, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login li password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with opened() as channel:
        await channel.send(notice(receiver.url))
    ((headers, _),) = receiver.got
    assert "Authorization" not in headers


async def test_names_that_nobody_answers_for_keep_no_other_address_waiting(receiver, channel):
    """They hold the threads in which names are looked up."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    free = threading.Event()
    held = asyncio.get_running_loop().run_in_executor(None, free.wait)
    await channel.send(notice(receiver.url))
    assert not held.done()
    free.set()
    await held


async def test_a_long_head_of_an_answer_is_an_answer(receiver, channel):
    receiver.status, receiver.said = 200, {"X-Long": "x" * 20_000}
    await channel.send(notice(receiver.url))


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_any_other_answer_is_a_failed_delivery(receiver, channel, status):
    receiver.status = status
    with pytest.raises(DeliveryError, match=str(status)):
        await channel.send(notice(receiver.url))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9/", r"^no connection: .*127\.0\.0\.1"),
        ("http://none.invalid/s3cret", r"^no connection: "),
        ("nonsense", r"^no address that can be called \(\w+\)$"),
        ("ftp://x/", r"^no address that can be called \(\w+\)$"),
    ],
)
async def test_nobody_there_or_no_such_address_is_a_failed_delivery(channel, url, why):
    with pytest.raises(DeliveryError, match=why) as told:
        await channel.send(notice(url))
    assert "s3cret" not in str(told.value)


async def test_an_answer_that_never_ends_is_a_failed_attempt():
    left = asyncio.Event()

    async def heartbeat(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"1\r\n.\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)  # noqa: TID251  (a real server, slow as it is)
        writer.close()
        left.set()

    server = await asyncio.start_server(heartbeat, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    impatient = WebhookChannel(timeout_s=0.3)
    with pytest.raises(DeliveryError, match=r"no whole answer within 0\.3 s"):
        await impatient.send(notice(f"http://127.0.0.1:{port}/"))
    await impatient.close()
    async with asyncio.timeout(10):
        await left.wait()
    server.close()
    await server.wait_closed()
