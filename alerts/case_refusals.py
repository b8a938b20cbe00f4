"""Why a person may not take a step of a case now, and what to do instead. Pure."""

from collections.abc import Callable

from alerts.case_evidence import evidence
from alerts.case_loop import Event, Verb, seconds
from domain.cases import Case, CaseState, ClosingKind, Level
from domain.risk import Colour

Refused = tuple[int, str]
"""HTTP status and sentence."""

RELEASERS = (Level.PARK, Level.COUNTY)
"""Who may give red free (domain.md 4.6)."""
VERIFIERS = (*RELEASERS, Level.CITY)
"""Who may verify it: the park, or an authority above that looks after its sources."""
NOT_SIGNED = "nobody has signed (签收) since the last rise: sign first"
NEXT = {
    CaseState.OPEN: NOT_SIGNED,
    CaseState.RECEIVED: "nobody deals with it yet: record the handling (处置) first",
    CaseState.HANDLED: "nothing is reported since the last rise: give feedback (反馈) first",
    CaseState.FED_BACK: "the feedback is not reviewed (审核): another person has to do that first",
}
"""The step that comes next, for whoever wants to take a later one."""


def refused(case: Case, event: Event, held: str | None = None) -> Refused | None:
    """What stands against a step of a person, None if nothing does.

    held: why the risk model says that red still holds, None if it does not.
    """
    if event.verb is Verb.RECEIVE:
        return None
    if case.state is CaseState.CLOSED:
        return 409, "the warning is closed (已销警)"
    if event.verb is Verb.RELEASE:
        return _release(case, event, held)
    if event.verb is Verb.VERIFY:
        return _verify(case, event)
    if case.state is CaseState.SETTLED and event.verb is not Verb.CLOSE:
        return 409, "the loop is complete: only a rise would begin it anew"
    return _OF[event.verb](case, event)


def _handle(case: Case, event: Event) -> Refused | None:
    if case.state is CaseState.OPEN:
        return 409, NOT_SIGNED
    if case.state in (CaseState.FED_BACK, CaseState.REVIEWED):
        return 409, "it has been fed back: report what was done since as another feedback (反馈)"
    if not event.comment:
        return 422, "the handling says nothing: say who does what"
    return None


def _feed_back(case: Case, event: Event) -> Refused | None:
    if case.state in (CaseState.OPEN, CaseState.RECEIVED):
        return 409, NEXT[case.state]
    brought = set() if event.feedback is None else set(evidence(event.feedback))
    if not brought:
        return 422, (
            "the feedback is empty and stops no clock: give a text, a file, a reading, or who was "
            "on the spot"
        )
    if brought <= set(case.loop.said):
        return 409, "the feedback repeats what was said and stops no clock: say what is new"
    return None


def _review(case: Case, event: Event) -> Refused | None:
    if event.level is Level.FIRE:
        return 403, "fire and rescue reviews no feedback: the enterprise or its authorities do"
    if case.state is CaseState.REVIEWED and event.verb is Verb.APPROVE:
        return None
    if case.state is not CaseState.FED_BACK:
        return 409, NEXT.get(case.state, "there is no feedback that waits for a review")
    if event.by in case.loop.feeders:
        return 403, "who fed back does not review it: another person has to"
    if event.verb is Verb.SEND_BACK and not event.comment:
        return 422, "say what is missing when feedback is sent back"
    return None


def _close(case: Case, event: Event) -> Refused | None:
    if event.level is Level.FIRE:
        return 403, "fire and rescue closes no warning: the enterprise or its authorities do"
    if case.state is CaseState.SETTLED:
        return None
    if event.kind is None:
        return 422, f"say what it was: {', '.join(kind.value for kind in ClosingKind)}"
    if case.state in NEXT:
        return 409, NEXT[case.state]
    if case.colour is Colour.RED:
        return 409, "the source is red: red has to be released (解除红色) first"
    false = event.kind is ClosingKind.FALSE_ALARM
    if false and not event.comment and not seconds(case, event.kind, event.by):
        return 422, "a false alarm (误报) needs a reason"
    first = case.loop.closing
    if first is not None and first.kind is event.kind and first.by == event.by:
        return 409, f"a second person has to close it, too: {first.by} alone is not enough"
    return None


def _release(case: Case, event: Event, held: str | None) -> Refused | None:
    if event.level not in RELEASERS:
        return 403, "red is released by a park or a county"
    if case.state in (CaseState.OPEN, CaseState.RECEIVED, CaseState.HANDLED):
        return 409, NEXT[case.state]
    if case.colour is not Colour.RED:
        return 409, f"the colour is {case.colour.name.lower()}"
    if held is not None and case.released is None:
        return 409, f"red still holds: {held}"
    return None


def _verify(case: Case, event: Event) -> Refused | None:
    if event.level not in VERIFIERS:
        return 403, "red is verified (核实) by a park, a county or a city: ask one of them to look"
    if case.colour is not Colour.RED:
        colour = case.colour.name.lower()
        return 409, f"only red is verified (核实), and the colour is {colour}: sign and act on that"
    return None


_OF: dict[Verb, Callable[[Case, Event], Refused | None]] = {
    Verb.HANDLE: _handle,
    Verb.FEED_BACK: _feed_back,
    Verb.APPROVE: _review,
    Verb.SEND_BACK: _review,
    Verb.PROPOSE: _close,
    Verb.CLOSE: _close,
}
