"""Retained colours with a real worker, a real Mosquitto and a plain client."""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import aiomqtt
import psycopg

from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.site import read_site
from storage.registry import load_site
from tests.support.builders import START
from tests.support.servers import Mosquitto
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag

PARK = "colour-park"
EVENTS = f"hw/v1/events/{PARK}"
GAS = tag("GD07", kind="gas_toxic", unit="ppm", limits={"H": 20, "HH": 40}, interval_s=1)
WITHIN_S = 60.0
CLOCK = SystemClock()


async def load(url: str, *codes: str) -> None:
    """A site of these enterprises, and no others."""
    data = site_data(*(enterprise(code, GAS, park=PARK) for code in codes))
    data["tree"][0]["children"][0]["code"] = PARK
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        site = read_site(json.dumps(data))
        await load_site(conn, site, by="test", at=START, prune=True)


class Siren:
    """A plain client: subscribes anew, so it gets what is retained, and follows from there."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self.shown: dict[str, dict[str, Any]] = {}
        self.events: list[aiomqtt.Message] = []
        self.connected = asyncio.Event()

    async def sees(self, true: Callable[[], bool]) -> None:
        """Connects, and returns when it is so."""
        self.shown.clear()
        self.connected.clear()
        async with (
            asyncio.timeout(WITHIN_S),
            aiomqtt.Client(self._broker.host, self._broker.port) as client,
        ):
            await client.subscribe(f"{EVENTS}/#", qos=1)
            self.connected.set()
            while not true():
                self._hear(await anext(aiter(client.messages)))

    def _hear(self, message: aiomqtt.Message) -> None:
        place = message.topic.value.removeprefix(f"{EVENTS}/")
        if "colour" not in place.split("/"):
            self.events.append(message)
        elif message.payload:
            assert isinstance(message.payload, bytes)
            assert len(message.payload) <= 256
            self.shown[place] = json.loads(message.payload)
        else:
            self.shown.pop(place, None)

    def colours(self) -> dict[str, str]:
        return {place: body["colour"] for place, body in self.shown.items()}


async def breach(broker: Mosquitto) -> None:
    body = {"samples": [{"time": rfc3339(CLOCK.now()), "values": {"GD07": 60.0}}]}
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.publish(f"hw/v1/{PARK}/e1/g1/data", json.dumps(body), qos=1)


async def watching(service: Service) -> None:
    async with asyncio.timeout(120):
        while not service.watching:
            await CLOCK.sleep(0.1)


async def test_colours_are_retained_and_right_whatever_is_restarted(
    tmp_path, timescale_url, mosquitto
):
    await load(timescale_url, "e1", "e2")
    siren = Siren(mosquitto)
    places = "-/colour", "e1/colour", "e2/colour", "e1/colour/s1", "e2/colour/s1"
    calm = dict.fromkeys(places, "blue")
    alarmed = calm | dict.fromkeys(("-/colour", "e1/colour", "e1/colour/s1"), "orange")
    with Service(tmp_path, timescale_url, mosquitto.url, self_test="false") as service:
        service.start()
        await watching(service)
        await siren.sees(lambda: siren.colours() == calm)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(siren.sees(lambda: siren.colours() == alarmed and bool(siren.events)))
            await siren.connected.wait()
            await breach(mosquitto)
        assert siren.shown["-/colour"]["counts"]["orange"] == 1
        assert {(one.qos, one.retain) for one in siren.events} == {(1, False)}

        await asyncio.to_thread(service.end, signal.SIGKILL)
        await siren.sees(lambda: siren.colours() == alarmed)
        await load(timescale_url, "e1")
        service.start()
        await watching(service)
        only = {place: colour for place, colour in alarmed.items() if not place.startswith("e2")}
        await siren.sees(lambda: siren.colours() == only)

        await asyncio.to_thread(mosquitto.stop)
        (mosquitto.folder / "mosquitto.db").unlink()
        await asyncio.to_thread(mosquitto.start)
        await siren.sees(lambda: siren.colours() == only)
        assert await asyncio.to_thread(service.end) == 0
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        for place in only:
            await client.publish(f"{EVENTS}/{place}", b"", qos=1, retain=True)
