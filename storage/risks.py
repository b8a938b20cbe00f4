"""Dynamic risk 动态风险 of hazard sources: one row each, what was last told."""

from collections.abc import Sequence

from domain.risk import SourceRisk
from storage.database import Connection
from storage.encoding import jsonb, text
from storage.queries import query


async def write_risks(conn: Connection, risks: Sequence[SourceRisk]) -> None:
    """Keep what is told of sources; of one source the last word counts, whatever its time.

    A spool that is drained again after a crash may bring old words back; at its first look a worker
    tells every source anew.
    """
    if risks:
        newest = {risk.source: risk for risk in risks}
        async with conn.cursor() as cursor:
            await cursor.executemany(query("upsert_risk"), [_row(one) for one in newest.values()])


def _row(risk: SourceRisk) -> dict[str, object]:
    return {
        "source": risk.source,
        "enterprise": risk.enterprise,
        "at": risk.at,
        "colour": risk.colour.value,
        "unknown": risk.unknown,
        "score": risk.score,
        "maybe_test": risk.maybe_test,
        "floors": jsonb(
            [
                {
                    "floor": floor.name,
                    "colour": colour.value,
                    "by": [id for held, id in risk.held_by if held is floor],
                }
                for floor, colour in risk.floors
            ]
        ),
        "reasons": jsonb(
            [
                {
                    "part": None if reason.part is None else reason.part.name,
                    "points": reason.points,
                    "alarm": reason.alarm,
                    "tag": reason.tag,
                    "input": reason.input,
                    "note": reason.note,
                }
                for reason in risk.reasons
            ]
        ),
        "version": text(risk.version),
    }
