"""What makes a tag impossible to watch, in sentences: tag, value, and what is allowed."""

from collections.abc import Iterator
from itertools import pairwise
from math import inf, isfinite

from domain.alarms import Kind
from domain.plant import Tag
from domain.policy import LIMITS, clearable, rule

LONGEST_S = 366 * 86_400.0
"""Bound of every duration: longer ones are slips of the pen, and could overflow an instant."""
SHORTEST_S = 1e-3
"""Bound of intervals: nothing that is sent over a network comes faster."""
ROUNDING = 1e-9
"""Relative slack for a deadband written as a decimal fraction."""


def tag_faults(tag: Tag) -> Iterator[str]:
    """Every reason why this tag cannot be compiled; none for a sound one."""
    for what in (*_spans(tag), *_limits(tag), *_deadbands(tag), *_durations(tag), *_rate(tag)):
        yield f"tag {tag.name!r} (id {tag.id}): {what}"


def _spans(tag: Tag) -> Iterator[str]:
    for name, span, least in (("range", tag.range, 5e-324), ("normal", tag.normal, 0.0)):
        if span is not None and not least <= span[1] - span[0] < inf:
            yield f"{name} is {span[0]:g} to {span[1]:g}; allowed: finite numbers, the lower first"


def _limits(tag: Tag) -> Iterator[str]:
    for kind, value in tag.limits.items():
        if kind not in LIMITS:
            yield f"{kind.name} is not a limit; allowed: LL, L, H, HH"
        elif not isfinite(value):
            yield f"{kind.name} is {value}; allowed: a finite number"
        elif not _has_rule(tag, kind):
            rows = ", ".join(known.name for known in LIMITS if _has_rule(tag, known))
            yield f"{kind.name} {value:g} means nothing for {tag.kind}; allowed: {rows}"
    present = [kind for kind in LIMITS if kind in tag.limits]
    for lower, upper in pairwise(present):
        if tag.limits[lower] >= tag.limits[upper]:
            yield (
                f"{lower.name} {tag.limits[lower]:g} is not below {upper.name} "
                f"{tag.limits[upper]:g}; allowed: LL < L < H < HH"
            )


def _has_rule(tag: Tag, kind: Kind) -> bool:
    try:
        rule(tag.kind, kind)
    except KeyError:
        return False
    return True


def _deadbands(tag: Tag) -> Iterator[str]:
    """A deadband that can never clear is a fault (after ISA-18.2; bounds: hazwatch proposal)."""
    if tag.deadband is None:
        return
    if not (isfinite(tag.deadband) and tag.deadband >= 0):
        yield f"deadband is {tag.deadband}; allowed: a finite number from 0"
        return
    for kind in LIMITS:
        bound = min(clearable(tag, kind)) if kind in tag.limits else inf
        if tag.deadband > bound * (1 + ROUNDING):
            yield (
                f"deadband {tag.deadband:g} could never clear {kind.name} {tag.limits[kind]:g}; "
                f"allowed: up to {bound:.6g}"
            )


def _durations(tag: Tag) -> Iterator[str]:
    yield from _within("delay_on_s", tag.delay_on_s, 0, LONGEST_S)
    yield from _within("delay_off_s", tag.delay_off_s, 0, LONGEST_S)
    yield from _within("interval_s", tag.interval_s, SHORTEST_S, LONGEST_S)
    yield from _above_zero("max_silence_s", tag.max_silence_s, LONGEST_S)


def _rate(tag: Tag) -> Iterator[str]:
    yield from _above_zero("rate_per_min", tag.rate_per_min, inf)
    yield from _above_zero("rate_window_s", tag.rate_window_s, LONGEST_S)


def _within(name: str, value: float | None, low: float, high: float) -> Iterator[str]:
    if value is not None and not low <= value <= high:
        yield f"{name} is {value:g}; allowed: {low:g} to {high:.0f}"


def _above_zero(name: str, value: float | None, high: float) -> Iterator[str]:
    if value is not None and not (0 < value <= high and isfinite(value)):
        yield f"{name} is {value:g}; allowed: above 0" + (
            f", up to {high:.0f}" if high < inf else ""
        )
