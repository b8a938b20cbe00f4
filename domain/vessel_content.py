"""What is in a vessel: its density, constant, by temperature, or of a gas; and its substance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from domain.explain import suggestion
from domain.inventory_model import data, number
from domain.plant import TagKind

if TYPE_CHECKING:
    from domain.vessels import Problems, TagLike


@dataclass(frozen=True, slots=True)
class Reading:
    """A tag whose reading counts as reading · scale + zero, in °C or in kPa absolute."""

    tag: str
    scale: float
    zero: float


@dataclass(frozen=True, slots=True)
class Density:
    """t/m³ at t °C and p kPa absolute: of a liquid base + per_k · (t - at_c), where nothing is
    known of t `base`; of a gas molar_mass · p / (1000 · R · T) (ideal gas).

    base, molar_mass: NaN = not given. pressure, temperature: where to read them.
    """

    base: float
    per_k: float
    at_c: float
    molar_mass: float
    temperature: Reading | None
    pressure: Reading | None

    @property
    def usual(self) -> float:
        """What is told, else a gas at atmospheric pressure; NaN = not known."""
        if not isnan(self.base) or isnan(self.molar_mass):
            return self.base
        return self.molar_mass * number("gas", "atmosphere") / gas_divisor(self.at_c)


def gas_divisor(celsius: float) -> float:
    """R · T in units in which g/mol · kPa / it is t/m³."""
    return 1e3 * number("gas", "constant") * (celsius + number("gas", "zero"))


def density_of(
    detail: Mapping[str, Any], named: Mapping[str, "TagLike"], problems: "Problems"
) -> Density:
    """How dense the content is."""
    temperature = _reading(detail, "temperature_tag", TagKind.TEMPERATURE, named, problems)
    pressure = _reading(detail, "pressure_tag", TagKind.PRESSURE, named, problems)
    for member, others in (
        ("density_per_k", ("density_t_m3", "temperature_tag")),
        ("density_at_c", ("density_per_k",)),
        ("molar_mass", ("pressure_tag", "temperature_tag")),
    ):
        for other in others:
            if member in detail and other not in detail:
                problems.append(((member,), f"needs {other}"))
    return Density(
        detail.get("density_t_m3", nan),
        detail.get("density_per_k", 0.0),
        detail.get("density_at_c", number("gas", "temperature")),
        detail.get("molar_mass", nan),
        temperature,
        pressure,
    )


def _reading(
    detail: Mapping[str, Any],
    member: str,
    kind: TagKind,
    named: Mapping[str, "TagLike"],
    problems: "Problems",
) -> Reading | None:
    name = detail.get(member)
    if name is None:
        return None
    known = [tag.name for tag in named.values() if tag.kind == kind]
    if name not in known:
        problems.append(
            ((member,), f'no {kind} tag "{name}" in the source{suggestion(name, known)}')
        )
        return None
    reading = _converted(name, named[name].unit)
    if reading is None:
        problems.append(((member,), f"{named[name].unit} of {name} can't be converted"))
    return reading


def _converted(name: str, unit: str) -> Reading | None:
    if unit in data()["celsius"]:
        row = data()["celsius"][unit]
        return Reading(name, row["value"], -row["zero"] * row["value"])
    if unit in data()["kilopascals"]:
        return Reading(name, data()["kilopascals"][unit]["value"], number("gas", "atmosphere"))
    if unit in data()["kilopascals_absolute"]:
        return Reading(name, data()["kilopascals_absolute"][unit]["value"], 0.0)
    return None


def substance_of(
    detail: Mapping[str, Any], substances: Sequence[Mapping[str, Any]], problems: "Problems"
) -> tuple[int | None, list[str]]:
    """Position of the content among the source's substances, and a note where it is not known."""
    told = detail.get("substance")
    if told is not None:
        for i, one in enumerate(substances):
            if told in (one.get("cas"), one["name"]):
                return i, []
        known = [str(one.get("cas") or one["name"]) for one in substances]
        problems.append(
            (("substance",), f'no substance "{told}" in the source{suggestion(told, known)}')
        )
        return None, []
    if len(substances) == 1:
        return 0, []
    return None, ["物质未指定 no substance is named: it counts as a tank only"]
