"""The real process at a start without its servers."""

import asyncio
import signal

from domain.clock import SystemClock
from tests.support.service import Service

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


async def test_without_a_database_it_waits_and_a_signal_ends_it_in_order(tmp_path):
    clock = SystemClock()
    with Service(tmp_path, NOWHERE, "mqtt://127.0.0.1:1", roles="worker,api") as service:
        service.start()
        deadline = clock.elapsed() + 60
        while "database away" not in service.log:
            assert not service.watching
            assert clock.elapsed() < deadline, service.log
            await clock.sleep(0.1)
        assert await asyncio.to_thread(service.end, signal.SIGTERM, 10) == 0


async def test_without_a_broker_it_works_but_says_not_yet_that_it_is_watching(
    tmp_path, timescale_url
):
    clock = SystemClock()
    with Service(tmp_path, timescale_url, "mqtt://127.0.0.1:1") as service:
        service.start()
        deadline = clock.elapsed() + 60
        while "no connection to the broker" not in service.log:
            assert not service.watching
            assert clock.elapsed() < deadline, service.log
            await clock.sleep(0.1)
        assert not service.watching
        assert await asyncio.to_thread(service.end, signal.SIGTERM, 10) == 0
