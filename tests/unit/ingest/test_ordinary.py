"""Ordinary messages judged together come out as if they had been judged one by one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import ordinary
from ingest.batch import Raw
from ingest.intake import Intake
from tests.support.gateway_line import DATA, Line, body, plant, raw, us

OTHER = "hw/v1/P1/E1/G2/data"
NAMES = {DATA: ["T1", "T2", "T3"], OTHER: ["T4", "T5"]}
SHARED = {DATA: ["T1", "T2", "T3"], OTHER: ["T3", "T4"]}
Calls = list[tuple[float, list[Raw]]]

ODD: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"historical": True},
        {"sent": -100.0},
        {"sent": 28800.0},
        {"skip": 1},
        {"skip": -1},
        {"back": 1},
        {"back": 1},
        {"back": 1},
        {"back": 2},
        {"back": 2},
        {"back": 100},
        {"boot": "other"},
        {"name": "X"},
        {"value": "high"},
        {"value": {"value": 1, "unit": "ft"}},
        {"retained": True},
        {"seq": None},
        {"oldest": 3},
    ]
)
VALUE = st.integers(-5, 200) | st.none() | st.booleans() | st.just({"value": 3, "quality": 80})


@st.composite
def traffic(draw: st.DrawFn) -> Calls:
    """Two gateways whose messages are ordinary, but for one in eight. They may share a tag."""
    known = draw(st.sampled_from([NAMES, SHARED]))
    calls, now = [_first_words()], 0.0
    seqs = {DATA: 0, OTHER: 0}
    for _ in range(draw(st.integers(1, 6))):
        messages = []
        for _ in range(draw(st.integers(0, 10))):
            topic = draw(st.sampled_from([DATA, DATA, OTHER]))
            odd = draw(ODD) if draw(st.integers(0, 7)) == 0 else {}
            now += draw(st.sampled_from([0.01, 0.5]))
            messages.append(_message(draw, known[topic], topic, seqs, now, odd))
        now += draw(st.sampled_from([0.0, 0.0, 0.1, 61.0]))
        calls.append((now, messages))
    return calls


def _first_words() -> tuple[float, list[Raw]]:
    """A boot's first message is never taken for an ordinary one."""
    said = [raw(body((0.0, {"T9": 1}), seq=0), topic, handle=b"0") for topic in NAMES]
    return 0.0, said


def _message(
    draw: st.DrawFn,
    known: list[str],
    topic: str,
    seqs: dict[str, int],
    now: float,
    odd: dict[str, Any],
) -> Raw:
    seqs[topic] += odd.get("skip", 0) + 1
    names = [odd.get("name", draw(st.sampled_from(known)))]
    names += draw(st.lists(st.sampled_from(known), max_size=2))
    first = now - odd.get("back", 0)
    times = [first] if draw(st.booleans()) else [first - 0.005, first]
    values = [{name: odd.get("value", draw(VALUE)) for name in names} for _ in times]
    head: dict[str, Any] = {
        "seq": odd.get("seq", max(0, seqs[topic])),
        "boot": odd.get("boot", "b"),
        "sent": now + odd.get("sent", 0.0) if draw(st.booleans()) or "sent" in odd else None,
    }
    for name in ("historical", "oldest"):
        if name in odd:
            head[name] = odd[name]
    payload = body(*zip(times, values, strict=True), **head)
    return raw(payload, topic, retained=odd.get("retained", False), arrived=us(now), handle=payload)


def judged(calls: Calls) -> Line:
    line = Line(Intake(plant()))
    for now, messages in calls:
        line.take(now, *messages)
    return line


def told(line: Line) -> dict[str, Any]:
    """All that came of it, in an order that does not depend on how batches were cut."""
    samples, ledger = [], {}
    for batch in line.batches:
        frame = batch.frame
        at = (frame.at + 500) // 1000  # stamps of batches differ by microseconds
        columns = (frame.tag, frame.time, at, frame.value, frame.quality, frame.flags)
        rows = zip(*(column.tolist() for column in columns), batch.gateway_of.tolist(), strict=True)
        samples += [repr(row) for row in rows]
        for delta in batch.ledger:
            ledger[delta.gateway, delta.boot] = delta.first_seq, delta.oldest, delta.newest_time
    names = ("messages_received", "messages_decoded", "messages_repeated", "values_decoded",
             "messages_redelivered", "messages_quarantined", "values_quarantined")  # fmt: skip
    return {
        "samples": sorted(samples),
        "ledger": ledger,
        "seen": {
            (sender.gateway.id, boot): (one.seen.pairs(), one.offsets, one.reused, one.crowded)
            for sender in line.intake._places.senders()
            for boot, one in sender.ledgers.by_boot.items()
        },
        "clocks": [sender.clock for sender in line.intake._places.senders()],
        "counts": {(name, g): line.total(name, g) for name in names for g in (1, 2)},
        "handles": sorted(handle for batch in line.batches for handle in batch.handles),
        "quarantined": sorted(str(one.id) for batch in line.batches for one in batch.quarantined),
        "dirty": sorted(one for batch in line.batches for one in batch.dirty),
    }


@settings(max_examples=150)
@given(traffic())
def test_messages_judged_together_come_out_as_one_by_one(calls):
    together = judged(calls)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordinary.Line, "add", lambda *_: False)
        alone = judged(calls)
    assert told(together) == told(alone)
    memory = [list(line.intake._times.event) for line in (together, alone)]
    assert memory[0] == memory[1]


def test_ordinary_messages_do_go_together(monkeypatch):
    line = Line()
    line.say(0, (0.0, {"T1": 1.0}), sent=0.0)
    alone = []
    monkeypatch.setattr(Intake, "_message", lambda *_: alone.append(1))
    line.take(
        2,
        raw(body((1.0, {"T1": 2.0, "T2": True}), seq=1, sent=1.0)),
        raw(body((1.5, {"T1": None}), (1.6, {"T1": {"value": 3, "quality": "bad"}}), seq=2)),
    )
    assert alone == []
    assert line.batches[-1].frame.time.tolist() == [us(1), us(1.5), us(1.6), us(1)]
    assert line.batches[-1].frame.quality.tolist() == [192, 0, 0, 192]


def test_an_ordinary_message_ends_the_count_of_those_that_did_not_advance():
    line = Line()
    for seq, time in enumerate([0.0, 0.0, 1.0, 1.0, 2.0]):
        line.take(time, raw(body((time, {"T1": seq}), seq=seq)))
    assert [batch.clocks for batch in line.batches] == [()] * 5
    assert [batch.frame.flags.tolist() for batch in line.batches] == [[0], [1], [0], [1], [0]]


@pytest.mark.parametrize("boot", ["b", "other"])
def test_an_alarm_between_readings_of_another_gateway_is_judged(boot):
    line = Line()
    line.take(0, raw(body((0, {"T1": 1}), seq=0)), raw(body((0, {"T2": 1}), seq=0), OTHER))
    line.take(
        9,
        raw(body((5, {"T1": 1}), seq=1), arrived=us(5)),
        raw(body((6, {"T1": 99}), seq=1, boot=boot), OTHER, arrived=us(6)),
        raw(body((7, {"T1": 1}), seq=2), arrived=us(7)),
    )
    frames = [batch.frame.judged() for batch in line.batches[1:]]
    assert [value for frame in frames for value in frame.value.tolist()] == [1, 99, 1]
