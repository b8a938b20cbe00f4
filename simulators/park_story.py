"""What goes wrong in the demonstration park, as a function of the seconds since it began. Pure.

The story repeats every hour; nothing is left of it when the next one begins.

* V-101, a day tank of 2 m³: the feed pump does not stop (domain research 7.2, S1). The level passes
  H and HH within 25 s, stands at the overflow, and falls when the operator opens the drain.
* V-211, an ammonia sphere: a flange leaks (S2). Three detectors of its zone see the cloud as
  detectors do, with a lag of first order: one passes H, then HH, its neighbour H, the third
  nothing worth an alarm. When the leak is isolated the cloud thins out.
* The line of a gateway is cut, and comes back minutes later.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulators.message import Address
from simulators.park_enterprises import (
    CHLORINE,
    DAY_TANK_FLOW,
    DAY_TANK_LEVEL,
    FERTILISER,
    METHANOL,
)
from simulators.signals import Floats, first_order, stepwise, tank_level

PERIOD_S = 3600.0


@dataclass(frozen=True, slots=True)
class Moment:
    """Something happens `at_s` seconds after the park began to play, in words for both readers."""

    at_s: float
    text: str


PUMP_STICKS_S = 20.0
GAS_ESCAPES_S = 28.0
LINE_CUT_S = 40.0
DRAIN_OPENS_S = 240.0
ISOLATED_S = 300.0
LINE_BACK_S = 410.0

STORY: tuple[Moment, ...] = (
    Moment(
        PUMP_STICKS_S,
        "甲醇日用罐 V-101 的进料泵未停：LT-101 先越高限 H，再越高高限 HH。"
        "The feed pump of methanol day tank V-101 does not stop: LT-101 passes H, then HH.",
    ),
    Moment(
        GAS_ESCAPES_S,
        "液氨球罐 V-211 法兰泄漏：GD-211 越一级、二级报警值，邻近的 GD-212 随后报警。"
        "A flange of ammonia sphere V-211 leaks: GD-211 passes H and HH, then its neighbour H.",
    ),
    Moment(
        LINE_CUT_S,
        "祁连氯碱网关 g1 的线路中断：其位号离线，液氯库的气体探测器另有网关。"
        "The line of gateway g1 of Qilian is cut: its tags go offline; "
        "the gas detectors of the chlorine store have a gateway of their own.",
    ),
    Moment(
        DRAIN_OPENS_S,
        "操作员停泵并打开 V-101 的排液阀：液位回落。"
        "The operator stops the pump and opens the drain of V-101: the level falls.",
    ),
    Moment(
        ISOLATED_S,
        "V-211 的漏点被隔离：氨气浓度下降。The leak of V-211 is isolated: the ammonia thins out.",
    ),
    Moment(
        LINE_BACK_S,
        "祁连氯碱网关 g1 恢复连接，补传缓存的数据。"
        "Gateway g1 of Qilian is back and sends what it has kept.",
    ),
)

TANK_AREA_M2 = 1.0
TANK_HEIGHT_M = 2.0
FEED_M3_H = 45.0
DRAIN_M3_H = 35.0
OVERFLOW = 99.0
"""% at which what V-101 gets too much runs off, past the meters."""
VALVE_LAG_S = 2.0

_START_M, _OVERFLOW_M = (x / 100 * TANK_HEIGHT_M for x in (DAY_TANK_LEVEL, OVERFLOW))
_SPARE_S = (_OVERFLOW_M - _START_M) * TANK_AREA_M2 * 3600
_FULL_S = PUMP_STICKS_S + _SPARE_S / (FEED_M3_H - DAY_TANK_FLOW)
_DRAINED_S = DRAIN_OPENS_S + _SPARE_S / DRAIN_M3_H
_STARTS = np.array([0.0, PUMP_STICKS_S, _FULL_S, DRAIN_OPENS_S, _DRAINED_S])
_INFLOW = np.array([DAY_TANK_FLOW, FEED_M3_H, FEED_M3_H, 0.0, DAY_TANK_FLOW])
_OUTFLOW = np.array([DAY_TANK_FLOW, DAY_TANK_FLOW, FEED_M3_H, DRAIN_M3_H, DAY_TANK_FLOW])

DETECTOR_LAG_S = 26.0
"""T90 60 s of an electrochemical cell for ammonia (domain research 7.2, S2)."""
CLOUD_LAG_S = 40.0
"""How the cloud thins out, longer than the detectors lag."""


@dataclass(frozen=True, slots=True)
class _Plume:
    """What the cloud brings to a detector: ppm, from when."""

    tag: str
    from_s: float
    ppm: float


_CLOUD = (
    _Plume("GD-211", GAS_ESCAPES_S, 90.0),
    _Plume("GD-212", GAS_ESCAPES_S + 15, 45.0),
    _Plume("GD-213", GAS_ESCAPES_S + 25, 12.0),
)


def told(gateway: Address, t: Floats) -> Mapping[str, Floats]:
    """What the story adds to the instruments of a gateway at elapsed seconds `t`, shape (n,).

    By tag name, in the tag's unit.
    """
    phase = np.mod(t, PERIOD_S)
    if gateway == METHANOL:
        return _day_tank(phase)
    if gateway == FERTILISER:
        return {plume.tag: _seen(plume, phase) for plume in _CLOUD}
    return {}


def cut(gateway: Address, elapsed_s: float) -> bool:
    """Whether the line of a gateway is cut."""
    return gateway == CHLORINE and LINE_CUT_S <= elapsed_s % PERIOD_S < LINE_BACK_S


def _day_tank(phase: Floats) -> dict[str, Floats]:
    level = tank_level(phase, _STARTS, _INFLOW, _OUTFLOW, TANK_AREA_M2, _START_M)
    inflow = stepwise(phase, _STARTS, _INFLOW)
    drain = first_order(phase, DRAIN_OPENS_S, VALVE_LAG_S, 0.0, DRAIN_M3_H - DAY_TANK_FLOW)
    drained = first_order(phase, _DRAINED_S, VALVE_LAG_S, 0.0, DRAIN_M3_H - DAY_TANK_FLOW)
    return {
        "LT-101": 100 * level / TANK_HEIGHT_M - DAY_TANK_LEVEL,
        "FT-101": inflow - DAY_TANK_FLOW,
        "FT-102": drain - drained,
        "XV-101": _between(phase, DRAIN_OPENS_S, _DRAINED_S),
        "P-101.RUN": -_between(phase, DRAIN_OPENS_S, _DRAINED_S),
    }


def _seen(plume: _Plume, phase: Floats) -> Floats:
    """What a detector shows of its part of the cloud, ppm."""
    rising = first_order(phase, plume.from_s, DETECTOR_LAG_S, 0.0, plume.ppm)
    return rising * first_order(phase, ISOLATED_S, CLOUD_LAG_S, 1.0, 0.0)


def _between(phase: Floats, start: float, end: float) -> Floats:
    """1 from `start` to before `end`, else 0."""
    return ((phase >= start) & (phase < end)).astype(np.float64)
