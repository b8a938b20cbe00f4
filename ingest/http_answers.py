"""What HTTP ingest answers once a message is in the database, and how OpenAPI tells of it."""

from typing import Any

from pydantic import BaseModel

from domain.problem_details import MEDIA_TYPE
from ingest.asked import Became
from ingest.batch import Quarantined
from ingest.decode import decode
from ingest.http_refusals import Refused, not_yours, unreadable
from ingest.message import Message
from ingest.rejection import Rejection

IGNORED = "bad_member"
"""Reason under which a member of the head was ignored; no value was lost by that."""


class NotTaken(BaseModel):
    """A value that was not taken, or (tag null) a whole sample, or a member that was ignored."""

    tag: str | None
    time: str | None
    reason: str
    detail: str


class Taken(BaseModel):
    """Everything below is in the database. stored: new; duplicate: was there with the same value;
    conflict: another value stands there, and stays; quarantined: not taken, and why;
    more_quarantined: how many beyond those listed. Of a message that is known by its boot and seq
    every value counts as duplicate."""

    stored: int
    duplicate: int
    conflict: int
    quarantined: list[NotTaken]
    more_quarantined: int


def told(became: Became, payload: bytes, place: str) -> dict[str, Any]:
    """A `Taken`; raises `Refused` for a message of which nothing could be read."""
    count = became.count
    if count.messages_repeated:
        return _taken(0, repeated_values(payload), 0, (), 0)
    if count.messages_quarantined:
        raise _unread(became.batch.quarantined[0], place)
    tally, listed = became.tally, became.batch.quarantined
    values = sum(one.reason != IGNORED for one in listed)
    more = count.values_quarantined - values
    return _taken(tally.stored, tally.duplicate, tally.conflict, listed, more)


def repeated_values(payload: bytes) -> int:
    """How many values a message had that came before."""
    message = decode(payload)
    if not isinstance(message, Message):
        return 0
    return len(message.names) + len(message.rejected) + message.more_rejected


def _taken(
    stored: int, duplicate: int, conflict: int, listed: tuple[Quarantined, ...], more: int
) -> dict[str, Any]:
    return {
        "stored": stored,
        "duplicate": duplicate,
        "conflict": conflict,
        "quarantined": [
            {"tag": one.tag, "time": one.time, "reason": one.reason, "detail": one.detail}
            for one in listed
        ],
        "more_quarantined": more,
    }


def _unread(one: Quarantined, place: str) -> Refused:
    if one.gateway is None:
        return not_yours(place)
    return unreadable(Rejection(one.reason, one.detail))


BODY = {
    "samples": [
        {
            "time": "2026-11-21T08:00:00Z",
            "values": {
                "LT-201": 71.3,
                "GD-21": {"value": 12.5, "quality": "uncertain", "unit": "ppm"},
                "XV-201": True,
            },
        }
    ],
    "boot": "2026-11-21T07:58:00Z",
    "seq": 4711,
    "sent": "2026-11-21T08:00:01.120Z",
}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "description": "The same as over MQTT, see docs/mqtt.md: JSON, plain, gzip or zstd (known by "
    "its first bytes; Content-Encoding may say so too), at most 1 MiB as it travels and 8 MiB "
    "unpacked. Content-Type is not looked at.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["samples"],
                "properties": {
                    "boot": {"type": "string", "maxLength": 64},
                    "seq": {"type": "integer", "minimum": 0},
                    "oldest": {"type": "integer", "minimum": 0},
                    "sent": {"type": ["string", "integer"]},
                    "historical": {"type": "boolean", "default": False},
                    "samples": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["time", "values"],
                            "properties": {
                                "time": {"type": ["string", "integer"]},
                                "values": {"type": "object"},
                            },
                        },
                    },
                },
            },
            "examples": {
                "least": {"value": {"samples": [{"time": 1795248001000, "values": {"LT-201": 7}}]}},
                "whole": {"value": BODY},
            },
        }
    },
}
_ONE_BAD = {
    "tag": "LT-9",
    "time": "2026-11-21T08:00:00Z",
    "reason": "unknown_tag",
    "detail": "tag 'LT-9' is not registered",
}
_EXAMPLES = {
    "stored": {"stored": 3, "duplicate": 0, "conflict": 0, "quarantined": []},
    "repeated": {"stored": 0, "duplicate": 3, "conflict": 0, "quarantined": []},
    "one bad value": {"stored": 2, "duplicate": 0, "conflict": 0, "quarantined": [_ONE_BAD]},
}
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
_RETRY = {"Retry-After": {"description": "whole seconds", "schema": {"type": "integer"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All of it is in the database, or listed as quarantined",
        "content": {
            "application/json": {
                "examples": {
                    name: {"value": {**value, "more_quarantined": 0}}
                    for name, value in _EXAMPLES.items()
                }
            }
        },
    },
    401: {"description": "No key or session that holds", "content": _PROBLEM},
    403: {"description": "It speaks for another gateway", "content": _PROBLEM},
    408: {"description": "The body came too slowly", "content": _PROBLEM},
    413: {"description": "Too large, or too many values: split it", "content": _PROBLEM},
    415: {"description": "A Content-Encoding that is not understood", "content": _PROBLEM},
    422: {"description": "Nothing of the body could be read", "content": _PROBLEM},
    429: {"description": "More than may be sent", "headers": _RETRY, "content": _PROBLEM},
    503: {
        "description": "It can't be made durable now: keep it, send it again",
        "headers": _RETRY,
        "content": _PROBLEM,
    },
}
