"""Which fault points the commit of some entries passes."""

from collections.abc import Iterable

from domain.cases import CaseState
from domain.fault_points import Point, armed, passing
from storage.entry import Entry

WRITTEN = (Point.CASE_WRITTEN, Point.RUNG_WRITTEN, Point.ACTION_WRITTEN)
COMMITTED = (Point.CASE_COMMITTED, Point.RUNG_COMMITTED, Point.ACTION_COMMITTED)


def pass_commit(points: tuple[Point, Point, Point], entries: Iterable[Entry]) -> None:
    """Pass that of an opening, of a rung and of a decision, where the entries have one."""
    if armed():
        for entry in entries:
            held = _opens(entry), _climbs(entry), bool(entry.actions)
            for point, there in zip(points, held, strict=True):
                if there:
                    passing(point)


def _opens(entry: Entry) -> bool:
    return any(change.source is CaseState.CLOSED for change in entry.cases)


def _climbs(entry: Entry) -> bool:
    return bool(entry.steps) and not entry.cases
