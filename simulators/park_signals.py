"""What instruments show while nothing happens, and what a story adds to it.

A `Signal` is one instrument; a `Panel` works out all instruments of a gateway together. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from simulators.message import Value
from simulators.signals import Floats, Ints, resolution, swing, white_noise

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
DECIMALS = 6
"""More than any instrument has; what lies behind is dust of binary fractions."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One instrument 位号: a slow swing as `signals.swing` has it, seen through the instrument.

    middle, amplitude, sigma (standard deviation of the noise), step (resolution) and lowest (it
    shows nothing below) are in the tag's unit. A state is true while the swing is at least ½.
    """

    name: str
    middle: float
    amplitude: float = 0.0
    period_s: float = DAY_S
    phase: float = 0.0
    sigma: float = 0.0
    step: float = 1.0
    lowest: float = -inf
    state: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Instruments as arrays in the order of `names`: float64[n], state bool[n], number int64[n]."""

    names: tuple[str, ...]
    middle: Floats
    amplitude: Floats
    period_s: Floats
    phase: Floats
    sigma: Floats
    step: Floats
    lowest: Floats
    state: NDArray[np.bool_]
    number: Ints

    @staticmethod
    def of(signals: Sequence[Signal]) -> "Panel":
        """A panel of these instruments; their order decides which noise each has."""

        def column(member: str) -> Floats:
            return np.array([getattr(signal, member) for signal in signals], np.float64)

        return Panel(
            tuple(signal.name for signal in signals),
            column("middle"),
            column("amplitude"),
            column("period_s"),
            column("phase"),
            column("sigma"),
            column("step"),
            column("lowest"),
            np.array([signal.state for signal in signals], np.bool_),
            np.arange(len(signals), dtype=np.int64),
        )

    def shown(self, t: Floats, seed: int, told: Mapping[str, Floats]) -> Floats:
        """What the instruments show at elapsed seconds `t`: float64[k, n] of float64[k].

        told: by name what a story adds to the quantity before the instrument sees it, float64[k].
        States are 0 and 1.
        """
        x = swing(t[:, None], self.middle, self.amplitude, self.period_s, self.phase)
        for name, more in told.items():
            x[:, self.names.index(name)] += more
        seen = resolution(x + white_noise(t[:, None], seed + self.number, self.sigma), self.step)
        seen = np.maximum(seen, self.lowest).round(DECIMALS)
        return np.where(self.state, x >= 0.5, seen)

    def values(self, row: Floats) -> dict[str, Value]:
        """One row of `shown` as a gateway sends it: states as true and false."""
        return {
            name: bool(x) if state else x
            for name, x, state in zip(self.names, row.tolist(), self.state, strict=True)
        }


def states(on: bool, *names: str) -> tuple[Signal, ...]:
    """States that never change."""
    return tuple(Signal(name, float(on), state=True) for name in names)


def in_turns(one: str, other: str, period_s: float, phase: float) -> tuple[Signal, Signal]:
    """Two machines of which one runs, half a period each."""
    return (
        Signal(one, 0.5, 1.0, period_s, phase, state=True),
        Signal(other, 0.5, 1.0, period_s, phase + 0.5, state=True),
    )
