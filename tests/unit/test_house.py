"""Rules of the house that no linter knows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SQL = sorted((ROOT / "storage").rglob("*.sql"))
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\b(current_timestamp|current_time|current_date|localtimestamp|localtime)\b",
    re.IGNORECASE,
)
MAY_ASK_THE_SERVER = {"storage/sql/vitals.sql": "the doctor compares the server's clock with ours"}
"""SQL files that may ask the server for the time, each with its reason."""


def clocks_in(sql: str) -> list[str]:
    return [found.group() for found in CLOCK.finditer(COMMENT.sub("", sql))]


@pytest.mark.parametrize("file", SQL, ids=lambda file: str(file.relative_to(ROOT)))
def test_our_sql_is_told_the_time_and_never_asks_the_server_for_it(file: Path):
    if str(file.relative_to(ROOT)) not in MAY_ASK_THE_SERVER:
        assert clocks_in(file.read_text("utf-8")) == []


def test_the_ban_sees_every_way_to_ask_and_no_comment():
    assert clocks_in("at timestamptz DEFAULT now()") == ["now("]
    assert clocks_in("WHERE due < CURRENT_TIMESTAMP") == ["CURRENT_TIMESTAMP"]
    assert clocks_in("-- never now()\nSELECT known(), current_times /* now() */") == []


def test_sql_lives_in_storage_only():
    elsewhere = [
        str(file.relative_to(ROOT))
        for package in ("domain", "ingest", "rules", "alerts", "simulators", "api", "hazwatch")
        for file in (ROOT / package).rglob("*.sql")
    ]
    assert elsewhere == []


def test_product_code_knows_nothing_of_tests():
    packages = ("domain", "ingest", "rules", "alerts", "simulators", "storage", "api", "hazwatch")
    asks = re.compile(r"^\s*(from|import) tests\b", re.MULTILINE)
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    assert [file for file in files if asks.search(file.read_text("utf-8"))] == []
