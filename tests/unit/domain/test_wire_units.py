import tomllib
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.gas_rules import gas_rules
from domain.gas_units import grams_per_litre
from domain.plant import TagKind
from domain.sentinels import sentinel_of_code, sentinels
from domain.units import allowed_units, known_units, unit
from domain.wire_units import Conversion, conversion, unit_of_code, wire_unit

ENTRIES = tomllib.loads(files("domain").joinpath("data/wire_units.toml").read_text("utf-8"))["unit"]
UNITS = [wire_unit(entry["name"]) for entry in ENTRIES]
PAIRS = [
    found
    for came in UNITS
    for registered in UNITS
    if came and registered and came.code != registered.code
    if (found := conversion(came, registered)) is not None
]
NAMES = "%|%LEL|%OEL|%IDLH|LEL·m|%VOL|ppm|ppb|mg/m3|µg/m3|g/m3|°C|K|°F|MPa|kPa|hPa|Pa|bar|mbar|psi"


def way(came: str, registered: str, gas: str | None = None) -> Conversion:
    one, other = wire_unit(came), wire_unit(registered)
    assert one is not None
    assert other is not None
    grams = grams_per_litre(gas_rules().gas(gas), gas_rules()) if gas else None
    found = conversion(one, other, grams)
    assert found is not None
    return found


def stored(number: float, came: str, registered: str, gas: str | None = None) -> float:
    return float(way(came, registered, gas).stored(np.array([number]))[0])


def test_the_compiled_table_says_what_pint_says():
    said = {entry["name"]: unit(entry["name"]) for entry in ENTRIES}
    for entry in ENTRIES:
        of_pint = said[entry["name"]]
        assert of_pint is not None, entry["name"]
        assert Fraction(entry["size"]) == of_pint.factor, entry["name"]
        assert Fraction(entry.get("offset", "0")) == of_pint.offset, entry["name"]
        alike = {one["name"] for one in ENTRIES if one["of"] == entry["of"]}
        same = {name for name, one in said.items() if one and one.dimensions == of_pint.dimensions}
        assert alike == same, entry["name"]


def test_codes_stay_what_they_are():
    assert [entry["code"] for entry in ENTRIES[:21]] == list(range(1, 22))
    assert "|".join(entry["name"] for entry in ENTRIES[:21]) == NAMES
    assert (unit_of_code(36), unit_of_code(97)) == (wire_unit("cm"), wire_unit("1"))
    assert unit_of_code(0) is None
    assert [sentinel_of_code(code) for code in (1, 2, 9, 11)] == [-9999, -999.25, 32767, 65535]
    assert len({one.value for one in sentinels()}) == len(sentinels())


def test_every_unit_that_a_site_file_may_register_can_be_converted():
    named = {one for kind in TagKind for one in allowed_units(kind) or ()} | set(known_units())
    assert [one for one in sorted(named) if wire_unit(one) is None] == []


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("℃", "°C"),
        ("m³/h", "m3/h"),
        ("ｋＰａ", "kPa"),
        (" mg / m³ ", "mg/m3"),
        ("㎫", "MPa"),
        ("Mpa", "MPa"),
        ("KPa", "kPa"),
        ("%vol", "%VOL"),
        ("MPa(g)", "MPaG"),
        ("μg/m3", "µg/m3"),
        ("兆帕", "MPa"),
    ],
)
def test_spellings_of_one_unit(word, name):
    assert wire_unit(word) == wire_unit(name) is not None


@pytest.mark.parametrize("word", ["", "mpa", "m/m", "furlong", "MPa;DROP", "\ud800", "%" * 500])
def test_what_may_be_two_things_or_nothing_is_no_unit(word):
    found = wire_unit(word)
    assert found is None or found.name == "1"


def test_percent_of_oxygen_is_percent_of_volume():
    assert wire_unit("%", TagKind.OXYGEN) == wire_unit("%VOL")
    assert wire_unit("%", TagKind.LEVEL) != wire_unit("%VOL")


@pytest.mark.parametrize(
    ("number", "came", "registered", "expected"),
    [
        (1234, "kPa", "MPa", 1.234),
        (0.1, "MPa", "kPa", 100.0),
        (77.18, "°F", "°C", 25.1),
        (32.18, "°F", "°C", 0.1),
        (20.5, "°C", "K", 293.65),
        (731, "cm", "m", 7.31),
        (20.9, "%VOL", "ppm", 209000.0),
        (2, "kgf/cm2", "MPa", 0.196133),
        (0, "kPa", "MPa", 0.0),
    ],
)
def test_a_value_becomes_the_very_number_that_a_person_would_write(
    number, came, registered, expected
):
    assert stored(number, came, registered) == expected


@pytest.mark.parametrize(
    ("came", "registered"),
    [("MPa", "MPaG"), ("MPaA", "MPaG"), ("m3/h", "Nm3/h"), ("Nm3/h", "scmh"), ("%", "%LEL"),
     ("%LEL", "%VOL"), ("m", "%"), ("rpm", "Hz"), ("mg/m3", "ppm")],
)  # fmt: skip
def test_what_measures_another_thing_is_never_converted(came, registered):
    one, other = wire_unit(came), wire_unit(registered)
    assert one is not None
    assert other is not None
    assert conversion(one, other) is None


def test_mass_and_volume_of_a_known_gas_are_one_thing():
    # domain research 2.3: NH3 20 mg/m3 is 28.7 ppm, H2S 10 mg/m3 is 7.2 ppm
    assert stored(20, "mg/m3", "ppm", "7664-41-7") == pytest.approx(28.7, abs=0.05)
    assert stored(10, "mg/m³", "ppm", "7783-06-4") == pytest.approx(7.2, abs=0.05)
    assert stored(28.7, "ppm", "mg/m3", "7664-41-7") == pytest.approx(20, abs=0.02)
    one, other = wire_unit("%LEL"), wire_unit("ppm")
    assert one is not None
    assert other is not None
    assert conversion(one, other, Fraction(1)) is None


@st.composite
def decimals(draw: st.DrawFn) -> float:
    """A decimal of at most 12 significant digits, as instruments send them."""
    digits, exponent = draw(st.integers(-(10**12) + 1, 10**12 - 1)), draw(st.integers(-11, 6))
    return float(Decimal(digits).scaleb(exponent))


@settings(max_examples=500)
@given(decimals(), st.sampled_from([pair for pair in PAIRS if not pair.add]))
def test_what_came_is_told_again_exactly(number, one):
    assert one.came(one.stored(np.array([number]))).tolist() == [number]


@settings(max_examples=300)
@given(
    st.integers(-(10**9), 10**9), st.integers(0, 9),
    st.sampled_from([pair for pair in PAIRS if pair.add]),
)  # fmt: skip
def test_a_temperature_that_came_is_told_again_exactly(digits, places, one):
    number = float(Decimal(digits).scaleb(-places))
    assert one.came(one.stored(np.array([number]))).tolist() == [number]


@settings(max_examples=300)
@given(decimals(), st.sampled_from(PAIRS))
def test_a_conversion_is_the_exact_one_to_15_digits(number, one):
    exact = (Fraction(number) * Fraction(one.up) + Fraction(one.add)) / Fraction(one.down)
    largest = max(abs(exact), abs(Fraction(number) * Fraction(one.up) / Fraction(one.down)),
                  abs(Fraction(one.add) / Fraction(one.down)))  # fmt: skip
    found = float(one.stored(np.array([number]))[0])
    assert abs(Fraction(found) - exact) <= largest * Fraction(1, 10**14)


@settings(max_examples=200)
@given(st.lists(st.floats(), max_size=8), st.sampled_from(PAIRS))
def test_no_number_breaks_a_conversion_and_none_depends_on_its_neighbours(numbers, one):
    together = one.stored(np.array(numbers, np.float64))
    alone = [one.stored(np.array([number]))[0] for number in numbers]
    np.testing.assert_array_equal(together, np.array(alone, np.float64))
    one.came(together)


@pytest.mark.parametrize("number", [1.7976931348623157e308, -1e308, 5e-324])
def test_the_ends_of_what_a_float_holds_break_nothing(number):
    for one in PAIRS:
        assert one.came(one.stored(np.array([number]))).shape == (1,)


def test_one_pressure_in_two_units_is_one_number():
    for pascals in range(1, 200_000, 37):
        kilo, mega = pascals / 1000, pascals / 1_000_000
        assert stored(kilo, "kPa", "bar") == stored(mega, "MPa", "bar")
