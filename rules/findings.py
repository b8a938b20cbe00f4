"""`Collector`: gathers what kernels find as arrays, and tells it as `Finding`s by time."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.alarms import Edge, Finding, Kind
from domain.frame import Floats, Ints
from domain.instant import moment
from rules.plan import Plan


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Edges of one sort. subject: tag or node ids; all arrays of one length."""

    edge: Edge
    of_nodes: bool
    reason: str
    kind: NDArray[np.intp]
    subject: NDArray[np.signedinteger]
    onset: Ints
    effective: Ints
    value: Floats
    limit: Floats


@dataclass(slots=True, eq=False)
class Collector:
    """Gathers edges of conditions; the arrays of one call have one length, or are single numbers.

    Of one tag and kind, edges must be added in the order in which they happened, and their
    effective times may not fall: the findings then keep that order.
    """

    plan: Plan
    _chunks: list[_Chunk] = field(default_factory=list)

    def tags(
        self,
        edge: Edge,
        kind: Kind | NDArray[np.intp],
        slot: NDArray[np.intp],
        onset: Ints,
        effective: ArrayLike,
        value: ArrayLike = np.nan,
        limit: ArrayLike = np.nan,
        reason: str = "",
    ) -> None:
        """Edges of conditions of tags. Times: int64 microseconds; value, limit: NaN = none."""
        if slot.size:
            arrays = (kind, self.plan.tags[slot], onset, effective, value, limit)
            self._chunks.append(_Chunk(edge, False, reason, *np.broadcast_arrays(*arrays)))

    def nodes(
        self,
        edge: Edge,
        kind: Kind,
        node: Ints,
        onset: Ints,
        effective: ArrayLike,
        reason: str = "",
    ) -> None:
        """Edges of conditions of nodes of the tree, such as hazard sources; they have no value."""
        if node.size:
            arrays = (kind, node, onset, effective, np.nan, np.nan)
            self._chunks.append(_Chunk(edge, True, reason, *np.broadcast_arrays(*arrays)))

    def findings(self) -> list[Finding]:
        """All that was gathered, by effective time; what happened at one instant stays in order."""
        findings = [finding for chunk in self._chunks for finding in _told(chunk)]
        findings.sort(key=lambda finding: finding.effective)
        return findings


def _told(chunk: _Chunk) -> list[Finding]:
    columns = (chunk.kind, chunk.subject, chunk.onset, chunk.effective, chunk.value, chunk.limit)
    return [
        Finding(
            chunk.edge,
            Kind(kind),
            None if chunk.of_nodes else subject,
            subject if chunk.of_nodes else None,
            moment(onset),
            moment(effective),
            value,
            limit,
            chunk.reason,
        )
        for kind, subject, onset, effective, value, limit in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
