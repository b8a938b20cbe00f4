"""What `hazwatch db kept` and the doctor say of a database's size, on real servers."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from domain.clock import SystemClock
from domain.frame import Frame
from domain.instant import micros
from hazwatch import doctor_kept
from hazwatch.cli import assembled
from hazwatch.doctor import Area, Outcome
from hazwatch.settings import Settings
from storage.database import DatabaseOptions, connect
from storage.retention import Keep
from storage.sizes import Sizes, TableSize, sizes
from tests.support.builders import START
from tests.support.clock import ManualClock
from tests.support.rollups import Kept

N = 20_000


async def fill(kept: Kept, end: datetime) -> None:
    """Two whole days before `end` and its own, 20,000 samples each."""
    for days in (2, 1, 0):
        first = micros(end.replace(hour=0) - timedelta(days=days))
        time = [first + 1000 * n for n in range(N)]
        await kept.write(Frame.of([7] * N, time, [1.0] * N, received=first))
    await kept.conn.execute("ANALYZE")


async def test_the_doctor_tells_what_a_day_adds_and_whether_roll_ups_are_behind(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as conn:
        kept = await Kept.of(conn)
        await fill(kept, START)
        samples = (await sizes(conn, Keep(), START)).tables[0]
        assert samples.rows_a_day == pytest.approx(N)
        assert samples.bytes_a_day is not None
        assert samples.size / 4 < samples.bytes_a_day < samples.size / 2
        assert samples.in_the_end == samples.bytes_a_day * 365
        for until, minutes, outcome in (
            (START - timedelta(hours=2), "120 minutes", Outcome.WARNING),
            (START, "0 s", Outcome.OK),
        ):
            await kept.roll_up(until)
            look = await doctor_kept.look(conn, Settings(), ManualClock(START), Area("database"))
            assert "a day, in the end" in look[0].found
            assert (look[1].outcome, look[1].found) == (outcome, f"{minutes} behind")


def test_an_empty_database_is_too_early_to_tell(database_url: str):
    said = CliRunner().invoke(
        assembled(), ["db", "kept", "--database-url", database_url, "--output", "json"]
    )
    assert said.exit_code == 0, said.output
    tables = json.loads(said.stdout)["tables"]
    assert [one["table"] for one in tables] == ["sample", "sample_minute", "sample_hour"]
    assert tables[0]["bytes_a_day"] is None


def test_what_is_kept_is_shown_as_a_table(timescale_url: str):
    async def filled() -> None:
        async with await connect(DatabaseOptions(timescale_url)) as conn:
            await fill(await Kept.of(conn), SystemClock().now())

    asyncio.run(filled())
    said = CliRunner().invoke(assembled(), ["db", "kept", "--database-url", timescale_url])
    assert said.exit_code == 0, said.output
    assert "20,000" in said.stdout


def test_a_disk_is_full_when_what_is_still_to_come_has_no_room():
    table = TableSize("sample", 100, None, 1.0, 10.0, 30)
    assert Sizes([table], 0, (0, 0)).full_after(199) == pytest.approx(19.9)
    assert Sizes([table], 0, (0, 0)).full_after(200) is None
