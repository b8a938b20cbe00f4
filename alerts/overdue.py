"""The clocks of feedback 反馈, closing 销警 and 核实, beside those of 签收. Pure.

| the case  | its clocks                                                                       |
|-----------|----------------------------------------------------------------------------------|
| rise      | FEEDBACK and CLOSE of the new colour begin, of red VERIFY, too; those that run   |
|           | already run on                                                                   |
| feedback  | stops FEEDBACK and EXPLAIN; EXPLAIN begins anew                                  |
| send_back | FEEDBACK begins anew, for the colour of now                                      |
| close     | stops CLOSE and EXPLAIN                                                          |
| verify    | stops VERIFY, which nothing else stops                                           |
| fall      | EXPLAIN and VERIFY of a colour that is over are withdrawn                        |
| calm      | all but CLOSE are withdrawn; that runs on: the case still has to be closed       |

A clock that runs out tells its roles: one level up. Once CLOSE of a colour with `again` has run
out, EXPLAIN begins, and begins anew whenever it has run out, until the colour is over. Empty or
repeated feedback is no transition, so it stops nothing.
"""

from alerts.case_loop import Verb
from domain.cases import Case, CaseState, CaseTransition, Duty, EscalationStep
from domain.escalation import Ladder, Overdue, Role
from domain.risk import Colour

COMPLETE = (CaseState.SETTLED, CaseState.CLOSED)
Clock = tuple[Duty, float, Role]
"""What a clock waits for, its seconds, and whom it tells."""


def begun(ladder: Ladder, change: CaseTransition) -> list[Clock]:
    """The clocks that a transition begins."""
    rungs = ladder.colours.get(change.case.colour)
    if rungs is None:
        return []
    match change.event:
        case Verb.RISE:
            return (
                _clocks(Duty.FEEDBACK, rungs.feedback)
                + _clocks(Duty.CLOSE, rungs.close)
                + _clocks(Duty.VERIFY, rungs.verify)
            )
        case Verb.SEND_BACK:
            return _clocks(Duty.FEEDBACK, rungs.feedback)
        case _:
            return []


def again(ladder: Ladder, case: Case, step: EscalationStep) -> Clock | None:
    """The clock that begins where one of CLOSE or EXPLAIN has run out, or an EXPLAIN was answered;
    None where nothing has to be explained any more."""
    rungs = ladder.colours.get(step.colour)
    every = None if rungs is None or rungs.close is None else rungs.close.again_s
    role = ladder.roles.get(step.role)
    if step.duty not in (Duty.CLOSE, Duty.EXPLAIN) or every is None or role is None:
        return None
    over = case.state in COMPLETE or case.colour < step.colour
    return None if over else (Duty.EXPLAIN, every, role)


def answered(step: EscalationStep, case: Case) -> bool:
    """Whether what the step waits for, or complains of, has been done since it began."""
    complete = case.state in COMPLETE
    fed_back = case.loop.feedback
    match step.duty:
        case Duty.VERIFY:
            verified = case.loop.verified
            return verified is not None and verified.n > step.n
        case Duty.CLOSE if step.since is None:
            return complete
        case Duty.CLOSE | Duty.EXPLAIN:
            since = step.n if step.since is None else step.since
            return complete or (fed_back is not None and fed_back.n > since)
        case _:
            return fed_back is not None and fed_back.n > step.n


def who(step: EscalationStep, case: Case) -> str | None:
    """Whose feedback, closing or 核实 has answered."""
    closing, fed_back, verified = case.loop.closing, case.loop.feedback, case.loop.verified
    if step.duty is Duty.VERIFY:
        return None if verified is None else verified.by
    if case.state in COMPLETE and step.duty is not Duty.FEEDBACK:
        return None if closing is None else closing.second or closing.by
    return None if fed_back is None else fed_back.by


def needless(step: EscalationStep, case: Case) -> bool:
    """Whether a step has nothing to wait for any more, though nobody has answered."""
    if case.state is CaseState.CLOSED:
        return True
    if step.duty is Duty.CLOSE:
        return False
    over = step.duty in (Duty.EXPLAIN, Duty.VERIFY) and case.colour < step.colour
    return case.colour is Colour.BLUE or over


def _clocks(duty: Duty, overdue: Overdue | None) -> list[Clock]:
    if overdue is None:
        return []
    return [(duty, overdue.within_s, role) for role in overdue.roles]
