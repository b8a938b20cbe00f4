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


def test_metrics_count_what_came_in_another_unit_or_means_no_value():
    collected = CollectorRegistry()
    metrics, line = IngestMetrics(collected), Line()
    cm = {"value": 1, "unit": "cm"}
    line.take(1, raw(body((1.0, {"T1": cm, "T2": -9999, "T3": cm}), (1.5, {"T2": 32767}), seq=0)))
    for batch in line.batches:
        metrics.batch(batch)

    def value(name: str, **labels: str) -> float | None:
        return collected.get_sample_value(f"hazwatch_ingest_{name}_total", labels)

    assert value("converted", unit="cm") == 2
    assert [value("sentinels", number=one) for one in ("-9999", "32767")] == [1, 1]
    assert value("clock_findings", what="no_value") is None
