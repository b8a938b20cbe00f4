"""The sentences of INTERMITTENT and PCA: what is unusual, against what, since when, where to look.

Numbers come from the finding's detail, as `rules.intermittent` and `rules.pca` name them.
"""

from collections.abc import Callable
from datetime import datetime

from alerts.text_forecast import duration, plain
from domain.alarms import Edge, Finding, Kind
from domain.gas_background import gas_model
from domain.plant import Registry


def intermittent_sentence(registry: Registry, finding: Finding) -> str:
    """Such as: GD-21: 间歇性气体 6.2 ppm comes and goes above its background 2.0 ± 0.1 ppm."""
    tag, told = registry.tags[finding.tag or 0], finding.detail
    background = (
        f"background 背景 {plain(told['background'])} ± {plain(told['spread'])} {tag.unit}"
        f" (of {duration(told['known_s'])}{_young(told['known_s'])})"
    )
    if finding.edge is Edge.RETURNED:
        return f"{tag.name}: 间歇性气体结束 intermittent gas ended, {background}"
    return (
        f"{tag.name}: 间歇性气体 intermittent gas, {plain(finding.value)} {tag.unit} now, on "
        f"average as much as a steady {plain(finding.limit)} {tag.unit}, {background}, "
        f"since {_clock(finding.onset)}; look for a small leak upwind 检查上风向泄漏"
    )


def _young(known_s: float) -> str:
    return ", not yet known 尚未建立" if known_s < gas_model().start_up else ""


def pca_sentence(registry: Registry, finding: Finding) -> str:
    """Such as: 氨合成: 工况偏离 …, mostly TI-3 (61%); SPE 1.4, T² 0.6 of their limits."""
    node, told = registry.nodes[finding.node or 0], finding.detail
    if finding.edge is Edge.RETURNED:
        return f"{node.name}: 工况恢复正常 the tags agree again, since {_clock(finding.effective)}"
    what = (
        "tags contradict each other 测点相互矛盾"
        if told["spe"] >= told["t2"]
        else "runs where it has not run before 偏离常态工况"
    )
    missing = f"; {told['missing']:.0f} members missing 缺测" if told["missing"] else ""
    return (
        f"{node.name}: 工况偏离 {what}, mostly 主要 {_tags(registry, finding)}; SPE "
        f"{told['spe']:.2g}, T² {told['t2']:.2g} of their limits{missing}, "
        f"since {_clock(finding.onset)}; compare these gauges on site 现场核对"
    )


def _tags(registry: Registry, finding: Finding) -> str:
    told = finding.detail
    named = [
        (registry.tags.get(int(told[place])), told[f"{place}_share"])
        for place in ("first", "second", "third")
        if place in told
    ]
    return ", ".join(f"{tag.name} ({share:.0%})" for tag, share in named if tag is not None)


def _clock(when: datetime) -> str:
    return when.isoformat(sep=" ", timespec="seconds")


SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    Kind.INTERMITTENT: intermittent_sentence,
    Kind.PCA: pca_sentence,
}
