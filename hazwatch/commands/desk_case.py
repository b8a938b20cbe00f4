"""One warning case 预警 with everything around it: ladder and loop as a time line."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.cases import Level
from domain.escalation import Ladder
from domain.risk import Colour
from hazwatch.commands.desk import Members, local, mark, notice_members, offset, span, word
from hazwatch.commands.desk_alarms import WEIGHT, in_zone, notice_table
from hazwatch.commands.desk_warnings import (
    ORDER,
    deadline,
    drill_mark,
    members,
    receipts,
    role,
    until,
)

if TYPE_CHECKING:
    from storage.reading import Row

LOOP = (
    ("received", "签收", None),
    ("handled", "处置", "handled"),
    ("fed_back", "反馈", "feedback"),
    ("reviewed", "审核", "review"),
    ("closed", "销警", "closing"),
)
"""Steps of the loop: the state that it leads to, its name, its member in the row's `loop`."""
DUTY = {
    "feedback": "反馈 feedback",
    "close": "销警 close",
    "explain": "说明 explain",
    "verify": "核实 verify",
}
"""What a rung waits for, where it is not the receipt."""


def detail(
    row: "Row", changes: Sequence["Row"], notices: Sequence["Row"], alarms: Sequence["Row"],
    ladder: Ladder, zone: ZoneInfo, at: datetime,
) -> RenderableType:  # fmt: skip
    """Everything of one case, with ladder and loop as a time line."""
    drill = (row["whole"].get("loop") or {}).get("drill")
    head = Text.assemble(
        drill_mark(row),
        mark(Colour(row["colour"]), unknown=row["unknown"]),
        f"  {row['enterprise_name']} / {row['source_name']}  No. {row['number']}  ",
        (word(row["state"]), "bold"),
    )
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("id", Text(str(row["id"]))),
        ("opened 开启", Text(f"{offset(row['opened'], zone)}")),
        ("worst 最高", mark(Colour(row["worst"]))),
        ("deadline 时限", deadline(row, ladder, at)),
        ("received 签收", Text(receipts(row))),
        ("verified 核实", Text(_verified(row, zone))),
        ("released 解除", Text(_released(row, zone))),
        *([("drill 演练", Text(_drilled(drill, zone)))] if drill else []),
    ):
        facts.add_row(Text(name, "dim"), value)
    lines = [Text.assemble(("loop 闭环  ", "dim"), loop(row, zone)), Text()]
    lines += time_line(row, changes, ladder, zone, at)
    parts: list[RenderableType] = [head, facts, Text(), *lines, Text()]
    for alarm in alarms:
        weight = WEIGHT.get(alarm["priority"], "")
        parts.append(
            Text.assemble(
                (f" {alarm['priority']} ", weight),
                f" {local(alarm['onset'], zone)} {word(alarm['state'])}  {alarm['text']}",
                (f"  {str(alarm['id'])[:8]}", "dim"),
            )
        )
    return Group(*parts, Text(), notice_table(notices, zone))


def loop(row: "Row", zone: ZoneInfo) -> Text:
    """How far people have come: 签收 → 处置 → 反馈 → 审核 → 销警, with who and when."""
    reached = ORDER.index(row["state"]) if row["state"] in ORDER else 0
    deeds = row["whole"].get("loop") or {}
    found = Text()
    for step, name, member in LOOP:
        done = ORDER.index(step) <= reached
        if found:
            found.append(" ── " if done else " ╌╌ ", "" if done else "dim")
        found.append(f"{'●' if done else '○'} {name}", "bold" if done else "dim")
        found.append(_deed(row, deeds, member, zone) if done else "")
    return found


def _deed(row: "Row", deeds: Members, member: str | None, zone: ZoneInfo) -> str:
    if member is None:
        signed = [one for one in row["receipts"] if one.get("at")]
        deed: Any = max(signed, key=lambda one: str(one["at"]), default=None)
    else:
        deed = deeds.get(member)
    if not isinstance(deed, dict) or not deed.get("at"):
        return ""
    at = datetime.fromisoformat(str(deed["at"]))
    return f" {at.astimezone(zone):%H:%M} {deed.get('by') or ''}".rstrip()


def time_line(
    row: "Row", changes: Sequence["Row"], ladder: Ladder, zone: ZoneInfo, at: datetime
) -> list[Text]:
    """Transitions and rungs in the order of time, the present among them; what lies ahead is
    dim."""
    entries = [(change["at"], 0, _change(change)) for change in changes]
    entries += [_rung(rung, ladder, at) for rung in row["ladder"]]
    entries.append((row["closed"] or at, 2, _now(row, at)))
    entries.sort(key=lambda entry: entry[:2])
    lines = []
    for index, (when, kind, said) in enumerate(entries):
        joint = "●" if kind == 2 else "┬" if index == 0 else "├"
        joint = "└" if index == len(entries) - 1 and kind != 2 else joint
        ahead = kind == 3
        line = Text(f"{local(when, zone)}  {joint} ", "dim" if ahead else "")
        lines.append(line.append_text(said if not ahead else Text(said.plain, "dim")))
    return lines


def _now(row: "Row", at: datetime) -> Text:
    if row["closed"] is not None:
        return Text(
            f"销警 closed after {span((row['closed'] - row['opened']).total_seconds())}", "bold"
        )
    return Text(f"now 现在, open for {span((at - row['opened']).total_seconds())}", "bold")


def _change(change: "Row") -> Text:
    by = f"  {change['by']}" if change["by"] else ""
    comment = f": {change['comment']}" if change["comment"] else ""
    said = Text(f"{word(change['event'])}{by}{comment}  ")
    if change["before"] != change["colour"]:
        said.append_text(mark(Colour(change["before"]))).append(" → ")
        said.append_text(mark(Colour(change["colour"])))
    return said


def _rung(rung: "Row", ladder: Ladder, at: datetime) -> tuple[datetime, int, Text]:
    duty = DUTY.get(str((rung.get("whole") or {}).get("duty")))
    who = role(rung["role"], ladder) + (f" ({duty})" if duty else "")
    if rung["outcome"] == "waiting":
        return rung["due"], 3, Text(f"next 下一级 {who} {until(rung['due'], at)}")
    by = f" by {rung['by']}" if rung["by"] else ""
    nobody = ", nobody is named for it 未指定人员" if rung["unnamed"] else ""
    return rung["done"] or rung["due"], 1, Text(f"{word(rung['outcome'])} {who}{by}{nobody}")


def _drilled(drill: Members, zone: ZoneInfo) -> str:
    """Who ordered a drill, until when, why, and how it ended."""
    until = offset(datetime.fromisoformat(str(drill["until"])), zone)
    said = f"{drill['by']}, until 至 {until}"
    said += f", {drill['comment']}" if drill.get("comment") else ""
    return f"{said}, ended 结束: {drill['end']}" if drill.get("end") else said


def _released(row: "Row", zone: ZoneInfo) -> str:
    if row["released"] is None:
        return "–"
    return f"{row['released_by']}, {offset(row['released'], zone)}"


def _verified(row: "Row", zone: ZoneInfo) -> str:
    """Who verified the present red, and when; 待核实 where nobody has."""
    deed = (row["whole"].get("loop") or {}).get("verified")
    if not deed:
        return "待核实 not yet" if row["colour"] == Colour.RED else "–"
    said = f"{deed['by']}, {offset(datetime.fromisoformat(str(deed['at'])), zone)}"
    return f"{said}, {deed['comment']}" if deed.get("comment") else said


def document(
    row: "Row", changes: Sequence["Row"], notices: Sequence["Row"], alarms: Sequence["Row"],
    ladder: Ladder, zone: ZoneInfo,
) -> dict[str, Any]:  # fmt: skip
    """The same for programs."""
    levels = [
        one | {"level": Level(one["level"]).name.lower()} for one in map(dict, row["receipts"])
    ]
    return {
        **members(row, ladder, zone),
        "receipts": levels,
        "alarms": [in_zone(alarm, zone) for alarm in alarms],
        "loop": row["whole"].get("loop"),
        "ladder": [
            in_zone({name: rung[name] for name in RUNG}, zone)
            | {"level": Level(rung["level"]).name.lower()}
            for rung in row["ladder"]
        ],
        "transitions": [in_zone(change, zone) for change in changes],
        "notices": [in_zone(notice_members(notice), zone) for notice in notices],
    }


RUNG = ("no", "role", "colour", "after_s", "due", "done", "by", "outcome", "unnamed")
