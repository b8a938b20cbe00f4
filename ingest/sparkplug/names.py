"""Topics of Sparkplug B, and which tag a metric is."""

from collections.abc import Callable, Container
from dataclasses import dataclass

from ingest.sparkplug.wire import REBIRTH
from ingest.topics import SPARKPLUG

BIRTHS = ("NBIRTH", "DBIRTH")
TYPES = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
"""What edge nodes publish."""
COMMANDS = ("NCMD", "DCMD")
BDSEQ = "bdSeq"
CONTROLS = ("Node Control/", "Device Control/", f"CMD/{REBIRTH}")
"""How metrics begin that belong to the protocol, and are no tags."""
WRAPPED = "DATA/"
"""mqtt-spb-wrapper puts this before names in births, and in births only."""

TagOf = Callable[[str | None, str], str | None]
"""The tag that (device, metric) is; None: none is registered."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a topic says beside the gateway. device None: the edge node itself."""

    type: str
    device: str | None


def part(topic: str) -> Part | None:
    """The type and device of a topic that `ingest.topics.parse` has taken; None: it is of no type
    that an edge node publishes."""
    _, _, kind, _, *device = topic.split("/")
    if kind not in TYPES or bool(device) != kind.startswith("D"):
        return None
    return Part(kind, device[0] if device else None)


def group(park: str, enterprise: str) -> str:
    """The group id of an enterprise."""
    return f"{park}:{enterprise}"


def everything(park: str, enterprise: str) -> str:
    """The subscription that brings all that edge nodes of an enterprise publish."""
    return f"{SPARKPLUG}/{group(park, enterprise)}/#"


def command(park: str, enterprise: str, node: str) -> str:
    """Where an edge node hears commands."""
    return f"{SPARKPLUG}/{group(park, enterprise)}/NCMD/{node}"


def state(host: str) -> str:
    """Where a host says whether it is there."""
    return f"{SPARKPLUG}/STATE/{host}"


def is_control(name: str) -> bool:
    """Whether a metric belongs to the protocol."""
    return name == BDSEQ or name.startswith(CONTROLS)


def tag_of(device: str | None, metric: str, tags: Container[str]) -> str | None:
    """The tag of a metric: `device/metric` where one is registered so, else `metric`."""
    metric = metric.removeprefix(WRAPPED)
    if device is not None and f"{device}/{metric}" in tags:
        return f"{device}/{metric}"
    return metric if metric in tags else None
