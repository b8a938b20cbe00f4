"""What the api counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class ApiMetrics:
    """Metrics of one api; two in one process need two registries."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Histogram(
            "hazwatch_api_request_seconds",
            "Time to answer, by path template; a live stream counts until its headers.",
            ["method", "path", "status"],
            registry=registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 5, 15),
        )
        self.logins = Counter(
            "hazwatch_api_logins_total", "Logins by outcome.", ["outcome"], registry=registry
        )
        self.actions = Counter(
            "hazwatch_api_actions_total",
            "Operator actions by verb and answer.",
            ["verb", "outcome"],
            registry=registry,
        )
        self.streams = Gauge(
            "hazwatch_api_streams", "Open connections to the live stream.", registry=registry
        )
        self.stream_events = Counter(
            "hazwatch_api_stream_events_total", "Events sent to live streams.", registry=registry
        )
