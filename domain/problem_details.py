"""Errors of HTTP as `application/problem+json` (RFC 9457), whoever serves them."""

from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
BASE = "/problems/"


def problem_details(
    status: int, slug: str, detail: str, instance: str, **more: object
) -> dict[str, Any]:
    """The body of a problem. slug: its kind, a page below `BASE`; instance: this one occurrence;
    more: members beside those of the RFC."""
    return {
        "type": BASE + slug,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        **more,
    }
