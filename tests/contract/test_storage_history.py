import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest

from domain.frame import Frame
from domain.instant import micros
from storage.database import DatabaseOptions, connect
from storage.history import History, read_history
from storage.reading import Reading
from tests.support.builders import at
from tests.support.rollups import Kept

TAG, OTHER = 7, 8
N = 40_000
"""Samples of 5 s, with a gap of ten hours, an hour without values and a peak."""


def samples() -> list[tuple[datetime, float]]:
    rng = np.random.default_rng(5)
    values = np.round(5 + rng.normal(0, 1, N), 3)
    values[20_000:20_720] = np.nan
    values[12_345], values[30_001] = 99.0, -44.0
    return [(at(5 * n + 0.25), float(v)) for n, v in enumerate(values) if not 5000 <= n < 12_200]


@pytest.fixture(scope="module")
def readings() -> list[tuple[datetime, float]]:
    return samples()


@pytest.fixture(scope="module", params=["timescale_databases", "plain_databases"])
def filled_url(request: pytest.FixtureRequest, readings):
    """A database in which these samples are rolled up, but for the last hours."""

    async def fill(url: str) -> None:
        async with await connect(DatabaseOptions(url)) as conn:
            kept = await Kept.of(conn)
            times = [micros(time) for time, _ in readings]
            values = [value for _, value in readings]
            for tag in (TAG, OTHER):
                await kept.write(
                    Frame.of([tag] * len(times), times, values, received=times[0] + tag)
                )
            await kept.roll_up(readings[-1][0] - timedelta(hours=3))
            assert len(await kept.rolled()) > 3000

    with request.getfixturevalue(request.param).fresh() as url:
        asyncio.run(fill(url))
        yield url


async def read(url: str, start: datetime, end: datetime, points: int) -> History:
    async with Reading(url, size=1) as reading:
        return await read_history(reading, TAG, start, end, points)


def compare(
    found: History, readings: Sequence[tuple[datetime, float]], start: datetime, end: datetime
) -> None:
    """Every bucket is what the samples in it make of it, and every sample is in one."""
    assert found.width is not None
    within = [(time, value) for time, value in readings if start <= time < end]
    begins = [row["time"] for row in found.rows]
    assert begins == sorted(set(begins))
    for row in found.rows:
        origin = row["time"] if row["time"] > start else _origin(found, start)
        values = [v for time, v in within if row["time"] <= time < origin + found.width]
        real = [v for v in values if math.isfinite(v)]
        assert (row["samples"], row["count"]) == (len(values), len(real))
        assert row["low"] == (min(real) if real else None)
        assert row["high"] == (max(real) if real else None)
        assert row["mean"] == (pytest.approx(math.fsum(real) / len(real)) if real else None)
    assert sum(row["samples"] for row in found.rows) == len(within)


def _origin(found: History, start: datetime) -> datetime:
    """Where the bucket that holds the start begins: on a whole minute or hour, if its width is."""
    assert found.width is not None
    unit = next(
        u for u in (timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1))
        if found.width % u == timedelta(0)
    )  # fmt: skip
    return start - (start - datetime(2000, 1, 1, tzinfo=start.tzinfo)) % unit


@pytest.mark.parametrize(
    ("begin", "seconds", "points"),
    [
        (0, 5 * N, 2000),
        (1234.5, 5 * N, 1000),
        (0.25, 5 * N + 0.5, 50),
        (59.999999, 3600 * 40, 12),
        (3600, 3600 * 30, 10),
        (180_000, 20_000, 300),
        (100_000, 9000, 100),
        (196_000, 4000, 50),
        (7, 61, 2),
    ],
)
async def test_every_bucket_is_right_whatever_it_comes_from(
    filled_url: str, readings, begin: float, seconds: float, points: int
):
    start, end = at(begin), at(begin + seconds)
    found = await read(filled_url, start, end, points)
    assert len(found.rows) <= points
    compare(found, readings, start, end)


async def test_samples_come_as_they_are_where_they_fit(filled_url: str, readings):
    found = await read(filled_url, at(0), at(3600), 1000)
    assert found.width is None
    assert len(found.rows) == 720
    sparse = await read(filled_url, at(24_000), at(62_000), 400)
    assert (sparse.width, len(sparse.rows)) == (None, 400)
