"""The sentence of an alarm: tag, value, limit, since when."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from math import isnan

from alerts import (
    text_forecast,
    text_health,
    text_inventory,
    text_own,
    text_patterns,
    text_rules,
    text_setpoints,
)
from domain import policy
from domain.alarms import Finding, Kind
from domain.plant import Registry, Tag

SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    **text_setpoints.SENTENCES,
    **text_forecast.SENTENCES,
    **text_health.SENTENCES,
    **text_inventory.SENTENCES,
    **text_own.SENTENCES,
    **text_patterns.SENTENCES,
    **text_rules.SENTENCES,
}
"""Of the kinds that the layers of rules find; see `alerts.advice`."""
LIMIT_NAMES = {
    Kind.HH: "高高报 HH",
    Kind.H: "高报 H",
    Kind.L: "低报 L",
    Kind.LL: "低低报 LL",
}


def number(value: float) -> str:
    """A reading for people: up to 6 significant digits, a dash where there is none."""
    return "–" if isnan(value) else f"{value:.6g}"


def sentence(registry: Registry, finding: Finding, zone: tzinfo = UTC) -> str:
    """What an operator reads in the table and in a notice, with times of that zone."""
    onset, effective = (when.astimezone(zone) for when in (finding.onset, finding.effective))
    finding = replace(finding, onset=onset, effective=effective)
    since = clock_time(finding.onset)
    if finding.kind in SENTENCES:
        return SENTENCES[finding.kind](registry, finding)
    if finding.tag is None:
        node = registry.nodes[finding.node] if finding.node is not None else None
        name = node.name if node else ""
        return f"{name}: 全部测点无数据 no good sample from any tag since {since}"
    tag = registry.tags[finding.tag]
    if finding.kind is Kind.OFFLINE:
        return f"{tag.name}: 离线 no good sample since {since}"
    if finding.kind is Kind.ROC:
        way = "rising 上升" if finding.value > 0 else "falling 下降"
        return (
            f"{tag.name}: {way} {number(abs(finding.value))} {tag.unit}/min, "
            f"limit {number(abs(finding.limit))} {tag.unit}/min, since {since}"
        )
    return _limit_sentence(tag, finding, since)


def _limit_sentence(tag: Tag, finding: Finding, since: str) -> str:
    row = policy.rule(tag.kind, finding.kind)
    sign = "≥" if finding.kind in (Kind.H, Kind.HH) else "≤"
    return (
        f"{tag.name}: {number(finding.value)} {tag.unit} {sign} {number(finding.limit)}, "
        f"{row.name} {LIMIT_NAMES[finding.kind]}, since {since}"
    )


def clock_time(when: datetime) -> str:
    """Date and time with offset, to the second."""
    return when.isoformat(sep=" ", timespec="seconds")
