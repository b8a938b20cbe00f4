"""Disks that are full: that of the spool, and that of the database."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import sql

from domain.clock import SystemClock
from storage.database import DatabaseOptions, connect
from storage.journal import Entry
from storage.spool import Spool
from tests.support.journaling import QUICK, Ears, ask, entry, journal, leased, running
from tests.support.proxy import Wire, proxy
from tests.support.seed import Seed
from tests.support.servers import Timescale
from tests.support.small_disk import SmallDisk, small_disk

SAMPLES = 500


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 2) as made:
        yield made


def aside(folder: Path) -> list[Path]:
    return list(folder.glob("spool/*.rejected"))


async def stored(url: str) -> int:
    async with await connect(DatabaseOptions(url)) as conn:
        ((count, tags),) = await ask(
            conn, "SELECT count(*), count(DISTINCT (tag_id, time)) FROM sample"
        )
    assert count == tags
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("relief", ["room", "database"])
async def test_a_full_disk_stops_acknowledgements_and_what_then_helps_is_enough(
    timescale_url: str, disk: SmallDisk, relief: str
):
    plant = Seed(timescale_url).plant()
    fence = await leased(timescale_url)
    ears, metrics = Ears(), CollectorRegistry()
    async with (
        proxy(timescale_url, 5432) as (wire, url),
        journal(url, Spool(disk.path / "spool"), fence.epoch, ears, QUICK, metrics) as book,
        running(book),
    ):
        await wire.become(Wire.CUT)
        book.put(entry(plant, 0, SAMPLES))
        await ears.until(lambda heard: len(heard.safe) == 1)
        disk.fill()
        for number in range(1, 10):
            book.put(entry(plant, number, SAMPLES))
        await ears.until(lambda _: book.no_room_since is not None)
        await ears.until(lambda heard: len(heard.told) == 10)
        safe = len(ears.safe)
        assert safe < 10
        assert metrics.get_sample_value("hazwatch_no_room") == 1
        if relief == "room":
            disk.free()
            await ears.until(lambda heard: len(heard.safe) == 10)
            assert book.no_room_since is None
            assert metrics.get_sample_value("hazwatch_no_room") == 0
            assert ears.stored == []
        await wire.become(Wire.SOUND)
        await ears.until_stored(10)
        assert book.no_room_since is None
        assert ears.told_numbers == ears.safe_numbers == ears.stored_numbers == list(range(10))
    assert await stored(timescale_url) == 10 * SAMPLES


async def test_an_entry_that_can_be_set_aside_nowhere_waits_for_room(
    timescale_url: str, disk: SmallDisk
):
    plant = Seed(timescale_url).plant()
    fence = await leased(timescale_url)
    whole = entry(plant, 1, SAMPLES)
    assert whole.batch is not None
    odd = replace(whole.batch.ledger[0], gateway=404)
    ears = Ears()
    async with (
        proxy(timescale_url, 5432) as (wire, url),
        journal(url, Spool(disk.path / "spool"), fence.epoch, ears) as book,
        running(book),
    ):
        await wire.become(Wire.CUT)
        book.put(entry(plant, 0, SAMPLES))
        book.put(Entry(1, batch=replace(whole.batch, ledger=(odd,))))
        book.put(entry(plant, 2, SAMPLES))
        await ears.until(lambda heard: len(heard.safe) == 3)
        disk.fill()
        await wire.become(Wire.SOUND)
        await ears.until_stored(1)
        assert aside(disk.path) == []
        disk.free()
        await ears.until_stored(2)
        assert ears.stored_numbers == [0, 2]
        assert len(aside(disk.path)) == 1
    assert await stored(timescale_url) == 2 * SAMPLES


@pytest.fixture
def database_disk(timescale: Timescale, timescale_url: str) -> Iterator[SmallDisk]:
    """The disk on which all of this database lies."""
    if not isinstance(timescale, Timescale):
        pytest.skip("somebody's server: its disk is not ours to fill")
    path, inside, owner = timescale.place("small")
    with (
        small_disk(path, 80, owner) as made,
        psycopg.connect(timescale.url, autocommit=True) as conn,
    ):
        conn.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(inside))
        name = sql.Identifier(urlsplit(timescale_url).path.removeprefix("/"))
        conn.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE small").format(name))
        try:
            yield made
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
            conn.execute("DROP TABLESPACE small")


async def test_a_database_whose_disk_is_full_counts_as_away_and_sets_nothing_aside(
    timescale_url: str, database_disk: SmallDisk, tmp_path: Path
):
    plant = Seed(timescale_url).plant()
    fence = await leased(timescale_url)
    ears, many = Ears(), 20_000
    async with (
        journal(timescale_url, tmp_path / "spool", fence.epoch, ears) as book,
        running(book),
    ):
        book.put(entry(plant, 0, SAMPLES))
        await ears.until_stored(1)
        database_disk.fill()
        for number in range(1, 5):
            book.put(entry(plant, number, many))
        await ears.until(lambda heard: len(heard.safe) == 5)
        await SystemClock().sleep(1)  # ten attempts
        assert book.degraded
        assert len(ears.stored) < 5
        assert aside(tmp_path) == []
        database_disk.free()
        await ears.until_stored(5)
        assert ears.safe_numbers == ears.stored_numbers == list(range(5))
    assert aside(tmp_path) == []
    assert await stored(timescale_url) == SAMPLES + 4 * many
