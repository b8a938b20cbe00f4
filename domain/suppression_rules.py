"""What must fit together in the rules of suppression by design of an enterprise: (where, clause).

Whatever is silenced has a parent that is heard: gas, fire and P1 are never silenced, a parent never
acknowledges itself, and no tag is silenced by its own consequences.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from domain import policy
from domain.alarm_rules import Where, has, priority_of
from domain.alarms import Kind, Priority
from domain.explain import shown, suggestion
from domain.problem import Loc

if TYPE_CHECKING:
    from domain.site import SuppressionEntry, TagEntry

Problems = Iterator[tuple[Loc, str]]


def suppression_problems(
    entries: "Sequence[tuple[Loc, TagEntry]]",
    absent: frozenset[str],
    where: Mapping[str, Where],
) -> Problems:
    """Everything in the rules of an enterprise's tags, each with its place, that does not fit.

    where: the circumstances of the tags, by name.
    """
    tags = {tag.name: tag for _, tag in entries}
    names: set[str] = set()
    for at, tag in entries:
        for k, rule in enumerate(tag.suppressed_by):
            here: Loc = (*at, "suppressed_by", k)
            if rule.name in names:
                yield (
                    (*here, "name"),
                    f"{shown(rule.name)} names another rule; allowed: once",
                )
            names.add(rule.name)
            yield from _own_problems(tag, rule, here, where[tag.name])
            if rule.parent in absent:
                continue
            yield from _parent_problems(tag, rule, tags, here)
    yield from _cycle_problems(entries, tags)


def _own_problems(tag: "TagEntry", rule: "SuppressionEntry", here: Loc, where: Where) -> Problems:
    if tag.kind in policy.GAS_AND_FIRE:
        yield (*here, "kinds"), f"a {tag.kind} tag is never suppressed; allowed: no such rule"
        return
    for i, word in enumerate(rule.kinds):
        kind = Kind[word]
        if not has(tag, kind):
            yield (*here, "kinds", i), f"{word}: the tag has no such alarm"
        elif priority_of(tag, kind, where) is Priority.P1:
            yield (*here, "kinds", i), f"{word} is P1 here, which is never suppressed"


def _parent_problems(
    tag: "TagEntry", rule: "SuppressionEntry", tags: "Mapping[str, TagEntry]", here: Loc
) -> Problems:
    parent = tags.get(rule.parent)
    if parent is None:
        clause = f"no tag {shown(rule.parent)} in the enterprise{suggestion(rule.parent, tags)}"
        yield (*here, "parent"), clause
        return
    words: tuple[str, ...] = rule.parent_kinds or tuple(kind.name for kind in policy.LIMITS)
    there = [word for word in words if has(parent, Kind[word])]
    if parent.name != tag.name and (not there or (rule.parent_kinds and len(there) < len(words))):
        lacking = ", ".join(word for word in words if word not in there)
        yield (*here, "parent"), f"{shown(rule.parent)} has no limit {lacking}: it never alarms so"
    own = dict(parent.alarms)
    silent = [word for word in there if (entry := own.get(word)) is not None and entry.auto_ack]
    if silent:
        yield (
            (*here, "parent"),
            f"{', '.join(silent)} of {shown(rule.parent)} acknowledges itself: nobody would hear "
            "of either",
        )


def _cycle_problems(
    entries: "Sequence[tuple[Loc, TagEntry]]", tags: "Mapping[str, TagEntry]"
) -> Problems:
    above = {name: {rule.parent for rule in tag.suppressed_by} for name, tag in tags.items()}
    for at, tag in entries:
        for k, rule in enumerate(tag.suppressed_by):
            if tag.name in _upwards(rule.parent, above):
                yield (
                    (*at, "suppressed_by", k, "parent"),
                    f"{shown(rule.parent)} is suppressed by {tag.name} itself; allowed: no circles",
                )


def _upwards(name: str, above: Mapping[str, set[str]]) -> set[str]:
    """A tag and all that suppress it, directly or not."""
    found, left = set[str](), [name]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += above.get(one, ())
    return found
