"""Topics of wire version 1, in and out."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from ingest.rejection import Rejection, shown

Channel = Literal["data", "state", "alarm", "sparkplug"]
CHANNELS: tuple[Channel, ...] = ("data", "state", "alarm")
"""What a gateway may publish."""
PREFIX = "hw/v1"
SPARKPLUG = "spBv1.0"
"""First level of the topics of Sparkplug B; what comes there belongs to `ingest.sparkplug`."""
RESERVED_PARK = "events"
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Topic:
    """Where a message of a gateway came in: hw/v1/{park}/{enterprise}/{gateway}/{channel}, or a
    topic of Sparkplug B."""

    park: str
    enterprise: str
    gateway: str
    channel: Channel


def is_name(text: str) -> bool:
    """Whether a park, an enterprise or a gateway may be called so."""
    return NAME.fullmatch(text) is not None


def parse(topic: str) -> Topic | Rejection:
    """The parts of a gateway's topic, or `bad_topic`."""
    parts = topic.split("/")
    if parts[0] == SPARKPLUG:
        return _edge_node(topic, parts)
    if len(parts) != 6 or parts[:2] != ["hw", "v1"] or parts[5] not in CHANNELS:
        return Rejection(
            "bad_topic",
            f"topic {shown(topic)}: allowed is {PREFIX}/{{park}}/{{enterprise}}/{{gateway}}/ "
            f"with data, state or alarm",
        )
    for name in parts[2:5]:
        if not is_name(name):
            return Rejection(
                "bad_topic",
                f"topic {shown(topic)}: the name {shown(name)} is not 1 to 64 of A-Z a-z 0-9 . _ -",
            )
    if parts[2] == RESERVED_PARK:
        return Rejection("bad_topic", f"topic {shown(topic)}: no park may be called 'events'")
    return Topic(parts[2], parts[3], parts[4], parts[5])


def _edge_node(topic: str, parts: list[str]) -> Topic | Rejection:
    """spBv1.0/{park}:{enterprise}/{type}/{gateway}, and a device behind it."""
    park, _, enterprise = parts[1].partition(":")
    if len(parts) not in (4, 5) or not all(map(is_name, (park, enterprise, parts[3]))):
        return Rejection(
            "bad_topic",
            f"topic {shown(topic)}: allowed is {SPARKPLUG}/{{park}}:{{enterprise}}/TYPE/{{gateway}}"
            f", with a device where it is of one; names are 1 to 64 of A-Z a-z 0-9 . _ -",
        )
    return Topic(park, enterprise, parts[3], "sparkplug")


def filters(park: str, enterprise: str) -> tuple[str, ...]:
    """The subscriptions that bring everything the gateways of an enterprise publish."""
    return tuple(f"{PREFIX}/{park}/{enterprise}/+/{channel}" for channel in CHANNELS)


def data(park: str, enterprise: str, gateway: str) -> str:
    """Where a gateway publishes samples."""
    return f"{PREFIX}/{park}/{enterprise}/{gateway}/data"


def receipt(park: str, enterprise: str, gateway: str) -> str:
    """Where a gateway reads what is in the database."""
    return f"{PREFIX}/{park}/{enterprise}/{gateway}/receipt"


def colour(park: str, enterprise: str | None = None, source: str | None = None) -> str:
    """Where the present colour of a park, an enterprise or a source is retained."""
    above = f"{PREFIX}/{RESERVED_PARK}/{park}/{enterprise or '-'}/colour"
    return above if source is None else f"{above}/{source}"


def lease(shard: str) -> str:
    """Where whoever has the lease of a shard retains its epoch; a shard may be called anything."""
    return f"{PREFIX}/{RESERVED_PARK}/hazwatch-lease/-/{quote(shard, safe='')}"


def events(park: str, enterprise: str | None, kind: str) -> str:
    """Where an alarm, warning or risk goes out; enterprise None: it is the park's or an area's."""
    return f"{PREFIX}/{RESERVED_PARK}/{park}/{enterprise or '-'}/{kind}"
