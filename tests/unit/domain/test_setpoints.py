"""Set points against GB/T 50493-2019: every boundary, every unit, what cannot be told."""

from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit_row import AuditRow, Severity, worst
from domain.gas_rules import gas_rules, read_gas_rules
from domain.gas_units import GasUnits
from domain.setpoints import Surroundings, audit
from domain.site import Equipment, Substance, TagEntry

R = gas_rules()
AMMONIA = Surroundings((Substance(name="ammonia", cas="7664-41-7"),))
NOTHING = Surroundings()


def entry(kind: str, unit: str, limits: dict[str, float], **members: Any) -> TagEntry:
    told = {"name": "GD-1", "kind": kind, "unit": unit, "limits": limits, **members}
    return TagEntry.model_validate(told, strict=False)


def rows(tag: TagEntry, around: Surroundings = NOTHING) -> dict[str, AuditRow]:
    return {f"{row.member}/{row.rule}": row for row in audit(tag, around, R)}


def toxic(limits: dict[str, float], unit: str = "ppm", gas: str | None = "ammonia", **more: Any):
    return entry("gas_toxic", unit, limits, gas=gas, range=[0, 80], **more)


def level(tag: TagEntry, member: str, around: Surroundings = NOTHING) -> AuditRow:
    (row,) = [one for one in audit(tag, around, R) if one.member == f"limits.{member}"]
    return row


class TestToxic:
    # 20 mg/m3 of ammonia are 28.7 ppm: 20 * 24.45 / 17.03 = 28.713
    @pytest.mark.parametrize(
        ("unit", "high", "severity"),
        [
            ("mg/m3", 20, "ok"), ("mg/m3", 20.01, "error"), ("mg/m³", 18, "ok"),
            ("mg/m3", 18.1, "ok"), ("ppm", 28.7, "ok"), ("ppm", 29.2, "ok"),
            ("ppm", 29.3, "error"), ("ppb", 28_700, "ok"), ("%VOL", 0.00287, "ok"),
            ("%OEL", 100, "ok"), ("%OEL", 100.1, "error"), ("mg/m3", 19, "ok"),
        ],
    )  # fmt: skip
    def test_level_1_is_at_most_the_oel(self, unit, high, severity):
        tag = entry("gas_toxic", unit, {"H": high, "HH": high * 1.5}, gas="氨", range=[0, 1e6])
        row = level(tag, "H")
        assert row.severity == severity, row.text

    def test_a_row_says_what_is_allowed_in_the_tags_unit_and_who_says_so(self):
        row = level(toxic({"H": 28.7, "HH": 57.4}), "H")
        assert (row.rule, row.allowed, row.value) == ("toxic", "≤ 28.71", 28.7)
        assert (row.source, row.confidence) == ("S8, S9", "V2")
        assert "100 %OEL" in row.text

    def test_level_2_is_at_most_twice_the_oel(self):
        assert level(toxic({"H": 20, "HH": 57.4}), "HH").severity is Severity.OK
        assert level(toxic({"H": 20, "HH": 60}), "HH").severity is Severity.ERROR

    def test_more_is_allowed_by_the_idlh_only_where_no_detector_can_measure(self):
        # chlorine: OEL 1, IDLH 88: 4.4 and 8.8 mg/m3 by the second rule
        tag = entry("gas_toxic", "mg/m3", {"H": 4.4, "HH": 8.8}, gas="chlorine", range=[0, 26])
        for member in ("H", "HH"):
            row = level(tag, member)
            assert (row.rule, row.severity) == ("toxic_idlh", Severity.WARNING)
            assert "no detector can measure" in row.text
        over = entry("gas_toxic", "mg/m3", {"H": 4.5, "HH": 8.9}, gas="chlorine", range=[0, 26])
        assert [level(over, member).severity for member in ("H", "HH")] == [Severity.ERROR] * 2

    def test_a_missing_level_is_a_warning(self):
        assert level(toxic({}), "H").severity is Severity.WARNING
        assert level(toxic({"H": 20}), "HH").severity is Severity.WARNING

    def test_the_typical_values_of_the_source_are_allowed(self):
        for name, unit, high in [
            ("NH3", "ppm", 28.7), ("Cl2", "ppm", 0.34), ("H2S", "ppm", 7.2), ("CO", "ppm", 17.5),
            ("HF", "ppm", 2.4), ("benzene", "ppm", 1.9), ("methanol", "ppm", 19.1),
            ("VCM", "ppm", 3.9), ("HCN", "mg/m3", 1), ("光气", "mg/m3", 0.5),
            ("HCl", "mg/m3", 7.5), ("SO2", "mg/m3", 5), ("NO2", "mg/m3", 5), ("丙烯腈", "mg/m3", 1),
        ]:  # fmt: skip
            tag = entry("gas_toxic", unit, {"H": high, "HH": 2 * high}, gas=name, range=[0, 100])
            for member in ("H", "HH"):
                assert level(tag, member).severity is Severity.OK, (name, member)

    def test_limits_of_modes_are_audited_too(self):
        found = rows(
            toxic({"H": 20, "HH": 50}, limits_by_mode={"turnaround": {"H": 50, "HH": "off"}})
        )
        assert found["limits_by_mode.turnaround.H/toxic"].severity is Severity.ERROR
        assert "limits_by_mode.turnaround.HH/toxic" not in found


class TestCombustible:
    @pytest.mark.parametrize(
        ("unit", "limits", "gas", "severities"),
        [
            ("%LEL", {"H": 25, "HH": 50}, None, ["ok", "ok"]),
            ("%LEL", {"H": 25.1, "HH": 50.1}, None, ["error", "error"]),
            ("%LEL", {"H": 20, "HH": 40}, None, ["ok", "ok"]),
            ("%VOL", {"H": 1.0, "HH": 2.0}, "hydrogen", ["ok", "ok"]),
            ("%VOL", {"H": 1.1, "HH": 2.1}, "hydrogen", ["error", "error"]),
            ("ppm", {"H": 10_000, "HH": 20_000}, "1333-74-0", ["ok", "ok"]),
            ("LEL·m", {"H": 1, "HH": 2}, None, ["ok", "ok"]),
            ("LEL.m", {"H": 1.1, "HH": 2.1}, None, ["error", "error"]),
        ],
    )
    def test_25_and_50_percent_of_the_lel(self, unit, limits, gas, severities):
        tag = entry("gas_combustible", unit, limits, gas=gas, range=[0, 1e6])
        assert [level(tag, member).severity for member in ("H", "HH")] == severities

    def test_a_gas_that_is_toxic_too_is_pointed_out(self):
        tag = entry("gas_combustible", "%LEL", {"H": 25, "HH": 50}, range=[0, 100])
        assert "toxic too" in rows(tag, AMMONIA)["gas/both"].text


class TestOxygen:
    @pytest.mark.parametrize(
        ("limits", "severity"),
        [
            ({"L": 19.5}, "ok"), ({"L": 19.4}, "error"), ({"L": 20}, "ok"),
            ({"L": 19.5, "H": 23.5}, "ok"), ({"L": 19.5, "H": 23.6}, "error"),
            ({"L": 19.5, "LL": 18}, "ok"), ({"L": 19.5, "LL": 17.9}, "warning"),
            ({"H": 23.5}, "warning"),
        ],
    )  # fmt: skip
    def test_lack_and_enrichment(self, limits, severity):
        for unit, factor in (("%VOL", 1), ("%", 1), ("ppm", 10_000)):
            scaled = {name: value * factor for name, value in limits.items()}
            tag = entry("oxygen", unit, scaled, range=[0, 25 * factor])
            assert worst(audit(tag, NOTHING, R)) == severity

    def test_an_inerted_process_is_no_air(self):
        (row,) = audit(entry("oxygen", "%VOL", {"H": 2, "HH": 4}, range=[0, 10]), NOTHING, R)
        assert row.severity is Severity.NOTE
        assert "inerted" in row.text


class TestRange:
    @pytest.mark.parametrize(
        ("top", "severity"), [(86, "ok"), (60, "ok"), (50, "warning"), (500, "note")]
    )
    def test_a_toxic_range_reaches_level_2_and_not_far_beyond(self, top, severity):
        tag = entry("gas_toxic", "ppm", {"H": 20, "HH": 40}, gas="NH3", range=[0, top])
        assert rows(tag)["range/range"].severity == severity

    def test_a_gas_tag_without_a_range(self):
        tag = entry("gas_combustible", "%LEL", {"H": 25, "HH": 50})
        assert rows(tag)["range/range"].severity is Severity.WARNING


class TestWhichGas:
    def test_the_tag_goes_before_the_source(self):
        tag = toxic({"H": 0.3, "HH": 0.6}, gas="7782-50-5")
        assert rows(tag, AMMONIA)["limits.H/toxic"].allowed == "≤ 0.3448"

    def test_the_only_substance_of_that_sort_counts(self):
        hydrogen = Substance(name="hydrogen", cas="1333-74-0")
        both = Surroundings((*AMMONIA.substances, hydrogen))
        assert level(toxic({"H": 28.7, "HH": 57}, gas=None), "H", both).severity is Severity.OK

    def test_an_unknown_gas_is_audited_by_range_and_order_only(self):
        two = Surroundings((*AMMONIA.substances, Substance(name="Cl2")))
        for tag, around in (
            (toxic({"H": 28, "HH": 57}, gas=None), two),
            (toxic({"H": 28, "HH": 57}, gas=None), NOTHING),
            (toxic({"H": 28, "HH": 57}, gas="toluene"), AMMONIA),
        ):
            (row,) = audit(tag, around, R)
            assert row.severity is Severity.NOTE
            assert "range and order only" in row.text

    def test_a_number_that_the_data_file_lacks_is_said(self):
        tag = entry("gas_toxic", "ppm", {"H": 1, "HH": 2}, gas="环氧乙烷", range=[0, 10])
        row = level(tag, "H")
        assert row.severity is Severity.NOTE
        assert "no OEL" in row.text


class TestSanity:
    def test_order_range_unit_and_low_limits_of_gases(self):
        tag = entry("gas_toxic", "kg/h", {"L": 5, "H": 50, "HH": 40}, range=[0, 45])
        found = [row for row in audit(tag, NOTHING, R) if row.rule == "sanity"]
        assert {row.member for row in found} == {"unit", "limits.L", "limits.H", "limits.HH"}
        assert {row.severity for row in found} == {Severity.ERROR}

    def test_a_level_above_the_safe_fill(self):
        vessel = Equipment(code="V-1", kind="tank", volume_m3=100, height_m=10, fill_limit=0.9)
        tag = entry("level", "m", {"HH": 9.1}, range=[0, 10], equipment="V-1")
        (row,) = audit(tag, Surroundings((), (vessel,)), R)
        assert (row.member, row.severity) == ("limits.HH", Severity.ERROR)
        assert "safe fill" in row.text

    def test_a_good_process_tag_has_nothing_to_tell(self):
        assert audit(entry("level", "%", {"H": 80, "HH": 90}, range=[0, 100]), NOTHING, R) == ()


class TestProperties:
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    units = st.sampled_from(["ppm", "ppb", "mg/m3", "%VOL", "%OEL", "%IDLH", "%LEL", "LEL·m", "x"])
    gases = st.sampled_from([None, *(gas.name for gas in R.gases), "toluene"])

    @given(st.sampled_from(["gas_toxic", "gas_combustible", "oxygen"]), units, gases, numbers,
           numbers, numbers)  # fmt: skip
    def test_whatever_is_set_it_tells_and_never_fails(self, kind, unit, gas, high, top, low):
        tag = entry(kind, unit, {"L": low, "H": high, "HH": top}, gas=gas, range=[low, top])
        for row in audit(tag, AMMONIA, R):
            assert row.text

    @given(units, gases, st.floats(0.001, 1e5), st.floats(0.001, 1))
    def test_a_lower_set_point_is_never_worse(self, unit, gas, high, share):
        order = list(Severity)
        kind = "gas_combustible" if "LEL" in unit else "gas_toxic"

        def severity(value: float) -> int:
            tag = entry(kind, unit, {"H": value}, gas=gas, range=[0, 2e5])
            found = [row for row in audit(tag, NOTHING, R) if row.member == "limits.H"]
            return max((order.index(row.severity) for row in found if row.rule != "sanity"),
                       default=0)  # fmt: skip

        assert severity(high * share) <= severity(high)

    @given(st.sampled_from([gas for gas in R.gases if gas.molar_mass and gas.oel]),
           st.floats(0.01, 1e4))  # fmt: skip
    def test_ppm_and_mg_per_m3_are_the_same_gas(self, gas, ppm):
        assert gas.molar_mass is not None
        assert gas.oel is not None
        units = GasUnits(gas, R.molar_volume)
        one, other = (
            units.percent("toxic", ppm, "ppm"),
            units.percent("toxic", ppm * gas.molar_mass.value / 24.45, "mg/m3"),
        )
        assert one is not None
        assert other is not None
        assert one.value == pytest.approx(other.value)
        assert one.value == pytest.approx(ppm * gas.molar_mass.value / 24.45 / gas.oel.value * 100)


class TestData:
    def test_every_number_has_a_source_and_a_mark(self):
        marks = {"V2", "V1", "K", "K?", "P"}
        for section in R.rules.values():
            assert all(one.source and one.confidence in marks for one in section.values())
        for gas in R.gases:
            numbers = [one for one in (gas.molar_mass, gas.oel, gas.idlh, gas.lel) if one]
            assert numbers or gas.check
            assert all(one.source and one.confidence in marks for one in numbers)

    def test_the_gases_of_the_research_are_there(self):
        assert len(R.gases) == 17
        assert R.gas("", "7664-41-7") is R.gas("NH3") is R.gas("7664-41-7")

    def test_the_doubtful_ones_are_flagged(self):
        fluoride = R.gas("HF")
        assert fluoride is not None
        assert fluoride.idlh is not None
        assert fluoride.idlh.value == 25
        assert "500" in fluoride.check

    @pytest.mark.parametrize(
        ("before", "after"), [("7664-41-7", "7664-41-8"), ("value = 17.03", "value = 0")]
    )
    def test_a_spoilt_file_does_not_load(self, before, after):
        text = files("domain").joinpath("data/gb50493.toml").read_text("utf-8")
        with pytest.raises(ValueError, match=r"\w"):
            read_gas_rules(text.replace(before, after, 1))
