"""The sentences of INVENTORY and BALANCE: what, how much, against what, since when, what to do.

Numbers come from the finding's detail, as `rules.inventory` and `rules.balance` name them.
"""

from collections.abc import Callable
from math import isfinite, nan

from domain.alarms import Edge, Finding, Kind
from domain.inventory import Cause
from domain.plant import Node, Registry

_ENDED = (Edge.RETURNED, Edge.CLOSED)


def inventory_sentence(registry: Registry, finding: Finding) -> str:
    """Such as: 液氨球罐 V-211: 超设计量储存 214.6 t, 103.5 % of the design 207.4 t, since …"""
    name, told = _name(registry, finding), finding.detail
    since = finding.onset.isoformat(sep=" ", timespec="seconds")
    share, tonnes, design = finding.value, told.get("tonnes", nan), told.get("design_t", nan)
    amount = (
        f"{_plain(tonnes)} t, {_plain(share)} % of the design maximum {_plain(design)} t 设计量"
    )
    what = _substance(registry, finding)
    if finding.edge in _ENDED:
        ended = finding.reason or f"已回到设计量以内 back within its design maximum, {amount}"
        return f"{name}: {what}{ended}"
    return (
        f"{name}: {what}超设计量储存 over the design maximum: {amount}, since {since}; "
        "停止进料并转出 stop filling and transfer out"
    )


def balance_sentence(registry: Registry, finding: Finding) -> str:
    """Such as: 甲醇储罐 V-111: 液位不动而进料 180 m3/h level stands while 180 m3/h flow in …"""
    name, told = _name(registry, finding), finding.detail
    if finding.edge in _ENDED:
        return f"{name}: {finding.reason or '液位与流量已相符 level and flows agree again'}"
    since = finding.onset.isoformat(sep=" ", timespec="seconds")
    inflow, outflow, rate = (told.get(k, nan) for k in ("inflow", "outflow", "level_rate"))
    flows = f"in 进 {_rate(inflow)}, out 出 {_rate(outflow)}, by level 按液位 {_rate(rate)} m3/h"
    missing, limit = told.get("missing_m3", nan), abs(finding.limit)
    return (
        f"{name}: {_cause(told.get('cause', 0), inflow - outflow, rate)} ({flows}; "
        f"{missing:+.3g} m3 in {told.get('hours', nan) * 60:.0f} min, allowed 允许误差 "
        f"{_plain(limit)} m3/h), since {since}"
    )


def _cause(cause: float, net: float, rate: float) -> str:
    """Which contradiction, and what to look at."""
    way = f"{_rate(abs(net))} m3/h {'flow in 净进料' if net > 0 else 'flow out 净出料'}"
    match int(cause):
        case Cause.STILL:
            return (
                f"液位不动 level stands while {way}: gauge stuck 液位计卡死, or overflowing 溢流? "
                "核对现场液位, 必要时停泵 check the level on site, stop the pump if in doubt"
            )
        case Cause.MIRROR:
            return (
                f"液位反向 level moves the other way while {way}: flow tags swapped or sign "
                "流量位号接反? 核对位号 check the tags"
            )
        case Cause.LOST:
            return (
                f"无出料而液位下降 level falls by {_rate(abs(rate))} m3/h with no outflow: leak or "
                "unmeasured outlet 泄漏或未计量出料? 现场检查 check on site"
            )
        case Cause.GAINED:
            return (
                f"无进料而液位上升 level rises by {_rate(abs(rate))} m3/h with no inflow: "
                "unmeasured inlet 未计量进料? 检查阀门 check the valves"
            )
        case Cause.LESS:
            return (
                "少于流量所示 less than the flows say: leak, gauge or meter 泄漏、液位计或流量计?"
            )
        case _:
            return (
                "多于流量所示 more than the flows say: inlet, gauge or meter 进料、液位计或流量计?"
            )


def _name(registry: Registry, finding: Finding) -> str:
    node = registry.nodes.get(finding.node or 0)
    if node is None:
        return ""
    return node.name if node.kind == "source" or node.code in node.name else _with_code(node)


def _with_code(node: Node) -> str:
    return f"{node.name} {node.code}"


def _substance(registry: Registry, finding: Finding) -> str:
    """The name of the substance that a source has too much of, with a blank; "" for a tank."""
    number = int(finding.detail.get("substance", -1))
    node = registry.nodes.get(finding.node or 0)
    entries = node.detail.get("substances", ()) if node is not None else ()
    if number < 0 or not isinstance(entries, list | tuple) or number >= len(entries):
        return ""
    return f"{entries[number]['name']} "


def _plain(value: float) -> str:
    """Up to four digits, a dash where there is none."""
    return f"{value:.4g}" if isfinite(value) else "–"


def _rate(value: float) -> str:
    return f"{value:.3g}" if isfinite(value) else "–"


SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    Kind.INVENTORY: inventory_sentence,
    Kind.BALANCE: balance_sentence,
}
