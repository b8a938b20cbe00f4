"""Notices go out by priority, are retried channel by channel, and are given up in the open."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.asking import asks
from alerts.order import PATIENCE_S
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
    assert outgoing.take(29.0) == []
    assert outgoing.take(30.0) == [raised], "nor does a second attempt wait for a first"
    outgoing.sent(again)
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


def test_what_ended_is_not_told_after_it_began_anew():
    """The same occurrence: the end of before would read as the end of what stands now."""
    outgoing = Outgoing()
    raised, back, anew = news("raise", 1, 1), news("return", 1, 2), news("raise", 1, 3)
    outgoing.put(raised, 0.0)
    assert outgoing.take(0.0) == [raised]
    outgoing.failed(raised, "refused", 0.0)
    outgoing.put(back, 10.0)
    assert outgoing.take(10.0) == []
    assert not outgoing.is_superseded(back)
    outgoing.put(anew, 19.0)
    assert outgoing.take(19.0) == [back, anew]
    assert outgoing.is_superseded(back), "to be withdrawn"
    assert not outgoing.is_superseded(anew)
    outgoing.withdrawn(back)
    outgoing.sent(anew)
    assert outgoing.take(30.0) == [raised]


def test_that_the_console_leaves_an_alarm_says_nothing_of_what_it_is():
    outgoing = Outgoing()
    raised, back, late = (news(event, 1, n) for n, event in enumerate(("raise", "return", ""), 1))
    late = replace(late, body=late.body | {"transition": None, "reason": "unacknowledged"})
    for one in (raised, back, late):
        outgoing.put(one, 0.0)
    assert asks(late)
    assert outgoing.take(0.0) == [raised, late]
    outgoing.sent(raised)
    assert outgoing.take(0.0) == [back]
    assert not outgoing.is_superseded(back)


@pytest.mark.parametrize("event", ["unshelve", "unsuppress", "return_to_service"])
def test_what_is_heard_again_asks_unless_somebody_has_acknowledged_it(event):
    for to, wanted in [("UNACK", True), ("RTNUN", True), ("ACKED", False), ("LATAC", False)]:
        one = news(event, 1, 1)
        one = replace(one, body=one.body | {"transition": {"event": event, "to": to}})
        assert asks(one) is wanted


def test_an_address_that_is_slow_delays_what_asks_by_its_patience_at_most():
    outgoing = Outgoing()
    told = [news(("raise", "return")[n % 2], n // 2, n) for n in range(1, 12)]
    for one in told:
        outgoing.put(one, 0.0)
    under_way = outgoing.take(0.0, at_once=20)
    assert len(under_way) == 1
    assert outgoing.take(PATIENCE_S - 0.1, at_once=20) == []
    late = outgoing.take(PATIENCE_S, at_once=20)
    assert {one.id for one in told if asks(one)} <= {one.id for one in (*under_way, *late)}


def test_what_has_become_urgent_does_not_wait_for_what_queues_as_less():
    outgoing = Outgoing()
    others = [news("raise", n, n, tag=str(n)) for n in range(100, 120)]
    low = news("raise", 1, 1)
    alarm: dict[str, object] = {"priority": "P1", "tag": "7", "kind": "H"}
    high = news("upgrade", 1, 2)
    high = replace(high, body=high.body | {"alarm": alarm})
    for one in (*others, low, high):
        outgoing.put(one, 0.0)
    assert outgoing.take(0.0)[0] == high


def test_what_waits_behind_a_digest_that_failed_leaves_after_it():
    outgoing = Outgoing()
    raised, back = news("raise", 1, 1), news("return", 1, 2)
    outgoing.put(raised, 0.0)
    assert outgoing.take(0.0) == [raised]
    outgoing.park(raised)
    outgoing.failed(raised, "refused", 5.0)
    outgoing.put(back, 6.0)
    assert outgoing.take(6.0) == []
    assert outgoing.take(35.0) == [raised]
    outgoing.sent(raised)
    assert outgoing.take(35.0) == [back]


SAID = st.tuples(
    st.integers(0, 1), st.integers(0, 2), st.sampled_from(["raise", "return", "acknowledge"])
)
FATE = st.tuples(
    st.sampled_from(["sent", "sent", "sent", "failed", "withdrawn", "held", "parked"]),
    st.integers(0, 12),
)


@given(st.lists(SAID, max_size=20), st.lists(FATE, max_size=120), st.integers(1, 8))
def test_all_leave_in_an_order_in_which_no_end_comes_too_early_or_too_late(said, fates, at_once):
    """An address that takes its time, refuses, or is told in digests; each second a step."""
    outgoing, fate = Outgoing(), iter(fates)
    told = [news(event, 10 * tag + n, k, str(tag)) for k, (tag, n, event) in enumerate(said, 1)]
    under_way: list[tuple[int, str, Notice]] = []
    gone: set[UUID] = set()
    begun: list[Notice] = []
    for second in range(4000):
        if second < len(told):
            outgoing.put(told[second], float(second))
        taken = outgoing.take(float(second), at_once)
        begun += filter(asks, taken)
        for one in taken:
            earlier = [
                other
                for other in told[: one.id.int - 1]
                if other.occurrence == one.occurrence and other.id not in gone
            ]
            later = [
                other for other in begun if other.occurrence == one.occurrence and other.id > one.id
            ]
            if outgoing.is_superseded(one):
                assert later
                outgoing.withdrawn(one)
                gone.add(one.id)
                continue
            if not asks(one):
                assert not later
                assert not [other for other in earlier if other.id not in parked(under_way)]
            does, lasts = next(fate, ("sent", 0))
            if does == "parked":
                outgoing.park(one)
            under_way.append((second + lasts, does, one))
        for entry in [entry for entry in under_way if entry[0] <= second]:
            under_way.remove(entry)
            _, does, one = entry
            match does:
                case "failed":
                    if outgoing.failed(one, "refused", float(second)).retry_s is None:
                        gone.add(one.id)
                case "held":
                    outgoing.held(one, 5.0, float(second))
                case "withdrawn":
                    outgoing.withdrawn(one)
                    gone.add(one.id)
                case _:
                    outgoing.sent(one)
                    gone.add(one.id)
        if second > len(told) and not len(outgoing):
            break
    assert len(outgoing) == 0
    assert len(outgoing._line) == 0, "nothing of it is kept"


def parked(under_way: list[tuple[int, str, Notice]]) -> set[UUID]:
    return {one.id for _, does, one in under_way if does == "parked"}


@given(st.lists(SAID, max_size=30), st.integers(1, 8))
def test_an_address_that_answers_soon_hears_all_of_a_tag_in_order(said, at_once):
    outgoing, now = Outgoing(), 0.0
    told = [news(event, 10 * tag + n, k, str(tag)) for k, (tag, n, event) in enumerate(said, 1)]
    for one in told:
        outgoing.put(one, now)
    tried: list[Notice] = []
    under_way: list[Notice] = []
    while len(outgoing):
        under_way += outgoing.take(now, at_once)
        tried += [one for one in under_way if one not in tried]
        outgoing.sent(under_way.pop(0))
        now += 0.01
    for tag in (0, 1):
        mine = [one.id.int for one in tried if said[one.id.int - 1][0] == tag]
        assert mine == sorted(mine)
