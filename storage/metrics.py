"""Metrics of the journal."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.instant import SECOND
from storage.samples import Stored
from storage.spool import Spool

GROUP_BUCKETS = (1, 10, 100, 1000, 3000, 10_000, 30_000, 100_000, 300_000)
DURABLE_BUCKETS = (
    0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 60, 600,
)  # fmt: skip
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
        self.oldest = Gauge(
            "hazwatch_journal_oldest_seconds",
            "how long the oldest entry that is not durable has waited",
            registry=registry,
        )
        self.shedding = Gauge(
            "hazwatch_journal_shedding",
            "1 while entries go to the spool because the database is too slow",
            registry=registry,
        )
        self.shed = Counter(
            "hazwatch_journal_shed", "times that the database was too slow", registry=registry
        )
        self.group_samples = Histogram(
            "hazwatch_group_samples",
            "samples that were committed together",
            buckets=GROUP_BUCKETS,
            registry=registry,
        )
        self.durable_seconds = Histogram(
            "hazwatch_durable_seconds",
            "from when a batch's first message arrived, or was sent, to its commit in the database",
            ["since"],
            buckets=DURABLE_BUCKETS,
            registry=registry,
        )
        self.spool_age = Gauge(
            "hazwatch_spool_age_seconds", "age of the oldest part of the spool", registry=registry
        )
        self.no_room = Gauge(
            "hazwatch_no_room",
            "1 while nothing can be made durable: neither database nor spool take it",
            registry=registry,
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
            "one commit, by part: alarms; batches, and of these copy, turn (waiting) and rest",
            ["part"],
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self.values = Counter(
            "hazwatch_values", "samples by what became of them", ["outcome"], registry=registry
        )

    def spool(self, spool: Spool, at: datetime) -> None:
        """What lies in the spool."""
        began = spool.began
        self.spool_bytes.set(spool.size)
        self.spool_age.set(0.0 if began is None else max(0.0, at.timestamp() - began))

    def durable(self, arrived: int, sent: int, at: int) -> None:
        """A batch is committed `at`, whose first message came and was sent then; microseconds, 0 =
        not known."""
        for since, began in (("arrived", arrived), ("sent", sent)):
            if began:
                self.durable_seconds.labels(since).observe((at - began) / SECOND)

    def count(self, stored: Stored) -> None:
        """Count what became of a batch."""
        total = stored.total
        self.values.labels("stored").inc(total.stored)
        self.values.labels("duplicate").inc(total.duplicate)
        self.values.labels("conflict").inc(total.conflict)


class RollupMetrics:
    """Told by the upkeep of the database, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lag_seconds = Gauge(
            "hazwatch_rollup_lag_seconds",
            "how far the roll-ups are behind what is stored",
            registry=registry,
        )
        self.step_seconds = Histogram(
            "hazwatch_rollup_step_seconds",
            "one step of the roll-ups",
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self.dropped_bytes = Counter(
            "hazwatch_retention_dropped_bytes",
            "bytes of samples and roll-ups that were dropped because of their age",
            registry=registry,
        )
        self.thinned = Counter(
            "hazwatch_thinned_samples",
            "samples that the archive filter deleted",
            registry=registry,
        )
