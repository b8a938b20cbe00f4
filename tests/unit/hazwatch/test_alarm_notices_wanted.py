"""What asks for an acknowledgement is not sent after it."""

from alerts.outgoing import Webhook
from domain.alarms import Kind, Notice, Priority
from tests.support.builders import registry, tag
from tests.support.works import Works


def event_of(notice: Notice) -> object:
    change = notice.body["transition"]
    assert isinstance(change, dict)
    return change["event"]


def test_no_notice_of_an_alarm_asks_for_what_was_given():
    hooks = (Webhook("https://h/x", frozenset(Priority)),)
    works = Works(registry(tag(1, "LI1", limits={Kind.H: 8.0, Kind.HH: 9.0})), hooks)
    works.run(30, LI1=5.0)
    works.run(60, LI1=9.5)
    raised = [one for one in works.notices if event_of(one) == "raise"]
    assert raised
    assert all(works.pump.wanted(one) for one in raised)
    for alarm in works.pump.book.open():
        works.acts("acknowledge", alarm)
    assert not any(works.pump.wanted(one) for one in raised)
    works.run(200, LI1=5.0)
    returned = [one for one in works.notices if event_of(one) == "return"]
    assert all(works.pump.wanted(one) for one in returned)
