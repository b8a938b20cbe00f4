import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frame import Frame
from domain.instant import SECOND, micros
from domain.plant import Gateway, Registry
from ingest.gap_steps import Found, missing_between, unseen
from ingest.gaps import Heads
from tests.support.builders import START, at, tag

GATEWAYS = (Gateway(1, 2, "p1", "e1", "g1"), Gateway(2, 2, "p1", "e1", "g2"))
MAY = {1: 60, 2: 60, 3: 90, 4: 60}
"""Seconds; tags 1 to 3 are sent by gateway 1, tag 4 by gateway 2."""
SENDER = {1: 1, 2: 1, 3: 1, 4: 2}


def registry() -> Registry:
    tags = {n: tag(n, interval_s=may / 3) for n, may in MAY.items()}
    return Registry(1, {}, GATEWAYS, tags)


def frame(*samples: tuple[float, int], flags: int = 0) -> tuple[Frame, np.ndarray]:
    rows = sorted(samples, key=lambda one: one[1])
    tags = [n for _, n in rows]
    times = [micros(at(second)) for second, _ in rows]
    whole = Frame.of(tags, times, [1.0] * len(rows), received=micros(at(9_999)), flags=flags)
    return whole, np.array([SENDER[n] for n in tags], np.int32)


def begun(*heard: tuple[float, int]) -> Heads:
    heads = Heads(registry())
    heads.advance(*frame(*(heard or tuple((0.0, n) for n in MAY))))
    return heads


def seconds(us: int) -> float:
    return (us - micros(START)) / SECOND


def told(found: Found | None) -> tuple[list, list]:
    """(tags, gateways) of what is missing: (id, from, to)."""
    if found is None:
        return [], []
    rows = []
    for steps in (found.tags, found.gateways):
        gaps = steps.take(steps.missing)
        each = zip(gaps.subject.tolist(), gaps.before.tolist(), gaps.after.tolist(), strict=True)
        rows.append([(n, seconds(a), seconds(b)) for n, a, b in each])
    return rows[0], rows[1]


def test_what_comes_in_time_is_no_gap_and_the_first_sample_of_all_is_none_either():
    heads = begun()
    assert told(heads.advance(*frame((60, 1), (60, 2), (60, 3), (60, 4)))) == ([], [])


def test_a_tag_that_is_silent_alone_has_a_gap_of_its_own():
    heads = begun()
    assert heads.advance(*frame((30, 2), (30, 3))) is None
    assert told(heads.advance(*frame((61, 1), (61, 2)))) == ([(1, 0, 61)], [])


def test_a_frame_that_holds_both_sides_of_a_gap_has_it():
    heads = begun()
    assert told(heads.advance(*frame((30, 1), (100, 1), (40, 2), (90, 2)))) == ([(1, 30, 100)], [])


def test_a_silent_gateway_is_one_gap_however_many_tags_it_sends():
    heads = begun((0, 1), (5, 2), (-20, 3))
    found = heads.advance(*frame((300, 1), (301, 2)))
    assert told(found) == ([], [(1, 5, 300)])
    assert found is not None
    assert found.gateways.tags.tolist() == [3]
    assert told(heads.advance(*frame((320, 3), (310, 1)))) == ([], [])


def test_who_stays_silent_after_its_gateway_is_back_has_its_own_and_is_not_counted_twice():
    heads = begun((0, 1), (0, 2), (0, 3))
    heads.advance(*frame((300, 1)))
    found = heads.advance(*frame((355, 1), (365, 2)))
    assert told(found) == ([(2, 0, 365)], [])
    assert found is not None
    assert found.outlived == {1: 1}


def test_a_tag_that_was_silent_before_its_gateway_is_not_its_gateways():
    heads = begun((0, 1), (100, 2))
    assert told(heads.advance(*frame((300, 1), (300, 2)))) == ([(1, 0, 300)], [(1, 100, 300)])


def test_late_samples_are_no_gaps_and_are_told_apart_from_history():
    heads = begun((0, 1), (50, 1), (100, 1), (150, 1))
    found = heads.advance(*frame((20, 1), (70, 1)))
    assert told(found) == ([], [])
    assert found is not None
    assert [one.tolist() for one in found.back] == [[1], [micros(at(20))], [micros(at(70))]]
    assert not heads.advance(*frame((20, 1), (70, 1), flags=1))


def test_an_open_gap_ends_with_the_next_sample_whether_it_was_one_or_not():
    heads = begun((0, 1), (0, 2))
    heads.open_tags([1])
    found = heads.advance(*frame((30, 1)))
    assert found is not None
    assert (found.tags.subject.tolist(), found.tags.missing.tolist()) == ([1], [False])
    heads.open_tags([1])
    assert told(heads.advance(*frame((100, 2), (100, 1)))) == ([(1, 30, 100)], [(1, 30, 100)])


def test_who_is_overdue_is_the_gateway_while_none_of_its_tags_speaks():
    heads = begun((0, 1), (0, 2), (0, 3), (0, 4))
    late = heads.overdue(micros(at(61)))
    assert (late.tags.tolist(), late.gateways) == ([], {1: 3, 2: 1})
    heads.advance(*frame((61, 2), (61, 4)))
    heads.advance(*frame((100, 2), (100, 4)))
    assert heads.overdue(micros(at(100))).tags.tolist() == []
    heads.advance(*frame((122, 2)))
    late = heads.overdue(micros(at(122)))
    assert (late.tags.tolist(), late.gateways, late.outlived) == ([1], {}, {1: 1})


def test_another_gateway_takes_a_tag_over_only_once_the_first_is_silent():
    heads = begun((0, 1), (0, 2))
    both = frame((10, 1))[0]
    assert not heads.advance(both, np.array([2], np.int32))
    assert heads.sender[1] == 1
    found = heads.advance(frame((65, 1))[0], np.array([2], np.int32))
    assert found is not None
    assert [one.tolist() for one in found.moved] == [[1], [2]]


def test_another_reading_of_the_registry_keeps_the_heads():
    heads = begun()
    heads.open_tags([3])
    more = Registry(
        2, {}, GATEWAYS, dict(registry().tags) | {9: tag(9), 1: tag(1, max_silence_s=1000)}
    )
    heads = heads.carried(more)
    assert told(heads.advance(*frame((900, 1), (30, 3))))[0] == []
    assert heads.limit[3] == 90 * SECOND


@given(st.lists(st.integers(0, 30)), st.integers(0, 10), st.integers(0, 30))
def test_unseen_is_what_a_loop_over_all_numbers_finds(seen: list[int], first: int, last: int):
    ranges: list[tuple[int, int]] = []
    for n in sorted(set(seen)):
        if ranges and ranges[-1][1] == n - 1:
            ranges[-1] = (ranges[-1][0], n)
        else:
            ranges.append((n, n))
    found = [n for a, b in unseen(ranges, first, last) for n in range(a, b + 1)]
    assert found == [n for n in range(first, last + 1) if n not in seen]


streams = st.lists(
    st.lists(
        st.tuples(st.integers(-200, 200), st.sampled_from([1, 2, 3, 4])), min_size=1, max_size=8
    ),
    max_size=12,
)


@settings(max_examples=300)
@given(streams)
def test_every_step_that_is_too_long_is_a_gap_of_the_tag_or_lies_in_one_of_its_gateway(frames):
    """Held against a loop over single samples, whatever the frames hold and in whatever order."""
    heads, head = begun(), dict.fromkeys(MAY, 0.0)
    own: list[tuple[int, float, float]] = []
    gateways: list[tuple[int, float, float]] = []
    wanted: list[tuple[int, float, float]] = []
    moment = 0.0
    for steps in frames:
        moment += 45
        samples = {(moment + n, one) for n, one in steps}
        for time, one in sorted(samples):
            if time - head[one] > MAY[one]:
                wanted.append((one, head[one], time))
            head[one] = max(head[one], time)
        tags, silent = told(heads.advance(*frame(*samples)))
        own += tags
        gateways += silent
    assert set(own) <= set(wanted)
    assert len(own) == len(set(own))
    for one, begin, end in set(wanted) - set(own):
        may = MAY[one]
        assert any(
            g == SENDER[one] and begin >= a - may and end <= b + may and begin < b
            for g, a, b in gateways
        )
    for one, last in head.items():
        assert seconds(int(heads.time[one])) == last


def test_spacings_longer_than_allowed():
    assert missing_between(np.array([0, 10, 25, 30]), 10) == [(10, 25)]
