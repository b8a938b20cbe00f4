"""Which sources' inventory has to be told anew: on change, each at most every `PACE_S`."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import NEVER, SECOND, micros
from domain.inventory import SourceInventory
from domain.plant import Registry
from rules.inventory import INVENTORY
from rules.inventory_memory import InventoryMemory
from rules.inventory_rows import inventory, sights
from rules.inventory_table import InventoryTable
from rules.layers import LAYERS
from rules.plan import Plan
from rules.state import RuleState

LOOK_EVERY_S = 1.0
PACE_S = 10.0
SHOWN = 1e-3
"""Share of its design amount (without one, of its mass) by which a tank must differ."""


class ToldInventory:
    """What was last told of every tank: its mass and how well it was seen. Rows as in the newest
    table."""

    def __init__(self) -> None:
        self._looked = -LOOK_EVERY_S
        self._keys: Ints = np.zeros(0, np.int64)
        self._tonnes: Floats = np.zeros(0)
        self._sight: NDArray[np.int8] = np.zeros(0, np.int8)
        self._at: Ints = np.zeros(0, np.int64)

    def news(
        self, registry: Registry, plan: Plan, state: RuleState, at: datetime, elapsed: float
    ) -> tuple[SourceInventory, ...]:
        """Sources to be told at wall time `at`. elapsed: seconds of the monotonic clock."""
        if 0 <= elapsed - self._looked < LOOK_EVERY_S:
            return ()
        self._looked = elapsed
        number = LAYERS.index(INVENTORY)
        table, memory = plan.layers[number], state.layers[number]
        assert isinstance(table, InventoryTable)
        assert isinstance(memory, InventoryMemory)
        self._align(table.keys)
        now, sight = micros(at), sights(table, memory, micros(at))
        step = SHOWN * np.where(np.isnan(table.design), np.abs(memory.tonnes), table.design)
        differs = ~(np.abs(memory.tonnes - self._tonnes) <= step)
        differs &= ~(np.isnan(memory.tonnes) & np.isnan(self._tonnes))
        changed = np.zeros(len(table), np.bool_)
        changed[table.source[(differs | (sight != self._sight)) & table.tank]] = True
        rested = np.abs(now - self._at) >= PACE_S * SECOND
        due = np.flatnonzero(~table.tank & changed & rested)
        if not due.size:
            return ()
        tanks = np.flatnonzero(np.isin(table.source, due))
        self._tonnes[tanks], self._sight[tanks] = memory.tonnes[tanks], sight[tanks]
        self._at[due] = now
        sources = table.keys[due].tolist()
        return tuple(inventory(plan, table, memory, registry, at, sources))

    def _align(self, keys: Ints) -> None:
        if np.array_equal(keys, self._keys):
            return
        _, old, new = np.intersect1d(self._keys, keys, return_indices=True)
        tonnes, sight = np.full(len(keys), np.nan), np.full(len(keys), -1, np.int8)
        at = np.full(len(keys), NEVER, np.int64)
        tonnes[new], sight[new], at[new] = self._tonnes[old], self._sight[old], self._at[old]
        self._keys, self._tonnes, self._sight, self._at = keys, tonnes, sight, at
