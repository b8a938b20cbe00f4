"""A trial of the ways to people: one notice to every address of whoever holds a role, each through
its real channel."""

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from alerts.channels.apprise_channel import AppriseChannel
from alerts.channels.channel import Channel, DeliveryError
from alerts.channels.log import LogChannel
from alerts.channels.mqtt import MqttChannel
from alerts.channels.webhook import WebhookChannel
from alerts.people import Contact, Recipient, holders
from alerts.places import place_names
from domain.addresses import presentable
from domain.alarms import Notice
from domain.clock import Clock
from domain.instant import rfc3339
from domain.plant import SUBJECTS, Registry
from hazwatch.settings import Settings
from hazwatch.warning_rules import people_files
from hazwatch.wordings import wording, writer
from ingest.connection import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONNECT_S = 5.0


class NodeUnclear(ValueError):
    """The words name no node of the site, or several."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one address. took_s: seconds until it was known; error: None = delivered."""

    person: str | None
    channel: str
    address: str
    error: str | None
    took_s: float


def find_node(registry: Registry, words: str) -> int:
    """The node whose path of codes ends like `words`, such as p1/e1; raises `NodeUnclear`."""
    end = words.split("/")
    paths = {node.id: _path(registry, node.id) for node in registry.nodes.values()}
    watched = {id for id in paths if registry.nodes[id].kind not in SUBJECTS}
    found = sorted(id for id in watched if paths[id][-len(end) :] == end)
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join("/".join(paths[id]) for id in found)
        raise NodeUnclear(f"{words!r} is several nodes: {several}")
    raise NodeUnclear(f"the site has no node {words!r}; hazwatch site show --no-tags lists them")


def who(
    settings: Settings, registry: Registry, role: str, node: int, clock: Clock
) -> list[Recipient]:
    """Who holds a role for a node now; raises `WarningRulesError` where the files are wrong."""
    directory = people_files(settings).contacts(registry)
    return list(holders(directory, registry, role, node, clock.now()).recipients)


def trial_body(
    registry: Registry, role: str, node: int, clock: Clock, *, drill: bool
) -> dict[str, object]:
    """What is sent: a test, or a yellow warning that is a drill 演练."""
    now = rfc3339(clock.now())
    named = place_names(registry, node)
    said = "通知测试,无须处置 test of notices, nothing to do"
    if not drill:
        return {**named, "type": "test", "role": role, "test": True, "text": said, "sent": now}
    name = registry.nodes[node].name
    return {
        **named,
        "type": "warning",
        "drill": True,
        "test": True,
        "source_name": named["source_name"] or name,
        "colour": "yellow",
        "worst": "yellow",
        "opened": now,
        "reason": "opened",
        "role": role,
        "text": f"黄色预警 yellow warning: {name}",
        "sent": now,
    }


async def send_all(
    settings: Settings, recipients: list[Recipient], body: dict[str, object], clock: Clock
) -> list[Tried]:
    """Every address of every recipient once, all at the same time, and what became of each."""
    async with _channels(settings, clock) as channels, asyncio.TaskGroup() as tasks:
        made = [
            tasks.create_task(_try(channels, one, way, body, clock))
            for one in recipients
            for way in one.ways
        ]
    return [task.result() for task in made]


async def _try(
    channels: Mapping[str, Channel],
    recipient: Recipient,
    way: Contact,
    body: dict[str, object],
    clock: Clock,
) -> Tried:
    person = recipient.person
    own = body if person is None else body | {"language": person.language}
    id = uuid4()
    notice = Notice(id, id, way.channel, way.address, own, clock.now())
    begun, error = clock.elapsed(), None
    try:
        await channels[way.channel].send(notice)
    except DeliveryError as wrong:
        error = str(wrong)
    except Exception as wrong:  # shown beside the address; the others go on
        error = f"{type(wrong).__name__}: the channel failed"
    took = clock.elapsed() - begun
    return Tried(
        None if person is None else person.name, way.channel, presentable(way.address), error, took
    )


@asynccontextmanager
async def _channels(settings: Settings, clock: Clock) -> "AsyncIterator[dict[str, Channel]]":
    webhooks = WebhookChannel(settings.webhook_secret.get_secret_value(), clock=clock)
    write = writer(wording(settings), settings.notice_language)
    try:
        yield {
            "webhook": webhooks,
            "mqtt": MqttChannel(lambda topic, payload: _publish(settings, topic, payload)),
            "log": LogChannel(),
            "apprise": AppriseChannel(write, settings.apprise_timeout_s),
        }
    finally:
        await webhooks.close()


async def _publish(settings: Settings, topic: str, payload: bytes) -> None:
    """Over a connection of its own: the worker's goes on undisturbed."""
    import aiomqtt

    try:
        address = Address.of(settings.mqtt_url, settings.mqtt_ca_file)
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            identifier=f"hazwatch-notify-{uuid4().hex[:8]}",
            tls_context=address.tls,
            timeout=CONNECT_S,
        ) as client:
            await client.publish(topic, payload, qos=1)
    except (aiomqtt.MqttError, OSError) as error:
        raise DeliveryError(f"the broker did not take it ({error}); hazwatch doctor") from error


def _path(registry: Registry, id: int) -> list[str]:
    codes: list[str] = []
    place = registry.nodes.get(id)
    while place is not None:
        codes.insert(0, place.code)
        place = registry.nodes.get(place.parent) if place.parent is not None else None
    return codes
