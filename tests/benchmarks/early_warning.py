"""`rules.all_*`: change detection and forecast of every tag as well, and all layers."""

from statistics import median

from rules.change import CHANGE
from rules.forecast import FORECAST
from rules.layers import LAYERS
from tests.benchmarks.rules import MILLION, SPARSE, TAGS, Load, _repeats
from tests.support.bench import Row, Servers
from tests.support.layers import layers

TALL, EACH = 500, 20


def early_warning(servers: Servers) -> list[Row]:
    """Limits, rate, silence, change and forecast."""
    with layers(CHANGE, FORECAST):
        took, _ = Load(rate=60.0).run()
        small, _ = Load(tags=1000, rate=60.0, steps=500).run()
        sparse, _ = Load(tags=MILLION, sparse=SPARSE, rate=60.0).run()
        trashed, _ = Load(tags=MILLION, sparse=SPARSE, cold=True, rate=60.0).run()
    with layers(*LAYERS):
        every, _ = Load(rate=60.0).run()
        tall, _ = Load(tags=TALL, tall=EACH, rate=60.0, steps=200).run()
    return [
        Row.of(
            "rules.all_100k_ns", _repeats(took, 1 / TAGS), "ns/sample", 250.0, "lower",
            "limits, rate, silence, change and forecast of every tag; with data health and all "
            f"other layers {median(every) / TAGS:.0f} ns",
        ),
        Row.of(
            "rules.all_1k_step_ms", _repeats(small, 1e-6), "ms", 0.4, "lower",
            f"a step of 1,000 tags; the fastest of all: {min(small) * 1e-6:.3f} ms",
        ),
        Row.of(
            "rules.all_sparse_ms", _repeats(sparse, 1e-6), "ms", 4.0, "lower",
            f"{SPARSE:,} samples scattered over 1,000,000 tags; the fastest of all: "
            f"{min(sparse) * 1e-6:.2f} ms; with 64 MB of other traffic between steps "
            f"{median(trashed) * 1e-6:.2f} ms",
        ),
        Row.of(
            "rules.all_tall_ns", _repeats(tall, 1 / TALL / EACH), "ns/sample", 250.0, "lower",
            f"frames of {EACH} samples of each of {TALL} tags, all layers",
        ),
    ]  # fmt: skip
