"""What nobody can make it lose: real process, real broker, real TimescaleDB, faults for real.

Each ends with `check_everything`. Long forms are marked `soak`.
"""

import asyncio
import signal
from pathlib import Path

import pytest

from hazwatch import ticks
from tests.support import load
from tests.support.echo import backfill, echo
from tests.support.proxy import Wire
from tests.support.small_disk import small_disk


@pytest.mark.parametrize("kills", [8, pytest.param(50, marks=pytest.mark.soak)])
async def test_killed_at_random_moments_every_sample_is_there_once_and_the_history_is_the_same(
    story, kills
):
    # With so many snapshots nearly every run begins from another one.
    async with story(snapshot_every_s="0.3") as stage:
        for _ in range(kills):
            await stage.clock.sleep(stage.chance.uniform(0.1, 1.5))
            await stage.kill()
        await stage.clock.sleep(2)
        await stage.settle()
        stage.check_everything()


async def test_sigterm_ends_in_order_and_loses_nothing(story):
    async with story() as stage:
        for _ in range(2):
            await stage.clock.sleep(stage.chance.uniform(0.5, 1.5))
            assert await asyncio.to_thread(stage.service.end, signal.SIGTERM) == 0
            await stage.start()
        await stage.settle()
        stage.check_everything()


@pytest.mark.parametrize("away_s", [8, pytest.param(60, marks=pytest.mark.soak)])
async def test_broker_and_database_away_one_by_one_and_together_lose_nothing(story, away_s):
    """Alarms do not wait for the database."""
    async with story() as stage:
        await stage.clock.sleep(1)
        await stage.restart_broker()
        await stage.clock.sleep(2)
        await asyncio.to_thread(stage.database.stop, signal.SIGINT)
        away_from = stage.clock.now()
        raised = stage.service.log.count("action=raise")
        await stage.clock.sleep(away_s)
        assert stage.service.log.count("action=raise") > raised, "alarms did not wait"
        await stage.restart_broker()
        await stage.clock.sleep(1)
        away_until = stage.clock.now()
        await asyncio.to_thread(stage.database.start)
        await stage.clock.sleep(1)
        await stage.settle()
        stage.check_everything()
        during = load.number(
            stage.url,
            "SELECT count(*) FROM alarm_event WHERE event = 'raise' AND at BETWEEN %s AND %s",
            away_from,
            away_until,
        )
        assert during > 0


async def test_killed_while_the_database_is_away_the_spool_is_drained_by_the_next_run(story):
    async with story() as stage:
        await stage.clock.sleep(1)
        await asyncio.to_thread(stage.database.stop, signal.SIGQUIT)
        await stage.clock.sleep(3)
        await asyncio.to_thread(stage.service.end, signal.SIGKILL)
        await asyncio.to_thread(stage.database.start)
        await stage.start()
        await stage.clock.sleep(1)
        await stage.settle()
        stage.check_everything()


@pytest.mark.parametrize("lasts_s", [2, pytest.param(60, marks=pytest.mark.soak)])
async def test_a_network_that_breaks_in_every_way_loses_nothing(story, lasts_s):
    """Cut, with one end gone, and silent; to the broker, to the database, and to both.

    After 10 s without a broker held values count (decision 9): what is raised or returns in such a
    time may be otherwise than in a run without faults.
    """
    long = lasts_s > ticks.DEAF.total_seconds()
    async with story(wired=True, shed_after_s="1") as stage:
        wires = stage.wires
        if long:  # every tag has been in alarm
            await stage.clock.sleep(30)
        for broken in (["broker"], ["database"], ["broker", "database"]):
            for how in (Wire.CUT, Wire.HALF_OPEN, Wire.SILENT):
                began = stage.clock.now()
                for what in broken:
                    await wires[what].become(how)
                await stage.clock.sleep(lasts_s)
                for what in broken:
                    await wires[what].become(Wire.SOUND)
                await stage.caught_up(60)
                if long and "broker" in broken:
                    stage.deaf.append((began, stage.clock.now()))
        await stage.settle()
        stage.check_everything()


async def test_repeats_disorder_and_a_burst_of_two_hours_of_backfill_at_once(story, mosquitto):
    """Every live message comes again, late and out of order; two hours of history come shuffled,
    each message twice."""
    async with story() as stage:
        async with asyncio.TaskGroup() as tasks:
            echoing = tasks.create_task(echo(mosquitto.url, stage.park, stage.chance, stage.clock))
            for code, player in stage.players.items():
                stage.besides |= await backfill(
                    mosquitto.url,
                    player.gateway.address,
                    load.ids_of(stage.registry, code),
                    stage.chance,
                    stage.clock.now(),
                )
            await stage.clock.sleep(5)
            await stage.settle()
            await stage.clock.sleep(3)
            echoing.cancel()
        expected = len(load.truth(stage.registry, stage.players)) + len(stage.besides)
        count = "SELECT count(*) FROM sample"
        await stage.until(
            lambda: load.number(stage.url, count) == expected, 60, "all of the backfill is there"
        )
        stage.check_everything()
        counts = load.counts(stage.url)
        assert counts["messages_repeated"] > 100
        assert counts["values_conflict"] == counts["values_quarantined"] == 0


async def test_a_full_disk_without_a_database_stops_acknowledgements_and_people_are_told(
    story, tmp_path: Path
):
    with small_disk(tmp_path / "full", 8) as disk:
        async with story(data_dir=str(disk.path)) as stage:
            await stage.clock.sleep(1)
            await asyncio.to_thread(stage.database.stop, signal.SIGINT)
            await stage.clock.sleep(1)
            disk.fill()
            await stage.until(lambda: "无法存储" in stage.service.log, 20, "people are told")
            raised = stage.service.log.count("action=raise")
            await stage.until(
                lambda: stage.service.log.count("action=raise") > raised, 15, "other alarms go on"
            )
            held = sum(player.gateway.held for player in stage.players.values())
            assert held > 0
            disk.free()
            await stage.clock.sleep(2)
            await asyncio.to_thread(stage.database.start)
            await stage.clock.sleep(1)
            await stage.settle()
            stage.check_everything()
            told = "SELECT count(*) FROM alarm_event WHERE body->>'kind' = 'NO_ROOM'"
            assert load.number(stage.url, told) >= 1
