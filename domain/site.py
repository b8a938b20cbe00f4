"""The site file: what an operator of hazwatch writes about parks, enterprises, sources and tags.

The shape is in `Site`; what must fit together is in `domain.site_rules`.
"""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from domain.alarms import Kind, Priority
from domain.document import Entry, read
from domain.explain import PATTERNS
from domain.plant import Tag, TagKind
from domain.site_rules import site_problems

_CODE = r"^[A-Za-z0-9._-]{1,64}$"
_NODE_KIND = r"^[a-z][a-z0-9_]{0,31}$"
_VOTE = r"^[1-9][0-9]?oo[1-9][0-9]?$"
_CAS = r"^[0-9]{2,7}-[0-9]{2}-[0-9]$"
PATTERNS |= {
    _CODE: "1 to 64 characters of A-Z a-z 0-9 . _ -",
    _NODE_KIND: "a small word such as province, city, county, park",
    _VOTE: "MooN such as 2oo3",
    _CAS: "a CAS number such as 7664-41-7",
}


def _printable(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise ValueError("allowed are printable characters, without blanks at the ends")
    return name


def _cas_checked(cas: str) -> str:
    digits = cas.replace("-", "")
    expected = sum(n * int(digit) for n, digit in enumerate(reversed(digits[:-1]), 1)) % 10
    if int(digits[-1]) != expected:
        raise ValueError(f"the check digit must be {expected}; one of the digits is wrong")
    return cas


Code = Annotated[str, Field(pattern=_CODE)]
Label = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
TagName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_printable)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Position = tuple[Longitude, Latitude]
Span = tuple[float, float]
Seconds = Annotated[float, Field(ge=0)]
Interval = Annotated[float, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
Mode = Literal["run", "start_up", "shutdown", "empty", "turnaround"]
"""Operating modes of a unit (domain.md 4.5a)."""


class Limits(Entry):
    """Alarm limits in the tag's unit. For gas tags H and HH are the set points AL and AH."""

    LL: float | None = None
    L: float | None = None
    H: float | None = None
    HH: float | None = None

    def by_kind(self) -> dict[Kind, float]:
        """The limits that are set."""
        return {Kind[name]: value for name, value in self if value is not None}


class Priorities(Entry):
    """Priorities that differ from the alarm policy's."""

    LL: Priority | None = None
    L: Priority | None = None
    H: Priority | None = None
    HH: Priority | None = None
    ROC: Priority | None = None
    OFFLINE: Priority | None = None

    def by_kind(self) -> dict[Kind, Priority]:
        """The priorities that are set."""
        return {Kind[name]: value for name, value in self if value is not None}


class TagEntry(Entry):
    """A tag 位号. What is left out follows the alarm policy of its kind."""

    STAND_INS: ClassVar[dict[str, Any]] = {"name": "stand-in", "kind": "other"}

    name: TagName
    """unique within the enterprise; as the gateway sends it"""
    kind: TagKind
    """what it measures"""
    unit: str = Field("", max_length=32)
    """unit of value, range, limits, deadband, normal"""
    range: Span | None = None
    """measuring range [lowest, highest]"""
    limits: Limits = Limits()
    deadband: Annotated[float, Field(ge=0)] | None = None
    """how far a value must come back from a limit, in the unit"""
    delay_on_s: Seconds | None = None
    """how long a value must stay beyond a limit"""
    delay_off_s: Seconds | None = None
    """how long a value must stay back before the alarm ends"""
    rate_per_min: Positive | None = None
    """rate-of-change limit, in the unit per minute"""
    rate_window_s: Positive | None = None
    """over which the rate is taken"""
    interval_s: Interval = 30.0
    """how often the gateway sends it"""
    max_silence_s: Positive | None = None
    """for tags that report by exception: longest silence of a healthy tag"""
    normal: Span | None = None
    """band of normal operation [lowest, highest]"""
    safety_critical: bool = False
    zone: Label | None = None
    equipment: Code | None = None
    """code of an equipment of the same source"""
    position: Position | None = None
    """longitude, latitude"""
    priorities: Priorities = Priorities()
    action_min: Positive | None = None
    """minutes that an operator needs to act before a limit is reached"""
    fill_target: float | None = None
    """where a normal filling stops, in the unit; no forecast beyond it"""
    report_deadband: Annotated[float, Field(ge=0)] | None = None
    """for tags that report by exception: changes up to this are not sent, in the unit"""
    resolution: Positive | None = None
    """smallest step of the reading, in the unit"""
    frozen_check: bool | None = None
    """false where a healthy reading may stand still"""
    limits_by_mode: dict[Mode, Limits] = Field(default_factory=dict)
    """limits in an operating mode of the unit, instead of `limits`"""

    def tag(self, id: int, version: int, enterprise: int, source: int, since: datetime) -> Tag:
        """The registered tag that this entry describes."""
        return Tag(
            id=id,
            version=version,
            enterprise=enterprise,
            source=source,
            since=since,
            name=self.name,
            kind=self.kind,
            unit=self.unit,
            range=self.range,
            limits=self.limits.by_kind(),
            deadband=self.deadband,
            delay_on_s=self.delay_on_s,
            delay_off_s=self.delay_off_s,
            rate_per_min=self.rate_per_min,
            rate_window_s=self.rate_window_s,
            interval_s=self.interval_s,
            max_silence_s=self.max_silence_s,
            normal=self.normal,
            safety_critical=self.safety_critical,
            priorities=self.priorities.by_kind(),
            equipment=self.equipment,
            zone=self.zone,
            position=self.position,
            action_min=self.action_min,
            fill_target=self.fill_target,
            report_deadband=self.report_deadband,
            resolution=self.resolution,
            frozen_check=self.frozen_check,
            limits_by_mode={mode: own.by_kind() for mode, own in self.limits_by_mode.items()},
        )


class Equipment(Entry):
    """A vessel or machine of a source."""

    code: Code
    kind: Annotated[str, Field(pattern=_NODE_KIND)]
    """such as pressure_tank, atmospheric_tank, reactor"""
    name: Label | None = None
    volume_m3: Positive | None = None
    height_m: Positive | None = None
    fill_limit: Annotated[float, Field(gt=0, le=1)] | None = None
    """safe fill as a share of the volume, 0 to 1"""
    density_t_m3: Positive | None = None
    position: Position | None = None


class Substance(Entry):
    """What is held there."""

    name: Label
    cas: Annotated[str, Field(pattern=_CAS), AfterValidator(_cas_checked)] | None = None
    """CAS number with check digit"""
    design_t: Annotated[float, Field(ge=0)] | None = None
    """largest designed amount in tonnes"""


class Group(Entry):
    """Detectors that vote: M of N members."""

    code: Code
    vote: Annotated[str, Field(pattern=_VOTE)]
    """MooN such as 2oo3"""
    members: Annotated[tuple[TagName, ...], Field(min_length=1)]
    """names of tags of the enterprise"""

    @property
    def votes(self) -> tuple[int, int]:
        """(M, N)."""
        m, n = re.split("oo", self.vote)
        return int(m), int(n)


class Source(Entry):
    """A major hazard source 重大危险源."""

    STAND_INS: ClassVar[dict[str, Any]] = {
        "code": "stand-in",
        "name": "stand-in",
        "kind": "storage",
    }

    code: Code
    kind: Literal["production", "storage"]
    """production or storage unit of GB 18218"""
    name: Label
    position: Position | None = None
    grade: Annotated[int, Field(ge=1, le=4)] | None = None
    """registered grade of GB 18218, 1 (一级) to 4 (四级); left out: no major hazard source"""
    substances: tuple[Substance, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    tags: tuple[TagEntry, ...] = ()
    groups: tuple[Group, ...] = ()


class Enterprise(Entry):
    """An enterprise in a park."""

    STAND_INS: ClassVar[dict[str, Any]] = {
        "code": "stand-in",
        "name": "stand-in",
        "park": "stand-in",
        "gateways": ["stand-in"],
    }

    code: Code
    park: Code
    """code of a park of the tree"""
    name: Label
    gateways: Annotated[tuple[Code, ...], Field(min_length=1)]
    """codes of the gateways that may send its tags"""
    boundary: tuple[Position, ...] | None = None
    """factory boundary, a ring of [longitude, latitude]"""
    population_500m: Annotated[int, Field(ge=0)] | None = None
    """people living within 500 m outside the boundary"""
    position: Position | None = None
    sources: tuple[Source, ...] = ()


class Area(Entry):
    """A node of the tree above the enterprises: province, city, county, 兵团, 师, park …"""

    STAND_INS: ClassVar[dict[str, Any]] = {"code": "stand-in", "name": "stand-in", "kind": "area"}

    code: Code
    kind: Annotated[str, Field(pattern=_NODE_KIND)]
    """province, city, county, park or another small word; enterprises stand in a park"""
    name: Label
    position: Position | None = None
    children: tuple["Area", ...] = ()


class Site(Entry):
    """Everything that one site file says."""

    STAND_INS: ClassVar[dict[str, Any]] = {"version": 1}

    version: Literal[1]
    """version of the file format: 1"""
    tree: Annotated[tuple[Area, ...], Field(min_length=1)]
    """typed nodes down to the parks"""
    enterprises: tuple[Enterprise, ...] = ()


def read_site(text: str) -> Site:
    """The site that a YAML text describes; raises `domain.problem.DocumentError`."""
    return read(text, Site, site_problems)
