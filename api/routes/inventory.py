"""Inventory 储量 of a hazard source: tanks, substances, and the live figure beside design."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Guard
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, Instant, number_of
from domain.clock import Clock
from domain.inventory import Sight
from storage.inventories import find_inventory
from storage.reading import Reading, Row
from storage.sessions import Scope


class GaugeItem(BaseModel):
    """A level gauge and its last reading that counts."""

    tag: Id
    name: str = Field(examples=["LT-201A"])
    value: float | None
    unit: str
    volume_m3: float | None = Field(description="by this gauge")
    good: Instant | None = Field(description="its last good sample; null: none")
    age_s: float | None = Field(description="seconds since then, now")


class TankItem(BaseModel):
    """A tank; the highest of its gauges counts. null: not known."""

    id: Id
    code: str = Field(examples=["V-201"])
    name: str
    quality: Literal["good", "stale", "bad", "unknown"] = Field(
        description="stale, bad: its last mass is held"
    )
    gauges: list[GaugeItem]
    age_s: float | None = Field(description="of the oldest of its gauges")
    volume_m3: float | None
    capacity_m3: float
    density_t_m3: float | None
    tonnes: float | None
    design_t: float | None
    load: float | None = Field(description="tonnes over design_t")
    substance: str | None
    notes: list[str] = Field(description="what is missing to know more")


class SubstanceItem(BaseModel):
    """A registered substance. null: not known, or in no tank."""

    name: str
    cas: str | None
    tonnes: float | None = Field(description="in the tanks whose mass is known")
    design_t: float | None
    critical_t: float | None = Field(description="critical quantity 临界量 Q of GB 18218")
    load: float | None = Field(description="tonnes over design_t")


class InventoryItem(BaseModel):
    """The inventory of a source as it was last told. null: not known."""

    source: Id
    source_name: str
    grade: int | None = Field(description="registered grade 1 to 4; the inventory never changes it")
    at: Instant | None = Field(description="null: nothing was told yet")
    load: float | None = Field(
        description="u, the largest share of a design amount: of a tank, a substance, all pooled"
    )
    pooled: float | None = Field(description="Σ(tonnes/Q) / Σ(design/Q) of measured substances")
    s_now: float | None = Field(description="Σ tonnes/Q of measured substances")
    s_design: float | None = Field(description="Σ design/Q of all")
    complete: bool = Field(description="false: s_now is a lower bound")
    held: int = Field(description="tanks whose last mass is held")
    tanks: list[TankItem]
    substances: list[SubstanceItem]


def inventory_routes(reading: Reading, guard: Guard, clock: Clock) -> APIRouter:
    """GET /sources/{id}/inventory."""
    router = APIRouter(tags=["plant"])

    @router.get("/sources/{id}/inventory", operation_id="readInventory")
    async def inventory(id: str, scope: Annotated[Scope, Depends(guard.reader)]) -> InventoryItem:
        """What is in the tanks of a source, and how much that is of what was designed."""
        row = await find_inventory(reading, scope, number_of(id) or -1)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        return inventory_item(row, clock.now())

    return router


NOTHING: Mapping[str, Any] = {
    "pooled": None,
    "s_now": None,
    "s_design": None,
    "complete": False,
    "held": 0,
    "tanks": [],
    "substances": [],
}


def inventory_item(row: Row, now: datetime) -> InventoryItem:
    """A row of `find_inventory` as the wire has it; ages are as of `now`."""
    body = dict(row["body"] or NOTHING)
    tanks = [_tank(tank, row["vessels"], row["tags"], now) for tank in body.pop("tanks")]
    return InventoryItem.model_validate(
        {
            **body,
            "source": str(row["source"]),
            "source_name": row["source_name"],
            "grade": row["grade"],
            "at": row["at"],
            "load": row["load"],
            "tanks": tanks,
        }
    )


def _tank(
    told: Mapping[str, Any], vessels: Mapping[str, Any], tags: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    code, name = vessels.get(str(told["node"]), ("", ""))
    gauges = [_gauge(gauge, tags, now) for gauge in told["gauges"]]
    ages = [gauge["age_s"] for gauge in gauges if gauge["age_s"] is not None]
    return {
        **told,
        "id": str(told["node"]),
        "code": code,
        "name": name,
        "quality": Sight(told["sight"]).name.lower(),
        "gauges": gauges,
        "age_s": max(ages, default=None),
    }


def _gauge(told: Mapping[str, Any], tags: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    name, unit = tags.get(str(told["tag"]), ("", ""))
    good = None if told["good"] is None else datetime.fromisoformat(told["good"])
    age = None if good is None else max(0.0, (now - good).total_seconds())
    return {**told, "tag": str(told["tag"]), "name": name, "unit": unit, "age_s": age}
