"""Changes as they happen, one line each, from the outbox; Ctrl-C ends it."""

import asyncio
import csv
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.text import Text

from domain.clock import SystemClock
from hazwatch.commands.desk import FollowAs, Members, read
from hazwatch.commands.output import cell

if TYPE_CHECKING:
    from hazwatch.settings import Settings
    from storage.desk_reading import Skipped
    from storage.outbox_reading import Event
    from storage.reading import Reading

AGAIN_S = 1.0
Body = dict[str, Any]


class Printed:
    """How changes of one kind are printed. columns: of CSV."""

    def __init__(
        self,
        how: FollowAs,
        zone: ZoneInfo,
        columns: Sequence[str],
        members: Callable[[int, Body, ZoneInfo], Members],
        line: Callable[[Body, ZoneInfo], Text],
    ) -> None:
        self._how, self._zone, self._columns = how, zone, columns
        self._members, self._line = members, line
        self._console = Console(highlight=False, soft_wrap=True)
        if how is FollowAs.CSV:
            self._row(columns)

    def change(self, seq: int, body: Body) -> None:
        """One change, at once even into a pipe."""
        if self._how is FollowAs.TABLE:
            self._console.print(self._line(body, self._zone))
        elif self._how is FollowAs.JSON:
            typer.echo(json.dumps({"seq": seq} | body, ensure_ascii=False))
        else:
            found = self._members(seq, body, self._zone)
            self._row([cell(found.get(name)) for name in self._columns])
        sys.stdout.flush()

    @staticmethod
    def _row(values: Sequence[Any]) -> None:
        csv.writer(sys.stdout, lineterminator="\r\n").writerow(values)


class Following:
    """kind: of events. wanted: whether a change is. place: behind which it goes on."""

    def __init__(
        self, kind: str, printed: Printed, wanted: Callable[["Event", Body], bool]
    ) -> None:
        self._kind = kind
        self._printed = printed
        self._wanted = wanted
        self._clock = SystemClock()
        self.place: int | None = None

    async def run(self, reading: "Reading", after: int | None) -> None:
        """Until cancelled; a database that is away is waited for, and that is said once."""
        from storage.database import DatabaseAway
        from storage.desk_reading import followed
        from storage.outbox_reading import newest

        self.place = await newest(reading) if after is None else after
        away = False
        while True:
            try:
                async for item in followed(reading, (self._kind,), self.place):
                    if away:
                        _say("the database is back 数据库已恢复")
                        away = False
                    self._take(item)
            except DatabaseAway:
                if not away:
                    _say("the database is away; waiting 数据库不可用，等待中 …")
                away = True
            await self._clock.sleep(AGAIN_S)

    def _take(self, item: "Event | Skipped") -> None:
        from storage.desk_reading import Skipped

        self.place = item.seq
        if isinstance(item, Skipped):
            _say("what came before is no longer kept here; it goes on from now 更早的变化已清理")
            return
        body = json.loads(item.data)
        if self._wanted(item, body):
            self._printed.change(item.seq, body)


def follow(
    settings: "Settings",
    prepare: "Callable[[Reading], Any]",
    make: Callable[[Any], Following],
    after: int | None,
) -> None:
    """Follow until Ctrl-C. prepare: reads what the filter needs, for `make`."""
    following: list[Following] = []

    async def work(reading: "Reading") -> None:
        following.append(make(await prepare(reading)))
        await following[0].run(reading, after)

    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        read(settings, work)
    if following and following[0].place is not None:
        _say(f"stopped; go on with --after {following[0].place} 已停止，可用此参数续接")


def _say(text: str) -> None:
    typer.echo(text, err=True)
