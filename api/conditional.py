"""Answers that a client need not fetch twice: ETag and 304 Not Modified (RFC 9110)."""

from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response


def conditional(
    request: Request, body: bytes, media_type: str, modified: datetime | None = None
) -> Response:
    """`body` under a strong ETag, or 304 where the client has just that. modified: UTC, for
    Last-Modified; it is told, and not compared: a second has room for two changes."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if modified is not None:
        headers["Last-Modified"] = format_datetime(modified.replace(microsecond=0), usegmt=True)
    if _has(request.headers.get("If-None-Match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _has(said: str | None, tag: str) -> bool:
    """Whether If-None-Match names the tag; weak comparison, as the RFC wants it here."""
    if said is None:
        return False
    known = [one.strip().removeprefix("W/") for one in said.split(",")]
    return tag in known or known == ["*"]
