"""What a warning is about, read from the occurrences behind it: event, category, urgency and
certainty of CAP (domain.md 6.2).

It goes by what of an occurrence never changes: kind, onset, and the tag it is of.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alarms import Kind
from domain.plant import TagKind
from domain.risk import Colour

MEASURED = frozenset(
    {
        Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.ROC, Kind.CHANGE, Kind.INTERMITTENT, Kind.PCA,
        Kind.VOTE, Kind.COMPOSITE, Kind.INVENTORY, Kind.BALANCE,
    }
)  # fmt: skip
"""The process itself is seen to be wrong."""
GASES = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE})
IMMEDIATE = GASES | {TagKind.FIRE}


@dataclass(frozen=True, slots=True)
class Sign:
    """An occurrence behind a warning. subject: the tag's name, or the node's. gas: (Chinese,
    English). reactor: the tag stands at a reactor."""

    id: UUID
    kind: Kind
    onset: datetime
    subject: str
    tag_kind: TagKind | None = None
    gas: tuple[str, str] | None = None
    reactor: bool = False


@dataclass(frozen=True, slots=True)
class Hazard:
    """What is going on: our own event code, the event in both languages, categories of CAP."""

    code: str
    chinese: str
    english: str
    categories: tuple[str, ...]


FIRE = Hazard("FIRE", "火灾预警", "fire warning", ("Fire", "Safety"))
RUNAWAY = Hazard("RUNAWAY", "反应失控预警", "runaway reaction warning", ("Safety", "CBRNE"))
INTERLOCK = Hazard("INTERLOCK", "联锁动作预警", "interlock trip warning", ("Safety",))
INVENTORY = Hazard("INVENTORY", "超设计量储存预警", "overstocking warning", ("Safety",))
DATA = Hazard("DATA", "监测数据异常预警", "monitoring data warning", ("Safety",))
RISK = Hazard("RISK", "安全风险预警", "safety risk warning", ("Safety",))
GAS = {
    TagKind.GAS_TOXIC: ("GAS_TOXIC", "有毒气体", "toxic gas", ("CBRNE", "Safety")),
    TagKind.GAS_COMBUSTIBLE: ("GAS_COMBUSTIBLE", "可燃气体", "combustible gas", ("Fire", "Safety")),
}
PROCESS = {
    TagKind.OXYGEN: ("OXYGEN", "氧含量异常预警", "oxygen warning"),
    TagKind.PRESSURE: ("PRESSURE", "压力异常预警", "pressure warning"),
    TagKind.TEMPERATURE: ("TEMPERATURE", "温度异常预警", "temperature warning"),
    TagKind.LEVEL: ("LEVEL", "液位异常预警", "level warning"),
    TagKind.FLOW: ("FLOW", "流量异常预警", "flow warning"),
}
OTHER = ("PROCESS", "工艺参数异常预警", "process warning")
CODES = (
    *("FIRE", "GAS_TOXIC", "GAS_COMBUSTIBLE", "RUNAWAY", "INTERLOCK", "OXYGEN", "PRESSURE"),
    *("TEMPERATURE", "LEVEL", "FLOW", "INVENTORY", "PROCESS", "DATA", "RISK"),
)
"""The event codes, the gravest first: the gravest sign names the event."""


def hazard(signs: Collection[Sign]) -> Hazard:
    """The gravest of the signs; of two alike the first. Without any it is a risk that only the
    score knows."""
    found = [_hazard(sign) for sign in signs]
    return min(found, key=lambda one: CODES.index(one.code), default=RISK)


def urgency(signs: Collection[Sign], colour: Colour, *, closed: bool) -> str:
    """Past: closed. Immediate: gas at its second level, fire, a runaway, and not blue again.
    Expected: something is seen, or foretold and orange or worse, or blue and not closed. Future:
    all else."""
    if closed:
        return "Past"
    if colour is Colour.BLUE:
        return "Expected"
    if any(map(_is_immediate, signs)):
        return "Immediate"
    seen = any(sign.kind in MEASURED for sign in signs)
    return "Expected" if seen or colour >= Colour.ORANGE else "Future"


def certainty(signs: Collection[Sign]) -> str:
    """Observed: a reading says so. Likely: two forecasts of different tags. Possible: one. Unknown:
    neither, as with lost data or overdue duties."""
    if any(sign.kind in MEASURED for sign in signs):
        return "Observed"
    foretold = {sign.subject for sign in signs if sign.kind is Kind.PREDICT}
    return "Likely" if len(foretold) >= 2 else "Possible" if foretold else "Unknown"


def _is_immediate(sign: Sign) -> bool:
    if sign.tag_kind is TagKind.FIRE:
        return sign.kind in MEASURED
    return sign.kind is Kind.HH and (sign.tag_kind in GASES or _is_runaway(sign))


def _is_runaway(sign: Sign) -> bool:
    return sign.reactor and sign.tag_kind is TagKind.TEMPERATURE and sign.kind is Kind.HH


def _hazard(sign: Sign) -> Hazard:
    if sign.kind is Kind.INVENTORY:
        return INVENTORY
    if sign.kind not in MEASURED and sign.kind is not Kind.PREDICT:
        return DATA
    if sign.tag_kind in GAS:
        return _leak(sign, *GAS[sign.tag_kind])
    if sign.tag_kind is TagKind.FIRE:
        return FIRE
    if sign.tag_kind is TagKind.INTERLOCK:
        return INTERLOCK
    if _is_runaway(sign):
        return RUNAWAY
    words = OTHER if sign.tag_kind is None else PROCESS.get(sign.tag_kind, OTHER)
    return Hazard(*words, ("Safety",))


def _leak(sign: Sign, code: str, chinese: str, english: str, categories: tuple[str, ...]) -> Hazard:
    words = sign.gas or (chinese, english)
    return Hazard(code, f"{words[0]}泄漏预警", f"{words[1]} leak warning", categories)
