"""Named SQL: `storage/sql/*.sql` read once, `-- name: verb_noun` before each statement."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def queries() -> dict[str, bytes]:
    """Every statement by its name; a name used twice is a bug and raises `ValueError`."""
    found: dict[str, bytes] = {}
    for file in sorted(files("storage").joinpath("sql").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            for name, text in sections(file.read_text("utf-8")):
                if name in found:
                    raise ValueError(f"query {name!r} is written twice, again in {file.name}")
                found[name] = text.encode()
    return found


def sections(text: str) -> list[tuple[str, str]]:
    """(name, statement) of each section of one file, in order.

    What stands before the first is a heading.
    """
    parts = _NAME.split(text)
    return [(name, body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)]


def query(name: str) -> bytes:
    """The statement of this name, ready for psycopg; `KeyError` where there is none."""
    return queries()[name]


def listed(ids: Sequence[int] | None) -> list[int] | None:
    """Ids as an array parameter; None stays NULL, which asks for all."""
    return None if ids is None else list(ids)
