"""What `hazwatch alarms` and `hazwatch warnings` share: words, times, marks, and errors said
kindly."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from domain.addresses import presentable
from domain.risk import Colour
from hazwatch.commands.database import AWAY, fail
from hazwatch.commands.documents import WRONG
from hazwatch.commands.gaps import FORMATS

if TYPE_CHECKING:
    from hazwatch.settings import Settings
    from storage.reading import Reading, Row

T = TypeVar("T")
Members = dict[str, object]

COLOURS = {
    Colour.RED: ("Ⅰ", "◆", "红", "red", "#e5484d"),
    Colour.ORANGE: ("Ⅱ", "▲", "橙", "orange", "#f08c00"),
    Colour.YELLOW: ("Ⅲ", "■", "黄", "yellow", "#d9b300"),
    Colour.BLUE: ("Ⅳ", "●", "蓝", "blue", "#4c8dff"),
}
"""Numeral, shape, words and hue of a risk colour; nothing else on the screen has these hues."""
WORDS = {
    "UNACK": ("未确认", "unacknowledged"),
    "ACKED": ("已确认", "acknowledged"),
    "RTNUN": ("已恢复未确认", "returned, unacknowledged"),
    "LATUN": ("锁存未确认", "latched, unacknowledged"),
    "LATAC": ("锁存已确认", "latched, acknowledged"),
    "NORM": ("正常", "closed"),
    "shelved": ("搁置", "shelved"),
    "suppressed": ("设计抑制", "suppressed"),
    "out_of_service": ("停用", "out of service"),
    "raise": ("报警", "raised"),
    "return": ("恢复", "returned"),
    "acknowledge": ("确认", "acknowledged"),
    "see": ("已阅", "seen"),
    "worsen": ("加重", "worse"),
    "upgrade": ("恢复原级", "ordinary priority again"),
    "hold": ("无法判断", "not judged"),
    "judge": ("恢复判断", "judged again"),
    "close": ("关闭", "closed"),
    "re_alarm": ("再报警", "alarms again"),
    "reset": ("复位", "reset"),
    "shelve": ("搁置", "shelved"),
    "unshelve": ("取消搁置", "back from the shelf"),
    "suppress": ("抑制", "suppressed"),
    "unsuppress": ("取消抑制", "no longer suppressed"),
    "remove_from_service": ("停用", "out of service"),
    "return_to_service": ("投用", "in service"),
    "lose": ("失联", "lost from sight"),
    "find": ("恢复可见", "in sight again"),
    "open": ("待签收", "not received"),
    "received": ("待处置", "received"),
    "handled": ("待反馈", "being handled"),
    "fed_back": ("待审核", "fed back"),
    "reviewed": ("待销警", "reviewed"),
    "settled": ("待恢复", "settled"),
    "closed": ("已销警", "closed"),
    "rise": ("升级", "rose"),
    "fall": ("降级", "fell"),
    "calm": ("恢复蓝色", "back at blue"),
    "receive": ("签收", "received"),
    "release": ("解除红色", "red released"),
    "verify": ("核实", "verified"),
    "handle": ("处置", "handling"),
    "feedback": ("反馈", "feedback"),
    "feed_back": ("反馈", "feedback"),
    "review": ("审核", "reviewed"),
    "end_drill": ("结束演练", "drill ended"),
    "refer": ("新增报警", "more alarms"),
    "waiting": ("待通知", "waiting"),
    "told": ("已通知", "told"),
    "answered": ("已办理", "answered"),
    "superseded": ("已提前通知", "told sooner"),
    "withdrawn": ("已撤回", "withdrawn"),
}
"""Chinese and English of what the tables have as one word."""


class FollowAs(StrEnum):
    """How a change is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


DatabaseUrl = Annotated[str | None, typer.Option(help="overrides the setting")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="lines at most")]
Since = Annotated[
    datetime | None,
    typer.Option("--from", formats=FORMATS, help="in the site's time zone, or with an offset"),
]
Until = Annotated[
    datetime | None, typer.Option("--to", formats=FORMATS, help="the same; not in it any more")
]
Enterprise = Annotated[
    str | None,
    typer.Option(help="code or name of an enterprise, or the end of its path", metavar="CODE"),
]
Source = Annotated[
    str | None, typer.Option(help="the same of a hazard source: e7/tanks", metavar="CODE")
]
After = Annotated[
    int | None,
    typer.Option(min=0, help="go on behind this place of the stream, as it was told at the end"),
]


def word(of: str) -> str:
    """Chinese and English of a state, an event or an outcome; one that is new to us as it is."""
    return " ".join(WORDS.get(of, (of,)))


def mark(colour: Colour, *, unknown: bool = False) -> Text:
    """A risk colour as it is read without colour, too: numeral, shape, words; "?" where the source
    is not seen."""
    numeral, shape, chinese, english, hue = COLOURS[colour]
    return Text(f"{numeral} {shape} {chinese} {english}{' ?' if unknown else ''}", f"bold {hue}")


def local(when: datetime | None, zone: ZoneInfo, *, date: bool = True) -> str:
    """A time as people read it; "–" for none."""
    if when is None:
        return "–"
    return f"{when.astimezone(zone):{'%m-%d ' if date else ''}%H:%M:%S}"


def offset(when: datetime | None, zone: ZoneInfo) -> str | None:
    """RFC 3339 with the offset of the site's time zone."""
    return None if when is None else when.astimezone(zone).isoformat(timespec="milliseconds")


def span(seconds: float) -> str:
    """2 d 3 h, 3 h 4 min, 4 min 5 s or 5 s; a minus where it is over."""
    from hazwatch.commands.gaps import duration

    return f"−{duration(-seconds)}" if seconds <= -1 else duration(max(0.0, seconds))


def aware(when: datetime | None, zone: ZoneInfo) -> datetime | None:
    """An instant that was given on the command line."""
    if when is None:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def listed(given: str | None, allowed: Iterable[str], option: str) -> tuple[str, ...] | None:
    """Words by commas, in any case; exits with 2 for one that is not known."""
    if given is None:
        return None
    known = {one.lower(): one for one in allowed}
    words = [part.strip().lower().replace("-", "_") for part in given.split(",") if part.strip()]
    strange = [one for one in words if one not in known]
    if strange or not words:
        raise typer.BadParameter(
            f"{given!r}: allowed are {', '.join(known.values())}, by commas", param_hint=option
        )
    return tuple(known[one] for one in words)


def notice_members(row: "Row") -> Members:
    """A notice as it may be shown: of a web address the server only."""
    return {**row, "recipient": presentable(str(row["recipient"])), "outcome": outcome(row)}


def outcome(row: "Row") -> str:
    """What has become of a notice."""
    for member in ("delivered", "withdrawn", "failed"):
        if row[member] is not None:
            return member
    return "waiting" if not row["attempts"] else "to be tried again"


def settings_of(database_url: str | None) -> "Settings":
    """The settings of the environment and the command line."""
    from hazwatch.cli import read_settings

    return read_settings(database_url=database_url)


def read(settings: "Settings", work: "Callable[[Reading], Awaitable[T]]") -> T:
    """What `work` reads; exits with 3 where the database is away, with 1 where a name is unclear
    or nothing is called so."""
    import psycopg

    from storage.database import DatabaseAway
    from storage.people import NodeUnclear
    from storage.reading import Reading, UnfitValue

    async def run() -> T:
        async with Reading(settings.database_url, size=2, statement_s=60.0) as reading:
            return await work(reading)

    try:
        return asyncio.run(run())
    except (NodeUnclear, Unclear) as error:
        fail(str(error), WRONG)
    except UnfitValue:
        fail("something was given that the database can't hold, such as a NUL", WRONG)
    except psycopg.errors.UndefinedTable:
        fail("the database lacks tables of this release: hazwatch db migrate", AWAY)
    except DatabaseAway:
        fail("the database cannot be reached; is HAZWATCH_DATABASE_URL right?", AWAY)


class Unclear(Exception):
    """No occurrence or case is called so, or more than one."""


def the_only(rows: "list[Row]", id: str, what: str) -> "Row":
    """The row that an id, or its beginning, names."""
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise Unclear(
            f"there is no {what} {id!r}; hazwatch {what}s list shows the beginning of ids"
        )
    ids = ", ".join(str(row["id"])[:13] for row in rows[:5])
    raise Unclear(f"more than one {what} begins with {id!r}: {ids}; give more of it")


async def nodes_of(
    reading: "Reading", enterprise: str | None, source: str | None
) -> tuple[int, ...] | None:
    """The node that is asked for; None: all. A source may be named within its enterprise."""
    from storage.desk_reading import find_node

    if source is not None:
        words = source if enterprise is None or "/" in source else f"{enterprise}/{source}"
        return (int((await find_node(reading, words, "source"))["id"]),)
    if enterprise is None:
        return None
    return (int((await find_node(reading, enterprise, "enterprise"))["id"]),)


def enterprises_note(count: int, limit: int) -> str:
    """Said below a list that may go on."""
    return f"{count} lines, as many as --limit allows: there may be more" if count >= limit else ""
