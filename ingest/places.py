"""`Places`: from a topic to the gateway that speaks there, by the registry."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from domain.plant import Node, Registry
from ingest.rejection import Rejection
from ingest.sender import Holders, Sender
from ingest.topics import Channel, Topic, parse

KEEP_TOPICS = 10_000
"""Topics remembered; when there are more, all are forgotten and parsed again."""
LONGEST = 1024
"""Characters of a topic that is remembered; no sound one is longer."""


OURS = Rejection("", "")
"""Of a place that is one of ours."""


@dataclass(frozen=True, slots=True)
class Place:
    """Who speaks on a topic. sender None: none of ours, `why` says how so."""

    channel: Channel | None
    sender: Sender | None
    enterprise: int | None
    why: Rejection = OURS


class Places:
    """Finds senders by topic and id, tags by name, units by tag, in the present registry."""

    def __init__(self, registry: Registry) -> None:
        self._senders: dict[int, Sender] = {}
        self._holders = Holders()
        self._of: defaultdict[int, list[Sender]] = defaultdict(list)
        self._by_name: dict[tuple[str, str, str], Sender] = {}
        self._enterprises: dict[tuple[str, str], int] = {}
        self._tags: dict[int, dict[str, int]] = {}
        self._units: dict[int, str] = {}
        self._found: dict[str, Place] = {}
        self.update(registry)

    def update(self, registry: Registry) -> None:
        """Use a new reading of the registry; what is remembered of gateways that stay is kept."""
        old = self._senders
        self._senders = {
            one.id: old.get(one.id) or Sender(one, self._holders) for one in registry.gateways
        }
        self._holders.forget()
        for gateway in registry.gateways:
            sender = self._senders[gateway.id]
            sender.registered(gateway)
            self._holders.hold(sender.ids.tolist(), gateway.id)
        self._by_name = {
            (one.gateway.park, one.gateway.enterprise_code, one.gateway.code): one
            for one in self._senders.values()
        }
        self._of = defaultdict(list)
        for one in self._senders.values():
            self._of[one.gateway.enterprise].append(one)
        self._enterprises = _enterprises(registry)
        self._tags = {}
        for tag in sorted(registry.tags.values(), key=lambda tag: tag.id):
            self._tags.setdefault(tag.enterprise, {})[tag.name] = tag.id
        self._units = {tag.id: tag.unit for tag in registry.tags.values()}
        self._found.clear()

    def sender(self, gateway: int) -> Sender | None:
        """The sender with this gateway id."""
        return self._senders.get(gateway)

    def senders(self) -> Collection[Sender]:
        """All of them."""
        return self._senders.values()

    def of(self, enterprise: int) -> Collection[Sender]:
        """Those of an enterprise."""
        return self._of.get(enterprise, ())

    def tags(self, enterprise: int) -> Mapping[str, int]:
        """Tag name -> tag id of an enterprise."""
        return self._tags.get(enterprise, {})

    def unit(self, tag: int) -> str:
        """The unit that a tag is registered in."""
        return self._units[tag]

    def find(self, topic: str) -> Place:
        """Who speaks on a topic."""
        place = self._found.get(topic)
        if place is None:
            place = self._place(topic)
            if len(topic) > LONGEST:
                return place
            if len(self._found) >= KEEP_TOPICS:
                self._found.clear()
            self._found[topic] = place
        return place

    def _place(self, topic: str) -> Place:
        told = parse(topic)
        if isinstance(told, Rejection):
            return Place(None, None, None, told)
        sender = self._by_name.get((told.park, told.enterprise, told.gateway))
        if sender is not None:
            return Place(told.channel, sender, sender.gateway.enterprise)
        enterprise = self._enterprises.get((told.park, told.enterprise))
        return Place(told.channel, None, enterprise, _unknown(told, enterprise))


def _unknown(told: Topic, enterprise: int | None) -> Rejection:
    if enterprise is None:
        return Rejection(
            "unknown_enterprise",
            f"no enterprise '{told.enterprise}' is registered in park '{told.park}'",
        )
    return Rejection(
        "unknown_gateway",
        f"no gateway '{told.gateway}' is registered for {told.park}/{told.enterprise}",
    )


def _enterprises(registry: Registry) -> dict[tuple[str, str], int]:
    """(park, enterprise) -> node id, from the tree and from the gateways."""
    found = {(one.park, one.enterprise_code): one.enterprise for one in registry.gateways}
    for node in registry.nodes.values():
        if node.kind == "enterprise":
            park = _park(node, registry.nodes)
            if park is not None:
                found[park.code, node.code] = node.id
    return found


def _park(node: Node, nodes: Mapping[int, Node]) -> Node | None:
    """The park that a node lies in."""
    above: Node | None = node
    while above is not None and above.kind != "park":
        above = None if above.parent is None else nodes.get(above.parent)
    return above
