"""Words that several answers share: instants, ids, colours, levels, samples."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field

from api.problems import FieldError, Problem
from domain.cases import Level
from domain.quality import word
from domain.risk import Colour
from storage.reading import Row

Id = Annotated[str, Field(description="opaque")]
Instant = Annotated[datetime, Field(description="RFC 3339 in UTC")]
ColourWord = Annotated[
    Literal["blue", "yellow", "orange", "red"], Field(description="dynamic risk 动态风险, rising")
]
LevelWord = Annotated[
    Literal["enterprise", "park", "county", "city", "province", "fire"],
    Field(description="who answers for a warning"),
]

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


def colour_word(colour: int) -> str:
    """A stored colour as the wire has it."""
    return Colour(colour).name.lower()


def level_word(level: int) -> str:
    """A stored level as the wire has it."""
    return Level(level).name.lower()


def among(name: str, words: str | None, known: Collection[str]) -> tuple[str, ...] | None:
    """The words of a parameter, by commas; one that is not `known` is a 422 problem."""
    if words is None:
        return None
    given = tuple(words.split(","))
    strange = [word for word in given if word not in known]
    if strange:
        detail = f"{strange[0]!r} is none of {', '.join(sorted(known))}"
        raise Problem(422, f"{name}: {detail}", errors=[FieldError(parameter=name, detail=detail)])
    return given
