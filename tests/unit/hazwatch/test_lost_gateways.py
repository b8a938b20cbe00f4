"""A gateway of which nothing is heard any more: when it is an alarm, what lies under it, and what
it leaves alone."""

from dataclasses import replace

import pytest

from alerts.outgoing import Webhook
from domain.alarms import Alarm, Kind, Priority, State
from domain.plant import Gateway, Node, Registry, TagKind
from tests.support.builders import ENTERPRISE, SOURCE, registry, tag
from tests.support.risk import said
from tests.support.works import Works

OTHER = 4
SMS = Webhook("sms://duty", frozenset(Priority), None, "apprise")
SECOND = Gateway(2, ENTERPRISE, "P1", "E1", "G2")
TANKS = Node(OTHER, ENTERPRISE, "source", "S2", "Tank farm 2", enterprise=ENTERPRISE)
OPEN = (State.UNACK, State.ACKED)


def plant(*first: int, second: int = SOURCE, **more: float) -> Registry:
    """G1 sends five tags of each of these sources, G2 sends LI020 of source `second`."""
    tags = [
        tag(5 * n + i, interval_s=5, source=source)
        for n, source in enumerate(first)
        for i in range(1, 6)
    ]
    return registry(*tags, tag(20, interval_s=5, source=second), nodes=[TANKS], gateways=[SECOND])


class Line(Works):
    """Two gateways that send every five seconds, as long as they live."""

    def goes(self, seconds: int, *dead: str) -> None:
        for _ in range(seconds // 5):
            self.clock.seconds += 5
            if "G1" not in dead:
                names = [one.name for one in self.plant.tags.values() if one.id < 20]
                self.publish_as("E1", "G1", dict.fromkeys(names, 5.0))
            if "G2" not in dead:
                self.publish_as("E1", "G2", {"LI020": 5.0})
            self.pump.tick()

    def under(self, alarm: Alarm) -> str | None:
        found = (self.notes.get(str(alarm.id)) or {}).get("under")
        return None if found is None else str(found)

    @property
    def open_now(self) -> list[Alarm]:
        return [one for one in self.alarms.values() if one.state is not State.NORM]

    @property
    def listed(self) -> list[Kind]:
        """Kinds of what stands by itself."""
        return sorted(one.kind for one in self.open_now if self.under(one) is None)

    def lost(self) -> Alarm:
        [found] = [one for one in self.of(Kind.GATEWAY_OFFLINE) if one.state in OPEN]
        return found


def test_a_gateway_that_sends_a_part_of_a_source_is_one_alarm():
    line = Line(plant(SOURCE), (SMS,))
    line.goes(120)
    line.goes(180, "G1")
    lost = line.lost()
    assert (lost.priority, lost.tag, lost.node) == (Priority.P2, 1, SOURCE)
    assert lost.text.startswith("G1: 网关失联")
    assert "5 tags" in lost.text
    assert line.listed == [Kind.GATEWAY_OFFLINE]
    assert {line.under(one) for one in line.of(Kind.OFFLINE)} == {str(lost.id)}
    assert line.notes[str(lost.id)]["suppressed"] == len(line.of(Kind.OFFLINE)) == 5
    assert line.of(Kind.SOURCE_OFFLINE) == []
    assert not line.risks[SOURCE].unknown
    weighed = {one.alarm for one in line.risks[SOURCE].reasons}
    assert lost.id not in weighed, "it has no weight of its own"


def test_a_gateway_of_two_sources_is_one_alarm_and_they_keep_their_own():
    line = Line(plant(SOURCE, OTHER, second=SOURCE), (SMS,))
    line.plant = replace(line.plant, tags={n: one for n, one in line.plant.tags.items() if n < 20})
    line.start()
    line.goes(120, "G2")
    line.goes(300, "G1", "G2")
    lost = line.lost()
    sources = line.of(Kind.SOURCE_OFFLINE)
    assert {one.node for one in sources} == {SOURCE, OTHER}
    assert {line.under(one) for one in sources} == {str(lost.id)}
    assert line.listed == [Kind.GATEWAY_OFFLINE]
    assert line.notes[str(lost.id)]["suppressed"] == 2 + 10
    assert all(line.risks[one].unknown for one in (SOURCE, OTHER)), "F9 is theirs"
    bodies = {one.occurrence: one.body for one in line.notices}
    assert bodies[lost.id]["alone"] is True
    for one in sources:
        assert bodies[one.id]["alone"] is False
        assert bodies[one.id]["cause"] == {
            "id": str(lost.id), "name": "G1", "kind": "GATEWAY_OFFLINE",
        }  # fmt: skip


@pytest.mark.parametrize("first", [(SOURCE,), (SOURCE, OTHER)])
def test_the_list_is_the_same_after_a_restart_and_the_alarm_ends_with_the_silence(first):
    line = Line(plant(*first))
    line.goes(120)
    line.goes(300, "G1")
    lost, before = line.lost(), {one.id: line.under(one) for one in line.open_now}
    line.kill()
    line.goes(30, "G1")
    assert {one.id: line.under(one) for one in line.open_now} == before
    assert {one.id: line.pump._desks._book.note(one.id).under for one in line.open_now} == {
        id: None if under is None else lost.id for id, under in before.items()
    }
    assert len(line.changes) == len({(one.alarm.id, one.alarm.n) for one in line.changes})
    line.goes(30)
    assert line.alarms[lost.id].state is State.RTNUN
    assert not any(one.state in OPEN for one in line.open_now)


def test_a_restart_that_knows_no_sender_hides_nothing_and_ends_with_the_first_tag():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(180, "G1")
    lost = line.lost()
    line.snapshot = None
    line.start()
    line.goes(10, "G1", "G2")
    assert line.alarms[lost.id].state is State.UNACK
    line.goes(30)
    assert line.alarms[lost.id].state is State.RTNUN


def test_no_alarm_where_one_lost_source_says_as_much():
    line = Line(plant(SOURCE, second=OTHER))
    line.goes(120)
    line.goes(300, "G1")
    assert line.listed == [Kind.SOURCE_OFFLINE]
    assert line.of(Kind.GATEWAY_OFFLINE) == []
    line.goes(120)
    line.goes(300, "G2")
    assert line.of(Kind.GATEWAY_OFFLINE) == [], "a gateway of a single tag"


def test_a_source_whose_two_gateways_are_lost_together_is_one_alarm():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(300, "G1", "G2")
    assert line.listed == [Kind.SOURCE_OFFLINE]


def test_a_tag_that_two_gateways_send_says_nothing_of_either():
    line = Line(plant(SOURCE))
    line.goes(60)
    line.publish_as("E1", "G2", {"LI001": 5.0})
    line.goes(60)
    line.goes(180, "G1")
    lost = line.lost()
    assert lost.tag == 2
    shared = [one for one in line.of(Kind.OFFLINE) if one.tag == 1]
    assert [line.under(one) for one in shared] == [None]


def test_a_gas_detector_stands_by_itself_and_a_held_alarm_too():
    site = plant(SOURCE)
    gas = replace(site.tags[5], kind=TagKind.GAS_TOXIC)
    high = replace(site.tags[1], limits={Kind.H: 4.0})
    line = Line(replace(site, tags={**site.tags, 1: high, 5: gas}))
    line.goes(120)
    line.goes(180, "G1")
    assert line.listed == [Kind.H, Kind.OFFLINE, Kind.GATEWAY_OFFLINE]
    [held] = line.of(Kind.H)
    assert held.flags == ("stale",)
    assert line.lost().flags == ()


@pytest.mark.parametrize("work", ["calibration", "maintenance", "out_of_service"])
def test_a_permit_of_one_tag_is_none_of_the_gateway(work):
    line = Line(plant(SOURCE))
    permit = said("permit", SOURCE, 0, 900, tag=1, work=work)
    line.pump.heard([permit])
    line.goes(120)
    line.goes(180, "G1")
    lost = line.lost()
    assert not lost.is_silent
    [own] = [one for one in line.of(Kind.OFFLINE) if one.tag == 1]
    assert own.is_silent
    assert line.listed == [Kind.GATEWAY_OFFLINE]
    line.acts("remove_from_service", lost, permit=str(permit.id))
    assert not line.lost().is_silent


def overdue(line: Line) -> list[Kind]:
    late = [one for one in line.notices if one.body.get("reason") == "unacknowledged"]
    return [line.alarms[one.occurrence].kind for one in late]


def test_of_what_lies_under_a_lost_gateway_nobody_hears_that_it_is_not_acknowledged():
    line = Line(plant(SOURCE, OTHER))
    line.goes(120)
    line.goes(3600, "G1")
    lost = line.lost()
    assert len([one for one in line.open_now if line.under(one)]) > 2
    assert overdue(line) == [Kind.GATEWAY_OFFLINE]
    line.acts("acknowledge", lost)
    line.goes(600, "G1")
    assert overdue(line) == [Kind.GATEWAY_OFFLINE]
    line.goes(5)
    line.publish_as("E1", "G1", {"LI001": 5.0})
    line.goes(300, "G1")
    out = [one.kind for one in line.open_now if line.under(one) is None and not one.is_silent]
    assert set(overdue(line)) <= {Kind.GATEWAY_OFFLINE, *out}


def test_a_second_loss_is_an_alarm_of_its_own_time_and_acknowledging_is_as_for_any():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(180, "G1")
    first = line.lost()
    line.acts("acknowledge", first)
    assert line.lost().state is State.ACKED
    line.goes(600)
    assert line.alarms[first.id].state is State.NORM
    line.goes(180, "G1")
    assert line.lost().id != first.id


def test_a_gateway_that_leaves_the_site_is_no_longer_lost():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(180, "G1")
    lost = line.lost()
    assert line.pump.swap(replace(line.plant, version=2, gateways=(SECOND,)))
    line.goes(5, "G1")
    assert line.alarms[lost.id].state is not State.UNACK
    line.goes(120, "G1")
    assert all(line.under(one) is None for one in line.of(Kind.OFFLINE))


def test_a_tag_that_leaves_the_site_takes_no_loss_with_it():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(180, "G1")
    before = line.lost()
    rest = {n: one for n, one in line.plant.tags.items() if n != 1}
    assert line.pump.swap(replace(line.plant, version=2, tags=rest))
    line.goes(5, "G1")
    assert line.alarms[before.id].state not in OPEN
    assert line.lost().tag == 2
    silent = [one for one in line.of(Kind.OFFLINE) if one.state in OPEN]
    assert {line.under(one) for one in silent} == {str(line.lost().id)}


def test_a_gateway_that_another_takes_over_is_heard_again_by_its_tags():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(180, "G1")
    lost = line.lost()
    for _ in range(24):
        line.publish_as("E1", "G2", {f"LI00{n}": 5.0 for n in range(1, 6)})
        line.goes(5, "G1")
    assert line.alarms[lost.id].state is State.RTNUN
    assert not any(one.state in OPEN for one in line.open_now)


def test_what_can_not_be_judged_ends_no_loss():
    line = Line(plant(SOURCE))
    line.goes(120)
    line.goes(180, "G1")
    lost = line.lost()
    tags = {
        n: replace(one, limits={Kind.H: 1.0, Kind.HH: 0.5}) for n, one in line.plant.tags.items()
    }
    wrong = tags | {20: line.plant.tags[20]}
    assert line.pump.swap(replace(line.plant, version=2, tags=wrong))
    assert len(line.pump._unjudged) == 5
    line.goes(60, "G1")
    assert line.alarms[lost.id].state is State.UNACK
