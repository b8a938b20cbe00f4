"""How people see colours: contrast (WCAG 2.2), distance (CIEDE2000), and without one kind of cone.

Colours are `#rrggbb`. Machado, Oliveira and Fernandes 2009 (10.1109/TVCG.2009.113), severity 1, for
the colour-blind; Sharma, Wu and Dalal 2005 (10.1002/col.20070) for CIEDE2000.
"""

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats

SIGHT: dict[str, Floats] = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1."""
    return float(_XYZ[1] @ _linear(colour))


def apart(one: str, other: str, sight: str) -> float:
    """CIEDE2000 between two colours as they are seen with that kind of sight."""
    return ciede2000(*(_lab(SIGHT[sight] @ _linear(colour)) for colour in (one, other)))


def ciede2000(one: Floats, other: Floats) -> float:
    """The distance of two colours in L*a*b*."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    g = _seventh((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2, 0.5, -0.5)
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2([b1, b2], [a1, a2])) % 360
    grey = c1 * c2 == 0
    turn = 0.0 if grey else (h2 - h1 + 180) % 360 - 180
    hue = h1 + h2 if grey else (h1 + turn / 2) % 360
    light, chroma = (l1 + l2) / 2 - 50, (c1 + c2) / 2
    step_l = (l2 - l1) / (1 + 0.015 * light**2 / np.sqrt(20 + light**2))
    step_c = (c2 - c1) / (1 + 0.045 * chroma)
    step_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * _t(hue))
    twist = np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    rotation = -_seventh(chroma, 0.0, 2.0) * twist
    return float(np.sqrt(step_l**2 + step_c**2 + step_h**2 + rotation * step_c * step_h))


def _seventh(chroma: float, constant: float, factor: float) -> float:
    return float(constant + factor * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))


def _t(hue: float) -> float:
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return float(1 + sum(k * np.cos(np.radians(n * hue + shift)) for k, n, shift in waves))


def _linear(colour: str) -> Floats:
    parts = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear: NDArray[np.float64] = np.where(
        parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
    )
    return linear


def _lab(linear: Floats) -> Floats:
    ratio = _XYZ @ np.clip(linear, 0, 1) / _WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
