"""Every error as `application/problem+json` (RFC 9457). `type` leads to a sentence about it."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.problem_details import MEDIA_TYPE, problem_details
from storage.database import DatabaseAway
from storage.reading import UnfitValue

log = structlog.get_logger(__name__)

EXPLANATIONS = {
    "bad-request": "The request could not be read.",
    "not-logged-in": "There is no session, or it has run out. POST /api/v1/session opens one.",
    "wrong-password": "No such user, or not this password. Which of the two is not told.",
    "csrf-header-missing": "Writes with the session cookie need the header X-Hazwatch: 1, "
    "which a foreign page cannot send. Programs use Authorization: Bearer instead.",
    "forbidden": "This person may not do that.",
    "not-found": "There is no such thing, or it lies outside of what this person may see.",
    "method-not-allowed": "The path exists, the method does not.",
    "conflict": "The present state does not allow it; the detail says why.",
    "too-large": "The body is larger than the limit.",
    "invalid": "A parameter or member is missing or wrong; `errors` names each.",
    "too-many-logins": "Too many failed logins of this name or from this address. Wait as long "
    "as Retry-After says.",
    "too-many-streams": "Too many live streams are open. Close one first.",
    "internal": "A mistake of hazwatch. Its log has the `instance`.",
    "database-away": "The database cannot be reached or is too slow. Nothing was changed; alarms "
    "go on by MQTT and notices. Repeat with the same Idempotency-Key.",
    "no-gateway-key": "Samples come with a key of their gateway (hazwatch gateway key add), or "
    "with the session of somebody who has the role enterprise there.",
    "not-your-gateway": "These credentials speak for another gateway, or there is no such one.",
    "too-many-failures": "Too many requests came without a key that holds. A key that holds is "
    "heard at once.",
    "too-slow": "The body did not come in time. Compress it, or split it.",
    "bad-coding": "The Content-Encoding is none of those that are understood.",
    "unreadable": "Nothing of the message could be read. It is kept: GET /api/v1/quarantine.",
    "over-quota": "An enterprise, or a gateway, sent more than it may. Nothing of this request was "
    "taken: wait as long as Retry-After says and send it again.",
    "not-durable": "Samples cannot be made durable now. Keep them and send them again: what is "
    "there already counts as duplicate.",
    "not-taking": "No worker takes samples here, or all it can. Nothing was taken: send it again.",
    "file-type": "The file is of a type that is not taken.",
    "not-ready": "A part that is needed is missing; `checks` says which.",
}
_BY_STATUS = {
    400: "bad-request",
    401: "not-logged-in",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    422: "invalid",
    503: "not-ready",
}


class FieldError(BaseModel):
    """One thing that is wrong: a JSON pointer into the body, or the name of a parameter."""

    pointer: str | None = None
    parameter: str | None = None
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] | None = None


class Problem(Exception):
    """An answer that is not what was asked for. `more` goes into the body beside the members."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        slug: str | None = None,
        headers: dict[str, str] | None = None,
        errors: list[FieldError] | None = None,
        **more: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.slug = slug or _BY_STATUS.get(status, "bad-request")
        self.headers = headers
        self.errors = errors
        self.more = more

    def response(self, instance: str) -> JSONResponse:
        """The answer; `instance` names this one occurrence."""
        body = problem_details(self.status, self.slug, self.detail, instance, **self.more)
        if self.errors is not None:
            body["errors"] = [error.model_dump(exclude_none=True) for error in self.errors]
        return JSONResponse(body, self.status, self.headers, media_type=MEDIA_TYPE)


def wrong(pointer: str, detail: str, status: int = 422) -> Problem:
    """A problem about one member of the body."""
    errors = [FieldError(pointer=pointer, detail=detail)]
    return Problem(status, f"{pointer}: {detail}", errors=errors)


def database_away() -> Problem:
    """The answer while the database cannot be reached."""
    return Problem(
        503,
        "The database is away; nothing was changed. Alarms go on without it.",
        slug="database-away",
        headers={"Retry-After": "5"},
    )


def instance_of(request: Request) -> str:
    """What names this request in the log and in a problem."""
    return f"urn:trace:{request.scope.get('trace_id', '0' * 32)}"


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""

    @app.exception_handler(Problem)
    async def told(request: Request, error: Problem) -> Response:
        return error.response(instance_of(request))

    @app.exception_handler(DatabaseAway)
    async def away(request: Request, _: DatabaseAway) -> Response:
        return database_away().response(instance_of(request))

    @app.exception_handler(UnfitValue)
    async def unfit(request: Request, error: UnfitValue) -> Response:
        errors = [FieldError(detail=str(error))]
        return Problem(422, str(error), errors=errors).response(instance_of(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [_field_error(one) for one in error.errors()]
        detail = "; ".join(f"{one.pointer or one.parameter}: {one.detail}" for one in errors)
        return Problem(422, detail, errors=errors).response(instance_of(request))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        detail = EXPLANATIONS.get(_BY_STATUS.get(error.status_code, ""), str(error.detail))
        headers = None if error.headers is None else dict(error.headers)
        return Problem(error.status_code, detail, headers=headers).response(instance_of(request))

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        log.error(
            "request failed",
            action="request_failed",
            instance=instance_of(request),
            path=request.url.path,
            exc_info=error,
        )
        return Problem(500, EXPLANATIONS["internal"], slug="internal").response(
            instance_of(request)
        )


def _field_error(error: dict[str, Any]) -> FieldError:
    place, *path = error["loc"]
    if place == "body":
        return FieldError(pointer="/" + "/".join(map(str, path)), detail=error["msg"])
    return FieldError(parameter="/".join(map(str, path)), detail=error["msg"])
