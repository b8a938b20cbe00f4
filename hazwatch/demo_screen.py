"""What a person sees of the demonstration: phases while it starts, then the story as it happens."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from domain.clock import Clock
from simulators.park import Moment

LOOK_EVERY_S = 0.5


class Screen:
    """Lines on a console that can be a log file; on a terminal also a spinner and a bar, which
    leave no trace."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(Text(text))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Show that `name` is being started, then that it is up and the seconds it took."""
        began = self._clock.elapsed()
        if self._console.is_terminal:
            with self._console.status(f"starting: {name} …"):
                yield
        else:
            yield
        self.say(f"{name:<9} up after {self._clock.elapsed() - began:4.1f} s")

    @asynccontextmanager
    async def playing(self, lasting: float | None) -> AsyncIterator[Callable[[], None]]:
        """For the time in which the plant runs; calls of what it gives move the bar.

        lasting: how long that is meant to be in seconds, None: until somebody stops it.
        """
        if not self._console.is_terminal:
            if lasting is not None:
                self.say(f"playing for {lasting:g} s")
            yield lambda: None
            return
        bars = () if lasting is None else (BarColumn(),)
        columns = (SpinnerColumn(), *bars, TextColumn("{task.description}"))
        began = self._clock.elapsed()
        with Progress(
            *columns, console=self._console, transient=True, refresh_per_second=4
        ) as progress:
            bar = progress.add_task("", total=lasting)

            def move() -> None:
                passed = self._clock.elapsed() - began
                left = _minutes(passed) if lasting is None else f"{_minutes(lasting - passed)} left"
                progress.update(bar, completed=passed, description=left)

            move()
            yield move

    async def tell(self, story: Iterable[Moment], move: Callable[[], None]) -> None:
        """Tell each moment when it comes, counted from now; never returns by itself."""
        began = self._clock.elapsed()
        to_come = sorted(story, key=lambda moment: moment.at_s)
        while True:
            move()
            passed = self._clock.elapsed() - began
            while to_come and to_come[0].at_s <= passed:
                moment = to_come.pop(0)
                self.say(f"{_minutes(moment.at_s)}  {moment.text}")
            await self._clock.sleep(LOOK_EVERY_S)


def welcome(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Where to look and who may: lines, in a frame on a terminal."""
    if not console.is_terminal:
        for text in (title, *(f"{name}: {what}" for name, what in rows)):
            console.print(Text(text))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, what in rows:
        table.add_row(Text(name), Text(what, "bold", overflow="fold"))
    console.print(Panel(table, title=title, expand=False))


def _minutes(seconds: float) -> str:
    """m:ss; what lies below 0 is 0."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
