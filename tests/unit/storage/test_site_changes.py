"""What a site file changes: pure comparison."""

from hypothesis import given
from hypothesis import strategies as st

from storage.site_changes import Change, How, Plant, compare, plant_of
from tests.support.sites import enterprise, site, tag

E1 = ("gansu", "p1", "e1")

tags = st.lists(
    st.builds(
        tag,
        st.sampled_from("ABCD"),
        unit=st.sampled_from(["%", "m"]),
        deadband=st.sampled_from([0, 1]),
        equipment=st.sampled_from(["V-1", None]),
    ),
    max_size=4,
    unique_by=lambda entry: entry["name"],
)
sites = st.lists(
    st.builds(
        lambda code, entries: enterprise(code, *entries), st.sampled_from(["e1", "e2"]), tags
    ),
    max_size=2,
    unique_by=lambda entry: entry["code"],
).map(lambda entries: plant_of(site(*entries)))


def apply(present: Plant, wanted: Plant, changes: list[Change]) -> Plant:
    result = Plant(
        dict(present.nodes), set(present.gateways), dict(present.tags), set(present.enterprises)
    )
    for change in changes:
        if change.how == How.REMOVED:
            if change.what == "node":
                del result.nodes[change.path]
                result.enterprises.discard(change.path)
            elif change.what == "tag":
                del result.tags[change.path]
            else:
                result.gateways.remove(change.path)
        elif change.what == "gateway":
            result.gateways.add(change.path)
        elif change.what == "node":
            result.nodes[change.path] = wanted.nodes[change.path]
            result.enterprises.update({change.path} & wanted.enterprises)
        else:
            result.tags[change.path] = wanted.tags[change.path]
    return result


@given(sites)
def test_a_site_changes_nothing_about_itself(wanted):
    assert compare(wanted, wanted, prune=True) == ([], [])


@given(sites, sites)
def test_with_prune_the_result_is_what_is_wanted(present, wanted):
    changes, kept = compare(wanted, present, prune=True)
    assert apply(present, wanted, changes) == wanted
    assert kept == []


@given(sites, sites)
def test_without_prune_what_the_file_does_not_mention_stays_and_a_second_load_is_idle(
    present, wanted
):
    changes, kept = compare(wanted, present, prune=False)
    result = apply(present, wanted, changes)
    assert result.enterprises == present.enterprises | wanted.enterprises
    assert set(kept) == present.enterprises - wanted.enterprises
    for path, facts in present.tags.items():
        if path[:-1] in kept:
            assert result.tags[path] == facts
    assert compare(wanted, result, prune=False)[0] == []


def test_a_change_names_what_is_different():
    before = plant_of(site(enterprise("e1", tag("A"), tag("B"), tag("C"))))
    after = plant_of(
        site(enterprise("e1", tag("A", unit="m", limits={}), tag("B", limits={"H": 1}), tag("D")))
    )
    assert compare(after, before, prune=False)[0] == [
        Change("tag", How.RENEWED, (*E1, "A"), ("limits", "unit")),
        Change("tag", How.CHANGED, (*E1, "B"), ("limits",)),
        Change("tag", How.REMOVED, (*E1, "C")),
        Change("tag", How.NEW, (*E1, "D")),
    ]


def test_the_position_of_an_enterprise_is_the_middle_of_its_boundary_where_it_has_none():
    ring = [[100, 38], [102, 38], [102, 40], [100, 40], [100, 38]]
    nodes = plant_of(site(enterprise("e1") | {"boundary": ring})).nodes
    assert nodes[E1].position == (101, 39)


def test_groups_and_rules_are_nodes_below_their_source_and_existing_sites_get_them():
    plain = enterprise("e1", tag("A"), tag("B"))
    source = plain["sources"][0]
    source["groups"] = [{"code": "G-1", "vote": "1oo2", "members": ["A", "B"]}]
    before = plant_of(site(plain))
    del before.nodes[(*E1, "s1", "G-1")]
    source["rules"] = [{"code": "R-1", "name": "both high", "when": "A > H and B > H"}]
    wanted = plant_of(site(plain))
    group, rule = wanted.nodes[(*E1, "s1", "G-1")], wanted.nodes[(*E1, "s1", "R-1")]
    assert (group.kind, group.name, group.detail["vote"]) == ("group", "G-1", "1oo2")
    assert (rule.kind, rule.name, rule.detail) == ("rule", "both high", {"when": "A > H and B > H"})
    assert [one["code"] for one in wanted.nodes[(*E1, "s1")].detail["groups"]] == ["G-1"]
    assert "rules" not in wanted.nodes[(*E1, "s1")].detail
    assert compare(wanted, before, prune=False)[0] == [
        Change("node", How.NEW, (*E1, "s1", "G-1")),
        Change("node", How.NEW, (*E1, "s1", "R-1")),
    ]
