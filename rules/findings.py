"""`Collector`: what the kernels found in one step, gathered as arrays, told as `Finding`s in time order."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.alarms import Edge, Finding, Kind
from domain.frame import Floats, Ints
from domain.instant import moment
from rules.plan import Plan


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    edge: Edge
    kind: NDArray[np.int64]
    tag: NDArray[np.int32] | None
    node: Ints | None
    onset: Ints
    effective: Ints
    value: Floats
    limit: Floats
    reason: str


@dataclass(slots=True, eq=False)
class Collector:
    """Gathers edges of conditions; arrays of one call have one length.

    Of one tag and kind, edges must be added in the order in which they happened, and their effective
    times may not fall: the findings then keep that order.
    """

    plan: Plan
    _chunks: list[_Chunk] = field(default_factory=list)

    def tags(
        self,
        edge: Edge,
        kind: Kind | NDArray[np.intp],
        slot: NDArray[np.intp],
        onset: ArrayLike,
        effective: ArrayLike,
        value: ArrayLike = np.nan,
        limit: ArrayLike = np.nan,
        reason: str = "",
    ) -> None:
        """Edges of conditions of tags. Times: int64 microseconds; value, limit: NaN = none."""
        if slot.size:
            self._add(
                edge, kind, self.plan.tags[slot], None, onset, effective, value, limit, reason
            )

    def nodes(
        self,
        edge: Edge,
        kind: Kind,
        node: Ints,
        onset: ArrayLike,
        effective: ArrayLike,
        reason: str = "",
    ) -> None:
        """Edges of conditions of nodes of the tree, such as hazard sources."""
        if node.size:
            self._add(edge, kind, None, node, onset, effective, np.nan, np.nan, reason)

    def _add(
        self,
        edge: Edge,
        kind: Kind | NDArray[np.intp],
        tag: NDArray[np.int32] | None,
        node: Ints | None,
        onset: ArrayLike,
        effective: ArrayLike,
        value: ArrayLike,
        limit: ArrayLike,
        reason: str,
    ) -> None:
        n = len(tag) if tag is not None else len(node) if node is not None else 0
        self._chunks.append(
            _Chunk(
                edge,
                np.broadcast_to(np.asarray(kind, np.int64), n),
                tag,
                node,
                np.broadcast_to(np.asarray(onset, np.int64), n),
                np.broadcast_to(np.asarray(effective, np.int64), n),
                np.broadcast_to(np.asarray(value, np.float64), n),
                np.broadcast_to(np.asarray(limit, np.float64), n),
                reason,
            )
        )

    def findings(self) -> list[Finding]:
        """All that was gathered, by effective time; what happened at one instant stays in order."""
        timed = [pair for chunk in self._chunks for pair in _told(chunk)]
        timed.sort(key=lambda pair: pair[0])
        return [finding for _, finding in timed]


def _told(chunk: _Chunk) -> list[tuple[int, Finding]]:
    n = len(chunk.onset)
    return [
        (
            effective,
            Finding(
                chunk.edge,
                Kind(kind),
                tag,
                node,
                moment(onset),
                moment(effective),
                value,
                limit,
                chunk.reason,
            ),
        )
        for kind, tag, node, onset, effective, value, limit in zip(
            chunk.kind.tolist(),
            [None] * n if chunk.tag is None else chunk.tag.tolist(),
            [None] * n if chunk.node is None else chunk.node.tolist(),
            chunk.onset.tolist(),
            chunk.effective.tolist(),
            chunk.value.tolist(),
            chunk.limit.tolist(),
            strict=True,
        )
    ]
