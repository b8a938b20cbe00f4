"""Warning cases 预警 as they are shown on a terminal, and as rows for programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.cases import Level
from domain.escalation import Ladder
from domain.ladders import BySource
from domain.risk import Colour
from hazwatch.commands.desk import Members, local, mark, offset, span, word

if TYPE_CHECKING:
    from storage.reading import Row

DUTIES = {
    "sign_by": ("received", "签收 sign"),
    "feedback_by": ("fed_back", "反馈 feedback"),
    "close_by": ("settled", "销警 close"),
    "verify_by": ("settled", "核实 verify"),
}
"""The state that ends each duty, and its name."""
COLUMNS = (
    *(
        "id",
        "drill",
        "number",
        "colour",
        "worst",
        "unknown",
        "state",
        "enterprise",
        "enterprise_name",
    ),
    *("source", "source_name", "opened", "risen", "closed", *DUTIES, "receipts", "rungs_done"),
    *("rungs_waiting", "next_role", "next_due", "released", "released_by", "alarms"),
)
CHANGES = ("seq", "at", "id", "drill", "event", "colour", "from", "to", "source_name", "by")
LEVELS = {
    Level.ENTERPRISE: "企业 enterprise",
    Level.PARK: "园区 park",
    Level.COUNTY: "县 county",
    Level.CITY: "市 city",
    Level.PROVINCE: "省 province",
    Level.FIRE: "消防 fire and rescue",
}
ORDER = ("open", "received", "handled", "fed_back", "reviewed", "settled", "closed")
SHOWN_RECEIPTS = 3
NOTHING = "–"


def waiting(row: "Row") -> list["Row"]:
    """Rungs that wait, the next one first."""
    return sorted(
        (one for one in row["ladder"] if one["outcome"] == "waiting"), key=lambda one: one["due"]
    )


def told(row: "Row") -> list["Row"]:
    """Rungs that have told somebody, in order."""
    return [one for one in row["ladder"] if one["outcome"] == "told"]


def deadlines(row: "Row", ladders: BySource) -> dict[str, datetime]:
    """Until when people have to sign 签收, feed back 反馈, close 销警 and verify a red 核实, by
    `DUTIES`: what is not done yet and has a deadline. They count from the last rise, at the colour
    to which that led."""
    deeds = row["whole"].get("loop") or {}
    rose = deeds.get("rose_to") or row["colour"]
    duties = ladders.of(row["source"]).colours.get(Colour(rose))
    if duties is None or row["closed"] is not None:
        return {}
    since: datetime = row["risen_at"] or row["opened"]
    unverified = row["colour"] == Colour.RED and not deeds.get("verified")
    within = {
        "sign_by": duties.receive_within_s,
        "feedback_by": None if duties.feedback is None else duties.feedback.within_s,
        "close_by": None if duties.close is None else duties.close.within_s,
        "verify_by": None if duties.verify is None or not unverified else duties.verify.within_s,
    }
    reached = ORDER.index(row["state"]) if row["state"] in ORDER else 0
    return {
        name: since + timedelta(seconds=seconds)
        for name, seconds in within.items()
        if seconds is not None and reached < ORDER.index(DUTIES[name][0])
    }


def role(code: str, ladder: Ladder) -> str:
    """A role by its name."""
    found = ladder.roles.get(code)
    return code if found is None else f"{code} {found.name}"


def receipts(row: "Row") -> str:
    """Who has signed, for which level."""
    names = [f"{LEVELS[Level(one['level'])].split()[-1]}: {one['by']}" for one in row["receipts"]]
    more = f" +{len(names) - SHOWN_RECEIPTS}" if len(names) > SHOWN_RECEIPTS else ""
    return "; ".join(names[:SHOWN_RECEIPTS]) + more or "–"


def members(row: "Row", ladders: BySource, zone: ZoneInfo) -> Members:
    """A row of `desk_cases` by the names of `COLUMNS`; times with the offset of the zone."""
    left = waiting(row)
    return {
        "id": str(row["id"]),
        "drill": row["number"] < 0,
        **{name: row[name] for name in ("number", "unknown", "state", "released_by")},
        "colour": Colour(row["colour"]).name.lower(),
        "worst": Colour(row["worst"]).name.lower(),
        "enterprise": row["enterprise_code"],
        "enterprise_name": row["enterprise_name"],
        "source": row["source_code"],
        "source_name": row["source_name"],
        **{name: offset(row[name], zone) for name in ("opened", "closed", "released")},
        "risen": offset(row["risen_at"], zone),
        **dict.fromkeys(DUTIES),
        **{name: offset(by, zone) for name, by in deadlines(row, ladders).items()},
        "receipts": "" if not row["receipts"] else receipts(row),
        "rungs_done": len(row["ladder"]) - len(left),
        "rungs_waiting": len(left),
        "next_role": left[0]["role"] if left else None,
        "next_due": offset(left[0]["due"], zone) if left else None,
        "alarms": len(row["alarms"]),
    }


def table(rows: Sequence["Row"], ladders: BySource, zone: ZoneInfo, at: datetime) -> RenderableType:
    """The list."""
    if not rows:
        return Text("没有符合条件的预警，一切平静 no warnings of that sort: all is quiet")
    heads = ("colour 颜色", "source 危险源", "since 起始", "state 状态", "ladder 升级阶梯")
    shown = Table(*heads, "签收 / 时限", "id", box=SIMPLE_HEAD)
    for column in shown.columns:
        column.overflow = "fold"
    shown.columns[0].no_wrap = shown.columns[2].no_wrap = shown.columns[6].no_wrap = True
    for row in rows:
        shown.add_row(
            drill_mark(row).append_text(mark(Colour(row["colour"]), unknown=row["unknown"])),
            Text(f"{row['enterprise_name']} / {row['source_name']}"),
            Text(f"{local(row['opened'], zone)}\n{span((at - row['opened']).total_seconds())}"),
            Text(word(row["state"]), "bold" if row["state"] == "open" else ""),
            Text(climb(row, at)),
            _signed(row, ladders, at),
            Text(str(row["id"])[:8], "dim"),
        )
    real = [row for row in rows if row["number"] > 0]
    unsigned = sum(row["state"] == "open" for row in real)
    drills = len(rows) - len(real)
    more = f", 演练 drills {drills}" if drills else ""
    return Group(shown, Text(f"{len(real)} 起预警 warnings, 待签收 not received {unsigned}{more}"))


def drill_mark(row: "Row") -> Text:
    """The mark of a drill 演练; empty where a warning is real."""
    return Text("演练 DRILL ", "bold reverse") if row["number"] < 0 else Text()


def _signed(row: "Row", ladders: BySource, at: datetime) -> Text:
    due = deadline(row, ladders, at)
    if not row["receipts"]:
        return due
    return Text(receipts(row)) if due.plain == NOTHING else due.append(f"\n{receipts(row)}")


def climb(row: "Row", at: datetime) -> str:
    """The ladder in a cell: how many are done, who was told last, who is next and when."""
    done, left = told(row), waiting(row)
    lines = [f"已 done {len(row['ladder']) - len(left)}"]
    if done:
        lines.append(f"现 now {done[-1]['role']}")
    if left:
        lines.append(f"次 next {left[0]['role']} {until(left[0]['due'], at)}")
    return "\n".join(lines)


def until(due: datetime, at: datetime) -> str:
    """The time left, or since when it is over."""
    left = (due - at).total_seconds()
    return f"in {span(left)}" if left >= 0 else f"due {span(-left)} ago 已到期"


def deadline(row: "Row", ladders: BySource, at: datetime) -> Text:
    """What people have to do next, and by when."""
    found = deadlines(row, ladders)
    if not found:
        return Text(NOTHING, "dim")
    name = min(found, key=lambda one: found[one])
    duty, left = DUTIES[name][1], (found[name] - at).total_seconds()
    if left >= 0:
        return Text(f"{duty} in {span(left)}")
    return Text(f"{duty} overdue 逾期 {span(-left)}", "bold reverse")


def change_members(seq: int, body: dict[str, Any], zone: ZoneInfo) -> Members:
    """A change of the stream by the names of `CHANGES`."""
    case, change = body["warning"], body["transition"]
    return {
        "seq": seq,
        "at": offset(datetime.fromisoformat(body["at"]), zone),
        "id": case["id"],
        "drill": case.get("drill") is not None,
        "event": change["event"],
        "colour": case["colour"],
        "from": change["from"],
        "to": change["to"],
        "source_name": case.get("source_name"),
        "by": change["by"],
    }


def change_line(body: dict[str, Any], zone: ZoneInfo) -> Text:
    """A change in one line."""
    case, change = body["warning"], body["transition"]
    by = f" by {change['by']}" if change["by"] else ""
    where = " / ".join(
        str(case[name]) for name in ("enterprise_name", "source_name") if case.get(name)
    )
    return Text.assemble(
        f"{local(datetime.fromisoformat(body['at']), zone)}  ",
        ("演练 DRILL " if case.get("drill") else "", "bold reverse"),
        mark(Colour[str(case["colour"]).upper()], unknown=bool(case.get("unknown"))),
        (f"  {word(change['event'])}{by}", "bold"),
        f"  {where} {word(change['to'])}",
        (f"  {str(case['id'])[:8]}", "dim"),
    )
