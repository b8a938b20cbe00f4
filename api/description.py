"""The OpenAPI description: what FastAPI finds, with problems as the answer to every error."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import ProblemBody
from domain.problem_details import MEDIA_TYPE

API_VERSION = "1.0.0"
"""Of the contract, not of hazwatch: the first number is the one of the path."""
_REF = "#/components/schemas/{model}"
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemBody")}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _PROBLEM}
    for status, text in {
        "4XX": "What is wrong with the request (RFC 9457)",
        "422": "A parameter or member is missing or wrong; `errors` names each",
        "503": "The database is away",
    }.items()
}


def install(app: FastAPI) -> None:
    """Let the application describe itself so."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = described(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def described(app: FastAPI) -> dict[str, Any]:
    """The whole description."""
    description = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
    )
    problem = ProblemBody.model_json_schema(ref_template=_REF)
    schemas = description["components"]["schemas"]
    schemas |= problem.pop("$defs")
    schemas["ProblemBody"] = problem
    return description
