from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import LedgerDelta
from ingest.ledger import KEEP_BOOTS, KEEP_RANGES, KEEP_RUNS, Ledger, Ledgers, Ranges, Receipts


def delta(*seen: tuple[int, int], boot="b", first=0, oldest=0, gateway=1) -> LedgerDelta:
    return LedgerDelta(gateway, boot, seen, first, oldest, None)


def ledger(*seqs: int, oldest: int = 0) -> Ledger:
    book = Ledger(1, "b", seqs[0])
    for seq in seqs:
        book.add(seq, oldest, None)
    return book


def test_contiguous_is_the_last_before_the_first_gap():
    assert ledger(0, 1, 2, 4).contiguous() == 2
    assert ledger(0, 1, 2, 4, 3).contiguous() == 4


def test_contiguous_begins_with_the_first_one_seen():
    assert ledger(100, 101).contiguous() == 101
    assert ledger(100, 101, 50).contiguous() == 101


def test_contiguous_steps_over_what_the_gateway_no_longer_holds():
    assert ledger(0, 1, 5, 6, oldest=5).contiguous() == 6
    assert ledger(0, 1, 5, 6, oldest=4).contiguous() == 3
    assert ledger(0, 1, 2, oldest=2).contiguous() == 2


def test_a_run_of_seq_with_one_offset_is_remembered_as_one():
    book = ledger(0)
    for seq in (10, 11, 12):
        book.shift(seq, seq, 500)
    book.shift(13, 13, 700)
    assert book.offsets == [(10, 12, 500), (13, 13, 700)]
    assert [book.offset_of(seq) for seq in (9, 10, 12, 13, 14)] == [None, 500, 500, 700, None]


def test_memory_of_offsets_and_boots_is_bounded():
    book = ledger(0)
    for seq in range(KEEP_RUNS + 10):
        book.shift(seq, seq, seq)
    assert len(book.offsets) == KEEP_RUNS
    books = Ledgers()
    for boot in range(KEEP_BOOTS + 3):
        books.open(1, str(boot), 0)
    assert len(books.by_boot) == KEEP_BOOTS
    assert books.find("0") is None
    assert books.find(str(KEEP_BOOTS)) is not None


def test_of_too_many_gaps_the_lowest_become_one_and_receipts_stand_before_it():
    book = ledger(*range(0, 4 * KEEP_RANGES, 2))
    assert len(book.seen) == KEEP_RANGES
    assert (book.contiguous(), book.crowded) == (0, True)
    assert book.knows(0)
    assert not book.knows(2)
    assert book.knows(4 * KEEP_RANGES - 2)
    for seq in range(1, 4 * KEEP_RANGES):
        book.add(seq, None, None)
    assert (book.contiguous(), book.crowded) == (4 * KEEP_RANGES - 1, False)


def test_a_higher_oldest_steps_over_forgotten_ranges_but_not_into_one():
    book = ledger(*range(0, 4 * KEEP_RANGES, 2))
    book.add(4 * KEEP_RANGES, 10, None)
    assert book.contiguous() == 9
    book.add(10, 10, None)
    assert book.contiguous() == 10
    book.add(4 * KEEP_RANGES, 4 * KEEP_RANGES, None)
    assert book.contiguous() == 4 * KEEP_RANGES


def test_what_comes_from_the_database_is_bounded_too():
    receipts = Receipts([delta(*((n, n) for n in range(0, 5 * KEEP_RANGES, 2)))])
    assert receipts.moved() == {1: ("b", 0)}
    receipts.durable([delta((1, 5 * KEEP_RANGES))])
    assert receipts.moved() == {1: ("b", 5 * KEEP_RANGES)}


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=80),
    st.integers(2, 6),
)
def test_a_bounded_ledger_never_claims_what_is_missing(steps, bound):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.ledger.KEEP_RANGES", bound)
        book = Ledger(1, "b", steps[0][0])
        said, seen, oldest = -1, set(), 0
        for seq, held in steps:
            book.add(seq, min(held, seq), None)
            seen.add(seq)
            oldest = max(oldest, min(held, seq))
            assert len(book.seen) <= bound
            now = book.contiguous()
            assert now >= said
            assert set(range(max(book.first_seq, oldest), now + 1)) <= seen
            said = now


def test_a_receipt_moves_only_with_what_is_in_the_database():
    receipts = Receipts()
    assert receipts.moved() == {}
    receipts.durable([delta((0, 4))])
    assert receipts.moved() == {1: ("b", 4)}
    assert receipts.moved() == {}
    receipts.durable([delta((6, 9))])
    assert receipts.moved() == {}
    receipts.durable([delta((5, 5))])
    assert receipts.moved() == {1: ("b", 9)}


def test_a_receipt_names_the_boot_that_was_heard_last():
    receipts = Receipts([delta((0, 9)), delta((0, 3), boot="c")])
    assert receipts.moved() == {1: ("c", 3)}
    receipts.durable([delta((4, 4), boot="c"), delta((0, 0), boot="x", gateway=2)])
    assert receipts.moved() == {1: ("c", 4), 2: ("x", 0)}


def test_after_a_restart_the_receipt_is_said_once_again():
    assert Receipts([delta((0, 9))]).moved() == {1: ("b", 9)}


RUNS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 5)).map(lambda run: (run[0], sum(run)))
)


@given(RUNS)
def test_ranges_are_a_set_of_integers(runs):
    ranges, plain = Ranges(), set()
    for first, last in runs:
        ranges.add(first, last)
        plain |= set(range(first, last + 1))
    assert {n for n in range(60) if n in ranges} == plain
    pairs = ranges.pairs()
    assert all(a[1] + 1 < b[0] for a, b in pairwise(pairs))
    assert ranges.last == max(plain, default=None)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1))
def test_receipts_never_run_back_and_never_skip_a_gap(steps):
    book = Ledger(1, "b", steps[0][0])
    said, seen, oldest = -1, set(), 0
    for seq, held in steps:
        book.add(seq, min(held, seq), None)
        seen.add(seq)
        oldest = max(oldest, min(held, seq))
        now = book.contiguous()
        assert now >= said
        assert set(range(max(book.first_seq, oldest), now + 1)) <= seen
        assert now + 1 not in seen
        said = now
