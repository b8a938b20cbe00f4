"""A loop in a thread of its own: what takes long there holds nobody up here, nor the other way."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Aside:
    """Runs coroutines in another thread. Use with `async with`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def soon(self, call: Any) -> None:
        """Have something called over there."""
        self._loop.call_soon_threadsafe(call)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, or what it raises. Runs begin in the order of these calls.

        Cancelled, it cancels `work` and comes back when that has ended.
        """
        here = asyncio.get_running_loop()
        over = here.create_future()
        began: list[asyncio.Task[T]] = []

        def begin() -> None:
            task = self._loop.create_task(work)
            began.append(task)
            task.add_done_callback(lambda _: here.call_soon_threadsafe(over.set_result, None))

        self.soon(begin)
        try:
            await asyncio.shield(over)
        except asyncio.CancelledError:
            self.soon(lambda: began[0].cancel())
            while not over.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([over])
            if not began[0].cancelled():
                began[0].exception()  # seen: the cancellation is what the caller hears of
            raise
        return began[0].result()
