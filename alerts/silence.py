"""Whose silence a rung of the ladder stands for, and which 签收 ends it. Pure."""

from collections.abc import Mapping

from alerts.cases import receipt
from domain.cases import Case, Duty, EscalationStep, Level, Outcome, Receipt

Steps = Mapping[int, EscalationStep]
"""The rungs of one case by their `no`."""


def asked(steps: Steps, case: Case) -> dict[Level, int]:
    """The levels that know of the case, and from which transition on their silence counts.

    Told since the source last left blue, or unasked but with a 签收 since the last rise.
    """
    unasked = {one.level: case.risen for one in case.receipts if one.n > case.risen}
    told: dict[Level, int] = {}
    for step in steps.values():
        heard = step.outcome is Outcome.TOLD and step.duty is Duty.RECEIVE
        if heard and step.n >= case.left_blue:
            told[step.level] = max(step.n, told.get(step.level, 0))
    return unasked | told


def silent(
    step: EscalationStep, steps: Steps, case: Case, everyone: bool = False
) -> tuple[Level, int]:
    """Whose silence a rung stands for, and from which transition on. everyone: it is the telephone
    tree, which no 签收 from before the last rise answers."""
    least = case.risen if everyone else 0
    knows = asked(steps, case)
    below = [level for level in knows if level <= step.level]
    if not below:
        return step.level, max(step.n, least)
    return max(below), max(knows[max(below)], least)


def signed(case: Case, level: Level, since: int) -> Receipt | None:
    """The 签收 of a level that is newer than a transition."""
    found = receipt(case, level)
    return found if found is not None and found.n > since else None


def stopped(
    step: EscalationStep, steps: Steps, case: Case, everyone: bool = False
) -> Receipt | None:
    """The 签收 that makes a rung needless, None if it is still wanted."""
    return signed(case, *silent(step, steps, case, everyone))
