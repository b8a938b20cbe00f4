"""What the gateways of the demonstration park read: a function of elapsed seconds and a seed. Pure.

No reading depends on what was asked before.
"""

import numpy as np

from simulators.message import Address, Value
from simulators.park_enterprises import PANELS
from simulators.park_story import told
from simulators.signals import Floats

ADDRESSES: tuple[Address, ...] = tuple(PANELS)
"""The gateways of the park, with the demonstration's own enterprise first."""
_SEEDS_APART = 1000
"""More than a gateway has instruments."""


def readings(gateway: Address, t: Floats, seed: int) -> dict[str, Floats]:
    """What every tag of a gateway shows at elapsed seconds `t`, shape (k,), in the units of the
    site file; states are 0 and 1."""
    shown = _shown(gateway, t, seed)
    return {name: shown[:, n] for n, name in enumerate(PANELS[gateway].names)}


def values(gateway: Address, elapsed_s: float, seed: int) -> dict[str, Value]:
    """The readings of one instant, as the gateway sends them."""
    return PANELS[gateway].values(_shown(gateway, np.array([elapsed_s]), seed)[0])


def _shown(gateway: Address, t: Floats, seed: int) -> Floats:
    own = seed + _SEEDS_APART * ADDRESSES.index(gateway)
    return PANELS[gateway].shown(t, own, told(gateway, t))
