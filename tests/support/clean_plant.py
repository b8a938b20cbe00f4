"""A plant in which nothing is wrong: some days of readings as real gauges give them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from domain.alarms import Kind
from domain.plant import Registry, Tag, TagKind
from tests.support.builders import ENTERPRISE, registry, tag

Floats = NDArray[np.float64]
INTERVAL_S = 20.0
DAY = int(86_400 / INTERVAL_S)
"""Samples of a day."""


class CleanPlant:
    """`copies` tags of each of the sorts below, and a group of three to each copy.

    registry; values: float64[k, tags], by rising tag id, every INTERVAL_S seconds for `days`.
    """

    def __init__(self, copies: int, days: int, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)
        self._n = days * DAY
        self._columns: list[Floats] = []
        self._tags: list[Tag] = []
        groups = [group for _ in range(copies) for group in self._one_of_each()]
        bare = registry(*self._tags)
        (source,) = (node for node in bare.nodes.values() if node.kind == "source")
        full = replace(source, enterprise=ENTERPRISE, detail={"groups": groups})
        self.registry: Registry = replace(bare, nodes={**bare.nodes, source.id: full})
        self.values = np.column_stack(self._columns)

    def column(self, name: str, copy: int = 0) -> int:
        """Position of the tag whose name begins so, in the given copy."""
        return [n for n, one in enumerate(self._tags) if one.name.startswith(name)][copy]

    def _one_of_each(self) -> list[dict[str, object]]:
        sorts: list[tuple[str, Callable[[], Floats], dict[str, Any]]] = [
            ("LT-moved", lambda: self._round(self._tank(), 0.01), {"limits": {Kind.H: 90.0}}),
            ("LT-idle", lambda: self._round(50 + 0.02 * self._ar(0.9), 0.1), {"resolution": 0.1}),
            ("LT-mm", lambda: self._round(50 + 0.04 * self._ar(0.99), 0.1), {}),
            ("LT-parked", lambda: self._round(79.5 + 0.1 * self._ar(0.5), 0.01), {}),
            ("LT-coarse", lambda: self._round(79.4 + 0.2 * self._ar(0.5), 0.25), {}),
            ("PT-steady", lambda: self._round(60 + 0.5 * self._ar(0.9), 0.01), {}),
            ("PT-pump", lambda: self._round(self._pump(10.0, 55.0, 0.3), 0.05), {}),
            ("FT-pump", lambda: self._round(self._pump(0.0, 40.0, 0.8), 0.1), {}),
            ("FT-steps", lambda: self._steps() + 0.4 * self._ar(0.7), {}),
            ("TT-slow", lambda: self._round(40 + self._daily() + 0.05 * self._ar(0.95), 0.1), {}),
            ("TT-cycle", lambda: 70 + 4 * self._cycle() + 0.1 * self._ar(0.8), {}),
            ("GD-clean", lambda: self._round(np.abs(0.5 * self._ar(0.3)), 1.0), _GAS),
            ("GD-fine", lambda: self._round(2 + 0.2 * self._ar(0.5), 0.1), _GAS),
            ("AT-spiky", lambda: self._spiky(30 + 0.5 * self._ar(0.8)), {}),
        ]
        for name, readings, given in sorts:
            self._add(name, readings(), **given)
        quantity = 50 + 10 * self._cycle() + self._daily()
        first = len(self._tags) + 1
        for n in range(3):
            offset = self._rng.normal(0, 0.5)
            self._add(f"TT-three{n}", self._round(quantity + offset + 0.2 * self._ar(0.8), 0.05))
        members = [one.name for one in self._tags if one.id >= first]
        return [{"code": f"G{first}", "kind": "redundant", "members": members}]

    def _add(self, name: str, readings: Floats, **given: Any) -> None:
        id = len(self._tags) + 1
        resolution = given.pop("resolution", None)
        said: dict[str, Any] = {
            "kind": _KINDS[name[:2]],
            "range": (0.0, 100.0),
            "limits": {Kind.H: 80.0, Kind.HH: 95.0},
            "interval_s": INTERVAL_S,
        }
        one = tag(id, f"{name}-{id}", **(said | given))
        self._tags.append(replace(one, resolution=resolution))
        self._columns.append(readings)

    def _ar(self, phi: float) -> Floats:
        """AR(1) of standard deviation 1."""
        noise = self._rng.normal(0, np.sqrt(1 - phi**2), self._n)
        noise[0] /= np.sqrt(1 - phi**2)
        readings: Floats = lfilter([1.0], [1.0, -phi], noise)
        return readings

    @staticmethod
    def _round(readings: Floats, step: float) -> Floats:
        rounded: Floats = np.round(np.round(readings / step) * step, 6)
        return rounded

    def _daily(self) -> Floats:
        hour = np.arange(self._n) * INTERVAL_S / 3600 + self._rng.uniform(0, 24)
        wave: Floats = 4 * np.sin(2 * np.pi * hour / 24)
        return wave

    def _cycle(self) -> Floats:
        """A control loop that hunts, its period wandering about 20 min."""
        speed = 2 * np.pi * INTERVAL_S / 1200 * (1 + 0.1 * self._ar(0.99))
        wave: Floats = np.sin(np.cumsum(speed) + self._rng.uniform(0, 6))
        return wave

    def _legs(self, hours: float) -> NDArray[np.intp]:
        """Number of the leg of each sample; legs last `hours` on average."""
        ends: NDArray[np.intp] = np.cumsum(self._rng.random(self._n) < INTERVAL_S / 3600 / hours)
        return ends

    def _pump(self, off: float, on: float, noise: float) -> Floats:
        leg = self._legs(2.0)
        run: Floats = lfilter([0.3], [1.0, -0.7], (leg % 2).astype(np.float64))
        running = off + (on - off) * run
        return np.where(run > 0.01, running + noise * self._ar(0.6), off)

    def _steps(self) -> Floats:
        levels: Floats = self._rng.uniform(20, 60, self._n)[self._legs(3.0)]
        return levels

    def _tank(self) -> Floats:
        """Filled, at rest, drawn from; waves on top while it moves and a little at rest."""
        flow = self._rng.choice([-0.02, 0.0, 0.0, 0.02], self._n)[self._legs(1.5)]
        level = np.empty(self._n)
        now = 50.0
        for n, change in enumerate(flow.tolist()):
            now = min(max(now + change, 15.0), 75.0)
            level[n] = now
        return level + np.where(flow != 0, 0.08, 0.03) * self._ar(0.7)

    def _spiky(self, readings: Floats) -> Floats:
        spikes = np.where(self._rng.random(self._n) < 0.003, 20.0, 0.0)
        return readings + spikes


_KINDS = {
    "LT": TagKind.LEVEL,
    "PT": TagKind.PRESSURE,
    "FT": TagKind.FLOW,
    "TT": TagKind.TEMPERATURE,
    "GD": TagKind.GAS_TOXIC,
    "AT": TagKind.OTHER,
}
_GAS: dict[str, Any] = {"limits": {Kind.H: 25.0, Kind.HH: 50.0}}
