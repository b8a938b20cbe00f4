"""What people read in a CAP message, in Chinese and in English."""

from collections.abc import Sequence

from domain.cap_area import Place
from domain.cap_signs import Sign
from domain.risk import Colour

NAMED = 10
"""Occurrences that are named in a description, the oldest."""
MEANING = {
    Colour.RED: (
        "通知市、省，研判启动应急预案。",
        "City and province are informed; consider the emergency plan.",
    ),
    Colour.ORANGE: ("园区和县级处置。", "Park and county act."),
    Colour.YELLOW: ("企业处置，园区关注。", "The enterprise acts, the park watches."),
    Colour.BLUE: (
        "已恢复蓝色，预警待闭环。",
        "Back at blue; the case is open until its loop is complete.",
    ),
}
"""What each colour asks for (domain.md 4.6): (Chinese, English)."""
GRADES = "一二三四"


def headline(place: Place, colour: Colour, event: str, *, closed: bool, chinese: bool) -> str:
    """One line: colour, where, what."""
    where = f"{place.enterprise} {place.source}"
    if chinese:
        what = "预警解除" if closed else f"{colour.chinese}色预警"
        return f"{what}：{where} {event}"
    what = "Warning closed" if closed else f"{colour.name.capitalize()} warning"
    return f"{what}: {where}, {event}"


def description(
    place: Place,
    colour: Colour,
    opened: str,
    score: float | None,
    signs: Sequence[tuple[Sign, str]],
    *,
    unknown: bool,
    chinese: bool,
) -> str:
    """Sentences. opened: as CAP writes it; signs: with the onset of each so written, oldest
    first."""
    words = _chinese if chinese else _english
    return words(place, colour, opened, score, signs, unknown)


def _chinese(
    place: Place,
    colour: Colour,
    opened: str,
    score: float | None,
    signs: Sequence[tuple[Sign, str]],
    unknown: bool,
) -> str:
    grade = f"（重大危险源{GRADES[place.grade - 1]}级）" if place.grade else ""
    points = "" if score is None else f"，风险分 {score:.1f}"
    now = f"{colour.chinese}色（{colour.meaning}）"
    said = f"{place.path}{grade}：{opened} 起预警，现为{now}{points}。"
    if unknown:
        said += "该源目前无数据，颜色保持。"
    if signs:
        said += f"相关报警 {len(signs)} 条：{_listed(signs, '；')}。"
    return said


def _english(
    place: Place,
    colour: Colour,
    opened: str,
    score: float | None,
    signs: Sequence[tuple[Sign, str]],
    unknown: bool,
) -> str:
    grade = f" (major hazard source, grade {place.grade})" if place.grade else ""
    points = "" if score is None else f", risk score {score:.1f}"
    said = f"{place.path}{grade}: warning since {opened}, now {colour.name.lower()}{points}."
    if unknown:
        said += " The source is not seen at present; its colour is held."
    if signs:
        said += f" Alarms behind it: {len(signs)}. {_listed(signs, '; ')}."
    return said


def _listed(signs: Sequence[tuple[Sign, str]], between: str) -> str:
    named = [f"{sign.subject} {sign.kind.name} {onset}" for sign, onset in signs[:NAMED]]
    return between.join([*named, "…"] if len(signs) > NAMED else named)
