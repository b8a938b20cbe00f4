"""Notices go out by priority, are retried channel by channel, and are given up in the open."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.outgoing import AT_ONCE, ON_ONE, RETRY_AFTER_S, Outgoing
from domain.alarms import Notice

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def notice(priority: str = "P2", id: UUID | None = None) -> Notice:
    body: dict[str, object] = {"alarm": {"priority": priority}}
    return Notice(id or uuid4(), uuid4(), "webhook", "http://127.0.0.1/hook", body, AT)


def test_urgent_notices_go_first_and_one_server_is_not_flooded():
    outgoing = Outgoing()
    low, urgent = notice("P3"), notice("P1")
    outgoing.put(low, 0.0)
    outgoing.put(urgent, 0.0)
    assert outgoing.take(0.0, at_once=1) == [urgent]
    assert outgoing.take(0.0, at_once=1) == []
    outgoing.sent(urgent)
    assert outgoing.take(0.0, at_once=1) == [low]


def test_a_server_that_is_busy_keeps_nobody_waiting_for_another():
    outgoing = Outgoing()
    slow = [notice("P1") for _ in range(100)]
    other = replace(notice("P3"), recipient="http://127.0.0.2/hook")
    topic = replace(notice("P4"), channel="mqtt", recipient="hw/v1/events/x")
    for one in (*slow, other, topic):
        outgoing.put(one, 0.0)
    taken = outgoing.take(0.0)
    assert taken == [*slow[:AT_ONCE], other, topic]
    assert outgoing.take(1.0) == []


def test_failed_notice_is_tried_again_after_each_wait_and_then_given_up():
    outgoing, one, now = Outgoing(), notice(), 0.0
    outgoing.put(one, now)
    for wait in RETRY_AFTER_S:
        assert outgoing.take(now) == [one]
        assert outgoing.failed(one, "refused", now).retry_s == wait
        assert outgoing.take(now + wait - 0.1) == []
        now += wait
    assert outgoing.take(now) == [one]
    last = outgoing.failed(one, "refused", now)
    assert (last.retry_s, last.attempts, last.error) == (None, 4, "refused")
    assert len(outgoing) == 0


@pytest.mark.parametrize(
    ("body", "given_up"),
    [
        ({"type": "warning", "role": "permit"}, False),
        ({"type": "alarm", "transition": {"event": "raise"}, "alarm": {"priority": "P1"}}, False),
        (
            {"type": "alarm", "transition": {"event": "re_alarm"}, "alarm": {"priority": "P2"}},
            False,
        ),
        ({"type": "alarm", "transition": {"event": "raise"}, "alarm": {"priority": "P3"}}, True),
        ({"type": "alarm", "transition": {"event": "return"}, "alarm": {"priority": "P1"}}, True),
    ],
)
def test_what_somebody_has_to_answer_is_tried_for_as_long_as_it_is_wanted(body, given_up):
    outgoing, now = Outgoing(), 0.0
    outgoing.put(replace(notice(), body=body), now)
    for _ in range(9):
        for taken in outgoing.take(now):
            outgoing.failed(taken, "refused", now)
        now += RETRY_AFTER_S[-1]
    assert (len(outgoing) == 0) is given_up


def test_notice_that_is_waiting_being_sent_or_arrived_is_not_taken_twice():
    outgoing, one = Outgoing(), notice()
    assert outgoing.put(one, 0.0)
    assert not outgoing.put(one, 0.0)
    assert outgoing.take(0.0) == [one]
    assert not outgoing.put(one, 0.0)
    assert outgoing.take(0.0) == []
    assert outgoing.sent(one).error is None
    assert not outgoing.put(one, 0.0)
    assert len(outgoing) == 0


def test_who_handed_over_may_be_told_after_all_but_nobody_twice():
    outgoing, one, heir = Outgoing(), notice(), notice()
    outgoing.put(one, 0.0)
    (taken,) = outgoing.take(0.0)
    assert outgoing.handed_over(taken, [heir], 0.0).heirs == (heir,)
    (taken,) = outgoing.take(0.0)
    assert outgoing.handed_over(taken, [one], 0.0).heirs == (one,)
    (taken,) = outgoing.take(0.0)
    outgoing.sent(taken)
    outgoing.put(heir, 1.0)
    (taken,) = outgoing.take(1.0)
    gone = outgoing.handed_over(taken, [one], 1.0)
    assert (gone.heirs, gone.outcome, len(outgoing)) == ((), "withdrawn", 0)


@given(st.integers(1, 4), st.integers(1, 40), st.booleans(), st.integers(0, 20))
def test_the_nth_attempt_has_the_channel_and_the_time_that_a_list_of_all_says(
    channels, tries, rung, killed_after
):
    """The reference writes the whole plan down; a restart goes on where it was."""
    ways = tuple((f"c{n}", f"a{n}") for n in range(channels))
    one = replace(notice(), channel="c0", recipient="a0", ways=ways, step=1 if rung else None)
    plan = [(way, wait) for way in ways for wait in (0.0, *RETRY_AFTER_S)]
    if rung:
        plan += [(ways[n % channels], RETRY_AFTER_S[-1]) for n in range(tries)]
    outgoing, now = Outgoing(), 0.0
    outgoing.put(one, now)
    for number, (way, wait) in enumerate(plan[:tries]):
        now += wait
        if number == killed_after:
            outgoing = Outgoing()
            outgoing.put(one, now, number)
        assert wait == 0 or outgoing.take(now - 0.001) == []
        (taken,) = outgoing.take(now)
        assert (taken.channel, taken.recipient) == way
        result = outgoing.failed(taken, "refused", now)
        assert ways[result.rank] == way
    spent = not rung and tries >= ON_ONE * channels
    assert (len(outgoing) == 0) == spent


def test_hot_work_near_gas_goes_before_alarms_and_drills():
    outgoing = Outgoing()
    drill = replace(notice(), body={"type": "warning", "drill": True, "colour": "red"}, step=1)
    stop = replace(notice(), body={"type": "warning", "role": "permit", "colour": "yellow"})
    for one in (notice("P2"), drill, stop):
        outgoing.put(one, 0.0)
    assert outgoing.take(0.0, at_once=1) == [stop]


def news(event: str, occurrence: int, number: int, tag: str = "7") -> Notice:
    """What a program is told of a transition of an alarm."""
    body: dict[str, object] = {
        "type": "alarm",
        "transition": {"event": event},
        "alarm": {"priority": "P2", "tag": tag, "kind": "H"},
    }
    return replace(notice(), id=UUID(int=number), occurrence=UUID(int=occurrence), body=body)


def test_a_return_does_not_overtake_its_raise_and_the_next_raise_not_the_return():
    outgoing = Outgoing()
    raised, back, again = news("raise", 1, 1), news("return", 1, 2), news("raise", 2, 3)
    other = news("raise", 3, 4, tag="8")
    for one in (raised, back, again, other):
        outgoing.put(one, 0.0)
    assert outgoing.take(0.0) == [raised, other]
    assert outgoing.take(1.0) == []
    outgoing.sent(raised)
    assert outgoing.take(1.0) == [back]
    outgoing.sent(back)
    assert outgoing.take(1.0) == [again]


def test_a_return_waits_until_its_raise_has_arrived_and_what_asks_waits_for_no_second_attempt():
    outgoing = Outgoing()
    raised, back, again = news("raise", 1, 1), news("return", 1, 2), news("raise", 2, 3)
    for one in (raised, back, again):
        outgoing.put(one, 0.0)
    assert outgoing.take(0.0) == [raised]
    outgoing.failed(raised, "refused", 0.0)
    assert outgoing.take(0.0) == [again]
    outgoing.sent(again)
    assert outgoing.take(29.0) == []
    assert outgoing.take(30.0) == [raised]
    outgoing.withdrawn(raised)
    assert outgoing.take(30.0) == [back]


def test_what_asks_does_not_wait_for_what_is_held_back():
    outgoing = Outgoing()
    raised, again = news("raise", 1, 1), news("raise", 2, 2)
    for one in (raised, again):
        outgoing.put(one, 0.0)
    assert outgoing.take(0.0) == [raised]
    outgoing.held(raised, 10.0, 0.0)
    assert outgoing.take(0.0) == [again]


def test_what_waits_for_a_digest_holds_nobody_up():
    outgoing = Outgoing()
    raised, back = news("raise", 1, 1), news("return", 1, 2)
    for one in (raised, back):
        outgoing.put(one, 0.0)
    assert outgoing.take(0.0) == [raised]
    outgoing.park(raised)
    assert outgoing.take(0.0) == [back]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["raise", "return"])), max_size=20),
    st.lists(st.sampled_from(["sent", "sent", "failed", "withdrawn"]), max_size=200),
)
def test_first_attempts_keep_the_order_of_a_tag_while_nothing_fails_and_all_leave(said, fates):
    outgoing, now, fate = Outgoing(), 0.0, iter(fates)
    told = [news(event, tag, n, str(tag)) for n, (tag, event) in enumerate(said, 1)]
    for one in told:
        outgoing.put(one, now)
    arrived: list[Notice] = []
    tried: list[Notice] = []
    failures = 0
    for _ in range(40 * len(told) + 1):
        for one in outgoing.take(now, at_once=3):
            tried += [] if one in tried else [one]
            match next(fate, "sent"):
                case "sent":
                    outgoing.sent(one)
                    arrived.append(one)
                case "failed":
                    outgoing.failed(one, "refused", now)
                    failures += 1
                case _:
                    outgoing.withdrawn(one)
        now += 10.0
    assert len(outgoing) == 0
    for tag in range(3):
        of_tag = [one.id.int for one in (tried if not failures else arrived)]
        mine = [id for id in of_tag if said[id - 1][0] == tag]
        if not failures:
            assert mine == sorted(mine)
        calm = [id for id in mine if said[id - 1][1] == "return"]
        assert calm == sorted(calm)
