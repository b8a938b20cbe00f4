"""Words that several answers share: instants, ids, samples."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field

from domain.quality import word
from storage.reading import Row

Id = Annotated[str, Field(description="opaque")]
Instant = Annotated[datetime, Field(description="RFC 3339 in UTC")]

_LOST_PLUS = re.compile(r" (\d\d:\d\d)$")


def _mend_offset(value: object) -> object:
    return _LOST_PLUS.sub(r"+\1", value) if isinstance(value, str) else value


# a `+` of an offset that was not escaped in a URL arrives as a blank
Moment = Annotated[AwareDatetime, BeforeValidator(_mend_offset)]


class Sample(BaseModel):
    """The newest sample of a tag by event time. value: null = none; quality: a plain word."""

    time: Instant
    received: Instant
    value: float | None
    quality: str

    @classmethod
    def of(cls, row: Row) -> "Sample | None":
        """From the columns time, received_at, value, quality; None where time is NULL."""
        if row["time"] is None:
            return None
        return cls(
            time=row["time"],
            received=row["received_at"],
            value=row["value"],
            quality=word(row["quality"]),
        )


def number_of(id: str | None) -> int | None:
    """The number behind an opaque id; one that was never given out is -1, which nothing has."""
    if id is None:
        return None
    return int(id) if id.isascii() and id.isdigit() and int(id) < 2**31 else -1
