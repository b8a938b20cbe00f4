"""Timers of many ladders: what is due is found, in portions, the gravest first."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alerts import escalation
from alerts.case_book import CaseBook
from alerts.escalation import AT_ONCE, Escalation
from domain.cases import Case, ClockReading, EscalationStep, Outcome, Sight
from domain.escalation import default
from domain.risk import Colour
from tests.support.builders import START

YELLOW, ORANGE, RED = Colour.YELLOW, Colour.ORANGE, Colour.RED


def reading(seconds: float, boot: str = "b1") -> ClockReading:
    return ClockReading(START + timedelta(seconds=seconds), seconds, boot)


class Park:
    """Sources whose cases are opened at will, beside the plain answer of asking every case."""

    def __init__(self) -> None:
        self.book = CaseBook()
        self.ladders = Escalation(default(), reading(0))
        self.plain: dict[UUID, dict[int, EscalationStep]] = {}
        self.cases: dict[UUID, Case] = {}

    def see(self, source: int, colour: Colour, now: ClockReading) -> None:
        for change in self.book.see([Sight(source, 1, colour, now.at)], now.at):
            self.ladders.follow(change, now)
            steps = self.plain.get(change.case.id, {})
            made = escalation.follow(default(), steps, change, now)
            self.plain[change.case.id] = steps | {step.no: step for step in made}
            self.cases[change.case.id] = change.case

    def asked_one_by_one(self, now: ClockReading) -> set[EscalationStep]:
        changed: set[EscalationStep] = set()
        for id, steps in self.plain.items():
            fired = escalation.fire(default(), steps, self.cases[id], now)
            steps.update({step.no: step for step in fired})
            changed |= set(fired)
        return changed


SCRIPT = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(list(Colour)),
        st.sampled_from([0.0, 0.25, 59.75, 60.0, 180.0, 300.0, 599.9, 600.1, 7200.0]),
    ),
    max_size=25,
)


@given(SCRIPT, st.booleans())
def test_whatever_is_due_is_found_as_if_every_case_were_asked(script, new_boot):
    park, elapsed, boot = Park(), 0.0, "b1"
    for number, (source, colour, wait) in enumerate(script):
        park.see(source, colour, reading(elapsed, boot))
        elapsed += wait
        if new_boot and number == len(script) // 2:
            boot = "b2"
        now = reading(elapsed, boot)
        assert set(park.ladders.fire(now)) == park.asked_one_by_one(now)


def test_a_thousand_cases_are_told_in_portions_the_gravest_first_and_each_rung_once():
    park, colours = Park(), (YELLOW, RED, ORANGE)
    for source in range(1000):
        park.see(source, colours[source % 3], reading(0))
    first = park.ladders.fire(reading(600))
    assert {step.colour for step in first} == {RED}
    assert len({step.case for step in first}) == AT_ONCE
    told = list(first)
    for _ in range(1000 // AT_ONCE):
        told += park.ladders.fire(reading(600))
    rungs = [(step.case, step.no) for step in told if step.outcome is Outcome.TOLD]
    assert len(rungs) == len(set(rungs))
    assert set(told) == park.asked_one_by_one(reading(600))
    assert park.ladders.fire(reading(600)) == []


def test_a_new_case_waits_for_nobody_behind_a_thousand_that_are_due():
    park = Park()
    for source in range(1000):
        park.see(source, YELLOW, reading(0))
    park.see(1000, RED, reading(420))
    due = park.ladders.fire(reading(600))
    assert due[0].colour is RED
