from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from alerts.found import FoundAlarm, notice_of
from alerts.outgoing import Webhook
from domain.alarms import NAMESPACE, Priority
from tests.support.builders import ENTERPRISE, at, registry, tag

PLANT = registry(*(tag(n, f"GD-{n}") for n in range(1, 9)))
URGENT = Webhook("http://a", frozenset({Priority.P1}))


def alarm(n: int, priority: Priority = Priority.P2, ended: float | None = None) -> FoundAlarm:
    return FoundAlarm(
        uuid5(NAMESPACE, str(n)), n, priority, at(n * 60), None if ended is None else at(ended)
    )


def test_one_event_tells_of_all_that_a_backfill_held():
    found = [alarm(2), alarm(1, Priority.P1, ended=300)]
    event, notices = notice_of(PLANT, ENTERPRISE, found, at(900), [URGENT], ZoneInfo("UTC"))
    told = event.body["system"]
    assert isinstance(told, dict)
    assert (told["what"], told["lane"], told["alarms"]) == ("found afterwards", "replay", 2)
    assert told["priorities"] == {"P1": 1, "P2": 1}
    assert (told["from"], told["to"]) == ("2026-11-21T08:01:00Z", "2026-11-21T08:05:00Z")
    assert "事后发现 2 条报警" in told["text"]
    assert "GD-1, GD-2" in told["text"]
    assert (event.type, event.enterprise) == ("system", ENTERPRISE)
    assert [notice.recipient for notice in notices] == ["http://a"]
    assert notices[0].body["system"] == told


def test_the_same_alarms_are_the_same_notice_in_whatever_order_and_whenever_they_are_told():
    one, two = alarm(1, Priority.P1), alarm(2)
    first, sent = notice_of(PLANT, ENTERPRISE, [one, two], at(900), [URGENT])
    again, resent = notice_of(PLANT, ENTERPRISE, [two, one], at(950), [URGENT])
    assert (first.id, sent[0].id) == (again.id, resent[0].id)
    assert first.id != notice_of(PLANT, ENTERPRISE, [one], at(900), [])[0].id


def test_an_address_that_wants_none_of_them_gets_nothing_and_long_lists_are_cut():
    found = [alarm(n) for n in range(1, 9)]
    event, notices = notice_of(PLANT, ENTERPRISE, found, at(900), [URGENT])
    assert notices == []
    told = event.body["system"]
    assert isinstance(told, dict)
    assert "GD-5 and 3 more tags" in told["text"]
    assert UUID(told["occurrences"][0]) == found[0].id
