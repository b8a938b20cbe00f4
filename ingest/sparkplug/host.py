"""`Host`: the connection to the broker as a Sparkplug B host application.

A session of its own, clean, with its STATE as will. What it hears goes into the inbox that all
connections share, in the lane of its enterprise. Edge nodes publish at QoS 0: what is lost on the
way is found by its sequence number, and nothing here waits for an acknowledgement.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from domain.clock import Clock
from domain.instant import SECOND, micros
from ingest.backoff import Backoff
from ingest.batch import Raw
from ingest.connection import Address, Connection, ConnectionLostError
from ingest.inbox import Inbox
from ingest.places import LONGEST
from ingest.sparkplug import names
from ingest.sparkplug.desk import Desk, Enterprise, Node, Sign, sign
from ingest.sparkplug.metrics import SparkplugMetrics
from ingest.topics import SPARKPLUG, Topic, parse
from ingest.wire import RETAIN, Delivery

log = structlog.get_logger(__name__)

LOOK_S = 0.1
"""How often is looked whether something is due."""
SIGN_EVERY = SECOND // 4
"""An edge node is told of time no more often, while its messages wait in the inbox."""
SCRATCH = 256 * 1024
"""Bytes that one reading of the socket takes at most."""
MAX_SEEN = 10_000
"""Edge nodes that are remembered for a connection."""


@dataclass(frozen=True, slots=True)
class HostOptions:
    """How to be a host. id: the name in the STATE topic; name: the client id. Waits between
    attempts to connect double from retry_min_s to retry_max_s."""

    url: str
    id: str
    name: str
    ca_file: str | None = None
    keepalive_s: int = 30
    retry_min_s: float = 0.2
    retry_max_s: float = 10.0


class Host:
    """Hears the edge nodes of some enterprises, and asks them for births; reconnects by itself.

    cleared: returns when we may connect.
    """

    def __init__(
        self,
        options: HostOptions,
        desk: Desk,
        inbox: Inbox,
        enterprises: Iterable[Enterprise],
        clock: Clock,
        metrics: SparkplugMetrics,
        cleared: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._cleared = cleared
        self._options = options
        self._desk = desk
        self._inbox = inbox
        self._wanted = frozenset(enterprises)
        self._heard: frozenset[Enterprise] = frozenset()
        self._clock = clock
        self._metrics = metrics
        self._address = Address.of(options.url, options.ca_file)
        self._topic = names.state(options.id)
        self._scratch = bytearray(SCRATCH)
        self._connection: Connection | None = None
        self._born: int | None = None
        self._stamp = 0
        self._seen: set[Node] = set()
        self._full: set[Enterprise] = set()
        self._nodes: dict[str, Node | None] = {}
        self._told: dict[Node, int] = {}

    async def run(self) -> None:
        """Stay connected until cancelled, then say that we leave."""
        backoff = Backoff(self._options.retry_min_s, self._options.retry_max_s)
        while True:
            began = self._clock.elapsed()
            try:
                await self._connected()
            except ConnectionLostError as lost:
                log.warning("no connection as a host", action="sparkplug_lost", error=str(lost))
            backoff.lasted(self._clock.elapsed() - began)
            backoff.failed()
            await self._clock.sleep(backoff.next_wait())

    def set_enterprises(self, enterprises: Iterable[Enterprise]) -> None:
        """Hear these from now on, and no others."""
        self._wanted = frozenset(enterprises)

    def leave(self) -> None:
        """Be off at once; it comes back when `cleared` says so."""
        if self._connection is not None:
            self._connection.abort()

    async def _connected(self) -> None:
        """One connection, from CONNECT to its loss."""
        options = self._options
        if self._cleared is not None:
            await self._cleared()
        self._stamp = max(self._stamp + 1, self._now() // 1000)
        self._connection = connection = Connection(
            self._address,
            options.name,
            options.keepalive_s,
            self._clock,
            self._scratch,
            self._deliver,
            room=lambda: SCRATCH,
        )
        try:
            will = self._state(online=False, stamp=self._stamp).decode()
            await connection.open(clean=True, will=(self._topic, will))
            await connection.subscribe([self._topic])
            await self._follow(connection)
            self._born = self._stamp
            self._say(connection, online=True, stamp=self._stamp)
            self._metrics.connected.set(1)
            log.info("host is online", action="sparkplug_online", id=options.id)
            self._sign(Sign.UP)
            await self._stay(connection)
        except asyncio.CancelledError:
            if self._born is not None:
                self._say(connection, online=False, stamp=max(self._stamp, self._now() // 1000))
            await connection.close()
            raise
        finally:
            connection.abort()
            self._born, self._connection, self._heard = None, None, frozenset()
            self._metrics.connected.set(0)
            self._sign(Sign.LOST)
            self._seen.clear()
            self._full.clear()

    async def _stay(self, connection: Connection) -> None:
        """Look after what is due until the connection is lost, which raises."""
        while True:
            await self._follow(connection)
            self._release(connection)
            for command in self._desk.commands():
                connection.publish(command.topic, command.payload, 0, retain=False)
            self._tell_time(self._now())
            self._metrics.look(self._desk)
            loop = asyncio.get_running_loop()
            nap = loop.create_task(self._clock.sleep(LOOK_S), name="sparkplug: look")
            try:
                await connection.until_lost(nap)
            finally:
                nap.cancel()

    async def _follow(self, connection: Connection) -> None:
        """Bring the subscriptions up to what is wanted."""
        wanted, heard = self._wanted, self._heard
        gone = [names.everything(*one) for one in sorted(heard - wanted)]
        more = [names.everything(*one) for one in sorted(wanted - heard)]
        if gone:
            await connection.unsubscribe(gone)
        if more:
            await connection.subscribe(more)
        self._heard = wanted

    def _deliver(self, deliveries: list[Delivery]) -> None:
        """Put the messages of one reading of the socket into the inbox, and brake if it is full."""
        connection = self._connection
        assert connection is not None
        arrived, mids = self._now(), []
        for first, topic, mid, payload in deliveries:
            if mid:
                mids.append(mid)
            text = topic.decode("utf-8", "backslashreplace")
            if text == self._topic:
                self._own_state(connection, payload)
                continue
            node = self._node(text)
            if node is not None and node[:2] in self._wanted:
                self._put(Raw(text, payload, retained=bool(first & RETAIN), arrived=arrived), node)
                if len(self._seen) < MAX_SEEN:
                    self._seen.add(node)
        connection.acknowledge(mids)
        if self._full:
            connection.brake()

    def _put(self, raw: Raw, node: Node) -> None:
        lane = node[:2]
        self._inbox.put_all(lane, [(raw, node[2])])
        if not self._inbox.room(lane):
            self._full.add(lane)

    def _release(self, connection: Connection) -> None:
        self._full = {lane for lane in self._full if not self._inbox.low(lane)}
        if not self._full:
            connection.release()

    def _node(self, topic: str) -> Node | None:
        """Whose line a topic belongs to; what names nobody is put in the line of its enterprise."""
        if topic not in self._nodes:
            if len(self._nodes) >= MAX_SEEN:
                self._nodes.clear()
            told = parse(topic)
            node = (told.park, told.enterprise, told.gateway) if isinstance(told, Topic) else None
            if node is None and topic.startswith(f"{SPARKPLUG}/"):
                park, _, enterprise = topic.split("/")[1].partition(":")
                node = park, enterprise, ""
            if len(topic) > LONGEST:
                return node
            self._nodes[topic] = node
        return self._nodes[topic]

    def _sign(self, which: Sign) -> None:
        at = self._now()
        for node in sorted({*self._desk.nodes(), *self._seen}):
            self._put(sign(node, which, at), node)

    def _tell_time(self, at: int) -> None:
        due = self._desk.due(at)
        for node in due:
            if at - self._told.get(node, 0) >= SIGN_EVERY:
                self._told[node] = at
                self._put(sign(node, Sign.TIME, at), node)

    def _own_state(self, connection: Connection, payload: bytes) -> None:
        """Somebody says that we are offline, such as an earlier will of ours: we are not."""
        try:
            online = json.loads(payload).get("online")
        except (ValueError, AttributeError, RecursionError):
            online = False
        if self._born is not None and online is not True:
            self._say(connection, online=True, stamp=self._born)

    def _say(self, connection: Connection, *, online: bool, stamp: int) -> None:
        connection.publish(self._topic, self._state(online=online, stamp=stamp), 1, retain=True)

    @staticmethod
    def _state(*, online: bool, stamp: int) -> bytes:
        return json.dumps({"online": online, "timestamp": stamp}).encode()

    def _now(self) -> int:
        return micros(self._clock.now())
