"""Metrics of ingest."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from ingest.batch import Batch


class IngestMetrics:
    """What became of messages and values, as batches leave intake."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "hazwatch_ingest_messages",
            "Messages on data topics by what became of them; redelivered ones are among the others",
            ["outcome"],
            registry=registry,
        )
        self.values = Counter(
            "hazwatch_ingest_values",
            "Values decoded, and those of them that were quarantined",
            ["outcome"],
            registry=registry,
        )
        self.quarantined = Counter(
            "hazwatch_ingest_quarantined",
            "Messages and values quarantined, by reason",
            ["reason"],
            registry=registry,
        )
        self.clocks = Counter(
            "hazwatch_ingest_clock_findings",
            "Findings on the clocks of gateways",
            ["what"],
            registry=registry,
        )
        self.unknown_members = Counter(
            "hazwatch_ingest_unknown_members",
            "Members of messages that the wire profile does not have; they were ignored",
            registry=registry,
        )
        self._members = 0

    def batch(self, batch: Batch) -> None:
        """Count a batch."""
        for count in batch.counts.values():
            self.messages.labels("received").inc(count.messages_received)
            self.messages.labels("redelivered").inc(count.messages_redelivered)
            self.messages.labels("decoded").inc(count.messages_decoded)
            self.messages.labels("repeated").inc(count.messages_repeated)
            self.messages.labels("quarantined").inc(count.messages_quarantined)
            self.values.labels("decoded").inc(count.values_decoded)
            self.values.labels("quarantined").inc(count.values_quarantined)
        for one in batch.quarantined:
            self.quarantined.labels(one.reason).inc()
        for finding in batch.clocks:
            self.clocks.labels(finding.what).inc()

    def members(self, total: int) -> None:
        """Note `Intake.unknown_members`."""
        self.unknown_members.inc(total - self._members)
        self._members = total


class BrokerMetrics:
    """How we stand with the broker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge(
            "hazwatch_broker_connected", "1 while connected to the broker", registry=registry
        )
        self.connections = Counter(
            "hazwatch_broker_connections", "Connections made to the broker", registry=registry
        )
        self.inbox_bytes = Gauge(
            "hazwatch_broker_inbox_bytes", "Bytes of messages that wait", registry=registry
        )
        self.outgoing = Gauge(
            "hazwatch_broker_outgoing", "Publishes that wait or are unconfirmed", registry=registry
        )
        self.dropped = Counter(
            "hazwatch_broker_dropped",
            "Publishes given up because the broker was away for too long",
            registry=registry,
        )
