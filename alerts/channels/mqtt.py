"""MQTT channel: a notice is published on the topic that its recipient listens to."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from alerts.channels.channel import DeliveryError
from alerts.drill import marked
from domain.alarms import Notice


class MqttChannel:
    """Publishes notices at QoS 1. deliver: returns when the broker has confirmed a payload."""

    def __init__(
        self, deliver: Callable[[str, bytes], Awaitable[None]], timeout_s: float = 10.0
    ) -> None:
        self._deliver = deliver
        self._timeout_s = timeout_s

    async def send(self, notice: Notice) -> None:
        """Deliver to the broker, or raise `DeliveryError`; whether anybody listens it can't know.

        The body carries the notice's `id`, by which a receiver knows a repeat.
        """
        body = msgspec.json.encode({"id": str(notice.id), **marked(notice.body)})
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._deliver(notice.recipient, body)
        except TimeoutError as error:
            raise DeliveryError(f"no broker confirmed it in {self._timeout_s:g} s") from error
