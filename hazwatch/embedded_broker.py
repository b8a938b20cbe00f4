"""An MQTT broker in this process, for the demonstration and nothing else."""

from collections.abc import Iterator
from typing import Any, Self

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from hazwatch.embedded import free_port


class OpenDoor(BaseAuthPlugin):
    """Lets everybody in.

    amqtt's own plugin for this marks every session as anonymous, and those get nothing that was
    published while they were away.
    """

    async def authenticate(self, *, session: Session) -> bool | None:
        """Yes."""
        return True


class Steady(dict[str, Any]):
    """A dict that may change while somebody goes through what it held at the beginning.

    amqtt waits in the middle of going through its subscriptions; a client that connects while
    another subscribes would be thrown out.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        """The items of this moment."""
        return list(super().items())


class EmbeddedBroker:
    """amqtt on 127.0.0.1, open to every program of this machine. MQTT 3.1.1, a few 100 messages/s.

    Enough for a worker with a persistent session: QoS 1, retained messages, wills, and a queue for
    the time it is away (unbounded). Not enough for any promise: all of it is in memory, a message
    that is not acknowledged within 5 s is given up, and one that was under way when its reader's
    connection broke does not come again. A client that connects is also sent retained messages
    that only others subscribed to; clients have to be able to ignore a topic.
    """

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self._broker: Broker | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listening on return, in the running loop."""
        listener = {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}
        door = f"{OpenDoor.__module__}.{OpenDoor.__name__}"
        self._broker = Broker({"listeners": {"default": listener}, "plugins": {door: {}}})
        self._broker._subscriptions = Steady()
        await self._broker.start()

    async def stop(self) -> None:
        """Every client is disconnected on return, and everything kept for them is gone."""
        if self._broker is not None:
            await self._broker.shutdown()
            self._broker = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
