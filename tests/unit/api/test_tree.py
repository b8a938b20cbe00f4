from hypothesis import given
from hypothesis import strategies as st

from api.routes.tree import rolled_up


def row(id: int, parent: int | None, active: int, unacknowledged: int, unknown: bool) -> dict:
    words = {"kind": "area", "name": "n", "code": "c", "enterprise": None, "lon": None, "lat": None}
    return words | {
        "id": id,
        "parent": parent,
        "active": active,
        "unacknowledged": unacknowledged,
        "unknown": unknown,
    }


@st.composite
def trees(draw: st.DrawFn) -> list[dict]:
    rows = []
    for id in range(1, draw(st.integers(1, 20)) + 1):
        parent = draw(st.none() | st.integers(1, id - 1)) if id > 1 else None
        active = draw(st.integers(0, 5))
        rows.append(row(id, parent, active, draw(st.integers(0, active)), draw(st.booleans())))
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


def test_a_node_whose_parent_is_hidden_is_a_root_of_its_own():
    [node] = rolled_up([row(7, 3, 1, 1, False)])
    assert node.parent == "3"
    assert node.alarms.active == 1


def test_colours_are_not_made_up_while_nothing_evaluates_them():
    [node] = rolled_up([row(1, None, 9, 9, False)])
    assert (node.colour, node.score, node.counts.red) == (None, None, None)
