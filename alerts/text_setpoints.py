"""Sentences of UNDERREPORT 漏报 and THRESHOLD_MISMATCH 阈值不一致."""

from collections.abc import Callable
from math import isnan

from domain import policy
from domain.alarms import Finding, Kind
from domain.plant import Registry, Tag


def underreport(registry: Registry, finding: Finding) -> str:
    """What was beyond which limit, since when, and what to do."""
    tag, kind = _tag(registry, finding), _about(finding)
    name = "" if kind is None else f" {policy.rule(tag.kind, kind).name} {kind.name}"
    sign = "≤" if kind in (Kind.L, Kind.LL) else "≥"
    since = finding.onset.isoformat(sep=" ", timespec="seconds")
    return (
        f"{tag.name}: 漏报 not reported by the plant: {_number(finding.value)} {tag.unit} {sign} "
        f"{_number(finding.limit)}{name}, since {since}; "
        "核查现场报警与上传 check the plant's alarm and its gateway"
    )


def threshold_mismatch(registry: Registry, finding: Finding) -> str:
    """Both set points, and what to do."""
    tag, kind = _tag(registry, finding), _about(finding)
    name = "" if kind is None else f" {kind.name}"
    registered = "none 未登记" if isnan(finding.limit) else f"{_number(finding.limit)} {tag.unit}"
    return (
        f"{tag.name}: 阈值不一致 set points differ:{name} in the plant {_number(finding.value)} "
        f"{tag.unit}, registered {registered}; 核对并更正其一 correct one of them"
    )


SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    Kind.UNDERREPORT: underreport,
    Kind.THRESHOLD_MISMATCH: threshold_mismatch,
}


def _tag(registry: Registry, finding: Finding) -> Tag:
    assert finding.tag is not None, "these kinds are of tags"
    return registry.tags[finding.tag]


def _about(finding: Finding) -> Kind | None:
    """The limit that it is about."""
    number = finding.detail.get("kind")
    return None if number is None else Kind(int(number))


def _number(value: float) -> str:
    return "–" if isnan(value) else f"{value:.6g}"
