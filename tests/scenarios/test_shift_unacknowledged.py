"""A control room that does not answer, told as a shift log: others of the enterprise hear of it."""

from alerts.people import Contact
from domain.alarms import Kind, Notice, State
from tests.support.builders import ENTERPRISE
from tests.support.works import PLANT, Works

MANAGER = Contact("webhook", "https://hooks.example.com/manager")


def told(works: Works) -> list[Notice]:
    return [one for one in works.notices if one.body.get("reason") == "unacknowledged"]


def test_the_safety_manager_is_told_once_and_not_after_somebody_acknowledged():
    works = Works(PLANT, contacts={("SM", ENTERPRISE): [MANAGER]})

    # 08:00:00  both tanks above H; LI1 is acknowledged at once
    works.run(60, LI1=8.5, LI2=8.5)
    left = next(one for one in works.of(Kind.H) if one.tag == 2)
    works.acts("acknowledge", next(one for one in works.of(Kind.H) if one.tag == 1))
    assert told(works) == []

    # 08:09     nothing yet; the worker is killed and started again
    works.run(480, LI1=8.5, LI2=8.5)
    assert told(works) == []
    works.kill()

    # 08:11     ten minutes after its delay ran out
    works.run(120, LI1=8.5, LI2=8.5)
    (notice,) = told(works)
    assert (notice.occurrence, notice.recipient) == (left.id, MANAGER.address)
    alarm = notice.body["alarm"]
    assert isinstance(alarm, dict)
    assert alarm["name"] == "LI2"
    assert str(notice.body["text"]).startswith("确认超时 not acknowledged for 10 min: ")
    assert works.pump.wanted(notice)

    # 08:12     killed once more: what is said again is the same notice
    works.kill()
    works.run(60, LI1=8.5, LI2=8.5)
    assert {one.id for one in told(works)} == {notice.id}

    # 08:13     the control room wakes up
    works.acts("acknowledge", left)
    assert works.alarms[left.id].state is State.ACKED
    assert not works.pump.wanted(notice)
    works.run(1200, LI1=8.5, LI2=8.5)
    assert {one.id for one in told(works)} == {notice.id}
