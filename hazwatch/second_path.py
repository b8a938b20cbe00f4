"""`SecondPath`: says that the self-test has failed, in a thread and a loop of its own.

It needs neither database nor rules nor broker, and not the worker's loop either: a worker that
hangs in a computation is told of as well. What it has to send it holds in memory. While the
self-test fails, everybody who has to know and has not been reached is tried again and again.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from math import inf

import structlog

from alerts.channels.channel import Channel, DeliveryError
from alerts.outgoing import Outgoing
from domain.addresses import presentable
from domain.alarms import Notice
from domain.clock import Clock
from domain.self_test import Pace, Standing
from hazwatch.metrics import SelfTestMetrics

log = structlog.get_logger(__name__)

LOOK_S = 0.5
AT_ONCE = 20
AGAIN_S = 120.0
"""While it fails, who was given up is tried again so often, and who came on duty is told."""
NOBODY_HEARD = "no breach has come back for so long that two must have been missed"

Words = Callable[[datetime, datetime, bool, str], Iterable[Notice]]
"""(since, at, failed, why) → what has to be sent."""


class SecondPath:
    """standing: how it stands, asked in this thread. channels: made in it, by name. words: what is
    said to whom. Use as `with`."""

    def __init__(
        self,
        standing: Callable[[], Standing],
        pace: Pace,
        channels: Callable[[], Mapping[str, Channel]],
        words: Words,
        clock: Clock,
        metrics: SelfTestMetrics,
    ) -> None:
        self._standing = standing
        self._pace = pace
        self._make = channels
        self._words = words
        self._clock = clock
        self._metrics = metrics
        self._outgoing = Outgoing()
        self._told: datetime | None = None
        self._why = ""
        self._again = inf
        self._under_way = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="self-test watch", daemon=True)

    def __enter__(self) -> "SecondPath":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _run(self) -> None:
        asyncio.run(self.watch())

    async def watch(self) -> None:
        """Look and send until left; what the thread does."""
        channels = self._make()
        async with asyncio.TaskGroup() as tasks:
            while not self._over.is_set():
                self.look(self._clock.elapsed(), self._clock.now())
                room = AT_ONCE - self._under_way
                outgoing = self._outgoing
                for notice in outgoing.take(self._clock.elapsed(), room):
                    self._under_way += 1
                    sending = self._send(channels, outgoing, notice)
                    tasks.create_task(sending, name=f"notice {notice.id}")
                await self._clock.sleep(LOOK_S)

    def look(self, elapsed: float, at: datetime) -> None:
        """See how it stands; put what has to be said into the line."""
        now = self._standing()
        absent = now.absent(self._pace, elapsed)
        since = now.since or (now.first or now.passed_at or at if absent else None)
        if since is not None and self._told is None:
            self._told, self._why = since, now.reason or NOBODY_HEARD
            self._tell(since, at, True, self._why)
        elif since is None and self._told is not None:
            self._tell(self._told, at, False, "")
            self._told = None
        elif self._told is not None and self._clock.elapsed() >= self._again:
            self._put(self._told, at, True, self._why)

    def _tell(self, since: datetime, at: datetime, failed: bool, why: str) -> None:
        self._metrics.failing.set(failed)
        say = log.error if failed else log.warning
        say("self-test", action="failed" if failed else "back", since=since.isoformat(), why=why)
        self._outgoing = Outgoing()  # what was to be said before is not true any more
        self._put(since, at, failed, why)

    def _put(self, since: datetime, at: datetime, failed: bool, why: str) -> None:
        """Into the line, but for those who were reached or wait there."""
        self._again = self._clock.elapsed() + AGAIN_S
        try:
            for notice in self._words(since, at, failed, why):
                self._outgoing.put(notice, self._clock.elapsed())
        except Exception:  # whatever is wrong with who is to be told must not end the thread
            log.exception("self-test", action="tell those who are known")

    async def _send(
        self, channels: Mapping[str, Channel], outgoing: Outgoing, notice: Notice
    ) -> None:
        outcome: Callable[[], object] = partial(outgoing.sent, notice)
        try:
            await channels[notice.channel].send(notice)
        except DeliveryError as error:
            outcome = partial(self._failed, outgoing, notice, str(error))
        except Exception as error:  # one address that nothing can send to must not stop the others
            log.exception("channel failed", action="notify", channel=notice.channel)
            outcome = partial(self._failed, outgoing, notice, f"{type(error).__name__}: {error}")
        finally:
            self._under_way -= 1
        outcome()

    def _failed(self, outgoing: Outgoing, notice: Notice, error: str) -> None:
        result = outgoing.failed(notice, error, self._clock.elapsed())
        log.warning(
            "notice not delivered",
            action="retry" if result.retry_s is not None else "give up",
            notice=str(notice.id),
            recipient=presentable(notice.recipient),
            error=error,
        )
