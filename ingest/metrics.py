"""Metrics of ingest."""

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.frame import CODE_SHIFT, CODED, Flag, Frame
from domain.sentinels import sentinel_of_code
from domain.wire_units import unit_of_code
from ingest.batch import Batch
from ingest.findings import NO_VALUE, VALUE_AGAIN


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
        self.no_value = Counter(
            "hazwatch_ingest_sentinels",
            "Values that came as a number that means no value",
            ["number"],
            registry=registry,
        )
        self.converted = Counter(
            "hazwatch_ingest_converted",
            "Values that came in another unit than the registered one",
            ["unit"],
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
            if finding.what not in (NO_VALUE, VALUE_AGAIN):
                self.clocks.labels(finding.what).inc()
        self._codes(batch.frame)

    def _codes(self, frame: Frame) -> None:
        coded = frame.flags[frame.flags >= Flag.SENTINEL]
        if not len(coded):
            return
        kinds, counts = np.unique(coded & CODED, return_counts=True)
        for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
            if kind & Flag.SENTINEL:
                number = sentinel_of_code(kind >> CODE_SHIFT)
                self.no_value.labels("own" if number is None else f"{number:g}").inc(count)
            elif (unit := unit_of_code(kind >> CODE_SHIFT)) is not None:
                self.converted.labels(unit.name).inc(count)

    def members(self, total: int) -> None:
        """Note `Intake.unknown_members`."""
        self.unknown_members.inc(total - self._members)
        self._members = total


class HttpMetrics:
    """How HTTP ingest stands with its gateways."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "hazwatch_http_ingest_requests",
            "Requests by status of the answer; 0: the sender hung up before its body was here",
            ["status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "hazwatch_http_ingest_seconds",
            "From the whole body to durable, of requests answered with 200",
            buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
            registry=registry,
        )
        self.waiting = Gauge(
            "hazwatch_http_ingest_waiting", "Requests that wait to be durable", registry=registry
        )
        self.over_quota = Counter(
            "hazwatch_http_ingest_over_quota",
            "Requests refused because their enterprise had sent more than it may",
            ["enterprise"],
            registry=registry,
        )
        self.denied = Counter(
            "hazwatch_http_ingest_denied",
            "Requests refused for who sent them",
            ["why"],
            registry=registry,
        )
