"""The audit of registered set points 报警设定值 against GB/T 50493-2019 and the sanity rules."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, page, read_cursor
from api.schemas import Id, number_of
from domain.audit_row import worst
from domain.gas_rules import gas_rules
from domain.setpoints import Surroundings, audit, gas_of
from domain.site import Equipment, Substance, TagEntry
from storage.plant_reading import list_tags, source_designs
from storage.reading import Reading, Row
from storage.sessions import Scope

SeverityWord = Literal["ok", "note", "warning", "error"]


class AuditItem(BaseModel):
    """One comparison."""

    rule: str = Field(
        description="toxic, toxic_idlh, combustible, line, oxygen, range, gas, both or sanity"
    )
    member: str = Field(examples=["limits.H"])
    value: float | None
    unit: str
    allowed: str = Field(description="in the same unit", examples=["≤ 28.71"])
    severity: SeverityWord = Field(
        description="error: not allowed; warning: allowed under a condition, or missing; "
        "note: could not be compared, or worth a look"
    )
    text: str
    clause: str
    source: str
    confidence: str


class AuditedTag(BaseModel):
    """A tag with everything that was compared."""

    tag: Id
    name: str = Field(examples=["GD-21"])
    enterprise: Id
    source: Id
    kind: str
    unit: str
    gas: str | None = Field(description="which gas it measures; null: not known")
    worst: SeverityWord
    standard: str
    version: str = Field(description="of the data file")
    rows: list[AuditItem]


def audit_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /audit/setpoints."""
    router = APIRouter(tags=["plant"])

    @router.get("/audit/setpoints", operation_id="auditSetpoints")
    async def setpoints(
        scope: Annotated[Scope, Depends(guard.reader)],
        node: Annotated[str | None, Query(description="only below this node")] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[AuditedTag]:
        """Tags by name, each with every comparison that can be made of its set points."""
        key = read_cursor(cursor, str, int)
        after = None if key is None else (str(key[0]), int(str(key[1])))
        rows = await list_tags(reading, scope, number_of(node), after, limit + 1)
        wanted = sorted({row["source"] for row in rows})
        designs = await source_designs(reading, scope, wanted)
        around = {row["id"]: surroundings(row) for row in designs}
        return page(
            rows, limit, lambda row: audited(row, around), lambda row: (row["name"], row["id"])
        )

    return router


def surroundings(design: Row) -> Surroundings:
    """What a row of `source_designs` says of a source."""
    held, vessels = design["detail"].get("substances", ()), design["vessels"]
    return Surroundings(
        tuple(Substance.model_validate(one, strict=False) for one in held),
        tuple(Equipment.model_validate(one, strict=False) for one in vessels),
    )


def audited(row: Row, around: Mapping[int, Surroundings]) -> AuditedTag:
    """A row of `list_tags`, audited."""
    rules = gas_rules()
    tag = TagEntry.model_validate(row["spec"], strict=False)
    place = around.get(row["source"], Surroundings())
    found, gas = audit(tag, place, rules), gas_of(tag, place, rules)
    name = f"{gas.zh} {gas.name}" if gas is not None and tag.kind.startswith("gas_") else None
    return AuditedTag(
        tag=str(row["id"]),
        name=row["name"],
        enterprise=str(row["enterprise"]),
        source=str(row["source"]),
        kind=row["kind"],
        unit=row["unit"],
        gas=name,
        worst=worst(found).value,
        standard=rules.standard,
        version=rules.version,
        rows=[AuditItem.model_validate(asdict(one)) for one in found],
    )
