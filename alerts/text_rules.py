"""Sentences of alarms of groups and of written rules: who, which values, how degraded."""

from collections.abc import Callable, Iterator
from math import isnan

from domain import policy
from domain.alarms import Finding, Kind
from domain.plant import Node, Registry, Tag, TagKind

_GONE = "无效 bad or silent"
_FLAGGED = "存疑 flagged"
_DETECTORS = {TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE}
_IN_THE_AIR = (
    "按真实泄漏处置 treat as real: 人员撤离 clear the area, 上风向携便携式检测仪核实 "
    "confirm from upwind with a portable detector"
)
_IN_THE_PLANT = "按真实报警处置 treat as real, check in the field"


def _vote(registry: Registry, finding: Finding) -> str:
    """`液氨罐区 GD-A: 表决报警 2 of 3 (2oo3) ≥ HH 50 ppm: GD-21 61 ppm, GD-22 58 ppm; 其余 others:
    GD-23 3 ppm; since …; what to do`."""
    detail = finding.detail
    size, voting = int(detail.get("members", 0)), int(detail.get("voting", 0))
    level, common = _level(registry, finding)
    text = f"{_name(registry, finding)}: {_class(finding)} {finding.value:g} of {size}"
    text += f" ({_degraded(finding)}) {level}".rstrip()
    for words, which in (("", voting), ("; 其余 others", ~voting & ((1 << size) - 1))):
        members = _members(registry, finding, which, None if common else level[:1])
        if members:
            text += f"{words}: {', '.join(members)}"
    air = any(tag.kind in _DETECTORS for _, tag in _tags(registry, finding))
    return f"{text}; {_since(finding)}; {_IN_THE_AIR if air else _IN_THE_PLANT}"


def _level(registry: Registry, finding: Finding) -> tuple[str, bool]:
    """`≥ HH 50 ppm`, the limit left out where members have different ones; whether it is in it."""
    number = finding.detail.get("level", float("nan"))
    if isnan(number):
        return "agree", True
    kind = Kind(int(number))
    own = {
        f"{limit:.6g} {tag.unit}".rstrip()
        for k, tag in _tags(registry, finding)
        if not isnan(limit := finding.detail.get(f"limit_{k}", float("nan")))
    }
    sign = "≥" if kind in (Kind.H, Kind.HH) else "≤"
    return f"{sign} {kind.name} {own.pop()}" if len(own) == 1 else f"{sign} {kind.name}", not own


def _vote_unknown(registry: Registry, finding: Finding) -> str:
    return (
        f"{_name(registry, finding)}: {_class(finding)} no member is good, the group cannot vote; "
        f"{_since(finding)}; 派人现场监护 watch the place by other means, restore the detectors"
    )


def _composite(registry: Registry, finding: Finding) -> str:
    node = _node(registry, finding)
    values = _members(registry, finding, -1)
    text = f"{_name(registry, finding)}: {_class(finding)}"
    if values:
        text += f" {', '.join(values)}"
    message = node.detail.get("message") if node else None
    return f"{text}; {_since(finding)}" + (f"; {message}" if message else "")


def _composite_unknown(registry: Registry, finding: Finding) -> str:
    out = int(finding.detail.get("out", 0)) | int(finding.detail.get("flagged", 0))
    names = _members(registry, finding, out)
    why = f": {', '.join(names)}" if names else ""
    return (
        f"{_name(registry, finding)}: {_class(finding)} cannot be decided{why}; {_since(finding)}; "
        "检查测点 check these tags"
    )


def _degraded(finding: Finding) -> str:
    """`2oo3`, or what is left of it: `2oo3, 1 bad: 1oo2`."""
    detail = finding.detail
    size, out = int(detail.get("members", 0)), int(detail.get("out", 0)).bit_count()
    whole = f"{detail.get('needed', finding.limit):g}oo{size}"
    return whole if out == 0 else f"{whole}, {out} bad: {finding.limit:g}oo{size - out}"


def _members(
    registry: Registry, finding: Finding, which: int, sign: str | None = None
) -> list[str]:
    """The members of a set with their values, as far as told: bit k stands for the k-th. sign:
    where each is told with its own limit."""
    found = [
        _member(finding, k, tag, sign) for k, tag in _tags(registry, finding) if which >> k & 1
    ]
    return found + (["…"] if which > 0 and which.bit_count() > len(found) else [])


def _member(finding: Finding, k: int, tag: Tag, sign: str | None) -> str:
    """`GD-21 61 ppm`, or with ` (≥ 50)`, ` 存疑 flagged`; `GD-22 无效 bad or silent`."""
    detail, nan = finding.detail, float("nan")
    value, limit = detail.get(f"value_{k}", nan), detail.get(f"limit_{k}", nan)
    if int(detail.get("out", 0)) >> k & 1 or isnan(value):
        return f"{tag.name} {_GONE}"
    text = f"{tag.name} {value:.6g} {tag.unit}".rstrip()
    if sign is not None and not isnan(limit):
        text += f" ({sign} {limit:.6g})"
    return f"{text} {_FLAGGED}" if int(detail.get("flagged", 0)) >> k & 1 else text


def _tags(registry: Registry, finding: Finding) -> Iterator[tuple[int, Tag]]:
    """The first members, as far as they are still registered."""
    k = 0
    while not isnan(id := finding.detail.get(f"tag_{k}", float("nan"))):
        tag = registry.tags.get(int(id))
        if tag is not None:
            yield k, tag
        k += 1


def _node(registry: Registry, finding: Finding) -> Node | None:
    return None if finding.node is None else registry.nodes.get(finding.node)


def _name(registry: Registry, finding: Finding) -> str:
    node = _node(registry, finding)
    if node is None:
        return f"node {finding.node}"
    source = registry.nodes.get(node.parent) if node.parent is not None else None
    return f"{source.name} {node.name}" if source else node.name


def _class(finding: Finding) -> str:
    return policy.rule(TagKind.OTHER, finding.kind).name


def _since(finding: Finding) -> str:
    return f"since {finding.onset.isoformat(sep=' ', timespec='seconds')}"


SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    Kind.VOTE: _vote,
    Kind.VOTE_UNKNOWN: _vote_unknown,
    Kind.COMPOSITE: _composite,
    Kind.COMPOSITE_UNKNOWN: _composite_unknown,
}
