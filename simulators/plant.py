"""The enterprise of deploy/sites/demo.yaml: an uneventful plant with one clumsy day tank.

Every ten minutes the feed pump of day tank V-101 does not stop. LT-101 rises past H and HH until
the operator stops the pump and opens the drain. All is a function of elapsed plant time and a seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulators.message import Value
from simulators.signals import (
    Floats,
    first_order,
    resolution,
    stepwise,
    swing,
    tank_level,
    white_noise,
)

CYCLE_S = 600.0
"""The story of the day tank repeats."""
PUMP_STICKS_S = 20.0
OPERATOR_REACTS_S = 60.0
DRAINED_S = 100.0
HALF_DAY_S = 43_200.0

TANK_AREA_M2 = 1.0
TANK_HEIGHT_M = 2.0
START_LEVEL_M = 1.6

_STARTS = np.array([0.0, PUMP_STICKS_S, OPERATOR_REACTS_S, DRAINED_S])
_INFLOW = np.array([10.0, 45.0, 0.0, 10.0])
_OUTFLOW = np.array([10.0, 10.0, 35.0, 10.0])


@dataclass(frozen=True, slots=True)
class Instrument:
    """How a quantity is seen: noise (standard deviation) and resolution, in its unit."""

    sigma: float
    step: float


_STEADY: Mapping[str, tuple[float, float, Instrument]] = {
    "TT-101": (18.0, 4.0, Instrument(0.05, 0.1)),
    "PT-101": (1.2, 0.2, Instrument(0.02, 0.01)),
    "GD-11": (0.0, 0.0, Instrument(0.15, 0.1)),
    "GD-12": (0.0, 0.0, Instrument(0.15, 0.1)),
    "LT-201": (55.0, 3.0, Instrument(0.02, 0.05)),
    "PT-201": (0.85, 0.08, Instrument(0.002, 0.001)),
    "TT-201": (20.0, 3.0, Instrument(0.05, 0.1)),
    "GD-21": (1.0, 0.0, Instrument(0.5, 1.0)),
    "GD-22": (1.0, 0.0, Instrument(0.5, 1.0)),
    "GD-23": (1.0, 0.0, Instrument(0.5, 1.0)),
    "OX-201": (20.9, 0.0, Instrument(0.02, 0.1)),
    "PT-301": (0.68, 0.02, Instrument(0.003, 0.001)),
}
"""Tag → middle, swing over half a day, instrument."""
_NEVER_NEGATIVE = frozenset({"GD-11", "GD-12", "GD-21", "GD-22", "GD-23"})
_QUIET = ("FD-201", "ESD-201")


def readings(t: Floats, seed: int) -> dict[str, Floats]:
    """What every tag shows at elapsed seconds `t`, shape (n,), in the units of the demo site.

    States are 0 and 1.
    """
    shown = {name: _steady(name, t, seed + n) for n, name in enumerate(_STEADY)}
    shown |= _day_tank(np.mod(t, CYCLE_S), t, seed + 100)
    return shown | {name: np.zeros_like(t) for name in _QUIET}


def values(elapsed_s: float, seed: int) -> dict[str, Value]:
    """The readings of one instant, as a gateway sends them."""
    shown = readings(np.array([elapsed_s]), seed)
    return {
        name: bool(x[0]) if name in _STATES else round(float(x[0]), 6) for name, x in shown.items()
    }


_STATES = frozenset({"XV-101", "P-101.RUN", *_QUIET})


def _steady(name: str, t: Floats, seed: int) -> Floats:
    middle, amplitude, instrument = _STEADY[name]
    x = swing(t, middle, amplitude, HALF_DAY_S) + white_noise(t, seed, instrument.sigma)
    shown = resolution(x, instrument.step)
    return np.maximum(shown, 0.0) if name in _NEVER_NEGATIVE else shown


def _day_tank(phase: Floats, t: Floats, seed: int) -> dict[str, Floats]:
    """Level, flows, valve and pump of V-101. phase: seconds since the story began."""
    level = tank_level(phase, _STARTS, _INFLOW, _OUTFLOW, TANK_AREA_M2, START_LEVEL_M)
    seen = level + white_noise(t, seed, 0.001)
    inflow = stepwise(phase, _STARTS, _INFLOW)
    drain = first_order(phase, OPERATOR_REACTS_S, 2.0, 10.0, 35.0)
    outflow = np.where(phase < DRAINED_S, drain, first_order(phase, DRAINED_S, 2.0, 35.0, 10.0))
    return {
        "LT-101": resolution(100 * seen / TANK_HEIGHT_M, 0.05),
        "FT-101": np.maximum(resolution(inflow + white_noise(t, seed + 1, 0.1), 0.01), 0.0),
        "FT-102": np.maximum(resolution(outflow + white_noise(t, seed + 2, 0.1), 0.01), 0.0),
        "XV-101": (stepwise(phase, _STARTS, _OUTFLOW) > 10.0).astype(np.float64),
        "P-101.RUN": (inflow > 0.0).astype(np.float64),
    }
