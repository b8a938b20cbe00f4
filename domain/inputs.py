"""Management inputs: what people say of a plant that no sensor does, as dated facts.

A fact is never changed. It ends at `until`, or when somebody revokes it; the row stays. What may
quieten something (permits, modes) begins when it is recorded, never earlier.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class InputKind(StrEnum):
    """What is said.

    | kind           | of                     | value                       | since, until         |
    |----------------|------------------------|-----------------------------|----------------------|
    | commitment     | enterprise or source   |                             | made; next is due    |
    | duty           | source                 | role                        | done; next is due    |
    | hidden_hazard  | source                 | title; major: true or false | found; deadline      |
    | special_work   | source                 | work; level; position       | lasts                |
    | mode           | source or equipment    | mode                        | lasts                |
    | permit         | tag; or zone of source | work; zone                  | is open              |
    | manual         | source                 | what; event; text           | lasts                |
    | colour_set     | source                 | colour                      | lasts until revoked  |
    | offline_report | enterprise or source   | reason                      | lasts                |
    """

    COMMITMENT = "commitment"
    """安全承诺"""
    DUTY = "duty"
    """包保履职"""
    HIDDEN_HAZARD = "hidden_hazard"
    """隐患"""
    SPECIAL_WORK = "special_work"
    """特殊作业"""
    MODE = "mode"
    """运行工况"""
    PERMIT = "permit"
    """标定、检修、停用许可"""
    MANUAL = "manual"
    """现场报告、视频确认"""
    COLOUR_SET = "colour_set"
    """人工定级"""
    OFFLINE_REPORT = "offline_report"
    """离线报备"""


@dataclass(frozen=True, slots=True)
class Input:
    """One fact. node: what it is said of; tag: where it is said of a tag, then node is its source.

    since, until: as the table of `InputKind` says, None = no end. who: who says so; second: the
    second person, where one is asked for. recorded: when it was written down. revoked: when
    somebody ended it, who that was, and why.
    """

    id: UUID
    kind: InputKind
    enterprise: int
    node: int
    tag: int | None
    since: datetime
    until: datetime | None
    value: Mapping[str, object] = field(hash=False)
    who: str
    recorded: datetime
    second: str | None = None
    revoked: datetime | None = None
    revoked_by: str | None = None
    reason: str = ""

    @property
    def begin(self) -> datetime:
        """From when it can quieten anything: not before it was recorded."""
        return max(self.since, self.recorded)

    @property
    def end(self) -> datetime | None:
        """When it ended or will end; None = it does not."""
        ends = [when for when in (self.until, self.revoked) if when is not None]
        return min(ends, default=None)

    def holds(self, at: datetime) -> bool:
        """Whether it is in force."""
        return self.begin <= at and (self.end is None or at < self.end)


def modes(inputs: Iterable[Input], at: datetime) -> dict[int, str]:
    """The declared operating mode of each node that has one: of those in force the one that was
    recorded last. Values are those of `domain.site.Mode`."""
    return {node: str(one.value["mode"]) for node, one in declared(inputs, at).items()}


def declared(inputs: Iterable[Input], at: datetime) -> dict[int, Input]:
    """The input behind each mode of `modes`."""
    found: dict[int, Input] = {}
    for one in sorted(inputs, key=lambda one: (one.recorded, one.id)):
        if one.kind is InputKind.MODE and one.holds(at):
            found[one.node] = one
    return found
