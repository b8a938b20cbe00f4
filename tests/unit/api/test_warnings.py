"""What the api decides about warnings and risk by itself."""

from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.case_schemas import Rung
from api.desk import Decision, same, spoken
from api.problems import Problem
from api.routes.actions import Remark, Signature, decided
from api.routes.risk import risk_item
from api.routes.warnings import rung_members, warning_members
from api.schemas import among, colour_word, level_word
from domain.addresses import presentable
from domain.cases import Duty, Level, Loop, Outcome
from domain.escalation import default
from domain.risk import Colour
from storage.sessions import Scope
from tests.support.builders import START

COUNTRY, PROVINCE, CITY, PARK, ENTERPRISE, SOURCE = range(1, 7)
PATH = [SOURCE, ENTERPRISE, PARK, CITY, PROVINCE, COUNTRY]
CASE = {"enterprise": ENTERPRISE, "path": PATH, "closed": None}
KINDS = {
    COUNTRY: "country",
    PROVINCE: "province",
    CITY: "city",
    PARK: "park",
    ENTERPRISE: "enterprise",
    SOURCE: "source",
    99: "county",
}


def scope(*grants: tuple[str, int]) -> Scope:
    roles = tuple(
        {"role": role, "node": str(node), "kind": KINDS[node], "name": "", "code": ""}
        for role, node in grants
    )
    return Scope("li", START, roles, (ENTERPRISE,), (), (), operator=True)


def refused(held: Scope, case: dict | None = CASE, wanted: Level | None = None) -> int:
    with pytest.raises(Problem) as problem:
        spoken(held, case, wanted)
    return problem.value.status


class TestLevel:
    @pytest.mark.parametrize("node", [PROVINCE, CITY, PARK, ENTERPRISE])
    def test_an_operator_speaks_for_the_level_that_its_node_is_of(self, node: int):
        assert spoken(scope(("operator", node)), CASE, None).level == Level[KINDS[node].upper()]

    def test_of_several_levels_the_highest_speaks_and_another_one_may_be_chosen(self):
        both = scope(("operator", PARK), ("operator", CITY))
        assert spoken(both, CASE, None).level is Level.CITY
        assert spoken(both, CASE, Level.PARK).level is Level.PARK
        assert refused(both, wanted=Level.COUNTY) == 403

    def test_a_grant_that_does_not_cover_the_source_gives_no_level(self):
        assert refused(scope(("operator", 99))) == 403

    @pytest.mark.parametrize("node", [COUNTRY, SOURCE])
    def test_a_node_of_no_level_gives_none(self, node: int):
        assert refused(scope(("operator", node))) == 403

    def test_an_enterprise_grant_speaks_for_its_own_enterprise_only_wherever_it_was_put(self):
        assert spoken(scope(("enterprise", ENTERPRISE)), CASE, None).level is Level.ENTERPRISE
        assert refused(scope(("enterprise", PARK))) == 403
        with_desk = scope(("enterprise", PARK), ("operator", ENTERPRISE))
        assert with_desk.levels(ENTERPRISE, PATH) == {Level.ENTERPRISE}

    def test_what_is_not_there_comes_first_and_who_may_not_sign_is_not_told_of_the_state(self):
        closed = CASE | {"closed": START}
        assert refused(scope(("operator", PARK)), None) == 404
        assert refused(scope(("operator", COUNTRY)), closed) == 403
        assert refused(scope(("operator", PARK)), closed) == 409


class TestKey:
    RECORDED: ClassVar = {"verb": "receive", "target": UUID(int=1), "level": 1}

    def test_the_same_decision_is_recognised_with_its_level_said_or_not(self):
        for level in (None, Level.PARK):
            assert same(self.RECORDED, Decision("receive", UUID(int=1), None, "k", level))

    @pytest.mark.parametrize(
        "other",
        [
            Decision("release", UUID(int=1), None, "k"),
            Decision("receive", UUID(int=2), None, "k"),
            Decision("receive", UUID(int=1), None, "k", Level.ENTERPRISE),
        ],
    )
    def test_another_decision_under_the_key_is_another_one(self, other: Decision):
        assert not same(self.RECORDED, other)

    def test_without_a_key_every_request_is_a_decision_of_its_own(self):
        first, second = (decided("receive", UUID(int=1), None, None) for _ in range(2))
        assert first.key != second.key

    def test_only_a_signature_names_a_level(self):
        signed = decided("receive", UUID(int=1), Signature(comment="c", level="enterprise"), "k")
        assert (signed.comment, signed.level) == ("c", Level.ENTERPRISE)
        assert decided("acknowledge", UUID(int=1), Remark(), "k").level is None


class TestWords:
    def test_colours_levels_and_outcomes_of_the_wire_are_those_of_the_tables(self):
        members = Signature.model_json_schema()["properties"]["level"]["anyOf"][0]["enum"]
        assert members == [level_word(level) for level in Level]
        rung = Rung.model_json_schema()["properties"]
        assert rung["level"]["enum"] == members
        assert rung["colour"]["enum"] == [colour_word(colour) for colour in Colour]
        assert rung["outcome"]["enum"] == [outcome.value for outcome in Outcome]
        words = Rung.model_json_schema()["$defs"]["Duty"]["enum"]
        assert words == [duty.value for duty in Duty]

    def test_words_of_a_parameter_come_by_commas_and_an_unknown_one_is_named(self):
        assert among("colour", None, {"red"}) is None
        assert among("colour", "red,blue", {"red", "blue"}) == ("red", "blue")
        with pytest.raises(Problem, match="'pink' is none of blue, red"):
            among("colour", "red,pink", {"red", "blue"})

    @pytest.mark.parametrize(
        ("address", "shown"),
        [
            ("PK", "PK"),
            ("hw/v1/events/p1/desk", "hw/v1/events/p1/desk"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("https://desk.example.com/", "https://desk.example.com"),
            ("https://hooks.example.com/robot/s3cret", "https://hooks.example.com/…"),
            ("https://hooks.example.com?key=s3cret", "https://hooks.example.com/…"),
            ("https://li:s3cret@desk.example.com:8443/x#y", "https://desk.example.com:8443/…"),
        ],
    )
    def test_an_address_is_shown_without_what_may_be_its_secret(self, address: str, shown: str):
        assert presentable(address) == shown

    @given(st.text(max_size=40))
    def test_no_address_is_an_accident(self, text: str):
        assert "s3cret" not in presentable(f"https://host/{text}s3cret")
        presentable(text)


RUNG = {"no": 4, "role": "PK", "level": 1, "colour": 3, "notices": []}


def test_a_role_that_the_ladder_no_longer_has_is_called_by_its_code():
    assert rung_members(RUNG, default())["role_name"] == "园区值班 park duty desk"
    assert rung_members(RUNG | {"role": "GONE"}, default())["role_name"] == "GONE"


def test_the_time_to_sign_is_that_of_the_colour_and_blue_has_none():
    case = {"id": 1, "source": 1, "enterprise": 1, "worst": 3, "receipts": [], "alarms": []}
    case |= {"state": "open", "loop": Loop(), "risen": 0}
    seconds = [
        warning_members(case | {"colour": colour}, [], default())["sign_within_s"]
        for colour in (0, 1, 2, 3)
    ]
    assert seconds == [None, 600.0, 300.0, 180.0]


def test_floors_and_parts_of_a_newer_worker_are_shown_without_words():
    row = {
        "source": 1,
        "source_name": "s",
        "enterprise": 1,
        "enterprise_name": "e",
        "at": START,
        "colour": 2,
        "unknown": False,
        "score": 12.34,
        "maybe_test": False,
        "floors": [{"floor": "F4", "colour": 2}, {"floor": "F99", "colour": 3}],
        "reasons": [
            {"part": "B", "points": 4.0, "alarm": None},
            {"part": "Z", "points": 8.3, "alarm": None},
            {"part": None, "points": -1.0, "alarm": None},
        ],
        "version": "v",
    }
    found = risk_item(row)
    assert found.score == 12.3
    assert [bool(floor.text) for floor in found.floors] == [True, False]
    assert [reason.text for reason in found.reasons] == [
        "固有等级 inherent grade",
        "",
        "上限 capped",
    ]
