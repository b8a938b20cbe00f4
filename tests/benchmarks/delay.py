"""`delay.*`: how long a message is on its way, from when its gateway sent it, by the service's own
histograms: until it is judged, and until it is in the database."""

import time
from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from simulators.swarm import Swarm
from tests.support.bench import Cores, Row, Running, Servers, running, until

RATE, WARM_UP_S, FOR_S, REPEATS = 50_000, 6, 8, 3
TARGETS = {"judged": 10.0, "durable": 150.0}
Buckets = Mapping[float, float]
"""How many observations were at most so many seconds."""


def stages(servers: Servers) -> list[Row]:
    """At 50,000 values a second with commits beside it."""
    with running(servers, Swarm(4, tags=2500, values=100), roles="worker,api") as service:
        load = service.load("--rate", RATE, "--for", f"{WARM_UP_S + REPEATS * FOR_S + 2}s")
        until(service.stored, "something is stored")
        time.sleep(WARM_UP_S)
        cores, found = Cores(), []
        for _ in range(REPEATS):
            before = _seen(service)
            time.sleep(FOR_S)
            found.append(_between(before, _seen(service)))
        used = cores.told()
        load.end()
        service.prove()
    return [_row(stage, [one[stage] for one in found], used) for stage in TARGETS]


def _row(stage: str, windows: list[Buckets], used: str) -> Row:
    every = {edge: sum(one[edge] for one in windows) for edge in windows[0]}
    context = (
        f"{RATE:,} values/s, 100 a message, {REPEATS} × {FOR_S} s; of the first message of "
        f"{every[float('inf')]:,.0f} batches, since it was sent; p50 {_share(every, 0.5):.1f} ms, "
        f"between buckets; {used}"
    )
    repeats = [_share(one, 0.99) for one in windows]
    return Row(
        f"delay.{stage}_50k_p99_ms", _share(every, 0.99), "ms", TARGETS[stage], "lower",
        (min(repeats), max(repeats)), context,
    )  # fmt: skip


def _seen(service: Running) -> dict[str, dict[float, float]]:
    """The buckets of each stage by now."""
    text = httpx.get(f"http://127.0.0.1:{service.service.port}/metrics").raise_for_status().text
    found: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(text):
        stage = family.name.removeprefix("hazwatch_").removesuffix("_seconds")
        for one in family.samples if stage in TARGETS else ():
            if one.name.endswith("_bucket") and one.labels["since"] == "sent":
                found.setdefault(stage, {})[float(one.labels["le"])] = one.value
    return found


def _between(
    before: dict[str, dict[float, float]], after: dict[str, dict[float, float]]
) -> dict[str, Buckets]:
    return {
        stage: {edge: count - before[stage][edge] for edge, count in after[stage].items()}
        for stage in TARGETS
    }


def _share(buckets: Buckets, share: float) -> float:
    """The quantile in milliseconds, linear within its bucket."""
    wanted = share * buckets[float("inf")]
    below, least = 0.0, 0.0
    for edge, count in sorted(buckets.items()):
        if count >= wanted:
            top = least if edge == float("inf") else edge
            return 1e3 * (least + (top - least) * (wanted - below) / max(count - below, 1.0))
        below, least = count, edge
    return 1e3 * least
