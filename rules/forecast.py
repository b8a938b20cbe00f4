"""PREDICT 趋势预警: HH or LL will be reached within the time that an operator needs to act.

Raised when the line to believe (`rules.lines`) reaches the limit within 1.25 action times with
P > 0.8, by a slope beyond doubt, for 2 to 5 samples in a row, so that the action time is left;
returned when P <= 0.2 for as many: not to know is no return. Where only H or L exist they stand for
HH and LL. Once the limit is crossed beyond doubt it is about the end of the range, told as WORSE. A
fill target before the limit means that a filling ends there: nothing is said until the level is
beyond it. A sample that is not good or not finite freezes the lines, ends nothing, and its time
widens the interval; after a gap of several windows the lines begin anew. Reports by exception add
deadband^2 / 12 to the variance.
"""

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Floats
from domain.instant import FAR, SECOND
from rules.discounts import no_discounts
from rules.findings import Collector
from rules.forecast_memory import ForecastMemory, Records
from rules.forecast_table import ForecastTable, compile_forecast
from rules.foretell import TOLD, pass_samples
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

MOST = 1024
"""Edges that are told at a time."""


def fresh(table: ForecastTable) -> ForecastMemory:
    """Nothing is known of any tag."""
    return ForecastMemory.fresh(len(table.keys))


def judge(
    plan: Plan,
    table: ForecastTable,
    memory: ForecastMemory,
    samples: Samples,
    received: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Take in the samples of a frame."""
    take(table, memory, samples, found)


def take(table: ForecastTable, memory: ForecastMemory, samples: Samples, found: Collector) -> None:
    """Take in samples of known tags."""
    if not len(table.keys):
        return
    told, first = np.empty(min(len(samples), MOST), TOLD), 0
    while first < len(samples):
        first, count = pass_samples(
            table.law, table.sorts, table.sort, table.rows, memory.known, memory.onset,
            samples.slot, samples.at, samples.value, samples.before, samples.previous,
            samples.good, no_discounts(), first, told,
        )  # fmt: skip
        if count:
            _tell(table, samples, told[:count].copy(), found)


def _tell(table: ForecastTable, samples: Samples, told: Records, found: Collector) -> None:
    """detail: rate, unit per minute; since, instant; scale, seconds; eta, earliest, latest,
    instants, infinite without a prediction; probability, within `action` seconds, which are the
    action time and what it is watched for beforehand; noise, unit; clipped, a number."""
    which, at = told["sample"], samples.at[told["sample"]]
    slot, now = samples.slot[which], at.astype(np.float64)
    sort = table.sorts[table.sort[table.rows[slot] if len(table.rows) else slot]]
    detail = {
        "rate": 60 * told["rate"],
        "since": now - SECOND * told["scale"],
        "scale": told["scale"],
        "eta": now + SECOND * told["eta"],
        "earliest": now + SECOND * told["earliest"],
        "latest": now + SECOND * told["latest"],
        "probability": told["probability"],
        "action": table.law.warn.ahead * sort["action"].astype(np.float64),
        "noise": told["noise"],
        "clipped": told["clipped"],
    }
    end = told["end"] + sort["anchor"]
    limit = np.where(np.isnan(end), _limits(found.plan, slot, told["direction"] > 0), end)
    found.tags(
        told["edge"], Kind.PREDICT, slot, told["onset"], at, samples.value[which], limit, "", detail
    )


def _limits(plan: Plan, slot: NDArray[np.intp], up: NDArray[np.bool_]) -> Floats:
    """The limits as they were written: HH or else H, LL or else L."""
    outer = plan.limits.limit[slot, np.where(up, Kind.HH, Kind.LL)]
    inner = plan.limits.limit[slot, np.where(up, Kind.H, Kind.L)]
    return np.where(np.isnan(outer), inner, outer)


def pass_time(
    plan: Plan,
    table: ForecastTable,
    memory: ForecastMemory,
    at: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Time alone moves no line."""


def next_due(table: ForecastTable, memory: ForecastMemory) -> int:
    """Never."""
    return FAR


FORECAST = Layer("forecast", (Kind.PREDICT,), compile_forecast, fresh, judge, pass_time, next_due)
