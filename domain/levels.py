"""The level 级别 that a node of the tree speaks for, by its kind: the versioned data file."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from domain.cases import Level


@cache
def by_kind() -> Mapping[str, Level]:
    """Kinds of nodes that speak for a level: those called as it, and those of the data file."""
    data = tomllib.loads(files("domain").joinpath("data/levels.toml").read_text("utf-8"))
    other = {kind: Level[entry["level"].upper()] for kind, entry in data["kind"].items()}
    return {level.name.lower(): level for level in Level} | other
