"""What a restart may not take from intake: nobody is silenced who was heard before it."""

import numpy as np
import pytest
from hypothesis import given, settings

from domain.frame import Flag
from ingest.intake import Intake
from ingest.snapshot import SnapshotError
from tests.support.builders import registry, tag
from tests.support.gateway_line import Line, body, flags, plant, raw, rows, us
from tests.unit.ingest.test_intake_properties import any_traffic

H8 = 28800.0
STUCK = Flag.STUCK | Flag.AT_RECEIVED


def restarted(line: Line, *, saved: bool = True, again: int = 0) -> Line:
    """A new process: the snapshot taken before the last `again` batches, and those judged again.

    Ledgers are as complete as the database.
    """
    intake = Intake(plant(), [delta for batch in line.batches for delta in batch.ledger])
    if saved:
        intake.restore(line.intake.snapshot())
    for batch in line.batches[len(line.batches) - again :]:
        intake.judged_again(batch.frame)
    return Line(intake)


@pytest.mark.parametrize("saved", [True, False])
def test_old_times_under_a_sound_sent_are_judged_on_after_a_restart(saved):
    line = Line()
    for n in range(10):
        line.say(n, (n - H8, {"T1": n}), sent=n, seq=n)
    after = restarted(line, saved=saved, again=0 if saved else 10)
    for n in range(10, 14):
        batch = after.say(n, (n - H8, {"T1": n}), sent=n, seq=n)
        assert rows(batch) == [(1, n - H8, n, n, Flag.AT_RECEIVED)]


def test_a_clock_that_stands_still_is_known_to_stand_after_a_restart():
    line = Line()
    for n in range(5):
        line.say(n, (-H8, {"T1": n}), sent=n, seq=n)
    after = restarted(line)
    for n in range(5, 8):
        assert flags(after.say(n, (-H8, {"T1": n}), sent=n, seq=n)) == [STUCK]


@pytest.mark.parametrize("again", [0, 5, 1])
def test_a_clock_that_stands_still_is_noticed_anew_where_there_is_no_snapshot(again):
    line = Line()
    for n in range(5):
        line.say(n, (-H8, {"T1": n}), sent=n, seq=n)
    after = restarted(line, saved=False, again=again)
    found = [flags(after.say(n, (-H8, {"T1": n}), sent=n, seq=n))[0] for n in range(5, 12)]
    assert found[2:] == [STUCK] * 5


def test_after_a_clock_stood_still_our_own_times_silence_nobody_in_a_new_process():
    line = Line()
    for n in range(5):
        line.say(n, (-30.0, {"T1": n}), sent=n, seq=n)
    assert flags(line.batches[-1]) == [STUCK]
    after = restarted(line, saved=False, again=5)
    assert flags(after.say(6, (2.0, {"T1": 6}), sent=6, seq=6)) == [Flag.NONE]


def test_standing_still_is_noticed_where_nothing_of_it_is_judged():
    line = Line()
    line.say(10, (10.0, {"T1": 1}), sent=10)
    line.intake.seed_last_judged(np.array([1], np.int32), np.array([us(20)]), np.array([us(20)]))
    found = [flags(line.say(n, (15.0, {"T1": n}), sent=n))[0] for n in range(16, 20)]
    assert found == [Flag.HISTORY, Flag.HISTORY, STUCK, STUCK]


def test_a_gateway_whose_times_are_old_takes_over_from_one_whose_times_were_right():
    line = Line()
    other = "hw/v1/P1/E1/G2/data"
    line.say(10, (10.0, {"T1": 1}), sent=10)
    (batch,) = line.take(11, raw(body((11 - H8, {"T1": 2}), seq=0, sent=11), other))
    assert rows(batch) == [(1, 11 - H8, 11, 2, Flag.AT_RECEIVED)]
    (repeated,) = line.take(12, raw(body((10.5 - H8, {"T1": 2}), seq=1, sent=12), other))
    assert flags(repeated) == [Flag.HISTORY | Flag.AT_RECEIVED]


def test_right_and_old_times_of_one_tag_make_two_batches_so_that_they_are_judged_again_in_order():
    line = Line()
    batches = line.take(
        11,
        raw(body((10.0, {"T1": 1}), seq=0, sent=10)),
        raw(body((11 - H8, {"T1": 2}), seq=0, sent=11), "hw/v1/P1/E1/G2/data"),
    )
    assert [len(batch.frame) for batch in batches] == [1, 1]


def test_what_is_sent_again_without_a_seq_after_a_restart_is_a_duplicate():
    line = Line()
    payloads = [body((n - H8, {"T1": n}), sent=n) for n in range(6)]
    for n, payload in enumerate(payloads[:3]):
        line.take(n, raw(payload))
    before = line.intake.snapshot()
    for n, payload in enumerate(payloads[3:], 3):
        line.take(n, raw(payload))
    intake = Intake(plant())
    intake.restore(before)
    for batch in line.batches[3:]:
        intake.judged_again(batch.frame)
    after = Line(intake)
    for payload in payloads:
        (batch,) = after.take(7, raw(payload, redelivered=True))
        assert flags(batch)[0] & Flag.HISTORY
    (new,) = after.take(8, raw(body((8 - H8, {"T1": 8}), sent=8)))
    assert flags(new) == [Flag.AT_RECEIVED]


def test_late_samples_are_late_after_a_restart_too():
    line = Line()
    line.say(10, (10.0, {"T1": 1}), sent=10, seq=0)
    for after in (restarted(line), restarted(line, saved=False, again=1)):
        assert flags(after.say(11, (9.0, {"T1": 2}), sent=11, seq=1)) == [Flag.HISTORY]


@settings(max_examples=60)
@given(any_traffic(), any_traffic())
def test_a_restart_changes_nothing(before, after):
    line = Line()
    for now, messages in before:
        line.take(now, *messages)
    other = restarted(line)
    other._stamp = line._stamp
    for now, messages in after:
        now += before[-1][0]
        whole, cut = line.take(now, *messages), other.take(now, *messages)
        assert repr(rows(*whole)) == repr(rows(*cut))


def test_a_snapshot_of_a_gateway_that_is_gone_is_read_all_the_same():
    line = Line()
    line.take(1, raw(body((1.0, {"T2": 1}), seq=0), "hw/v1/P1/E1/G2/data"))
    Intake(registry(tag(1, "T1"))).restore(line.intake.snapshot())


@pytest.mark.parametrize(
    "saved", [b"", b"PK\x03\x04", b"\x93\x63\xc4\x00\x90", b"\x93\x01\xc4\x01x\x90"]
)
def test_other_bytes_are_refused_as_a_snapshot(saved):
    with pytest.raises(SnapshotError):
        Intake(plant()).restore(saved)
