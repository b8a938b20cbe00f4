"""What must fit together within one tag entry (domain research 3.2, 5.3): (where, clause)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from domain.alarm_rules import HIGH_ONLY, Where, alarm_problems
from domain.alarms import Kind
from domain.explain import shown, suggestion
from domain.modes import IN_EVERY_MODE
from domain.plant import TagKind
from domain.policy import LIMITS, clearable
from domain.problem import Loc
from domain.units import allowed_units

if TYPE_CHECKING:
    from domain.site import Equipment, TagEntry

Problems = Iterator[tuple[Loc, str]]

_SINCE = datetime(1970, 1, 1, tzinfo=UTC)


def tag_problems(tag: "TagEntry", at: Loc, where: Where = frozenset()) -> Problems:
    """Everything in a tag, at a place of these circumstances, that does not fit together."""
    yield from _unit_problems(tag, at)
    yield from _limit_problems(tag, at)
    yield from _normal_problems(tag, at)
    yield from _deadband_problems(tag, at)
    yield from _sentinel_problems(tag, at)
    yield from alarm_problems(tag, at, where)
    if tag.limits_by_mode and tag.kind in IN_EVERY_MODE:
        yield (*at, "limits_by_mode"), f"a {tag.kind} tag has one set of limits in every mode"
    if tag.max_silence_s is not None and tag.max_silence_s < tag.interval_s:
        yield (
            (*at, "max_silence_s"),
            f"{tag.max_silence_s:g} is shorter than interval_s; allowed: {tag.interval_s:g} "
            "or more",
        )


def _sentinel_problems(tag: "TagEntry", at: Loc) -> Problems:
    """A number within the range is a reading."""
    if tag.range is None or tag.sentinels is None:
        return
    low, high = tag.range
    for i, value in enumerate(tag.sentinels):
        if low <= value <= high:
            yield (
                (*at, "sentinels", i),
                f"{value:g} lies inside the range, where it is a reading; allowed: below {low:g} "
                f"or above {high:g}",
            )


def fill_problems(tag: "TagEntry", vessel: "Equipment", at: Loc) -> Problems:
    """A level HH above the safe fill of its vessel, where the unit and the vessel's data tell.

    A level in % is taken of the safe fill itself.
    """
    highest = tag.limits.HH
    safe = _safe_fill(tag, vessel)
    if tag.kind == TagKind.LEVEL and highest is not None and safe is not None and highest > safe:
        yield (
            (*at, "limits", "HH"),
            f"{highest:g} {tag.unit} is above the safe fill of {vessel.code}; allowed: up to "
            f"{safe:g} {tag.unit}",
        )


def _safe_fill(tag: "TagEntry", vessel: "Equipment") -> float | None:
    share = vessel.fill_limit if vessel.fill_limit is not None else 1.0
    metres = {"m": 1, "cm": 100, "mm": 1000}
    if tag.unit == "%":
        return 100.0
    if tag.unit in metres and vessel.height_m is not None:
        return vessel.height_m * share * metres[tag.unit]
    if vessel.volume_m3 is None:
        return None
    if tag.unit in ("m3", "m³", "kL"):
        return vessel.volume_m3 * share
    if tag.unit == "L":
        return vessel.volume_m3 * share * 1000
    if tag.unit in ("t", "kg") and vessel.density_t_m3 is not None:
        tonnes = vessel.volume_m3 * share * vessel.density_t_m3
        return tonnes if tag.unit == "t" else tonnes * 1000
    return None


def _unit_problems(tag: "TagEntry", at: Loc) -> Problems:
    units = allowed_units(tag.kind)
    if units is None or tag.unit in units:
        return
    if tag.unit == "":
        yield (*at, "unit"), f"is missing{suggestion('', units)}"
    else:
        yield (
            (*at, "unit"),
            f"{shown(tag.unit)} is no unit of {tag.kind}{suggestion(tag.unit, units)}",
        )


def _limit_problems(tag: "TagEntry", at: Loc) -> Problems:
    """range_lo ≤ LL < L < H < HH ≤ range_hi, as far as they are set."""
    limits = tag.limits.by_kind()
    for kind in (Kind.LL, Kind.L):
        if tag.kind in HIGH_ONLY and kind in limits:
            yield (
                (*at, "limits", kind.name),
                f"{limits[kind]:g}: a {tag.kind} tag has no low limits; allowed: H, HH",
            )
    present = [kind for kind in LIMITS if kind in limits]
    for below, above in pairwise(present):
        if limits[below] >= limits[above]:
            yield (
                (*at, "limits", above.name),
                f"{limits[above]:g} is not above {below.name} {limits[below]:g}; allowed: "
                "LL < L < H < HH",
            )
    if tag.range is None:
        return
    low, high = tag.range
    if low >= high:
        yield (*at, "range"), f"{shown(tag.range)} is no range; allowed: [lowest, highest]"
        return
    for kind in present:
        if not low <= limits[kind] <= high:
            yield (
                (*at, "limits", kind.name),
                f"{limits[kind]:g} lies outside the range; allowed: {low:g} to {high:g}",
            )


def _normal_problems(tag: "TagEntry", at: Loc) -> Problems:
    if tag.normal is None:
        return
    low, high = tag.normal
    if low > high:
        yield (*at, "normal"), f"{shown(tag.normal)} is no band; allowed: [lowest, highest]"
        return
    floor = next((v for v in (tag.limits.L, tag.limits.LL) if v is not None), None)
    ceiling = next((v for v in (tag.limits.H, tag.limits.HH) if v is not None), None)
    if floor is not None and low <= floor:
        yield (*at, "normal", 0), f"{low:g} is not above the low limit; allowed: above {floor:g}"
    if ceiling is not None and high >= ceiling:
        yield (
            (*at, "normal", 1),
            f"{high:g} is not below the high limit; allowed: below {ceiling:g}",
        )
    if tag.range is not None:
        for i, edge in enumerate(tag.normal):
            if not tag.range[0] <= edge <= tag.range[1]:
                yield (
                    (*at, "normal", i),
                    f"{edge:g} lies outside the range; allowed: {tag.range[0]:g} to "
                    f"{tag.range[1]:g}",
                )


def _deadband_problems(tag: "TagEntry", at: Loc) -> Problems:
    """A deadband must be able to clear: ⅓ of the way to normal, ½ of the gap to the next limit."""
    if tag.deadband is None:
        return
    registered = tag.tag(0, 1, 0, 0, _SINCE)
    bounds = {kind: min(clearable(registered, kind)) for kind in tag.limits.by_kind()}
    if not bounds:
        return
    kind = min(bounds, key=lambda kind: bounds[kind])
    if tag.deadband > bounds[kind]:
        yield (
            (*at, "deadband"),
            f"{tag.deadband:g} could never clear {kind.name} {registered.limits[kind]:g}; "
            f"allowed: up to {bounds[kind]:.6g} (a third of the way to normal, half the gap to the "
            "next limit)",
        )
