"""Sorts of events, what counts as a warning of each, and the units in which it is scored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.replay_map import ReplayMap
from domain.site import Limits
from hazwatch.evaluate.score import MINUTE, Event, Manner, Span, Unit, Warned

LIMIT_KINDS = ("LL", "L", "H", "HH")
UNDETECTABLE = "undetectable"
"""Kind of events that nothing can tell from normal running: a warning of them is luck, or noise."""


@dataclass(frozen=True, slots=True)
class Family:
    """kinds: of findings, what counts. beside: what is scored on its own for comparison."""

    name: str
    goal: str | None
    kinds: frozenset[str]
    beside: frozenset[str]
    manner: Manner


@dataclass(frozen=True, slots=True)
class Run:
    """One recording that went through the engine. observed: without what was learnt from."""

    plan: ReplayMap
    observed: tuple[Span, ...]
    events: tuple[Event, ...]
    warnings: tuple[Warned, ...]


def family_of(event: Event) -> str:
    """release, crossing, fault or undetectable."""
    if event.kind == UNDETECTABLE:
        return UNDETECTABLE
    if event.crossing:
        return "crossing"
    if event.kind.startswith(("release", "leak", "gas")):
        return "release"
    return "fault"


def family(name: str, runs: Iterable[Run]) -> Family:
    """What counts for a family, given the plants that it was recorded in."""
    plans = [run.plan for run in runs]
    limits = frozenset(LIMIT_KINDS)
    if name == "crossing":
        return Family(name, "G7", frozenset({"PREDICT"}), limits, Manner())
    if name == "release":
        manner = Manner(merge=15 * MINUTE, afterglow=30 * MINUTE)
        return Family(name, "G6", frozenset({"INTERMITTENT"}), limits, manner)
    if any(group.kind == "pca" for plan in plans for group in plan.groups.values()):
        return Family(name, "G5", frozenset({"PCA"}), frozenset({"CHANGE"}), Manner())
    return Family(name, None, frozenset({"CHANGE"}), limits, Manner())


def subjects(runs: Sequence[Run], name: str) -> list[str]:
    """What is watched as one: a site where events say `*`, a group, a tag; and of crossings every
    other tag that has the limit, whose warnings are all false."""
    own = [(event, run) for run in runs for event in run.events if family_of(event) == name]
    found = list(dict.fromkeys(event.tag for event, _ in own))
    if name == "crossing" and "*" not in found:
        crossed = {limit_of(event) for event, _ in own}
        for run in runs:
            able = [t for t in run.plan.tags.values() if any(_has(t.limits, k) for k in crossed)]
            found += [tag.name for tag in able if tag.name not in found]
    return found


def limit_of(event: Event) -> str:
    """The limit that a crossing is of; H where it does not say."""
    return event.kind.partition(":")[2] or "H"


def _has(limits: Limits, name: str) -> bool:
    return getattr(limits, name) is not None


def unit(run: Run, name: str, subject: str, kinds: frozenset[str]) -> Unit:
    """A subject in one run, with the warnings of these kinds."""
    tags = members(run.plan, subject)
    own = [e for e in run.events if e.tag == subject and family_of(e) == name]
    others = [e for e in run.events if e not in own and members(run.plan, e.tag) & tags]
    warnings = tuple(w for w in run.warnings if w.kind in kinds and w.subject in tags)
    return Unit(subject, run.observed, tuple(own), warnings, tuple(others))


def members(plan: ReplayMap, subject: str) -> frozenset[str]:
    """Names of tags and groups whose warnings are the subject's."""
    every = {tag.name for tag in plan.tags.values()}
    if subject == "*":
        return frozenset(every | set(plan.groups))
    if subject in plan.groups:
        return frozenset({subject, *plan.groups[subject].members})
    own = {c for c, g in plan.groups.items() if g.kind == "pca" and subject in g.members}
    return frozenset({subject, *own})
