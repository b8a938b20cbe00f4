"""What the dynamic risk model looks at, as arrays.

Arrays are never written to after construction. Rows: [m] sources, [n] tags, [k] alarms, [p] gas
pulses, [q] inputs. Instants are int64 microseconds since 1970 UTC.
"""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints

Bytes = NDArray[np.int8]
Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]


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
    """the condition is gone, nobody has reset it"""
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

    @property
    def meaning(self) -> tuple[str, str]:
        """What people read: Chinese, English."""
        return (
            ("气体", "gas"),
            ("液位", "level"),
            ("压力", "pressure"),
            ("温度", "temperature"),
            ("联锁", "interlock"),
            ("其他", "other"),
        )[self]


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
    INGEST_LAG = 34
    NO_ROOM = 35
    SELF_TEST = 36
    GATEWAY_OFFLINE = 37


class Effect(IntEnum):
    """What a management input does to the risk of a source."""

    COMMITMENT = 0
    """安全承诺 is missing after its deadline"""
    DUTY = 1
    """a 包保 duty is overdue"""
    HAZARD = 2
    """a hidden hazard 隐患 is overdue"""
    MAJOR = 3
    """a 重大隐患 is overdue"""
    COLOUR = 4
    """an officer set the colour (F11)"""
    REPORT = 5
    """manual report from the field, or a confirmed video event (F15)"""
    HOT_WORK = 6
    """hot work 动火 goes on (F13)"""
    OFFLINE = 7
    """being offline was reported and approved 离线报备 (F9)"""

    @property
    def meaning(self) -> tuple[str, str]:
        """What people read: Chinese, English."""
        return (
            ("逾期未作安全承诺", "no safety commitment in time"),
            ("包保履职逾期", "an overdue duty"),
            ("隐患整改逾期", "an overdue hidden hazard"),
            ("重大隐患整改逾期", "an overdue major hidden hazard"),
            ("人工定级", "set by an officer"),
            ("现场报告或视频确认", "reported from the field or seen on video"),
            ("动火作业", "hot work"),
            ("离线报备", "offline by report"),
        )[self]


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """Hazard sources. ids: int64[m], rising node ids. grade: int8[m], 1 to 4, 0 = none.

    silent: int64[m], last good sample of a source that is without data, FAR = has data. lost:
    int64[m], when that was established, FAR = has data. fill: float64[m], u of part V, NaN =
    unknown. grave: bool[m], what it holds is explosive or toxic, or may be (F8).
    """

    ids: Ints
    grade: Bytes
    silent: Ints
    lost: Ints
    fill: Floats
    grave: Mask


@dataclass(frozen=True, slots=True, eq=False)
class TagTable:
    """Tags by rising id. ids: int32[n]. source: int32[n], row. function, family: int8[n].

    safety_critical: bool[n]. place: int32[n], one number for each zone of each source. enterprise:
    int32[n], node id. x, y: float64[n], metres within the enterprise, NaN = unknown. cause:
    int32[n], cause group. reactor: int32[n], node id of the reactor that the tag stands on, -1 =
    none. cools: bool[n], its FLOW_LL or state alarm says that coolant or stirrer of that reactor is
    gone. doses: bool[n], it measures what may be dosed into that reactor, and does not stand still.

    blind: int64[n], since when the tag, by itself, is known to be without a good live sample, FAR =
    has one; what was blind before its whole source fell silent stays so, the rest needs not be.
    gone: int64[n], its last good sample where it is blind, FAR = has one. out: int64[n], since when
    it is out of service under an open permit, FAR = it is not. ahead, action: int64[n], see
    `domain.signals.Signals`.
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
    cools: Mask
    doses: Mask
    blind: Ints
    gone: Ints
    out: Ints
    ahead: Ints
    action: Ints


@dataclass(frozen=True, slots=True, eq=False)
class AlarmTable:
    """Open occurrences of the live lane that count; what began under a permit is not among them.

    ids: k of them. source: int32[k], row. tag: int32[k], row, -1 = none. kind: int8[k],
    `domain.alarms.Kind`. alarm_class, family, phase: int8[k]. priority: int8[k], 0 for P1 to 3 for
    P4. cause: int32[k]. since: int64[k], from when it waits for an acknowledgement. acknowledged:
    int64[k], FAR = not yet. declared: bool[k], it began while its unit was in a declared mode other
    than run. eased: bool[k], what that mode, or the kind of vessel, expects: no floor. beyond:
    bool[k], the value went beyond the measuring range. falls: bool[k], it says that the value is
    low, or falls.
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
    declared: Mask
    eased: Mask
    beyond: Mask
    falls: Mask

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
class IncidentTable:
    """GAS, FIRE, HH, LL and ROC alarms, open or ended not long ago (F12). source: int32[i], row.
    since: int64[i]."""

    source: Rows
    since: Ints


@dataclass(frozen=True, slots=True, eq=False)
class InputTable:
    """What management inputs do now; one that concerns several sources has a row for each.

    ids: q of them. source: int32[q], row. effect: int8[q], `Effect`. colour: int8[q], of COLOUR.
    x, y: float64[q], where hot work goes on, metres within the enterprise, NaN = unknown.
    enterprise: int32[q], node id.
    """

    ids: tuple[UUID, ...]
    source: Rows
    effect: Bytes
    colour: Bytes
    x: Floats
    y: Floats
    enterprise: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """How many tags there are. tags: int64[m], of each source. functions: int64[m, 6, 2], by
    `Function`, then plain and safety-critical. detectors: int64[z], of gas, by `place`. place:
    int32[z], row of its source."""

    tags: Ints
    functions: Ints
    detectors: Ints
    place: Rows

    @staticmethod
    def of(tags: TagTable, m: int) -> "Census":
        """The census of a plant with m sources."""
        cell = (tags.source.astype(np.int64) * len(Function) + tags.function) * 2
        counted = np.bincount(cell + tags.safety_critical, minlength=m * len(Function) * 2)
        places = int(tags.place.max(initial=-1)) + 1
        place = np.zeros(places, np.int32)
        place[tags.place] = tags.source
        gas = tags.function == Function.GAS
        return Census(
            np.bincount(tags.source, minlength=m),
            counted.reshape(m, len(Function), 2),
            np.bincount(tags.place[gas], minlength=places),
            place,
        )


@dataclass(frozen=True, slots=True, eq=False)
class RiskFacts:
    """Everything that an assessment looks at."""

    census: Census
    sources: SourceTable
    tags: TagTable
    alarms: AlarmTable
    pulses: PulseTable
    incidents: IncidentTable
    inputs: InputTable


@dataclass(frozen=True, slots=True, eq=False)
class RiskMemory:
    """What an assessment must know of the one before. Never written to.

    sources: int64[m], rising node ids. fill: float64[m], the last u that was known, NaN = never.
    over: bool[m], above the design, until 2 % below it again. lost: bool[m], signals were lost in
    an incident (F12), until they are back. tags: int32[t], rising ids of the tags with points of
    trend; points: float64[t], those; None = nothing was assessed before.
    """

    sources: Ints
    fill: Floats
    over: Mask
    lost: Mask
    tags: NDArray[np.int32]
    points: Floats | None

    @staticmethod
    def fresh() -> "RiskMemory":
        """Nothing was assessed before."""
        no = np.zeros(0, np.bool_)
        return RiskMemory(np.zeros(0, np.int64), np.zeros(0), no, no, np.zeros(0, np.int32), None)
