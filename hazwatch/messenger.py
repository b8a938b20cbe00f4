"""Sends notices through their channels, and writes down what became of each attempt."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from alerts.channels.channel import Channel, DeliveryError
from alerts.outgoing import Delivery, Outgoing
from domain.addresses import presentable
from domain.alarms import Notice
from domain.clock import Clock
from hazwatch.metrics import WorkerMetrics
from storage import notices
from storage.database import Connection, DatabaseAway, DatabaseOptions, link

log = structlog.get_logger(__name__)

AT_ONCE = 20
"""Attempts under way at the same time."""
LOOK_EVERY_S = 0.25
WRITTEN_WITHIN_S = 3600.0
"""A result waits so long for its notice after the spool has been drained; then it is dropped."""
FIRST_LOAD = 10_000
"""Open notices of an earlier run that are taken up again."""


class Messenger:
    """Owns what is to be sent. Never waits for the database: what it has to write down there waits
    in memory.

    wanted: asked at the moment of sending; a notice that nobody needs any more is withdrawn.
    settled: whether the database has every entry.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        wanted: Callable[[Notice], bool],
        settled: Callable[[], bool],
        clock: Clock,
        database: DatabaseOptions,
        metrics: WorkerMetrics,
    ) -> None:
        self._channels = channels
        self._wanted = wanted
        self._settled = settled
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._outgoing = Outgoing()
        self._under_way = 0
        self._results: deque[Delivery] = deque()
        self._unknown_since: dict[UUID, float] = {}

    def add(self, fresh: Iterable[Notice]) -> None:
        """People may be told of these."""
        for notice in fresh:
            self._outgoing.put(notice, self._clock.elapsed())

    async def load(self, conn: Connection) -> None:
        """Take up what an earlier run left unsent."""
        far = self._clock.now() + timedelta(days=365)
        for due in await notices.due_notices(conn, far, FIRST_LOAD):
            self._outgoing.put(due.notice, self._clock.elapsed(), due.attempts)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_down(), name="notices: results")
            while True:
                for notice in self._outgoing.take(self._clock.elapsed(), AT_ONCE - self._under_way):
                    self._under_way += 1
                    tasks.create_task(self._send(notice), name=f"notice {notice.id}")
                self._metrics.notices_waiting.set(len(self._outgoing))
                await self._clock.sleep(LOOK_EVERY_S)

    async def _send(self, notice: Notice) -> None:
        try:
            wanted = self._wanted(notice)
            if wanted:
                await self._channels[notice.channel].send(notice)
            result = self._outgoing.sent(notice) if wanted else self._outgoing.withdrawn(notice)
        except DeliveryError as error:
            result = self._failed(notice, str(error))
        except Exception as error:  # one address that nothing can send to must not stop the others
            log.exception("channel failed", action="notify", channel=notice.channel)
            result = self._failed(notice, f"{type(error).__name__}: {error}")
        finally:
            self._under_way -= 1
        self._metrics.notices.labels(notice.channel, result.outcome).inc()
        self._results.append(result)

    def _failed(self, notice: Notice, error: str) -> Delivery:
        result = self._outgoing.failed(notice, error, self._clock.elapsed())
        log.warning(
            "notice not delivered",
            action="retry" if result.retry_s is not None else "give up",
            notice=str(notice.id),
            channel=notice.channel,
            recipient=presentable(notice.recipient),
            error=error,
        )
        return result

    async def _write_down(self) -> None:
        """A result whose notice is not in the database yet (it is in the spool) waits its turn."""
        async with link(self._database) as line:
            while True:
                for result in list(self._results):
                    try:
                        known = await line.run(partial(self._record, result=result))
                    except DatabaseAway:
                        break
                    if known or self._is_lost(result):
                        self._results.remove(result)
                        self._unknown_since.pop(result.notice.id, None)
                await self._clock.sleep(LOOK_EVERY_S)

    def _is_lost(self, result: Delivery) -> bool:
        """Whether its notice is missing for so long that it will not come."""
        if not self._settled():
            return False
        now = self._clock.elapsed()
        since = self._unknown_since.setdefault(result.notice.id, now)
        return now - since > WRITTEN_WITHIN_S

    async def _record(self, conn: Connection, result: Delivery) -> bool:
        at, notice = self._clock.now(), result.notice
        if result.needless:
            return await notices.withdrawn(conn, notice.id, at)
        if result.error is None:
            return await notices.delivered(conn, notice.id, at)
        if result.retry_s is None:
            return await notices.failed(conn, notice.id, result.error, at)
        due = at + timedelta(seconds=result.retry_s)
        return await notices.put_off(conn, notice.id, result.error, due)
