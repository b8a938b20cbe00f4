"""`GaugeBank`: level gauges of vessels as arrays, from reading to m³ of liquid."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.tanks import shares
from domain.vessel_shapes import Gauge

_FORM = ("straight", "lying", "round", "dished")


@dataclass(frozen=True, slots=True, eq=False)
class GaugeBank:
    """g gauges, see `domain.vessel_shapes.Gauge` and `domain.tanks.Tank`; float64[g] each.

    form: float64[4, g], the whole volumes of the four closed forms. table: int32[g], the strapping
    table, -1 = none. Tables stand one behind the other: start: intp[tables + 1]; key: 2 · table +
    share of the height, rising; x, volume: float64, share and m³ of each row.
    """

    scale: Floats
    zero: Floats
    height: Floats
    displaced: Floats
    form: Floats
    table: NDArray[np.int32]
    start: NDArray[np.intp]
    key: Floats
    x: Floats
    volume: Floats

    @staticmethod
    def of(gauges: Sequence[Gauge]) -> "GaugeBank":
        """The bank of these gauges, in their order."""
        columns = [
            np.array([getattr(gauge, name) for gauge in gauges], np.float64)
            for name in ("scale", "zero", "displaced")
        ]
        height = np.array([gauge.tank.height for gauge in gauges], np.float64)
        form = [[getattr(gauge.tank, name) for gauge in gauges] for name in _FORM]
        table = np.full(len(gauges), -1, np.int32)
        rows: list[tuple[Floats, Floats]] = []
        for g, gauge in enumerate(gauges):
            if gauge.tank.knots is not None:
                table[g] = len(rows)
                rows.append((gauge.tank.knots[0] / gauge.tank.height, gauge.tank.knots[1]))
        x, volume = (np.concatenate([np.zeros(0), *column]) for column in _columns(rows))
        length = [len(levels) for levels, _ in rows]
        start = np.concatenate(([0], np.cumsum(length, dtype=np.intp))).astype(np.intp)
        key = x + 2.0 * np.repeat(np.arange(len(rows)), length)
        scale, zero, displaced = columns
        return GaugeBank(
            scale, zero, height, displaced, np.array(form), table, start, key, x, volume
        )

    def volumes(self, gauge: NDArray[np.intp], value: Floats) -> Floats:
        """m³ in the vessel of each gauge at this reading: float64[m]; NaN stays NaN, what lies
        beyond the vessel is its bottom or its top."""
        level = value * self.scale[gauge] + self.zero[gauge]
        x = np.clip(level / self.height[gauge], 0.0, 1.0)
        found = shares(x, *(whole[gauge] for whole in self.form))
        strapped = self.table[gauge] >= 0
        if strapped.any():
            found[strapped] = self._strapped(self.table[gauge[strapped]], x[strapped])
        return np.maximum(found - self.displaced[gauge], 0.0)

    def _strapped(self, table: NDArray[np.int32], x: Floats) -> Floats:
        found = np.searchsorted(self.key, x + 2 * table, side="right") - 1
        row = np.clip(found, self.start[table], self.start[table + 1] - 2)
        part = (x - self.x[row]) / (self.x[row + 1] - self.x[row])
        inside = np.clip(part, 0.0, 1.0)
        volume = self.volume[row] + inside * (self.volume[row + 1] - self.volume[row])
        return np.where(np.isnan(x), np.nan, volume)


def _columns(rows: Sequence[tuple[Floats, Floats]]) -> tuple[list[Floats], list[Floats]]:
    return [levels for levels, _ in rows], [volumes for _, volumes in rows]


def mark(gauges: Sequence[Gauge], *rest: object) -> int:
    """A number for gauges and whatever else a row is made of: another where any of it differs."""
    told = [
        (
            *(gauge.tag, gauge.scale, gauge.zero, gauge.displaced, gauge.tank.height),
            *(getattr(gauge.tank, name) for name in _FORM),
            *(knots.tobytes() for knots in gauge.tank.knots or ()),
        )
        for gauge in gauges
    ]
    return crc32(repr((told, rest)).encode())
