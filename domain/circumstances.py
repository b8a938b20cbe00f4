"""Which circumstances of the alarm policy hold where a tag is. Pure."""

from collections.abc import Mapping
from functools import cache

from domain import policy
from domain.plant import Circumstance, Node

_OF_VESSELS = (
    Circumstance.REACTOR,
    Circumstance.GAS_HOLDER,
    Circumstance.LIQUEFIED_GAS,
    Circumstance.NO_FLOATING_ROOF,
)
LIQUEFIED = "liquefied_gas"
"""Member of an equipment by which it says itself whether it holds one."""


def circumstances(grade: object, vessel: Mapping[str, object] | None) -> frozenset[Circumstance]:
    """Of a source's registered grade and the entry of the equipment a tag is on, None = none."""
    words = () if vessel is None else (vessel.get("kind"), vessel.get("shape"))
    found = {one for one in _OF_VESSELS if any(word in _said(one) for word in words)}
    own = None if vessel is None else vessel.get(LIQUEFIED)
    if own is not None:
        found -= {Circumstance.LIQUEFIED_GAS}
    if own:
        found |= {Circumstance.LIQUEFIED_GAS}
    if grade in _said(Circumstance.GRADE_1_2):
        found |= {Circumstance.GRADE_1_2}
    return _one(frozenset(found))


class Places:
    """The circumstances of every place of a plant."""

    def __init__(self, nodes: Mapping[int, Node]) -> None:
        self._nodes = nodes
        self._vessels = {
            (node.parent, node.code): node.detail
            for node in nodes.values()
            if node.kind == "equipment"
        }

    def of(self, source: int, equipment: str | None) -> frozenset[Circumstance]:
        """Of a tag on an equipment of a source, None: on none."""
        node = self._nodes.get(source)
        grade = None if node is None else node.detail.get("grade")
        vessel = None if equipment is None else self._vessels.get((source, equipment))
        return circumstances(grade, vessel)


@cache
def _said(one: Circumstance) -> tuple[object, ...]:
    return tuple(policy.data()["circumstance"][one]["value"])


@cache
def _one(found: frozenset[Circumstance]) -> frozenset[Circumstance]:
    """The same object for the same circumstances: a plant has many tags and few of these."""
    return found
