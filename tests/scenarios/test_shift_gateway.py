"""A gateway is lost, told as a shift log: one thing to look at, and nothing is taken for normal."""

from typing import Any

from alerts.outgoing import Webhook
from domain.alarms import Alarm, Kind, Priority, State
from domain.plant import Gateway, Node
from tests.support.builders import ENTERPRISE, SOURCE, registry, tag
from tests.support.works import Works

TAGS = 41
OTHER, LEVEL = 10, 100
SMS = Webhook("sms://duty", frozenset(Priority), None, "apprise")
LOST_S, BACK_S = 60, 420
"""08:01:00 the line of gateway G1 is cut, 08:07:00 it is mended."""


class Shift(Works):
    """Source S1 is on gateway G1 with 41 tags; another, of source `other`, is on gateway G2. The
    log begins at 08:00:00; LI001 stands above its limit from the beginning."""

    def __init__(self, other: int) -> None:
        many = (
            tag(n, interval_s=10.0, max_silence_s=25.0, limits={Kind.H: 8.0} if n == 1 else None)
            for n in range(1, TAGS + 1)
        )
        near = tag(LEVEL, "LI-2", source=other, interval_s=10.0, limits={Kind.H: 8.0})
        plant = registry(
            *many,
            near,
            nodes=[Node(OTHER, ENTERPRISE, "source", "S2", "Sphere", enterprise=ENTERPRISE)],
            gateways=[Gateway(2, ENTERPRISE, "P1", "E1", "G2")],
        )
        super().__init__(plant, (SMS,))
        self.high = 9.0

    def until(self, clock: str) -> None:
        """Every tag is read every ten seconds, until that time of day."""
        minutes, seconds = map(int, clock.split(":")[1:])
        while self.clock.seconds < minutes * 60 + seconds:
            self.clock.seconds += 10
            names = [f"LI{n:03}" for n in range(2, TAGS + 1)]
            if not LOST_S <= self.clock.seconds < BACK_S:
                self.sample(**dict.fromkeys(names, 5.0), LI001=self.high)
            self.publish_as("E1", "G2", {"LI-2": 5.0})
            self.pump.tick()

    def note(self, alarm: Alarm) -> dict[str, Any]:
        return self.notes.get(str(alarm.id)) or {}

    def needed(self) -> list[str]:
        """Kinds of the notices that people need by now."""
        bodies: list[Any] = [one.body for one in self.notices if self.pump.warnings.wanted(one)]
        return sorted(body["alarm"]["kind"] for body in bodies)

    @property
    def on_the_list(self) -> list[Alarm]:
        """What is open and stands by itself."""
        open_now = [one for one in self.alarms.values() if one.state is not State.NORM]
        return [one for one in open_now if not self.note(one).get("under")]


def test_a_lost_source_is_one_alarm_and_a_held_alarm_stays_by_itself():
    shift = Shift(OTHER)

    # 08:00:50  LI001 is above its limit, and nobody has signed
    shift.until("08:00:50")
    (high,) = shift.of(Kind.H)
    assert (high.tag, high.state) == (1, State.UNACK)

    # 08:01:00  the line is cut; two minutes later all of the source has been silent for too long
    shift.until("08:03:00")
    (lost,) = shift.of(Kind.SOURCE_OFFLINE)
    assert (lost.node, lost.priority) == (SOURCE, Priority.P2)
    assert shift.of(Kind.OFFLINE) == []
    assert shift.note(lost)["suppressed"] == TAGS

    # two lines to look at: the lost source, and the level that was high when it went silent
    assert {one.kind for one in shift.on_the_list} == {Kind.SOURCE_OFFLINE, Kind.H}
    (high,) = shift.of(Kind.H)
    assert (high.state, high.flags) == (State.UNACK, ("stale",))
    assert shift.needed() == ["H", "SOURCE_OFFLINE"]

    # 08:05:00  the worker dies, and the list is the same when it is up again
    shift.until("08:05:00")
    before = {one.id for one in shift.on_the_list}
    shift.kill()
    shift.until("08:05:20")
    assert {one.id for one in shift.on_the_list} == before

    # 08:07:00  the line is mended: silence is over, and the level is still high
    shift.until("08:08:00")
    (lost,) = shift.of(Kind.SOURCE_OFFLINE)
    assert lost.ended is not None
    assert not shift.note(lost)
    (high,) = shift.of(Kind.H)
    assert (high.state, high.ended, high.flags) == (State.UNACK, None, ())

    # the level falls: only a good reading returns it
    shift.high = 5.0
    shift.until("08:10:00")
    assert shift.of(Kind.H)[0].state is State.RTNUN


def test_a_lost_gateway_with_part_of_a_source_is_one_line_with_forty_one_under_it():
    shift = Shift(SOURCE)
    shift.until("08:00:50")

    # 08:01:00  the line is cut; the source is not lost, for LI-2 comes by another gateway
    shift.until("08:03:00")
    assert shift.of(Kind.SOURCE_OFFLINE) == []
    silent = shift.of(Kind.OFFLINE)
    assert len(silent) == TAGS

    # two lines again: the gateway with all its tags under it, and the high level; and no flood
    (lost,) = shift.of(Kind.GATEWAY_OFFLINE)
    assert (lost.priority, lost.text[:8]) == (Priority.P2, "G1: 网关失联")
    assert {one.kind for one in shift.on_the_list} == {Kind.GATEWAY_OFFLINE, Kind.H}
    assert {shift.note(one).get("under") for one in silent} == {str(lost.id)}
    assert shift.note(lost)["suppressed"] == TAGS
    assert shift.floods.get(ENTERPRISE) is None

    # the source has a colour still: one of its tags is heard
    assert not shift.risks[SOURCE].unknown

    # 08:05:00  the worker dies, and the list is the same when it is up again
    shift.until("08:05:00")
    before = {one.id for one in shift.on_the_list}
    shift.kill()
    shift.until("08:05:20")
    assert {one.id for one in shift.on_the_list} == before

    # 08:07:00  the line is mended: every tag is heard again
    shift.until("08:20:00")
    assert all(one.ended for one in shift.of(Kind.OFFLINE))
    assert shift.of(Kind.GATEWAY_OFFLINE)[0].ended is not None
    assert shift.floods.get(ENTERPRISE) is None
