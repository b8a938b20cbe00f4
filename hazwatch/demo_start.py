"""Starting in phases, each with a deadline, and all of them ended by Ctrl-C."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hazwatch.demo_screen import Screen
from hazwatch.demo_servers import DemoError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody wanted it to stop before it was up."""


class Start:
    """The way up. `stop` is set by the first signal; a phase that is under way then ends at once,
    with all that it has begun."""

    def __init__(self, screen: Screen) -> None:
        self.stop = asyncio.Event()
        self._screen = screen
        self._patience: asyncio.Timeout | None = None

    def heed_signals(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed terminal mean `stop`; for the main thread.

        A closed terminal does not where it was told not to matter (`nohup`).
        """
        for name in SIGNALS:
            if name != signal.SIGHUP or signal.getsignal(name) != signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(name, self.cut_short)

    def cut_short(self) -> None:
        """Set `stop`, and end the phase that is under way."""
        self.stop.set()
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def phase(self, name: str, within_s: float) -> AsyncIterator[None]:
        """A phase, shown under its name. `Stopped` where it was ended, `DemoError` where it took
        longer than `within_s`."""
        if self.stop.is_set():
            raise Stopped
        try:
            with self._screen.phase(name):
                async with asyncio.timeout(within_s) as self._patience:
                    yield
        except TimeoutError as error:
            if self.stop.is_set():
                raise Stopped from None
            raise DemoError(
                f"{name}: not up within {within_s:g} s; with HAZWATCH_LOG_LEVEL=INFO it says why"
            ) from error
        finally:
            self._patience = None
