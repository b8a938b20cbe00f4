"""The numbers of inventory 储量 and flow balance 物料平衡, from the versioned data file."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/inventory.toml").read_text("utf-8"))


@cache
def number(section: str, name: str) -> float:
    """A single number of the file, such as `number("balance", "window")`."""
    return float(data()[section][name]["value"])
