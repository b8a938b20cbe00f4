"""GB/T 50493-2019 as the versioned data file has it: set points of gas alarms, values of gases."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domain.cas import cas_checked
from domain.gb18218_tables import plain


@dataclass(frozen=True, slots=True)
class Given:
    """A number of the data file, and where it is from."""

    value: float
    unit: str
    clause: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Gas:
    """A gas. molar_mass: g/mol. oel, idlh: mg/m3. lel: %VOL. None: not known. check: what a person
    must look at."""

    name: str
    zh: str
    names: frozenset[str]
    cas: str
    toxic: bool
    combustible: bool
    molar_mass: Given | None
    oel: Given | None
    idlh: Given | None
    lel: Given | None
    check: str


@dataclass(frozen=True, slots=True)
class GasRules:
    """One version of the standard. rules: by section and member, such as rules["toxic"]["level_1"].
    molar_volume: L/mol. tolerance: share by which a converted set point may lie above."""

    standard: str
    version: str
    molar_volume: float
    tolerance: float
    rules: Mapping[str, Mapping[str, Given]]
    gases: tuple[Gas, ...]

    def gas(self, word: str, cas: str | None = None) -> Gas | None:
        """The gas with this CAS number or name; `word` may be either."""
        for number in (cas, word):
            found = next((gas for gas in self.gases if gas.cas == number), None)
            if found is not None:
                return found
        return next((gas for gas in self.gases if plain(word) in gas.names), None)


def read_gas_rules(text: str) -> GasRules:
    """The rules that a text in the data file's form describes; raises `ValueError` for a wrong CAS
    number or a number that is not above 0, `KeyError` where something is missing."""
    data = tomllib.loads(text)
    conversion = data["conversion"]
    return GasRules(
        data["standard"],
        data["version"],
        float(conversion["molar_volume"]["value"]),
        float(conversion["tolerance"]["value"]) / 100,
        {
            name: {member: _given(entry) for member, entry in section.items()}
            for name, section in data["rule"].items()
        },
        tuple(_gas(entry) for entry in data["gas"]),
    )


@cache
def gas_rules() -> GasRules:
    """The rules that are delivered."""
    return read_gas_rules(files("domain").joinpath("data/gb50493.toml").read_text("utf-8"))


def _given(entry: Mapping[str, Any]) -> Given:
    return Given(
        float(entry["value"]),
        entry["unit"],
        entry.get("clause", ""),
        entry["source"],
        entry["confidence"],
    )


def _gas(entry: Mapping[str, Any]) -> Gas:
    numbers = {
        name: _given(entry[name]) if name in entry else None
        for name in ("molar_mass", "oel", "idlh", "lel")
    }
    if any(number is not None and not number.value > 0 for number in numbers.values()):
        raise ValueError(f"{entry['name']}: a number is not above 0")
    return Gas(
        entry["name"],
        entry["zh"],
        frozenset(plain(name) for name in (entry["name"], entry["zh"], *entry["also"])),
        cas_checked(entry["cas"]),
        "toxic" in entry["use"],
        "combustible" in entry["use"],
        **numbers,
        check=entry.get("check", ""),
    )
