"""What is lost with its connection is missed after 60 s, not after its own silence."""

import numpy as np

from domain.alarms import Edge, Kind
from domain.instant import micros
from domain.quality import Quality
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.state import RuleState, carry
from tests.support.builders import at, frame, registry, tag

DAY = 86_400.0


def plant(*others):
    return registry(*(tag(n, f"T{n}", max_silence_s=DAY) for n in (1, 2, 3)), *others)


class Engine:
    def __init__(self, site=None):
        self.plan = compile_plan(site or plant())
        self.state = RuleState.fresh(self.plan, micros(at(0)))

    def good(self, seconds, *tags):
        return self.take(seconds, tags, 1.0, 192)

    def stale(self, seconds, *tags):
        return self.take(seconds, tags, np.nan, Quality.STALE)

    def take(self, seconds, tags, value, quality):
        made = frame(*((seconds, one, value) for one in tags), quality=int(quality))
        return told(step(self.plan, self.state, made, at(seconds)))

    def tick(self, seconds):
        return told(step(self.plan, self.state, None, at(seconds)))


def told(findings):
    return [(one.edge, one.kind, one.tag or one.node) for one in findings]


LOST = [(Edge.RAISED, Kind.SOURCE_OFFLINE, 3)]
BACK = [(Edge.RETURNED, Kind.SOURCE_OFFLINE, 3)]


def test_a_source_whose_tags_are_all_stale_is_lost_after_60_s():
    engine = Engine()
    engine.good(0, 1, 2, 3)
    assert engine.stale(100, 1, 2, 3) == []
    assert next_due(engine.plan, engine.state) == at(160.000001)
    assert engine.tick(160) == []
    assert engine.tick(160.1) == LOST
    assert engine.tick(400) == [], "one alarm, and not one for each tag"
    assert engine.good(500, 1, 2, 3) == BACK
    assert engine.tick(500 + DAY - 1) == []


def test_a_source_that_is_back_in_time_was_never_lost():
    engine = Engine()
    engine.good(0, 1, 2, 3)
    engine.stale(100, 1, 2, 3)
    engine.good(130, 1, 2, 3)
    assert engine.tick(DAY) == []


def test_tags_that_stay_stale_while_their_source_speaks_are_offline():
    engine = Engine()
    engine.good(0, 1, 2, 3)
    engine.stale(100, 1, 2)
    engine.good(155, 3)
    assert engine.tick(159) == []
    assert engine.tick(161) == [
        (Edge.RAISED, Kind.OFFLINE, 1),
        (Edge.RAISED, Kind.OFFLINE, 2),
    ]
    assert engine.good(200, 1) == [(Edge.RETURNED, Kind.OFFLINE, 1)]


def test_effective_times_are_not_days_ahead():
    engine = Engine()
    engine.good(0, 1, 2, 3)
    engine.stale(100, 1, 2, 3)
    (lost,) = step(engine.plan, engine.state, None, at(161))
    assert (lost.onset, lost.effective) == (at(0), at(160))


def test_silence_of_the_same_tags_without_a_death_is_no_alarm():
    engine = Engine()
    engine.good(0, 1, 2, 3)
    assert engine.tick(DAY - 1) == []


def test_it_survives_a_restart_with_its_grace_and_a_new_plan():
    engine = Engine()
    engine.good(0, 1, 2, 3)
    engine.stale(100, 1, 2, 3)
    saved = engine.state.to_bytes(engine.plan)
    engine.state = RuleState.from_bytes(engine.plan, saved)
    engine.state.grace_from = micros(at(130))
    assert engine.tick(189) == []
    other = compile_plan(plant(tag(4, "T4", source=9, max_silence_s=DAY)))
    engine.state, closed = carry(engine.plan, engine.state, other, at(189))
    engine.plan = other
    assert closed == []
    assert engine.tick(190.1) == LOST


def test_within_one_frame_the_newer_word_counts():
    engine = Engine()
    both = frame(
        (10, 1, np.nan), (11, 1, 1.0), (10, 2, 1.0), (11, 2, np.nan), quality=[20, 192, 192, 20]
    )
    step(engine.plan, engine.state, both, at(11))
    assert engine.state.silence.stale.tolist() == [False, True, False]
