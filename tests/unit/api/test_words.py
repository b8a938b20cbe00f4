import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.desk import answer, settled
from api.middleware import trace_of
from api.problems import EXPLANATIONS, Problem
from api.routes.alarms import alarm_class
from api.routes.health import checks
from api.schemas import number_of
from storage.history import bucket_width
from storage.queries import sections
from storage.readiness import Readiness
from storage.sessions import Scope
from tests.support.builders import START, at

DASHBOARD = Path("api/dashboard")


@given(st.integers(1, 10**12), st.integers(2, 10_000))
def test_buckets_cover_the_range_and_are_no_more_than_asked_for(microseconds: int, points: int):
    span = timedelta(microseconds=microseconds)
    width = bucket_width(START, START + span, points)
    assert width > timedelta(0)
    assert -(-span // width) <= points


@given(st.text(max_size=20))
def test_an_id_that_was_never_given_out_belongs_to_nothing(text: str):
    number = number_of(text)
    assert number == -1 or str(number) == text.lstrip("0") or int(text) == number


def test_a_trace_goes_on_where_it_is_well_formed():
    given_trace = f"00-{'a' * 32}-{'b' * 16}-01"
    assert trace_of(given_trace) == (given_trace, "a" * 32)
    for bad in (None, "", "00-zz-1-1", given_trace + "x"):
        made, trace = trace_of(bad)
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", made)
        assert trace in made


def test_a_scope_sees_its_enterprises_and_only_operators_see_what_is_nobodys():
    own = Scope("li", START, (), (3,), (), (1, 2), operator=False)
    desk = Scope("wang", START, (), (3, 4), (1, 2), (1, 2), operator=True)
    assert [own.sees(3, 9), own.sees(4, 9), own.sees(None, None)] == [True, False, False]
    assert [desk.sees(None, None), desk.sees(None, 2), desk.sees(None, 8)] == [True, True, False]


def test_an_action_nobody_took_is_accepted_and_a_refusal_is_a_problem():
    assert answer("a", None) == (202, {"action": "a"})
    assert answer("a", {"already": {"by": "li"}})[0] == 200
    with pytest.raises(Problem) as refused:
        answer("a", {"refused": {"status": 404, "detail": "no such alarm"}})
    assert (refused.value.status, refused.value.detail) == (404, "no such alarm")


def test_only_the_worker_decides_about_an_alarm_that_waits():
    waiting = {"lane": 0, "state": "UNACK", "acknowledged_by": None, "acknowledged_at": None}
    assert settled(waiting) is None
    first = settled(waiting | {"state": "NORM", "acknowledged_by": "li", "acknowledged_at": START})
    assert first == {"already": {"by": "li", "at": "2026-11-21T08:00:00Z"}}


def test_readiness_names_the_part_that_is_missing():
    there = Readiness(reachable=True, schema=True, lease_until=at(10))
    assert set(checks(there, None, START).values()) == {"ok"}
    assert checks(there, None, at(10))["worker"] == "no worker holds a lease"
    assert checks(there, START, START)["stream"] == "degraded"


def test_the_class_of_an_alarm_follows_the_policy():
    assert alarm_class("gas_toxic", "HH") == "GAS_L2"
    assert alarm_class(None, "SOURCE_OFFLINE") == "SOURCE_OFFLINE"


def test_named_queries_are_read_with_their_sentence():
    text = "-- A file.\n\n-- name: one\n-- What it does.\nSELECT 1;\n\n-- name: two\nSELECT 2\n"
    assert sections(text) == [("one", "-- What it does.\nSELECT 1;"), ("two", "SELECT 2")]


def test_every_problem_that_is_raised_is_explained():
    slugs = set()
    for file in Path("api").rglob("*.py"):
        slugs |= set(re.findall(r'slug="([a-z-]+)"', file.read_text("utf-8")))
    assert slugs <= set(EXPLANATIONS)


def words() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"zh": set(), "en": set()}
    for name in ("i18n", "words_desk"):
        text = (DASHBOARD / f"js/{name}.js").read_text("utf-8").split("const KEPT")[0]
        parts = {"zh": text[: text.index("  en: {")], "en": text[text.index("  en: {") :]}
        for language, part in parts.items():
            keys = re.findall(r"(?:^|[,{])\s*(\w+): (?=[\"'])", part, re.MULTILINE)
            assert not found[language] & set(keys)
            found[language] |= set(keys)
    return found


def test_both_languages_of_the_page_have_every_word():
    assert words()["zh"] == words()["en"]
    used = set()
    for file in DASHBOARD.glob("js/*.js"):
        used |= set(re.findall(r"\bt\(\"(\w+)\"", file.read_text("utf-8")))
    html = (DASHBOARD / "index.html").read_text("utf-8")
    used |= set(re.findall(r'data-(?:text|hint)="(\w+)"', html))
    assert used <= words()["zh"]


def test_the_page_needs_nothing_from_elsewhere_and_no_inline_code():
    html = (DASHBOARD / "index.html").read_text("utf-8")
    assert "http" not in html
    assert not re.search(r"\son\w+=|style=|<style|<script(?![^>]*\ssrc=)", html)
