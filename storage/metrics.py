"""Metrics of the journal."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from storage.samples import Stored

COMMIT_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class JournalMetrics:
    """Counted and timed by the journal, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queued = Gauge(
            "hazwatch_journal_queued",
            "samples and alarm parts that are not durable yet",
            registry=registry,
        )
        self.degraded = Gauge(
            "hazwatch_journal_degraded",
            "1 while entries go to the spool instead of the database",
            registry=registry,
        )
        self.spool_bytes = Gauge(
            "hazwatch_spool_bytes", "bytes waiting in the spool", registry=registry
        )
        self.spool_full = Counter(
            "hazwatch_spool_full", "times that the spool took nothing more", registry=registry
        )
        self.spool_torn_bytes = Gauge(
            "hazwatch_spool_torn_bytes", "bytes of the spool that can't be read", registry=registry
        )
        self.spool_rejected = Gauge(
            "hazwatch_spool_rejected",
            "entries that the database refused and that wait in the spool directory for people",
            registry=registry,
        )
        self.drained = Counter(
            "hazwatch_spool_drained_entries",
            "entries brought from the spool into the database",
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "hazwatch_commit_seconds",
            "one commit of alarm parts or of a group of batches",
            ["part"],
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self.values = Counter(
            "hazwatch_values", "samples by what became of them", ["outcome"], registry=registry
        )

    def count(self, stored: Stored) -> None:
        """Count what became of a batch."""
        total = stored.total
        self.values.labels("stored").inc(total.stored)
        self.values.labels("duplicate").inc(total.duplicate)
        self.values.labels("conflict").inc(total.conflict)
