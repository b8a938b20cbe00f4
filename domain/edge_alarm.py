"""`EdgeAlarm`: an alarm that the plant itself 边缘端 reported, and when one is missed."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from domain import policy
from domain.alarms import Kind
from domain.instant import SECOND
from domain.plant import TagKind


@dataclass(frozen=True, slots=True)
class EdgeAlarm:
    """A message of a gateway's `alarm` topic about a registered tag.

    time, received: microseconds since 1970 UTC, by the gateway's clock and by ours. kind: LL, L, H
    or HH; None: something else. value, limit: in the tag's unit, None = not said. acknowledged, by,
    shelved, fault: as the plant says, None = not said.
    """

    gateway: int
    id: str
    tag: int
    kind: Kind | None
    active: bool
    time: int
    received: int
    value: float | None = None
    limit: float | None = None
    acknowledged: bool | None = None
    by: str | None = None
    shelved: bool | None = None
    fault: bool | None = None


@dataclass(frozen=True, slots=True)
class EdgePolicy:
    """When a missing report counts; microseconds, tolerance a share.

    over: how long a value must be beyond its limit. grace: what is waited at least after the centre
    knows. before: how much earlier the plant may have told. standing: how long an alarm that the
    plant did not end counts as told. sends: how long a gateway counts as one that sends alarms.
    tolerance: of the span, by which a set point may differ.
    """

    over: int
    grace: int
    before: int
    standing: int
    sends: int
    tolerance: float


@cache
def edge_policy() -> EdgePolicy:
    """The policy that is delivered: `data/edge_alarms.toml`, `over` as the alarm policy says."""
    text = files("domain").joinpath("data/edge_alarms.toml").read_text("utf-8")
    given = {name: entry["value"] for name, entry in tomllib.loads(text)["edge"].items()}
    over = policy.rule(TagKind.OTHER, Kind.UNDERREPORT).on_s
    return EdgePolicy(
        round(over * SECOND),
        round(given["grace"] * SECOND),
        round(given["before"] * SECOND),
        round(given["standing"] * 3600 * SECOND),
        round(given["sends"] * 86_400 * SECOND),
        given["tolerance"] / 100,
    )
