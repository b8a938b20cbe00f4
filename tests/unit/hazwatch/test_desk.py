"""What the desks on the command line look like; no database."""

import io
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from domain.alarms import NAMESPACE
from domain.escalation import default
from domain.risk import Colour
from hazwatch.commands import desk, desk_alarms, desk_case, desk_warnings
from tests.support.builders import START, at

ZONE = ZoneInfo("Asia/Shanghai")
NOW = at(3600)


def alarm_row(number: int, **given: Any) -> dict[str, Any]:
    """A row of `desk_alarms`."""
    return {
        "id": uuid5(NAMESPACE, f"row/{number}"),
        "lane": 0,
        "kind": "HH",
        "priority": "P1",
        "state": "UNACK",
        "onset": at(number),
        "effective": at(number),
        "ended": None,
        "closed": None,
        "value": 45.5,
        "limit_value": 40.0,
        "worst": 51.25,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "comment": None,
        "reason": "",
        "text": "GD07: 二级报警 45.5 ppm ≥ 40 ppm, since 16:00:01; 撤离并通知 evacuate and call",
        "n": 1,
        "tag": "GD07",
        "tag_kind": "gas_toxic",
        "unit": "ppm",
        "enterprise_code": "e1",
        "enterprise_name": "华东化工",
        "source": 3,
        "source_code": "s1",
        "source_name": "液氨罐区",
        "whole": {},
    } | given


def rung(no: int, role: str, due: float, outcome: str = "waiting", **given: Any) -> dict[str, Any]:
    """A row of `desk_rungs`."""
    done = None if outcome == "waiting" else at(due)
    return {
        "no": no,
        "colour": 2,
        "role": role,
        "level": 0,
        "after_s": due,
        "due": at(due),
        "done": done,
        "by": None,
        "outcome": outcome,
        "unnamed": False,
    } | given


def case_row(number: int, **given: Any) -> dict[str, Any]:
    """A row of `desk_cases` with its ladder."""
    return {
        "id": uuid5(NAMESPACE, f"case row/{number}"),
        "number": number,
        "state": "open",
        "colour": 2,
        "worst": 2,
        "unknown": False,
        "opened": START,
        "risen_at": START,
        "closed": None,
        "released": None,
        "released_by": None,
        "receipts": [],
        "alarms": [],
        "enterprise_code": "e1",
        "enterprise_name": "华东化工",
        "source": 3,
        "source_code": "s1",
        "source_name": "液氨罐区",
        "whole": {},
        "ladder": [rung(1, "OP", 0, "told"), rung(2, "PK", 0, "told"), rung(3, "CI", 4500)],
    } | given


def printed(what: RenderableType, width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, color_system=None)
    desk_alarms.show(out, what)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_lists_keep_within_the_terminal_and_say_everything_without_colour(width: int):
    rows = [
        alarm_row(1),
        alarm_row(2, state="ACKED", priority="P3", whole={"shelved": {"until": "…"}}),
        alarm_row(3, state="RTNUN", ended=at(70), tag=None, kind="NO_ROOM", tag_kind=None),
    ]
    lines = printed(desk_alarms.table(rows, ZONE, NOW, width), width)
    text = "\n".join(lines)
    assert max(map(cell_len, lines)) <= width
    for part in ("P1", "未确认", "搁置", "GD07", "11-21 16:00:01", "unacknowledged 2"):
        assert part in text
    cases = [case_row(1, unknown=True), case_row(2, colour=3, state="received", risen_at=None)]
    lines = printed(desk_warnings.table(cases, default(), ZONE, NOW), width)
    assert max(map(cell_len, lines)) <= width
    text = "".join(lines)
    for part in ("Ⅱ", "▲", "Ⅰ", "◆", "CI", "PK"):
        assert part in text


def test_only_risk_colours_have_a_hue():
    out = Console(file=io.StringIO(), width=160, force_terminal=True, color_system="truecolor")
    every = [alarm_row(n, priority=f"P{n}") for n in range(1, 5)]
    desk_alarms.show(out, desk_alarms.table(every, ZONE, NOW, 160))
    assert isinstance(out.file, io.StringIO)
    assert "38;2" not in out.file.getvalue()
    desk_alarms.show(out, desk_warnings.table([case_row(1)], default(), ZONE, NOW))
    assert out.file.getvalue().count("38;2;240;140;0") >= 1


@pytest.mark.parametrize(
    ("state", "since", "said"),
    [
        ("open", 60, "签收 sign in 4 min"),
        ("open", 900, "签收 sign overdue 逾期 10 min"),
        ("received", 900, "反馈 feedback in 15 min"),
        ("fed_back", 900, "销警 close in 11 h 45 min"),
        ("settled", 900, "–"),
    ],
)
def test_the_next_deadline_counts_from_the_last_rise(state: str, since: int, said: str):
    row = case_row(1, state=state, risen_at=NOW - timedelta(seconds=since), opened=START)
    assert desk_warnings.deadline(row, default(), NOW).plain == said


def test_one_case_reads_like_a_shift_log():
    rise = {"n": 1, "at": START, "event": "rise", "before": 0, "by": None, "comment": None}
    signed = {
        "n": 2,
        "at": at(240),
        "event": "receive",
        "before": 2,
        "by": "li",
        "comment": "去看看",
    }
    changes = [change | {"colour": 2} for change in (rise, signed)]
    row = case_row(
        1,
        state="handled",
        receipts=[{"level": 0, "by": "li", "at": "2026-11-21T08:04:00Z"}],
        whole={"loop": {"handled": {"by": "wang", "at": "2026-11-21T08:10:00Z"}}},
    )
    lines = printed(desk_case.detail(row, changes, [], [alarm_row(1)], default(), ZONE, NOW), 100)
    assert "loop 闭环  ● 签收 16:04 li ── ● 处置 16:10 wang ╌╌ ○ 反馈 ╌╌ ○ 审核 ╌╌ ○ 销警" in lines
    joints = [line[16:].rstrip() for line in lines if line[16:17] in tuple("┬├●└")]
    assert [line[:1] for line in joints] == ["┬", "├", "├", "├", "●", "└"]
    assert joints[0] == "┬ 升级 rose  Ⅳ ● 蓝 blue → Ⅱ ▲ 橙 orange"
    assert joints[3] == "├ 签收 received  li: 去看看"
    assert joints[4] == "● now 现在, open for 1 h"
    assert joints[5].endswith("in 15 min")


def test_what_is_unknown_to_this_release_is_shown_as_it_is():
    row = alarm_row(1, kind="NEWKIND", state="NEWSTATE", tag_kind="newkind")
    assert desk_alarms.class_of(row) == ("NEWKIND", "NEWKIND")
    assert "NEWSTATE" in desk_alarms.state(row).plain
    assert desk_case.loop(case_row(1, state="new"), ZONE).plain.startswith("○ 签收")


@given(st.lists(st.sampled_from(["P1", "p2", " P3 ", "P9", ""]), max_size=4))
def test_words_by_commas_are_known_or_refused(words: list[str]):
    given_ = ",".join(words)
    known = [word.strip().upper() for word in words if word.strip()]
    try:
        found = desk.listed(given_, ("P1", "P2", "P3"), "--priority")
    except typer.BadParameter:
        assert "P9" in known or not known
    else:
        assert list(found or ()) == known


def test_times_have_the_offset_of_the_site():
    assert desk.offset(START, ZONE) == "2026-11-21T16:00:00.000+08:00"
    assert desk.aware(datetime(2026, 11, 21, 16, tzinfo=ZONE), ZONE) == START
    naive = datetime(2026, 11, 21, 16, tzinfo=ZONE).replace(tzinfo=None)
    assert desk.aware(naive, ZONE) == START
    assert desk.mark(Colour.RED, unknown=True).plain == "Ⅰ ◆ 红 red ?"
