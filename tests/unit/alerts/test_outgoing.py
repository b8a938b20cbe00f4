"""Notices go out by priority, are retried, and are given up in the open."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from alerts.outgoing import RETRY_AFTER_S, Outgoing
from domain.alarms import Notice

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def notice(priority: str = "P2", id: UUID | None = None) -> Notice:
    body: dict[str, object] = {"alarm": {"priority": priority}}
    return Notice(id or uuid4(), uuid4(), "webhook", "http://127.0.0.1/hook", body, AT)


def test_urgent_notices_go_first_and_room_is_kept():
    outgoing = Outgoing()
    low, urgent = notice("P3"), notice("P1")
    outgoing.put(low, 0.0)
    outgoing.put(urgent, 0.0)
    assert outgoing.take(0.0, room=1) == [urgent]
    assert outgoing.take(0.0, room=1) == [low]
    assert outgoing.take(0.0, room=1) == []


def test_failed_notice_is_tried_again_after_each_wait_and_then_given_up():
    outgoing, one, now = Outgoing(), notice(), 0.0
    outgoing.put(one, now)
    for wait in RETRY_AFTER_S:
        assert outgoing.take(now, 10) == [one]
        assert outgoing.failed(one, "refused", now).retry_s == wait
        assert outgoing.take(now + wait - 0.1, 10) == []
        now += wait
    assert outgoing.take(now, 10) == [one]
    last = outgoing.failed(one, "refused", now)
    assert (last.retry_s, last.attempts, last.error) == (None, 4, "refused")
    assert len(outgoing) == 0


def test_notice_that_is_waiting_or_being_sent_is_not_taken_twice():
    outgoing, one = Outgoing(), notice()
    outgoing.put(one, 0.0)
    outgoing.put(one, 0.0)
    assert outgoing.take(0.0, 10) == [one]
    outgoing.put(one, 0.0)
    assert outgoing.take(0.0, 10) == []
    assert outgoing.sent(one).error is None
