"""The ladder 升级阶梯 of a source: which one it is, whom it tells, and when."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Guard
from api.problems import EXPLANATIONS, Problem
from api.schemas import ColourWord, Id, LevelWord, number_of
from domain.alarms import Priority
from domain.ladders import Ladders, shown
from storage.ladders import source_paths
from storage.reading import Reading
from storage.sessions import Scope
from storage.warnings_reading import source_to_act_on


class LadderRole(BaseModel):
    """A role of a ladder, and the level that its 签收 speaks for."""

    code: str = Field(examples=["PK"])
    name: str = Field(examples=["园区值班 park duty desk"])
    level: LevelWord


class LadderRung(BaseModel):
    """Roles, by code, that are told so many seconds after a rise without 签收."""

    after_s: float
    roles: list[str]


class LadderColour(BaseModel):
    """What a colour asks for; times in seconds after the rise, null: no such deadline."""

    colour: ColourWord
    at_once: list[str]
    later: list[LadderRung]
    sign_within_s: float
    feedback_within_s: float | None
    close_within_s: float | None
    verify_within_s: float | None


class LadderUnacknowledged(BaseModel):
    """Roles of the enterprise that hear of alarms of these priorities that the console leaves."""

    priorities: list[Priority]
    roles: list[str]


class LadderItem(BaseModel):
    """The ladder of a source, as the settings of the api name it."""

    source: Id
    node: str | None = Field(
        description="codes of the node that it is named for; null: the installation's default",
        examples=["bingtuan/division-8"],
    )
    version: str
    roles: list[LadderRole]
    colours: list[LadderColour]
    unacknowledged: LadderUnacknowledged | None = Field(description="null: nobody is told of them")


def ladder_routes(reading: Reading, guard: Guard, ladders: Ladders) -> APIRouter:
    """GET /sources/{id}/ladder."""
    router = APIRouter(tags=["warnings"])

    @router.get("/sources/{id}/ladder", operation_id="readLadder")
    async def ladder(id: str, scope: Annotated[Scope, Depends(guard.reader)]) -> LadderItem:
        """Who is told of a source's warnings, and when: the ladder of the nearest node above."""
        source = number_of(id) or -1
        if await source_to_act_on(reading, scope, source) is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        paths = await source_paths(reading, [source])
        node, found = ladders.nearest(paths.get(source, ()))
        named = None if node is None else "/".join(node)
        return LadderItem.model_validate({"source": id, "node": named, **shown(found)})

    return router
