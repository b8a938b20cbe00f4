"""Photographs and files of warning cases: kept once, shown to whoever may see the case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.reading import Reading, Row
from storage.sessions import Scope

FILES = 100
"""So many files a case takes."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that somebody sends for a case. sha256: in hex."""

    id: UUID
    case: UUID
    enterprise: int
    name: str
    type: str
    sha256: str
    content: bytes
    by: str
    at: datetime


async def add_file(reading: Reading, file: NewFile) -> UUID | None:
    """Keep a file; the id of the one with the same content where the case has it, None where the
    case has `FILES` already."""
    row = await reading.row(
        "add_case_file",
        id=file.id,
        case=file.case,
        enterprise=file.enterprise,
        name=file.name,
        type=file.type,
        size=len(file.content),
        sha256=file.sha256,
        content=file.content,
        by=file.by,
        at=file.at,
        most=FILES,
    )
    return None if row is None else row["id"]


async def describe_files(
    reading: Reading, scope: Scope, case: UUID, ids: Sequence[UUID]
) -> list[Row]:
    """id, name, type, size and sha256 of those of the files that the case has, as asked for."""
    rows = await reading.rows(
        "case_files", enterprises=scope.list_of_enterprises(), case=case, ids=list(ids)
    )
    return [row | {"id": str(row["id"])} for row in rows]


async def read_file(reading: Reading, scope: Scope, case: UUID, id: UUID) -> Row | None:
    """name, type and content of a file; None if it is not there for this reader."""
    return await reading.row("case_file", enterprises=scope.list_of_enterprises(), case=case, id=id)
