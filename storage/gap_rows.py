"""Rows of the gap ledger: ids, and the small statements about gaps that are open."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import NEVER, micros
from ingest.gap_steps import Steps
from storage.database import Connection
from storage.queries import query

BACK = ("tags", "froms", "tos")


def gap_id(kind: str, subject: int, begin: int) -> str:
    """The id of a gap of a tag or a gateway, the same however often it is found; begin: us."""
    return f"{kind[0]}{subject}.{begin}"


def passed_row(kind: str, subject: int, begin: datetime) -> dict[str, object]:
    """For `end_open_gaps`: an open gap whose subject had been heard by then."""
    return {"ids": [gap_id(kind, subject, micros(begin))], "at": begin}


def ids_of(kind: str, steps: Steps) -> list[str]:
    """The ids of the gaps that these steps are."""
    pairs = zip(steps.subject.tolist(), steps.before.tolist(), strict=True)
    return [gap_id(kind, subject, begin) for subject, begin in pairs]


def opened(
    subject: NDArray[np.int32], gateway: NDArray[np.int32], begin: Ints, tags: Ints
) -> Steps:
    """Gaps that are open from `begin` on."""
    end = np.full(len(subject), NEVER, np.int64)
    return Steps(subject, gateway, begin.copy(), end, np.ones(len(subject), np.bool_), tags)


async def end_open(conn: Connection, kind: str, steps: Steps, at: datetime) -> None:
    """Of these the open gaps were none: what was missing has come, late."""
    if len(steps):
        await conn.execute(query("end_open_gaps"), {"ids": ids_of(kind, steps), "at": at})


async def outlive(conn: Connection, outlived: Mapping[int, int]) -> None:
    """So many tags are silent for longer than the newest gap of their gateway."""
    for gateway, tags in sorted(outlived.items()):
        await conn.execute(query("outlive_gap"), {"gateway": gateway, "tags": tags})
