from hypothesis import given
from hypothesis import strategies as st

from api.routes.tree import RolledUp, TreeNode
from domain.risk import Colour


def row(id: int, parent: int | None, kind: str = "area", **members: object) -> dict:
    words = {"name": "n", "code": "c", "enterprise": None, "lon": None, "lat": None}
    counts = {"active": 0, "unacknowledged": 0, "unknown": False, "colour": None, "score": None}
    return words | counts | {"id": id, "parent": parent, "kind": kind} | members


def rolled_up(rows: list[dict]) -> list[TreeNode]:
    nodes = RolledUp(rows)
    return [nodes.node(place) for place in range(len(rows))]


@st.composite
def trees(draw: st.DrawFn) -> list[dict]:
    rows = []
    for id in range(1, draw(st.integers(1, 20)) + 1):
        parent = draw(st.none() | st.integers(1, id - 1)) if id > 1 else None
        active = draw(st.integers(0, 5))
        members: dict[str, object] = {
            "active": active,
            "unacknowledged": draw(st.integers(0, active)),
        }
        kind = draw(st.sampled_from(["area", "source"]))
        if kind == "source":
            members |= {
                "unknown": draw(st.booleans()),
                "colour": draw(st.none() | st.integers(0, 3)),
            }
        rows.append(row(id, parent, kind, **members))
    return rows


@given(trees())
def test_every_node_counts_itself_and_what_lies_below_it(rows: list[dict]):
    found = {int(node.id): node for node in rolled_up(rows)}
    for one in rows:
        children = [found[child["id"]] for child in rows if child["parent"] == one["id"]]
        node = found[one["id"]]
        assert node.alarms.active == one["active"] + sum(c.alarms.active for c in children)
        assert node.alarms.unacknowledged == one["unacknowledged"] + sum(
            c.alarms.unacknowledged for c in children
        )
        assert node.counts.unknown == one["unknown"] + sum(c.counts.unknown for c in children)
        assert node.unknown == (node.counts.unknown > 0)


@given(trees())
def test_every_node_has_the_worst_colour_and_counts_sources_by_colour(rows: list[dict]):
    found = {int(node.id): node for node in rolled_up(rows)}
    for one in rows:
        children = [found[child["id"]] for child in rows if child["parent"] == one["id"]]
        node = found[one["id"]]
        own = None if one["kind"] != "source" else Colour(one["colour"] or 0).name.lower()
        for colour in ("red", "orange", "yellow", "blue"):
            below = sum(getattr(child.counts, colour) for child in children)
            assert getattr(node.counts, colour) == below + (own == colour)
        there = [word for word in (own, *(child.colour for child in children)) if word]
        worst = max(there, key=lambda word: Colour[word.upper()], default=None)
        assert node.colour == worst


def test_a_node_whose_parent_is_hidden_is_a_root_of_its_own():
    [node] = rolled_up([row(7, 3, active=1, unacknowledged=1)])
    assert node.parent == "3"
    assert node.alarms.active == 1


def test_a_source_whose_risk_was_never_told_is_blue_without_a_score():
    [node] = rolled_up([row(1, None, "source", unknown=True)])
    assert (node.colour, node.score, node.counts.blue, node.unknown) == ("blue", None, 1, True)


def test_a_score_of_zero_is_a_score():
    [node] = rolled_up([row(1, None, "source", colour=0, score=0.0)])
    assert (node.colour, node.score) == ("blue", 0.0)


def test_a_node_without_sources_has_no_colour():
    [node] = rolled_up([row(1, None, active=9, unacknowledged=9)])
    assert (node.colour, node.score, node.counts.blue, node.unknown) == (None, None, 0, False)


def test_no_nodes_are_no_trouble():
    assert rolled_up([]) == []


def park_of_two(metres: float, *colours: int) -> list[dict]:
    """A park in a county, with a source of its own in each of two enterprises."""
    rows = [row(1, None, "county"), row(2, 1, "park")]
    for number, colour in enumerate(colours):
        owner, lat = 10 + number, 38.93 + number * metres / 111_195.0
        rows.append(row(owner, 2, "enterprise", enterprise=owner))
        more = {"colour": colour, "score": 60.0, "alarmed": colour >= 2, "lon": 100.45, "lat": lat}
        rows.append(row(20 + number, owner, "source", enterprise=owner, **more))
    return rows


def test_two_orange_sources_near_each_other_make_park_and_county_red_but_no_source():
    near = {node.id: node for node in rolled_up(park_of_two(499, 2, 2))}
    assert [near[id].colour for id in ("1", "2", "10", "20")] == ["red", "red", "orange", "orange"]
    assert [near[id].domino for id in ("1", "2", "10")] == [False, True, False]
    assert near["2"].counts.red == 0
    for rows in (park_of_two(501, 2, 2), park_of_two(499, 2, 1)):
        far = {node.id: node for node in rolled_up(rows)}
        assert (far["2"].colour, far["2"].domino) == ("orange", False)


def test_indices_rank_enterprises_and_areas():
    found = {node.id: node.index for node in rolled_up(park_of_two(900, 2, 1))}
    assert found == {"1": 35.0, "2": 35.0, "10": 60.0, "11": 60.0, "20": None, "21": None}
