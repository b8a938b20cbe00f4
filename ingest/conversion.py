"""`Exchange`: values that came in other units than their tags are registered in."""

from fractions import Fraction

from domain.explain import suggestion
from domain.gas_rules import gas_rules
from domain.gas_units import grams_per_litre
from domain.plant import Registry, Tag, TagKind
from domain.setpoints import Surroundings, gas_of
from domain.site import Substance
from domain.wire_units import (
    PER_VOLUME,
    SHARE_OF_VOLUME,
    Conversion,
    WireUnit,
    conversion,
    names_of,
    plain_word,
    wire_unit,
)
from ingest.rejection import Rejection, shown

KEEP_WAYS = 200_000
"""Pairs of tag and unit that are remembered; when there are more, all are looked up again."""
_GASES = (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE)


class Exchange:
    """Ways from the units that messages name into the registered ones, learnt as they are met."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._ways: dict[tuple[int, str], Conversion | Rejection | None] = {}

    def way(self, tag: int, word: str) -> Conversion | Rejection | None:
        """How a value of a tag that came in this unit is stored; None: it is the registered one."""
        pair = (tag, word)
        found = self._ways.get(pair, self)
        if not isinstance(found, Exchange):
            return found
        if len(self._ways) >= KEEP_WAYS:
            self._ways.clear()
        way = self._ways[pair] = self._find(self._registry.tags[tag], word)
        return way

    def _find(self, tag: Tag, word: str) -> Conversion | Rejection | None:
        plain = plain_word(word)
        if plain in ("", plain_word(tag.unit)):
            return None
        came, registered = wire_unit(word, tag.kind), wire_unit(tag.unit, tag.kind)
        if came is not None and registered is not None:
            if came.code == registered.code:
                return None
            found = conversion(came, registered, self._grams(tag))
            if found is not None:
                return found
        return _mismatch(tag, word, came, registered)

    def _grams(self, tag: Tag) -> Fraction | None:
        """Grams of one litre of the gas that a tag measures; None where it is not known."""
        if tag.kind not in _GASES:
            return None
        rules = gas_rules()
        detail = self._registry.nodes[tag.source].detail if tag.gas is None else {}
        held = detail.get("substances", ())
        assert isinstance(held, list | tuple)
        around = Surroundings(tuple(Substance.model_validate(one, strict=False) for one in held))
        return grams_per_litre(gas_of(tag, around, rules), rules)


def _mismatch(tag: Tag, word: str, came: WireUnit | None, registered: WireUnit | None) -> Rejection:
    said = f"tag {shown(tag.name)} came in {shown(word)}"
    if came is None:
        said += ", which is not known"
    allowed = (tag.unit,) if registered is None else names_of(registered.of)
    detail = f"{said}; it is registered in {shown(tag.unit)}{suggestion(word, allowed)}"
    concentrations = {PER_VOLUME, SHARE_OF_VOLUME}
    if came is not None and registered is not None and {came.of, registered.of} == concentrations:
        detail += (
            "; ppm and mg/m3 of a gas are converted where the site file says which `gas` it is"
        )
    return Rejection("unit_mismatch", detail)
