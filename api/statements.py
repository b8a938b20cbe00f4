"""Management inputs as people write them: one shape for each kind."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Id, Moment
from api.second_person import Second, SecondPassword
from domain.site import Mode

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]


class Exact(BaseModel):
    """Members that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid")


class Statement(Exact):
    """What every fact has. What it is said of: `node`, or for permits `tag`."""

    node: Id | None = None
    tag: Id | None = None
    since: Moment | None = Field(default=None, description="left out: now")
    until: Moment | None = None
    second: Second = None
    second_password: SecondPassword = None


class NoValue(Exact):
    """Nothing more is said."""


class Commitment(Statement):
    """安全承诺: made. until: when the next one has to be there."""

    kind: Literal["commitment"]
    until: Moment
    value: NoValue = NoValue()


class DutyValue(Exact):
    """Whose 包保 duty it is: 主要负责人, 技术负责人, 操作负责人."""

    role: Literal["main", "technical", "operation"]


class Duty(Statement):
    """包保履职: done. until: when the next one is due."""

    kind: Literal["duty"]
    until: Moment
    value: DutyValue


class HazardValue(Exact):
    """major: 重大隐患."""

    title: Text
    major: bool = False


class HiddenHazard(Statement):
    """隐患, found. until: by when it has to be put right; revoke it when that is done."""

    kind: Literal["hidden_hazard"]
    until: Moment
    value: HazardValue


class WorkValue(Exact):
    """Special work 特殊作业. position: longitude, latitude; near: what lies within 30 m of it."""

    work: Literal[
        "hot_work", "confined_space", "blind_plate", "work_at_height", "lifting",
        "temporary_electric", "excavation", "road_break",
    ]  # fmt: skip
    level: Literal["special", "1", "2"] | None = None
    position: tuple[Lon, Lat] | None = None
    holder: Text | None = None


class SpecialWork(Statement):
    """特殊作业 under a permit of the plant."""

    kind: Literal["special_work"]
    until: Moment
    value: WorkValue


class ModeValue(Exact):
    """The operating mode."""

    mode: Mode


class ModeOfUnit(Statement):
    """运行工况 of a unit; needs a second person."""

    kind: Literal["mode"]
    until: Moment
    value: ModeValue


class PermitValue(Exact):
    """What is done. zone: of all tags of a zone but gas and fire detectors, with `node`."""

    work: Literal["calibration", "maintenance", "out_of_service"]
    zone: str | None = Field(default=None, min_length=1, max_length=200)


class Permit(Statement):
    """许可: alarms that begin under it do not count."""

    kind: Literal["permit"]
    until: Moment
    value: PermitValue


class ManualValue(Exact):
    """What was seen."""

    what: Literal["field_report", "video"]
    event: Literal["flame", "smoke", "leak", "other"]
    text: Text


class Manual(Statement):
    """现场报告, or a confirmed video event 视频确认."""

    kind: Literal["manual"]
    value: ManualValue


class ColourValue(Exact):
    """The lowest colour from now on."""

    colour: Literal["yellow", "orange", "red"]


class ColourSet(Statement):
    """人工定级: may only raise; another officer takes it back."""

    kind: Literal["colour_set"]
    until: None = None
    value: ColourValue


class ReportValue(Exact):
    """Why there will be no data."""

    reason: Text


class OfflineReport(Statement):
    """离线报备, approved by the second person."""

    kind: Literal["offline_report"]
    until: Moment
    value: ReportValue


Said = Annotated[
    Commitment
    | Duty
    | HiddenHazard
    | SpecialWork
    | ModeOfUnit
    | Permit
    | Manual
    | ColourSet
    | OfflineReport,
    Field(discriminator="kind"),
]
