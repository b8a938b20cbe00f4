"""Dynamic risk 动态风险 of a hazard source: colours, what the model looks at, what it says.

This is the `warning` colour 风险预警, computed from alarms and data health; never the yearly risk
grade 安全风险等级 and never a government's emergency warning. Arrays are never written to after
construction. Rows: [m] sources, [k] alarms, [q] inputs, as `domain.risk_facts` has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.risk_facts import Bytes, Mask, RiskFacts, RiskMemory
from domain.risk_model import RiskModel, risk_model

__all__ = [
    "CAPPED",
    "Bytes",
    "Colour",
    "Floor",
    "Mask",
    "Part",
    "Reason",
    "RiskFacts",
    "RiskMemory",
    "RiskModel",
    "RiskResult",
    "SourceRisk",
    "reason_text",
    "risk_model",
]


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
    """Parts of the score D; columns of `RiskResult.parts`."""

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
    """Rules that set the lowest colour; columns of `RiskResult.floors`. There is no F7 or F10."""

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
    F8 = 8
    """more stored than designed 超设计量储存"""
    F11 = 9
    """an officer set the colour"""
    F12 = 10
    """signals lost during an incident"""
    F13 = 11
    """hot work near gas"""
    F14 = 12
    """coolant or stirrer lost while a reactor is dosed"""
    F15 = 13
    """reported from the field, or confirmed on video"""

    @property
    def meaning(self) -> str:
        """What people read."""
        return _MEANINGS[self]


_MEANINGS = (
    "多个气体探测器报警，或一个有佐证或无人应答 several gas detectors, "
    "or one that is corroborated or unanswered",
    "火灾确认 fire confirmed",
    "反应器超温且仍在升温或失去冷却 reactor too hot, and heating or without coolant",
    "气体高高报或联锁动作 gas at the second level, or an interlock trip",
    "安全关键测点高高报或低低报 HH or LL on a safety-critical tag",
    "高高报、低低报或气体报警未确认 HH, LL or a gas alarm is unacknowledged",
    "重大危险源无数据 the source is without data",
    "一个区域的气体探测器全部失联 all gas detectors of a zone are lost",
    "超设计量储存 more stored than designed",
    "授权人员人工定级 the colour was set by an officer",
    "事故过程中信号丢失 signals were lost during an incident",
    "气体报警附近有动火作业 hot work near a gas alarm",
    "加料时失去冷却或搅拌 coolant or stirrer lost while a reactor is dosed",
    "现场人工报告或视频确认 reported from the field, or confirmed on video",
)


@dataclass(frozen=True, slots=True, eq=False)
class RiskResult:
    """What an assessment says of every source, by row of `sources` (int64[m], rising node ids).

    parts: float64[m, 6], points by `Part`. score: float64[m], D. floors: int8[m, 14], by `Floor`
    the colour that it asks for, BLUE = does not hold. by_score, by_floor: int8[m], colours.
    unknown: bool[m], the source is not seen. held: bool[m], D was stopped below red for want of
    evidence. maybe_test: bool[m], gas pulses that look like a test of detectors ("test?"). share:
    float64[k], the points of part A that each alarm brings. holds: int32[k], bit f = the alarm
    holds floor f. input_holds: int32[q], the same of inputs. lost: float64[m, 5], share that is
    lost by `domain.risk_facts.Function`. dark: bool[m], all is. memory: for the next assessment.
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
    input_holds: NDArray[np.int32]
    lost: Floats
    dark: Mask
    memory: RiskMemory

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

    part: B, A, P, V, L or M; None for what was cut off the sum. alarm: the occurrence, in part A,
    and of a rate of change in P. tag: in part P, the one that is foretold. input: in part M. note:
    what was reckoned, (Chinese, English).
    """

    part: Part | None
    points: float
    alarm: UUID | None = None
    tag: int | None = None
    input: UUID | None = None
    note: tuple[str, str] | None = None


def reason_text(part: Part | None, note: Sequence[str] | None) -> str:
    """What people read of a row, Chinese before English; note: (Chinese, English)."""
    text = CAPPED if part is None else part.meaning
    if note is None:
        return text
    chinese, _, english = text.partition(" ")
    return f"{chinese}（{note[0]}） {english} ({note[1]})"


@dataclass(frozen=True, slots=True)
class SourceRisk:
    """What is told of one source: colour and the explanation of its score at one instant.

    floors: those that hold, with the colour that each asks for. reasons: rows that add up to the
    score. maybe_test: gas pulses that look like a test of detectors. held_by: (floor, alarm or
    input), which alarms and inputs hold which floor.
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
    held_by: tuple[tuple[Floor, UUID], ...] = ()
