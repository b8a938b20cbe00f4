"""THRESHOLD_MISMATCH 阈值不一致: the set point in a plant's report is not the registered one.

One condition a tag. It ends with the first report, or the first registry, that agrees.
"""

from collections.abc import Mapping
from math import nan

from domain.alarms import Edge, Finding, Kind
from domain.edge_alarm import EdgePolicy
from domain.plant import Tag
from domain.policy import LIMITS
from rules.edge_state import EdgeState, Word, edge_finding, ended

REMOVED = "位号已移除 the tag is no longer registered"


def compare(
    state: EdgeState, tags: Mapping[int, Tag], policy: EdgePolicy, tag: int, at: int
) -> list[Finding]:
    """Raise or end the condition of a tag by all that was reported of it; at: microseconds."""
    words = [(kind, word) for kind in LIMITS if (word := state.words.get((tag, kind))) is not None]
    if tag not in tags or not words:
        return []
    differing = [(kind, word) for kind, word in words if _differs(tags[tag], kind, word, policy)]
    before = state.differing.get(tag)
    if not differing:
        if before is None:
            return []
        del state.differing[tag]
        return [ended(Kind.THRESHOLD_MISMATCH, tag, before, at)]
    kind, word = differing[-1]
    if before is not None:
        return []
    state.differing[tag] = at, at
    said = nan if word.limit is None else word.limit
    registered = tags[tag].limits.get(kind, nan)
    return [
        edge_finding(
            Edge.RAISED, Kind.THRESHOLD_MISMATCH, tag, at, at, said, registered, about=kind
        )
    ]


def reregister(
    state: EdgeState, tags: Mapping[int, Tag], policy: EdgePolicy, at: int
) -> list[Finding]:
    """Hold what was reported against another registry, as of `at`, microseconds."""
    state.words = {subject: word for subject, word in state.words.items() if subject[0] in tags}
    told = []
    for tag in [tag for tag in state.differing if tag not in tags]:
        begun = state.differing.pop(tag)
        told.append(ended(Kind.THRESHOLD_MISMATCH, tag, begun, at, Edge.CLOSED, REMOVED))
    for tag in sorted({tag for tag, _ in state.words}):
        told += compare(state, tags, policy, tag, at)
    return told


def _differs(tag: Tag, kind: Kind, word: Word, policy: EdgePolicy) -> bool:
    """Whether a reported set point is none of the registered ones, of any operating mode."""
    if word.limit is None:
        return False
    known = [tag.limits.get(kind, nan)]
    known += [limits.get(kind, nan) for limits in tag.limits_by_mode.values()]
    span = tag.range[1] - tag.range[0] if tag.range else abs(word.limit)
    return not any(abs(word.limit - limit) <= policy.tolerance * span for limit in known)
