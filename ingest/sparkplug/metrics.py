"""Metrics of the Sparkplug B host."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from ingest.sparkplug.desk import Desk


class SparkplugMetrics:
    """How the host and its edge nodes stand, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge(
            "hazwatch_sparkplug_connected", "1 while the host is online", registry=registry
        )
        self.sessions = Gauge(
            "hazwatch_sparkplug_sessions", "Edge nodes in a session", registry=registry
        )
        self.stale = Gauge(
            "hazwatch_sparkplug_stale_tags",
            "Tags that are STALE because a node, a device or the connection is gone",
            registry=registry,
        )
        self._counters = {
            member: Counter(name, text, registry=registry)
            for member, name, text in (
                ("rebirths", "hazwatch_sparkplug_rebirths", "Requests for births"),
                ("gaps", "hazwatch_sparkplug_gaps", "Gaps in what edge nodes sent"),
                ("late", "hazwatch_sparkplug_late", "Messages that waited for those before them"),
                ("deaths", "hazwatch_sparkplug_deaths", "Deaths of edge nodes"),
            )
        }
        self._told = dict.fromkeys(self._counters, 0)

    def look(self, desk: Desk) -> None:
        """Take over how it stands."""
        self.sessions.set(desk.alive)
        self.stale.set(desk.stale)
        for name, counter in self._counters.items():
            now = getattr(desk.tally, name)
            counter.inc(now - self._told[name])
            self._told[name] = now
