"""The loop 闭环 of a warning case: handling, feedback with files, review, closing."""

import asyncio
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.auth import Guard
from api.desk import Decision, Desk, Standing, spoken
from api.files import checked, disposition, read_bounded, tidy
from api.metrics import ApiMetrics
from api.options import ApiOptions
from api.problems import EXPLANATIONS, FieldError, Problem
from api.routes.actions import ACCEPTED, Key, Outcome, Signature, answered, decided
from api.schemas import Id
from domain.cases import ClosingKind
from domain.clock import Clock
from storage.case_files import FILES, NewFile, add_file, describe_files, read_file
from storage.reading import Reading
from storage.sessions import Scope
from storage.warnings_reading import case_to_act_on

UPLOADS = 4
"""So many files are taken in at once; others wait."""
BINARY = {"schema": {"type": "string", "format": "binary"}}


class Handling(Signature):
    """处置: who does what."""

    comment: str = Field(max_length=1000, examples=["带班李工带人去关阀"])


class FeedbackGiven(Signature):
    """处置反馈: at least one of the members, and something that was not said before."""

    comment: str | None = Field(
        default=None, max_length=4000, description="what was done", examples=["阀门已关闭"]
    )
    reading: str | None = Field(
        default=None, max_length=400, description="what was measured", examples=["GD-07 12 ppm"]
    )
    person: str | None = Field(
        default=None, max_length=200, description="who was on the spot", examples=["王班长"]
    )
    files: list[UUID] = Field(
        default=[], max_length=20, description="ids from POST /warnings/{id}/files"
    )


class Review(Signature):
    """审核: approve, or send back and say what is missing."""

    approve: bool


class Closing(Signature):
    """销警: what it was. A false alarm needs a comment: the reason."""

    kind: ClosingKind


class FileKept(BaseModel):
    """A file that feedback may name."""

    id: Id
    name: str
    type: str
    size: int
    sha256: str


def loop_routes(
    reading: Reading,
    desk: Desk,
    guard: Guard,
    clock: Clock,
    options: ApiOptions,
    metrics: ApiMetrics,
) -> APIRouter:
    """POST /warnings/{id}/handling, /feedback, /review, /closing, and the files of a case."""
    router = APIRouter(tags=["warnings"])
    shape: dict[str, Any] = {"response_model": Outcome, "responses": ACCEPTED}
    uploads = asyncio.Semaphore(UPLOADS)

    async def case(scope: Scope, decision: Decision) -> Standing:
        found = await case_to_act_on(reading, scope, decision.target)
        return spoken(scope, found, decision.level)

    async def taken(scope: Scope, decision: Decision) -> Response:
        return await answered(desk, metrics, scope, decision, case)

    @router.post("/warnings/{id}/handling", operation_id="handleWarning", **shape)
    async def handling(
        id: UUID, scope: Annotated[Scope, Depends(guard.writer)], said: Handling, key: Key = None
    ) -> Response:
        """处置: say who does what. After a 签收."""
        return await taken(scope, decided("handle", id, said, key))

    @router.post("/warnings/{id}/feedback", operation_id="feedBackWarning", **shape)
    async def feedback(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        said: FeedbackGiven,
        key: Key = None,
    ) -> Response:
        """反馈: what was done, with evidence. Empty or repeated feedback is refused: it would stop
        no clock."""
        if not (said.files or any(map(_says, (said.comment, said.reading, said.person)))):
            raise Problem(422, NOTHING)
        files = await describe_files(reading, scope, id, said.files)
        _all_there(said.files, [str(file["id"]) for file in files])
        detail = {"reading": said.reading or "", "person": said.person or "", "files": files}
        return await taken(scope, decided("feedback", id, said, key, detail))

    @router.post("/warnings/{id}/review", operation_id="reviewWarning", **shape)
    async def review(
        id: UUID, scope: Annotated[Scope, Depends(guard.writer)], said: Review, key: Key = None
    ) -> Response:
        """审核: another person than those who fed back approves, or sends back."""
        return await taken(scope, decided("review", id, said, key, {"approve": said.approve}))

    @router.post("/warnings/{id}/closing", operation_id="closeWarning", **shape)
    async def closing(
        id: UUID, scope: Annotated[Scope, Depends(guard.writer)], said: Closing, key: Key = None
    ) -> Response:
        """销警, after the review. Two persons have to say the same of what was red, and of gas at
        its second level. The case closes once its source is blue, too."""
        return await taken(scope, decided("close", id, said, key, {"kind": said.kind.value}))

    @router.post(
        "/warnings/{id}/files",
        operation_id="addWarningFile",
        status_code=201,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": dict.fromkeys(options.file_types, BINARY),
            }
        },
    )
    async def add(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        request: Request,
        name: Annotated[str, Query(max_length=200, description="what it is called")] = "file",
    ) -> FileKept:
        """Keep a photograph or file, for feedback that names it. The same content is kept once."""
        standing = spoken(scope, await case_to_act_on(reading, scope, id), None)
        async with uploads:
            content = await read_bounded(request, options.file_bytes)
            type = checked(content, request.headers.get("content-type"), options.file_types)
            digest = sha256(content).hexdigest()
            named = (uuid4(), id, standing.enterprise, tidy(name), type, digest, content)
            kept = await add_file(reading, NewFile(*named, scope.person, clock.now()))
        if kept is None:
            raise Problem(409, f"The warning has {FILES} files, and takes no more.")
        (row,) = await describe_files(reading, scope, id, [kept])
        return FileKept.model_validate(row)

    @router.get(
        "/warnings/{id}/files/{file}",
        operation_id="readWarningFile",
        response_class=Response,
        responses={200: {"content": dict.fromkeys(options.file_types, BINARY)}},
    )
    async def file(
        id: UUID, file: UUID, scope: Annotated[Scope, Depends(guard.reader)]
    ) -> Response:
        """A file, as a download."""
        found = await read_file(reading, scope, id, file)
        if found is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        headers = {"Content-Disposition": disposition(found["name"])}
        return Response(bytes(found["content"]), media_type=found["type"], headers=headers)

    return router


NOTHING = (
    "The feedback is empty and stops no clock: give a text, a file, a reading, or who was on the "
    "spot."
)


def _says(text: str | None) -> bool:
    return text is not None and any(sign.isalnum() for sign in text)


def _all_there(asked: list[UUID], found: list[str]) -> None:
    """A problem that names each file which the case does not have."""
    wrong = [
        FieldError(pointer=f"/files/{n}", detail="The warning has no such file.")
        for n, id in enumerate(asked)
        if str(id) not in found
    ]
    if wrong:
        raise Problem(422, "A file is named that was not sent for this warning.", errors=wrong)
