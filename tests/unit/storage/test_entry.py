from dataclasses import replace

import msgspec
import numpy as np
import pytest

from domain.alarms import ActionDone
from domain.frame import Frame
from domain.plant import Registry
from ingest.batch import Batch, Count, GatewaySays, LedgerDelta, PlantAlarm, Quarantined
from storage.days import DAY, DAYS_AT_ONCE
from storage.entry import Entry, Spooled, decode, encode, in_groups, is_wide, set_apart
from tests.support.builders import START
from tests.support.journaling import event, notice, transition, unique
from tests.support.seed import Plant

PLANT = Plant(1, 2, (3, 4), (5, 6), ((7, 8), (9, 10)), (11, 12), Registry(1, {}, (), {}))


def full_entry() -> Entry:
    change = transition(PLANT, 1.5)
    frame = Frame.of([7, 8], [10, 20], [0.0, float("nan")], received=30, quality=[192, 0])
    everything = Batch(
        frame,
        np.array([11, 11], np.int32),
        (Quarantined(unique(1), 30, "t", 11, None, "unknown_tag", "?", b"\x00{", 2, tag="X"),),
        (LedgerDelta(11, "b", ((0, 4), (6, 6)), 0, 0, 20, ((0, 4, -5),)),),
        {11: Count(2, messages_decoded=2, values_decoded=2)},
        ((7, 10, 10),),
        (GatewaySays(11, None, "b", START, 30),),
        (PlantAlarm(11, "a1", START, 30, "X", "H", True, {"value": 1.5, "by": None}),),
        (),
        (object(),),
    )
    done = ActionDone(unique(2), START, {"already": {"by": "li", "at": None}})
    return Entry(4, (change,), (event(change),), (notice(change),), (done,), everything)


def test_an_entry_comes_back_from_the_spool_as_it_was_but_for_the_brokers_handles():
    entry = full_entry()
    found = decode(encode(Spooled(9, entry)))
    assert found.epoch == 9
    # repr compares arrays and NaN by what they say
    assert repr(found.entry.transitions) == repr(entry.transitions)
    assert repr(found.entry.events) == repr(entry.events)
    assert (found.entry.notices, found.entry.actions) == (entry.notices, entry.actions)
    assert found.entry.batch is not None
    assert entry.batch is not None
    assert found.entry.batch.handles == ()
    assert repr(found.entry.batch.frame) == repr(entry.batch.frame)
    for name in ("quarantined", "ledger", "counts", "dirty", "states", "plant_alarms"):
        assert getattr(found.entry.batch, name) == getattr(entry.batch, name)


def test_text_and_numbers_that_the_spool_cannot_write_are_replaced_and_the_rest_stays():
    entry = full_entry()
    assert entry.batch is not None
    odd = PlantAlarm(11, "a\ud800", START, 30, "X", "H", True, {"\udfff": ["\ud800", 10**60, 1.5]})
    said = GatewaySays(11, None, "\ud800", START, 30)
    batch = replace(entry.batch, plant_alarms=(odd,), states=(said,), handles=())
    found = decode(encode(Spooled(9, replace(entry, batch=batch)))).entry
    assert found.batch is not None
    cleaned: dict[str, object] = {"?": ["?", "1" + "0" * 60, 1.5]}
    assert found.batch.plant_alarms == (replace(odd, id="a?", body=cleaned),)
    assert found.batch.states == (replace(said, boot="?"),)
    assert repr(replace(found.batch, plant_alarms=(), states=())) == repr(
        replace(batch, plant_alarms=(), states=())
    )
    assert repr(found.transitions) == repr(entry.transitions)
    assert (found.notices, found.actions) == (entry.notices, entry.actions)


def test_an_entry_that_is_set_apart_has_an_epoch_of_its_own_always_the_same():
    one, other = Spooled(9, full_entry()), Spooled(8, full_entry())
    apart = set_apart(one)
    assert apart.entry == one.entry
    assert -(2**63) < apart.epoch < 0
    assert set_apart(one).epoch == apart.epoch != set_apart(other).epoch


def test_a_group_ends_before_it_has_too_many_days():
    entries = [daily(number, 40 * number, 40) for number in range(5)]
    assert [[e.number for e in group] for group in in_groups(entries, 10**6)] == [[0, 1, 2], [3, 4]]
    same = [daily(number, 0, 100) for number in range(3)]
    assert [len(group) for group in in_groups(same, 10**6)] == [3]
    wide = [daily(0, 0, 1), daily(1, 0, DAYS_AT_ONCE + 1), daily(2, 0, 1)]
    assert [is_wide(group) for group in in_groups(wide, 10**6)] == [False, True, False]


def daily(number: int, first: int, count: int) -> Entry:
    time = (np.arange(count) + first) * DAY
    frame = Frame.of(np.ones(count, np.int32), time, np.ones(count), received=number)
    return Entry(number, batch=Batch(frame, np.ones(count, np.int32)))


def test_arrays_keep_their_dtype():
    batch = decode(encode(Spooled(1, full_entry()))).entry.batch
    assert batch is not None
    frame = batch.frame
    assert [a.dtype for a in (frame.tag, frame.time, frame.value, frame.quality, frame.flags)] == [
        np.int32,
        np.int64,
        np.float64,
        np.int16,
        np.int16,
    ]
    assert batch.gateway_of.dtype == np.int32


def test_a_record_of_an_earlier_release_without_newer_members_is_read():
    said = msgspec.msgpack.encode({"epoch": 3, "entry": {"number": 5, "gone": True}})
    assert decode(said) == Spooled(3, Entry(5))


def test_what_does_not_belong_in_an_entry_is_a_bug():
    with pytest.raises(NotImplementedError, match="object does not belong"):
        encode(Spooled(1, Entry(1, actions=(ActionDone(unique(1), START, {"x": object()}),))))


def test_groups_keep_the_order_and_end_when_they_are_big_enough():
    entries = [Entry(number) for number in range(5)]
    assert [[e.number for e in group] for group in in_groups(entries, 2)] == [[0, 1], [2, 3], [4]]


def test_one_entry_may_be_bigger_than_a_group():
    assert [len(group) for group in in_groups([full_entry(), Entry(9)], 1)] == [1, 1]
