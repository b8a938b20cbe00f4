"""The doctor's look at the MQTT broker."""

import asyncio
import secrets
import ssl
from collections.abc import Sequence

import aiomqtt

from hazwatch.doctor import Area, Diagnosis
from hazwatch.settings import Settings
from ingest import topics
from ingest.connection import Address

AREA = Area("broker")
CONNECT_S = 5.0
DROPPED = "$SYS/broker/publish/messages/dropped"
VERSION = "$SYS/broker/version"
TOLD_WITHIN_S = 2.0
"""What the broker tells of itself is retained and comes at once; else it does not tell."""
ACCOUNT = frozenset({4, 5, 134, 135})
"""Codes of CONNACK: bad user or password, not authorised, in MQTT 3.1.1 and as paho has them."""
PROBES = 1_200
"""More than Mosquitto's default queue of 1,000 for an absent reader."""
AT_ONCE = 50


class Dialogue:
    """Connections to one broker under names that nobody else has."""

    def __init__(self, settings: Settings) -> None:
        self._address = Address.of(settings.mqtt_url, settings.mqtt_ca_file)
        self._name = f"hazwatch-doctor-{secrets.token_hex(4)}"
        self.where = f"{self._address.host}:{self._address.port}"

    def client(self, part: str, *, clean: bool = True) -> aiomqtt.Client:
        """A client for `async with`. clean: no session is left behind."""
        client = aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.user,
            password=self._address.password,
            identifier=f"{self._name}-{part}",
            clean_session=clean,
            protocol=aiomqtt.ProtocolVersion.V311,
            tls_context=self._address.tls,
            timeout=CONNECT_S,
        )
        client.pending_calls_threshold = AT_ONCE + 1
        return client

    @property
    def topic(self) -> str:
        """A topic of events, where only hazwatch publishes; no park is called so."""
        return topics.events(self._name, None, "alarm")

    @property
    def receipt(self) -> str:
        """A receipt for a gateway that there is not."""
        return topics.receipt(self._name, "none", "none")


async def look(settings: Settings) -> Sequence[Diagnosis]:
    """Whether the broker is there, what it has dropped, what we may; as far as one gets."""
    try:
        dialogue = Dialogue(settings)
    except (ValueError, OSError, ssl.SSLError) as error:
        return [
            AREA.failed("reachable", str(error), "mend HAZWATCH_MQTT_URL, HAZWATCH_MQTT_CA_FILE")
        ]
    try:
        async with dialogue.client("talk") as client:
            found = [AREA.ok("reachable", dialogue.where), await _dropped(client)]
    except aiomqtt.MqttError as error:
        return [_no_connection(dialogue.where, error)]
    found.append(await _may(dialogue, "events", dialogue.topic))
    found.append(await _may(dialogue, "receipts", dialogue.receipt))
    return found


async def probe(settings: Settings) -> Sequence[Diagnosis]:
    """Whether the broker keeps more than a thousand messages for a reader who is away.

    The reader's session is deleted afterwards, whatever happens.
    """
    check = "queue for absent readers"
    try:
        came = await _kept(Dialogue(settings))
    except (ValueError, OSError, aiomqtt.MqttError, ExceptionGroup):
        return [AREA.unknown(check, "the probe did not get through")]
    if came < PROBES:
        todo = "set max_queued_messages 0: what comes while the worker is away would be lost"
        return [AREA.failed(check, f"kept {came} of {PROBES} messages", todo)]
    return [AREA.ok(check, f"kept all of {PROBES} messages")]


def _no_connection(where: str, error: aiomqtt.MqttError) -> Diagnosis:
    if isinstance(error, aiomqtt.MqttCodeError):
        code = getattr(error.rc, "value", error.rc)
        if code in ACCOUNT:
            todo = (
                "it is there and refuses: check user and password in HAZWATCH_MQTT_URL, and its ACL"
            )
            return AREA.failed("reachable", f"{where}: {error}", todo)
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        todo = "it is there, its certificate is not trusted: set HAZWATCH_MQTT_CA_FILE"
        return AREA.failed("reachable", f"{where}: {cause}", todo)
    todo = "nobody answers: start it, or mend HAZWATCH_MQTT_URL"
    return AREA.away("reachable", f"{where}: {error}", todo)


async def _dropped(client: aiomqtt.Client) -> Diagnosis:
    """What the broker says that it has thrown away since its start."""
    await client.subscribe([(DROPPED, 0), (VERSION, 0)])
    told = await _told(client, {DROPPED, VERSION})
    await client.unsubscribe([DROPPED, VERSION])
    name = told.get(VERSION, "it")
    if DROPPED not in told:
        todo = "let hazwatch's account read $SYS/broker/#, if the broker has it"
        return AREA.unknown("dropped messages", "the broker tells nothing under $SYS", todo)
    n = int(float(told[DROPPED]))
    if n:
        todo = "set max_queued_messages 0, look for readers that never come; then restart it"
        return AREA.warning("dropped messages", f"{name} has dropped {n} since its start", todo)
    return AREA.ok("dropped messages", f"{name} has dropped none since its start")


async def _told(client: aiomqtt.Client, wanted: set[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    try:
        async with asyncio.timeout(TOLD_WITHIN_S):
            async for message in client.messages:
                told[str(message.topic)] = bytes(message.payload).decode(errors="replace")
                if wanted <= told.keys():
                    break
    except TimeoutError:
        return told
    return told


async def _may(dialogue: Dialogue, what: str, topic: str) -> Diagnosis:
    """Whether what we publish on a topic reaches us: both rights in one.

    On a connection of its own: Mosquitto hangs up on who publishes what it may not.
    """
    came, said = {}, ""
    try:
        async with dialogue.client(what) as client:
            await client.subscribe(topic, qos=1)
            await client.publish(topic, b'{"type": "probe"}', qos=1)
            came = await _told(client, {topic})
    except aiomqtt.MqttError as error:
        said = f" ({error})"
    if topic in came:
        return AREA.ok(f"rights: {what}", "publishes and hears them")
    todo = f"let hazwatch's account read hw/v1/# and write {what}: deploy/mosquitto/acl"
    return AREA.failed(f"rights: {what}", f"nothing comes back on {topic}{said}", todo)


async def _kept(dialogue: Dialogue) -> int:
    try:
        async with dialogue.client("absent", clean=False) as reader:
            await reader.subscribe(dialogue.topic, qos=1)
        async with dialogue.client("talk") as speaker:
            for _ in range(0, PROBES, AT_ONCE):
                async with asyncio.TaskGroup() as sending:
                    for _ in range(AT_ONCE):
                        sending.create_task(speaker.publish(dialogue.topic, b"{}", qos=1))
        async with dialogue.client("absent", clean=False) as reader:
            return await _count(reader)
    finally:
        async with dialogue.client("absent", clean=True):
            pass


async def _count(reader: aiomqtt.Client) -> int:
    """Messages until all are there or none has come for a while."""
    came, messages = 0, aiter(reader.messages)
    while came < PROBES:
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                await anext(messages)
        except TimeoutError:
            break
        came += 1
    return came
