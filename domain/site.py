"""The site file: what an operator of hazwatch writes about parks, enterprises, sources and tags.

The shape is in `Site`; what must fit together is in `domain.site_rules`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from math import nan
from sys import intern
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, create_model

from domain import cas
from domain.alarms import Kind, Priority
from domain.document import Entry, read
from domain.explain import PATTERNS
from domain.gb18218_choice import Mixture
from domain.hazard_category import Categories
from domain.plant import Circumstance, OwnPolicy, Suppression, Tag, TagKind
from domain.site_rules import site_problems

_CODE = r"^[A-Za-z0-9._-]{1,64}$"
_NODE_KIND = r"^[a-z][a-z0-9_]{0,31}$"
_VOTE = r"^[1-9][0-9]?oo[1-9][0-9]?$"
_LONGEST_S = 86_400.0
PATTERNS |= {
    _CODE: "1 to 64 characters of A-Z a-z 0-9 . _ -",
    _NODE_KIND: "a small word such as province, city, county, park",
    _VOTE: "MooN such as 2oo3",
    cas.PATTERN: "a CAS number such as 7664-41-7",
}


def _printable(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise ValueError("allowed are printable characters, without blanks at the ends")
    return name


Code = Annotated[str, Field(pattern=_CODE)]
CasNumber = Annotated[str, Field(pattern=cas.PATTERN), AfterValidator(cas.cas_checked)]
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


NO_MODES: Mapping[str, Mapping[Kind, float]] = MappingProxyType({})
"""Of a tag without limits of its own in any mode."""


class Limits(Entry):
    """Alarm limits in the tag's unit. For gas tags H and HH are the set points AL and AH."""

    LL: float | None = None
    L: float | None = None
    H: float | None = None
    HH: float | None = None

    def by_kind(self) -> Mapping[Kind, float]:
        """The limits that are set."""
        return _one(tuple((Kind[name], value) for name, value in self if value is not None))


class ModeLimits(Limits):
    """Limits in an operating mode; what is left out is as in `limits`, `off` is no limit."""

    LL: float | Literal["off"] | None = None  # type: ignore[assignment] # wider: "off" is no limit
    L: float | Literal["off"] | None = None  # type: ignore[assignment] # wider: "off" is no limit
    H: float | Literal["off"] | None = None  # type: ignore[assignment] # wider: "off" is no limit
    HH: float | Literal["off"] | None = None  # type: ignore[assignment] # wider: "off" is no limit

    def by_kind(self) -> Mapping[Kind, float]:
        """The limits that are set; NaN where there is none in this mode."""
        said = {Kind[name]: value for name, value in self if value is not None}
        return {kind: nan if value == "off" else value for kind, value in said.items()}


class Priorities(Entry):
    """Priorities that differ from the alarm policy's."""

    LL: Priority | None = None
    L: Priority | None = None
    H: Priority | None = None
    HH: Priority | None = None
    ROC: Priority | None = None
    OFFLINE: Priority | None = None

    def by_kind(self) -> Mapping[Kind, Priority]:
        """The priorities that are set."""
        return _one(tuple((Kind[name], value) for name, value in self if value is not None))


class AlarmEntry(Entry):
    """What differs from the alarm policy for one kind of alarm of a tag."""

    latch: bool | None = None
    """kept after its condition has gone, until somebody resets it 锁存"""
    re_alarm_s: Annotated[float, Field(ge=60, le=_LONGEST_S)] | None = None
    """an acknowledged alarm that still holds is unacknowledged again after so many seconds"""
    auto_ack: bool | None = None
    """true: for the journal alone, nobody is called"""


class AlarmEntries(Entry):
    """Latching, re-alarm and automatic acknowledgement, by the kind of alarm."""

    LL: AlarmEntry | None = None
    L: AlarmEntry | None = None
    H: AlarmEntry | None = None
    HH: AlarmEntry | None = None
    ROC: AlarmEntry | None = None
    OFFLINE: AlarmEntry | None = None

    def by_kind(self) -> Mapping[Kind, OwnPolicy]:
        """What is set."""
        said = ((Kind[name], entry) for name, entry in self if entry is not None)
        own = ((kind, OwnPolicy(one.latch, one.re_alarm_s, one.auto_ack)) for kind, one in said)
        return _one(tuple(own))


LimitWord = Literal["LL", "L", "H", "HH"]


class SuppressionEntry(Entry):
    """A rule of suppression by design 设计抑制: consequences of a parent's alarm are not called."""

    STAND_INS: ClassVar[dict[str, Any]] = {
        "name": "stand-in",
        "parent": "stand-in",
        "kinds": ["L"],
    }

    name: Label
    """unique within the enterprise; what the list of what is suppressed shows"""
    parent: TagName
    """name of a tag of the enterprise, such as the trip of the pump"""
    parent_kinds: Annotated[tuple[LimitWord, ...], Field(min_length=1)] | None = None
    """which of the parent's alarms; left out: any limit"""
    kinds: Annotated[
        tuple[Literal["LL", "L", "H", "HH", "ROC", "PREDICT"], ...], Field(min_length=1)
    ]
    """which alarms of this tag; never P1"""
    hold_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """so many seconds longer than the parent's alarm holds"""

    def rule(self) -> Suppression:
        """The rule that this entry describes."""
        parents = (
            None if self.parent_kinds is None else tuple(Kind[one] for one in self.parent_kinds)
        )
        kinds = tuple(Kind[one] for one in self.kinds)
        return Suppression(self.name, self.parent, kinds, parents, self.hold_s)


@lru_cache(10_000)
def _one(items: tuple[tuple[Kind, Any], ...]) -> Mapping[Kind, Any]:
    """One mapping for all tags that say the same: there may be 100,000."""
    return dict(items)


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
    noise_check: bool | None = None
    """false where the noise of a healthy reading may grow"""
    sentinels: tuple[float, ...] | None = None
    """numbers that mean "no value", in the unit as sent; left out: the usual ones; []: none"""
    gas: Label | None = None
    """which gas a detector measures: CAS number or name"""
    limits_by_mode: dict[Mode, ModeLimits] = Field(default_factory=dict)
    """limits in an operating mode of the unit, instead of `limits`"""
    alarms: AlarmEntries = AlarmEntries()
    """latching, re-alarm and automatic acknowledgement that differ from the alarm policy's"""
    suppressed_by: tuple[SuppressionEntry, ...] = ()
    """rules by which a parent's alarm silences consequences of it"""

    def tag(
        self,
        id: int,
        version: int,
        enterprise: int,
        source: int,
        since: datetime,
        circumstances: frozenset[Circumstance] = frozenset(),
    ) -> Tag:
        """The registered tag that this entry describes, at a place of these circumstances."""
        return Tag(
            id=id,
            version=version,
            enterprise=enterprise,
            source=source,
            since=since,
            name=self.name,
            kind=self.kind,
            unit=intern(self.unit),
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
            noise_check=self.noise_check,
            gas=self.gas,
            sentinels=self.sentinels,
            limits_by_mode=NO_MODES
            if not self.limits_by_mode
            else {mode: own.by_kind() for mode, own in self.limits_by_mode.items()},
            alarms=self.alarms.by_kind(),
            suppressed_by=tuple(one.rule() for one in self.suppressed_by),
            circumstances=circumstances,
        )


_FlowNames = tuple[TagName, ...]
_Percent = Annotated[float, Field(ge=0, le=50)] | None


class Accuracy(Entry):
    """How far meters may be wrong without a finding; what is left out is of the data file."""

    reading_pct: _Percent = None
    """error of each flow meter, % of its reading"""
    span_pct: _Percent = None
    """error of each flow meter, % of its range"""
    threshold_m3: Positive | None = None
    """what may come and go by noise of the gauge, waves and late samples"""


Flows = create_model(
    "Flows",
    __base__=Accuracy,
    __doc__="Flow tags of a vessel, all that there are, and how far they may be wrong.",
    **{
        "in": (_FlowNames, Field((), description="names of tags of what flows in")),
        "out": (_FlowNames, Field((), description="names of tags of what flows out")),
    },  # type: ignore[call-overload]
)
"""`in` is a word of the language, so the model is put together."""


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
    """of the content; of a gas at its usual pressure and temperature"""
    position: Position | None = None
    liquefied_gas: bool | None = None
    """whether it holds a liquefied gas; left out: a pressure_tank and a sphere do"""
    shape: (
        Literal["vertical_cylinder", "horizontal_cylinder", "sphere", "gas_holder", "table"] | None
    ) = None
    """how volume follows from level; left out: it is proportional to it"""
    diameter_m: Positive | None = None
    """inner diameter"""
    length_m: Positive | None = None
    """of a horizontal cylinder: between the tangent lines of its heads"""
    heads: Literal["flat", "hemispherical", "elliptical", "torispherical"] | None = None
    """of a horizontal cylinder; elliptical 2:1, torispherical after GB/T 25198 THA; flat"""
    bottom: Literal["flat", "cone", "dish"] | None = None
    """of a vertical cylinder; flat"""
    bottom_m: Positive | None = None
    """how far the bottom of a vertical cylinder reaches below its shell, height_m"""
    table: tuple[tuple[float, float], ...] | None = None
    """strapping table: rows of [level in m, volume in m3], both rising"""
    level_tags: Annotated[tuple[TagName, ...], Field(min_length=1)] | None = None
    """level tags that count, the higher one at any time; left out: all of the equipment"""
    percent_of: Literal["safe_fill", "volume", "height"] | None = None
    """what 100 % of its level tags are: the safe fill (left out), the volume, the inner height"""
    gauge_zero_m: float | None = None
    """where the zero of its level tags lies above the lowest inner point"""
    displaced_m3: Positive | None = None
    """volume that internals or a floating roof take up below the level"""
    substance: Label | None = None
    """CAS number or name of one of the source's substances; left out: the only one"""
    design_t: Positive | None = None
    """largest designed amount in tonnes; left out: volume, fill limit and density"""
    density_per_k: float | None = None
    """by how much the density in t/m3 changes with each °C of temperature_tag"""
    density_at_c: float | None = None
    """temperature in °C that density_t_m3 holds for; 20"""
    temperature_tag: TagName | None = None
    """tag of the temperature of the content"""
    pressure_tag: TagName | None = None
    """tag of the gauge pressure of a gas"""
    molar_mass: Positive | None = None
    """of a gas, g/mol: its density follows from pressure_tag and temperature_tag"""
    flows: Flows | None = None
    """flow tags in and out, all there are: the balance with the level is watched"""


class Substance(Entry):
    """What is held there."""

    name: Label
    cas: CasNumber | None = None
    """CAS number with check digit"""
    design_t: Annotated[float, Field(ge=0)] | None = None
    """largest designed amount in tonnes"""
    category: Categories | None = None
    """hazard categories of GB 18218-2018, Table 2: W5.3, a list of them, or none"""
    table1_row: Annotated[int, Field(ge=1)] | None = None
    """row of GB 18218-2018, Table 1, where several fit"""
    mixture: Mixture | None = None
    """of a mixture: as_pure counts it as the substance that is named, own by its own category"""
    beta: Positive | None = None
    """factor β instead of that of the tables"""
    beta_source: Label | None = None
    """who says so, where beta is given"""


class Group(Entry):
    """Tags that belong together."""

    STAND_INS: ClassVar[dict[str, Any]] = {"code": "stand-in"}

    code: Code
    kind: Literal["vote", "pca", "redundant"] = "vote"
    """vote: M of N must agree; redundant: gauges of one quantity; pca: tags that move together"""
    vote: Annotated[str, Field(pattern=_VOTE)] | None = None
    """MooN such as 2oo3; of a group that votes"""
    level: Literal["LL", "L", "H", "HH"] | None = None
    """limit that the members vote on; left out: the one that most of them have, HH before H"""
    members: Annotated[tuple[TagName, ...], Field(min_length=1)]
    """names of tags of the enterprise"""

    @property
    def votes(self) -> tuple[int, int]:
        """(M, N); 1ooN where the group does not say."""
        m, n = re.split("oo", self.vote) if self.vote else ("1", str(len(self.members)))
        return int(m), int(n)


class Rule(Entry):
    """A written rule over several tags 组合规则; docs/rules-language.md describes the language."""

    STAND_INS: ClassVar[dict[str, Any]] = {"code": "stand-in", "name": "stand-in"}

    code: Code
    name: Label
    when: Annotated[str, Field(min_length=1, max_length=2000)]
    """what must hold, such as: LT-101 > H and valve("XV-101") == open"""
    for_s: Annotated[float, Field(ge=0, le=_LONGEST_S)] | None = None
    """how long it must hold"""
    off_s: Annotated[float, Field(ge=0, le=_LONGEST_S)] | None = None
    """how long it must not hold any more before the alarm ends"""
    priority: Priority | None = None
    """left out: the alarm policy's"""
    message: Label | None = None
    """what the operator is to do"""


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
    rules: tuple[Rule, ...] = ()


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
