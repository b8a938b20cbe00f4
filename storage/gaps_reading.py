"""The gap ledger as people read it."""

from collections.abc import Sequence
from datetime import datetime

from storage.reading import Reading, Row

PIECES = 100
"""Pieces of a gap that a list names; their sum is always whole."""


async def list_gaps(
    reading: Reading,
    enterprises: Sequence[int],
    *,
    at: datetime,
    kinds: Sequence[str] | None = None,
    gateway: int | None = None,
    tag: int | None = None,
    node: int | None = None,
    open: bool | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 200,
) -> list[Row]:
    """Gaps of these enterprises that touch begin–end, the newest first; `at`: up to when those that
    go on count. open: what is still missing, or (False) what is not."""
    moment, id = before or (None, None)
    return await reading.rows(
        "list_gaps",
        enterprises=list(enterprises),
        at=at,
        kinds=None if kinds is None else list(kinds),
        gateway=gateway,
        tag=tag,
        node=node,
        open=open,
        before=moment,
        before_id=id,
        limit=limit,
        pieces=PIECES,
        **{"from": begin, "to": end},
    )


async def gap_totals(
    reading: Reading,
    enterprises: Sequence[int],
    begin: datetime,
    end: datetime,
    after: int = 0,
    limit: int = 200,
) -> list[Row]:
    """Of each gateway of these enterprises what is missing of a period, by id; tag-seconds."""
    period: dict[str, object] = {"from": begin, "to": end}
    scope = {"enterprises": list(enterprises), "after": after, "limit": limit}
    return await reading.rows("gap_totals", **scope, **period)


def completeness(row: Row) -> float | None:
    """Data completeness 数据完整率, 0 to 1: the share of the seconds of its tags that is not in a
    gap; None where nothing was to be expected (hazwatch proposal)."""
    if row["expected_s"] <= 0:
        return None
    return float(max(0.0, 1.0 - row["missing_s"] / row["expected_s"]))


def state_of(row: Row) -> str:
    """Whether a gap goes on, is still missing, filled, or lost for good."""
    if row["filled_at"] is not None:
        return "filled"
    if row["lost_at"] is not None:
        return "lost"
    return "open" if row["time_to"] is None else "missing"
