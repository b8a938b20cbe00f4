"""CAP 1.2 messages against the rules of the standard."""

import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Kind
from domain.cap import (
    SEVERITY,
    CapOptions,
    Chain,
    Issuer,
    Step,
    cap_time,
    identifier,
    messages,
    parse_identifier,
)
from domain.cap_area import Place, closed_ring
from domain.cap_signs import CODES, Sign
from domain.cap_xml import document
from domain.instant import moment
from domain.plant import TagKind
from domain.risk import Colour
from tests.support.builders import START
from tests.support.cap import CASE, PLACE, chain, checked, named, schema, sign, words

BLUE, YELLOW, ORANGE, RED = Colour
OPTIONS = CapOptions("cap.example.org", zone=ZoneInfo("Asia/Shanghai"))
DOCS = Path("docs/cap.md").read_text("utf-8")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


def documents(made: Chain, options: CapOptions = OPTIONS):
    return [checked(document(message)) for message in messages(made, options)]


class TestChain:
    def test_opens_with_an_alert_goes_on_with_updates_and_ends_with_a_cancel(self):
        found = documents(chain([ORANGE, RED, ORANGE, BLUE, BLUE], [sign()], closed=True))
        types = [words(one, "msgType")[0] for one in found]
        assert types == ["Alert", "Update", "Update", "Update", "Cancel"]
        assert words(found[0], "identifier") == [f"{CASE}.1"]
        assert words(found[0], "references") == []
        assert words(found[2], "references") == [
            f"cap.example.org,{CASE}.1,2026-11-21T16:00:00+08:00 "
            f"cap.example.org,{CASE}.3,2026-11-21T16:01:00+08:00"
        ]
        assert {words(one, "incidents")[0] for one in found} == {str(CASE)}
        assert words(found[-1], "info/responseType") == ["AllClear", "AllClear"]

    def test_one_message_says_everything_of_the_table(self):
        [found] = documents(chain([RED], [sign()]))
        assert words(found, "sender") == ["cap.example.org"]
        assert words(found, "sent") == ["2026-11-21T16:00:00+08:00"]
        assert (words(found, "status"), words(found, "scope")) == (["Actual"], ["Restricted"])
        assert words(found, "info/language") == ["zh-CN", "en"]
        assert words(found, "info/event") == ["氨泄漏预警", "ammonia leak warning"]
        assert words(found, "info/category") == ["CBRNE", "Safety"] * 2
        assert words(found, "info/severity") == ["Extreme", "Extreme"]
        assert words(found, "info/urgency") == ["Immediate", "Immediate"]
        assert words(found, "info/certainty") == ["Observed", "Observed"]
        assert named(found, "eventCode") == {"hazwatch": "GAS_TOXIC"}
        assert named(found, "parameter") == {
            "colour": "red",
            "score": "66.5",
            "model_version": "2026-1",
            "hazard_source_code": "s1",
            "grade": "1",
            "warning_id": str(CASE),
            "unknown": "false",
        }
        assert words(found, "info/area/areaDesc")[0] == "甘肃省 甘州区 临港化工园 华东化工 液氨罐区"
        assert words(found, "info/area/circle")[0] == "38.5,100.25 0.5"
        assert named(found, "area/geocode") == {"GB/T 2260": "620000"}
        codes = [one.text for one in found.iter() if one.text in ("620702", "620000")]
        assert codes == ["620702", "620000"] * 2

    @pytest.mark.parametrize(
        ("colour", "severity"),
        [(RED, "Extreme"), (ORANGE, "Severe"), (YELLOW, "Moderate"), (BLUE, "Minor")],
    )
    def test_severity_follows_the_colour(self, colour, severity):
        found = documents(chain([YELLOW, colour]))[-1]
        assert words(found, "info/severity")[0] == severity

    def test_a_chain_of_an_earlier_release_has_no_score_and_is_whole(self):
        for found in documents(chain([ORANGE, RED, BLUE], closed=True, score=None)):
            assert named(found, "parameter").keys() == {
                *("colour", "hazard_source_code", "grade", "warning_id", "unknown")
            }

    def test_a_score_that_a_transition_does_not_know_is_the_last_one_told(self):
        made = chain([ORANGE, BLUE])
        made = replace(made, steps=(made.steps[0], replace(made.steps[1], score=None, model="")))
        assert named(documents(made)[-1], "parameter")["score"] == "66.5"

    def test_a_drill_is_an_exercise_in_every_message(self):
        for found in documents(chain([RED, BLUE], closed=True, drill=True)):
            assert words(found, "status") == ["Exercise"]
            assert "演练" in words(found, "note")[0]

    def test_a_closing_says_of_which_kind_it_was(self):
        found = documents(chain([RED, BLUE], closed=True, kind="false_alarm"))[-1]
        assert named(found, "parameter")["closing"] == "false_alarm"

    def test_a_private_message_has_addresses_and_no_restriction(self):
        options = replace(OPTIONS, scope="Private", addresses="a@x.org b@x.org")
        [found] = documents(chain([RED]), options)
        assert words(found, "addresses") == ["a@x.org b@x.org"]
        assert words(found, "restriction") == []

    def test_the_same_journal_makes_the_same_bytes(self):
        made = chain([ORANGE, RED], [sign()])
        again = [document(one) for one in messages(made, OPTIONS)]
        assert [document(one) for one in messages(made, OPTIONS)] == again

    def test_what_was_issued_stays_so_under_another_sender_in_another_zone(self):
        made = chain([ORANGE, RED, ORANGE], [sign()])
        before = [document(one) for one in messages(made, OPTIONS)]
        second = made.steps[1].at
        issuers = (
            Issuer(START - timedelta(days=9), OPTIONS.sender, OPTIONS.zone),
            Issuer(second + timedelta(microseconds=1), "other.example.org", UTC),
        )
        now = replace(OPTIONS, sender="other.example.org", zone=UTC, issuers=issuers)
        after = documents(made, now)
        assert [document(one) for one in messages(made, now)][:2] == before[:2]
        assert words(after[2], "sender") == ["other.example.org"]
        assert words(after[2], "sent")[0].endswith("-00:00")
        sent = [words(one, "sent")[0] for one in after]
        assert words(after[2], "references") == [
            f"cap.example.org,{CASE}.1,{sent[0]} cap.example.org,{CASE}.3,{sent[1]}"
        ]
        early = replace(now, issuers=(Issuer(second, OPTIONS.sender, OPTIONS.zone),))
        assert [document(one) for one in messages(made, early)] == before


class TestSigns:
    @pytest.mark.parametrize(
        ("signs", "event", "urgency", "certainty"),
        [
            ([sign(kind=Kind.H)], "氨泄漏预警", "Expected", "Observed"),
            ([sign(gas=None)], "有毒气体泄漏预警", "Immediate", "Observed"),
            ([sign(tag_kind=TagKind.FIRE, kind=Kind.H)], "火灾预警", "Immediate", "Observed"),
            (
                [sign(tag_kind=TagKind.TEMPERATURE, reactor=True)],
                *("反应失控预警", "Immediate", "Observed"),
            ),
            ([sign(tag_kind=TagKind.TEMPERATURE)], "温度异常预警", "Expected", "Observed"),
            (
                [sign(tag_kind=TagKind.LEVEL, kind=Kind.PREDICT)],
                *("液位异常预警", "Expected", "Possible"),
            ),
            (
                [
                    sign(1, Kind.PREDICT, TagKind.LEVEL, "LT-1"),
                    sign(2, Kind.PREDICT, TagKind.PRESSURE, "PT-1"),
                ],
                *("压力异常预警", "Expected", "Likely"),
            ),
            ([sign(kind=Kind.OFFLINE)], "监测数据异常预警", "Expected", "Unknown"),
            ([sign(kind=Kind.VOTE, tag_kind=None)], "工艺参数异常预警", "Expected", "Observed"),
            ([], "安全风险预警", "Expected", "Unknown"),
        ],
    )
    def test_what_is_behind_it_names_event_urgency_and_certainty(
        self, signs, event, urgency, certainty
    ):
        [found] = documents(chain([ORANGE], signs))
        assert words(found, "info/event")[0] == event
        assert (words(found, "info/urgency")[0], words(found, "info/certainty")[0]) == (
            urgency,
            certainty,
        )

    def test_the_gravest_sign_names_the_event(self):
        many = [sign(1, Kind.LL, TagKind.LEVEL), sign(2), sign(3, Kind.H, TagKind.FIRE)]
        assert words(documents(chain([RED], many))[0], "info/event")[0] == "火灾预警"

    def test_what_is_only_foretold_at_yellow_is_for_the_future(self):
        [found] = documents(chain([YELLOW], [sign(kind=Kind.PREDICT)]))
        assert words(found, "info/urgency")[0] == "Future"

    def test_back_at_blue_nothing_is_immediate_and_closed_is_past(self):
        found = documents(chain([RED, BLUE, BLUE], [sign()], closed=True))
        assert [words(one, "info/urgency")[0] for one in found] == ["Immediate", "Expected", "Past"]


class TestArea:
    def test_a_boundary_is_lat_lon_and_ends_where_it_began(self):
        ring = ((100.0, 38.0), (101.0, 38.0), (101.0, 39.0))
        [found] = documents(chain([RED], place=replace(PLACE, boundary=ring)))
        assert words(found, "info/area/polygon")[0] == "38,100 38,101 39,101 38,100"
        assert words(found, "info/area/circle") == []

    def test_without_any_coordinates_the_name_is_enough(self):
        [found] = documents(chain([RED], place=Place("s1", "库房", "西部气体")))
        assert words(found, "info/area/areaDesc")[0] == "西部气体 库房"
        assert words(found, "info/area/circle") == words(found, "info/area/polygon") == []


class TestTimes:
    @pytest.mark.parametrize(
        ("zone", "text"),
        [
            (UTC, "2026-11-21T08:00:00-00:00"),
            (ZoneInfo("Asia/Shanghai"), "2026-11-21T16:00:00+08:00"),
            (timezone(-timedelta(hours=3, minutes=30)), "2026-11-21T04:30:00-03:30"),
        ],
    )
    def test_have_a_numeric_zone(self, zone, text):
        assert cap_time(START + timedelta(microseconds=999_999), zone) == text


def test_an_identifier_is_read_back_and_nothing_else_is_one():
    assert parse_identifier(identifier(CASE, 12)) == (CASE, 12)
    for wrong in ("", "x", f"{CASE}", f"{CASE}.", f"{CASE}.-1", f"{CASE}.01", f"{CASE}.{2**31}"):
        assert parse_identifier(wrong) is None


def test_the_schema_is_one_that_refuses():
    body = document(next(messages(chain([RED], [sign()]), OPTIONS))).decode()
    for right, wrong in (
        ("+08:00</sent>", "Z</sent>"),
        ("<status>Actual</status>", "<status>Real</status>"),
        ("<severity>Extreme</severity>", ""),
        ("38.5,100.25 0.5", "38.5 100.25"),
        (f"<identifier>{CASE}.1", "<identifier>a b"),
    ):
        assert right in body
        with pytest.raises(xmlschema.XMLSchemaException):
            schema().validate(body.replace(right, wrong))


TEXTS = st.text(max_size=20)
DEGREES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
AREA_CODES = st.from_regex(r"[0-9]{6}|p[a-z]{3}", fullmatch=True)
PLACES = st.builds(
    Place,
    TEXTS.map("s{}".format),
    TEXTS.map("源{}".format),
    TEXTS.map("e{}".format),
    st.lists(st.tuples(AREA_CODES, TEXTS), max_size=3).map(tuple),
    st.none() | st.integers(1, 4),
    st.none() | DEGREES,
    st.lists(DEGREES, max_size=6).map(tuple),
)
SIGNS = st.builds(
    Sign,
    st.uuids(),
    st.sampled_from(Kind),
    st.integers(946_684_800_000_000, 4_102_444_800_000_000).map(moment),
    TEXTS,
    st.none() | st.sampled_from(TagKind),
    st.none() | st.tuples(TEXTS, TEXTS),
    st.booleans(),
)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    signs = draw(st.lists(SIGNS, max_size=12, unique_by=lambda one: one.id))
    ids = [one.id for one in signs] + [UUID(int=1)]
    at, n, before, steps = START, 0, Colour.BLUE, []
    for _ in range(draw(st.integers(1, 6))):
        at += timedelta(microseconds=draw(st.integers(0, 10**9)))
        n += draw(st.integers(1, 3))
        others = [one for one in Colour if one != before]
        colour = draw(st.sampled_from(others))
        behind = tuple(draw(st.lists(st.sampled_from(ids), max_size=12)))
        score, model = draw(st.none() | st.floats(0, 100)), draw(st.sampled_from(["", "v"]))
        steps.append(Step(n, at, before, colour, False, draw(st.booleans()), behind, score, model))
        before = colour
    if draw(st.booleans()):
        steps.append(replace(steps[-1], n=n + 1, before=before, closed=True, colour=Colour.BLUE))
    place = draw(PLACES)
    return Chain(draw(st.uuids()), START, place, tuple(steps), {one.id: one for one in signs})


@given(chains())
def test_every_chain_keeps_the_rules(made: Chain):
    found = documents(made)
    known: list[str] = []
    for at, root in enumerate(found):
        [name], [sender], [sent] = (words(root, one) for one in ("identifier", "sender", "sent"))
        assert not set(name + sender) & set(" ,<&\t\n")
        assert [ref for text in words(root, "references") for ref in text.split(" ")] == known
        known.append(f"{sender},{name},{sent}")
        times = [*words(root, "sent"), *words(root, "info/effective"), *words(root, "info/onset")]
        assert all(TIME.fullmatch(time) for time in times)
        types = words(root, "msgType")
        assert types == ["Cancel" if made.steps[at].closed else "Update" if at else "Alert"]
        for polygon in words(root, "info/area/polygon"):
            pairs = polygon.split(" ")
            assert len(pairs) >= 4
            assert pairs[0] == pairs[-1]
            lat_lon = [tuple(map(float, pair.split(","))) for pair in pairs]
            assert all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in lat_lon)
    assert len({words(root, "identifier")[0] for root in found}) == len(found)


@given(st.lists(DEGREES, max_size=8))
def test_a_ring_is_closed_once_and_keeps_its_corners(corners):
    ring = closed_ring(corners)
    assert (ring == ()) == (len(set(corners)) < 3)
    if ring:
        assert ring[0] == ring[-1]
        assert set(ring) == set(corners)
        assert closed_ring(ring) == ring


# What people read


def example() -> str:
    """The message that docs/cap.md shows: an ammonia leak that became red."""
    made = chain([ORANGE, RED], [sign(), sign(2, Kind.H, subject="GD08")])
    text = document(list(messages(made, OPTIONS))[1]).decode()
    first, second = text.index("  <info>"), text.rindex("  <info>")
    assert first < second
    return f"{text[:second]}  <!-- and the same with <language>en</language> -->\n</alert>\n"


def test_the_documentation_shows_a_message_that_the_code_makes():
    assert f"```xml\n{example()}```" in DOCS


def test_the_documentation_names_every_event_code_and_colour():
    assert ", ".join(f"`{code}`" for code in CODES) in DOCS
    for colour, severity in SEVERITY.items():
        assert f"{colour.name.lower()} `{severity}`" in DOCS
