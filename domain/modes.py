"""Operating modes of units (domain.md 4.5a): which limits hold in them.

A unit is an equipment, or a whole source. Where nobody has said otherwise it is in `run`. Limits of
gas, oxygen and fire detectors hold in every mode.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isnan

from domain.alarms import Kind
from domain.plant import Registry, Tag, TagKind

MODES = ("run", "start_up", "shutdown", "empty", "turnaround")
RUN = "run"
IN_EVERY_MODE = frozenset(
    {TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE}
)
"""Kinds of tags that no mode suppresses."""

Held = Mapping[int, Mapping[Kind, float]]
"""Limits by which active alarms were raised, by tag id."""
Modes = Mapping[int, str]
"""Mode by id of equipment or source."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays in force against the modes, so that no mode ends or lowers anything (domain.md
    4.5): until it has returned. limits: of active alarms and votes; ahead: all limits of forecasts
    that bring points; rules: by id of a written rule that holds, the modes in which that began."""

    limits: Held = field(default_factory=dict)
    ahead: Held = field(default_factory=dict)
    rules: Mapping[int, Modes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.limits or self.ahead or self.rules)


def in_modes(registry: Registry, modes: Mapping[int, str]) -> Registry:
    """The registry with the limits of its units' modes. modes: mode by id of equipment or source;
    a tag follows its equipment's, where that has none its source's."""
    units = {
        (node.parent, node.code): id
        for id, node in registry.nodes.items()
        if node.kind == "equipment" and id in modes
    }
    tags = {
        id: in_mode(tag, modes.get(units.get((tag.source, tag.equipment or ""), tag.source), RUN))
        if tag.limits_by_mode
        else tag
        for id, tag in registry.tags.items()
    }
    return replace(registry, tags=tags, modes=modes)


def in_mode(tag: Tag, mode: str) -> Tag:
    """The tag with its limits in that mode: its own there, else those of `limits`."""
    own = tag.limits_by_mode.get(mode)
    if own is None or tag.kind in IN_EVERY_MODE:
        return tag
    limits: dict[Kind, float] = {**tag.limits, **own}
    return replace(tag, limits={kind: v for kind, v in sorted(limits.items()) if not isnan(v)})


def held_limits(registry: Registry, modes: Mapping[int, str], active: Held) -> Held:
    """Those limits of active alarms that stay in force in these modes: an alarm that is active when
    a mode begins keeps its weight until it returns (domain.md 4.5).

    They are limits that a mode takes away or moves further out. One that the tag has in no mode is
    a limit that people have changed, and not held.
    """
    known = {id: own for id, own in active.items() if id in registry.tags}
    known = {id: own for id, own in known.items() if registry.tags[id].limits_by_mode}
    if not known:
        return {}
    part = replace(registry, tags={id: registry.tags[id] for id in known})
    now = in_modes(part, modes).tags
    held = {id: dict(_held(part.tags[id], now[id], own)) for id, own in known.items()}
    return {id: own for id, own in held.items() if own}


def limits_in(registry: Registry, modes: Modes, tags: Iterable[int]) -> Held:
    """All limits of these tags in these modes."""
    part = replace(registry, tags={id: registry.tags[id] for id in tags})
    return {id: dict(tag.limits) for id, tag in in_modes(part, modes).tags.items()}


def held_forecasts(registry: Registry, modes: Modes, foreseen: Held) -> Held:
    """Of tags that are heading for a limit the limits by which they were, where these modes have
    others: a forecast goes on to the limit that it is about until it lets go. foreseen: all limits
    of such tags up to now; what people have changed is not held."""
    known = {id: own for id, own in foreseen.items() if id in registry.tags}
    part = replace(registry, tags={id: registry.tags[id] for id in known})
    now = in_modes(part, modes).tags
    return {
        id: own
        for id, own in known.items()
        if dict(now[id].limits) != dict(own) and _in_some_mode(part.tags[id], own)
    }


def _in_some_mode(tag: Tag, limits: Mapping[Kind, float]) -> bool:
    every = (tag.limits, *tag.limits_by_mode.values())
    known = all(limit in {of.get(kind) for of in every} for kind, limit in limits.items())
    return known and bool(tag.limits_by_mode)


def _held(tag: Tag, now: Tag, active: Mapping[Kind, float]) -> Iterator[tuple[Kind, float]]:
    """now: the tag in its mode."""
    for kind, limit in active.items():
        sign = 1 if kind in (Kind.H, Kind.HH) else -1
        own = {of.get(kind) for of in (tag.limits, *tag.limits_by_mode.values())}
        if limit in own and (kind not in now.limits or sign * now.limits[kind] > sign * limit):
            yield kind, limit


def holding(tag: Tag, held: Mapping[Kind, float]) -> Tag:
    """The tag with held limits, which may cross its others."""
    return replace(tag, limits=dict(sorted({**tag.limits, **held}.items()))) if held else tag
