"""The replay map: how a recorded table becomes the samples of an enterprise's gateway."""

import codecs
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from domain.document import Entry, read
from domain.explain import shown, suggestion
from domain.problem import Loc
from domain.site import Area, Code, Enterprise, Positive, Site, Source, TagEntry, TagName
from domain.site_rules import unique
from domain.tag_rules import tag_problems

FORMATS = ("iso", "epoch_s", "epoch_ms")
"""Ways to write an instant; anything else is a strptime pattern."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone; allowed: names such as Asia/Shanghai, UTC") from error
    return name


def known_encoding(name: str) -> str:
    """The name, where it is an encoding."""
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError("is no encoding; allowed: names such as utf-8, gb18030") from error
    return name


def separates(text: str) -> str:
    """The text, where it can separate cells."""
    if text not in ("whitespace", "tab") and (len(text) != 1 or text in '"\r\n'):
        raise ValueError("allowed: one character, tab or whitespace")
    return text


Column = Annotated[
    str,
    BeforeValidator(
        lambda value: str(value) if type(value) is int else value, json_schema_input_type=str | int
    ),
]
Zone = Annotated[str, AfterValidator(_known_zone)]


class RowTime(Entry):
    """When a row was: read from a column, or counted from a start."""

    column: Column | None = None
    """name of the column, its number where there is no header"""
    format: Annotated[str, Field(min_length=1)] | None = None
    """iso, epoch_s, epoch_ms or a strptime pattern"""
    timezone: Zone | None = None
    """of times that are written without an offset"""
    start: datetime | None = None
    """time of the first row, where no column tells"""
    step_s: Positive | None = None
    """seconds from row to row, where no column tells"""


class MapTag(TagEntry):
    """A tag that a column becomes."""

    action_min: Positive | None = None
    """minutes that an operator needs to act on its warning"""


class MapGroup(Entry):
    """Tags that are judged together."""

    members: Annotated[tuple[TagName, ...], Field(min_length=1)]
    """names of tags of the map"""
    kind: Literal["any", "pca"]
    """any: one of them; pca: their principal components"""


class Training(Entry):
    """What may be learnt from."""

    until: datetime
    """rows before this instant"""


class ReplayMap(Entry):
    """Everything that one replay map says."""

    time: RowTime
    """how to know when a row was"""
    separator: Annotated[str, AfterValidator(separates)] = ","
    """one character, tab or whitespace"""
    header: bool = True
    """false: the keys of tags are column numbers from 1"""
    transposed: bool = False
    """rows and columns are exchanged: each line is one tag"""
    encoding: Annotated[str, AfterValidator(known_encoding)] = "utf-8"
    park: Code
    enterprise: Code
    gateway: Code
    tags: Annotated[dict[str, MapTag], Field(min_length=1)]
    """column → tag"""
    groups: dict[str, MapGroup] = Field(default_factory=dict)
    train: Training | None = None

    def site(self) -> Site:
        """A site with just the park, the enterprise and the tags of this map."""
        source = Source(
            code="recording",
            kind="production",
            name="Recording",
            tags=tuple(self.tags.values()),
        )
        enterprise = Enterprise(
            code=self.enterprise,
            park=self.park,
            name=self.enterprise,
            gateways=(self.gateway,),
            sources=(source,),
        )
        tree = (Area(code=self.park, kind="park", name=self.park),)
        return Site(version=1, tree=tree, enterprises=(enterprise,))


class Timed(Protocol):
    """A map, as far as times are concerned."""

    @property
    def time(self) -> RowTime:
        """How to know when a row was."""

    @property
    def header(self) -> bool:
        """Whether columns have names."""


def read_map(text: str) -> ReplayMap:
    """The replay map that a YAML text describes; raises `domain.problem.DocumentError`."""
    return read(text, ReplayMap, map_problems)


def map_problems(plan: ReplayMap, absent: frozenset[str]) -> Iterator[tuple[Loc, str]]:
    """Everything in a replay map that does not fit together."""
    yield from time_problems(plan)
    for key, tag in plan.tags.items():
        yield from tag_problems(tag, ("tags", key))
        if not plan.header and not column_number(key):
            yield ("tags", key), "without a header keys are column numbers; allowed: 1, 2, 3 …"
    yield from unique(((("tags", key, "name"), tag.name) for key, tag in plan.tags.items()), "tags")
    known = [tag.name for tag in plan.tags.values()]
    for code, group in plan.groups.items():
        for i, name in enumerate(group.members):
            if name not in known and name not in absent:
                hint = suggestion(name, known)
                yield ("groups", code, "members", i), f"no tag {shown(name)} in this map{hint}"


def time_problems(plan: Timed) -> Iterator[tuple[Loc, str]]:
    """What does not fit together in how a map tells the times."""
    time = plan.time
    counted = time.start is not None and time.step_s is not None
    told = time.column is not None and time.format is not None
    if counted == told or (counted and (time.column or time.format)):
        yield ("time",), "allowed: either column and format, or start and step_s"
        return
    if time.start is not None and time.start.tzinfo is None and time.timezone is None:
        yield ("time", "start"), "has no offset; write it with Z or +08:00, or give a timezone"
    if time.column is not None and not plan.header and not column_number(time.column):
        yield ("time", "column"), "without a header it is a column number; allowed: 1, 2, 3 …"
    if time.format is not None and time.format not in FORMATS:
        if "%" not in time.format:
            yield (
                ("time", "format"),
                f"{shown(time.format)} is unknown{suggestion(time.format, FORMATS)}",
            )
        elif "%z" not in time.format and time.timezone is None:
            yield ("time",), "the pattern has no %z; give the timezone in which times are written"


def column_number(key: str) -> bool:
    """Whether a key can be the number of a column, from 1."""
    return key.isascii() and key.isdigit() and int(key) > 0
