"""A worker that stood still for longer than its lease: what it had not begun to send is the
other's."""

import asyncio

from alerts.outgoing import AT_ONCE
from hazwatch.cli import REPLACED
from tests.support.proxy import Wire, proxy
from tests.support.webhooks import receiving

LEASE_S = 2.0
HOOKS = 12
SLOW_S = 0.1
"""So long the database takes to answer; much less than a notice waits for it."""
STARTS_S = 60.0
"""A start, on a machine where other tests run."""


async def test_first_notices_of_an_alarm_are_told_once_by_the_worker_that_has_the_lease(
    nights, timescale_url
):
    """Frozen with more of them than leave at once for one server."""
    with receiving() as desks:
        hooks = ",".join(f"{desks.url}/{n}" for n in range(HOOKS))
        asked = {"lease_s": str(LEASE_S), "webhooks": hooks, "stop_within_s": "5"}
        async with (
            proxy(timescale_url, 5432) as (wire, url),
            nights(fault="notice.leaving=freeze", database_url=url, **asked) as night,
        ):
            night.second.start(HAZWATCH_DATABASE_URL=night.url)
            await night.until(lambda: "action=wait" in night.second.said, 60, "the second waits")
            await night.leak()
            frozen = "point=notice.leaving"
            await night.until(lambda: frozen in night.service.log, 60, "the first is frozen")
            await night.until(lambda: night.second.watching, STARTS_S, "the second takes over")
            waiting = (
                "SELECT count(*) FROM notice"
                " WHERE step IS NULL AND delivered IS NULL AND withdrawn IS NULL"
            )
            await night.until(lambda: night.rows(waiting) == [(0,)], 60, "the second tells it all")
            told = len(desks.got)
            assert told >= HOOKS
            await wire.become(Wire.SILENT)
            night.service.resume()
            await night.clock.sleep(SLOW_S)
            await wire.become(Wire.SOUND)
            code = await asyncio.to_thread(night.service.wait, 60)
            assert code == REPLACED, night.service.said[-3000:]
            await night.clock.sleep(0.5)
            # What had been asked about already is on its way, with its key of before.
            keys = [headers["Idempotency-Key"] for headers, _ in desks.got]
            assert len(set(keys[:told])) == told
            assert len(keys[told:]) <= AT_ONCE
            assert set(keys[told:]) <= set(keys[:told])
