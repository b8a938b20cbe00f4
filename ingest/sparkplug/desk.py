"""`Desk`: the sessions of all edge nodes, between the inbox and intake.

Pure. Time is when a message came: what is due is looked at before the message that came after it,
and a `Sign.TIME` in the inbox lets time pass where nothing comes. So a long inbox is no reason to
take a message for lost that waits in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import chain

from domain.plant import Gateway, Registry
from ingest.batch import Raw, Told
from ingest.message import Unread
from ingest.rejection import Rejection
from ingest.sparkplug import names
from ingest.sparkplug.item import Item
from ingest.sparkplug.life import Options, Phase, Tally
from ingest.sparkplug.names import COMMANDS, TagOf
from ingest.sparkplug.session import Session
from ingest.sparkplug.wire import Payload, read, rebirth
from ingest.topics import SPARKPLUG, Topic, parse

Enterprise = tuple[str, str]
"""park, enterprise"""
Node = tuple[str, str, str]
"""park, enterprise, gateway"""


class Sign(Enum):
    """Handle of what the host puts into the inbox beside messages, in the line of the node that it
    is about: so it comes after all that the node has said before."""

    UP = "up"
    LOST = "lost"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be published to an edge node."""

    topic: str
    payload: bytes


def sign(node: Node, which: Sign, at: int) -> Raw:
    """What the host puts into the inbox about an edge node at microseconds `at`."""
    park, enterprise, code = node
    topic = f"{SPARKPLUG}/{names.group(park, enterprise)}/{which.name}/{code}"
    return Raw(topic, b"", which, arrived=at)


class Desk:
    """Memory of every edge node. Owns its sessions."""

    def __init__(self, registry: Registry, options: Options | None = None) -> None:
        self.tally = Tally()
        self._options = options or Options()
        self._sessions: dict[Enterprise, dict[str, Session]] = {}
        self._gateways: dict[Enterprise, dict[str, Gateway]] = {}
        self._tags: dict[int, frozenset[str]] = {}
        self._commands: list[Command] = []
        self.update_registry(registry)

    def update_registry(self, registry: Registry) -> None:
        """Use a new reading of the registry; sessions of gateways that are gone end."""
        tags: dict[int, set[str]] = {}
        for tag in registry.tags.values():
            tags.setdefault(tag.enterprise, set()).add(tag.name)
        self._tags = {enterprise: frozenset(own) for enterprise, own in tags.items()}
        self._gateways = {}
        for gateway in registry.gateways:
            place = gateway.park, gateway.enterprise_code
            self._gateways.setdefault(place, {})[gateway.code] = gateway
        for place, own in list(self._sessions.items()):
            here = self._gateways.get(place, {})
            self._sessions[place] = {code: one for code, one in own.items() if code in here}
            for code, session in self._sessions[place].items():
                session.follow(here[code], self._tag_of(here[code]))

    def seed(self, gateway: Gateway, tags: Iterable[str]) -> None:
        """What came from an edge node before a restart of ours; a `Sign.LOST` makes it STALE."""
        place = gateway.park, gateway.enterprise_code
        if gateway.code in self._gateways.get(place, {}):
            self._session(place, gateway.code).seed(tags)

    def read(self, messages: Sequence[Raw]) -> Sequence[Raw]:
        """The messages in order, with those of edge nodes read; others are passed on."""
        if not any(raw.topic.startswith(SPARKPLUG) for raw in messages):
            return messages
        made: list[Raw] = []
        for raw in messages:
            if raw.topic.startswith(SPARKPLUG):
                self._read(raw, made)
            else:
                made.append(raw)
        return made

    def commands(self) -> list[Command]:
        """What is to be published since this was asked last."""
        found, self._commands = self._commands, []
        return found

    def due(self, at: int) -> list[Node]:
        """Edge nodes that need a `Sign.TIME` at `at`."""
        return [node for node in self.nodes() if self._at(node).next_due <= at]

    def nodes(self) -> list[Node]:
        """All edge nodes that were heard."""
        return [(*place, code) for place, own in self._sessions.items() for code in own]

    def _at(self, node: Node) -> Session:
        return self._sessions[node[:2]][node[2]]

    @property
    def alive(self) -> int:
        """Edge nodes in a session."""
        return sum(one.phase is Phase.ALIVE for one in self._all())

    @property
    def stale(self) -> int:
        """Tags that are STALE because of a death or a loss."""
        return sum(len(one.stale) for one in self._all())

    def _all(self) -> Iterator[Session]:
        return chain.from_iterable(own.values() for own in self._sessions.values())

    def _read(self, raw: Raw, made: list[Raw]) -> None:
        place = parse(raw.topic)
        enterprise = (place.park, place.enterprise) if isinstance(place, Topic) else ("", "")
        if isinstance(place, Rejection) or place.gateway not in self._gateways.get(enterprise, {}):
            if not isinstance(raw.handle, Sign):
                made.append(raw)
            return
        at = raw.arrived or 0
        if isinstance(raw.handle, Sign):
            self._signed(self._session(enterprise, place.gateway), raw.handle, at, made)
        elif raw.topic.split("/")[2] not in COMMANDS:
            self._said(raw, self._session(enterprise, place.gateway), at, made)

    def _said(self, raw: Raw, session: Session, at: int, made: list[Raw]) -> None:
        """A message of an edge node."""
        session.pass_time(at)
        part, payload = names.part(raw.topic), read(raw.payload)
        if part is None:
            payload = Rejection("bad_topic", f"types are {', '.join(names.TYPES)}, D… of a device")
        if isinstance(payload, Payload) and part is not None:
            session.take(Item(part.type, part.device, raw, payload, at))
            self._collect(session, at, made)
        elif isinstance(payload, Rejection):
            self._collect(session, at, made)
            made.append(replace(raw, told=Told(Unread(payload, size=len(raw.payload)))))

    def _signed(self, session: Session, which: Sign, at: int, made: list[Raw]) -> None:
        session.pass_time(at)
        if which is Sign.LOST:
            session.lost(at)
        elif which is Sign.UP:
            session.up(at)
        self._collect(session, at, made)

    def _collect(self, session: Session, at: int, made: list[Raw]) -> None:
        made += session.said()
        if session.asks():
            gateway = session.gateway
            topic = names.command(gateway.park, gateway.enterprise_code, gateway.code)
            self._commands.append(Command(topic, rebirth(at)))

    def _session(self, place: Enterprise, code: str) -> Session:
        own = self._sessions.setdefault(place, {})
        if code not in own:
            gateway = self._gateways[place][code]
            topic = f"{SPARKPLUG}/{names.group(*place)}/STALE/{code}"
            own[code] = Session(gateway, self._tag_of(gateway), self._options, self.tally, topic)
        return own[code]

    def _tag_of(self, gateway: Gateway) -> TagOf:
        return partial(_tag, self._tags.get(gateway.enterprise, frozenset()))


def _tag(tags: frozenset[str], device: str | None, metric: str) -> str | None:
    return names.tag_of(device, metric, tags)
