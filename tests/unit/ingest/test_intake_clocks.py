"""What wire-profile 1, "Flags and clocks", asks of whole messages; times in seconds after START."""

import numpy as np
import pytest

from domain.frame import Flag
from ingest.batch import LedgerDelta
from ingest.intake import Intake
from tests.support.builders import frame
from tests.support.gateway_line import Line, body, flags, judged_rises, plant, raw, rows, us

WRONG = Flag.SHIFTED | Flag.AT_RECEIVED
STUCK = Flag.STUCK | Flag.AT_RECEIVED
H8 = 28800.0


def test_a_clock_8_hours_ahead_is_stored_corrected_and_judged_on_arrival_with_its_spacing_kept():
    line = Line()
    batch = line.say(10.5, (H8 + 8, {"T1": 1}), (H8 + 10, {"T1": 2}), sent=H8 + 10)
    assert rows(batch) == [(1, 8.5, 10.5, 1.0, WRONG), (1, 10.5, 10.500001, 2.0, WRONG)]
    (finding,) = batch.clocks
    assert (finding.what, finding.gateway, finding.error_s) == ("zone", 1, H8 - 0.5)
    assert batch.ledger[0].offsets == ((0, 0, -round((H8 - 0.5) * 1e6)),)
    assert batch.ledger[0].newest_time == us(H8 + 10)


def test_a_clock_behind_is_corrected_too_and_says_so_once():
    line = Line()
    first = line.say(10, (-890.0, {"T1": 1}))
    second = line.say(11, (-889.0, {"T1": 2}))
    assert rows(first, second) == [(1, 10, 10, 1, WRONG), (1, 11, 11, 2, WRONG)]
    assert [len(batch.clocks) for batch in (first, second)] == [1, 0]
    assert "900.0 s behind" in first.clocks[0].text


def test_a_run_of_a_wrong_clock_has_one_offset_in_the_ledger():
    line = Line()
    messages = [raw(body((H8 + n, {"T1": n}), seq=n, sent=H8 + n)) for n in range(4)]
    line.take(0.5, messages[0])
    (batch,) = line.take(3.6, *messages[1:])
    assert batch.ledger[0].offsets == ((1, 3, -round((H8 - 0.5) * 1e6)),)
    assert [row[1] for row in rows(batch)] == [1.5, 2.5, 3.5]


def test_a_message_of_a_run_that_is_sent_again_after_a_restart_gets_the_same_offset():
    offset = -round(H8 * 1e6)
    known = LedgerDelta(1, "b", ((0, 3), (5, 9)), 0, 0, us(H8 + 9), ((0, 9, offset),))
    line = Line(Intake(plant(), [known]))
    batch = line.say(70.2, (H8 + 4, {"T1": 4}), seq=4, sent=70.1)
    assert rows(batch) == [(1, 4.0, 70.2, 4.0, WRONG)]
    assert batch.ledger[0].offsets == ((4, 4, offset),)


def test_when_a_wrong_clock_is_right_again_its_first_sound_message_is_judged():
    line = Line()
    for n in range(5):
        line.say(n + 0.4, (H8 + n, {"T1": n}), sent=H8 + n)
    sound = line.say(5.2, (4.3, {"T1": 9}), sent=5.1)
    assert flags(sound) == [Flag.NONE]
    assert rows(sound)[0][2] == pytest.approx(4.4, abs=1e-5)
    assert judged_rises(line.batches)
    assert flags(line.say(6.2, (6.1, {"T1": 9}), sent=6.1)) == [Flag.NONE]


def test_right_again_is_said_after_a_minute():
    line = Line()
    line.say(0, (H8, {"T1": 1}), sent=H8)
    said = [line.say(n, (float(n), {"T1": n}), sent=float(n)).clocks for n in range(1, 63)]
    assert [one.what for found in said for one in found] == ["right"]


def test_a_late_sample_of_a_sound_clock_goes_to_history_and_marks_its_range():
    line = Line()
    line.say(10, (10.0, {"T1": 1, "T2": 1}), sent=10)
    batch = line.say(11, (8.0, {"T1": 5}), (9.0, {"T1": 6}), sent=11)
    assert rows(batch) == [(1, 8, 8, 5, Flag.HISTORY), (1, 9, 9, 6, Flag.HISTORY)]
    assert batch.dirty == ((1, us(8), us(9)),)
    assert batch.clocks == ()


def test_in_an_advancing_message_only_what_is_late_for_its_tag_goes_to_history():
    line = Line()
    line.say(10, (10.0, {"T1": 1}), sent=10)
    batch = line.say(11, (9.0, {"T1": 5, "T2": 5}), (11.0, {"T1": 6}), sent=11)
    assert rows(batch) == [
        (1, 9, 9, 5, Flag.HISTORY),
        (1, 11, 11, 6, Flag.NONE),
        (2, 9, 9, 5, Flag.NONE),
    ]


def test_different_tags_of_one_time_in_messages_of_their_own_are_normal():
    line = Line()
    for n in range(4):
        for name in ("T1", "T2", "T3"):
            batch = line.say(n + 0.1, (float(n), {name: 1.0}))
            assert flags(batch) == [Flag.NONE]
            assert batch.clocks == ()


def test_a_message_with_an_older_time_for_other_tags_is_normal():
    line = Line()
    line.say(10, (10.0, {"T1": 1}), sent=10)
    assert flags(line.say(10, (7.0, {"T2": 1}), sent=10)) == [Flag.NONE]


def test_the_same_time_with_another_value_is_a_conflict_once_and_then_a_stuck_clock():
    line = Line()
    line.say(0, (0.0, {"T1": 1}))
    first = line.say(1, (0.0, {"T1": 2}))
    assert rows(first) == [(1, 0, 0, 2, Flag.HISTORY)]
    assert (first.dirty, first.clocks) == ((), ())
    second = line.say(2, (0.0, {"T1": 3}))
    assert rows(second) == [(1, 2, 2, 3, STUCK)]
    assert [one.what for one in second.clocks] == ["stuck"]
    third = line.say(3, (0.0, {"T1": 4}))
    assert rows(third) == [(1, 3, 3, 4, STUCK)]
    assert third.clocks == ()


def test_a_stuck_clock_stays_stuck_when_it_is_also_wrong_by_now():
    line = Line()
    for n in range(0, 200, 10):
        batch = line.say(n, (0.0, {"T1": n}), sent=0.0)
        if n:
            assert rows(batch) == [(1, n, n, n, STUCK)]


def test_samples_of_one_tag_in_a_stuck_message_are_a_microsecond_apart():
    line = Line()
    line.say(0, (0.0, {"T1": 1, "T2": 1}), sent=0.0)
    batch = line.say(5, (-1.0, {"T1": 2}), (0.0, {"T1": 3, "T2": 4}), sent=0.0)
    assert rows(batch) == [
        (1, 5.0, 5.0, 2, STUCK),
        (1, 5.000001, 5.000001, 3, STUCK),
        (2, 5.0, 5.0, 4, STUCK),
    ]


def test_two_stuck_messages_under_one_stamp_collide_in_nothing():
    line = Line()
    line.say(0, (0.0, {"T1": 1}), sent=0.0, seq=0)
    batches = line.take(5, *(raw(body((0.0, {"T1": n}), seq=n, sent=0.0)) for n in range(1, 5)))
    found = rows(*batches)
    assert [row[3] for row in found] == [1, 2, 3, 4]
    assert len({row[1] for row in found}) == 4
    assert judged_rises(line.batches)


def test_when_a_stuck_clock_goes_on_its_samples_are_judged_at_event_time():
    line = Line()
    for n in range(4):
        line.say(n, (0.0, {"T1": n}), sent=0.0)
    batch = line.say(5, (4.9, {"T1": 9}), sent=4.9)
    assert rows(batch) == [(1, 4.9, 4.9, 9, Flag.NONE)]


def test_only_messages_without_a_seq_can_be_plain_repeats():
    line = Line()
    line.say(0, (0.0, {"T1": 1}), numbered=False)
    for n in range(1, 4):
        batch = line.say(n, (0.0, {"T1": 1}), numbered=False, gateway_note=n)
        assert rows(batch) == [(1, 0, 0, 1, Flag.HISTORY)]
        assert batch.clocks == ()


def test_a_clock_that_ran_back_is_judged_on_arrival_at_once_and_then_goes_on():
    line = Line()
    line.say(10, (10.0, {"T1": 1, "T2": 1}), sent=10)
    back = line.say(11, (-19.0, {"T1": 2}), sent=-19)
    assert rows(back) == [(1, -19, 11, 2, Flag.AT_RECEIVED)]
    assert [one.what for one in back.clocks] == ["backwards"]
    other = line.say(11.5, (-18.5, {"T2": 3}), sent=-18.5)
    on = line.say(12, (-18.0, {"T1": 3}), sent=-18)
    assert (flags(other), flags(on)) == ([Flag.NONE], [Flag.NONE])
    assert judged_rises(line.batches)


def test_without_sent_the_second_message_that_runs_back_is_the_clock():
    line = Line()
    line.say(10, (10.0, {"T1": 1}))
    assert flags(line.say(11, (-9.0, {"T1": 2}))) == [Flag.HISTORY]
    assert flags(line.say(12, (-8.0, {"T1": 3}))) == [Flag.AT_RECEIVED]
    assert flags(line.say(13, (-7.0, {"T1": 4}))) == [Flag.NONE]
    assert judged_rises(line.batches)


def test_a_clock_of_one_part_that_stands_is_found_among_messages_of_parts_that_go_on():
    line = Line()
    line.say(0, (0.0, {"T1": 0, "T2": 0}))
    line.say(1, (1.0, {"T2": 1}))
    found = []
    for n in range(2, 6):
        found += flags(line.say(n, (0.0, {"T1": n})))
        assert flags(line.say(n, (float(n), {"T2": n}))) == [Flag.NONE]
    assert found == [Flag.HISTORY, STUCK, STUCK, STUCK]


def test_samples_out_of_order_by_their_seq_are_late_whatever_their_number():
    line = Line()
    line.say(10, (10.0, {"T1": 1}), seq=9)
    for n in range(4, 9):
        assert flags(line.say(10, (float(n), {"T1": n}), seq=n)) == [Flag.HISTORY]
    assert all(batch.clocks == () for batch in line.batches)


def test_a_backlog_not_marked_historical_is_judged_on_arrival_in_its_order():
    line = Line()
    for n in range(5):
        batch = line.say(n / 10, (-3600.0 + n, {"T1": n}), sent=n / 10)
        (row,) = rows(batch)
        assert row == (1, -3600 + n, n / 10, n, Flag.AT_RECEIVED)
        assert batch.clocks == ()


def test_after_a_backlog_live_samples_are_judged_without_a_break():
    line = Line()
    times = [*range(-3600, 0, 10), *range(0, 60)]
    for place, time in enumerate(times):
        received = max(place / 1000, time + 0.2)
        batch = line.say(received, (float(time), {"T1": time}), sent=received)
        assert Flag.HISTORY not in flags(batch)[0]
    assert judged_rises(line.batches)
    assert rows(line.batches[-1]) == [(1, 59, 59, 59, Flag.NONE)]


def test_a_backlog_taken_in_one_call_makes_one_batch():
    line = Line()
    messages = [raw(body((-3600.0 + n, {"T1": n}), seq=n, sent=0.0)) for n in range(50)]
    (batch,) = line.take(0.1, *messages)
    assert [row[2] for row in rows(batch)] == [round(0.1 + n / 1e6, 6) for n in range(50)]


def test_samples_that_lie_ahead_are_pulled_back_and_their_neighbours_stay():
    line = Line()
    batch = line.say(10, (10.0, {"T1": 1}), (H8 + 9, {"T2": 2}), (H8 + 10, {"T2": 3}), sent=10)
    assert rows(batch) == [
        (1, 10, 10, 1, Flag.AT_RECEIVED),
        (2, 9, 10, 2, WRONG),
        (2, 10, 10.000001, 3, WRONG),
    ]
    assert [one.what for one in batch.clocks] == ["zone"]


def test_nothing_is_stored_ahead_or_before_2000():
    line = Line()
    batch = line.say(
        10, (10.0, {"T1": 1}), (10.0 + 86400 * 365 * 900, {"T2": 2, "T1": 3}), sent=-10_000_000.0
    )
    stored = [row[1] for row in rows(batch)]
    assert all(-800_000_000 < time <= 11 for time in stored)
    assert judged_rises(line.batches)


def test_historical_samples_older_than_10_minutes_are_for_history_only():
    batch = Line().say(1000, (399.0, {"T1": 1}), (401.0, {"T1": 2}), historical=True, sent=1000)
    assert flags(batch) == [Flag.HISTORICAL | Flag.HISTORY, Flag.HISTORICAL]
    assert batch.dirty == ((1, us(399), us(399)),)


def test_historical_samples_do_not_make_live_ones_late():
    line = Line()
    line.say(1000, (0.0, {"T1": 1}), historical=True, sent=1000)
    assert flags(line.say(1001, (1001.0, {"T1": 1}), sent=1001)) == [Flag.NONE]
    assert flags(line.say(1002, (700.0, {"T1": 1}), historical=True, sent=1002)) == [
        Flag.HISTORICAL | Flag.HISTORY
    ]


def test_historical_messages_of_a_wrong_clock_are_stored_corrected():
    batch = Line().say(0, (H8 - 5000, {"T1": 1}), historical=True, sent=H8)
    assert rows(batch)[0][1] == -5000
    assert flags(batch) == [Flag.HISTORICAL | Flag.HISTORY | Flag.SHIFTED]


def test_what_the_broker_held_while_we_were_away_is_judged_at_event_time():
    line = Line()
    batch = line.say(0, (-1800.0, {"T1": 1}), sent=-1799.5, absent_since=-3600)
    assert rows(batch) == [(1, -1800, -1800, 1, Flag.NONE)]
    assert batch.clocks == ()
    assert flags(line.say(1, (-1200.0, {"T1": 2}), absent_since=-3600)) == [Flag.NONE]


def test_last_judged_times_of_an_earlier_process_count():
    line = Line()
    last = np.array([us(5), us(5)])
    line.intake.seed_last_judged(np.array([1, 2], np.int32), last, last)
    assert flags(line.say(6, (4.0, {"T1": 1}), (5.5, {"T2": 1}), sent=6)) == [
        Flag.HISTORY,
        Flag.NONE,
    ]


def test_when_only_evaluation_times_of_an_earlier_process_are_known_nothing_is_late():
    line = Line()
    line.intake.seed_last_judged(np.array([1], np.int32), np.array([us(5)]))
    assert rows(line.say(6, (4.0, {"T1": 1}), sent=6)) == [(1, 4.0, 5.000001, 1.0, Flag.NONE)]


def test_what_waited_in_our_inbox_is_judged_by_when_it_arrived():
    line = Line()
    waited = [
        raw(body((float(n), {"T1": n}), seq=n, sent=float(n)), arrived=us(n + 0.1))
        for n in range(130)
    ]
    (batch,) = line.take(130, *waited)
    assert rows(batch) == [(1, n, n, n, Flag.NONE) for n in range(130)]
    assert batch.clocks == ()
    assert batch.frame.received == us(130)


def test_a_wrong_clock_is_corrected_by_when_its_message_arrived():
    message = raw(body((H8 + 10, {"T1": 1}), seq=0, sent=H8 + 10), arrived=us(10))
    (batch,) = Line().take(130, message)
    assert rows(batch) == [(1, 10, 130, 1, WRONG)]
    assert batch.clocks[0].error_s == H8


def test_messages_of_a_clock_that_stands_still_are_stored_under_when_they_arrived():
    line = Line()
    line.say(0, (0.0, {"T1": 0}), sent=0, seq=0)
    stuck = [raw(body((0.0, {"T1": n}), seq=n, sent=0), arrived=us(min(n, 2))) for n in range(1, 4)]
    found = rows(*line.take(30, *stuck))
    assert [row[1] for row in found] == [1, 2, 2.000001]
    assert [row[2] for row in found] == [30, 30.000001, 30.000002]


def test_a_sample_judged_at_received_before_a_restart_does_not_silence_the_next():
    line = Line()
    event = np.array([us(-100)])
    line.intake.seed_last_judged(np.array([1], np.int32), np.array([us(5)]), event)
    batch = line.say(6, (4.0, {"T1": 1}), sent=6)
    assert rows(batch) == [(1, 4.0, 5.000001, 1.0, Flag.NONE)]


def test_rows_judged_again_after_a_restart_are_evaluated_at_the_same_times():
    line = Line()
    line.say(0, (0.0, {"T1": 0, "T2": 0}), sent=0.0)
    line.say(1, (0.0, {"T1": 1, "T2": 1}), sent=0.0)
    line.say(2, (H8, {"T1": 2}), (H8 + 1, {"T1": 3}), sent=H8 + 1)
    line.say(3, (2.5, {"T1": 4, "T2": 4}), sent=3)
    line.say(4, (-3000.0, {"T3": 4}), (-2999.0, {"T3": 5}), sent=4)
    again = Intake(plant())
    for batch in line.batches:
        stored = batch.frame
        shuffled = stored.take(np.arange(len(stored))[::-1])
        rebuilt = again.judged_again(shuffled).judged()
        live = stored.judged()
        np.testing.assert_array_equal(rebuilt.tag, live.tag)
        np.testing.assert_array_equal(rebuilt.at, live.at)
        np.testing.assert_array_equal(rebuilt.value, live.value)


def test_judging_again_takes_frames_of_tags_the_registry_no_longer_has():
    again = Intake(plant()).judged_again(frame((0.0, 5000, 1.0)))
    assert again.tag.tolist() == [5000]
