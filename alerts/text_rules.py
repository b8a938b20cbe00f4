"""Sentences of alarms of groups and of written rules: who, which values, how degraded."""

from collections.abc import Callable, Iterator
from math import isnan

from domain import policy
from domain.alarms import Finding, Kind
from domain.plant import Node, Registry, TagKind

_GONE = "无效 bad or silent"


def _vote(registry: Registry, finding: Finding) -> str:
    """`液氨罐区 GD-A: 表决报警 2 of 3 agree (2oo3): GD-21 61 ppm, GD-22 58 ppm; …`."""
    detail = finding.detail
    voting = _members(registry, finding, int(detail.get("voting", 0)))
    text = (
        f"{_name(registry, finding)}: {_class(finding)} {finding.value:g} of "
        f"{detail.get('members', 0):g} agree ({_degraded(finding)})"
    )
    if voting:
        text += f": {', '.join(voting)}"
    return f"{text}; {_since(finding)}; 按真实报警处置 treat as real, check in the field"


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
    out = int(finding.detail.get("out", 0))
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


def _members(registry: Registry, finding: Finding, which: int) -> list[str]:
    """The members of a set with their values, as far as told: bit k stands for the k-th."""
    found = [one for k, one in _told(registry, finding) if which >> k & 1]
    return found + (["…"] if which > 0 and which.bit_count() > len(found) else [])


def _told(registry: Registry, finding: Finding) -> Iterator[tuple[int, str]]:
    out, k = int(finding.detail.get("out", 0)), 0
    while not isnan(id := finding.detail.get(f"tag_{k}", float("nan"))):
        tag = registry.tags.get(int(id))
        if tag is not None:
            value = finding.detail.get(f"value_{k}", float("nan"))
            shown = _GONE if out >> k & 1 or isnan(value) else f"{value:.6g} {tag.unit}".rstrip()
            yield k, f"{tag.name} {shown}"
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
