"""Identification and grading by GB 18218-2018 of what is registered about a source."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Guard
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, number_of
from domain.gb18218_account import account
from domain.gb18218_tables import tables
from domain.grading import assess_source
from domain.site import Source
from storage.plant_reading import source_designs
from storage.reading import Reading, Row
from storage.sessions import Scope


class Exact(BaseModel):
    """A number that was never rounded."""

    exact: str = Field(description="all decimals, or a fraction", examples=["124.44", "10/3"])
    value: float | None = Field(description="for display; null: beyond a float")


class OriginItem(BaseModel):
    """Where a number or a rule is from."""

    standard: str
    clause: str
    source: str
    confidence: str = Field(description="V2, V1, A, K, K?, P, or given", examples=["V2"])
    valid_from: str
    check: str | None = Field(description="what a person with the standard at hand must look at")


class SourcedNumber(Exact, OriginItem):
    """A number of the standard, where it is from, and why it was taken."""

    why: str


class SubstanceRow(BaseModel):
    """One substance of the sum. critical_t: null where it does not count."""

    name: str
    cas: str | None
    quantity_t: Exact
    quantity_from: str = Field(description="`design_t`, or the product it comes from")
    critical_t: SourcedNumber | None
    beta: SourcedNumber | None
    fraction: Exact = Field(description="q/Q")
    weighted: Exact | None = Field(description="β·q/Q; null where nothing is graded")
    notes: list[str]


class GradeStep(BaseModel):
    """A grade begins at this R, inclusive."""

    grade: int
    name: str
    since: Exact = Field(alias="from")


class AlphaStep(BaseModel):
    """From so many people on, inclusive, α is this."""

    since: int = Field(alias="from")
    alpha: Exact


class GradingItem(BaseModel):
    """The whole arithmetic. alpha, weighted, r, grade: null where S < 1."""

    standard: str
    title: str
    version: str = Field(description="of the data file")
    formula: str
    substances: list[SubstanceRow]
    s: Exact = Field(description="辨识指标, Σ q/Q")
    identified_from: Exact
    identified: bool
    population_500m: int | None
    alpha: SourcedNumber | None
    weighted: Exact | None = Field(description="Σ β·q/Q")
    r: Exact | None
    grade: int | None = Field(description="1 (一级) to 4 (四级)")
    grade_name: str
    grades: list[GradeStep]
    alphas: list[AlphaStep]
    rules: dict[str, OriginItem]
    uncertain: list[str] = Field(description="numbers used that must be checked by a person")


class ProblemItem(BaseModel):
    """Why there is no grading."""

    path: str = Field(examples=["substances[0].category"])
    text: str


class GradeItem(BaseModel):
    """What GB 18218-2018 makes of a source. It never changes the registered grade."""

    source: Id
    enterprise: Id
    code: str
    name: str
    outcome: Literal["graded", "not_identified", "open", "empty"] = Field(
        description="open: something is missing; empty: no substances are registered"
    )
    registered_grade: int = Field(description="1 to 4; 0: registered as no major hazard source")
    agrees: bool | None = Field(description="registered is what comes out; null: nothing came out")
    grading: GradingItem | None
    notes: list[str]
    problems: list[ProblemItem]


def grade_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /sources/{id}/grade."""
    router = APIRouter(tags=["plant"])

    @router.get("/sources/{id}/grade", operation_id="readGrade")
    async def grade(id: str, scope: Annotated[Scope, Depends(guard.reader)]) -> GradeItem:
        """The registered design of a source, identified and graded, with every number's origin."""
        rows = await source_designs(reading, scope, [number_of(id) or -1])
        if not rows:
            raise Problem(404, EXPLANATIONS["not-found"])
        return GradeItem.model_validate(grade_item(rows[0]))

    return router


def grade_item(row: Row) -> dict[str, Any]:
    """A row of `source_designs`, assessed."""
    head = {"kind": "storage", "code": row["code"], "name": row["name"]}
    source = Source.model_validate(
        head | row["detail"] | {"equipment": row["vessels"]}, strict=False
    )
    found = assess_source(source, row["population"], (), tables())
    return account(found) | {"source": str(row["id"]), "enterprise": str(row["enterprise"])}
