"""The site file: every mistake is named with path, line and what is allowed, all at once."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Kind, Priority
from domain.problem import DocumentError
from domain.site import Site, read_site
from tests.support.builders import START
from tests.support.sites import enterprise, site, site_data, tag

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "deploy/sites").glob("*.yaml"))

EXAMPLE_OF_THE_FORMAT = """
version: 1
tree:                       # typed nodes; codes are unique among siblings
  - {code: gansu, kind: province, name: 甘肃省, children: [{code: zhangye, kind: city, name: 张掖市, children: [{code: p1, kind: park, name: 示范化工园区}]}]}
enterprises:
  - code: e1
    park: p1
    name: 示范化工有限公司
    gateways: [g1]
    boundary: [[100.45, 38.93], [100.46, 38.93], [100.46, 38.94], [100.45, 38.94]]     # lon, lat
    population_500m: 60
    sources:                # 重大危险源
      - code: nh3
        kind: storage       # production | storage
        name: 液氨球罐区
        position: [100.455, 38.935]
        substances: [{name: ammonia, cas: 7664-41-7, design_t: 414.8}]
        equipment:
          - {code: V-201, kind: pressure_tank, volume_m3: 400, fill_limit: 0.85, density_t_m3: 0.61}
        tags:
          - {name: GD-21, kind: gas_toxic, unit: ppm, range: [0, 100], limits: {H: 28.7, HH: 57.4}, interval_s: 5, zone: A, safety_critical: true, position: [100.4551, 38.9351]}
          - {name: GD-22, kind: gas_toxic, unit: ppm}
          - {name: GD-23, kind: gas_toxic, unit: ppm}
          - {name: LT-201, equipment: V-201, kind: level, unit: "%", range: [0, 100], limits: {LL: 5, L: 10, H: 80, HH: 88}, deadband: 0.5, delay_on_s: 5, delay_off_s: 30, rate_per_min: 2, interval_s: 5, max_silence_s: 600, normal: [20, 78]}
        groups: [{code: GD-A, vote: 2oo3, members: [GD-21, GD-22, GD-23]}]
"""  # noqa: E501

TAG = "enterprises[0].sources[0].tags[0]"


def problems(data) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        read_site(data if isinstance(data, str) else json.dumps(data))
    return {problem.path: problem.text for problem in caught.value.problems}


def site_or_problems(text: str) -> Site | tuple:
    try:
        return read_site(text)
    except DocumentError as error:
        return error.problems


def with_tag(**members):
    return site_data(enterprise("e1", tag("T") | members))


def test_the_published_example_is_read():
    found = read_site(EXAMPLE_OF_THE_FORMAT)
    level = found.enterprises[0].sources[0].tags[3].tag(7, 2, 1, 3, START)
    assert level.limits == {Kind.LL: 5, Kind.L: 10, Kind.H: 80, Kind.HH: 88}
    assert (level.id, level.version, level.enterprise, level.source) == (7, 2, 1, 3)
    assert (level.max_silence_s, level.rate_per_min, level.normal) == (600, 2, (20, 78))
    assert found.enterprises[0].sources[0].groups[0].votes == (2, 3)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_delivered_sites_are_good(file):
    assert read_site(file.read_text("utf-8")).enterprises


@pytest.mark.parametrize(
    ("members", "path", "text"),
    [
        ({"limits": {"H": 80, "HH": 80}}, "limits.HH", "80 is not above H 80; allowed: LL"),
        ({"limits": {"L": 80, "H": 80}}, "limits.H", "80 is not above L 80"),
        ({"limits": {"LL": 20, "L": 10}}, "limits.L", "10 is not above LL 20"),
        ({"limits": {"LL": 50, "HH": 40}}, "limits.HH", "40 is not above LL 50"),
        ({"limits": {"HH": 100.5}}, "limits.HH", "100.5 lies outside the range; allowed: 0 to 100"),
        ({"limits": {"LL": -1}}, "limits.LL", "-1 lies outside the range; allowed: 0 to 100"),
        ({"limits": {"HHH": 1}}, "limits.HHH", 'unknown member; did you mean "HH"?'),
        ({"limits": {"H": "80"}}, "limits.H", '"80" is not allowed; allowed: a valid number'),
        ({"limits": {"H": True}}, "limits.H", "true is not allowed; allowed: a valid number"),
        ({"range": [100, 0], "limits": {}}, "range", "[100.0, 0.0] is no range"),
        ({"range": [0], "limits": {}}, "range[1]", "is missing"),
        ({"kind": "levl"}, "kind", '"levl" is unknown; did you mean "level"?'),
        ({"unit": "ppm"}, "unit", '"ppm" is no unit of level; allowed: %, m,'),
        ({"unit": ""}, "unit", "is missing"),
        ({"kind": "gas_toxic", "unit": "ppm", "limits": {"L": 1}}, "limits.L", "has no low limits"),
        ({"kind": "gas_combustible", "unit": "ppm", "limits": {"LL": 1}}, "limits.LL", "no low"),
        ({"normal": [20, 80]}, "normal[1]", "80 is not below the high limit; allowed: below 80"),
        ({"limits": {"L": 10}, "normal": [10, 80]}, "normal[0]", "allowed: above 10"),
        ({"limits": {"HH": 90}, "normal": [10, 95]}, "normal[1]", "allowed: below 90"),
        ({"normal": [-1, 50]}, "normal[0]", "-1 lies outside the range"),
        ({"normal": [50, 20]}, "normal", "is no band"),
        ({"deadband": 5.01}, "deadband", "5.01 could never clear HH 90; allowed: up to 5"),
        (
            {"sentinels": [-9999, 0]},
            "sentinels[1]",
            "0 lies inside the range, where it is a reading; allowed: below 0 or above 100",
        ),
        ({"normal": [10, 77], "deadband": 2}, "deadband", "clear H 80; allowed: up to 1 "),
        ({"deadband": -1}, "deadband", "greater than or equal to 0"),
        ({"delay_on_s": -1}, "delay_on_s", "-1 is not allowed; allowed: greater"),
        ({"delay_off_s": -0.5}, "delay_off_s", "greater than or equal to 0"),
        ({"interval_s": 0}, "interval_s", "0 is not allowed; allowed: greater than 0"),
        ({"rate_per_min": 0}, "rate_per_min", "greater than 0"),
        ({"max_silence_s": 4}, "max_silence_s", "4 is shorter than interval_s; allowed: 5 or more"),
        ({"name": ""}, "name", "at least 1 character"),
        ({"name": "x" * 129}, "name", "at most 128 characters"),
        ({"name": "a\nb"}, "name", "printable"),
        ({"name": 7}, "name", 'write it in quotes, "7"'),
        ({"equipment": "V1"}, "equipment", 'no equipment "V1" in source s1; did you mean "V-1"?'),
        ({"position": [200, 0]}, "position[0]", "less than or equal to 180"),
        ({"position": [0, -91]}, "position[1]", "greater than or equal to -90"),
        ({"priorities": {"HH": "P5"}}, "priorities.HH", '"P5" is unknown; allowed: P1, P2, P3, P4'),
        ({"deadbnd": 1}, "deadbnd", 'unknown member; did you mean "deadband"? allowed: name, kind'),
    ],
)  # fmt: skip
def test_a_mistake_in_a_tag_is_named(members, path, text):
    found = problems(with_tag(**members))
    assert list(found) == [f"{TAG}.{path}"]
    assert text in found[f"{TAG}.{path}"]


@pytest.mark.parametrize(
    ("members", "good"),
    [
        ({"kind": "oxygen", "unit": "%VOL", "limits": {"LL": 18, "L": 19.5}}, True),
        ({"limits": {"H": 50, "HH": 100}}, True),
        ({"deadband": 5}, True),
        ({"deadband": 1, "normal": [10, 77]}, True),
        ({"deadband": 0}, True),
        ({"unit": "m3", "equipment": "V-1", "limits": {"H": 80, "HH": 90}}, True),
        ({"unit": "m3", "equipment": "V-1", "limits": {"H": 80, "HH": 90.5}}, False),
        ({"unit": "L", "range": None, "equipment": "V-1", "limits": {"HH": 90_001}}, False),
        ({"unit": "m", "equipment": "V-1", "limits": {"HH": 99}}, True),
        ({"kind": "fire", "unit": "", "range": [0, 1], "limits": {"H": 1}}, True),
        ({"kind": "other", "unit": "furlong"}, True),
    ],
)  # fmt: skip
def test_what_is_allowed_up_to_its_edge(members, good):
    data = with_tag(**members)
    if good:
        read_site(json.dumps(data))
    else:
        assert "above the safe fill of V-1" in problems(data)[f"{TAG}.limits.HH"]


def change(data, path, value):
    *steps, last = path
    for step in steps:
        data = data[step]
    data[last] = value


E0 = ("enterprises", 0)
S0 = (*E0, "sources", 0)


@pytest.mark.parametrize(
    ("path", "value", "where", "text"),
    [
        (("version",), 2, "version", "2 is not allowed; allowed: 1"),
        (("tree",), [], "tree", "at least 1 item"),
        (("tree", 0, "kind"), "provnce", "tree[0].kind", 'did you mean "province"?'),
        (("tree", 0, "kind"), "source", "tree[0].kind", "belongs under enterprises"),
        (("tree", 0, "code"), 620000, "tree[0].code", 'write it in quotes, "620000"'),
        (("tree", 0, "code"), "a/b", "tree[0].code", "1 to 64 characters of A-Z a-z 0-9 . _ -"),
        (("tree", 0, "name"), " x", "tree[0].name", "printable"),
        ((*E0, "park"), "p2", "enterprises[0].park", 'no park "p2" in the tree; allowed: p1'),
        ((*E0, "park"), "gansu", "enterprises[0].park", 'no park "gansu" in the tree'),
        ((*E0, "code"), "x" * 65, "enterprises[0].code", "1 to 64 characters"),
        ((*E0, "gateways"), [], "enterprises[0].gateways", "at least 1 item"),
        ((*E0, "gateways"), ["g1", "g1"], "enterprises[0].gateways[1]", "is used before"),
        ((*E0, "gateways"), ["g+1"], "enterprises[0].gateways[0]", "1 to 64 characters"),
        ((*E0, "population_500m"), -1, "enterprises[0].population_500m", "equal to 0"),
        ((*E0, "population_500m"), 1.5, "enterprises[0].population_500m", "integer"),
        ((*E0, "boundary"), [[0, 0], [1, 1], [0, 0]], "enterprises[0].boundary", "has 2 different"),
        ((*E0, "boundary"), [[0, 0], [1, 1], [2, 2]], "enterprises[0].boundary", "has no area"),
        ((*E0, "boundary"), [[0, 0], [1, 1], [1, 0], [0, 1]], "enterprises[0].boundary[0]",
         "cross"),
        ((*E0, "boundary"), [[0, 0], [1, 91], [1, 0]], "enterprises[0].boundary[1][1]",
         "equal to 90"),
        ((*S0, "kind"), "tank", "enterprises[0].sources[0].kind", "'production' or 'storage'"),
        ((*S0, "substances"), [{"name": "NH3", "cas": "7664-41-8"}],
         "enterprises[0].sources[0].substances[0].cas", "the check digit must be 7"),
        ((*S0, "substances"), [{"name": "NH3", "cas": "7664-417"}],
         "enterprises[0].sources[0].substances[0].cas", "a CAS number such as 7664-41-7"),
        ((*S0, "equipment", 0, "fill_limit"), 85,
         "enterprises[0].sources[0].equipment[0].fill_limit", "less than or equal to 1"),
        ((*S0, "groups"), [{"code": "G", "vote": "2oo3", "members": ["A", "B"]}],
         "enterprises[0].sources[0].groups[0].vote", "allowed: MooN with N = 2 and M from 1 to N"),
        ((*S0, "groups"), [{"code": "G", "vote": "3oo2", "members": ["A", "B"]}],
         "enterprises[0].sources[0].groups[0].vote", "M from 1 to N"),
        ((*S0, "groups"), [{"code": "G", "vote": "two", "members": ["A", "B"]}],
         "enterprises[0].sources[0].groups[0].vote", "MooN such as 2oo3"),
        ((*S0, "groups"), [{"code": "G", "vote": "1oo2", "members": ["A", "GD-7"]}],
         "enterprises[0].sources[0].groups[0].members[1]", 'no tag "GD-7" in the enterprise'),
        ((*S0, "groups"), [{"code": "G", "vote": "1oo2", "members": ["A", "A"]}],
         "enterprises[0].sources[0].groups[0].members[1]", "is used before"),
        ((*S0, "tags", 1, "name"), "A", "enterprises[0].sources[0].tags[1].name", "is used before"),
    ],
)  # fmt: skip
def test_a_mistake_elsewhere_is_named(path, value, where, text):
    data = site_data(enterprise("e1", tag("A"), tag("B")))
    change(data, path, value)
    found = problems(data)
    assert list(found) == [where]
    assert text in found[where]


def test_infinity_and_nan_are_no_limits():
    text = EXAMPLE_OF_THE_FORMAT.replace("H: 28.7", "H: .nan").replace("HH: 57.4", "HH: .inf")
    found = problems(text)
    assert ["finite" in text for text in found.values()] == [True, True]


def test_a_park_must_not_be_called_events():
    data = site_data(enterprise("e1", park="events"))
    data["tree"][0]["children"][0]["code"] = "events"
    assert "reserved by the wire" in problems(data)["tree[0].children[0].code"]


def test_codes_are_unique_among_siblings_only():
    county = {"code": "x", "kind": "county", "name": "X"}
    data = site_data()
    data["tree"] += [county | {"children": [county]}, county]
    assert list(problems(data)) == ["tree[2].code"]


def test_a_park_code_names_one_park_of_the_tree():
    data = site_data()
    data["tree"].append({"code": "p1", "kind": "park", "name": "Another"})
    assert "as a park" in problems(data)["tree[1].code"]


def test_enterprises_are_unique_in_their_park_and_tags_in_their_enterprise():
    data = site_data(enterprise("e1", tag("A")), enterprise("e2", tag("A")), enterprise("e1"))
    assert list(problems(data)) == ["enterprises[2].code"]


def test_an_enterprise_may_not_share_its_code_with_an_area_of_its_park():
    data = site_data(enterprise("east"))
    data["tree"][0]["children"][0]["children"] = [{"code": "east", "kind": "zone", "name": "E"}]
    assert "child of park p1" in problems(data)["enterprises[0].code"]


def test_unusual_kinds_of_nodes_are_welcome():
    data = site_data()
    data["tree"] = [{"code": "xpcc", "kind": "corps", "name": "兵团", "children": data["tree"]}]
    data["tree"][0]["children"][0]["kind"] = "bingtuan_shi"
    assert read_site(json.dumps(data))


def test_all_mistakes_are_told_at_once_and_those_of_shape_hide_none_of_fit():
    data = site_data(
        enterprise(
            "e1", tag("A", limits={"H": "x"}), tag("B", limits={"H": 200}), tag("C", spam=1)
        ),
        enterprise("e2", tag("D", kind="levl"), tag("E", deadband=99), park="p7"),
    )
    group = {"code": "G", "vote": "2oo3", "members": ["D", "E", "F"]}
    data["enterprises"][1]["sources"][0]["groups"] = [group]
    assert set(problems(data)) == {
        "enterprises[0].sources[0].tags[0].limits.H",
        "enterprises[0].sources[0].tags[1].limits.H",
        "enterprises[0].sources[0].tags[2].spam",
        "enterprises[1].park",
        "enterprises[1].sources[0].tags[0].kind",
        "enterprises[1].sources[0].tags[1].deadband",
        "enterprises[1].sources[0].groups[0].members[2]",
    }


def test_every_problem_names_its_line():
    text = EXAMPLE_OF_THE_FORMAT.replace("HH: 57.4", "HH: 157.4").replace("park: p1", "park: p2")
    text = text.replace("kind: storage", "knd: storage")
    with pytest.raises(DocumentError) as caught:
        read_site(text)
    lines = text.splitlines()
    for problem, needle in zip(
        caught.value.problems, ("park: p2", "nh3", "knd:", "HH: 157.4"), strict=True
    ):
        assert needle in lines[problem.line - 1]


@given(st.text(max_size=200))
def test_any_text_is_a_site_or_a_list_of_problems(text):
    assert site_or_problems(text)


def scalars():
    return st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(
    st.recursive(
        scalars(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["tree", "enterprises", "code", "tags", "limits", "H", "x"]), inner
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from(
        [
            ("tree",),
            E0,
            (*E0, "park"),
            S0,
            (*S0, "tags"),
            (*S0, "tags", 0),
            (*S0, "tags", 0, "limits"),
        ]
    ),
)
def test_nothing_put_anywhere_makes_the_reader_fail_otherwise(value, path):
    data = site_data(enterprise("e1", tag("A")))
    change(data, path, value)
    assert site_or_problems(yaml.safe_dump(data))


def test_a_site_written_out_and_read_again_is_the_same():
    found = site(
        enterprise("e1", tag("A", priorities={"H": "P1"}, position=[1, 2])), enterprise("e2")
    )
    assert read_site(yaml.safe_dump(found.model_dump(mode="json", exclude_none=True))) == found
    assert found.enterprises[0].sources[0].tags[0].priorities.by_kind() == {Kind.H: Priority.P1}


@pytest.mark.parametrize("grade", [0, 5, "1", 1.5])
def test_grade_of_a_source_is_one_to_four(grade):
    data = site_data(enterprise("e1", tag("T")))
    data["enterprises"][0]["sources"][0]["grade"] = grade
    assert "enterprises[0].sources[0].grade" in problems(data)


def test_grade_of_a_source_may_be_left_out():
    data = site_data(enterprise("e1", tag("T")))
    assert read_site(json.dumps(data)).enterprises[0].sources[0].grade is None
    data["enterprises"][0]["sources"][0]["grade"] = 1
    assert read_site(json.dumps(data)).enterprises[0].sources[0].grade == 1
