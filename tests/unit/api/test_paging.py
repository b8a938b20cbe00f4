from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import by_id, by_moment, page, read_cursor, write_cursor
from api.problems import Problem

instants = st.datetimes(timezones=st.just(UTC))


@given(instants, st.uuids())
def test_a_cursor_comes_back_as_it_went(moment: datetime, id: UUID):
    assert by_moment(write_cursor(moment, id)) == (moment, id)


@given(st.text(max_size=200))
def test_a_mutilated_cursor_is_a_problem_and_never_an_accident(text: str):
    for read in (by_id, by_moment, lambda cursor: read_cursor(cursor, str, int)):
        with suppress(Problem):
            read(text)


def test_a_naive_instant_in_a_cursor_is_refused():
    with pytest.raises(Problem):
        by_moment(write_cursor("2026-11-21T08:00:00", UUID(int=1)))


@given(st.lists(st.integers(1, 10**6), unique=True, max_size=40), st.integers(1, 10))
def test_pages_hold_every_item_once(numbers: list[int], limit: int):
    rows, seen, cursor = sorted(numbers), [], None
    while True:
        rest = [row for row in rows if row > by_id(cursor)][: limit + 1]
        found = page(rest, limit, lambda row: row, lambda row: (row,))
        assert len(found.items) <= limit
        seen += found.items
        cursor = found.next
        if cursor is None:
            break
    assert seen == rows
