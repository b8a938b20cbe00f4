"""What asks for an acknowledgement is not sent after it."""

from alerts.outgoing import Webhook
from domain.alarms import Kind, Priority
from tests.support.builders import registry, tag
from tests.support.works import Works


def test_no_notice_of_an_alarm_asks_for_what_was_given():
    hooks = (Webhook("https://h/x", frozenset(Priority)),)
    works = Works(registry(tag(1, "LI1", limits={Kind.H: 8.0, Kind.HH: 9.0})), hooks)
    works.run(30, LI1=5.0)
    works.run(60, LI1=9.5)
    raised = [one for one in works.notices if one.body["transition"]["event"] == "raise"]
    assert raised
    assert all(works.pump.wanted(one) for one in raised)
    for alarm in works.pump.book.open():
        works.acts("acknowledge", alarm)
    assert not any(works.pump.wanted(one) for one in raised)
    works.run(200, LI1=5.0)
    returned = [one for one in works.notices if one.body["transition"]["event"] == "return"]
    assert all(works.pump.wanted(one) for one in returned)
