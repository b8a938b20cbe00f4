"""Concentrations of a gas in the units in which rules and detectors speak."""

from dataclasses import dataclass
from fractions import Fraction

from domain.gas_rules import Gas, GasRules
from domain.plant import TagKind
from domain.site import TagEntry

PPM_OF_PERCENT = 10_000.0
"""1 %VOL in ppm by volume."""


def grams_per_litre(gas: Gas | None, rules: GasRules) -> Fraction | None:
    """Molar mass over molar volume, by which mg/m3 and ppm of a gas are one thing; None: not known.

    Source: domain research 2.1, ppm = mg/m3 · molar volume / molar mass.
    """
    if gas is None or gas.molar_mass is None:
        return None
    return Fraction(str(gas.molar_mass.value)) / Fraction(str(rules.molar_volume))


@dataclass(frozen=True, slots=True)
class Percent:
    """A concentration in the unit of a rule. per_unit: one unit of the detector in that unit.
    converted: the number had to be converted, and so may have been rounded."""

    value: float
    per_unit: float
    converted: bool

    def back(self, value: float) -> float:
        """A number of the rule in the unit of the detector."""
        return value / self.per_unit


@dataclass(frozen=True, slots=True)
class GasUnits:
    """Converts for one gas, or for an unknown one. molar_volume: L/mol."""

    gas: Gas | None
    molar_volume: float

    @property
    def confidence(self) -> str:
        """Of what is known of the gas."""
        return "" if self.gas is None or self.gas.oel is None else self.gas.oel.confidence

    def rules(self, tag: TagEntry) -> tuple[str, ...]:
        """The rules that may hold for the tag, the main one first."""
        if tag.kind is TagKind.GAS_TOXIC:
            return "toxic", "toxic_idlh"
        return ("line",) if tag.unit in ("LEL·m", "LEL.m") else ("combustible",)

    def percent(self, rule: str, value: float, unit: str) -> Percent | None:
        """`value` in the unit of the rule; None where something is not known."""
        per_unit = self._per_unit(rule, unit)
        if per_unit is None:
            return None
        return Percent(value * per_unit, per_unit, unit not in (*_OWN[rule], *_EXACT[rule]))

    def lacking(self, tag: TagEntry) -> str:
        """What would be needed to compare it."""
        wanted = "OEL" if tag.kind is TagKind.GAS_TOXIC else "LEL"
        name = "the gas" if self.gas is None else f"{self.gas.zh} {self.gas.name}"
        return f"the data file has no {wanted}, or no molar mass, of {name}"

    def _per_unit(self, rule: str, unit: str) -> float | None:
        if unit in _OWN[rule]:
            return 1.0
        if self.gas is None or rule == "line":
            return None
        if rule == "combustible":
            ppm, lel = self._ppm(unit), self.gas.lel
            return None if ppm is None or lel is None else ppm / PPM_OF_PERCENT / lel.value * 100
        base = self.gas.oel if rule == "toxic" else self.gas.idlh
        mass = self._mass(unit)
        return None if mass is None or base is None else mass / base.value * 100

    def _ppm(self, unit: str) -> float | None:
        """One unit in ppm by volume."""
        volume = {"ppm": 1.0, "ppb": 1e-3, "%VOL": PPM_OF_PERCENT, "%vol": PPM_OF_PERCENT}
        if unit in volume:
            return volume[unit]
        if unit in ("mg/m3", "mg/m³") and self.gas is not None and self.gas.molar_mass is not None:
            return self.molar_volume / self.gas.molar_mass.value
        return None

    def _mass(self, unit: str) -> float | None:
        """One unit in mg/m3."""
        if unit in ("mg/m3", "mg/m³"):
            return 1.0
        of_base = {"%OEL": self.gas and self.gas.oel, "%IDLH": self.gas and self.gas.idlh}
        if unit in of_base:
            base = of_base[unit]
            return base.value / 100 if base else None
        ppm = self._ppm(unit)
        if ppm is None or self.gas is None or self.gas.molar_mass is None:
            return None
        return ppm * self.gas.molar_mass.value / self.molar_volume


_OWN = {
    "toxic": ("%OEL",),
    "toxic_idlh": ("%IDLH",),
    "combustible": ("%LEL",),
    "line": ("LEL·m", "LEL.m"),
}
"""The detector's units that are the rule's own."""
_EXACT = {
    "toxic": ("mg/m3", "mg/m³"),
    "toxic_idlh": ("mg/m3", "mg/m³"),
    "combustible": (),
    "line": (),
}
"""Units in which the data file has the rule's base, so that nothing had to be rounded."""
