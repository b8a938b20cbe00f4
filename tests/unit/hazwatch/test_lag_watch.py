"""When data that are judged late are an alarm, and when not."""

from collections.abc import Mapping

from domain.alarms import Kind, State
from domain.instant import micros
from hazwatch.lag_watch import LagWatch
from ingest.inbox import Lane
from tests.support.builders import ENTERPRISE
from tests.support.works import Works

LANE: Lane = ("P1", "E1")


class Watched:
    """The straight line of one gateway, and who looks whether it is late."""

    def __init__(self) -> None:
        self.works = Works()
        self.watch = LagWatch(10.0, self.works.intake.clock_of)
        self.lags: Mapping[Lane, float] = {}

    def run(self, seconds: int, waits: float | None = None, late: float = 0.0, **head) -> None:
        """A message and a look each second. waits: since how long something waits in the inbox;
        late: how old messages are when they are judged."""
        works = self.works
        for _ in range(seconds):
            works.clock.seconds += 1
            at = works.clock.now()
            self.say(late, **head)
            waiting = [] if waits is None else [(LANE, micros(at) - round(waits * 1e6))]
            self.lags = self.watch.look(works.plant, waiting, lambda lane: bool(late), at)
            self.watch.say(works.plant, self.lags, at, works.pump.condition)
            works.pump.tick()

    def say(self, late: float, **head) -> None:
        works = self.works
        works.seq += 1
        sent = (micros(works.clock.now()) - round(late * 1e6)) // 1000
        body = {"boot": "b", "seq": works.seq, "sent": sent} | head
        body |= {"samples": [{"time": sent, "values": {"LI1": 1.0, "LI2": 1.0}}]}
        works.publish("data", body)
        for batch in works.batches:
            self.watch.judged(batch, works.clock.now())
        works.batches.clear()

    def alarms(self) -> list[State]:
        return [alarm.state for alarm in self.works.of(Kind.INGEST_LAG)]


def test_what_waits_longer_than_the_limit_is_an_alarm_after_ten_seconds_and_returns():
    watched = Watched()
    watched.run(30, waits=9.0)
    assert watched.alarms() == []
    watched.run(9, waits=12.0)
    assert watched.alarms() == []
    watched.run(3, waits=12.0)
    [alarm] = watched.works.of(Kind.INGEST_LAG)
    assert (alarm.node, alarm.value, alarm.limit) == (ENTERPRISE, 12.0, 10.0)
    watched.run(60, waits=6.0)
    assert watched.alarms() == [State.UNACK]
    watched.run(32, waits=4.0)
    assert watched.alarms() == [State.RTNUN]


def test_what_the_broker_holds_back_is_an_alarm_too():
    watched = Watched()
    watched.run(30)
    for n in range(1, 61):
        watched.run(1, late=n / 2)
    assert watched.lags[LANE] > 25
    assert watched.alarms() == [State.UNACK]
    watched.run(45)
    assert watched.lags[LANE] == 0
    assert watched.alarms() == [State.RTNUN]


def test_history_and_wrong_clocks_are_no_lag():
    watched = Watched()
    watched.run(20)
    watched.run(30, late=7200.0, historical=True)
    watched.run(30, late=-300.0)
    assert watched.alarms() == []
    watched.run(60, late=8 * 3600.0)
    assert watched.alarms() == []
