"""Which delay would have calmed an alarm: by hand, and against counting it out."""

from datetime import UTC
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarm_noise import kpi_targets, noise_rules
from domain.kpi import alarm_kpi
from domain.kpi_advice import Advice, Delay, settable
from domain.kpi_journal import Period, What
from tests.support.builders import at
from tests.support.noise import flashes, spells
from tests.support.reference_kpi import BACK, HEARD, Row, journal, us

RULES = noise_rules()
NOTHING = np.empty(0, np.int64), np.empty(0, np.int64)


def advice(rows, begin=0.0, end=86_400.0) -> dict[int, Advice]:
    span = Period(us(begin), us(end), UTC)
    return dict(alarm_kpi(journal(*rows), NOTHING, span, RULES, kpi_targets()).advice)


def came(*spans: tuple[float, float], subject: int = 1, priority: int = 3) -> list[Row]:
    """Occurrences of an alarm, each from when to when."""
    return [
        row
        for number, (begin, end) in enumerate(spans)
        for row in (
            (begin, 100 * subject + number, subject, priority, HEARD),
            (end, 100 * subject + number, subject, priority, BACK),
        )
    ]


CHATTER = (0, 4), (10, 15), (20, 25), (40, 45)


def test_pauses_say_which_off_delay_and_durations_which_on_delay():
    """Pauses of 6, 5 and 15 s; 4, 5, 5 and 5 s long."""
    assert advice(came(*CHATTER)) == {1: Advice(4, Delay(16, 3), Delay(6, 4))}


def test_what_may_not_wait_gets_no_on_delay():
    assert advice(came(*CHATTER, priority=1))[1].on is None
    both = Advice(4, Delay(16, 3), Delay(6, 4))
    off = Advice(4, Delay(16, 3), None)
    assert settable(both, "H", "level", RULES) == both
    assert settable(both, "HH", "level", RULES) == off
    for gas in ("gas_toxic", "gas_combustible", "oxygen", "fire"):
        assert settable(both, "H", gas, RULES) == off
    assert settable(Advice(4, None, Delay(6, 4)), "LL", "level", RULES) is None


@pytest.mark.parametrize(("kind", "tag"), [("OFFLINE", "level"), ("VOTE", None), ("?", "level")])
def test_what_has_no_delays_of_its_own_gets_no_advice(kind, tag):
    assert settable(Advice(4, Delay(16, 3), None), kind, tag, RULES) is None


def test_no_delay_is_advised_that_would_hide_the_alarm_for_minutes():
    spans = (0, 1), (10, 11), (20, 21), (200, 380), (600, 900)
    assert advice(came(*spans)) == {}


def test_fleeting_alarms_get_an_on_delay_that_drops_them():
    assert advice(came((0, 20), (2000, 2030), (4000, 4005), (6000, 6400))) == {
        1: Advice(3, None, Delay(31, 3))
    }


def test_a_return_that_was_not_seen_is_no_pause():
    rows = [row for row in came(*CHATTER) if row[:2] != (15, 101)]
    assert advice(rows) == {}


def test_a_spell_of_another_period_does_not_count():
    assert advice(came(*CHATTER), 30) == {}


def test_a_desk_that_hears_no_returns_gets_no_delay():
    rows = [(10.0 * n, n, 1, 3, What.ANNUNCIATED | What.ACTIVATED) for n in range(4)]
    assert advice(rows) == {}


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 40) | st.integers(1, 1500), st.integers(1, 90)),
    max_size=40,
)


@given(STEPS)
def test_the_advice_is_that_of_trying_every_delay(steps):
    spans: dict[int, list[tuple[int, int]]] = {}
    now = 0
    for subject, pause, lasts in steps:
        now += pause
        spans.setdefault(subject, []).append((now, now + lasts))
        now += lasts
    rows = [row for subject, mine in spans.items() for row in came(*mine, subject=subject)]
    expected = {who: one for who, mine in spans.items() if (one := _tried(mine)) is not None}
    assert advice(rows) == expected


def _tried(spans: list[tuple[int, int]]) -> Advice | None:
    chattered: set[int] = set()
    later: set[int] = set()
    begins = [at(begin) for begin, _ in spans]
    for since, repeats in spells(begins):
        first = begins.index(since) - RULES.chattering.activations + 1
        chattered |= set(range(first, first + repeats))
        later |= set(range(first + 1, first + repeats))
    short = {begins.index(one) for one in flashes([(at(b), at(e)) for b, e in spans])}
    noisy = sorted(chattered | short)
    if not noisy:
        return None
    pauses = [spans[n][0] - spans[n - 1][1] for n in sorted(later)]
    off, on = _least(pauses), _least([spans[n][1] - spans[n][0] for n in noisy])
    return None if off is None and on is None else Advice(len(noisy), off, on)


def _least(seen: list[int]) -> Delay | None:
    """The first of 1, 2, … seconds that calms as many as it shall."""
    if len(seen) < RULES.chattering.activations - 1:
        return None
    for longer in range(1, int(RULES.chattering.longest_delay_s) + 1):
        calmed = sum(one < longer for one in seen)
        if calmed >= ceil(RULES.chattering.share * len(seen)):
            return Delay(longer, calmed)
    return None
