"""Metrics of the worker's decisions; each stage has its own beside its code."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain import fault_points
from domain.instant import SECOND

JUDGED_BUCKETS = (
    *(0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.01, 0.012, 0.015),
    *(0.02, 0.03, 0.05, 0.1, 0.3, 1, 10, 100),
)  # fmt: skip


class WorkerMetrics:
    """Counted and timed in the worker's loop, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.findings = Counter(
            "hazwatch_findings", "edges that the rules found", ["kind", "edge"], registry=registry
        )
        self.transitions = Counter(
            "hazwatch_alarm_transitions",
            "changes of alarm occurrences",
            ["event", "priority"],
            registry=registry,
        )
        self.open_alarms = Gauge(
            "hazwatch_alarms_open", "occurrences that are not NORM", registry=registry
        )
        fails = Gauge(
            "hazwatch_fault_point_set", "1: this process will fail on purpose", registry=registry
        )
        fails.set_function(lambda: float(fault_points.armed()))
        self.tags = Gauge("hazwatch_tags", "tags that are watched", registry=registry)
        self.unjudged = Gauge(
            "hazwatch_not_judged",
            "tags, groups, rules and vessels that can't be judged",
            registry=registry,
        )
        self.judge_seconds = Histogram(
            "hazwatch_judge_seconds",
            "one step of the rules",
            buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1),
            registry=registry,
        )
        self.judged_seconds = Histogram(
            "hazwatch_judged_seconds",
            "from when a batch's first message arrived, or was sent, until it was judged",
            ["since"],
            buckets=JUDGED_BUCKETS,
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "hazwatch_lag_seconds",
            "age of the newest sample of the last batch when it was judged",
            registry=registry,
        )
        self.notices = Counter(
            "hazwatch_notices", "attempts to notify", ["channel", "outcome"], registry=registry
        )
        self.notices_waiting = Gauge(
            "hazwatch_notices_waiting", "notices not yet delivered", registry=registry
        )
        self.degraded = Gauge(
            "hazwatch_database_away", "1 while the database can't be reached", registry=registry
        )
        self.clock_error = Gauge(
            "hazwatch_wall_clock_error_seconds",
            "wall clock of this machine minus the anchored time line",
            registry=registry,
        )
        self.replayed = Counter(
            "hazwatch_replay_ranges", "ranges of late data judged again", registry=registry
        )
        self.gaps = Gauge(
            "hazwatch_gaps", "gaps of the ledger that are not filled", ["kind"], registry=registry
        )
        self.gaps_open = Gauge(
            "hazwatch_gaps_open", "of these, the ones that go on", ["kind"], registry=registry
        )
        self.gap_oldest_seconds = Gauge(
            "hazwatch_gap_oldest_seconds",
            "since when the oldest gap that is not filled is there",
            ["kind"],
            registry=registry,
        )
        self.gap_seconds_filled = Counter(
            "hazwatch_gap_seconds_filled",
            "missing seconds of tags that came after all",
            registry=registry,
        )

    def judged(self, arrived: int, sent: int, at: int) -> None:
        """A batch was judged `at`, whose first message came and was sent then; microseconds, 0 =
        not known."""
        for since, began in (("arrived", arrived), ("sent", sent)):
            if began:
                self.judged_seconds.labels(since).observe((at - began) / SECOND)


class WarningMetrics:
    """Colours, cases and ladders, on the registry given."""

    COLOURS = ("blue", "yellow", "orange", "red")

    def __init__(self, registry: CollectorRegistry) -> None:
        self.look_seconds = Histogram(
            "hazwatch_risk_seconds",
            "one assessment of all sources and what follows from it",
            buckets=(0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1),
            registry=registry,
        )
        self.transitions = Counter(
            "hazwatch_warning_transitions",
            "changes of warning cases",
            ["event"],
            registry=registry,
        )
        self.rungs = Counter(
            "hazwatch_escalation_steps",
            "changes of rungs of the ladder",
            ["outcome"],
            registry=registry,
        )
        self._open = Gauge(
            "hazwatch_warnings_open",
            "warning cases that are not closed, by the colour of their source",
            ["colour"],
            registry=registry,
        )

    def open(self, colours: Iterable[str]) -> None:
        """Open cases are of these colours."""
        tally = Tally(colours)
        for colour in self.COLOURS:
            self._open.labels(colour).set(tally[colour])


class SelfTestMetrics:
    """What the self-test 自检 saw, on the registry given. Told from two threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "hazwatch_self_test_seconds",
            "from hazwatch's own breach until its event was heard (event), its notice had arrived"
            " (notice), and it was durable (stored)",
            ["part"],
            buckets=(0.01, 0.02, 0.03, 0.05, 0.08, 0.15, 0.3, 0.5, 1, 2, 5, 10),
            registry=registry,
        )
        self.outcomes = Counter(
            "hazwatch_self_tests",
            "own breaches that came through (passed), were stored late (late), or did not (missed)",
            ["outcome"],
            registry=registry,
        )
        self.last = Gauge(
            "hazwatch_self_test_last_success_seconds",
            "when the newest breach was sent that came through, seconds since 1970",
            registry=registry,
        )
        self.failing = Gauge(
            "hazwatch_self_test_failing",
            "1 while the self-test counts as failed",
            registry=registry,
        )
        for outcome in ("passed", "late", "missed"):
            self.outcomes.labels(outcome)
