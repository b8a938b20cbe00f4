"""`hazwatch prepare`: compile the rules before a start has to."""

from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hazwatch.cli import read_settings
from hazwatch.commands.documents import console
from hazwatch.loading import keep_compiled


def prepare() -> None:
    """Compile the rules now, so that the next start need not: once after each installation.

    Takes half a minute, or a second where nothing is to be done. To be run as the user of the
    service, with its settings; every start does the same by itself.

    Example: hazwatch prepare
    """
    keep_compiled(read_settings().data_dir)
    from numba.core.event import Event, Listener, install_listener

    from rules.compiled import LOOPS
    from rules.warming import warm_up

    class Told(Listener):
        def on_start(self, event: Event) -> Any:
            pass

        def on_end(self, event: Event) -> Any:
            bar.advance(task)

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task("rules 规则编译", total=len(LOOPS))
        with install_listener("numba:compile", Told()):
            warm_up()
        bar.update(task, completed=len(LOOPS))
