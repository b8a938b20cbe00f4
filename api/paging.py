"""Cursors: the sort key of the last item, opaque to the client."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.problems import FieldError, Problem

T = TypeVar("T")
R = TypeVar("R")

Limit = Annotated[int, Query(ge=1, le=1000, description="items per page")]
Cursor = Annotated[
    str | None, Query(max_length=512, description="`next` of the page before; opaque")
]


class Page(BaseModel, Generic[T]):
    """A list. `next` is the cursor of the following page, null at the end."""

    items: list[T]
    next: str | None = None


def write_cursor(*key: object) -> str:
    """An opaque cursor for a sort key of texts, numbers, instants and ids."""
    return urlsafe_b64encode(json.dumps(key, default=str).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *types: Callable[[str], object]) -> tuple[object, ...] | None:
    """The sort key of a cursor, None for the first page; a mutilated one is a 422 problem."""
    if cursor is None:
        return None
    try:
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(kind(str(part)) for kind, part in zip(types, parts, strict=True))
    except (ValueError, TypeError):
        errors = [FieldError(parameter="cursor", detail="not a cursor of this list")]
        raise Problem(422, "cursor: not a cursor of this list", errors=errors) from None


def by_moment(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The key of lists that are sorted by an instant and an id."""
    key = read_cursor(cursor, datetime.fromisoformat, UUID)
    if key is None:
        return None
    moment, id = key
    assert isinstance(moment, datetime)
    assert isinstance(id, UUID)
    if moment.tzinfo is None:
        raise Problem(422, "cursor: not a cursor of this list")
    return moment, id


def by_id(cursor: str | None) -> int:
    """The key of lists that are sorted by a number; 0 stands before all of them."""
    key = read_cursor(cursor, int)
    return 0 if key is None else int(str(key[0]))


def page(
    rows: Sequence[R], limit: int, item: Callable[[R], T], key: Callable[[R], Sequence[object]]
) -> Page[T]:
    """A page of at most `limit` items from rows that were read with one more than that."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        items=[item(row) for row in shown],
        next=write_cursor(*key(shown[-1])) if more else None,
    )
