"""The plant's own alarms through the whole pump: messages in, occurrences out, kill in between."""

from datetime import timedelta

from domain.alarms import Kind, State
from tests.support.builders import at, registry, tag
from tests.support.works import PLANT, Works


def test_a_value_over_its_limit_that_the_plant_does_not_report_is_told_once():
    works = Works()
    works.report("LI2", active=False)
    works.run(5, LI1=5.0, LI2=5.0)
    works.run(90, LI1=8.5, LI2=5.0)
    (alarm,) = works.of(Kind.UNDERREPORT)
    (limit,) = works.of(Kind.H)
    assert (alarm.tag, alarm.state, alarm.onset) == (1, State.UNACK, limit.onset)
    assert alarm.effective - alarm.onset >= timedelta(seconds=60)
    assert "漏报 not reported by the plant: 8.5 m ≥ 8" in alarm.text
    works.run(10, LI1=5.0, LI2=5.0)
    assert works.of(Kind.UNDERREPORT)[0].state is State.RTNUN


def test_a_plant_that_reports_is_left_alone():
    works = Works()
    works.run(5, LI1=5.0)
    works.run(30, LI1=8.5)
    works.report("LI1", limit=8.0, value=8.5)
    works.run(90, LI1=8.5)
    assert works.of(Kind.UNDERREPORT) == works.of(Kind.THRESHOLD_MISMATCH) == []


def test_a_gateway_that_never_reports_does_not_flood():
    works = Works()
    works.run(200, LI1=9.5, LI2=9.5)
    assert len(works.of(Kind.HH)) == 2
    assert works.of(Kind.UNDERREPORT) == []


def test_a_report_on_a_tag_that_is_not_registered_is_kept_and_counts_nothing():
    works = Works()
    works.report("XX")
    works.run(120, LI1=8.5)
    assert [one.tag for one in works.said] == ["XX"]
    assert works.of(Kind.UNDERREPORT) == []


def test_another_set_point_in_the_plant_is_told_until_they_agree():
    works = Works()
    works.report("LI1", limit=8.5)
    (alarm,) = works.of(Kind.THRESHOLD_MISMATCH)
    assert "H in the plant 8.5 m, registered 8 m" in alarm.text
    works.clock.seconds += 10
    works.report("LI1", active=False, limit=8.0)
    assert works.of(Kind.THRESHOLD_MISMATCH)[0].state is State.RTNUN


def test_a_new_site_that_agrees_ends_a_mismatch_and_one_without_the_tag_closes_all():
    works = Works()
    works.report("LI1", limit=8.5)
    works.run(90, LI1=9.5, LI2=5.0)
    assert len(works.of(Kind.UNDERREPORT)) == 1
    mended = registry(tag(1, "LI1", limits={Kind.H: 8.5, Kind.HH: 9.0}), PLANT.tags[2])
    assert works.pump.swap(mended)
    assert works.of(Kind.THRESHOLD_MISMATCH)[0].state is State.RTNUN
    assert works.pump.swap(registry(PLANT.tags[2]))
    ours = (*works.of(Kind.UNDERREPORT), *works.of(Kind.THRESHOLD_MISMATCH))
    assert {alarm.state for alarm in ours} == {State.RTNUN}
    assert {alarm.state for alarm in works.of(Kind.HH)} == {State.LATUN}


def test_a_kill_in_the_middle_changes_nothing():
    works, undisturbed = Works(), Works()
    for one in (works, undisturbed):
        one.report("LI2", active=False, limit=8.2)
        one.run(5, LI1=5.0)
    for turn in range(20):
        works.run(5, LI1=8.5)
        undisturbed.run(5, LI1=8.5)
        if turn in (2, 8, 16):
            works.kill()

    def told(one: Works) -> set[tuple[object, ...]]:
        kinds = (Kind.H, Kind.UNDERREPORT, Kind.THRESHOLD_MISMATCH)
        alarms = [alarm for kind in kinds for alarm in one.of(kind)]
        return {(alarm.id, alarm.state, alarm.onset) for alarm in alarms}

    assert told(works) == told(undisturbed)
    assert len(works.of(Kind.UNDERREPORT)) == 1
    assert len(works.of(Kind.THRESHOLD_MISMATCH)) == 1
    works.kill()
    works.report("LI1")
    assert works.of(Kind.UNDERREPORT)[0].state is State.RTNUN
    assert works.of(Kind.UNDERREPORT)[0].ended == at(works.clock.seconds)
