"""What the plant acknowledged counts here: once, for its own activation, and not for gas."""

from dataclasses import replace

import pytest

from alerts.book import AlarmBook
from alerts.handling import Handling
from alerts.plant_word import PlantWord, remark, who
from domain.alarms import Edge, Finding, Kind, State, Transition
from domain.edge_alarm import EdgeAlarm
from domain.elapsed import ClockReading
from domain.instant import micros
from domain.plant import TagKind
from tests.support.builders import at, registry, tag

KINDS = {1: TagKind.LEVEL, 2: TagKind.GAS_TOXIC, 3: TagKind.INTERLOCK}
PLANT = registry(*(tag(id, kind=kind) for id, kind in KINDS.items()))


def word(time: float, tag: int = 1, id: str = "A-1", **more: object) -> EdgeAlarm:
    when = micros(at(time))
    plain = EdgeAlarm(1, id, tag, Kind.HH, True, when, when, acknowledged=True, by="li.wei")
    return replace(plain, **more)  # type: ignore[arg-type]


class Shift:
    """A book, and what the plant says."""

    def __init__(self) -> None:
        self.book = AlarmBook(PLANT)
        self.handling = Handling(self.book)
        self.plant = PlantWord()

    def find(self, edge: Edge, tag: int, onset: float, when: float) -> list[Transition]:
        finding = Finding(edge, Kind.HH, tag, None, at(onset), at(when), 95.0, 90.0)
        return self.told(when, (), self.book.apply([finding], at(when)))

    def told(
        self, when: float, said: tuple[EdgeAlarm, ...] = (), changes: list[Transition] | None = None
    ) -> list[Transition]:
        now = ClockReading(at(when), when, "boot")
        found = self.plant.answers(said, changes or [], self.book.open_of, PLANT.tags)
        made = [
            self.handling.answered(alarm, who(word), remark(word), now) for alarm, word in found
        ]
        return [one for one in made if one is not None]


def test_it_is_in_the_journal_under_the_plants_name():
    shift = Shift()
    shift.find(Edge.RAISED, 1, 0, 5)
    (change,) = shift.told(20, (word(18),))
    assert (change.event, change.source, change.target) == (
        "acknowledge",
        State.UNACK,
        State.ACKED,
    )
    assert (change.by, change.comment) == (
        "厂内 plant: li.wei",
        "厂内确认 acknowledged in the plant: A-1",
    )
    assert change.alarm.acknowledged_at == at(20)


@pytest.mark.parametrize("tag", [2, 3])
def test_gas_and_interlocks_are_acknowledged_here_alone(tag):
    shift = Shift()
    shift.find(Edge.RAISED, tag, 0, 5)
    assert shift.told(20, (word(18, tag),)) == []


def test_what_answered_one_activation_answers_no_later_one():
    """The plant's own alarm, with a dead band of its own, was active all the time."""
    shift = Shift()
    shift.find(Edge.RAISED, 1, 0, 5)
    assert shift.told(20, (word(18),))
    shift.find(Edge.RETURNED, 1, 30, 35)
    assert shift.find(Edge.RAISED, 1, 45, 50) == []
    assert shift.told(55, (word(54),)) == [], "it only says again what it said"
    (change,) = shift.told(60, (word(59, id="A-2"),))
    assert change.target is State.ACKED


def test_one_that_comes_before_our_alarm_counts_when_that_begins():
    shift = Shift()
    assert shift.told(20, (word(18),)) == []
    (change,) = shift.find(Edge.RAISED, 1, 10, 65)
    assert change.target is State.ACKED
    late = Shift()
    late.told(20, (word(18), word(19, active=False)))
    assert late.find(Edge.RAISED, 1, 10, 65) == []


def test_one_counts_once_and_for_its_own_activation():
    shift = Shift()
    shift.find(Edge.RAISED, 1, 1000, 1005)
    assert shift.told(1010, (word(879),)) == []
    assert len(shift.told(1010, (word(1009, id="A-2"),))) == 1
    shift.find(Edge.RETURNED, 1, 1000, 1020)
    # the same condition again, while the plant repeats what it has said
    shift.find(Edge.RAISED, 1, 2000, 2005)
    assert shift.told(2010, (word(2010, id="A-2"),)) == []
    assert shift.told(2011, (word(2011, id="A-2", acknowledged=False),)) == []
    assert len(shift.told(2012, (word(2012, id="A-2"),))) == 1


def test_after_a_restart_what_was_heard_before_counts_no_second_time():
    shift = Shift()
    shift.find(Edge.RAISED, 1, 0, 5)
    shift.plant.restore([word(3)])
    assert shift.told(20, (word(18),)) == []


def test_what_has_returned_is_acknowledged_as_well_and_an_older_word_is_none():
    shift = Shift()
    shift.find(Edge.RAISED, 1, 0, 5)
    shift.find(Edge.RETURNED, 1, 0, 30)
    shift.told(31, (word(31, acknowledged=False),))
    assert shift.told(32, (replace(word(31), received=micros(at(30))),)) == []
    (change,) = shift.told(40, (word(40),))
    assert change.source in (State.RTNUN, State.LATUN)


def test_names_of_a_plant_are_kept_short_and_on_one_line():
    assert who(word(1, by=None)) == "厂内 plant"
    assert who(word(1, by="li\n wei")) == "厂内 plant: li wei"
    assert len(who(word(1, by="x" * 500))) < 100


def test_a_gateway_whose_clock_is_ahead_acknowledges_nothing_that_is_still_to_come():
    shift = Shift()
    shift.told(0, (word(12 * 3600, received=micros(at(0))),))
    changes = shift.find(Edge.RAISED, 1, 3600, 3605)
    assert [one.event for one in changes] == []


def test_a_word_that_comes_again_after_a_newer_one_acknowledges_nothing():
    shift = Shift()
    shift.told(20, (word(18),))
    shift.told(60, (word(58, id="A-2", acknowledged=False),))
    shift.find(Edge.RAISED, 1, 58, 63)
    again = word(18, received=micros(at(70)))
    assert shift.told(70, (again,)) == []
