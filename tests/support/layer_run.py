"""One layer of rules by itself: frames and ticks in, its findings out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from domain.alarms import Finding
from domain.frame import Frame
from domain.instant import FAR, NEVER, micros
from domain.plant import Registry
from rules.compiling import compile_plan
from rules.findings import Collector
from rules.rows import Layer, Seen
from rules.samples import samples_of


class LayerRun:
    """What the engine does for a layer, for this one only."""

    def __init__(self, registry: Registry, layer: Layer) -> None:
        self.layer = layer
        self.plan = compile_plan(registry)
        tags = [registry.tags[id] for id in sorted(registry.tags)]
        self.table: Any = layer.compile(registry, tags)
        self.memory: Any = layer.fresh(self.table)
        n = len(tags)
        never = (np.full(n, NEVER, np.int64) for _ in range(3))
        at, received, good = never
        self.seen = Seen(at, received, np.full(n, np.nan), good)

    def step(self, frame: Frame | None, at: datetime | None = None) -> list[Finding]:
        """What a frame, then the wall time `at` (by default the frame's stamp), bring about."""
        found = Collector(self.plan)
        seen, plan = self.seen, self.plan
        with np.errstate(over="ignore", invalid="ignore"):
            if frame is not None and len(frame):
                samples = samples_of(plan, frame, seen.at, seen.held)
                seen.at[samples.slot] = samples.at
                seen.received[samples.slot] = frame.received
                number = ~np.isnan(samples.value)
                seen.held[samples.slot[number]] = samples.value[number]
                if len(samples) and len(self.table.keys):
                    arguments = plan, self.table, self.memory, samples, frame.received, seen
                    self.layer.judge(*arguments, found)
            assert at is not None or frame is not None
            now = micros(at) if at is not None else frame.received if frame is not None else 0
            if len(self.table.keys):
                self.layer.pass_time(plan, self.table, self.memory, now, seen, found)
        return found.findings()

    def due(self) -> int | None:
        """`next_due` of the layer in microseconds, None for never."""
        due = self.layer.next_due(self.table, self.memory)
        return None if due == FAR else due

    def bytes_per_row(self) -> float:
        """What table and memory keep for each subject."""
        parts = (self.table, self.memory)
        arrays = [getattr(part, name) for part in parts for name in part.__dataclass_fields__]
        per_row = [
            a for a in arrays if isinstance(a, np.ndarray) and len(a) == len(self.table.keys)
        ]
        return sum(a.nbytes for a in per_row) / max(len(self.table.keys), 1)


def frames(
    tags: Sequence[int], times: np.ndarray, values: np.ndarray, quality: np.ndarray | None = None
) -> list[Frame]:
    """One frame for each time. times: int64[k] microseconds; values, quality: [k, tags]."""
    return [
        Frame.of(
            np.asarray(tags, np.int32),
            np.full(len(tags), at),
            row,
            received=int(at),
            quality=192 if quality is None else quality[n],
        )
        for n, (at, row) in enumerate(zip(times, values, strict=True))
    ]
