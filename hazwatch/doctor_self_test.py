"""The doctor's look at the self-test 自检: when a breach of hazwatch's own last came through."""

from datetime import timedelta

from domain.clock import Clock
from domain.instant import rfc3339
from domain.self_test import Pace
from hazwatch.doctor import Area, Diagnosis
from hazwatch.settings import Settings
from storage import self_test
from storage.database import Connection
from storage.vitals import lease_of

TODO = (
    "look at the worker's log for `self-test`: it says how far the breach came; "
    "docs/operations.md, The self-test"
)


async def look(conn: Connection, settings: Settings, clock: Clock, area: Area) -> Diagnosis:
    """Of a database whose schema is up to date."""
    if not await self_test.is_registered(conn):
        if not settings.self_test:
            return area.unknown("self-test", "switched off", "HAZWATCH_SELF_TEST=true tests")
        return area.unknown("self-test", "none yet", "the worker makes it when it runs")
    passed, lease = await self_test.last_passed(conn), await lease_of(conn, settings.shard)
    if lease is None or lease.expires_at <= clock.now():
        last = "" if passed is None else f", passed last {rfc3339(passed)}"
        return area.unknown("self-test", f"no worker makes it now{last}", "hazwatch run")
    if passed is None:
        return area.warning("self-test", "none has come through yet", TODO)
    pace = Pace(settings.self_test_every_s, settings.self_test_within_s)
    found = f"passed {rfc3339(passed)}"
    if clock.now() - passed > timedelta(seconds=pace.absent_after_s):
        return area.failed("self-test", found, TODO)
    return area.ok("self-test", found)
