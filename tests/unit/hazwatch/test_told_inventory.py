"""When a source's inventory is told anew, and that it comes through the spool."""

import numpy as np

from domain.inventory import Sight, SourceInventory
from hazwatch.told_inventory import ToldInventory
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from storage.entry import Entry, Spooled, decode, encode
from tests.support.builders import SOURCE, START, at, frame
from tests.support.vessels import ZERO, Farm, Vessel

FARM = Farm(
    [Vessel({"volume_m3": 400, "fill_limit": 0.85, "density_t_m3": 0.61})],
    [{"name": "ammonia", "cas": "7664-41-7", "design_t": 207.4}],
)


class Desk:
    def __init__(self) -> None:
        self.plan = compile_plan(FARM.registry)
        self.state = RuleState.fresh(self.plan, ZERO)
        self.told = ToldInventory()

    def level(self, seconds: float, value: float) -> None:
        step(self.plan, self.state, frame((seconds, 1, value)), at(seconds))

    def news(self, seconds: float) -> tuple[SourceInventory, ...]:
        return self.told.news(FARM.registry, self.plan, self.state, at(seconds), seconds)


def test_a_source_is_told_at_once_then_on_change_and_at_most_every_ten_seconds():
    desk = Desk()
    (first,) = desk.news(0)
    assert first.source == SOURCE
    assert first.tanks[0].sight is Sight.UNKNOWN
    desk.level(1, 50)
    assert desk.news(1.5) == ()
    assert desk.news(9) == ()
    (second,) = desk.news(10)
    assert np.isclose(second.tanks[0].tonnes or 0, 103.7)
    assert desk.news(25) == ()
    desk.level(26, 50.05)
    assert desk.news(27) == ()
    desk.level(28, 50.2)
    assert len(desk.news(29)) == 1


def test_a_gauge_that_falls_silent_is_told():
    desk = Desk()
    desk.level(0, 50)
    desk.news(1)
    (told,) = desk.news(120)
    assert told.tanks[0].sight is Sight.STALE
    assert told.held == 1


def test_it_looks_once_a_second_at_most():
    desk = Desk()
    desk.news(0)
    desk.level(1, 50)
    assert len(desk.news(30)) == 1
    desk.level(31, 60)
    assert desk.news(30.5) == ()


def test_what_is_told_comes_through_the_spool_as_it_was():
    desk = Desk()
    desk.level(0, 50)
    told = desk.news(1)
    entry = Entry(1, inventories=told)
    assert entry.speaks
    assert decode(encode(Spooled(3, entry))).entry.inventories == told
    assert told[0].at.tzinfo is not None
    assert told[0].tanks[0].gauges[0].good == START
