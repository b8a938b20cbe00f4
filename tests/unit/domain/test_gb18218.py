"""GB 18218-2018: worked examples, boundaries, properties, and every row of the tables."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cas import cas_checked, check_digit
from domain.gb18218 import Grading, GradingError, grade
from domain.gb18218_choice import Holding
from domain.gb18218_tables import plain, read_tables, tables
from domain.gb18218_words import ends, exact, number

T = tables()
AMMONIA = ("ammonia", "7664-41-7")
CHLORINE = ("chlorine", "7782-50-5")

# The printed tables once more, row by row, so that a slip in the data file shows.
CRITICAL = """
10 1 1 20 1 0.3 10 5 1 5 20 5 20 1 1 1 10 20 20 1 20 20 100 1 1 75 20 20 20 0.75 0.5 0.5 0.5 5 5
1 1 1 10 50 50 50 5 50 200 1000 5 50 50 50 5 50 5 1 50 200 50 500 500 50 50 500 10 500 500 200
500 10 500 500 10 10 50 1 1 20 20 100 100 20 100 50 100 1 10
"""
CAS = """
7664-41-7 7783-41-7 10102-44-0 7446-09-5 7782-41-4 75-44-5 75-21-8 50-00-0 7803-51-2 7783-06-4
7647-01-0 7782-50-5 - 7784-42-1 7803-52-3 7783-07-5 74-83-9 75-86-5 107-02-8 7664-39-3 106-89-8
3132-64-7 26471-62-5 10025-67-9 74-90-8 7446-11-9 107-11-9 7726-95-6 151-56-4 624-83-9
18810-58-7 13424-46-9 628-86-4 28653-16-9 118-96-7 55-63-0 9004-70-0 9004-70-0 9004-70-0
9004-70-0 9004-70-0 9004-70-0 6484-52-2 6484-52-2 - 7757-79-1 106-99-0 115-10-6 74-82-8 75-01-4
1333-74-0 68476-85-7 74-89-5 74-86-2 74-85-1 7782-44-7 71-43-2 100-42-5 67-64-1 107-13-1 75-15-0
110-82-7 75-56-9 108-88-3 67-56-1 86290-81-5 64-17-5 60-29-7 141-78-6 110-54-3 79-21-0 1338-23-4
12185-10-3 - 19624-22-7 17014-71-0 1313-60-6 3811-04-9 7775-09-9 52583-42-3 7697-37-2 506-93-4
75-20-7 7440-09-7 7440-23-5
"""
CATEGORIES = """
J1:5:4 J2:50:1 J3:50:2 J4:50:2 J5:500:1 W1.1:1:2 W1.2:10:2 W1.3:50:2 W2:10:1.5 W3:150:1 W4:50:1
W5.1:10:1.5 W5.2:50:1 W5.3:1000:1 W5.4:5000:1 W6.1:10:1.5 W6.2:50:1 W7.1:10:1.5 W7.2:50:1
W8:50:1 W9.1:50:1 W9.2:200:1 W10:200:1 W11:200:1
"""


def held(name: str, tonnes: str, cas: str | None = None, **more: object) -> Holding:
    return Holding(name, Fraction(tonnes), cas, **more)  # type: ignore[arg-type]


def graded(*holdings: Holding, people: int | None = 0) -> Grading:
    return grade(holdings, people, T)


def problems(*holdings: Holding, people: int | None = 0) -> dict[str, str]:
    with pytest.raises(GradingError) as caught:
        graded(*holdings, people=people)
    return {".".join(str(step) for step in loc): text for loc, text in caught.value.problems}


# E1 to E5 of the research, and what each must come to: S, Σ β·q/Q, R, grade.
E1 = [held(AMMONIA[0], "414.8", AMMONIA[1])]
E2 = [held(CHLORINE[0], "20", CHLORINE[1])]
E3 = [
    held("methanol", "1423.8", "67-56-1"),
    held("benzene", "395.55", "71-43-2"),
    held("gasoline", "300", "86290-81-5"),
]
PEROXIDE = held("organic peroxide type D", "2", categories=("W7.2",))
HYDROGEN = held("hydrogen", "0.5", "1333-74-0")
E4A = [held("vinyl chloride", "30", "75-01-4"), PEROXIDE, HYDROGEN]
E4B = [held("vinyl chloride", "45", "75-01-4"), PEROXIDE, HYDROGEN]
E5 = [held(*CHLORINE[:1], "5", CHLORINE[1]), held(AMMONIA[0], "5", AMMONIA[1])]


@pytest.mark.parametrize(
    ("holdings", "people", "s", "weighted", "r", "level"),
    [
        (E1, 60, "41.48", "82.96", "124.44", 1),
        (E2, 20, "4", "16", "16", 3),
        (E3, 100, "12.2586", "12.2586", "24.5172", 3),
        (E4B, 35, "1.04", "1.54", "1.848", 4),
        (E5, 60, "1.5", "5", "7.5", 4),
    ],
    ids=["E1", "E2", "E3", "E4b", "E5"],
)
def test_the_worked_examples_come_out_exactly(holdings, people, s, weighted, r, level):
    found = graded(*holdings, people=people)
    assert (found.s, found.weighted, found.r) == (Fraction(s), Fraction(weighted), Fraction(r))
    assert (found.identified, found.grade) == (True, level)


def test_e3_by_its_rows():
    found = graded(*E3, people=100)
    assert [row.fraction for row in found.rows] == [
        Fraction("2.8476"),
        Fraction("7.911"),
        Fraction("1.5"),
    ]
    assert {row.beta.value for row in found.rows if row.beta} == {1}


def test_e4a_is_no_major_hazard_source_and_has_no_grade():
    found = graded(*E4A, people=35)
    assert found.s == Fraction("0.74")
    assert not found.identified
    assert (found.grade, found.r, found.alpha) == (None, None, None)
    assert found.grade_name.startswith("不构成")


def test_s_of_exactly_one_is_identified_and_a_hair_below_is_not():
    one = graded(held(*CHLORINE[:1], "5", CHLORINE[1]))
    assert one.s == 1
    assert one.identified
    below = held(CHLORINE[0], "4.99999999999999999999999999", CHLORINE[1])
    assert not graded(below).identified
    thirds = [held("phosgene", "0.1", "75-44-5")] * 3
    assert graded(*thirds).s == 1
    tenths = [held("VCM", "5", "75-01-4")] * 10
    assert graded(*tenths).identified


@pytest.mark.parametrize(
    ("r", "level"),
    [("100", 1), ("99.99999999999999999999", 2), ("50", 2), ("49.99999999999999999999", 3),
     ("10", 3), ("9.99999999999999999999", 4)],
)  # fmt: skip
def test_a_grade_begins_at_its_boundary(r, level):
    # α 1 and β 2: R = 2 · q / 10
    found = graded(held(*AMMONIA[:1], str(Fraction(r) * 5), AMMONIA[1]), people=1)
    assert found.r == Fraction(r)
    assert found.grade == level


@pytest.mark.parametrize(
    ("people", "alpha"),
    [(100, "2"), (99, "1.5"), (50, "1.5"), (49, "1.2"), (30, "1.2"), (29, "1"), (1, "1"),
     (0, "0.5"), (10**9, "2")],
)  # fmt: skip
def test_alpha_begins_at_its_boundary(people, alpha):
    found = graded(*E1, people=people).alpha
    assert found is not None
    assert found.value == Fraction(alpha)


class TestQuantities:
    amounts = st.fractions(min_value=0, max_value=10**6)
    some = st.lists(st.tuples(st.sampled_from(T.gases[1:]), amounts), min_size=1, max_size=6)

    @staticmethod
    def of(rows) -> list[Holding]:
        return [Holding(gas.name, tonnes, gas.cas) for gas, tonnes in rows]

    @given(some, st.integers(0, 200), st.randoms(use_true_random=False))
    def test_order_does_not_matter(self, rows, people, random):
        shuffled = list(rows)
        random.shuffle(shuffled)
        one, other = graded(*self.of(rows), people=people), graded(
            *self.of(shuffled), people=people
        )  # fmt: skip
        assert (one.s, one.r, one.grade) == (other.s, other.r, other.grade)

    @given(some, st.integers(0, 5), amounts, st.integers(0, 200), st.integers(0, 200))
    def test_more_of_anything_and_more_people_never_grade_lower(self, rows, i, more, people, extra):
        before = graded(*self.of(rows), people=people)
        i %= len(rows)
        grown = [(gas, t + more if k == i else t) for k, (gas, t) in enumerate(rows)]
        after = graded(*self.of(grown), people=people + extra)
        assert after.s >= before.s
        assert (after.grade or 9) <= (before.grade or 9)
        assert (after.r or 0) >= (before.r or 0)

    @given(some, st.fractions(min_value=Fraction(1, 10), max_value=1000))
    def test_everything_scales(self, rows, factor):
        one = graded(*self.of(rows))
        other = graded(*self.of([(gas, t * factor) for gas, t in rows]))
        assert other.s == one.s * factor
        if one.r is not None and other.r is not None:
            assert other.r == one.r * factor

    @given(some, st.integers(0, 200))
    def test_a_slow_reference_in_decimal_agrees(self, rows, people):
        rounded = [(gas, Fraction(str(round(float(t), 3)))) for gas, t in rows]
        found = graded(*self.of(rounded), people=people)
        q = {row.cas[0]: row.critical for row in T.named if row.cas}
        s = sum(t / q[gas.cas] for gas, t in rounded)
        if s < 1:
            assert found.grade is None
            return
        alpha = 2 if people >= 100 else Fraction("1.5") if people >= 50 else Fraction(
            "1.2") if people >= 30 else 1 if people >= 1 else Fraction("0.5")  # fmt: skip
        r = alpha * sum(gas.beta * t / q[gas.cas] for gas, t in rounded)
        assert found.r == r
        assert found.grade == (1 if r >= 100 else 2 if r >= 50 else 3 if r >= 10 else 4)

    @pytest.mark.parametrize("tonnes", [0.0, 5e-324, 1e308])
    def test_extreme_amounts_are_numbers_like_others(self, tonnes):
        found = graded(Holding("phosgene", exact(tonnes), "75-44-5"), people=1)
        assert found.identified is (tonnes > 1)
        assert number(found.s)


class TestWhichRow:
    def test_a_substance_is_found_by_cas_or_by_either_name(self):
        for holding in (held("x", "1", "7664-41-7"), held("Ammonia", "1"), held(" 液氨 ", "1")):
            (row,) = graded(holding).rows
            assert row.critical is not None
            assert row.critical.value == 10

    def test_a_cas_number_with_several_rows_asks_which(self):
        text = problems(held("硝化纤维素", "3", "9004-70-0"))["substances.0.table1_row"]
        assert all(f"{row} (" in text for row in range(37, 43))
        text = problems(held("ammonium nitrate", "3", "6484-52-2"))["substances.0.table1_row"]
        assert "43 (" in text
        assert "44 (" in text

    def test_the_chosen_row_holds(self):
        for row, critical in ((39, 10), (40, 50)):
            holding = held("硝化纤维素", "3", "9004-70-0", row=row)
            chosen = graded(holding).rows[0].critical
            assert chosen is not None
            assert chosen.value == critical

    def test_a_name_that_says_which_needs_no_row(self):
        by_name = held("ammonium nitrate (combustibles ≤ 0.2 %)", "3", "6484-52-2")
        fertiliser = held("硝酸铵肥料（含可燃物≤0.4%）", "3", "6484-52-2")
        found = [row.critical for row in graded(by_name, fertiliser).rows]
        assert [one.value for one in found if one] == [50, 200]

    def test_a_row_that_is_not_there_is_refused(self):
        assert "allowed: 1 to 85" in problems(held("x", "1", row=86))["substances.0.table1_row"]

    def test_a_name_that_contradicts_its_cas_is_refused(self):
        text = problems(held("methanol", "1", "71-43-2"))["substances.0.cas"]
        assert "row 57 苯" in text
        assert "row 65 甲醇" in text
        assert "row 65" in problems(held("methanol", "1", "64-19-7"))["substances.0.cas"]
        noted = graded(held("methanol", "1", "71-43-2", row=65)).rows[0]
        assert noted.critical is not None
        assert noted.critical.value == 500
        assert "71-43-2" in noted.notes[0]

    def test_table_1_goes_before_table_2(self):
        found = graded(held("benzene", "1", "71-43-2", categories=("W5.1",))).rows[0]
        assert found.critical is not None
        assert found.critical.value == 50

    def test_several_categories_take_the_lowest_critical_quantity_and_the_largest_beta(self):
        holding = held("x", "60", categories=("W5.3", "J3", "W2"))
        (row,) = graded(holding).rows
        assert row.critical is not None
        assert row.beta is not None
        assert row.critical.value == 10
        assert row.beta.value == 2
        assert "W2" in row.critical.why
        assert "J3" in row.beta.why

    def test_an_unknown_substance_asks_for_its_category_and_says_what_is_close(self):
        found = problems(held("benzen", "1"), held("x", "1", categories=("W5",)))
        assert "row 57 苯 benzene" in found["substances.0.category"]
        assert "W5.1, W5.2" in found["substances.1.category"]

    def test_what_is_in_no_category_counts_nothing(self):
        found = graded(held("water", "1000000", categories=("none",)), *E1, people=60)
        assert found.r == Fraction("124.44")
        assert found.rows[0].critical is None

    def test_none_is_refused_where_table_1_names_it_or_beside_others(self):
        assert "row 57" in problems(held("苯", "1", categories=("none",)))["substances.0.category"]
        both = problems(held("x", "1", categories=("none", "W2")))
        assert "stands alone" in both["substances.0.category"]

    def test_a_mixture_of_its_own_category_is_never_taken_by_name(self):
        own = held("formaldehyde", "10", "50-00-0", mixture="own", categories=("J5",))
        (row,) = graded(own).rows
        assert row.critical is not None
        assert row.critical.value == 500
        chlorine = held(*CHLORINE[:1], "100", CHLORINE[1], mixture="own", categories=("J3",))
        beta = graded(chlorine).rows[0].beta
        assert beta is not None
        assert beta.value == 2
        assert "category" in problems(replace(own, categories=()))["substances.0.category"]

    def test_a_mixture_as_pure_counts_whole_and_says_so(self):
        (row,) = graded(held("甲醛", "10", "50-00-0", mixture="as_pure", categories=("J3",))).rows
        assert row.critical is not None
        assert row.critical.value == 5
        assert "whole mixture" in row.notes[0]
        assert "above 90 %" in row.notes[1]


class TestBeta:
    def test_table_3_goes_before_categories(self):
        holding = held(AMMONIA[0], "10", AMMONIA[1], categories=("J1",))
        beta = graded(holding).rows[0].beta
        assert beta is not None
        assert beta.value == 2
        assert beta.origin.clause == "表3"

    def test_a_gas_of_table_3_that_table_1_does_not_name(self):
        beta = graded(held("carbon monoxide", "20", "630-08-0", categories=("W2",))).rows[0].beta
        assert beta is not None
        assert beta.value == 2

    def test_a_given_beta_holds_and_says_who_gave_it(self):
        holding = held(AMMONIA[0], "10", AMMONIA[1], beta=Fraction(3), beta_source="audit 2026")
        beta = graded(holding).rows[0].beta
        assert beta is not None
        assert beta.value == 3
        assert (beta.origin.source, beta.origin.confidence) == ("audit 2026", "given")

    def test_without_a_category_beta_is_asked_for_only_where_it_is_needed(self):
        assert not graded(held("arsine", "0.5", "7784-42-1")).identified
        text = problems(held("arsine", "1", "7784-42-1"))["substances.0.category"]
        assert "needed for β" in text
        assert "S = 1" in text

    def test_an_assumed_category_is_told(self):
        (row,) = graded(held("benzene", "50", "71-43-2")).rows
        assert row.beta is not None
        assert row.beta.origin.confidence == "K"
        assert row.beta.origin.uncertain
        assert "assumed" in row.beta.why


def test_people_are_asked_for_only_where_there_is_a_major_hazard_source():
    assert graded(*E4A, people=None).grade is None
    for people in (None, -1):
        assert "whole number from 0" in problems(*E1, people=people)["population_500m"]


def test_every_problem_is_named_at_once():
    found = problems(held("x", "1"), held("y", "1"))
    assert list(found) == ["substances.0.category", "substances.1.category"]


def test_nothing_held_is_not_identified():
    assert graded().s == 0
    assert not graded().identified


class TestTables:
    def test_all_rows_are_there(self):
        assert [row.row for row in T.named] == list(range(1, 86))
        assert len(T.categories) == 24
        assert len(T.gases) == 14

    @pytest.mark.parametrize("row", T.named, ids=lambda row: str(row.row))
    def test_every_row_of_table_1_tells_where_it_is_from(self, row):
        origin = row.origin
        assert origin.standard == "GB 18218-2018"
        assert origin.clause == "表1"
        assert origin.source
        assert origin.confidence in ("A", "B")
        assert origin.valid_from.year == 2019

    def test_every_beta_of_table_3_has_a_row_in_table_1_but_carbon_monoxide(self):
        cas = {one for row in T.named for one in row.cas}
        assert {gas.cas for gas in T.gases} - cas == {"630-08-0"}

    def test_what_must_be_checked_is_flagged(self):
        row = T.named_by_row(31)
        assert row is not None
        assert "13810-58-7" in row.origin.check
        assert T.categories["J2"].beta == 1
        assert T.categories["J2"].beta_origin.check
        assert not T.categories["J2"].critical_origin.check

    def test_every_number_is_the_printed_one(self):
        assert [row.critical for row in T.named] == [Fraction(text) for text in CRITICAL.split()]
        assert [row.cas[0] if row.cas else "-" for row in T.named] == CAS.split()
        found = [
            f"{row.symbol}:{number(row.critical)}:{number(row.beta)}"
            for row in T.categories.values()
        ]
        assert found == CATEGORIES.split()
        assert [gas.beta for gas in T.gases] == [2] * 4 + [3, 3, 4, 5, 5, 10, 10, 20, 20, 20]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("7664-41-7", "7664-41-8"),
            ('category = ["W2"]', 'category = ["W2.9"]'),
            ("row = 85", "row = 84"),
            ("from = 100\nvalue", "from = 10\nvalue"),
            ("critical_t = 0.3", "critical_t = 0"),
        ],
    )
    def test_a_spoilt_file_does_not_load(self, before, after):
        text = files("domain").joinpath("data/gb18218.toml").read_text("utf-8")
        assert before in text
        with pytest.raises(ValueError, match=r"\w"):
            read_tables(text.replace(before, after, 1))

    def test_no_name_belongs_to_two_rows(self):
        seen: dict[str, int] = {}
        for row in T.named:
            for name in row.names:
                assert seen.setdefault(name, row.row) == row.row


class TestCas:
    def test_check_digits(self):
        assert cas_checked("7664-41-7") == "7664-41-7"
        assert check_digit("18810-58-7") == check_digit("13810-58-7") == 7
        for wrong in ("7664-41-8", "7664-417", "", "a-b-c", "７６６４-41-7"):
            with pytest.raises(ValueError, match="digit"):
                cas_checked(wrong)


class TestWords:
    def test_numbers_are_shown_whole(self):
        shown = ["124.44", "0.3", "10", "0", "0.0026", "-1.5"]
        assert [number(Fraction(text)) for text in shown] == shown
        assert number(Fraction(10, 3)) == "10/3 ≈ 3.33333"
        assert number(Fraction(10) ** 400 / 3).endswith("≈ 3.33333E+399")

    @given(
        st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e6, max_value=1e6)
    )
    def test_what_ends_is_shown_exactly(self, value: Decimal):
        fraction = Fraction(value)
        assert ends(fraction)
        assert Fraction(number(fraction)) == fraction

    def test_names_meet_whatever_their_punctuation(self):
        assert plain("甲醛（含量＞90%）") == plain("甲醛(含量>90%)")
