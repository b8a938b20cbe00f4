"""`rules.all_*`: the engine with change detection and forecast of every tag."""

from rules.change import CHANGE
from rules.forecast import FORECAST
from tests.benchmarks.rules import TAGS, Load, _repeats
from tests.support.bench import Row, Servers
from tests.support.layers import layers


def early_warning(servers: Servers) -> list[Row]:
    """Limits, rate, silence, change and forecast."""
    with layers(CHANGE, FORECAST):
        took, _ = Load(rate=60.0).run()
        small, _ = Load(tags=1000, rate=60.0, steps=200).run()
    return [
        Row.of(
            "rules.all_100k_ns", _repeats(took, 1 / TAGS), "ns/sample", 250.0, "lower",
            "limits, rate, silence, change and forecast of every tag",
        ),
        Row.of(
            "rules.all_1k_step_ms", _repeats(small, 1e-6), "ms", 0.4, "lower",
            f"a step of 1,000 tags; the fastest of all: {min(small) * 1e-6:.3f} ms",
        ),
    ]  # fmt: skip
