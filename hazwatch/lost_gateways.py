"""`GatewayWatch`: a gateway of which nothing is heard any more (GATEWAY_OFFLINE 网关失联).

A gateway is lost while each tag that it alone has sent is OFFLINE, or of a source that is lost. So
its delay is theirs, and its word is theirs too: will, NDEATH and silence count as far as the rules
count them. Where one SOURCE_OFFLINE says as much, and for a gateway of a single tag, there is no
alarm. The subject is the tag with the lowest id: after a restart the gateway is known from it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import nan
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from domain.alarms import ACTIVE, Alarm, Edge, Finding, Kind
from domain.instant import NEVER, moment
from domain.plant import Registry
from ingest.intake import Intake
from rules.closing import REMOVED
from rules.plan import Plan
from rules.silence import Slots, onset
from rules.state import RuleState

KINDS = frozenset({Kind.GATEWAY_OFFLINE})
"""Kinds that are not the engine's."""
SILENT = frozenset({Kind.OFFLINE, Kind.SOURCE_OFFLINE})
FEWEST = 2
"""Of a gateway with fewer tags OFFLINE says all there is to say."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """A condition that was raised. gateway: None = not known since a restart."""

    gateway: int | None
    onset: datetime
    effective: datetime


class GatewayWatch:
    """Finds lost gateways. engine: the plan and state of this moment, which change hands when a
    site is swapped; both are only read."""

    def __init__(
        self, registry: Registry, intake: Intake, engine: Callable[[], tuple[Plan, RuleState]]
    ) -> None:
        self._registry = registry
        self._intake = intake
        self._engine = engine
        self._lost: dict[int, _Lost] = {}
        self._back: dict[int, datetime] = {}

    def step(self, findings: Iterable[Finding], at: datetime) -> list[Finding]:
        """What the engine's findings bring about at `at`."""
        enterprises = {self._enterprise(one) for one in findings if one.kind in SILENT}
        return [found for one in sorted(enterprises) for found in self._look(one, at)]

    def restore(self, known: Iterable[Alarm], at: datetime) -> list[Finding]:
        """Begin from the open occurrences; what has changed meanwhile is found."""
        for alarm in known:
            if alarm.kind in KINDS and alarm.state in ACTIVE and alarm.tag is not None:
                since = alarm.onset_last or alarm.onset
                self._lost[alarm.tag] = _Lost(self._gateway(alarm.tag), since, alarm.effective)
        return self._look_all(at)

    def swap(self, registry: Registry, at: datetime) -> list[Finding]:
        """Go on with another registry, which intake has by now: what has left it is over."""
        self._registry = registry
        gateways = {one.id for one in registry.gateways}
        found = []
        for tag, lost in list(self._lost.items()):
            if tag not in registry.tags or (lost.gateway or 0) not in {0, *gateways}:
                found.append(self._over(tag, at, Edge.CLOSED, REMOVED))
        return found + self._look_all(at)

    def _look_all(self, at: datetime) -> list[Finding]:
        enterprises = sorted({one.enterprise for one in self._registry.gateways})
        return [found for one in enterprises for found in self._look(one, at)]

    def _enterprise(self, finding: Finding) -> int:
        if finding.tag is not None:
            tag = self._registry.tags.get(finding.tag)
            return -1 if tag is None else tag.enterprise
        node = self._registry.nodes.get(finding.node or 0)
        return -1 if node is None or node.enterprise is None else node.enterprise

    def _gateway(self, tag: int) -> int | None:
        senders = self._intake.senders_of(tag)
        return senders[0] if len(senders) == 1 else None

    def _look(self, enterprise: int, at: datetime) -> Iterator[Finding]:
        """What is new of the gateways of an enterprise."""
        plan, _ = self._engine()
        self._learn()
        for gateway, tags in self._intake.alone(enterprise).items():
            slot = plan.slots_of(tags)
            slot = slot[slot >= 0]
            mine = [tag for tag, lost in self._lost.items() if lost.gateway == gateway]
            yield from (self._over(tag, at) for tag in mine if self._speaks(tag, slot))
            if not mine and len(slot) >= FEWEST and self._is_silent(slot):
                yield from self._raised(gateway, slot, at)
        unknown = [tag for tag, lost in self._lost.items() if lost.gateway is None]
        none = np.empty(0, np.intp)
        yield from (self._over(tag, at) for tag in unknown if self._speaks(tag, none))

    def _learn(self) -> None:
        """Who sends the tags of which that was not known."""
        for tag, lost in self._lost.items():
            if lost.gateway is None:
                self._lost[tag] = replace(lost, gateway=self._gateway(tag))

    def _speaks(self, tag: int, slot: Slots) -> bool:
        """Whether a lost gateway is heard again: one of the tags that it alone sends; where there
        is none any more, the tag that stands for it. What can't be judged says nothing."""
        plan, _ = self._engine()
        known = slot if len(slot) else plan.slots_of(np.array([tag]))
        known = known[known >= 0]
        return len(known) > 0 and not self._is_silent(known)

    def _is_silent(self, slot: Slots) -> bool:
        """Whether nothing is heard of any of these tags."""
        plan, state = self._engine()
        lost = state.silence.lost[plan.sources.of[slot]] != NEVER
        return bool((state.silence.offline[slot] | lost).all())

    def _raised(self, gateway: int, slot: Slots, at: datetime) -> Iterator[Finding]:
        plan, state = self._engine()
        sources = np.unique(plan.sources.of[slot])
        tag = int(plan.tags[slot].min())
        if self._is_told(sources, slot) or tag in self._lost:
            return
        last = moment(int(onset(plan, state.silence, slot).max()))
        since = min(at, max(last, self._back.get(gateway, last)))
        self._lost[tag] = _Lost(gateway, since, at)
        detail = {"gateway": gateway, "tags": len(slot), "sources": len(sources)}
        yield self._finding(Edge.RAISED, tag, at, detail=detail)

    def _is_told(self, sources: NDArray[np.integer], slot: Slots) -> bool:
        """Whether one SOURCE_OFFLINE says it, or will."""
        plan, state = self._engine()
        if len(sources) != 1:
            return False
        whole = len(plan.sources.members(sources)) == len(slot)
        return whole or bool(state.silence.lost[sources[0]] != NEVER)

    def _over(
        self, tag: int, at: datetime, edge: Edge = Edge.RETURNED, reason: str = ""
    ) -> Finding:
        lost = self._lost[tag]
        at = max(at, lost.effective)
        found = self._finding(edge, tag, at, reason)
        del self._lost[tag]
        if lost.gateway is not None:
            self._back[lost.gateway] = at
        return found

    def _finding(
        self,
        edge: Edge,
        tag: int,
        at: datetime,
        reason: str = "",
        detail: Mapping[str, float] = MappingProxyType({}),
    ) -> Finding:
        since = self._lost[tag].onset
        kind = Kind.GATEWAY_OFFLINE
        return Finding(edge, kind, tag, None, since, at, nan, nan, reason, detail)
