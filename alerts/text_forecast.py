"""The sentences of PREDICT and CHANGE: rate, since when, how far it looks back, when, what clears.

Numbers come from the finding's detail, as `rules.forecast` and `rules.change` name them.
"""

from collections.abc import Callable
from datetime import datetime
from math import floor, isfinite, log10

from domain.alarms import Edge, Finding, Kind
from domain.instant import moment
from domain.plant import Registry, Tag

_SMALLER = {"m": ("mm", 1000.0), "MPa": ("kPa", 1000.0), "t": ("kg", 1000.0)}
"""Units of small rates and noises, where the tag's own would need too many zeros."""
_LATE_S = 36 * 3600.0
"""From so far on the date is told beside the time."""


def predict_sentence(registry: Registry, finding: Finding) -> str:
    """Such as: LT-102 2.31 m, rising 98 mm/min for 6 min; HH 2.50 m at 14:07, 95 % 14:06–14:09."""
    tag, told = registry.tags[finding.tag or 0], finding.detail
    rate = told["rate"]
    way = "rising 上升" if rate > 0 else "falling 下降"
    moving = f"{way} {quantity(abs(rate), tag.unit)}/min for {duration(told['scale'])}"
    chance = f"P(within {duration(told['action'])}) {min(told['probability'], 0.99):.2f}"
    basis = f"noise {quantity(told['noise'], tag.unit)}, {told['clipped']:.0f} clipped values"
    clears = "clears when it slows down or turns 减缓或回落后解除"
    if finding.edge is Edge.RETURNED:
        ended = f"趋势预警解除 forecast ended, {plain(finding.value)} {tag.unit}"
        return f"{tag.name}: {ended}, {moving}"
    return (
        f"{tag.name}: 趋势预警 {plain(finding.value)} {tag.unit}, {moving}; "
        f"{_when(tag, finding)}; {chance}; {basis}; {clears}"
    )


def _when(tag: Tag, finding: Finding) -> str:
    told = finding.detail
    name = next((k.name for k, v in tag.limits.items() if _same(v, finding.limit)), "")
    goal = f"{name or '量程终点 end of range'} {plain(finding.limit)} {tag.unit}"
    if not isfinite(told["latest"]):
        return f"{goal}: 无可靠预测 no reliable prediction"
    now = finding.effective
    times = (moment(round(told[k])) for k in ("eta", "earliest", "latest"))
    at, early, late = (when.astimezone(now.tzinfo) for when in times)
    interval = f"95 % {clock(early, now)}–{clock(late, now)}"
    return f"{goal} at {clock(at, now)}, {interval} {at.isoformat()[-6:]}"


def change_sentence(registry: Registry, finding: Finding) -> str:
    """What is unusual, by how much, over how long a time, and what ends it."""
    tag, told = registry.tags[finding.tag or 0], finding.detail
    usual, shift = f"{plain(told['usual'])} {tag.unit}", told["shift"]
    if finding.edge is Edge.RETURNED:
        why = finding.reason or "回到常态 back to its usual value"
        return f"{tag.name}: {plain(finding.value)} {tag.unit}, {why}"
    return (
        f"{tag.name}: 异常变化 {plain(finding.value)} {tag.unit}, usually 通常 {usual}; "
        f"{'higher 偏高' if shift > 0 else 'lower 偏低'} by {quantity(abs(shift), tag.unit)} over "
        f"{duration(told['scale'])}, since {clock(finding.onset, finding.onset)} "
        f"{finding.onset.isoformat()[-6:]}; noise {quantity(told['noise'], tag.unit)}, score "
        f"{told['score']:.1f} (limit {told['threshold']:.1f}); clears near {usual} or after a day "
        f"as the new normal 恢复或成为新常态后解除"
    )


def plain(value: float) -> str:
    """A reading: up to 6 significant digits, without an exponent; a dash for none."""
    if not isfinite(value):
        return "–"
    return f"{value:.6g}"


def quantity(value: float, unit: str) -> str:
    """Two significant digits in the unit, or in a smaller one where that is easier to read."""
    if unit in _SMALLER and abs(value) < 1:
        unit, factor = _SMALLER[unit]
        value *= factor
    if not isfinite(value):
        return "–"
    digits = max(0, 1 - floor(log10(abs(value)))) if value else 0
    return f"{value:.{min(digits, 9)}f} {unit}".rstrip()


def duration(seconds: float) -> str:
    """Whole hours and minutes, minutes, or seconds."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def clock(when: datetime, now: datetime) -> str:
    """Hours and minutes, with seconds where it is less than 10 min away; the date where it is
    far."""
    away = abs((when - now).total_seconds())
    if away >= _LATE_S or when.date() != now.date():
        return f"{when:%Y-%m-%d %H:%M}"
    return f"{when:%H:%M:%S}" if away < 600 else f"{when:%H:%M}"


def _same(limit: float, told: float) -> bool:
    return abs(limit - told) <= 1e-6 * max(abs(limit), abs(told), 1e-9)


SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    Kind.PREDICT: predict_sentence,
    Kind.CHANGE: change_sentence,
}
