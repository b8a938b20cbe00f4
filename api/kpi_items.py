"""KPIs of operator positions as the wire has them; docs/kpi.md says how they are counted."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas import Id, Instant

Desk = Literal["enterprise", "park", "county", "city", "province"]
Priority = Literal["P1", "P2", "P3", "P4"]


class Rates(BaseModel):
    """Annunciated alarms: means, most in a local day, hour, 10 min; shares of busy ones."""

    per_day: float | None
    per_hour: float | None
    per_10_min: float | None
    max_day: int
    max_hour: int
    max_10_min: int
    busy_hours: float | None = Field(description="share of hours with more than 30")
    busy_10_min: float | None = Field(description="share of 10 min with more than 10")


class Floods(BaseModel):
    """Alarm floods 报警泛滥: 10 in 10 min until fewer than 5."""

    number: int
    share: float | None = Field(description="of the period")
    seconds: float
    longest_s: float
    worst_upset: int = Field(description="most alarms in the first ten minutes of one")
    upset: str | None = Field(description="EEMUA 191 class of that")


class Subject(BaseModel):
    """An alarm. kind: null where the subject is the warning of a source."""

    kind: str | None = Field(examples=["HH"])
    name: str = Field(examples=["LT-201"])
    place: str
    tag: Id | None
    node: Id


class OffDelay(BaseModel):
    """So many seconds longer than it was, an off-delay 关断延时 would have joined so many of the
    noisy activations to the one before."""

    longer_s: int
    joined: int


class OnDelay(BaseModel):
    """So many seconds longer than it was, an on-delay 开启延时 would have dropped so many of the
    noisy activations. Never told of P1, HH, LL, gas, oxygen and fire."""

    longer_s: int
    dropped: int


class Advice(BaseModel):
    """What would have calmed an alarm, counted from the journal; each delay by itself."""

    noisy: int = Field(description="activations that chattered or were fleeting")
    off_delay: OffDelay | None
    on_delay: OnDelay | None


class Actor(Subject):
    """A bad actor 频发报警."""

    count: int
    share: float
    advice: Advice | None


class Chatterer(Subject):
    """An alarm that chattered 抖动报警."""

    spells: int
    activations: int
    advice: Advice | None


class Times(BaseModel):
    """How long it took; null: it was never done. open: not done yet."""

    number: int
    open: int
    p50_s: float | None
    p90_s: float | None


class Share(BaseModel):
    """What was done of what was due; null: nothing was."""

    of: int
    done: int
    share: float | None


class Loop(BaseModel):
    """签收率 (signed), 处置率 (disposed), each with 及时率 (in time)."""

    rises: int
    signed: Share
    signed_in_time: Share
    disposed: Share
    disposed_in_time: Share
    receive: Times
    feedback: Times
    close: Times
    too_fast: bool = Field(description="a finding: the median 签收 is too fast to be read")


class Warnings(BaseModel):
    """Warnings 预警 of the period."""

    cases: int = Field(description="opened in the period")
    all: Loop
    by_colour: dict[Literal["yellow", "orange", "red"], Loop]
    by_level: dict[str, Loop]


class Verdict(BaseModel):
    """A KPI beside its target. met: null where there is nothing to judge."""

    kpi: str
    value: float | None
    target: float
    limit: float | None
    unit: str
    met: bool | None


class Chart(BaseModel):
    """Annunciated alarms in equal steps."""

    step_s: int
    times: list[Instant]
    counts: list[int]


class HeatRow(BaseModel):
    """A local day by the hours on the wall; null: outside the period."""

    day: str = Field(examples=["2026-11-21"])
    hours: list[int | None]


class Position(BaseModel):
    """One operator position. from, to: what of the period has data."""

    id: Id
    code: str
    name: str
    from_: Instant = Field(alias="from")
    to: Instant
    days: float
    enough_data: bool = Field(description="30 days or more; with less it says little")
    annunciated: int
    muted: int = Field(description="activations that were shelved, suppressed or out of service")
    eemua_191: str | None
    rates: Rates
    floods: Floods
    top: list[Actor]
    top_share: float | None
    chattering: list[Chatterer]
    fleeting: int
    stale_on_a_day: int
    stale_at_end: int
    priorities: dict[Priority, int]
    shares: dict[Priority, float | None]
    unauthorised: int
    acknowledge: dict[str, Times] = Field(description="all, P1 … P4")
    close: dict[str, Times]
    targets: list[Verdict]
    warnings: Warnings
    chart: Chart | None = Field(description="null where there is more than one position")
    heat: list[HeatRow] | None = Field(description="the newest 31 days; null as `chart`")


class KpiReport(BaseModel):
    """KPIs of every position at one level."""

    desk: Desk
    from_: Instant = Field(alias="from")
    to: Instant
    timezone: str = Field(examples=["Asia/Shanghai"])
    version: str = Field(description="of the targets")
    positions: list[Position]
