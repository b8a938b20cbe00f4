"""The rules of `deploy/mosquitto` on a real Mosquitto: who may say and hear what."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.topics import lease
from tests.support.deployed_broker import DeployedBroker

GATEWAYS = ["p1/e1/g1", "p1/e1/g2", "p1/e2/g1", "p2/e1/g1"]
EDGE_NODES = ["p1/e1/g2", "p2/e1/g1"]
TYPES = ["NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH/d", "DDEATH/d", "DDATA/d", "DCMD/d"]
WAIT_S = 10
NOT_AUTHORIZED = 135
NO_READER = 16

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[DeployedBroker]:
    folder, accounts = tmp_path_factory.mktemp("broker"), ["hazwatch", *GATEWAYS]
    with DeployedBroker(folder, accounts, EDGE_NODES) as broker:
        yield broker


class Client:
    """A client of MQTT 5, which is told what is refused."""

    def __init__(self, broker: DeployedBroker, user: str, port: int, name: str = "") -> None:
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(user, broker.passwords.get(user, "wrong"))
        self.connected: queue.Queue[int] = queue.Queue()
        self.heard: queue.Queue[tuple[str, bytes | bytearray]] = queue.Queue()
        self._confirmed: queue.Queue[int] = queue.Queue()
        self._client.on_connect = lambda c, u, f, code, p: self.connected.put(code.value)
        self._client.on_message = lambda c, u, m: self.heard.put((m.topic, m.payload))
        self._client.on_publish = lambda c, u, mid, code, p: self._confirmed.put(code.value)
        self._client.on_subscribe = lambda c, u, mid, codes, p: self._confirmed.put(0)
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 3600 if name else 0
        self._client.connect("127.0.0.1", port, clean_start=not name, properties=lasting)
        self._client.loop_start()

    def publish(self, topic: str, payload: str = "{}") -> int:
        """The broker's reason code."""
        self._client.publish(topic, payload, qos=1)
        return self._confirmed.get(timeout=WAIT_S)

    def hear(self, *topics: str) -> None:
        for topic in topics:
            self._client.subscribe(topic, qos=1)
            self._confirmed.get(timeout=WAIT_S)

    def until(self, topic: str) -> list[str]:
        """Topics heard up to and with this one."""
        heard: list[str] = []
        while not heard or heard[-1] != topic:
            heard.append(self.heard.get(timeout=WAIT_S)[0])
        return heard

    def close(self) -> None:
        """Its sockets are closed, too: paho closes them when it is forgotten, which no circle may
        keep it from."""
        self._client.disconnect()
        self._client.loop_stop()
        for name in ("on_connect", "on_message", "on_publish", "on_subscribe"):
            setattr(self._client, name, None)


@contextmanager
def client(broker: DeployedBroker, user: str, **more) -> Iterator[Client]:
    port = broker.own_port if user == "hazwatch" else broker.port
    one = Client(broker, user, more.pop("port", port), **more)
    try:
        assert one.connected.get(timeout=WAIT_S) == 0
        yield one
    finally:
        one.close()


def may_publish(broker: DeployedBroker, user: str, topic: str) -> bool:
    """Each on a connection of its own: Mosquitto hangs up on who publishes what it may not."""
    with client(broker, user) as one:
        code = one.publish(topic)
    assert code in (0, NO_READER, NOT_AUTHORIZED)
    return code != NOT_AUTHORIZED


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_gateway_speaks_for_itself_and_for_no_other_place(broker, gateway):
    topics = [
        f"hw/v1/{place}/{channel}"
        for place in GATEWAYS
        for channel in ("data", "state", "alarm", "receipt", "else", "data/more")
    ]
    allowed = {topic for topic in topics if may_publish(broker, gateway, topic)}
    assert allowed == {f"hw/v1/{gateway}/{channel}" for channel in ("data", "state", "alarm")}


def test_a_gateway_speaks_nowhere_else(broker):
    topics = [
        "hw/v1/events/p1/e1/alarm",
        lease("main"),
        "hw/v2/p1/e1/g1/data",
        "p1/e1/g1",
        "spBv1.0/p1:e1/NDATA/g1",
        "$SYS/broker/uptime",
        "$CONTROL/dynamic-security/v1",
    ]
    assert [topic for topic in topics if may_publish(broker, "p1/e1/g1", topic)] == []


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "wanted",
    [
        "#",
        "+/#",
        "+/+/+/+/+/+",
        "hw/v1/#",
        "hw/v1/+/+/+/receipt",
        "$SYS/#",
        "$share/s/#",
        "$share/s/hw/v1/#",
        "$share/s/hw/v1/+/+/+/data",
    ],
)
def test_a_gateway_hears_its_receipt_and_nothing_else_whatever_it_asks_for(broker, gateway, wanted):
    own = f"hw/v1/{gateway}/receipt"
    with client(broker, gateway) as one, client(broker, "hazwatch") as hazwatch:
        one.hear(wanted)
        for other in GATEWAYS:
            if other != gateway:
                hazwatch.publish(f"hw/v1/{other}/receipt")
                with client(broker, other) as neighbour:
                    for channel in ("data", "state", "alarm"):
                        neighbour.publish(f"hw/v1/{other}/{channel}")
        hazwatch.publish("hw/v1/events/p1/e1/alarm")
        one.hear(own)
        hazwatch.publish(own)
        assert set(one.until(own)) == {own}


def spb(place: str, kind: str) -> str:
    """A topic of an edge node; kind: with a device where it has one."""
    park, enterprise, node = place.split("/")
    kind, _, device = kind.partition("/")
    return f"spBv1.0/{park}:{enterprise}/{kind}/{node}" + (f"/{device}" if device else "")


@pytest.mark.parametrize("gateway", ["p1/e1/g2", "p1/e1/g1"])
def test_an_edge_node_speaks_sparkplug_for_itself_and_gives_no_commands(broker, gateway):
    topics = [spb(place, kind) for place in GATEWAYS for kind in TYPES]
    topics += ["spBv1.0/STATE/hazwatch", f"{spb(gateway, 'NDATA')}/d"]
    allowed = {topic for topic in topics if may_publish(broker, gateway, topic)}
    own = {spb(gateway, kind) for kind in TYPES if "CMD" not in kind}
    assert allowed == (own if gateway in EDGE_NODES else set())
    assert may_publish(broker, gateway, f"hw/v1/{gateway}/data")


def test_an_edge_node_hears_its_commands_and_hosts_only(broker):
    own = spb("p1/e1/g2", "NCMD")
    with client(broker, "p1/e1/g2") as one, client(broker, "hazwatch") as hazwatch:
        one.hear("#", "spBv1.0/#")
        with client(broker, "p2/e1/g1") as other:
            for kind in ("NBIRTH", "NDATA", "DDATA/d"):
                other.publish(spb("p2/e1/g1", kind))
        hazwatch.publish(spb("p2/e1/g1", "NCMD"))
        hazwatch.publish("spBv1.0/STATE/hazwatch")
        hazwatch.publish(own)
        assert set(one.until(own)) == {"spBv1.0/STATE/hazwatch", own}


def test_hazwatch_hears_edge_nodes_asks_for_births_and_writes_nothing_else_to_plants(broker):
    with client(broker, "hazwatch") as hazwatch, client(broker, "p2/e1/g1") as node:
        hazwatch.hear("spBv1.0/p2:e1/#")
        node.publish(spb("p2/e1/g1", "NBIRTH"))
        assert hazwatch.until(spb("p2/e1/g1", "NBIRTH"))
    topics = [spb("p2/e1/g1", kind) for kind in TYPES] + ["spBv1.0/STATE/other"]
    allowed = [topic for topic in topics if may_publish(broker, "hazwatch", topic)]
    assert allowed == [spb("p2/e1/g1", "NCMD")]


def test_hazwatch_hears_every_gateway_and_speaks_receipts_and_events_only(broker):
    with client(broker, "hazwatch") as hazwatch, client(broker, "p2/e1/g1") as gateway:
        hazwatch.hear("hw/v1/p2/e1/+/data")
        gateway.publish("hw/v1/p2/e1/g1/data")
        assert hazwatch.until("hw/v1/p2/e1/g1/data")
    said = ["hw/v1/p2/e1/g1/receipt", "hw/v1/events/p2/-/risk", lease("main")]
    assert all(may_publish(broker, "hazwatch", topic) for topic in said)
    others = ["hw/v1/p2/e1/g1/data", "anything"]
    assert not any(may_publish(broker, "hazwatch", topic) for topic in others)


def test_hazwatch_hears_who_has_the_lease(broker):
    with client(broker, "hazwatch") as one, client(broker, "hazwatch") as other:
        one.hear(lease("main"))
        other.publish(lease("main"))
        assert one.until(lease("main"))


def test_a_gateway_cannot_take_over_the_session_of_hazwatch(broker):
    """A session under another account loses what it may not hear: the worker's queue."""
    with client(broker, "hazwatch", name="hazwatch-main") as worker:
        worker.hear("hw/v1/p1/e1/+/data")
    with client(broker, "p1/e1/g1") as gateway:
        gateway.publish("hw/v1/p1/e1/g1/data", "kept")
    with client(broker, "p1/e2/g1", name="hazwatch-main"):
        pass
    with client(broker, "hazwatch", name="hazwatch-main") as worker:
        assert worker.heard.get(timeout=WAIT_S) == ("hw/v1/p1/e1/g1/data", b"kept")


@pytest.mark.parametrize("user", ["", "nobody", "p1/e1/g1"])
def test_nobody_gets_in_without_the_right_password(broker, user):
    one = Client(broker, user, broker.port)
    if user == "p1/e1/g1":
        one.close()
        wrong = DeployedBroker.__new__(DeployedBroker)
        wrong.passwords = {}
        one = Client(wrong, user, broker.port)
    assert one.connected.get(timeout=WAIT_S) in (134, NOT_AUTHORIZED)
    one.close()


def test_more_than_a_thousand_messages_wait_for_an_absent_reader(broker):
    with client(broker, "hazwatch", name="absent") as reader:
        reader.hear("hw/v1/p1/e2/+/data")
    with client(broker, "p1/e2/g1") as gateway:
        for n in range(1_500):
            gateway.publish("hw/v1/p1/e2/g1/data", str(n))
    with client(broker, "hazwatch", name="absent") as reader:
        heard = [reader.heard.get(timeout=WAIT_S)[1] for _ in range(1_500)]
    assert heard == [str(n).encode() for n in range(1_500)]
