"""A shelf in the worker's straight line: set by an action, kept over a kill, ended by time."""

from datetime import timedelta
from uuid import uuid4

from domain.alarms import Kind, OperatorAction, State
from tests.support.works import Works


def test_a_shelf_survives_a_kill_and_comes_back_unacknowledged_by_a_tick():
    works = Works()
    works.run(60, LI1=8.7, LI2=5.0)
    (alarm,) = works.of(Kind.H)
    assert alarm.state is State.UNACK
    now = works.clock.now()
    until = (now + timedelta(seconds=120)).isoformat()
    shelve = OperatorAction(
        uuid4(), "shelve", alarm.id, "li", "浮子检修", now, None, {"until": until}
    )
    works.pump.act([shelve, OperatorAction(uuid4(), "acknowledge", alarm.id, "li", None, now)])
    (kept,) = works.of(Kind.H)
    assert (kept.state, kept.flags) == (State.ACKED, ("shelved",))
    works.run(60, LI1=8.7, LI2=5.0)
    works.kill()
    works.run(55, LI1=8.7, LI2=5.0)
    (kept,) = works.of(Kind.H)
    assert (kept.state, kept.flags) == (State.ACKED, ("shelved",))
    works.run(10, LI1=8.7, LI2=5.0)
    (loud,) = works.of(Kind.H)
    assert (loud.state, loud.flags, loud.acknowledged_by) == (State.UNACK, (), None)
    assert works.changes[-1].event == "unshelve"
