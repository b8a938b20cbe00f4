"""The import map: how a table of history becomes samples of registered tags.

It reads every replay map (`domain.replay_map`). What the registry knows may be left out here, and
long tables, of one value a row, can be described too.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from domain.document import Entry, read
from domain.problem import Loc
from domain.replay_map import (
    Column,
    MapGroup,
    MapTag,
    RowTime,
    Training,
    column_number,
    known_encoding,
    separates,
    time_problems,
)
from domain.site import Code, TagName
from domain.site_rules import unique

OF_THE_SITE = frozenset(MapTag.model_fields) - {"name", "unit"}
"""Members of a replay map's tag that the registry knows better."""


def _short(value: Any) -> Any:
    """`LT-1` for `{name: LT-1}`; what only a replay needs is left out."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict):
        return {key: said for key, said in value.items() if key not in OF_THE_SITE}
    return value


class ImportTime(RowTime):
    """When a row was."""

    twice: Literal["refuse", "first", "second"] = "refuse"
    """which one is meant where clocks were put back and an hour came twice"""


class ImportTag(Entry):
    """The registered tag that a column is."""

    name: TagName
    unit: Annotated[str, Field(max_length=32)] | None = None
    """of the values in the file, where it is not the registered one"""


class LongTable(Entry):
    """Columns of a table that has one value in each row."""

    tag: Column
    """column with the name of the tag"""
    value: Column
    quality: Column | None = None
    """good, uncertain, bad … or an OPC quality 0 to 255"""
    unit: Column | None = None


class ImportMap(Entry):
    """Everything that one import map says."""

    time: ImportTime
    """how to know when a row was"""
    long: LongTable | None = None
    """for one value a row; left out: one column for each tag"""
    separator: Annotated[str, AfterValidator(separates)] = ","
    """one character, tab or whitespace"""
    header: bool = True
    """false: columns are numbers from 1"""
    transposed: bool = False
    """rows and columns are exchanged: each line is one tag; small tables only"""
    encoding: Annotated[str, AfterValidator(known_encoding)] = "utf-8"
    empty: tuple[str, ...] = ()
    """further texts that say that there was no value, such as No Data"""
    park: Code | None = None
    enterprise: Code
    gateway: Code | None = None
    tags: dict[str, Annotated[ImportTag, BeforeValidator(_short)]] = Field(default_factory=dict)
    """column → tag; of a long table: name in the file → tag, where the two differ"""
    groups: dict[str, MapGroup] = Field(default_factory=dict)
    train: Training | None = None


def read_import_map(text: str) -> ImportMap:
    """The map that a YAML text describes; raises `domain.problem.DocumentError`."""
    return read(text, ImportMap, map_problems)


def map_problems(plan: ImportMap, absent: frozenset[str]) -> Iterator[tuple[Loc, str]]:
    """Everything in a map that does not fit together."""
    yield from time_problems(plan)
    if plan.long is None and not plan.tags:
        yield ("tags",), "name the columns that are tags, or describe a table of one value a row"
    if plan.long is not None and plan.transposed:
        yield ("transposed",), "a table of one value a row is not transposed"
    if not plan.header:
        columns = plan.tags if plan.long is None else {}
        long = {} if plan.long is None else plan.long.model_dump(exclude_none=True)
        found = [(("tags", key), key) for key in columns]
        for loc, key in [*found, *((("long", name), key) for name, key in long.items())]:
            if not column_number(key):
                yield loc, "without a header columns are numbers; allowed: 1, 2, 3 …"
    if plan.long is None:
        names = ((("tags", key, "name"), tag.name) for key, tag in plan.tags.items())
        yield from unique(names, "tags")
