"""How much is in tanks and sources, and what share of the designed amount that is. Pure kernels."""

from typing import NamedTuple

import numpy as np

from domain.frame import Floats, Ints
from domain.inventory_model import number
from domain.vessel_content import gas_divisor
from rules.inventory_table import InventoryTable, Rows

LOOSEST, DENSEST = 0.7, 1.3
"""Shares of its usual density between which a liquid's stays, whatever a thermometer says."""


class Amounts(NamedTuple):
    """Of the substances of the table: float64[s] each, NaN = not known. now: tonnes in those tanks
    whose mass is known. share: of the design amount."""

    now: Floats
    share: Floats


def densities(table: InventoryTable, rows: Rows, warmth: Floats, pressure: Floats) -> Floats:
    """t/m³ in these tanks: float64[k], NaN = not known. warmth: °C, pressure: kPa absolute, both
    float64[k], NaN = never read: then the usual one counts."""
    base, molar_mass = table.base[rows], table.molar_mass[rows]
    celsius = np.where(np.isnan(warmth), table.at_c[rows], warmth)
    liquid = base + table.per_k[rows] * (celsius - table.at_c[rows])
    liquid = np.clip(liquid, LOOSEST * base, DENSEST * base)
    is_gas = ~np.isnan(molar_mass)
    if not is_gas.any():
        return liquid
    blind = np.isnan(pressure)
    kilopascals = np.where(blind, number("gas", "atmosphere"), pressure)
    kelvins = np.maximum(celsius + number("gas", "zero"), 1.0) - number("gas", "zero")
    gas = molar_mass * np.maximum(kilopascals, 0.0) / _divisors(kelvins)
    return np.where(is_gas & ~(blind & ~np.isnan(base)), gas, liquid)


def _divisors(celsius: Floats) -> Floats:
    return gas_divisor(0.0) / number("gas", "zero") * (celsius + number("gas", "zero"))


def amounts(table: InventoryTable, tonnes: Floats) -> Amounts:
    """Sums over tanks. tonnes: float64[r], mass of the tanks, NaN = not known.

    Added in the order of the rows, so that the same masses always give the same sum.
    """
    known = np.flatnonzero((table.substance >= 0) & ~np.isnan(tonnes))
    of, s = table.substance[known], len(table.substances.source)
    heard = np.bincount(of, minlength=s) > 0
    now = np.where(heard, np.bincount(of, tonnes[known], s), np.nan)
    return Amounts(now, now / table.substances.design)


def loads(table: InventoryTable, tonnes: Floats) -> Floats:
    """Share of the designed amount of each row: float64[r], NaN = not known.

    Of a tank its own; of a source the largest of its substances that have an amount of their own
    to exceed. (Pooled over substances as Σ(q/Q) / Σ(design/Q) it is a weighted mean of theirs, and
    so never larger.)
    """
    share: Floats = tonnes / table.design
    counts = np.where(table.substances.counts, amounts(table, tonnes).share, np.nan)
    np.fmax.at(share, table.substances.source, counts)
    return share


def heard_until(table: InventoryTable, volume: Floats, good: Ints) -> Ints:
    """Event time up to which all gauges behind each row are heard: int64[r]. volume: float64[r, 4],
    NaN = never read; good: int64[r, 4], time of the last good sample."""
    each = np.where(np.isnan(volume), np.iinfo(np.int64).max, good + table.silence)
    until: Ints = each.min(axis=1)
    tanks = np.flatnonzero(table.tank)
    np.minimum.at(until, table.source[tanks], until[tanks])
    return until
