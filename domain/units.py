"""Which units a tag of a kind may carry, read from the versioned data file."""

import tomllib
from functools import cache
from importlib.resources import files

from domain.plant import TagKind


@cache
def allowed_units(kind: TagKind) -> tuple[str, ...] | None:
    """The units of a kind; "" stands for none. `None`: any unit will do."""
    text = files("domain").joinpath("data/units.toml").read_text("utf-8")
    entry = tomllib.loads(text)["kinds"][kind]
    return None if entry.get("any") else tuple(entry["units"])
