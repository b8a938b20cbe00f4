"""Alarms as they are shown on a terminal, and as rows for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.alarms import Kind
from domain.frame import Lane
from domain.plant import TagKind
from domain.policy import rule
from domain.risk import Colour
from hazwatch.commands.desk import Members, local, mark, notice_members, offset, outcome, span, word

if TYPE_CHECKING:
    from storage.reading import Row

COLUMNS = (
    *("id", "priority", "state", "flags", "kind", "class", "onset", "effective", "ended", "closed"),
    *("tag", "value", "limit", "worst", "unit", "enterprise", "enterprise_name", "source"),
    *(
        "source_name",
        "acknowledged_by",
        "acknowledged_at",
        "comment",
        "seen",
        "reason",
        "text",
        "lane",
        "stale",
    ),
)
CHANGES = ("seq", "at", "id", "priority", "event", "from", "to", "name", "by", "text")
FLAGS = ("shelved", "suppressed", "out_of_service")
UNACKED = ("UNACK", "RTNUN", "LATUN")
WEIGHT = {"P1": "bold reverse", "P2": "bold", "P3": "", "P4": "dim"}
WIDE = 140
"""Columns from which the sentence of an alarm has room."""


def members(row: "Row", zone: ZoneInfo) -> Members:
    """A row of `desk_alarms` by the names of `COLUMNS`; times with the offset of the zone."""
    times = ("onset", "effective", "ended", "closed", "acknowledged_at")
    same = ("priority", "state", "kind", "tag", "value", "worst", "unit", "acknowledged_by")
    found: Members = {name: row[name] for name in (*same, "comment", "reason", "text")}
    found |= {name: offset(row[name], zone) for name in times}
    return {
        **found,
        "id": str(row["id"]),
        "flags": " ".join(flags(row)),
        "seen": "; ".join(f"{one['level']} {one['by']} {one['at']}" for one in seen(row, zone)),
        "class": class_of(row)[0],
        "limit": row["limit_value"],
        "enterprise": row["enterprise_code"],
        "enterprise_name": row["enterprise_name"],
        "source": row["source_code"],
        "source_name": row["source_name"],
        "lane": Lane(row["lane"]).name.lower(),
        "stale": bool(row["whole"].get("stale", False)),
    }


def flags(row: "Row") -> list[str]:
    """The flags that are set."""
    return [name for name in FLAGS if row["whole"].get(name) is not None]


def seen(row: "Row", zone: ZoneInfo) -> list[dict[str, Any]]:
    """已阅 of the desks above the enterprise: level, by, at."""
    marks: list[dict[str, Any]] = row["whole"].get("seen") or []
    return [one | {"at": offset(datetime.fromisoformat(one["at"]), zone)} for one in marks]


def class_of(row: "Row") -> tuple[str, str]:
    """(class of the alarm policy, its name); of a kind that this release does not know, itself."""
    try:
        found = rule(TagKind(row["tag_kind"] or TagKind.OTHER), Kind[row["kind"]])
    except (KeyError, ValueError):
        return row["kind"], row["kind"]
    return found.alarm_class, found.name


def number(value: float | None) -> str:
    """A value as people read it."""
    return "–" if value is None else f"{value:.6g}"


def what(row: "Row") -> str:
    """Tag, kind, value and limit in one line."""
    name = row["tag"] or row["source_name"]
    unit = f" {row['unit']}" if row["unit"] else ""
    against = "" if row["limit_value"] is None else f" / {number(row['limit_value'])}"
    value = "" if row["value"] is None else f" {number(row['value'])}{against}{unit}"
    return f"{name} {row['kind']}{value}"


def lasting(row: "Row", at: datetime) -> str:
    """How long it has been active, or was."""
    return span(((row["ended"] or at) - row["onset"]).total_seconds())


def state(row: "Row") -> Text:
    """State and flags; what waits for an acknowledgement is marked."""
    waits = row["state"] in UNACKED
    held = ["[失联保持 held, unseen]"] if row["whole"].get("stale") else []
    words = " ".join([word(row["state"]), *(f"[{word(flag)}]" for flag in flags(row)), *held])
    marks = row["whole"].get("seen") or []
    desks = f" 已阅 {', '.join(one['level'] for one in marks)}" if marks else ""
    return Text(f"{'●' if waits else '○'} {words}{desks}", "bold" if waits else "")


def table(rows: Sequence["Row"], zone: ZoneInfo, at: datetime, width: int) -> RenderableType:
    """The list; `width`: columns of the terminal."""
    if not rows:
        return Text("没有符合条件的报警，一切平静 no alarms of that sort: all is quiet")
    heads = ("", "state 状态", "onset 起始", "lasts 持续", "where 位置", "what 内容", "id")
    shown = Table(*heads, box=SIMPLE_HEAD)
    for column in shown.columns:
        column.overflow = "fold"
    for index in (0, 2, 6):
        shown.columns[index].no_wrap = True
    if width >= WIDE:
        shown.add_column("text 说明", ratio=1, overflow="fold")
    for row in rows:
        cells = [
            Text(f" {row['priority']} ", WEIGHT.get(row["priority"], "")),
            state(row),
            Text(local(row["onset"], zone)),
            Text(lasting(row, at)),
            Text(f"{row['enterprise_name']} / {row['source_name']}"),
            Text(what(row)),
            Text(str(row["id"])[:8], "dim"),
        ]
        shown.add_row(*cells, *([Text(row["text"])] if width >= WIDE else []))
    waiting = sum(row["state"] in UNACKED for row in rows)
    return Group(shown, Text(f"{len(rows)} 条报警 alarms, 未确认 unacknowledged {waiting}"))


def detail(
    row: "Row", changes: Sequence["Row"], notices: Sequence["Row"], cases: Sequence["Row"],
    zone: ZoneInfo, at: datetime,
) -> RenderableType:  # fmt: skip
    """Everything of one occurrence."""
    unit = f" {row['unit']}" if row["unit"] else ""
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("id", str(row["id"])),
        ("what 内容", f"{row['tag'] or '–'}  {row['kind']}  {' '.join(class_of(row))}"),
        ("where 位置", f"{row['enterprise_name']} / {row['source_name']}"),
        ("value 数值", f"{number(row['value'])}{unit}, worst 最差 {number(row['worst'])}{unit}"),
        ("limit 限值", f"{number(row['limit_value'])}{unit}"),
        ("onset 起始", f"{offset(row['onset'], zone)}, lasts 持续 {lasting(row, at)}"),
        ("ended 恢复", offset(row["ended"], zone) or "–"),
        ("acknowledged 确认", _who(row, zone)),
        ("seen 已阅", _seen(row, zone)),
        ("text 说明", row["text"]),
        ("reason 原因", row["reason"] or "–"),
        *((word(flag), _flag(row["whole"][flag], zone)) for flag in flags(row)),
    ):
        facts.add_row(Text(name, "dim"), Text(value, overflow="fold"))
    head = Text.assemble((f" {row['priority']} ", WEIGHT.get(row["priority"], "")), " ", state(row))
    parts: list[RenderableType] = [head, facts, Text(), _journal(changes, zone)]
    parts += [Text(), notice_table(notices, zone)]
    for case in cases:
        line = Text.assemble(
            "case 预警 ",
            mark(Colour(case["colour"])),
            f" {case['source_name']} No. {case['number']}",
        )
        parts.append(line.append(f" {word(case['state'])}  {str(case['id'])[:8]}"))
    if not cases:
        parts.append(Text("no case 未关联预警", "dim"))
    return Group(*parts)


def document(
    row: "Row", changes: Sequence["Row"], notices: Sequence["Row"], cases: Sequence["Row"],
    zone: ZoneInfo,
) -> dict[str, Any]:  # fmt: skip
    """The same for programs."""
    return {
        **members(row, zone),
        "flags": {name: row["whole"][name] for name in flags(row)},
        "seen": seen(row, zone),
        "transitions": [in_zone(change, zone) for change in changes],
        "notices": [in_zone(notice_members(notice), zone) for notice in notices],
        "cases": [in_zone(case, zone) for case in cases],
    }


def in_zone(row: Members, zone: ZoneInfo) -> Members:
    """With times as text, and colours as words."""
    found = {
        name: offset(value, zone) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    for name in ("colour", "before", "worst"):
        value = found.get(name)
        if isinstance(value, int):
            found[name] = Colour(value).name.lower()
    return found


def notice_table(notices: Sequence["Row"], zone: ZoneInfo) -> RenderableType:
    """What went out, and what became of it."""
    if not notices:
        return Text("no notices 没有通知", "dim")
    heads = ("notice 通知", "to 接收人", "sent 时间", "attempts", "became 结果")
    shown = Table(*heads, box=SIMPLE_HEAD)
    for row in notices:
        told = notice_members(row)
        result = f"{outcome(row)} {local(row['delivered'] or row['failed'], zone, date=False)}"
        error = f": {row['error']}" if row["error"] else ""
        shown.add_row(
            f"{told['channel']} {told['role'] or ''}".rstrip(),
            str(told["recipient"]),
            local(row["created"], zone),
            str(row["attempts"]),
            Text(result + error),
        )
    return shown


def change_members(seq: int, body: dict[str, Any], zone: ZoneInfo) -> Members:
    """A change of the stream by the names of `CHANGES`."""
    alarm, change = body["alarm"], body["transition"]
    return {
        "seq": seq,
        "at": offset(datetime.fromisoformat(body["at"]), zone),
        "id": alarm["id"],
        "priority": alarm["priority"],
        "event": change["event"],
        "from": change["from"],
        "to": change["to"],
        "name": alarm["name"],
        "by": change["by"],
        "text": alarm["text"],
    }


def change_line(body: dict[str, Any], zone: ZoneInfo) -> Text:
    """A change in one line."""
    alarm, change = body["alarm"], body["transition"]
    by = f" by {change['by']}" if change["by"] else ""
    at = local(datetime.fromisoformat(body["at"]), zone)
    return Text.assemble(
        f"{at} ",
        (f" {alarm['priority']} ", WEIGHT.get(alarm["priority"], "")),
        (f" {word(change['event'])}{by}", "bold" if change["to"] in UNACKED else ""),
        f"  {alarm['text']}",
        (f"  {alarm['id'][:8]}", "dim"),
    )


def show(console: Console, what: RenderableType) -> None:
    """Print, without colours of rich's own."""
    console.print(what, soft_wrap=False, highlight=False)


def _who(row: "Row", zone: ZoneInfo) -> str:
    if row["acknowledged_by"] is None:
        return "nobody yet 无人确认" if row["state"] in UNACKED else "–"
    comment = f": {row['comment']}" if row["comment"] else ""
    return f"{row['acknowledged_by']}, {offset(row['acknowledged_at'], zone)}{comment}"


def _seen(row: "Row", zone: ZoneInfo) -> str:
    marks = seen(row, zone)
    return "; ".join(f"{one['level']}: {one['by']}, {one['at']}" for one in marks) or "–"


def _flag(said: Any, zone: ZoneInfo) -> str:
    """By whom or what a flag was set, until when, and why."""
    if not isinstance(said, dict):
        return str(said)
    until = said.get("until")
    parts = [
        f"until 至 {offset(datetime.fromisoformat(str(until)), zone)}" if until else "",
        *(str(said.get(name) or "") for name in ("by", "second", "rule", "why")),
    ]
    return ", ".join(filter(None, parts)) or "set"


def _journal(changes: Sequence["Row"], zone: ZoneInfo) -> RenderableType:
    heads = ("#", "at 时间", "event 事件", "state 状态", "who 人员", "comment 备注")
    shown = Table(*heads, box=SIMPLE_HEAD)
    for row in changes:
        shown.add_row(
            str(row["n"]),
            local(row["at"], zone),
            word(row["event"]),
            f"{row['from_state']} → {row['to_state']}",
            Text(row["by"] or ""),
            Text(row["comment"] or ""),
        )
    return shown
