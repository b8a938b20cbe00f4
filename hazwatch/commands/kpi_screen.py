"""KPIs as a terminal shows them: tables, a line of bars, a heat strip."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hazwatch.commands.kpi_rows import LOOP, called, loops, noisiest

BARS = "▁▂▃▄▅▆▇█"
SHADES = " ·░▒▓█"
WIDE = 72
KPIS = {
    "per_day": "alarms per day 日均",
    "per_hour": "alarms per hour 时均",
    "per_10_min": "alarms per 10 min",
    "busy_hours": "hours with more than 30",
    "busy_10_mins": "10 min with more than 10",
    "max_10_min": "most in 10 min",
    "in_flood": "time in flood 泛滥时间",
    "top_ten": "share of the top ten",
    "chattering": "chattering alarms 抖动",
    "fleeting": "fleeting alarms 瞬时",
    "stale_on_a_day": "stale on any day 陈旧",
    "unauthorised": "unauthorised suppressions",
    "low": "P4 low 低",
    "medium": "P3 medium 中",
    "high": "P2 high 高",
    "highest": "P1 urgent 紧急",
}
LISTED = ("alarms", "a day", "10 min", "flood", "open", "ack p90", "预警", "及时")
AT_LEAST = frozenset({"low"})
NARROW: dict[str, Any] = {
    "box": SIMPLE_HEAD,
    "padding": (0, 1, 0, 0),
    "show_edge": False,
    "pad_edge": False,
}
"""80 columns are enough for it."""


def show(positions: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
    """One position whole, several as a list."""
    console = Console()
    if len(positions) > 1:
        console.print(_list(positions))
        console.print("10 min: the most in it; open: nobody acknowledged them", style="dim")
        console.print("one of them whole: --enterprise CODE (or --node CODE)", style="dim")
        return
    (one,) = positions
    for part in _whole(one, zone):
        console.print(part)


def _list(positions: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("desk", *LISTED, **NARROW)
    table.columns[0].min_width = 14
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for one in positions:
        loop = one["warnings"]["all"]
        table.add_row(
            f"{one['code']} {one['name']}",
            str(one["annunciated"]),
            _number(one["rates"]["per_day"]),
            str(one["rates"]["max_10_min"]),
            _percent(one["floods"]["share"]),
            str(one["acknowledge"]["all"]["open"]),
            _time(one["acknowledge"]["all"]["p90_s"]),
            str(one["warnings"]["cases"]),
            _percent(loop["signed_in_time"]["share"]),
        )
    return table


def _whole(one: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Any]:
    since, until = (_local(one[name], zone) for name in ("from", "to"))
    yield Text(f"{one['code']} {one['name']}   {since} to {until}  {zone}", "bold")
    if one["days"] == 0:
        yield Text("no data in this period: its first tag was registered later, or it is to come")
        yield from _warnings(one["warnings"])
        return
    if not one["enough_data"]:
        yield Text(f"only {one['days']:.1f} days of data: less than 30 say little", "bold")
    heard = f"{one['annunciated']} alarms annunciated 报警, {one['muted']} muted"
    yield Text(f"{heard}; EEMUA 191: {one['eemua_191'] or '–'}")
    yield _targets(one["targets"])
    yield from _rate(one, zone)
    if one["top"]:
        yield _top(one)
    if (calming := calmed(one)) is not None:
        yield calming
        yield Text(
            "each delay by itself, so much longer than it was; counted from the journal", "dim"
        )
    yield _times(one)
    yield from _warnings(one["warnings"])


def _targets(verdicts: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("KPI", "value", "target", "limit", "")
    for column in table.columns[1:4]:
        column.justify = "right"
    for one in verdicts:
        sign = "≥" if one["kpi"] in AT_LEAST else "≤"
        share = one["unit"] == "1"
        value, target, limit = (
            _percent(one[name]) if share else _number(one[name])
            for name in ("value", "target", "limit")
        )
        met = {True: "met", False: "[bold]missed[/]", None: "–"}[one["met"]]
        bound = "" if one["limit"] is None else f"{sign} {limit}"
        table.add_row(KPIS[one["kpi"]], value, f"{sign} {target}", bound, met)
    return table


def _rate(one: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Text]:
    chart = one["chart"]
    if not chart["counts"]:
        return
    step = {600: "10 min", 3600: "hour", 86_400: "day"}[chart["step_s"]]
    counts, joined = _squeezed(chart["counts"])
    each = f"{joined} × {step}" if joined > 1 else step
    yield Text(f"\nalarms per {step}, at most {max(counts)}; each bar the most of {each}")
    yield Text(bars(counts))
    begin, end = (_local(chart["times"][place], zone)[5:] for place in (0, -1))
    yield Text(begin + end.rjust(max(len(counts), 24) - len(begin)), "dim")
    most = max((n or 0 for row in one["heat"] for n in row["hours"]), default=0)
    yield Text(
        f"\nby hour, the darkest {most}\n           " + "".join(f"{h:<6}" for h in (0, 6, 12, 18))
    )
    for row in one["heat"]:
        yield Text(f"{row['day']} {shades(row['hours'], most)} {sum(n or 0 for n in row['hours'])}")


def bars(counts: Sequence[int]) -> str:
    """A bar for each number, the highest full; 0 is the lowest."""
    most = max(counts, default=0)
    top = len(BARS) - 1
    return "".join(BARS[-(-count * top // most) if most else 0] for count in counts)


def shades(hours: Sequence[int | None], most: int) -> str:
    """A sign for each hour: blank for none, darker for more, `–` outside the period."""
    top = len(SHADES) - 1
    return "".join(
        "–" if count is None else SHADES[-(-count * top // most) if most else 0] for count in hours
    )


def _squeezed(counts: Sequence[int]) -> tuple[list[int], int]:
    """At most `WIDE` numbers, each the largest of so many."""
    joined = -(-len(counts) // WIDE)
    return [max(counts[at : at + joined]) for at in range(0, len(counts), joined)], joined


def _top(one: Mapping[str, Any]) -> Table:
    table = Table("top ten 频发报警", "where", "count", "share", "chattered")
    for column in table.columns[2:]:
        column.justify = "right"
    spells = {(a["kind"], a["tag"], a["node"]): a["spells"] for a in one["chattering"]}
    for actor in one["top"]:
        chattered = spells.get((actor["kind"], actor["tag"], actor["node"]))
        table.add_row(
            called(actor),
            actor["place"],
            str(actor["count"]),
            _percent(actor["share"]),
            "" if chattered is None else f"{chattered} ×",
        )
    return table


def calmed(one: Mapping[str, Any]) -> Table | None:
    """Which delays would have calmed the worst chattering and fleeting alarms; None: no delay would
    have."""
    found = noisiest(one)
    if not found:
        return None
    table = Table("noisy 抖动 瞬时", "where", "off-delay 关断延时", "on-delay 开启延时")
    for column in table.columns[2:]:
        column.no_wrap = True
    for actor in found:
        said = actor["advice"]
        noisy, off, on = said["noisy"], said["off_delay"], said["on_delay"]
        table.add_row(
            called(actor),
            actor["place"],
            "–" if off is None else f"+{off['longer_s']} s joins {off['joined']} of {noisy}",
            "–" if on is None else f"+{on['longer_s']} s drops {on['dropped']} of {noisy}",
        )
    return table


def _times(one: Mapping[str, Any]) -> Table:
    table = Table("", "alarms", "share", "acked", "open", "ack p50", "ack p90", "close p50",
                  "close p90", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))  # fmt: skip
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for name, times in one["acknowledge"].items():
        closing = one["close"][name]
        number = one["annunciated"] if name == "all" else one["priorities"][name]
        share = None if name == "all" else one["shares"][name]
        table.add_row(
            name,
            str(number),
            "" if name == "all" else _percent(share),
            str(times["number"]),
            str(times["open"]),
            *(_time(part[q]) for part in (times, closing) for q in ("p50_s", "p90_s")),
        )
    return table


def _warnings(warnings: Mapping[str, Any]) -> Iterator[Any]:
    yield Text(f"\nwarnings 预警 opened: {warnings['cases']}")
    found = [(name, loop) for name, loop in loops(warnings) if loop["rises"]]
    if not found:
        return
    table = Table("", "rises", *(words for _, words in LOOP), "签收 p50", "p90", "反馈 p50",
                  "销警 p50", **NARROW)  # fmt: skip
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for name, loop in found:
        receive = loop["receive"]
        table.add_row(
            name,
            str(loop["rises"]),
            *(_percent(loop[part]["share"]) for part, _ in LOOP),
            _time(receive["p50_s"]),
            _time(receive["p90_s"]),
            _time(loop["feedback"]["p50_s"]),
            _time(loop["close"]["p50_s"]),
        )
    yield table
    for name, loop in found:
        if loop["too_fast"]:
            yield Text(f"{name}: the median 签收 is too fast for anybody to have read it", "bold")


def _local(when: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(when).astimezone(zone):%Y-%m-%d %H:%M}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.3g} %"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for size, word in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {word}"
    return f"{seconds:.3g} s"
