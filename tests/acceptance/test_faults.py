"""What nobody can make it lose: real process, real broker, real TimescaleDB, faults for real."""

import asyncio
import signal

import pytest

from tests.support import load

KILLS = 20


@pytest.mark.parametrize(
    "kills", [KILLS, pytest.param(200, marks=pytest.mark.soak)], ids=["20", "200"]
)
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
        for _ in range(3):
            await stage.clock.sleep(stage.chance.uniform(0.5, 1.5))
            assert await asyncio.to_thread(stage.service.end, signal.SIGTERM) == 0
            await stage.start()
        await stage.settle()
        stage.check_everything()


async def test_broker_restarted_under_load_loses_nothing(story):
    async with story() as stage:
        for _ in range(2):
            await stage.clock.sleep(2)
            await asyncio.to_thread(stage.broker.restart, signal.SIGTERM)
        await stage.clock.sleep(2)
        await stage.settle()
        stage.check_everything()


@pytest.mark.parametrize("away_s", [20, pytest.param(60, marks=pytest.mark.soak)])
async def test_database_away_alarms_go_on_and_the_journal_has_everything_afterwards(story, away_s):
    async with story() as stage:
        await stage.clock.sleep(2)
        await asyncio.to_thread(stage.database.stop, signal.SIGINT)
        away_from = stage.clock.now()
        raised = stage.service.log.count("action=raise")
        await stage.clock.sleep(away_s)
        assert stage.service.log.count("action=raise") > raised, "alarms did not wait"
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
        await stage.clock.sleep(2)
        await asyncio.to_thread(stage.database.stop, signal.SIGQUIT)
        await stage.clock.sleep(4)
        await asyncio.to_thread(stage.service.end, signal.SIGKILL)
        await asyncio.to_thread(stage.database.start)
        await stage.start()
        await stage.clock.sleep(1)
        await stage.settle()
        stage.check_everything()
