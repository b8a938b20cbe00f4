"""The canary: a breach a second, and how long each takes from the gateway to the live stream.

It goes the whole way that an alarm of a plant goes: MQTT, worker, database, and HTTP as a page of
an operator has it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import httpx
import numpy as np

from domain.clock import Clock
from hazwatch.demo_servers import DemoError
from hazwatch.demo_site import CANARIES, Account, canary
from simulators.message import Sample

EVERY_S = 1.0
BREACH_S = 0.5
"""A breach lasts so long; the next canary's comes when its own turn has come."""
HEARD_WITHIN_S = 15.0
"""The first message is stored and receipted by then, or our way in is not open."""
ARRIVES_WITHIN_S = 10.0
"""After the last breach; what has not arrived by then never does."""
SILENCE_S = 20.0
"""The stream says something every 5 s; after so long it is dead."""
RETRY_S = 0.5


class Line(Protocol):
    """A gateway's line to the broker."""

    async def run(self) -> None:
        """Stay connected until cancelled."""
        ...

    async def offer(self, samples: Sequence[Sample]) -> None:
        """Send samples in one message."""
        ...

    async def drained(self) -> None:
        """Return when every message is stored."""
        ...


class Canary:
    """Use as `async with canary.ready()`, then `sing`; afterwards read what it counted.

    values, messages: published by `sing`. sent: breaches among them; seen: those whose alarm has
    come. It acknowledges each alarm that it sees, so that none of them stays on a list; whether
    that succeeds is no part of the test.
    """

    def __init__(self, gateway: Line, page: str, account: Account, clock: Clock) -> None:
        self.values = self.messages = self.sent = self.seen = 0
        self._gateway = gateway
        self._page = page
        self._account = account
        self._clock = clock
        self._waiting: dict[str, float] = {}
        self._delays: list[float] = []
        self._last_id: str | None = None
        self._all_seen = asyncio.Event()

    def latency_ms(self, percent: float) -> float | None:
        """The delay that so many percent of the seen alarms kept, in ms; None if none was seen."""
        if not self._delays:
            return None
        return float(np.percentile(self._delays, percent, method="higher")) * 1e3

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[None]:
        """Connected, logged in, listening, and with a first message that hazwatch has stored.

        The broker hands messages out in order: whatever it kept of earlier runs is stored too.
        """
        client = httpx.AsyncClient(base_url=self._page, trust_env=False, timeout=SILENCE_S)
        async with client as http, asyncio.TaskGroup() as tasks:
            await self._log_in(http)
            heard = asyncio.Event()
            running = [
                tasks.create_task(self._gateway.run(), name="canary gateway"),
                tasks.create_task(self._follow(http, heard, tasks), name="canary stream"),
            ]
            try:
                await heard.wait()
                await self._open()
                yield
            finally:
                for task in running:
                    task.cancel()

    async def sing(self, over: asyncio.Event) -> None:
        """A breach each second until `over`; return when all have their alarms and receipts, or
        could have."""
        due, number = self._clock.elapsed(), 0
        while not over.is_set():
            self._waiting[canary(number)] = self._clock.elapsed()
            self._all_seen.clear()
            self.sent += 1
            await self._say(number, 1.0)
            await self._clock.sleep(BREACH_S)
            await self._say(number, 0.0)
            number += 1
            due += EVERY_S
            await self._clock.sleep(max(0.0, due - self._clock.elapsed()))
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVES_WITHIN_S):
                await self._all_seen.wait()
                await self._gateway.drained()

    async def _say(self, number: int, value: float) -> None:
        self.values += 1
        self.messages += 1
        await self._gateway.offer([Sample(self._clock.now(), {canary(number): value})])

    async def _open(self) -> None:
        calm = {canary(number): 0.0 for number in range(CANARIES)}
        await self._gateway.offer([Sample(self._clock.now(), calm)])
        try:
            async with asyncio.timeout(HEARD_WITHIN_S):
                await self._gateway.drained()
        except TimeoutError:
            raise DemoError(
                f"what a gateway publishes does not reach hazwatch within {HEARD_WITHIN_S:g} s: "
                "let the broker's account read and write hw/v1/#"
            ) from None

    async def _log_in(self, http: httpx.AsyncClient) -> None:
        known = {"user": self._account.name, "password": self._account.password}
        answer = await http.post("/api/v1/session", json=known)
        answer.raise_for_status()
        http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        http.cookies.clear()

    async def _follow(
        self, http: httpx.AsyncClient, heard: asyncio.Event, tasks: asyncio.TaskGroup
    ) -> None:
        """Hear the live stream for ever; after a loss go on behind the last event."""
        while True:
            headers = {} if self._last_id is None else {"Last-Event-ID": self._last_id}
            with suppress(httpx.HTTPError):
                async with http.stream(
                    "GET", "/api/v1/events", params={"topics": "alarm"}, headers=headers
                ) as stream:
                    stream.raise_for_status()
                    heard.set()
                    async for event in events(stream.aiter_lines()):
                        self._last_id = event.get("id", self._last_id)
                        self._hear(event, http, tasks)
            await self._clock.sleep(RETRY_S)

    def _hear(
        self, event: dict[str, str], http: httpx.AsyncClient, tasks: asyncio.TaskGroup
    ) -> None:
        alarm = raised(event)
        sent = None if alarm is None else self._waiting.pop(str(alarm["name"]), None)
        if alarm is None or sent is None:
            return
        self._delays.append(self._clock.elapsed() - sent)
        self.seen += 1
        if not self._waiting:
            self._all_seen.set()
        tasks.create_task(self._acknowledge(http, str(alarm["id"])), name="canary acknowledges")

    async def _acknowledge(self, http: httpx.AsyncClient, alarm: str) -> None:
        with suppress(httpx.HTTPError):
            await http.post(f"/api/v1/alarms/{alarm}/acknowledge", json={"comment": "自检"})


async def events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """Server-sent events as their fields; comments are left out."""
    event: dict[str, str] = {}
    async for line in lines:
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")


def raised(event: dict[str, str]) -> dict[str, Any] | None:
    """The alarm that an event of the live stream says has been raised; None for all others."""
    if event.get("event") != "alarm":
        return None
    body: dict[str, Any] = json.loads(event["data"])
    if body["transition"]["event"] != "raise":
        return None
    alarm: dict[str, Any] = body["alarm"]
    return alarm
