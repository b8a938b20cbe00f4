"""An alarm that a declared mode expects, from the samples to the journal."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.alarms import Alarm, Kind, Priority
from domain.inputs import Input, InputKind
from domain.plant import Suppression
from tests.support.works import PLANT, Works

FOLLOWS = Suppression("倒罐", "LI2", (Kind.LL,), (Kind.H,), 60.0)


def empty(works: Works, seconds: float) -> Input:
    """The source of LI1 is empty from now on, for so long."""
    tag = next(iter(works.plant.tags.values()))
    now = works.clock.now()
    said = (tag.enterprise, tag.source, None, now, now + timedelta(seconds=seconds))
    return Input(uuid4(), InputKind.MODE, *said, {"mode": "empty"}, "wang", now, "li")


def low(works: Works) -> Alarm:
    (found,) = works.of(Kind.LL)
    return found


@pytest.mark.parametrize("killed", [False, True])
def test_low_level_is_p3_while_the_tank_is_declared_empty_and_ordinary_after_it(killed):
    tags = {id: replace(one, limits={Kind.LL: 0.5}) for id, one in PLANT.tags.items()}
    works = Works(replace(PLANT, tags=tags))
    works.run(10, LI1=3.0, LI2=3.0)
    stated = [empty(works, 120)]
    works.pump.heard(stated)
    works.run(60, LI1=0.1, LI2=3.0)
    assert (low(works).priority, low(works).is_silent) == (Priority.P3, False)
    assert low(works).eased is not None
    if killed:
        works.kill()
        works.pump.heard(stated)
    works.run(90, LI1=0.1, LI2=3.0)
    assert (low(works).priority, low(works).eased) == (Priority.P2, None)


def test_a_rule_of_suppression_and_a_mode_go_together():
    ruled = {"limits": {Kind.LL: 0.5}, "suppressed_by": (FOLLOWS,)}
    tags = {
        id: replace(one, **(ruled if one.name == "LI1" else {"limits": {Kind.H: 8.0}}))
        for id, one in PLANT.tags.items()
    }
    works = Works(replace(PLANT, tags=tags))
    works.run(10, LI1=3.0, LI2=3.0)
    works.pump.heard([empty(works, 300)])
    works.run(60, LI1=3.0, LI2=9.0)
    works.run(60, LI1=0.1, LI2=9.0)
    found = low(works)
    assert (found.priority, found.suppressed is not None) == (Priority.P3, True)
    assert found.eased is not None
