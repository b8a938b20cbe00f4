"""`Collector`: gathers what kernels find as arrays, and tells it as `Finding`s by time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.alarms import Edge, Finding, Kind
from domain.frame import Floats, Ints
from domain.instant import moment
from rules.plan import Plan

NOTHING: Mapping[str, NDArray[np.number]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Edges of conditions. subject: tag or node ids; all arrays of one length."""

    of_nodes: bool
    reason: str
    detail: Mapping[str, NDArray[np.number]]
    edge: NDArray[np.integer]
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
        edge: Edge | NDArray[np.integer],
        kind: Kind | NDArray[np.intp],
        slot: NDArray[np.integer],
        onset: Ints,
        effective: ArrayLike,
        value: ArrayLike = np.nan,
        limit: ArrayLike = np.nan,
        reason: str = "",
        detail: Mapping[str, NDArray[np.number]] = NOTHING,
    ) -> None:
        """Edges of conditions of tags, by slot; see `subjects`."""
        subject = self.plan.tags[slot]
        self.subjects(edge, kind, subject, onset, effective, value, limit, reason, detail)

    def subjects(
        self,
        edge: Edge | NDArray[np.integer],
        kind: Kind | NDArray[np.intp],
        tag: NDArray[np.integer],
        onset: Ints,
        effective: ArrayLike,
        value: ArrayLike = np.nan,
        limit: ArrayLike = np.nan,
        reason: str = "",
        detail: Mapping[str, NDArray[np.number]] = NOTHING,
    ) -> None:
        """Edges of conditions of tags, by id. Times: int64 microseconds; value, limit: NaN = none;
        detail: see `Finding`, arrays of the same length."""
        self._add(False, edge, kind, tag, onset, effective, value, limit, reason, detail)

    def nodes(
        self,
        edge: Edge | NDArray[np.integer],
        kind: Kind | NDArray[np.intp],
        node: NDArray[np.integer],
        onset: Ints,
        effective: ArrayLike,
        value: ArrayLike = np.nan,
        limit: ArrayLike = np.nan,
        reason: str = "",
        detail: Mapping[str, NDArray[np.number]] = NOTHING,
    ) -> None:
        """Edges of conditions of nodes of the tree, by id; else as `subjects`."""
        self._add(True, edge, kind, node, onset, effective, value, limit, reason, detail)

    def _add(
        self,
        of_nodes: bool,
        edge: Edge | NDArray[np.integer],
        kind: Kind | NDArray[np.intp],
        subject: NDArray[np.integer],
        onset: Ints,
        effective: ArrayLike,
        value: ArrayLike,
        limit: ArrayLike,
        reason: str,
        detail: Mapping[str, NDArray[np.number]],
    ) -> None:
        if subject.size:
            columns = np.broadcast_arrays(edge, kind, subject, onset, effective, value, limit)
            self._chunks.append(_Chunk(of_nodes, reason, detail, *columns))

    def findings(self) -> list[Finding]:
        """All that was gathered, by effective time; what happened at one instant stays in order."""
        findings = [finding for chunk in self._chunks for finding in _told(chunk)]
        findings.sort(key=lambda finding: finding.effective)
        return findings


def _told(chunk: _Chunk) -> list[Finding]:
    details: Iterable[tuple[float, ...]] = ((),) * len(chunk.kind)
    if chunk.detail:
        details = zip(*(column.tolist() for column in chunk.detail.values()), strict=True)
    columns = (
        chunk.edge, chunk.kind, chunk.subject, chunk.onset, chunk.effective, chunk.value,
        chunk.limit,
    )  # fmt: skip
    return [
        Finding(
            Edge(edge),
            Kind(kind),
            None if chunk.of_nodes else subject,
            subject if chunk.of_nodes else None,
            moment(onset),
            moment(effective),
            value,
            limit,
            chunk.reason,
            dict(zip(chunk.detail, numbers, strict=True)),
        )
        for (edge, kind, subject, onset, effective, value, limit), numbers in zip(
            zip(*(column.tolist() for column in columns), strict=True), details, strict=True
        )
    ]
