"""What the balance layer has compiled of the plant: vessels with flow meters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import SECOND
from domain.inventory_model import number
from domain.plant import Registry, Tag
from domain.vessels import Placed, vessels
from rules.entries import Entries
from rules.gauges import GaugeBank, mark

Rows = NDArray[np.intp]
UNIT = 1e9
"""Volumes are counted in whole nm³ (10⁻⁹ m³), so that sums don't depend on their order."""
HOUR_S = 3600.0
LEVEL = 0
"""Column of the level gauge; flow meters are behind it."""
SPANS = 10
"""Multiples of its span at which the reading of a flow meter is cut."""
GAP_S = 15.0
GAP_INTERVALS = 3
RAMP_INTERVALS = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class FlowInputs:
    """Level and flow tags of vessels, by rising slot: [c] each.

    entries, row, column: see `rules.events.Wired`. gauge: intp, of the level tag in the bank. sign:
    int64, +1 in, -1 out, 0 level. factor: float64, nm³/s of one unit. most: float64, where a
    reading is cut, in the unit. gap: int64, microseconds after which a held flow no longer counts.
    ramp: int64, microseconds before a sample from which it is taken to have changed.
    """

    entries: Entries
    row: Rows
    column: Rows
    gauge: Rows
    sign: Ints
    factor: Floats
    most: Floats
    gap: Ints
    ramp: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BalanceTable:
    """Vessels that declare flows, by rising node id: [r] each.

    keys, marks: see `rules.rows.Table`. gap: int64[r, 8], of each meter, -1 = no such meter. way:
    int64[r, 8], +1 in, -1 out, 0 none. reading: float64, error of a meter as share of its reading.
    idle: int64, error in nm³/s of all meters together that doesn't depend on the reading, and of
    the level. threshold: float64, m³ that may come and go.
    """

    keys: Ints
    marks: Ints
    gap: Ints
    way: Ints
    reading: Floats
    idle: Ints
    threshold: Floats
    inputs: FlowInputs
    bank: GaugeBank

    def __len__(self) -> int:
        return len(self.keys)


class _Input(NamedTuple):
    slot: int
    row: int
    column: int
    sign: int
    factor: float
    most: float
    gap: int
    ramp: int


def compile_balance(registry: Registry, tags: Sequence[Tag]) -> BalanceTable:
    """The table of a registry. Vessels that contradict themselves are left out: the inventory layer
    names them."""
    watched = [one for one in vessels(registry)[0] if one.vessel.balance is not None]
    slots = {tag.id: slot for slot, tag in enumerate(tags)}
    rows = sorted(entry for r, one in enumerate(watched) for entry in _inputs(r, one, slots, tags))
    bank = GaugeBank.of([one.vessel.gauges[0] for one in watched])
    slot = np.array([entry.slot for entry in rows], np.intp)
    row = np.array([entry.row for entry in rows], np.intp)
    inputs = FlowInputs(
        Entries.of(slot, len(tags)),
        row,
        np.array([entry.column for entry in rows], np.intp),
        row,
        np.array([entry.sign for entry in rows], np.int64),
        np.array([entry.factor for entry in rows], np.float64),
        np.array([entry.most for entry in rows], np.float64),
        np.array([entry.gap for entry in rows], np.int64),
        np.array([entry.ramp for entry in rows], np.int64),
    )
    gap, way = np.full((len(watched), 8), -1, np.int64), np.zeros((len(watched), 8), np.int64)
    meter = inputs.column > LEVEL
    seats = inputs.row[meter], inputs.column[meter] - 1
    gap[seats], way[seats] = inputs.gap[meter], inputs.sign[meter]
    return BalanceTable(
        np.array([one.node for one in watched], np.int64),
        np.array([_mark(one) for one in watched], np.int64),
        gap,
        way,
        np.array([one.vessel.balance.reading for one in watched if one.vessel.balance]),
        np.array([_idle(one) for one in watched], np.int64),
        np.array([_threshold(one, slots, tags) for one in watched], np.float64),
        inputs,
        bank,
    )


def _inputs(r: int, one: Placed, slots: dict[int, int], tags: Sequence[Tag]) -> list[_Input]:
    balance = one.vessel.balance
    assert balance is not None, "only vessels with flows are watched"
    found = [_Input(slots[one.ids[one.vessel.gauges[0].tag]], r, LEVEL, 0, 1.0, 0.0, 0, 0)]
    for column, meter in enumerate(balance.meters, LEVEL + 1):
        slot = slots[one.ids[meter.tag]]
        tag = tags[slot]
        gap_s = tag.max_silence_s or max(GAP_INTERVALS * tag.interval_s, GAP_S)
        ramp_s = RAMP_INTERVALS * tag.interval_s
        found.append(
            _Input(
                slot,
                r,
                column,
                meter.sign,
                meter.scale * UNIT / HOUR_S,
                SPANS * meter.span / meter.scale,
                round(gap_s * SECOND),
                round(ramp_s * SECOND),
            )
        )
    return found


def _idle(one: Placed) -> int:
    balance = one.vessel.balance
    assert balance is not None, "only vessels with flows are watched"
    meters = balance.span * sum(meter.span for meter in balance.meters)
    drift = number("balance", "drift") / 100 * one.vessel.volume
    return round((meters + drift) * UNIT / HOUR_S)


def _threshold(one: Placed, slots: dict[int, int], tags: Sequence[Tag]) -> float:
    """What is declared, and what flows between two samples of the gauge."""
    balance = one.vessel.balance
    assert balance is not None, "only vessels with flows are watched"
    level = tags[slots[one.ids[one.vessel.gauges[0].tag]]]
    ways = [sum(m.span for m in balance.meters if m.sign == sign) for sign in (1, -1)]
    return balance.threshold + max(ways) * level.interval_s / HOUR_S


def _mark(one: Placed) -> int:
    balance = one.vessel.balance
    assert balance is not None, "only vessels with flows are watched"
    names = [one.vessel.gauges[0].tag, *(meter.tag for meter in balance.meters)]
    return mark(one.vessel.gauges[:1], balance, tuple(one.ids[name] for name in names))
