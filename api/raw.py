"""What senders sent, where it was another number than is stored."""

from collections.abc import Sequence
from fractions import Fraction

from pydantic import BaseModel, Field

from api.routes.audit import surroundings
from domain.gas_rules import gas_rules
from domain.gas_units import grams_per_litre
from domain.plant import TagKind
from domain.raw_values import asks_for_gas, raw_value
from domain.setpoints import Surroundings, gas_of
from domain.site import TagEntry
from storage.plant_reading import flagged_samples, source_designs
from storage.reading import Reading, Row
from storage.sessions import Scope


class RawValue(BaseModel):
    """What came in another unit, or as a number that means no value."""

    value: float = Field(examples=[731.0])
    unit: str | None = Field(description="null: a number that means no value", examples=["cm"])


class RawValues:
    """Tells what came, from rows with flags, value, and unit, kind, spec and source of the tag."""

    def __init__(self, around: dict[int, Surroundings]) -> None:
        self._around = around

    @staticmethod
    async def of(reading: Reading, scope: Scope, rows: Sequence[Row]) -> "RawValues":
        """For these rows; looks up which gas it is only where that counts."""
        sources = {
            row["source"]
            for row in rows
            if row["flags"] and asks_for_gas(row["flags"], row["unit"], TagKind(row["kind"]))
        }
        designs = await source_designs(reading, scope, sorted(sources)) if sources else []
        return RawValues({row["id"]: surroundings(row) for row in designs})

    def one(self, row: Row) -> RawValue | None:
        """Of one row; None: what came is what is stored."""
        if not row["flags"]:
            return None
        kind, unit = TagKind(row["kind"]), row["unit"]
        grams = self._grams(row) if asks_for_gas(row["flags"], unit, kind) else None
        found = raw_value(row["flags"], row["value"], unit, kind, grams)
        return None if found is None else RawValue(value=found[0], unit=found[1])

    def _grams(self, row: Row) -> Fraction | None:
        tag = TagEntry.model_validate(row["spec"], strict=False)
        around = self._around.get(row["source"], Surroundings())
        return grams_per_litre(gas_of(tag, around, gas_rules()), gas_rules())


async def came_of(reading: Reading, scope: Scope, rows: Sequence[Row]) -> dict[int, RawValue]:
    """By tag what came, where it is another number than these rows (tag, time, value) have."""
    values = {row["tag"]: row["value"] for row in rows}
    flagged = await flagged_samples(reading, scope, [(row["tag"], row["time"]) for row in rows])
    coded = [{**row, "value": values[row["tag"]]} for row in flagged]
    raw = await RawValues.of(reading, scope, coded)
    return {row["tag"]: one for row in coded if (one := raw.one(row)) is not None}
