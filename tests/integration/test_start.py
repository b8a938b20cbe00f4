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
