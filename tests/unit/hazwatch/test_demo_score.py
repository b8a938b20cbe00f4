"""When a measured demonstration holds, and in which words it says what does not."""

from dataclasses import replace

import pytest

from hazwatch.demo_score import Score
from storage.proof import Ingested, Told

CAME = Ingested(
    received=11,
    redelivered=1,
    decoded=9,
    repeated=1,
    messages_quarantined=1,
    values_decoded=90,
    stored=80,
    duplicates=4,
    conflicts=3,
    quarantined=3,
)
GOOD = Score(
    published=90,
    messages=10,
    ingested=CAME,
    samples=80,
    told=Told(alarms_raised=5, warnings_opened=2, notices_sent=7),
    canary_sent=60,
    canary_seen=60,
    latency_ms_p50=31.26,
    latency_ms_p99=74.0,
    ready_s=5.04,
    seconds=61.27,
)


def test_figures_that_add_up_hold():
    assert GOOD.faults == []
    assert GOOD.result()["holds"] is True


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(GOOD, published=91), "values published 91 ≠ stored"),
        (replace(GOOD, messages=9), "messages published 9 ≠ received - redelivered 10"),
        (replace(GOOD, samples=79), "values stored 80 ≠ new rows of the table 79"),
        (
            replace(GOOD, ingested=replace(CAME, values_decoded=91)),
            "values decoded 91 ≠ stored + duplicates + conflicts + quarantined 90",
        ),
        (
            replace(GOOD, ingested=replace(CAME, decoded=8)),
            "messages received 11 ≠ decoded + repeated + quarantined whole 10",
        ),
        (replace(GOOD, canary_seen=58), "2 of 60 canary breaches never came as an alarm"),
        (replace(GOOD, canary_sent=0, canary_seen=0), "no canary was sent"),
    ],
)
def test_what_does_not_add_up_is_said_in_words(wrong: Score, words: str):
    (fault,) = wrong.faults
    assert words in fault
    assert wrong.result()["holds"] is False


def test_nothing_published_proves_nothing():
    nothing = Ingested(*[0] * 10)
    empty = replace(GOOD, published=0, messages=0, ingested=nothing, samples=0)
    assert empty.faults == ["nothing was published"]


def test_a_canary_that_never_sang_has_no_latency_and_not_one_of_zero():
    mute = replace(GOOD, latency_ms_p50=None, latency_ms_p99=None)
    assert mute.result()["latency_ms_p50"] is None


def test_the_result_has_the_figures_of_the_run():
    result = GOOD.result()
    assert result["stored"] == 80
    assert result["redelivered"] == 1
    assert (result["alarms_raised"], result["warnings_opened"], result["notices_sent"]) == (5, 2, 7)
    assert (result["latency_ms_p50"], result["latency_ms_p99"]) == (31.3, 74.0)


def test_figures_of_a_run_are_what_has_come_since_its_beginning():
    before = Ingested(*range(1, 11))
    after = Ingested(*range(11, 31, 2))
    assert after - before == Ingested(*range(10, 20))
