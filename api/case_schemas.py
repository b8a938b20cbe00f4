"""Warning cases as the api shows them: list, ladder, loop, journal."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas import ColourWord, Id, Instant, LevelWord
from domain.cases import CaseState, ClosingKind, DrillEnd, Duty


class Receipt(BaseModel):
    """The newest 签收 of one level."""

    level: LevelWord
    by: str
    at: Instant


class NoticeTry(BaseModel):
    """One look at a notice. held: in quiet hours; handed over: after a shift change, `error` says
    to whom."""

    at: Instant
    channel: str = Field(examples=["webhook"])
    outcome: str = Field(
        description="delivered, failed, given up, withdrawn, held or handed over",
        examples=["failed"],
    )
    error: str | None


class RungNotice(BaseModel):
    """A message of a rung. withdrawn: nobody needed it any more when its turn came."""

    person: str | None = Field(description="whom it is for; null: an address of the role")
    channel: str = Field(description="the first of the person's channels", examples=["webhook"])
    recipient: str = Field(
        description="of a web address the server only: the rest may be a secret",
        examples=["https://oa.example.com/…"],
    )
    created: Instant
    delivered: Instant | None
    failed: Instant | None
    withdrawn: Instant | None
    attempts: int
    error: str | None
    tries: list[NoticeTry] = Field(description="the newest 20 looks at it, in order")


class EndingNotice(RungNotice):
    """A message that belongs to no rung: the warning rose further, fell, or was closed, to whom a
    rise was told before; it was verified 核实, to those told 待核实; or hot work 动火 near gas.
    colour: of the source then."""

    event: Literal["risen", "fallen", "closed", "verified", "hot_work"]
    colour: ColourWord
    role: str = Field(examples=["PK"])
    role_name: str = Field(examples=["园区值班 park duty desk"])


class Rung(BaseModel):
    """A rung of the ladder 升级阶梯: a role that is told `after_s` seconds after a rise.

    duty: what has not been done by then: receive 签收, verify 核实, feedback 反馈, close 销警, or
    explain (another feedback, while red lasts). done: when it came to its outcome; by: who stopped
    it.
    """

    step: int
    role: str = Field(examples=["PK"])
    role_name: str = Field(examples=["园区值班 park duty desk"])
    level: LevelWord
    colour: ColourWord = Field(description="that the source rose to")
    after_s: float
    due: Instant
    done: Instant | None
    by: str | None
    outcome: Literal["waiting", "told", "received", "answered", "superseded", "withdrawn"]
    duty: Duty
    unnamed: bool = Field(description="nobody is named for the role; the log was told")
    notices: list[RungNotice]


class CaseFile(BaseModel):
    """A photograph or file of a feedback: GET /warnings/{id}/files/{file}."""

    id: Id
    name: str = Field(examples=["现场.jpg"])
    type: str = Field(examples=["image/jpeg"])
    size: int = Field(description="bytes")
    sha256: str


class Deed(BaseModel):
    """A step of the loop: by whom, when, for which level."""

    by: str
    at: Instant
    level: LevelWord
    comment: str | None


class FeedbackItem(BaseModel):
    """处置反馈 with its evidence. reading: what was measured; person: who was on the spot."""

    n: int = Field(description="the transition that it was")
    by: str
    at: Instant
    level: LevelWord
    colour: ColourWord = Field(description="of the source then")
    text: str
    reading: str
    person: str
    files: list[CaseFile]


class ClosingItem(BaseModel):
    """销警. second: who else closed it, where two persons have to; null: still to come."""

    kind: ClosingKind
    by: str
    at: Instant
    level: LevelWord
    reason: str | None
    second: str | None
    second_at: Instant | None


class Deadline(BaseModel):
    """What has to be done within how long of the last rise. done: null = not yet."""

    duty: Duty
    within_s: float
    due: Instant
    done: Instant | None


class LoopItem(BaseModel):
    """The loop 闭环 since the last rise.

    handled 处置; feedback 反馈: the newest, null once it is sent back; review 审核: the approval;
    closing 销警: decided, or proposed by the first of two persons; verified 核实: that the
    present red is so.
    """

    rose: Instant | None
    rose_to: ColourWord
    handled: Deed | None
    feedback: FeedbackItem | None
    review: Deed | None
    closing: ClosingItem | None
    verified: Deed | None
    gas_l2: bool = Field(description="gas at its second level was among the alarms")
    deadlines: list[Deadline]


class DrillItem(BaseModel):
    """A drill 演练: by whom and for which level it was ordered, until when. end: null while it goes
    on; real: broken off, for the source left blue in earnest."""

    colour: ColourWord = Field(description="that is supposed")
    by: str
    level: LevelWord
    until: Instant
    comment: str | None
    end: DrillEnd | None


class WarningItem(BaseModel):
    """A case: from where a source left blue until it is back there and the loop is complete."""

    id: Id
    number: int = Field(description="counts the cases of the source; its drills from -1 downwards")
    source: Id
    source_name: str = Field(examples=["液氨罐区"])
    enterprise: Id
    enterprise_name: str = Field(examples=["华东化工"])
    colour: ColourWord
    worst: ColourWord
    unknown: bool = Field(description="the source is not seen; the colour is held")
    state: CaseState
    opened: Instant
    closed: Instant | None
    released: Instant | None = Field(description="when a person gave the present red free")
    released_by: str | None
    sign_within_s: float | None = Field(description="of the colour, from a rise; null at blue")
    receipts: list[Receipt]
    alarms: list[Id]
    drill: DrillItem | None = Field(description="演练; null: the warning is real")
    loop: LoopItem
    ladder: list[Rung]


class CaseChange(BaseModel):
    """One transition of a case. before, colour: of the source, around it."""

    n: int
    at: Instant
    event: str = Field(examples=["rise"])
    source: CaseState = Field(alias="from")
    target: CaseState = Field(alias="to")
    before: ColourWord
    colour: ColourWord
    by: str | None
    comment: str | None


class WarningDetail(WarningItem):
    """One case with its journal.

    told: what went out beside its rungs, in order; that of its rungs is in `ladder`.
    overdue: what nobody has done in its time. feedback: all of it. receive_median_s: of the newest
    100 签收 of the enterprise, from the rise; receive_too_quick: so quick that nobody can have
    looked.
    """

    transitions: list[CaseChange]
    told: list[EndingNotice]
    overdue: list[Duty]
    feedback: list[FeedbackItem]
    receive_median_s: float | None
    receive_too_quick: bool
