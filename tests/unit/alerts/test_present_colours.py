"""What is retained of colours: against a slow reference, whatever changes."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.present_colours import Place, PresentColours, Said
from domain.plant import Node, Registry
from domain.risk import Colour, Part, Reason, SourceRisk, risk_model
from ingest import topics
from tests.support.builders import START, at

AREA = risk_model().area
PARK, ONE, TWO = 1, 2, 3
SOURCES = (10, 11, 12, 13)
FAR = (101.0, 38.0)


def registry(sources: tuple[int, ...] = SOURCES, *, near: bool = False) -> Registry:
    """Sources 10 and 11 in enterprise e1, 12 and 13 in e2, all in park p1; a kilometre or more
    apart, unless near."""
    nodes = {
        PARK: Node(PARK, None, "park", "p1", "园区"),
        ONE: Node(ONE, PARK, "enterprise", "e1", "一", ONE),
        TWO: Node(TWO, PARK, "enterprise", "e2", "二", TWO),
    }
    for id in sources:
        owner = ONE if id < 12 else TWO
        position = (101.0 + (0.001 if near else 0.1) * id, 38.0)
        nodes[id] = Node(id, owner, "source", f"s{id}", "源", owner, position)
    return Registry(1, nodes, (), {})


def risk(
    source: int, colour: Colour = Colour.BLUE, *, unknown: bool = False, alarmed: bool = False
) -> SourceRisk:
    reasons = (Reason(Part.A, 60.0),) if alarmed else ()
    owner = ONE if source < 12 else TWO
    return SourceRisk(source, owner, START, colour, unknown, 1.0, False, (), reasons, "v")


def kept(retained: dict[Place, dict[str, object]], said: list[Said]) -> None:
    """As a broker keeps them."""
    for one in said:
        if one.body is None:
            retained.pop(one.place, None)
        else:
            retained[one.place] = one.body


def bodies(said: list[Said]) -> dict[Place, dict[str, object]]:
    """What places say; none of them is gone."""
    return {one.place: one.body or {} for one in said}


def slow(plant: Registry, told: dict[int, SourceRisk]) -> dict[Place, tuple[Colour, bool]]:
    """(colour, unknown) of every place."""
    found: dict[Place, tuple[Colour, bool]] = {}
    for id, one in told.items():
        node = plant.nodes.get(id)
        if node is None:
            continue
        owner = plant.nodes[one.enterprise]
        for place in (("p1", owner.code, node.code), ("p1", owner.code, None), ("p1", None, None)):
            worst, unknown = found.get(place, (Colour.BLUE, False))
            found[place] = max(worst, one.colour), unknown or one.unknown
    return found


RISKS = st.builds(risk, st.sampled_from(SOURCES), st.sampled_from(Colour), unknown=st.booleans())
SITES = st.lists(st.sampled_from(SOURCES), unique=True).map(lambda ids: registry(tuple(ids)))


@given(st.lists(st.lists(RISKS, max_size=4) | SITES, max_size=12))
def test_a_broker_that_keeps_what_is_said_knows_every_colour(steps):
    plant = registry()
    told: dict[int, SourceRisk] = {}
    retained: dict[Place, dict[str, object]] = {}
    colours = PresentColours(plant, AREA)
    for step in steps:
        if isinstance(step, Registry):
            plant = step
            told = {id: one for id, one in told.items() if id in plant.nodes}
            kept(retained, colours.use(step, START))
        else:
            told |= {one.source: one for one in step if one.source in plant.nodes}
            kept(retained, colours.told([one for one in step if one.source in plant.nodes], START))
        shown = {
            place: (Colour[str(body["colour"]).upper()], body["unknown"])
            for place, body in retained.items()
        }
        assert shown == slow(plant, told)
        forgetful: dict[Place, dict[str, object]] = {}
        kept(forgetful, colours.again(START))
        assert forgetful.keys() == retained.keys()


class TestBodies:
    def test_fit_into_a_plc(self):
        """docs/mqtt.md promises 256 bytes."""
        big = 2**31 - 1
        names = "x" * 64
        colours = PresentColours(registry(), AREA)
        for said in colours.told([risk(id, Colour.YELLOW, unknown=True) for id in SOURCES], START):
            assert said.body is not None
            body = msgspec.json.encode(
                said.body | {"node": str(big), "at": "2026-11-21T08:00:00.123456Z"}
            )
            assert len(body) <= 200
            assert body.isascii()
        assert len(topics.colour(names, names, names)) <= 256

    def test_say_what_a_siren_needs(self):
        colours = PresentColours(registry(), AREA)
        said = colours.told([risk(10, Colour.ORANGE, unknown=True), risk(11)], at(1))
        found = bodies(said)
        assert found["p1", "e1", "s10"] == {
            "type": "colour",
            "node": "10",
            "colour": "orange",
            "level": 2,
            "unknown": True,
            "at": "2026-11-21T08:00:01Z",
        }
        assert found["p1", None, None] == {
            "type": "colour",
            "node": "1",
            "colour": "orange",
            "level": 2,
            "unknown": True,
            "counts": {"red": 0, "orange": 1, "yellow": 0, "blue": 1, "unknown": 1},
            "at": "2026-11-21T08:00:01Z",
        }


class TestWhen:
    def test_a_score_alone_says_nothing(self):
        colours = PresentColours(registry(), AREA)
        colours.told([risk(10, Colour.ORANGE)], START)
        assert colours.told([replace(risk(10, Colour.ORANGE), score=60.0)], at(9)) == []

    def test_the_sign_of_life_is_of_areas_and_has_the_time_of_now(self):
        colours = PresentColours(registry(), AREA)
        colours.told([risk(10, Colour.ORANGE)], START)
        again = colours.again(START + timedelta(seconds=60), areas_only=True)
        assert {one.place for one in again} == {("p1", "e1", None), ("p1", None, None)}
        assert {one.body["at"] for one in again if one.body} == {"2026-11-21T08:01:00Z"}

    def test_a_source_that_is_told_before_its_site_is_known_is_said_with_it(self):
        colours = PresentColours(registry((10,)), AREA)
        assert colours.told([risk(11, Colour.RED)], START) == []
        said = bodies(colours.use(registry(), at(1)))
        assert said["p1", "e1", "s11"]["colour"] == "red"
        assert said["p1", None, None]["colour"] == "red"


@pytest.mark.parametrize(
    ("near", "alarmed", "colour"),
    [
        (True, True, "red"),
        (False, True, "orange"),
        (True, False, "orange"),
    ],
)
def test_a_park_is_red_by_the_domino_rule(near, alarmed, colour):
    colours = PresentColours(registry(near=near), AREA)
    said = colours.told([risk(id, Colour.ORANGE, alarmed=alarmed) for id in (11, 12)], START)
    found = bodies(said)
    assert found["p1", None, None]["colour"] == colour
    assert found["p1", "e1", None]["colour"] == "orange"
