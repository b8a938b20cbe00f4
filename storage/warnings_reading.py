"""Warning cases and dynamic risk as the api shows them: lists, ladders, journals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from domain.cases import RUNGS, Feedback, Loop
from domain.risk import Colour
from storage.reading import Reading, Row
from storage.sessions import Scope

NOTICES = 50
"""How many notices of a rung are shown: one for each address of its role."""
TRIES = 20
"""How many looks at a notice are shown, the newest; one of a rung may be tried all night."""
TRANSITIONS = 1000
"""How many transitions of a case are shown, the newest."""
ENDINGS = 200
"""How many notices of a case without a rung are shown, the newest."""
FEEDBACKS = 200
"""How many feedbacks of a case are shown, the newest."""
SIGNED = 100
"""Over how many 签收 of an enterprise their median is taken, the newest."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases. None does not filter; open: not closed yet; node: with all below it; drill: True
    drills 演练 alone, False what is real alone."""

    open: bool | None = None
    colours: tuple[Colour, ...] | None = None
    node: int | None = None
    id: UUID | None = None
    drill: bool | None = None


async def list_cases(
    reading: Reading,
    scope: Scope,
    which: CaseFilter,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 1,
) -> list[Row]:
    """Cases, newest opened first; `before` is (opened, id) of the last one known.

    `loop` is a `domain.cases.Loop`.
    """
    moment, id = before or (None, None)
    rows = await reading.rows(
        "list_cases",
        enterprises=scope.list_of_enterprises(),
        open=which.open,
        drill=which.drill,
        colours=None if which.colours is None else [int(colour) for colour in which.colours],
        node=which.node,
        id=which.id,
        before=moment,
        before_id=id,
        limit=limit,
    )
    return [row | {"loop": msgspec.convert(row["loop"], Loop)} for row in rows]


async def find_case(reading: Reading, scope: Scope, id: UUID) -> Row | None:
    """One case, open or closed; None if it is not there for this reader."""
    found = await list_cases(reading, scope, CaseFilter(id=id))
    return found[0] if found else None


async def ladders(reading: Reading, scope: Scope, cases: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The newest `RUNGS` rungs of each of these cases, in order, each with its `notices`.

    Two queries, however many cases there are; none where there is no case.
    """
    found: dict[UUID, list[Row]] = {id: [] for id in cases}
    if not found:
        return found
    for rung in await _rungs(reading, scope, cases):
        found[rung["case_id"]].append(rung)
    return found


async def _rungs(reading: Reading, scope: Scope, cases: Sequence[UUID]) -> list[Row]:
    enterprises = scope.list_of_enterprises()
    rungs = await reading.rows(
        "case_rungs", enterprises=enterprises, cases=list(cases), limit=RUNGS
    )
    notices: dict[tuple[UUID, int], list[Row]] = {}
    for notice in await reading.rows(
        "rung_notices",
        enterprises=enterprises,
        cases=[rung["case_id"] for rung in rungs],
        steps=[rung["no"] for rung in rungs],
        limit=NOTICES,
        tries=TRIES,
    ):
        notices.setdefault((notice["occurrence"], notice["step"]), []).append(notice)
    return [rung | {"notices": notices.get((rung["case_id"], rung["no"]), [])} for rung in rungs]


async def case_journal(reading: Reading, scope: Scope, id: UUID) -> list[Row]:
    """The newest `TRANSITIONS` transitions of a case, in order; before, colour: around each."""
    return await reading.rows(
        "case_journal", enterprises=scope.list_of_enterprises(), id=id, limit=TRANSITIONS
    )


async def ending_notices(reading: Reading, scope: Scope, id: UUID) -> list[Row]:
    """The newest `ENDINGS` notices of a case's rises, falls, 核实 and closing, and of hot work near
    gas; none of rungs."""
    return await reading.rows(
        "ending_notices",
        enterprises=scope.list_of_enterprises(),
        id=id,
        limit=ENDINGS,
        tries=TRIES,
    )


async def case_feedback(reading: Reading, scope: Scope, id: UUID) -> list[Feedback]:
    """The newest `FEEDBACKS` feedbacks of a case, in order."""
    rows = await reading.rows(
        "case_feedback", enterprises=scope.list_of_enterprises(), id=id, limit=FEEDBACKS
    )
    return msgspec.convert(rows, list[Feedback])


async def receive_median(reading: Reading, scope: Scope, id: UUID) -> float | None:
    """Median seconds from a rise to the first 签收 after it, over the newest `SIGNED` of the case's
    enterprise; None where nobody has signed."""
    row = await reading.row(
        "receive_median", enterprises=scope.list_of_enterprises(), id=id, limit=SIGNED
    )
    return None if row is None else row["median"]


async def case_to_act_on(reading: Reading, scope: Scope, id: UUID) -> Row | None:
    """Enterprise, closed and path (the source and all above it) of a case; None if it is not there
    for this reader."""
    return await reading.row("case_to_act_on", enterprises=scope.list_of_enterprises(), id=id)


async def source_to_act_on(reading: Reading, scope: Scope | None, source: int) -> Row | None:
    """Enterprise and path (the source and all above it) of a present source; None if it is not
    there for this reader. scope: None = sees everything."""
    enterprises = None if scope is None else scope.list_of_enterprises()
    return await reading.row("source_to_act_on", enterprises=enterprises, id=source)


async def list_risks(
    reading: Reading, scope: Scope, node: int | None, after: int, limit: int
) -> list[Row]:
    """What was last told of each source's risk, by source id; `after` is the last one known."""
    return await reading.rows(
        "list_risks",
        enterprises=scope.list_of_enterprises(),
        node=node,
        after=after,
        limit=limit,
    )
