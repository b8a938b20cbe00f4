"""Files that people send: how large, of which type, and what to call them on the way out."""

import asyncio
import re
from urllib.parse import quote

from starlette.requests import Request

from api.problems import EXPLANATIONS, Problem

WITHIN_S = 60.0
"""A file has to be here within so long."""
PATH = re.compile(r"/api/v1/warnings/[^/]+/files")
"""Where files are sent to."""
_BEGINNINGS = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "image/heic": re.compile(rb"....ftyp(heic|heix|mif1|msf1)", re.DOTALL),
    "application/pdf": re.compile(rb"%PDF-"),
}
TYPES = tuple(_BEGINNINGS)
"""Media types that are known by how their content begins."""


def type_of(content: bytes) -> str | None:
    """The media type that the content has, whatever its sender calls it; None if it is unknown."""
    return next((type for type, begins in _BEGINNINGS.items() if begins.match(content)), None)


async def read_bounded(request: Request, most: int) -> bytes:
    """The body, if it is at most `most` bytes and comes in time; else a problem."""
    content = bytearray()
    try:
        async with asyncio.timeout(WITHIN_S):
            async for piece in request.stream():
                content += piece
                if len(content) > most:
                    raise Problem(413, f"{EXPLANATIONS['too-large']} Here: {most} bytes.")
    except TimeoutError:
        raise Problem(408, EXPLANATIONS["too-slow"], slug="too-slow") from None
    return bytes(content)


def checked(content: bytes, said: str | None, allowed: tuple[str, ...]) -> str:
    """The type of a file; a problem where it is empty, not allowed, or not what it is said to
    be."""
    if not content:
        raise Problem(422, "The file is empty.")
    found = type_of(content)
    if found is None or found not in allowed:
        raise Problem(
            415, f"{EXPLANATIONS['file-type']} Here: {', '.join(allowed)}.", slug="file-type"
        )
    claimed = (said or found).partition(";")[0].strip().lower()
    if claimed not in (found, "application/octet-stream"):
        detail = f"The Content-Type says {claimed}, the content is {found}."
        raise Problem(415, detail, slug="file-type")
    return found


def tidy(name: str) -> str:
    """A file name without folders and signs that no name needs; "file" if nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(sign for sign in last if sign.isprintable() and sign not in '"<>|:*?;')
    return kept.strip(" .")[-120:] or "file"


def disposition(name: str) -> str:
    """Content-Disposition for a download (RFC 6266): never shown inside a page."""
    plain = "".join(sign if sign.isascii() else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
