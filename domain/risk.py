"""Dynamic risk 动态风险 of a hazard source: colours, what the model looks at, what it says.

This is the `warning` colour 风险预警, computed from alarms and data health; never the yearly risk
grade 安全风险等级 and never a government's emergency warning. Arrays are never written to after
construction. Rows: [m] sources, [n] tags, [k] alarms, [p] gas pulses. Instants are int64
microseconds since 1970 UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.risk_model import RiskModel, risk_model

__all__ = [
    "AlarmClass",
    "AlarmTable",
    "Colour",
    "Family",
    "Floor",
    "Function",
    "Part",
    "Phase",
    "PulseTable",
    "Reason",
    "RiskFacts",
    "RiskModel",
    "RiskResult",
    "SourceRisk",
    "SourceTable",
    "TagTable",
    "risk_model",
]

Bytes = NDArray[np.int8]
Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]


class Colour(IntEnum):
    """The warning colour 预警颜色, rising."""

    BLUE = 0
    YELLOW = 1
    ORANGE = 2
    RED = 3

    @property
    def chinese(self) -> str:
        """蓝, 黄, 橙 or 红."""
        return "蓝黄橙红"[self]

    @property
    def meaning(self) -> str:
        """低风险, 一般, 较大 or 重大 (domain.md 4.6)."""
        return ("较低", "一般", "较大", "重大")[self]


class Part(IntEnum):
    """Parts of the score D; columns of `RiskResult.parts`. P, V and M are 0 in this model."""

    B = 0
    """固有等级 inherent grade"""
    A = 1
    """报警 alarms"""
    P = 2
    """趋势 trend"""
    V = 3
    """储量 inventory"""
    L = 4
    """数据缺失 data loss"""
    M = 5
    """管理 management"""

    @property
    def meaning(self) -> str:
        """What people read."""
        return (
            "固有等级 inherent grade",
            "报警 alarms",
            "趋势 trend",
            "储量 inventory",
            "数据缺失 data loss",
            "管理 management",
        )[self]


class Floor(IntEnum):
    """Rules that set the lowest colour; columns of `RiskResult.floors`. More may follow."""

    F1 = 0
    """several gas detectors, or one that is corroborated or unanswered"""
    F2 = 1
    """fire confirmed"""
    F3 = 2
    """reactor: too hot, and heating or without coolant"""
    F4 = 3
    """GAS_L2, or an interlock trip"""
    F5 = 4
    """HH or LL on a safety-critical tag"""
    F6 = 5
    """HH, LL or GAS_L1 unacknowledged"""
    F9 = 6
    """source without data"""
    LOSS = 7
    """all gas detectors of a zone lost while the source still reports (part L)"""

    @property
    def meaning(self) -> str:
        """What people read."""
        return (
            "多个气体探测器报警，或一个有佐证或无人应答 several gas detectors, "
            "or one that is corroborated or unanswered",
            "火灾确认 fire confirmed",
            "反应器超温且仍在升温或失去冷却 reactor too hot, and heating or without coolant",
            "气体高高报或联锁动作 gas at the second level, or an interlock trip",
            "安全关键测点高高报或低低报 HH or LL on a safety-critical tag",
            "高高报、低低报或气体报警未确认 HH, LL or a gas alarm is unacknowledged",
            "重大危险源无数据 the source is without data",
            "一个区域的气体探测器全部失联 all gas detectors of a zone are lost",
        )[self]


class Family(IntEnum):
    """Which factor and which ageing the weight of an alarm has."""

    TOXIC = 0
    FIRE = 1
    COMBUSTIBLE = 2
    """combustible gas and oxygen"""
    PROCESS = 3


class Phase(IntEnum):
    """How much of an open alarm is left."""

    ACTIVE = 0
    LATCHED = 1
    RETURNED = 2
    """returned, unacknowledged"""


class Function(IntEnum):
    """What a tag is there for, in part L. OTHER has no share of its own, but shows that the source
    reports."""

    GAS = 0
    LEVEL = 1
    PRESSURE = 2
    TEMPERATURE = 3
    INTERLOCK = 4
    OTHER = 5


class AlarmClass(IntEnum):
    """The classes of the alarm policy; UNREGISTERED: the tag has left the registry."""

    UNREGISTERED = 0
    GAS_L2 = 1
    GAS_L1 = 2
    O2_LOW = 3
    O2_HIGH = 4
    FIRE = 5
    SIS_TRIP = 6
    UTILITY = 7
    LEVEL = 8
    PRESS = 9
    TEMP = 10
    FLOW = 11
    STATE = 12
    PROCESS = 13
    ROC = 14
    TAG_OFFLINE = 15
    SOURCE_OFFLINE = 16
    PREDICT = 17
    CHANGE = 18
    FROZEN = 19
    NOISE = 20
    DRIFT = 21
    TAMPER = 22
    INTERMITTENT = 23
    PCA = 24
    VOTE = 25
    VOTE_UNKNOWN = 26
    COMPOSITE = 27
    COMPOSITE_UNKNOWN = 28
    INVENTORY = 29
    BALANCE = 30
    UNDERREPORT = 31
    THRESHOLD_MISMATCH = 32
    DETECTOR_FAULT = 33


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """Hazard sources. ids: int64[m], rising node ids. grade: int8[m], 1 to 4, 0 = none.

    silent: int64[m], last good sample of a source that is without data, FAR = has data. lost:
    int64[m], when that was established, FAR = has data.
    """

    ids: Ints
    grade: Bytes
    silent: Ints
    lost: Ints


@dataclass(frozen=True, slots=True, eq=False)
class TagTable:
    """Tags by rising id. ids: int32[n]. source: int32[n], row. function, family: int8[n].

    safety_critical: bool[n]. place: int32[n], one number for each zone of each source. enterprise:
    int32[n], node id. x, y: float64[n], metres within the enterprise, NaN = unknown. cause:
    int32[n], cause group. reactor: int32[n], node id of the reactor that the tag stands on, -1 =
    none. blind: int64[n], since when the tag, by itself, is without a good live sample, FAR = has
    one; what was blind before its whole source fell silent stays so, the rest needs not be.
    """

    ids: NDArray[np.int32]
    source: Rows
    function: Bytes
    family: Bytes
    safety_critical: Mask
    place: Rows
    enterprise: Rows
    x: Floats
    y: Floats
    cause: Rows
    reactor: Rows
    blind: Ints


@dataclass(frozen=True, slots=True, eq=False)
class AlarmTable:
    """Open occurrences of the live lane. ids: k of them. source: int32[k], row. tag: int32[k], row,
    -1 = none.

    kind: int8[k], `domain.alarms.Kind`. alarm_class, family, phase: int8[k]. priority: int8[k], 0
    for P1 to 3 for P4. cause: int32[k]. since: int64[k], from when it waits for an acknowledgement.
    acknowledged: int64[k], FAR = not yet.
    """

    ids: tuple[UUID, ...]
    source: Rows
    tag: Rows
    kind: Bytes
    alarm_class: Bytes
    family: Bytes
    phase: Bytes
    priority: Bytes
    cause: Rows
    since: Ints
    acknowledged: Ints

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class PulseTable:
    """Gas alarms that are open or ended not long ago. tag: int32[p], row. high: bool[p], at or
    above AH.

    since: int64[p]. back: int64[p], when the value was back below, FAR = it is not. alarm:
    int32[p], row of the open alarm, -1 = closed.
    """

    tag: Rows
    high: Mask
    since: Ints
    back: Ints
    alarm: Rows


@dataclass(frozen=True, slots=True, eq=False)
class RiskFacts:
    """Everything that an assessment looks at."""

    sources: SourceTable
    tags: TagTable
    alarms: AlarmTable
    pulses: PulseTable


@dataclass(frozen=True, slots=True, eq=False)
class RiskResult:
    """What an assessment says of every source, by row of `sources` (int64[m], rising node ids).

    parts: float64[m, 6], points by `Part`. score: float64[m], D. floors: int8[m, 8], by `Floor` the
    colour that it asks for, BLUE = does not hold. by_score, by_floor: int8[m], colours. unknown:
    bool[m], the source is not seen. held: bool[m], D was stopped below red for want of evidence.
    maybe_test: bool[m], gas pulses that look like a test of detectors ("test?"). share: float64[k],
    the points of part A that each alarm brings. holds: int32[k], bit f = the alarm holds floor f.
    """

    version: str
    sources: Ints
    parts: Floats
    score: Floats
    floors: Bytes
    by_score: Bytes
    by_floor: Bytes
    unknown: Mask
    held: Mask
    maybe_test: Mask
    share: Floats
    holds: NDArray[np.int32]

    @property
    def wanted(self) -> Bytes:
        """The colour by score and floors, before confirmation: int8[m]."""
        return np.maximum(self.by_score, self.by_floor)

    def row(self, source: int) -> int:
        """The row of a source; `KeyError` if it was not assessed."""
        row = int(np.searchsorted(self.sources, source))
        if row == len(self.sources) or self.sources[row] != source:
            raise KeyError(f"source {source} was not assessed")
        return row


CAPPED = "上限 capped"
"""What people read of points that were cut off the sum."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the explanation of a score: its points, a tenth exact, and where they are from.

    part: B, A, P, V, L or M; None for what was cut off the sum. alarm: the occurrence, in part A.
    """

    part: Part | None
    points: float
    alarm: UUID | None = None


@dataclass(frozen=True, slots=True)
class SourceRisk:
    """What is told of one source: colour and the explanation of its score at one instant.

    floors: those that hold, with the colour that each asks for. reasons: rows that add up to the
    score. maybe_test: gas pulses that look like a test of detectors.
    """

    source: int
    enterprise: int
    at: datetime
    colour: Colour
    unknown: bool
    score: float
    maybe_test: bool
    floors: tuple[tuple[Floor, Colour], ...]
    reasons: tuple[Reason, ...]
    version: str
