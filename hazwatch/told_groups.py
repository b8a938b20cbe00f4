"""Which PCA groups have to be told anew: on change, each at most every `PACE_S`, and now and then
in any case, so that a reader knows that somebody watches."""

from datetime import datetime

from domain.groups import nodes_of_kind
from domain.pca_record import PcaNow
from domain.plant import Node, Registry
from rules.layers import LAYERS
from rules.pca import PCA, PcaMemory
from rules.pca_now import groups_now, with_shares
from rules.pca_table import PcaTable
from rules.plan import Plan
from rules.state import RuleState

LOOK_EVERY_S = 1.0
PACE_S = 10.0
AGAIN_S = 60.0


class ToldGroups:
    """What was last told of every group, and when."""

    def __init__(self) -> None:
        self._looked = -LOOK_EVERY_S
        self._told: dict[int, tuple[PcaNow, float]] = {}
        self._registry: Registry | None = None
        self._groups: list[Node] = []

    def news(
        self, registry: Registry, plan: Plan, state: RuleState, at: datetime, elapsed: float
    ) -> tuple[PcaNow, ...]:
        """Groups to be told at wall time `at`. elapsed: seconds of the monotonic clock."""
        if 0 <= elapsed - self._looked < LOOK_EVERY_S:
            return ()
        self._looked = elapsed
        number = LAYERS.index(PCA)
        table, memory = plan.layers[number], state.layers[number]
        assert isinstance(table, PcaTable)
        assert isinstance(memory, PcaMemory)
        if registry is not self._registry:
            self._registry, self._groups = registry, _groups(registry)
        now = {one.node: one for one in groups_now(table, memory, self._groups, at)}
        self._told = {node: told for node, told in self._told.items() if node in now}
        news = [one for one in now.values() if self._is_news(one, elapsed)]
        self._told |= {one.node: (one, elapsed) for one in news}
        return tuple(with_shares(plan, table, memory, one) for one in news)

    def _is_news(self, one: PcaNow, elapsed: float) -> bool:
        if one.node not in self._told:
            return True
        before, when = self._told[one.node]
        turned = _key(one) != _key(before)
        moved = one.scan != before.scan or one.missing != before.missing
        age = abs(elapsed - when)
        return turned or age >= AGAIN_S or (moved and age >= PACE_S)


def _groups(registry: Registry) -> list[Node]:
    return [one for one in nodes_of_kind(registry, "group") if one.detail.get("kind") == "pca"]


def _key(one: PcaNow) -> tuple[object, ...]:
    return one.sight, one.version, one.active, one.why
