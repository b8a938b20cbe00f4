"""Apprise channel: robots of WeCom 企业微信, DingTalk 钉钉 and Feishu 飞书, mail, SMS gateways, and
whatever else apprise knows."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from alerts.channels.apprise_address import Address, parse
from alerts.channels.channel import DeliveryError
from domain.alarms import Notice

if TYPE_CHECKING:
    from alerts.channels.apprise_sending import Message

AT_ONCE = 2
"""Attempts under way at one address."""


class AppriseChannel:
    """Sends through apprise, which blocks: every attempt has a daemon thread, so that one that
    hangs holds up neither the loop, nor another address, nor the end of the process.

    write: what a notice says to an address, called in the loop. timeout_s: when an attempt is given
    up. A thread that goes on hanging keeps its place at its address; while all places hang, further
    attempts there fail at once.
    """

    def __init__(
        self, write: "Callable[[Notice, Address], Message]", timeout_s: float = 20.0
    ) -> None:
        self._write = write
        self._timeout_s = timeout_s
        self._places: dict[str, _Place] = {}

    async def send(self, notice: Notice) -> None:
        """Return when the service took it; `DeliveryError` says why it did not and what to do."""
        try:
            address = parse(notice.recipient)
        except ValueError as wrong:
            raise DeliveryError(str(wrong)) from None
        message = self._write(notice, address)
        place = self._places.setdefault(notice.recipient, _Place())
        if place.hanging >= AT_ONCE:
            raise DeliveryError(
                f"{address.scheme}: attempts before hang still; is the service reachable from here?"
            )

        def work() -> str | None:
            from alerts.channels.apprise_sending import attempt

            return attempt(address, message, self._timeout_s)

        reason = await self._within(place, address, work)
        if reason is not None:
            raise DeliveryError(reason)

    def hanging(self, recipient: str) -> int:
        """Attempts at an address that nobody waits for any more, and that have not ended."""
        place = self._places.get(recipient)
        return 0 if place is None else place.hanging

    async def _within(
        self, place: "_Place", address: Address, work: Callable[[], str | None]
    ) -> str | None:
        started = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await place.room.acquire()
                answer = place.start(work)
                started = True
                return await asyncio.shield(answer)
        except TimeoutError as error:
            if started:
                raise DeliveryError(
                    f"{address.scheme}: no answer within {self._timeout_s:g} s; is the service "
                    "reachable from here?"
                ) from error
            raise DeliveryError(
                f"{address.scheme}: {AT_ONCE} notices to this address are still under way after "
                f"{self._timeout_s:g} s"
            ) from error
        finally:
            if started and not answer.done():
                place.abandon(answer)


class _Place:
    """One address: how many attempts are under way, and how many of them nobody waits for."""

    def __init__(self) -> None:
        self.room = asyncio.Semaphore(AT_ONCE)
        self.hanging = 0

    def start(self, work: Callable[[], str | None]) -> "asyncio.Future[str | None]":
        """Run `work` in a thread; what it answers. The room is free again when it has ended."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def end(reason: str | None, error: BaseException | None) -> None:
            self.room.release()
            if error is None:
                answer.set_result(reason)
            else:
                answer.set_exception(error)

        def run() -> None:
            reason, broke = None, None
            try:
                reason = work()
            except Exception as error:
                broke = DeliveryError(f"apprise failed: {type(error).__name__}")
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
                loop.call_soon_threadsafe(end, reason, broke)

        try:
            threading.Thread(target=run, name="apprise", daemon=True).start()
        except RuntimeError as error:
            end(None, DeliveryError(f"no thread to send in: {error}"))
        return answer

    def abandon(self, answer: "asyncio.Future[str | None]") -> None:
        """Nobody waits for it any more; it counts as hanging until it ends."""
        self.hanging += 1

        def ended(answer: "asyncio.Future[str | None]") -> None:
            self.hanging -= 1
            answer.exception()

        answer.add_done_callback(ended)
