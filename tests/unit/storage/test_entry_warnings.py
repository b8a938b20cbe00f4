"""How warning cases, rungs and risk come through the spool."""

from dataclasses import replace
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Notice
from domain.cases import (
    Attachment,
    Case,
    CaseState,
    CaseTransition,
    ClockReading,
    Closing,
    ClosingKind,
    Deed,
    Duty,
    EscalationStep,
    Feedback,
    Level,
    Loop,
    Outcome,
    Receipt,
)
from domain.instant import moment
from domain.risk import Colour, Floor, Part, Reason, SourceRisk
from storage.entry import Entry, Spooled, decode, encode
from tests.support.builders import START

ID = UUID(int=7)
INSTANTS = st.integers(-(10**16), 10**16).map(moment)
OPTIONAL_INSTANTS = st.none() | INSTANTS
TEXTS = st.text(max_size=8)
OPTIONAL_TEXTS = st.none() | TEXTS
COUNTS = st.integers(0, 2**31 - 1)
NUMBERS = st.floats()
COLOURS = st.sampled_from(Colour)
LEVELS = st.sampled_from(Level)
STATES = st.sampled_from(CaseState)
RECEIPTS = st.builds(Receipt, LEVELS, TEXTS, INSTANTS, COLOURS, COUNTS, OPTIONAL_TEXTS)
FILES = st.builds(Attachment, st.uuids(), TEXTS, TEXTS, COUNTS, TEXTS)
DEEDS = st.none() | st.builds(Deed, TEXTS, INSTANTS, COUNTS, LEVELS, OPTIONAL_TEXTS)
LOOPS = st.builds(
    Loop,
    rose=OPTIONAL_INSTANTS,
    rose_to=COLOURS,
    handled=DEEDS,
    feedback=st.none()
    | st.builds(
        Feedback,
        *(TEXTS, INSTANTS, COUNTS, LEVELS, COLOURS, TEXTS, TEXTS, TEXTS),
        st.lists(FILES, max_size=2).map(tuple),
    ),
    feeders=st.lists(TEXTS, max_size=2).map(tuple),
    said=st.lists(TEXTS, max_size=2).map(tuple),
    review=DEEDS,
    closing=st.none()
    | st.builds(
        Closing,
        st.sampled_from(ClosingKind),
        *(TEXTS, INSTANTS, COUNTS, LEVELS),
        *(OPTIONAL_TEXTS, OPTIONAL_TEXTS, OPTIONAL_INSTANTS),
    ),
    gas_l2=st.booleans(),
    verified=DEEDS,
)
CASES = st.builds(
    Case,
    id=st.uuids(),
    source=COUNTS,
    number=COUNTS,
    enterprise=COUNTS,
    state=STATES,
    colour=COLOURS,
    worst=COLOURS,
    opened=INSTANTS,
    seen=INSTANTS,
    unknown=st.booleans(),
    n=COUNTS,
    left_blue=COUNTS,
    risen=COUNTS,
    receipts=st.lists(RECEIPTS, max_size=2).map(tuple),
    alarms=st.lists(st.uuids(), max_size=2).map(tuple),
    released=OPTIONAL_INSTANTS,
    released_by=OPTIONAL_TEXTS,
    closed=OPTIONAL_INSTANTS,
    loop=LOOPS,
)
CHANGES = st.builds(
    CaseTransition,
    CASES,
    STATES,
    STATES,
    TEXTS,
    COLOURS,
    INSTANTS,
    OPTIONAL_TEXTS,
    OPTIONAL_TEXTS,
)
STEPS = st.builds(
    EscalationStep,
    case=st.uuids(),
    no=COUNTS,
    n=COUNTS,
    colour=COLOURS,
    role=TEXTS,
    level=LEVELS,
    after_s=NUMBERS,
    due=INSTANTS,
    left_s=NUMBERS,
    mark=st.builds(ClockReading, INSTANTS, NUMBERS, TEXTS),
    outcome=st.sampled_from(Outcome),
    done=OPTIONAL_INSTANTS,
    by=OPTIONAL_TEXTS,
    clock=st.none() | LEVELS,
    since=st.none() | COUNTS,
    unnamed=st.booleans(),
    duty=st.sampled_from(Duty),
)
REASONS = st.builds(Reason, st.none() | st.sampled_from(Part), NUMBERS, st.none() | st.uuids())
RISKS = st.builds(
    SourceRisk,
    source=COUNTS,
    enterprise=COUNTS,
    at=INSTANTS,
    colour=COLOURS,
    unknown=st.booleans(),
    score=NUMBERS,
    maybe_test=st.booleans(),
    floors=st.lists(st.tuples(st.sampled_from(Floor), COLOURS), max_size=2).map(tuple),
    reasons=st.lists(REASONS, max_size=2).map(tuple),
    version=TEXTS,
)
NOTICES = st.builds(
    Notice, st.uuids(), st.uuids(), TEXTS, TEXTS, st.just({}), INSTANTS, st.none() | COUNTS
)
ENTRIES = st.builds(
    Entry,
    COUNTS,
    notices=st.lists(NOTICES, max_size=1).map(tuple),
    cases=st.lists(CHANGES, max_size=2).map(tuple),
    steps=st.lists(STEPS, max_size=2).map(tuple),
    risks=st.lists(RISKS, max_size=2).map(tuple),
)

SIGNED = Receipt(Level.FIRE, "li", START, Colour.RED, 2, "on the way")
CASE = Case(
    ID, 5, 1, 3, CaseState.RECEIVED, Colour.RED, Colour.RED, START, START, receipts=(SIGNED,)
)
CHANGE = CaseTransition(CASE, CaseState.OPEN, CaseState.RECEIVED, "receive", Colour.RED, START)
STEP = EscalationStep(
    ID, 1, 1, Colour.RED, "OP", Level.ENTERPRISE, 0.0, START, 0.0, ClockReading(START, 1.0, "b")
)
RISK = SourceRisk(
    5,
    3,
    START,
    Colour.RED,
    False,
    80.0,
    False,
    ((Floor.F1, Colour.RED),),
    (Reason(None, -1.0), Reason(Part.A, 81.0, ID)),
    "1",
)


def through_the_spool(entry: Entry) -> Entry:
    return decode(encode(Spooled(9, entry))).entry


@given(ENTRIES)
def test_cases_rungs_and_risk_come_back_from_the_spool_as_they_were(entry: Entry):
    # repr tells enumerations from numbers, and takes NaN for NaN
    assert repr(through_the_spool(entry)) == repr(entry)


def test_odd_names_and_comments_are_replaced_in_the_spool_and_the_rest_stays():
    signed = replace(SIGNED, by="l\ud800", comment="\udfff")
    case = replace(CASE, receipts=(signed,), released_by="\ud800")
    change = replace(CHANGE, case=case, by="l\ud800", comment="\udfff")
    found = through_the_spool(Entry(1, cases=(change,), steps=(STEP,), risks=(RISK,)))
    mended = replace(case, receipts=(replace(signed, by="l?", comment="?"),), released_by="?")
    expected = replace(change, case=mended, by="l?", comment="?")
    assert repr(found) == repr(Entry(1, cases=(expected,), steps=(STEP,), risks=(RISK,)))


def test_an_entry_of_the_release_before_warnings_is_read():
    """Without cases, rungs and risk; its notices are of alarms."""
    before = Notice(ID, ID, "webhook", "desk", {"n": 1}, START)
    notice = msgspec.to_builtins(before)
    assert notice.pop("step") is None
    entry = {"number": 5, "transitions": [], "events": [], "notices": [notice], "actions": []}
    record = msgspec.msgpack.encode({"epoch": 3, "entry": entry | {"batch": None}})
    assert decode(record) == Spooled(3, Entry(5, notices=(before,)))


def test_a_case_and_a_rung_of_the_release_before_the_loop_are_read():
    case, step = msgspec.to_builtins(CASE), msgspec.to_builtins(STEP)
    for member in ("loop", "score", "model"):
        case.pop(member)
    assert step.pop("duty") == "receive"
    change = msgspec.to_builtins(CHANGE) | {"case": case}
    entry = {"number": 5, "cases": [change], "steps": [step]}
    record = msgspec.msgpack.encode({"epoch": 3, "entry": entry})
    assert decode(record) == Spooled(3, Entry(5, cases=(CHANGE,), steps=(STEP,)))


def test_a_case_of_the_release_before_verifying_is_read():
    case = msgspec.to_builtins(CASE)
    assert case["loop"].pop("verified") is None
    change = msgspec.to_builtins(CHANGE) | {"case": case}
    record = msgspec.msgpack.encode({"epoch": 3, "entry": {"number": 5, "cases": [change]}})
    assert decode(record) == Spooled(3, Entry(5, cases=(CHANGE,)))


def test_cases_rungs_and_risk_speak_and_weigh_as_alarms_do():
    for entry in (Entry(1, cases=(CHANGE,)), Entry(1, steps=(STEP,)), Entry(1, risks=(RISK,))):
        assert (entry.speaks, entry.weight) == (True, 2)
    assert (Entry(1).speaks, Entry(1).weight) == (False, 1)
