"""The sentences of data health: what is suspected, since when, by which numbers, what to check.

Numbers come from the finding's detail, as the modules of the kinds in `rules` name them.
"""

from collections.abc import Callable
from datetime import datetime

from alerts.text_forecast import duration, plain, quantity
from domain.alarms import Edge, Finding, Kind
from domain.health import health_model, unit_jump
from domain.instant import moment
from domain.plant import Registry, Tag
from domain.redundancy import group_of

Sentence = Callable[[Registry, Finding], str]


def _since(when: datetime) -> str:
    return f"since {when.isoformat(sep=' ', timespec='seconds')}"


def _tag(registry: Registry, finding: Finding) -> Tag:
    return registry.tags[finding.tag or 0]


def _or_over(sentence: Callable[[Tag, Finding], str], over: str) -> Sentence:
    """The sentence of a raise; anything else says that it is over."""

    def told(registry: Registry, finding: Finding) -> str:
        tag = _tag(registry, finding)
        if finding.edge is Edge.RAISED:
            return sentence(tag, finding)
        return f"{tag.name}: {finding.reason or over}"

    return told


def _frozen(tag: Tag, finding: Finding) -> str:
    lasted = (finding.effective - finding.onset).total_seconds()
    return (
        f"{tag.name}: 卡值 stands still at {plain(finding.value)} {tag.unit} for "
        f"{duration(lasted)}, {_since(finding.onset)}{_beside_limit(tag, finding.value)}; "
        f"its noise is usually {quantity(finding.detail['sigma'], tag.unit)}; "
        "check transmitter, impulse line and forced values 请检查变送器、引压管、强制值"
    )


def _beside_limit(tag: Tag, value: float) -> str:
    """The clipped band, where a value that stands still is worth a second look."""
    span = tag.range[1] - tag.range[0] if tag.range else 0.0
    margin = health_model().clipped.margin * span
    for kind, limit in tag.limits.items():
        inside = limit - value if kind in (Kind.H, Kind.HH) else value - limit
        if 0 < inside <= margin:
            return f", just inside 紧邻 {kind.name} {plain(limit)} {tag.unit}"
    return ""


def _noise(tag: Tag, finding: Finding) -> str:
    sigma, usual = finding.detail["sigma"], finding.detail["usual"]
    times = f", {sigma / usual:.1f} times" if usual > 0 else ""
    return (
        f"{tag.name}: 噪声增大 noise {quantity(sigma, tag.unit)}, usually up to "
        f"{quantity(usual, tag.unit)}{times}, {_since(finding.onset)}; check wiring, grounding and "
        "sensor 请检查接线、接地、传感器"
    )


def _clipped(tag: Tag, finding: Finding) -> str:
    high = finding.detail["side"] > 0
    way = "below 低于" if high else "above 高于"
    return (
        f"{tag.name}: 疑似限幅 {finding.detail['touches']:.0f} times or more exactly "
        f"{plain(finding.value)} {tag.unit}, just {way} the limit {plain(finding.limit)}, never "
        f"beyond it, {_since(finding.onset)}; check scaling and clamps in DCS and gateway "
        "请检查DCS与网关的量程和限幅设置"
    )


def _drift(registry: Registry, finding: Finding) -> str:
    tag, told = _tag(registry, finding), finding.detail
    if finding.edge is not Edge.RAISED:
        return f"{tag.name}: {finding.reason or '与冗余测点恢复一致 agrees with its group again'}"
    others = [one.name for one in group_of(registry, tag.id) if one.id != tag.id]
    away, limit = quantity(abs(told["away"]), tag.unit), quantity(told["threshold"], tag.unit)
    way = "above 偏高" if told["away"] > 0 else "below 偏低"
    jump = unit_jump(told["reference"], finding.value, tag.unit)
    unit = f"; {jump}: was the unit changed 单位是否变更?" if jump else ""
    who = (
        f"with 与 {', '.join(others)} nobody can tell which of the two 无法判断是哪一个"
        if told["size"] == 2
        else f"against 对比 {', '.join(others)}"
    )
    return (
        f"{tag.name}: 漂移 {plain(finding.value)} {tag.unit} where {plain(told['reference'])} is "
        f"expected, {away} {way} its usual difference (limit {limit}), {who}, "
        f"{_since(finding.onset)}{unit}; check calibration, zero and impulse line "
        "请校验零点、量程、引压管"
    )


def _detector(tag: Tag, finding: Finding) -> str:
    if "signal" in finding.detail:
        return (
            f"{tag.name}: 探测器故障信号 fault signal {plain(finding.detail['signal'])} "
            f"{tag.unit}, below the range 低于量程, {_since(finding.onset)}; nobody watches "
            "this place: check detector, wiring and supply, use a portable detector meanwhile "
            "该处失去监测，请检查探测器、线路和供电，期间用便携仪"
        )
    if "denied" in finding.detail:
        return (
            f'{tag.name}: 探测器无有效值 sends a number that means "no value", '
            f"{_since(finding.onset)}; nobody watches this place, and gas over the range may look "
            "like this: check detector, wiring and supply, use a portable detector meanwhile "
            "该处失去监测（超量程也可能如此），请检查探测器、线路和供电，期间用便携仪"
        )
    alarmed = moment(round(finding.detail["alarmed"])).astimezone(finding.onset.tzinfo)
    return (
        f"{tag.name}: 报警中失去信号 signal lost in alarm, {_since(finding.onset)}, last alarmed "
        f"{alarmed.isoformat(sep=' ', timespec='seconds')}; the alarm is held, treat the area as "
        "in alarm and send somebody with a portable detector 报警保持，按报警处置，携带便携仪核查"
    )


def _copied(tag: Tag, finding: Finding) -> str:
    minutes, shift = finding.detail["minutes"], finding.detail.get("shift", 0)
    later = f" ({shift:+.0f} min)" if shift else ""
    return (
        f"{tag.name}: 疑似复制数据 repeats what it said 24 h before{later} 与24小时前数据相同, "
        f"{_since(finding.onset)}, {minutes:.0f} minutes compared; compare with the gauge on site "
        "and the gateway's data source 请与现场仪表和网关数据源核对"
    )


SENTENCES: dict[Kind, Sentence] = {
    Kind.FROZEN: _or_over(_frozen, "读数恢复变化 moves again"),
    Kind.NOISE: _or_over(_noise, "噪声恢复正常 noise as usual"),
    Kind.CLIPPED: _or_over(_clipped, "不再限幅 no longer cut off"),
    Kind.DRIFT: _drift,
    Kind.DETECTOR_FAULT: _or_over(_detector, "探测器信号恢复 good readings again"),
    Kind.COPIED: _or_over(_copied, "数据不再重复 differs from the day before"),
}
