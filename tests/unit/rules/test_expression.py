"""The language of written rules: what it takes, and how it names every mistake and its place."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Kind
from domain.plant import Node, Tag, TagKind
from domain.problem import DocumentError
from domain.units import known_units, unit
from hazwatch.commands.site import read_watchable
from rules.expression.check import Scope, check
from rules.expression.lexer import RuleFault
from rules.expression.parser import parse
from tests.support.builders import tag
from tests.support.sites import enterprise, site_data
from tests.support.sites import tag as tag_entry

TAGS: dict[str, Tag] = {
    one.name: one
    for one in (
        tag(1, "LT-1", limits={Kind.H: 8.0}),
        tag(2, "PT-1", kind=TagKind.PRESSURE, unit="MPaG"),
        tag(3, "PT-2", kind=TagKind.PRESSURE, unit="kPa"),
        tag(4, "TT-1", kind=TagKind.TEMPERATURE, unit="°C"),
        tag(5, "TT-2", kind=TagKind.TEMPERATURE, unit="K"),
        tag(6, "XV-1", kind=TagKind.VALVE, unit=""),
        tag(7, "XV-2", kind=TagKind.VALVE, unit="%"),
        tag(8, "GD-1", kind=TagKind.GAS_TOXIC, unit="mg/m3"),
        tag(9, "GD-2", kind=TagKind.GAS_TOXIC, unit="ppm"),
        tag(10, "液位-1", unit="%"),
        tag(11, "X1", kind=TagKind.OTHER, unit="bpm"),
        tag(12, "GT-1", kind=TagKind.OTHER, unit="deg"),
        tag(13, "ST-1", kind=TagKind.OTHER, unit="rpm"),
    )
}
SCOPE = Scope(TAGS, {"R1": Node(50, 3, "rule", "R1", "R1")}, {"V-1": 20, "S1": 3}, {})


def checked(text: str) -> None:
    check(Node(51, 3, "rule", "R2", "R2", detail={"when": text}), SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "LT-1 > H",
        "LT-1>2.5m",
        "LT-1 > 250 cm and valve('XV-1') == open for 60 s",
        'tag("液位-1") > 80% or 液位-1 < 5 %',
        "(LT-1 > 1 m for 5 min) and not (LT-1 > 2 m for 1 h)",
        "2 of (LT-1 > H, PT-1 > 1 MPaG, PT-2 > 1 bar)",
        "TT-1 > 20 °C and TT-2 > 20 °C and TT-1 > 300 K and TT-1 > -5 °C",
        "TT-1 - TT-2 > 5 K deadband 1 K",
        "avg(TT-1, TT-2) > 320 K",
        "TT-1 + 5 K > TT-2",
        "PT-2 * 2 - 100 mbar >= 1 atm",
        "LT-1 * LT-1 > 2 m * 300 mm",
        "1 / LT-1 > 0",
        "LT-1 > 1e-3 m\n  and\n  LT-1 != 2 m",
        "XV-2 > 50 %",
        "X1 > 80 bpm",
        'mode("V-1") == start_up and LT-1 > 1 m',
        "unknown(LT-1) or unknown(LT-1 > H)",
        "GD-2 > 0.001 %VOL",
        "min(LT-1, 2 m, 300 cm) > 1 m and max(LT-1) > 0 and abs(-LT-1) > 0",
        "GT-1 > 90 deg and ST-1 > 3000 r/min",
        "(TT-1 - TT-2) * 2 > 5 K * 2 and TT-1 + (TT-2 - TT-1) / 2 > 20 °C",
        "+".join(["LT-1"] * 333) + ">0",
    ],
)
def test_it_takes(text: str):
    checked(text)


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("", (1, 1), "found the end, expected a tag"),
        ("LT-1 >", (1, 7), "found the end, expected a tag, a number or a parenthesis"),
        ("LT-1 > H)", (1, 9), 'found ")", expected and, or, for, a comparison or the end'),
        ("LT-1 > H and\n  LT-2 > H", (2, 3), "no tag 'LT-2' in the enterprise; did you mean"),
        ("LT-1 = 5", (1, 6), "'=' has no meaning here; did you mean =="),
        ("LT-1 ＞ 5", (1, 6), "did you mean >"),
        ("LT-1 > H AND XV-1 == open", (1, 10), 'did you mean "and"?'),
        ('tag("LT-1', (1, 5), "a text without its end"),
        ("tag(LT-1) > 5 m", (1, 5), 'expected a name in quotes, such as tag("XV-101")'),
        ("LT-1 > 5", (1, 6), "5 has no unit; did you mean 5 m?"),
        ("LT-1 > 5 kg", (1, 6), "LT-1 is in m, 5 kg is in kg: they cannot be compared"),
        ("LT-1 > 5 metr", (1, 8), "unknown unit 'metr'"),
        ("PT-1 > 1 MPa", (1, 6), "PT-1 is in MPaG, 1 MPa is in MPa"),
        ("GD-1 > 5 ppm", (1, 6), "GD-1 is in mg/m3, 5 ppm is in ppm"),
        ("TT-1 + TT-2 > 5 K", (1, 6), "two temperatures have no sum"),
        ("TT-1 - TT-2 > 5 °C", (1, 13), "write a difference in K"),
        ("TT-1 * 2 > 5 K", (1, 6), "TT-1 is in °C, a temperature"),
        ("LT-1", (1, 1), "LT-1 is in m; expected a condition, such as a comparison"),
        ("LT-1 and LT-1 > H", (1, 1), "expected a condition"),
        ("LT-1 > HH", (1, 8), "LT-1 has no HH; allowed: H"),
        ("LT-1 + 1 m > H", (1, 14), "H is a limit of the tag that it is compared with"),
        ("abs(H) > 1 m", (1, 5), "expected a number"),
        ("XV-1 == opened", (1, 9), "'opened' is no state of XV-1; did you mean \"open\"?"),
        ("XV-1 > 0", (1, 6), "XV-1 is a state: open, closed; allowed: == and !="),
        ("XV-1 == 1", (1, 9), "expected a state: open, closed"),
        ('valve("LT-1") == open', (1, 1), "LT-1 is a level, no valve"),
        ('valve("XV-2") == open', (1, 1), "XV-2 is in %, no state"),
        ('mode("V-9") == empty', (1, 1), "no unit 'V-9' in the source; did you mean \"V-1\"?"),
        ('mode("V-1") == emty', (1, 16), 'did you mean "empty"?'),
        ('mode("V-1") == empty', (1, 1), "no tag is named"),
        ('rule("R9")', (1, 1), "no rule 'R9' in the source"),
        ("LT-1-LT-1 > 0", (1, 1), "no tag 'LT-1-LT-1' in the enterprise; did you mean"),
        ("rate(LT-1) > 2 m/min", (1, 1), "rate is no function of the language"),
        ("sqrt(LT-1) > 2 m", (1, 1), "no function 'sqrt'"),
        ("3 of (LT-1 > H, LT-1 > 2 m)", (1, 1), "3 of 2; allowed: 1 to 2"),
        ("LT-1 > H for 60", (1, 14), "60 is no time; allowed: s, min or h"),
        ("LT-1 > H for 5 s or LT-1 > 9 m", (1, 18), "write (… for …) or …"),
        ("LT-1 > H and (LT-1 > 1 m for 5 s and LT-1 > 9 m)", (1, 34), "write (… for …) and …"),
        (" and ".join(['mode("V-1") == run'] * 41 + ["LT-1 > H"]), (1, 940),
         "more than 40 comparisons with modes"),
        ("LT-1 > H for 25 h", (1, 14), "above 0 s, up to 24 h"),
        ("LT-1 == 5 m deadband 1 m", (1, 22), "== has no deadband"),
        ("LT-1 > 5 m deadband 1 s", (1, 6), "the deadband must be of the same sort"),
        ("LT-1 > 1e999 m", (1, 8), "a number beyond 1e300"),
        ("LT-1 / 0 > 5 m", (1, 6), "division by 0"),
        ("(" * 60 + "LT-1 > H" + ")" * 60, (1, 51), "nested too deeply; allowed: 50 levels"),
        ("LT-1 > H or " * 200, (1, 2001), "allowed: 2000"),
        ("(LT-1 > H for 1 s) or (LT-1 > H for 2 s) or (LT-1 > H for 3 s) or "
         "(LT-1 > H for 4 s) or (LT-1 > H for 5 s)", (1, 1), "more than 4 times (for)"),
        ("abs(LT-1, LT-1) > 0", (1, 1), "abs takes one number, not 2"),
        ("LT-1 > " + "9" * 400 + " m", (1, 8), "a number beyond 1e300"),
        ("LT-1 > H for " + "9" * 400 + " s", (1, 14), "a number beyond 1e300"),
        ("GT-1 > 90", (1, 6), "90 has no unit; did you mean 90 deg?"),
        ("ST-1 > 50 Hz", (1, 6), "ST-1 is in rpm, 50 Hz is in Hz"),
        ("TT-1 > (TT-1 - TT-2) * 2", (1, 6), "a difference of temperatures"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(text: str, place: tuple[int, int], sentence: str):
    with pytest.raises(RuleFault) as caught:
        checked(text)
    assert sentence in caught.value.what, caught.value.what
    assert (caught.value.line, caught.value.column) == place, caught.value
    assert str(caught.value).splitlines()[-1].endswith("^")


PIECES = [
    *("LT-1", "TT-1", "TT-2", "PT-2", "XV-1", "H", "5", "2.5 m", "3 K", "20 °C", "1e308 m", "0"),
    *("and", "or", "not", "for", "60 s", "of", "(", ")", ",", "<", ">=", "==", "+", "-", "*", "/"),
    *("deadband", 'valve("XV-1")', "open", "unknown(", "max(", 'rule("R1")'),
]


@given(
    st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
)
@settings(max_examples=600)
def test_no_text_raises_anything_but_its_fault(text: str):
    for read in (parse, checked):
        with contextlib.suppress(RuleFault):
            read(text)


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_no_text_as_a_unit_raises(text: str):
    found = unit(text)
    assert found is None or found.factor > 0


def rules_of(texts: list[str]) -> dict[str, Node]:
    return {
        f"R{n}": Node(n, 3, "rule", f"R{n}", "", detail={"when": text})
        for n, text in enumerate(texts)
    }


def test_rules_that_name_each_other_twice_take_no_longer_than_once():
    chain = rules_of([f'rule("R{n}") and rule("R{n}")' for n in range(1, 25)] + ["LT-1 > H"])
    steps = check(chain["R0"], Scope(TAGS, chain, {}, {}))
    assert len(steps.steps) == 3 + 24


@pytest.mark.parametrize("last", ["LT-1 > H", "(" * 50 + "LT-1 > H" + ")" * 50])
def test_rules_that_stand_too_deeply_within_each_other_are_a_fault(last: str):
    for length in (55, 500):
        chain = rules_of([f'rule("R{n}")' for n in range(1, length)] + [last])
        scope = Scope(TAGS, chain, {}, {})
        if length == 55:
            check(chain["R0"], scope)
            continue
        with pytest.raises(RuleFault, match="more than 60 levels"):
            check(chain["R0"], scope)


def test_every_unit_that_a_tag_may_carry_measures_something():
    assert [name for name in known_units() if unit(name) is None] == []


def test_the_site_check_shows_the_rule_and_the_place():
    data = site_data(enterprise("e1", tag_entry("LT-1")))
    source = data["enterprises"][0]["sources"][0]
    source["rules"] = [
        {"code": "R1", "name": "one", "when": "LT-1 > H for 5 s", "priority": "P1"},
        {"code": "R2", "name": "two", "when": 'LT-1 > 5 m and mode("V-1") == run'},
        {"code": "R3", "name": "three", "when": 'rule("R3")'},
    ]
    with pytest.raises(DocumentError) as caught:
        read_watchable(json.dumps(data))
    found = {problem.path: problem.text for problem in caught.value.problems}
    where = "enterprises[0].sources[0].rules"
    assert set(found) == {f"{where}[1].when", f"{where}[2].when"}
    assert "line 1, column 6: LT-1 is in %, 5 m is in m" in found[f"{where}[1].when"]
    assert "rules go in a circle: R3 → R3" in found[f"{where}[2].when"]
    source["rules"] = source["rules"][:1]
    assert read_watchable(json.dumps(data)).enterprises[0].sources[0].rules[0].code == "R1"


def test_codes_of_equipment_groups_and_rules_differ():
    data = site_data(enterprise("e1", tag_entry("LT-1")))
    source = data["enterprises"][0]["sources"][0]
    source["groups"] = [{"code": "V-1", "vote": "1oo1", "members": ["LT-1"]}]
    source["rules"] = [{"code": "V-1", "name": "one", "when": "LT-1 > H"}]
    with pytest.raises(DocumentError) as caught:
        read_watchable(json.dumps(data))
    paths = [problem.path for problem in caught.value.problems]
    assert paths == [f"enterprises[0].sources[0].{part}[0].code" for part in ("groups", "rules")]
