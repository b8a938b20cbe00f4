"""`hazwatch alarms` and `hazwatch warnings` against both kinds of database."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

import psycopg
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from domain.alarms import NAMESPACE
from hazwatch.cli import assembled
from tests.support.builders import START, at
from tests.support.seed import Plant, Seed

APP = assembled()
BEIJING = "+08:00"


class Desk:
    """Rows as the worker writes them, and the commands that read them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seed = Seed(url)
        self.plant: Plant = self.seed.plant()

    def alarm(self, number: int, **given: Any) -> UUID:
        """An occurrence of the first plant's gas detector, unless something else is given."""
        id = uuid5(NAMESPACE, f"test/{number}")
        row: dict[str, Any] = {
            "id": id,
            "lane": 0,
            "kind": "HH",
            "tag_id": self.plant.tags[0][1],
            "node": self.plant.sources[0],
            "enterprise": self.plant.enterprises[0],
            "priority": "P1",
            "state": "UNACK",
            "onset": at(number),
            "effective": at(number),
            "value": 45.5,
            "limit_value": 40.0,
            "worst": 51.25,
            "n": 1,
            "text": "GD07: 二级报警 45.5 ppm ≥ 40 ppm",
        } | given
        self.insert("alarm", row)
        return id

    def case(self, number: int, **given: Any) -> UUID:
        """An open orange case of the first plant's source, unless something else is given."""
        id = uuid5(NAMESPACE, f"test case/{number}")
        row: dict[str, Any] = {
            "id": id,
            "source": self.plant.sources[0],
            "number": number,
            "enterprise": self.plant.enterprises[0],
            "state": "open",
            "colour": 2,
            "worst": 2,
            "opened": at(number),
            "seen": at(number),
            "unknown": False,
            "n": 1,
            "left_blue": 1,
            "risen": 1,
            "receipts": "[]",
            "alarms": [],
        } | given
        self.insert("warning_case", row)
        return id

    def insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        values = ", ".join(f"%({name})s" for name in row)
        with psycopg.connect(self.url) as connection:
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", row)

    def run(self, *words: str, code: int = 0) -> Result:
        noun, verb, *rest = words
        given = [noun, verb, *rest, "--database-url", self.url]
        environment = {"COLUMNS": "160", "HAZWATCH_TIMEZONE": "Asia/Shanghai", "NO_COLOR": "1"}
        result = CliRunner().invoke(APP, given, env=environment)
        assert result.exit_code == code, result.output
        return result

    def ids(self, *words: str) -> list[str]:
        return [row["id"] for row in json.loads(self.run(*words, "--output", "json").stdout)]


def rows_of(file: Path) -> list[dict[str, str]]:
    """A CSV file as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))


@pytest.fixture
def desk(database_url: str) -> Desk:
    return Desk(database_url)


def test_alarms_are_listed_as_the_screen_has_them_and_every_filter_filters(desk: Desk):
    second = desk.plant.sources[1], desk.plant.enterprises[1], desk.plant.tags[1][0]
    low = desk.alarm(1, priority="P3", kind="H")
    held = desk.alarm(2, state="ACKED", acknowledged_by="zhang", acknowledged_at=at(3))
    back = desk.alarm(3, state="RTNUN", ended=at(9), priority="P2", kind="ROC")
    urgent = desk.alarm(4)
    newer = desk.alarm(5)
    other = desk.alarm(6, node=second[0], enterprise=second[1], tag_id=second[2], priority="P4")
    closed = desk.alarm(7, state="NORM", ended=at(8), closed=at(9))
    replayed = desk.alarm(8, lane=1, state="NORM", ended=at(9))

    def expect(ids: list[UUID], *words: str) -> None:
        assert desk.ids("alarms", "list", *words) == [str(id) for id in ids], words

    expect([newer, urgent, back, low, other, held])
    expect([newer, urgent, back], "--priority", "P1,p2", "--unacked")
    expect([low], "--kind", "h")
    expect([held], "--state", "acked")
    expect([closed], "--state", "NORM")
    expect([back], "--returned")
    expect([newer, urgent, low, other, held], "--active")
    expect([other], "--enterprise", "e2")
    expect([other], "--enterprise", "西部气体")
    expect([other], "--source", "e2/s1")
    expect([other], "--source", "s1", "--enterprise", "e2")
    expect([other], "--tag", "LI101")
    expect([newer, other, closed], "--from", at(5).isoformat())
    expect([newer], "--from", at(5).isoformat(), "--to", at(6).isoformat())
    expect([replayed], "--afterwards")
    expect([newer], "--limit", "1")
    expect([], "--flags", "shelved,out-of-service")
    desk.run("alarms", "list", "--priority", "P9", code=2)
    assert "no enterprise is called 'e9'" in desk.run(
        "alarms", "list", "--enterprise", "e9", code=1
    ).output.replace("\n", " ")
    shown = desk.run("alarms", "list").stdout
    assert "未确认 unacknowledged 5" in shown
    assert "液氨罐区" in shown


def test_json_and_csv_are_exactly_this(desk: Desk):
    id = desk.alarm(1, comment="=1+1", reason="", limit_value=float("nan"), ended=at(61))
    [found] = json.loads(desk.run("alarms", "list", "--output", "json").stdout)
    began = at(1).astimezone(datetime.fromisoformat(f"2026-01-01T00:00:00{BEIJING}").tzinfo)
    assert found == {
        "id": str(id),
        "priority": "P1",
        "state": "UNACK",
        "flags": "",
        "kind": "HH",
        "class": "GAS_L2",
        "onset": began.isoformat(timespec="milliseconds"),
        "effective": began.isoformat(timespec="milliseconds"),
        "ended": (began + timedelta(seconds=60)).isoformat(timespec="milliseconds"),
        "closed": None,
        "tag": "GD07",
        "value": 45.5,
        "limit": None,
        "worst": 51.25,
        "unit": "ppm",
        "enterprise": "e1",
        "enterprise_name": "华东化工",
        "source": "s1",
        "source_name": "液氨罐区",
        "acknowledged_by": None,
        "acknowledged_at": None,
        "comment": "=1+1",
        "seen": "",
        "reason": "",
        "text": "GD07: 二级报警 45.5 ppm ≥ 40 ppm",
        "lane": "live",
        "stale": False,
    }
    [row] = csv.DictReader(io.StringIO(desk.run("alarms", "list", "--output", "csv").stdout))
    assert row == {name: "" if value is None else str(value) for name, value in found.items()} | {
        "comment": "'=1+1"
    }


def test_a_desk_says_that_it_has_seen_an_alarm_and_every_list_shows_it(desk: Desk):
    desk.seed.person("wang.fang", "operator", desk.plant.park)
    desk.seed.person("one", "enterprise", desk.plant.enterprises[0])
    alarm = desk.seed.raised(desk.plant, desk.plant.tags[0][1])
    known = {alarm.id: alarm}
    asked = "alarms", "seen", str(alarm.id)[:8], "--as"
    with ThreadPoolExecutor() as worker:
        said = worker.submit(desk.run, *asked, "wang.fang", "--comment", "已通知现场")
        while not desk.seed.apply_actions(desk.plant, known, at(30)):
            pass
        assert "已阅 seen, by wang.fang" in said.result().stdout
    assert "acknowledge it" in desk.run(*asked, "one", code=1).output
    assert "nobody is called 'li'" in desk.run(*asked, "li", code=1).output
    shown = desk.run("alarms", "list").stdout
    assert ("已阅" in shown, "park" in shown) == (True, True)
    (row,) = json.loads(desk.run("alarms", "list", "--output", "json").stdout)
    when = at(30).astimezone(ZoneInfo("Asia/Shanghai")).isoformat(timespec="milliseconds")
    assert (row["state"], row["seen"]) == ("UNACK", f"park wang.fang {when}")
    told = json.loads(desk.run("alarms", "show", str(alarm.id), "--output", "json").stdout)
    assert told["seen"] == [{"level": "park", "by": "wang.fang", "at": when}]
    assert told["transitions"][-1]["comment"] == "已通知现场"
    assert "park: wang.fang" in desk.run("alarms", "show", str(alarm.id)).stdout


def test_one_alarm_is_shown_with_its_journal_its_notices_and_its_case(desk: Desk):
    tag = desk.plant.tags[0][1]
    alarm = desk.seed.raised(desk.plant, tag)
    alarm = desk.seed.acknowledged(desk.plant, alarm, "zhang", at(90))
    case = desk.case(4, alarms=[alarm.id])
    notice = {
        "id": uuid4(),
        "occurrence": alarm.id,
        "channel": "webhook",
        "recipient": "https://hooks.example.com/robot/s3cret",
        "body": "{}",
        "created": START,
        "due": START,
        "attempts": 2,
        "failed": at(30),
        "error": "the receiver answered 500",
    }
    desk.insert("notice", notice)
    hot = {"id": uuid4(), "occurrence": case, "body": json.dumps({"role": "permit"})}
    desk.insert("notice", notice | hot | {"failed": None, "delivered": at(30)})
    to_whom = json.loads(desk.run("warnings", "show", str(case), "--output", "json").stdout)
    assert [(one["role"], one["outcome"]) for one in to_whom["notices"]] == [
        ("permit", "delivered")
    ]
    assert "permit" in desk.run("warnings", "show", str(case)).stdout
    shown = desk.run("alarms", "show", str(alarm.id)[:8])
    for part in ("45.5 ppm", "40 ppm", "zhang", "seen", "报警 raised"):
        assert part in shown.stdout
    for part in ("hooks.example.com", "500", "Ⅱ ▲ 橙 orange", "No. 4", str(case)[:8]):
        assert part in shown.stdout
    assert "s3cret" not in shown.stdout
    told = json.loads(desk.run("alarms", "show", str(alarm.id), "--output", "json").stdout)
    assert [change["event"] for change in told["transitions"]] == ["raise", "acknowledge"]
    assert told["transitions"][1]["by"] == "zhang"
    assert told["cases"][0]["colour"] == "orange"
    assert told["notices"][0]["outcome"] == "failed"
    assert "s3cret" not in json.dumps(told)
    assert "there is no alarm 'ffff'" in desk.run("alarms", "show", "ffff", code=1).output


def test_warnings_are_listed_and_shown_with_their_ladder(desk: Desk):
    alarm = desk.alarm(1)
    orange = desk.case(
        2,
        alarms=[alarm],
        state="received",
        receipts=json.dumps(
            [
                {
                    "level": 0,
                    "by": "li",
                    "at": at(5).isoformat(),
                    "colour": 2,
                    "n": 2,
                    "comment": None,
                }
            ]
        ),
    )
    closed = desk.case(1, state="closed", colour=0, closed=at(50), worst=1)
    other = {"source": desk.plant.sources[1], "enterprise": desk.plant.enterprises[1]}
    red = desk.case(3, **other, colour=3, worst=3)
    mark = {"mark_at": START, "mark_elapsed": 0.0, "mark_boot": "b", "left_s": 0.0}
    base = {"case_id": orange, "n": 1, "colour": 2, "level": 0, "after_s": 0.0, "unnamed": False}
    told = {"no": 1, "role": "OP", "due": at(2), "done": at(2), "outcome": "told"}
    later = {"no": 2, "role": "CI", "level": 3, "due": at(902), "outcome": "waiting"}
    for rung in (told, later):
        desk.insert("escalation_step", base | mark | rung)
    for n, event, source, target, by in (
        (1, "rise", "closed", "open", None),
        (2, "receive", "open", "received", "li"),
    ):
        change = {"case_id": orange, "n": n, "at": at(2 + n), "event": event, "by": by}
        states = {"from_state": source, "to_state": target, "before": 2 * (n - 1), "body": "{}"}
        desk.insert("case_event", change | states)
    assert desk.ids("warnings", "list") == [str(red), str(orange)]
    assert desk.ids("warnings", "list", "--state", "closed") == [str(closed)]
    assert desk.ids("warnings", "list", "--colour", "orange") == [str(orange)]
    assert desk.ids("warnings", "list", "--worst", "yellow", "--from", "2020-01-01") == [
        str(closed)
    ]
    assert desk.ids("warnings", "list", "--unreceived") == [str(red)]
    assert desk.ids("warnings", "list", "--enterprise", "e2") == [str(red)]
    shown = desk.run("warnings", "list").stdout
    for part in ("Ⅰ ◆ 红 red", "Ⅱ ▲ 橙 orange", "待签收 not received 1", "overdue 逾期", "CI"):
        assert part in shown
    one = desk.run("warnings", "show", str(orange)[:10]).stdout
    for part in ("● 签收", "○ 处置", "rose", "签收 received  li", "next 下一级 CI", "GD07"):
        assert part in one
    document = json.loads(desk.run("warnings", "show", str(orange), "--output", "json").stdout)
    assert [rung["outcome"] for rung in document["ladder"]] == ["told", "waiting"]
    assert document["receipts"][0]["level"] == "enterprise"
    assert [change["colour"] for change in document["transitions"]] == ["orange", "orange"]
    [row] = csv.DictReader(
        io.StringIO(desk.run("warnings", "list", "--colour", "orange", "--output", "csv").stdout)
    )
    assert (row["rungs_done"], row["rungs_waiting"], row["next_role"]) == ("1", "1", "CI")


def test_an_empty_house_is_told_kindly(desk: Desk):
    assert "一切平静 no alarms of that sort: all is quiet" in desk.run("alarms", "list").stdout
    assert "一切平静 no warnings of that sort" in desk.run("warnings", "list").stdout
    assert json.loads(desk.run("alarms", "list", "--output", "json").stdout) == []


def test_exports_hold_exactly_what_was_asked_and_are_counted(desk: Desk, tmp_path: Path):
    for number in range(5):
        desk.alarm(number, comment='a "quoted", line\nand another', state="NORM", closed=at(99))
    desk.alarm(50, text="+cmd")
    file = tmp_path / "alarms.csv"
    said = desk.run("alarms", "export", str(file), "--bom", "--to", at(60).isoformat())
    assert "6 rows in" in said.output
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfid,priority,")
    assert raw.count(b"\r\n") == 7
    rows = rows_of(file)
    assert rows[-1]["comment"] == 'a "quoted", line\nand another'
    assert rows[0]["text"] == "'+cmd"
    assert {row["onset"][-6:] for row in rows} == {BEIJING}
    desk.run("alarms", "export", str(file), "--state", "NORM")
    assert len(rows_of(file)) == 5
    assert list(tmp_path.iterdir()) == [file]

    table = tmp_path / "alarms.parquet"
    desk.run("alarms", "export", str(table))
    found = pq.read_table(table)
    assert found.num_rows == 6
    assert str(found.schema.field("onset").type) == "timestamp[us, tz=Asia/Shanghai]"
    assert found.column("value").to_pylist() == [45.5] * 6
    assert found.column("onset").to_pylist()[0] == at(50)

    case = desk.case(1, state="closed", closed=at(5), unknown=True)
    cases = tmp_path / "cases.csv"
    assert "1 rows in" in desk.run("warnings", "export", str(cases)).output
    [row] = rows_of(cases)
    assert (row["id"], row["unknown"], row["rungs_done"]) == (str(case), "true", "0")
    desk.run("warnings", "export", str(tmp_path / "cases.parquet"))
    assert pq.read_table(tmp_path / "cases.parquet").column("unknown").to_pylist() == [True]
    assert "nothing was written" in desk.run("alarms", "export", "/no/such/x.csv", code=1).output


@pytest.fixture
def follower(desk: Desk) -> Iterator["subprocess.Popen[str]"]:
    words = ["alarms", "follow", "--priority", "P1", "--after", "0", "--output", "json"]
    command = [sys.executable, "-m", "hazwatch", *words, "--database-url", desk.url]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        yield process
        process.kill()


def test_changes_are_followed_and_the_end_says_where_to_go_on(
    desk: Desk, follower: "subprocess.Popen[str]"
):
    tag = desk.plant.tags[0][1]
    assert follower.stdout is not None
    assert follower.stderr is not None
    first = desk.seed.raised(desk.plant, tag)
    line = json.loads(follower.stdout.readline())
    assert (line["seq"], line["alarm"]["id"]) == (1, str(first.id))
    desk.seed.raised(desk.plant, tag, kind=_kind("H"), priority=_priority("P3"))
    desk.seed.acknowledged(desk.plant, first, "zhang", at(60))
    line = json.loads(follower.stdout.readline())
    assert (line["seq"], line["transition"]["by"]) == (3, "zhang")
    follower.send_signal(signal.SIGINT)
    assert follower.wait(20) == 0
    assert "--after 3" in follower.stderr.read()


def _kind(name: str) -> Any:
    from domain.alarms import Kind

    return Kind[name]


def _priority(name: str) -> Any:
    from domain.alarms import Priority

    return Priority(name)
