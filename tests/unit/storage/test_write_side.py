from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors
from psycopg_pool import PoolTimeout

from domain.frame import Frame
from domain.instant import micros
from storage.backoff import Backoff
from storage.database import is_away, is_refusal, is_retryable
from storage.days import DAY, day_groups, days, runs
from storage.dirty import joined
from storage.encoding import jsonb, text
from storage.lease import LeaseLost
from storage.ledgers import with_runs
from storage.partitions import days_of, span_for
from storage.rows import HEADER, TRAILER, copy_stream, rows_of
from storage.samples import LastStored, Outcome, Tally, against, leaders, tallied
from tests.support.builders import START

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("failure", "away", "retryable"),
    [
        (psycopg.OperationalError("refused, or the connection broke"), True, False),
        (PoolTimeout("none to be had"), True, False),
        (errors.AdminShutdown(), True, False),
        (errors.CrashShutdown(), True, False),
        (errors.CannotConnectNow(), True, False),
        (errors.ConnectionException(), True, False),
        (errors.TooManyConnections(), True, False),
        (errors.DiskFull(), True, False),
        (errors.IoError(), True, False),
        (errors.ReadOnlySqlTransaction(), True, False),
        (errors.QueryCanceled(), True, False),
        (errors.LockNotAvailable(), True, False),
        (errors.SerializationFailure(), False, True),
        (errors.DeadlockDetected(), False, True),
        (errors.OutOfMemory(), False, False),
        (errors.ConfigurationLimitExceeded(), False, False),
        (errors.ProgramLimitExceeded(), False, False),
        (errors.UniqueViolation(), False, False),
        (errors.UndefinedTable(), False, False),
        (errors.DataCorrupted(), False, False),
        (psycopg.InterfaceError("misuse"), False, False),
        (psycopg.ProgrammingError("misuse"), False, False),
        (ValueError("a bug"), False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_failures_are_told_apart_by_class_and_sqlstate(
    failure: Exception, away: bool, retryable: bool
):
    assert (is_away(failure), is_retryable(failure)) == (away, retryable)


@pytest.mark.parametrize(
    ("failure", "refusal"),
    [
        (errors.OutOfMemory(), True),
        (errors.StatementTooComplex(), True),
        (errors.ForeignKeyViolation(), True),
        (errors.NumericValueOutOfRange(), True),
        (errors.InternalError_(), True),
        (psycopg.DataError("text may not contain NUL"), True),
        (OverflowError("date value out of range"), True),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), True),
        (errors.UndefinedTable(), False),
        (errors.InsufficientPrivilege(), False),
        (errors.InFailedSqlTransaction(), False),
        (errors.AdminShutdown(), False),
        (errors.DiskFull(), False),
        (errors.DeadlockDetected(), False),
        (psycopg.OperationalError("refused, or the connection broke"), False),
        (psycopg.ProgrammingError("misuse"), False),
        (LeaseLost("over"), False),
        (ValueError("a bug"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_is_refused_for_its_own_sake_is_told_from_bugs_and_absence(
    failure: Exception, refusal: bool
):
    assert is_refusal(failure) == refusal


INSTANTS = st.lists(st.integers(-(10**16), 10**16), max_size=50)


@given(INSTANTS, st.integers(1, 4))
def test_groups_of_days_take_every_instant_once_and_split_no_day(times: list[int], most: int):
    time = np.array(times, np.int64)
    groups = [set(days(time[group]).tolist()) for group in day_groups(time, most)]
    assert sorted(np.concatenate([[], *day_groups(time, most)])) == list(range(len(times)))
    assert all(0 < len(group) <= most for group in groups)
    assert sum(map(len, groups)) == len(set(days(time).tolist()))
    assert len(groups) == -(-len(days(time)) // most)


@given(INSTANTS)
def test_runs_hold_every_instant_and_no_day_that_has_none(times: list[int]):
    found = list(runs(np.array(times, np.int64)))
    assert all(sum(begin <= time <= end for begin, end in found) == 1 for time in times)
    covered = sum(end // DAY - begin // DAY + 1 for begin, end in found)
    assert covered == len({time // DAY for time in times})


def test_pauses_double_up_to_a_bound_and_begin_again_after_a_success():
    backoff = Backoff(0.2, 5.0)
    pauses = [backoff.next() for _ in range(8)]
    for pause, full in zip(pauses, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0], strict=True):
        assert full / 2 <= pause <= full
    backoff.reset()
    assert backoff.next() <= 0.2


def test_a_copy_stream_is_what_the_manual_says():
    frame = Frame.of([7], [946_684_800_000_001], [1.0], received=946_684_800_000_002)
    fields = (
        b"\x00\x06"
        b"\x00\x00\x00\x04\x00\x00\x00\x07"
        b"\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x01"
        b"\x00\x00\x00\x08\x3f\xf0\x00\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x02\x00\xc0"
        b"\x00\x00\x00\x02\x00\x00"
        b"\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x02"
    )
    assert copy_stream(rows_of([frame])) == HEADER + fields + TRAILER


def test_the_first_of_a_key_leads_its_repeats():
    frame = Frame.of([1, 1, 1, 2, 2], [5, 5, 6, 6, 6], [0.0] * 5, received=9)
    assert leaders(rows_of([frame])).tolist() == [0, 0, 2, 3, 3]


def test_nan_is_the_same_as_nan_and_nothing_else():
    nan = float("nan")
    value, standing = np.array([nan, nan, 1.0, 0.0, 2.0]), np.array([nan, 1.0, nan, -0.0, 2.0])
    same = against(value, standing) == Outcome.DUPLICATE
    assert same.tolist() == [True, False, False, True, True]


def test_outcomes_are_counted_to_the_gateway_of_each_sample():
    outcomes = np.array([0, 0, 1, 2, 0], np.int8)
    stored = tallied(outcomes, np.array([3, 3, 3, 5, 5], np.int32))
    assert stored.by_gateway == {3: Tally(2, 1, 0), 5: Tally(1, 0, 1)}
    assert stored.total == Tally(3, 1, 1)


def test_the_last_stored_time_of_a_tag_never_goes_back_and_makes_room_for_new_tags():
    last = LastStored()
    last.advance(np.array([5000, 5000, 1], np.int32), np.array([9, 3, -4], np.int64))
    found = last.of(np.array([5000, 1, 99_999], np.int32)).tolist()
    assert found[:2] == [9, -4]
    assert found[2] < -(10**18)


def test_days_are_utc_days_before_1970_too():
    times = np.array([micros(START), -1, 0], np.int64)
    assert days_of(times) == {TODAY, date(1969, 12, 31), date(1970, 1, 1)}


@given(st.lists(st.dates(date(2000, 1, 1), TODAY + timedelta(days=2)), max_size=60))
def test_partitions_cover_every_day_once_whatever_the_order(days: list[date]):
    spans: list[tuple[date, date]] = []
    for day in days:
        if not any(first <= day < after for first, after in spans):
            spans.append(span_for(day, spans, TODAY))
    assert all(sum(first <= day < after for first, after in spans) == 1 for day in days)
    ordered = sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_history_gets_months_and_the_present_gets_days():
    assert span_for(date(2003, 2, 11), [], TODAY) == (date(2003, 2, 1), date(2003, 3, 1))
    assert span_for(TODAY, [], TODAY) == (TODAY, TODAY + timedelta(days=1))
    one_day = (date(2003, 2, 3), date(2003, 2, 4))
    assert span_for(date(2003, 2, 11), [one_day], TODAY) == (date(2003, 2, 11), date(2003, 2, 12))


def test_runs_of_offsets_keep_their_order_and_grow_where_the_next_says_the_same():
    added = [(11, 20, 5), (21, 21, 6), (23, 24, 6), (0, 3, 5)]
    assert with_runs([(0, 10, 5)], added) == [(0, 20, 5), (21, 21, 6), (23, 24, 6), (0, 3, 5)]


def test_text_that_postgres_cannot_keep_is_replaced():
    assert text("a\x00b\ud800c 罐") == "a\ufffdb?c 罐"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"limit": float("nan"), "at": START}, b'{"limit":null,"at":"2026-11-21T08:00:00Z"}'),
        ({"a\x00": ["\x00\x00"]}, '{"a\ufffd":["\ufffd\ufffd"]}'.encode()),
        ({"a": "\\\x00 \\u0000"}, '{"a":"\\\\\ufffd \\\\u0000"}'.encode()),
        ({"a": "\ud800", "b": 1}, b'{"a":"?","b":1}'),
        ({"a": "\ud800", "b": 10**20}, b'{"a":"?","b":100000000000000000000}'),
    ],
)
def test_json_is_what_jsonb_can_keep(body: object, said: bytes):
    parameter = jsonb(body)
    assert parameter.dumps is not None
    assert parameter.dumps(body) == said


def test_ranges_of_a_tag_become_one_only_where_they_are_near():
    hour = 3600 * 1_000_000
    marks = [(2, 0, 5, 1), (1, 6 + hour, 9 + hour, 7), (1, 5, 6, 8), (1, 20 + 2 * hour, 9**18, 2)]
    assert joined(marks) == [(1, 5, 9 + hour, 8), (1, 20 + 2 * hour, 9**18, 2), (2, 0, 5, 1)]
