from prometheus_client import CollectorRegistry

from ingest.metrics import IngestMetrics
from tests.support.gateway_line import Line, body, raw


def test_metrics_say_what_became_of_messages_and_values():
    collected = CollectorRegistry()
    metrics, line = IngestMetrics(collected), Line()
    good = raw(body((1.0, {"T1": 1, "X": 2}), seq=0, vendor="x"))
    line.take(1, good, good, raw(b"{"), raw(body((28800.0, {"T2": 1}), seq=1)))
    for batch in line.batches:
        metrics.batch(batch)
    metrics.members(line.intake.unknown_members)
    metrics.members(line.intake.unknown_members)

    def value(name: str, **labels: str) -> float | None:
        return collected.get_sample_value(f"hazwatch_ingest_{name}_total", labels)

    outcomes = ("received", "decoded", "repeated", "quarantined", "redelivered")
    assert [value("messages", outcome=one) for one in outcomes] == [4, 2, 1, 1, 1]
    assert [value("values", outcome=one) for one in ("decoded", "quarantined")] == [3, 1]
    assert value("quarantined", reason="unknown_tag") == 1
    assert value("quarantined", reason="malformed") == 1
    assert value("clock_findings", what="zone") == 1
    assert value("unknown_members") == 1
