"""One connection to an MQTT broker: the only module that knows aiomqtt, and paho underneath it.

aiomqtt 2.5 acknowledges what it receives before anybody has seen it, and drops what its queue
can't hold. So paho's own callbacks are used: a message goes to the inbox with a handle, and is
acknowledged by hand.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, MQTTMessage
from paho.mqtt.client import Client as Paho

from domain.clock import Clock
from domain.instant import micros
from ingest.batch import Raw
from ingest.inbox import Inbox
from ingest.outgoing import Outgoing
from ingest.topics import filters

READ_AT_ONCE = 200
"""Packets read before other tasks get their turn."""
WINDOW = 100
"""Published messages that may wait for the broker's confirmation."""
SETTLE_S = 2
"""How long a last answer of the broker is waited for."""
REFUSED = 0x80
"""From here on a code in SUBACK says no."""

T = TypeVar("T")

Enterprise = tuple[str, str]
"""park, enterprise"""

library_log = logging.getLogger("hazwatch.mqtt.client")
library_log.setLevel(logging.ERROR)


class ConnectionLostError(Exception):
    """The connection to the MQTT broker is gone, or could not be made."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are there. tls None: in the clear."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, ca_file: str | None = None) -> "Address":
        """From mqtt://user:password@host:port; mqtts:// is TLS, ca_file whom to trust then."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("an MQTT URL is like mqtt://user:password@host:port, or mqtts://…")
        secure = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            parts.port or (8883 if secure else 1883),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            ssl.create_default_context(cafile=ca_file) if secure else None,
        )


@dataclass(frozen=True, slots=True)
class Handle:
    """What it takes to acknowledge a message: message ids belong to one connection."""

    connection: int
    mid: int
    qos: int


class Connection:
    """A session with the broker from connecting to losing it; used once.

    number: tells its handles from those of earlier ones. owned: the enterprises to hear; what the
    broker still sends of others, subscribed in an earlier life, is acknowledged unread and
    unsubscribed.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        number: int,
        keepalive_s: int,
        inbox: Inbox,
        outgoing: Outgoing,
        owned: Iterable[Enterprise],
        clock: Clock,
    ) -> None:
        self.heard_at = clock.now()
        """When the broker last sent anything."""
        self.braked_at: datetime | None = None
        """Since when the socket is not read, None if it is."""
        self._number = number
        self._keepalive_s = keepalive_s
        self._inbox = inbox
        self._outgoing = outgoing
        self._clock = clock
        self._owned = set(owned)
        self._wanted = set(self._owned)
        self._changed = asyncio.Event()
        self._brake = asyncio.Event()
        self._received = 0
        self._client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            identifier=name,
            clean_session=False,
            protocol=aiomqtt.ProtocolVersion.V311,
            keepalive=keepalive_s,
            tls_context=address.tls,
            logger=library_log,
        )
        self._paho: Paho = self._client._client
        # The broker may send what it kept for us right behind its CONNACK.
        self._paho.manual_ack_set(True)
        self._paho.on_message = self._on_message
        self._paho.on_publish = self._on_publish
        self._paho.max_inflight_messages_set(WINDOW)

    async def run(self, up: Callable[[], None]) -> None:
        """Connect, subscribe, call `up`, and stay; `ConnectionLostError` when it is lost."""
        try:
            await whole(self._client.__aenter__())
            try:
                self._listen()
                await self._subscribe(self._owned)
                up()
                await self._stay()
            finally:
                await whole(self._client.__aexit__(None, None, None))
        except (aiomqtt.MqttError, OSError) as lost:
            raise ConnectionLostError(str(lost)) from lost
        except ExceptionGroup as group:
            gone, other = group.split((aiomqtt.MqttError, OSError))
            if gone is None or other is not None:
                raise
            raise ConnectionLostError(str(_first(gone))) from group
        finally:
            self._abandon()

    async def _stay(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_lost(), name="mqtt: until lost")
                tasks.create_task(self._publish(), name="mqtt: publish")
                tasks.create_task(self._follow_changes(), name="mqtt: subscriptions")
                tasks.create_task(self._breathe(), name="mqtt: breathe")
        except asyncio.CancelledError:
            await self._settle()
            raise

    async def _settle(self) -> None:
        """Let the broker answer something: then it has seen every acknowledgement before it.

        Mosquitto 2.0 overlooks the last packets before a DISCONNECT.
        """
        if self.braked_at is None:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.unsubscribe("hazwatch/nothing", timeout=SETTLE_S)

    def want(self, enterprises: Iterable[Enterprise]) -> None:
        """From now on hear these enterprises."""
        self._wanted = set(enterprises)
        self._changed.set()

    def ack(self, handle: Handle) -> None:
        """Tell the broker that a message is safe; nothing happens for one of another connection."""
        if handle.connection == self._number:
            self._paho.ack(handle.mid, handle.qos)

    def release(self) -> None:
        """Read the socket again, if there is room in the inbox."""
        braked = self.braked_at is not None
        if braked and self._inbox.low and self._paho.socket() is not None:
            self.braked_at = None
            self._brake.clear()
            self._listen()
            # What TLS has read already makes no socket readable.
            asyncio.get_running_loop().call_soon(self._read)

    def _listen(self) -> None:
        sock: Any = self._paho.socket()
        if sock is None:
            raise aiomqtt.MqttError("the broker closed the connection at once")
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read)

    def _read(self, most: int = READ_AT_ONCE) -> None:
        """Read packets until there are no more, the inbox is full, or others should have a turn."""
        try:
            for _ in range(most):
                before, sock = self._received, self._paho.socket()
                self._paho.loop_read()
                pending = getattr(sock, "pending", int)
                if self._inbox.full or (self._received == before and not pending()):
                    break
        except Exception as error:  # whatever broke in reading, this connection is done for
            self._fail(error)
        self.heard_at = self._clock.now()
        if self._inbox.full and self.braked_at is None:
            self._stop_listening()

    def _stop_listening(self) -> None:
        sock: Any = self._paho.socket()
        if sock is not None:
            self.braked_at = self._clock.now()
            asyncio.get_running_loop().remove_reader(sock.fileno())
            self._brake.set()

    def _fail(self, error: Exception) -> None:
        if not self._client._disconnected.done():
            self._client._disconnected.set_exception(error)

    def _on_message(self, _client: Paho, _userdata: object, message: MQTTMessage) -> None:
        self._received += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = message._topic.decode("utf-8", "backslashreplace")
        handle = Handle(self._number, message.mid, message.qos) if message.qos else None
        owner = tuple(topic.split("/", 4)[2:4])
        if owner not in self._wanted:
            self._turn_away(owner, handle)
            return
        payload, arrived = bytes(message.payload), micros(self._clock.now())
        self._inbox.put(Raw(topic, payload, handle, message.dup, message.retain, arrived))

    def _turn_away(self, owner: tuple[str, ...], handle: Handle | None) -> None:
        if handle is not None:
            self.ack(handle)
        if len(owner) == 2:
            self._owned.add((owner[0], owner[1]))
            self._changed.set()

    def _on_publish(
        self, _client: Paho, _userdata: object, mid: int, _code: object, _properties: object
    ) -> None:
        self._outgoing.confirmed(mid)

    async def _until_lost(self) -> None:
        """Messages bypass this queue; its iterator tells when the connection is gone."""
        async for _ in self._client.messages:
            pass

    async def _subscribe(self, enterprises: Iterable[Enterprise]) -> None:
        wanted = [(one, 1) for pair in sorted(enterprises) for one in filters(*pair)]
        if not wanted:
            return
        granted = await whole(self._client.subscribe(wanted))
        codes = [code if isinstance(code, int) else code.value for code in granted]
        refused = [one for (one, _), code in zip(wanted, codes, strict=True) if code >= REFUSED]
        if refused:
            raise aiomqtt.MqttError(f"the broker refuses to let us hear {', '.join(refused)}")

    async def _follow_changes(self) -> None:
        """Bring the broker's subscriptions up to what is wanted, whenever that changes."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = set(self._wanted)
            gone = [one for pair in sorted(self._owned - wanted) for one in filters(*pair)]
            if gone:
                await whole(self._client.unsubscribe(gone))
            await self._subscribe(wanted - self._owned)
            self._owned = wanted

    async def _publish(self) -> None:
        """Send what is outgoing, at most `WINDOW` ahead of the broker's confirmations."""
        while True:
            while self._outgoing.unconfirmed < WINDOW and (letter := self._outgoing.next()):
                info = self._paho.publish(letter.topic, letter.payload, letter.qos, letter.retain)
                self._outgoing.sent(info.mid, letter)
                if info.rc != MQTT_ERR_SUCCESS:
                    raise aiomqtt.MqttCodeError(info.rc, "could not publish")
            await self._outgoing.changed()

    async def _breathe(self) -> None:
        """While braked, read a packet now and then, lest the keep-alive takes us for dead."""
        while True:
            await self._brake.wait()
            await self._clock.sleep(self._keepalive_s / 4)
            if self.braked_at is not None:
                self._read(1)
            if self._inbox.overfull:
                raise aiomqtt.MqttError("too much is waiting; the broker keeps the rest")

    def _abandon(self) -> None:
        """Close what a failed or cancelled connecting may have left open."""
        self._paho.on_socket_open = None
        self._outgoing.disconnected()
        if self._paho.socket() is not None:
            self._paho._sock_close()


async def whole(call: Coroutine[Any, Any, T]) -> T:
    """The result of a call that can't be trusted to notice a cancellation.

    The library waits by `asyncio.wait_for`, which in Python 3.11 loses a cancellation when what it
    waits for comes at the same moment. Its errors come in an `ExceptionGroup`.
    """
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(call, name="mqtt: call")
    return task.result()


def _first(group: ExceptionGroup[Any]) -> Exception:
    found: Exception = group
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found
