from dataclasses import replace
from typing import Any

import pytest

from domain.instant import SECOND
from ingest.clocks import GatewayClock, Heard, Verdict, What, described, judge

NOW = 1_795_248_000 * SECOND
HOUR = 3600 * SECOND


def heard(
    received: float = 0.0,
    newest: float | None = None,
    sent: float | None = None,
    **more: Any,
) -> Heard:
    """A message; seconds after NOW. newest defaults to the time of sending, else of receiving."""
    time = newest if newest is not None else sent if sent is not None else received
    return Heard(
        NOW + round(received * SECOND),
        NOW + round(time * SECOND),
        None if sent is None else NOW + round(sent * SECOND),
        **more,
    )


def after(*messages: Heard, absent_since: int | None = None) -> tuple[GatewayClock, list[Verdict]]:
    clock, verdicts = GatewayClock(), []
    for message in messages:
        clock, verdict = judge(clock, message, absent_since)
        verdicts.append(verdict)
    return clock, verdicts


def verdict(message: Heard) -> Verdict:
    return after(message)[1][0]


@pytest.mark.parametrize(
    ("message", "held", "offset_s", "at_received"),
    [
        (heard(0), What.RIGHT, 0, False),
        (heard(0, newest=-60), What.RIGHT, 0, False),
        (heard(0, newest=60), What.RIGHT, 0, False),
        (heard(0, newest=-61), What.WRONG, 61, True),
        (heard(0, newest=61), What.WRONG, -61, True),
        (heard(0, sent=0, newest=-3600), What.RIGHT, 0, True),
        (heard(0, sent=-60, newest=-60), What.RIGHT, 0, False),
        (heard(0, sent=-61, newest=-61), What.WRONG, 61, True),
        (heard(0, sent=-61, newest=-59), What.WRONG, 61, False),
        (heard(0, sent=28800, newest=28799), What.WRONG, -28800, True),
        (heard(0, sent=0, newest=61), What.WRONG, 0, True),
        (heard(0, newest=-3600, historical=True), What.RIGHT, 0, False),
        (heard(0, sent=0, newest=-3600, historical=True), What.RIGHT, 0, False),
        (heard(0, sent=-900, newest=-3600, historical=True), What.WRONG, 900, False),
    ],
)
def test_a_single_message_is_judged_by_sent_else_by_its_newest_time(
    message, held, offset_s, at_received
):
    told = verdict(message)
    assert (told.held, told.offset, told.at_received) == (held, offset_s * SECOND, at_received)


def test_a_run_of_a_wrong_clock_keeps_its_offset():
    _, told = after(heard(0.0, sent=900), heard(1.3, sent=901), heard(2.1, sent=902))
    assert [one.offset for one in told] == [-900 * SECOND] * 3


def test_a_run_never_stores_into_the_future_and_follows_a_drift():
    _, told = after(heard(0.5, sent=900), heard(1.0, sent=901), heard(8.0, sent=902))
    assert [one.offset for one in told] == [-899_500_000, -900 * SECOND, -894 * SECOND]


def test_a_message_of_a_run_that_comes_late_gets_the_offset_of_the_run():
    told = verdict(heard(50, sent=50, newest=-28800, ordered=False, known_offset=8 * HOUR))
    assert (told.held, told.offset, told.at_received) == (What.RIGHT, 8 * HOUR, False)


def test_the_first_message_that_does_not_advance_may_be_late_the_second_is_the_clock():
    _, told = after(
        heard(0),
        heard(1, newest=0, still=True, behind=1),
        heard(2, newest=0, still=True, behind=2),
        heard(3, newest=-5, back=True, behind=3),
    )
    assert [one.held for one in told] == [What.RIGHT, What.RIGHT, What.STUCK, What.BACKWARDS]
    assert [one.at_received for one in told] == [False, False, True, True]


def test_late_data_of_a_clock_that_goes_on_is_no_fault_of_the_clock():
    _, told = after(
        heard(0, sent=0),
        *(heard(n, sent=n, newest=-20 + n, back=True, behind=n) for n in range(1, 6)),
    )
    assert {one.held for one in told} == {What.RIGHT}


@pytest.mark.parametrize(("sent", "how"), [(0, "still"), (-5, "back")])
def test_if_sent_itself_stands_or_runs_back_the_clock_is_at_fault_at_once(sent, how):
    behind = {how: True, "behind": 1}
    _, told = after(heard(0, sent=0), heard(1, sent=sent, newest=min(sent, 0), **behind))
    assert told[1].held is (What.STUCK if how == "still" else What.BACKWARDS)
    assert told[1].at_received


def test_the_same_time_again_under_a_sound_sent_is_stuck_from_the_second_on():
    _, told = after(
        heard(0, sent=0),
        heard(1, sent=1, newest=0, still=True, behind=1),
        heard(2, sent=2, newest=0, still=True, behind=2),
    )
    assert [one.held for one in told] == [What.RIGHT, What.RIGHT, What.STUCK]


def test_a_clock_that_is_wrong_and_stands_still_is_stuck_at_once_and_stays_so():
    _, told = after(
        heard(0, sent=0),
        heard(61, sent=0, still=True, behind=1),
        heard(62, sent=0, still=True, behind=2),
    )
    assert [one.held for one in told[1:]] == [What.STUCK, What.STUCK]
    assert [one.offset for one in told[1:]] == [0, 0]


def test_a_message_out_of_order_is_late_and_nothing_else():
    _, told = after(
        heard(0),
        heard(1, newest=-3, back=True, behind=1, ordered=False),
        heard(2, newest=-2, back=True, behind=2, ordered=False),
    )
    assert {one.held for one in told} == {What.RIGHT}


def test_a_clock_set_right_is_not_held_to_have_run_backwards():
    _, told = after(heard(0, sent=28800), heard(1, sent=1, back=True, behind=1))
    assert told[1].held is What.RIGHT
    assert told[1].restart
    assert not told[1].at_received


def test_what_the_broker_held_while_we_were_away_is_evaluated_at_event_time():
    away = NOW - HOUR
    _, told = after(
        heard(0, sent=-3600), heard(0.1, sent=-1800), heard(0.2, sent=0), absent_since=away
    )
    assert [(one.held, one.at_received) for one in told] == [(What.RIGHT, False)] * 3


def test_what_a_gateway_itself_held_is_late_even_when_the_broker_held_it_too():
    told = after(heard(0, sent=-3600, newest=-7200), absent_since=NOW - HOUR)[1][0]
    assert (told.held, told.at_received) == (What.RIGHT, True)


def test_our_absence_excuses_nothing_from_before_it_and_nothing_ahead():
    away = NOW - HOUR
    assert after(heard(0, sent=-3661), absent_since=away)[1][0].held is What.WRONG
    assert after(heard(0, sent=61), absent_since=away)[1][0].held is What.WRONG


def test_our_absence_excuses_a_gateway_until_its_first_message_in_time():
    _, told = after(
        heard(0, sent=-600), heard(1, sent=0), heard(2, sent=-598), absent_since=NOW - HOUR
    )
    assert [one.held for one in told] == [What.RIGHT, What.RIGHT, What.WRONG]


def test_an_age_that_does_not_shrink_is_the_clock_and_not_our_absence():
    messages = [heard(10.0 * n, sent=-600 + 10.0 * n) for n in range(9)]
    _, told = after(*messages, absent_since=NOW - HOUR)
    assert [one.held for one in told] == [What.RIGHT] * 7 + [What.WRONG] * 2


def test_a_second_absence_goes_on_where_the_first_is_not_over():
    clock, _ = after(heard(0, sent=-3000), absent_since=NOW - HOUR)
    _, told = judge(clock, heard(1, sent=-2900), NOW)
    assert told.held is What.RIGHT


def held_back(*messages: Heard, first: GatewayClock | None = None) -> list[What]:
    clock, told = first or GatewayClock(), []
    for message in messages:
        clock, verdict = judge(clock, message, None, NOW)
        told.append((verdict.held, verdict.offset))
    assert all(offset == 0 for held, offset in told if held is What.RIGHT)
    return [held for held, _ in told]


@pytest.mark.parametrize("says_sent", [True, False])
def test_a_clock_stays_right_however_far_we_fall_behind_and_however_long(says_sent: bool):
    """We judge a tenth of what comes for 20 minutes, then three times as much."""
    ages = [0.9 * 10 * n for n in range(120)] + [1080 - 30.0 * n for n in range(37)]
    arrivals = [10.0 * n for n in range(157)]
    sent = [when - age for when, age in zip(arrivals, ages, strict=True)]
    said = [
        heard(when, sent=ref) if says_sent else heard(when, newest=ref)
        for when, ref in zip(arrivals, sent, strict=True)
    ]
    assert set(held_back(*said)) == {What.RIGHT}
    assert What.WRONG in [one.held for one in after(*said)[1]]


def test_a_clock_that_is_set_back_while_the_broker_holds_back_is_wrong_at_once():
    told = held_back(heard(100, sent=95), heard(110, sent=-100), heard(120, sent=-90))
    assert told == [What.RIGHT, What.WRONG, What.WRONG]


def test_a_clock_that_was_wrong_before_is_not_excused_by_what_the_broker_holds_back():
    clock, _ = after(heard(-100, sent=-300), heard(-90, sent=-290))
    assert held_back(heard(100, sent=-100), heard(110, sent=-90), first=clock) == [What.WRONG] * 2


def test_after_a_restart_a_backlog_older_than_our_absence_is_no_wrong_clock():
    before, _ = after(heard(-350, sent=-400))
    clock, told = judge(before, heard(20, sent=-300), NOW - 5 * SECOND, 0)
    assert told.held is What.RIGHT
    assert judge(before, heard(20, sent=-300), NOW - 5 * SECOND)[1].held is What.WRONG
    assert judge(clock, heard(30, sent=30), None, None)[1].held is What.RIGHT


def test_one_that_was_never_heard_must_have_sent_it_while_the_broker_held_back():
    assert held_back(heard(100, sent=-59)) == [What.RIGHT]
    assert held_back(heard(100, sent=-61)) == [What.WRONG]


def test_findings_are_said_when_a_clock_goes_wrong_and_when_it_has_been_right_for_a_minute():
    clock, told = after(
        heard(0),
        heard(1, sent=901),
        heard(2, sent=902),
        heard(3, sent=3),
        heard(30, sent=30),
        heard(62, sent=62),
        heard(63, sent=63),
    )
    said = [one.finding for one in told]
    assert said == [None, What.WRONG, None, None, None, What.RIGHT, None]
    assert told[1].error == 900 * SECOND
    assert clock.what is What.RIGHT


@pytest.mark.parametrize("error_s", [28800, -28800, 28700, -29000])
def test_eight_hours_are_named_as_what_they_are(error_s):
    told = verdict(heard(0, sent=error_s))
    assert told.finding is What.ZONE
    assert "local time sent as UTC" in described(told.finding, told.error, "P1/E1/G1")


def test_an_error_that_changes_is_said_at_most_once_a_minute():
    messages = [heard(float(n), sent=-600.0 - 50 * n) for n in range(130)]
    said = [one.finding for one in after(*messages)[1]]
    assert [n for n, finding in enumerate(said) if finding] == [0, 60, 120]


def test_every_finding_is_a_sentence_that_names_the_gateway():
    for what in What:
        assert "P1/E1/G1" in described(what, 90 * SECOND, "P1/E1/G1")
    assert "90.0 s ahead of" in described(What.WRONG, 90 * SECOND, "g")
    assert "90.0 s behind" in described(What.WRONG, -90 * SECOND, "g")


def test_historical_messages_leave_the_memory_of_the_live_clock_alone():
    clock, _ = after(heard(0, sent=0))
    later, _ = judge(clock, heard(1, sent=1, newest=-9000, historical=True))
    assert replace(later, trouble_at=clock.trouble_at) == clock
