"""Metrics of the way from the broker to intake."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

from ingest.inbox import EARLY, Inbox, Lane

if TYPE_CHECKING:
    from ingest.session import Session

MOST = 200
"""Enterprises with a label of their own; those beyond share `OTHERS`."""
OTHERS, EARLIER = "others", "earlier release"


@dataclass(frozen=True, slots=True)
class _Own:
    """What is counted of one enterprise."""

    messages: Counter
    bytes: Counter
    braked: Counter
    lag: Gauge


class BrokerMetrics:
    """How we stand with the broker, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = _gauge(registry, "broker_connected", "1 while connected to the broker")
        self.connections = Counter(
            "hazwatch_broker_connections", "Connections made to the broker", registry=registry
        )
        self.stood_down = _gauge(
            registry, "broker_stood_down", "1 while another may have taken over, and nobody is told"
        )
        self.sessions = _gauge(registry, "broker_sessions", "Enterprises that are heard")
        self.wanted = _gauge(registry, "broker_sessions_wanted", "Enterprises to be heard")
        self.unacknowledged = _gauge(
            registry, "broker_unacknowledged", "Messages that came and are not durable yet"
        )
        self.inbox_bytes = _gauge(registry, "broker_inbox_bytes", "Bytes of messages that wait")
        self.inbox = _gauge(registry, "broker_inbox_messages", "Messages that wait")
        self.outgoing = _gauge(
            registry, "broker_outgoing", "Publishes that wait or are unconfirmed"
        )
        self.dropped = Counter(
            "hazwatch_broker_dropped",
            "Publishes given up because the broker was away for too long",
            registry=registry,
        )
        self.turned_away = Counter(
            "hazwatch_broker_turned_away",
            "Messages acknowledged unread: none of ours, or retained ones heard elsewhere",
            registry=registry,
        )
        self._messages = _by_enterprise(registry, "messages", "Messages that came")
        self._bytes = _by_enterprise(registry, "bytes", "Bytes of messages that came")
        self._braked = _by_enterprise(
            registry, "braked_seconds", "For how long the broker had to hold back messages"
        )
        self._lag = Gauge(
            "hazwatch_ingest_lag_seconds",
            "By how much later than it could be the last of an enterprise is judged",
            ["enterprise"],
            registry=registry,
        )
        self._own: dict[Lane, _Own] = {}

    def received(self, lane: Lane, messages: int, size: int) -> None:
        """Messages came in."""
        own = self._own.get(lane) or self._of(lane)
        own.messages.inc(messages)
        own.bytes.inc(size)

    def braked(self, lane: Lane, seconds: float) -> None:
        """A socket was not read."""
        self._of(lane).braked.inc(seconds)

    def late(self, lags: Mapping[Lane, float]) -> None:
        """How late enterprises are, in seconds."""
        longest: dict[Gauge, float] = {}
        for lane, seconds in lags.items():
            gauge = self._of(lane).lag
            longest[gauge] = max(seconds, longest.get(gauge, 0.0))
        for gauge, seconds in longest.items():
            gauge.set(seconds)

    def taken(self, inbox: Inbox) -> None:
        """A reading was handed out."""
        self.inbox_bytes.set(inbox.bytes)
        self.inbox.set(len(inbox))

    def look(self, connected: bool, up: int, sessions: "Collection[Session]") -> None:
        """How it stands with all sessions, of which so many hear their enterprise."""
        self.connected.set(connected)
        self.sessions.set(up)
        self.wanted.set(sum(not one.retired for one in sessions))
        links = [one.connection for one in sessions if one.connection is not None]
        self.unacknowledged.set(sum(link.unacknowledged for link in links))
        for one in sessions:
            one.tell_brake()

    def forget(self, lane: Lane) -> None:
        """An enterprise has left."""
        if self._own.pop(lane, None) is not None:
            name = _name(lane)
            for family in (self._messages, self._bytes, self._braked, self._lag):
                family.remove(name)

    def _of(self, lane: Lane) -> _Own:
        own = self._own.get(lane)
        if own is None:
            room = len(self._own) < MOST
            name = _name(lane) if room else OTHERS
            own = _Own(
                self._messages.labels(name),
                self._bytes.labels(name),
                self._braked.labels(name),
                self._lag.labels(name),
            )
            if room:
                self._own[lane] = own
        return own


def _gauge(registry: CollectorRegistry, name: str, told: str) -> Gauge:
    return Gauge(f"hazwatch_{name}", told, registry=registry)


def _by_enterprise(registry: CollectorRegistry, name: str, told: str) -> Counter:
    return Counter(f"hazwatch_broker_{name}", told, ["enterprise"], registry=registry)


def _name(lane: Lane) -> str:
    return EARLIER if lane == EARLY else "/".join(lane)
