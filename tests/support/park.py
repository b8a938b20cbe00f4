"""The demonstration's site, and what the rules make of the simulated park, without any server."""

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from domain.alarms import Finding
from domain.circumstances import circumstances
from domain.frame import Flag, Floats, Frame
from domain.instant import SECOND, micros
from domain.plant import Node, Registry, Tag
from domain.site import Site, read_site
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from simulators.gateway import BACKFILL_AFTER_S
from simulators.message import Address
from simulators.park_readings import ADDRESSES, readings
from simulators.park_story import cut
from tests.support.builders import START, at

SITE: Site = read_site(
    (Path(__file__).parents[2] / "deploy" / "sites" / "demo.yaml").read_text("utf-8")
)


def registry_of(site: Site) -> Registry:
    """What the registry would say of a site's sources and tags; nodes above them are left out."""
    ids = count(1)
    nodes: dict[int, Node] = {}
    tags: dict[int, Tag] = {}
    for enterprise in site.enterprises:
        owner = next(ids)
        nodes[owner] = Node(owner, None, "enterprise", enterprise.code, enterprise.name, owner)
        for source in enterprise.sources:
            node = next(ids)
            nodes[node] = Node(node, owner, "source", source.code, source.name, owner)
            vessels = {one.code: dict(one) for one in source.equipment}
            for entry in source.tags:
                id = len(tags) + 1
                where = circumstances(source.grade, vessels.get(entry.equipment or ""))
                tags[id] = entry.tag(id, 1, owner, node, START, where)
    return Registry(1, nodes, (), tags)


class WatchedPark:
    """The park from its beginning, second by second, under the rules of the demonstration's site.

    A gateway whose line is cut sends what it kept in the second in which it comes back.
    """

    def __init__(self, seed: int) -> None:
        self.registry = registry_of(SITE)
        self._seed = seed
        self._plan = compile_plan(self.registry)
        self._state = RuleState.fresh(self._plan, micros(START))
        self._owner = {node.code: id for id, node in self.registry.nodes.items()}
        self._ids = {(tag.enterprise, tag.name): id for id, tag in self.registry.tags.items()}
        self._kept: dict[Address, list[int]] = {address: [] for address in ADDRESSES}

    def watch(self, seconds: int) -> list[Finding]:
        """What is found in that time, in order."""
        t = np.arange(0.0, seconds)
        shown = {address: readings(address, t, self._seed) for address in ADDRESSES}
        found: list[Finding] = []
        for second in range(seconds):
            for number, address in enumerate(ADDRESSES):
                self._kept[address].append(second)
                if not cut(address, second):
                    frame = self._frame(address, shown[address], second, number)
                    found += step(self._plan, self._state, frame, at(second + 0.5))
        return found

    def subject(self, finding: Finding) -> str:
        """The tag, or the source, that a finding speaks of."""
        if finding.tag is not None:
            return self.registry.tags[finding.tag].name
        assert finding.node is not None
        return self.registry.nodes[finding.node].code

    def _frame(
        self, address: Address, shown: Mapping[str, Floats], second: int, number: int
    ) -> Frame:
        """All that a gateway has kept, received a little later; stamps rise."""
        seconds, owner = self._kept[address], self._owner[address.enterprise]
        self._kept[address] = []
        tags = [self._ids[owner, name] for name in shown]
        times = np.repeat([micros(at(one)) for one in seconds], len(tags))
        received = micros(at(second)) + number + 1
        late = received - times > BACKFILL_AFTER_S * SECOND
        return Frame.of(
            np.tile(np.array(tags, np.int32), len(seconds)),
            times,
            _rows(shown, seconds).ravel(),
            received=received,
            flags=np.where(late, Flag.HISTORICAL, Flag.NONE).astype(np.int16),
        )


def _rows(shown: Mapping[str, Floats], seconds: Sequence[int]) -> Floats:
    return np.stack([column[list(seconds)] for column in shown.values()], axis=1)
