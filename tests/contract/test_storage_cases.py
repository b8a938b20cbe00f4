"""Cases, ladders, risk and what goes with them: written by the worker, read at its start."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from pathlib import Path

import pytest

from alerts.case_book import CaseBook
from alerts.case_events import risk_event, warning_event
from alerts.escalation import Escalation
from domain.alarms import ActionDone, OperatorAction
from domain.cases import (
    CaseState,
    CaseTransition,
    ClockReading,
    Deed,
    Duty,
    EscalationStep,
    Feedback,
    Level,
    Outcome,
    Sight,
)
from domain.escalation import default
from domain.risk import Colour
from storage import notices
from storage.actions import pending
from storage.cases import read_known_cases, read_steps, write_case_transitions, write_steps
from storage.database import Connection, DatabaseOptions, connect
from storage.journal import Entry
from storage.risks import write_risks
from tests.support.builders import START, at
from tests.support.journaling import (
    Ears,
    ask,
    event,
    journal,
    leased,
    notice,
    running,
    said,
    transition,
    unique,
)
from tests.support.seed import Plant, Seed
from tests.support.shifts import reading, risk, shift

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
TABLES = (
    "alarm",
    "warning_case",
    "case_event",
    "case_feedback",
    "escalation_step",
    "source_risk",
    "source_inventory",
    "pca_now",
    "notice",
    "outbox",
    "operator_action",
)
ACTION = (
    "INSERT INTO operator_action (id, key, by, verb, target, enterprise, requested_at, level)"
    " VALUES (%s, %s, '李工', %s, %s, %s, %s, %s)"
)


@dataclass(frozen=True)
class Site:
    """A database with a plant in it, and a folder for the spool."""

    url: str
    plant: Plant
    folder: Path

    async def everything(self) -> dict[str, list[str]]:
        """The rows of every table that alarm parts go to, in the order of their text."""
        async with await connect(DatabaseOptions(self.url)) as conn:
            return {
                table: sorted(map(repr, await ask(conn, f"SELECT * FROM {table}")))
                for table in TABLES
            }

    async def recover(self, epoch: int) -> None:
        """Bring in what lies in the spool."""
        async with journal(self.url, self.folder, epoch, Ears()) as book:
            await book.recover()

    async def write(self, epoch: int, *entries: Entry, url: str | None = None) -> Ears:
        """Make entries safe."""
        ears = Ears()
        async with journal(url or self.url, self.folder, epoch, ears) as book, running(book):
            for entry in entries:
                book.put(entry)
            await book.flush()
            assert book.degraded == (url is not None)
        return ears


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Site:
    return Site(database_url, Seed(database_url).plant(), tmp_path / "spool")


@pytest.fixture
def plant(site: Site) -> Plant:
    return site.plant


@pytest.fixture
async def conn(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as connection:
        yield connection


@pytest.mark.parametrize("until", [0, 60, 300, 2000, 2500, 3600])
async def test_a_case_and_its_ladder_are_read_back_as_they_were(
    conn: Connection, plant: Plant, until: float
):
    had = shift(plant, until=until)
    await write_case_transitions(conn, had.changes)
    await write_steps(conn, had.steps)
    cases, steps = await read_known_cases(conn), await read_steps(conn, [had.case.id])
    # repr tells enumerations from numbers
    assert repr(cases) == repr([had.case])
    assert repr(steps) == repr(had.rungs)


async def test_every_member_that_changed_is_read_back_as_it_became(conn: Connection, plant: Plant):
    had = shift(plant, until=60)
    change, step = had.changes[-1], had.steps[-1]
    second = replace(change.case.receipts[0], level=Level.FIRE, comment=None, at=at(1e-6))
    became = replace(
        change.case,
        state=CaseState.CLOSED,
        colour=Colour.BLUE,
        worst=Colour.ORANGE,
        seen=at(69),
        unknown=True,
        n=9,
        left_blue=7,
        risen=8,
        receipts=(*change.case.receipts, second),
        alarms=(unique("other"),),
        released=at(70.000001),
        released_by="陈",
        closed=at(71),
        loop=replace(
            shift(plant).case.loop, verified=Deed("陈", at(69.5), 8, Level.PARK, "已到现场")
        ),
    )
    rung = EscalationStep(
        *(step.case, step.no, 5, Colour.YELLOW, "CI", Level.CITY, 1.5, at(80), -0.1),
        ClockReading(at(81.25), 0.1, "b2"),
        *(Outcome.TOLD, at(82), "陈", Level.ENTERPRISE, 0, True, Duty.VERIFY),
    )
    await write_case_transitions(conn, had.changes)
    await write_steps(conn, had.steps)
    await write_case_transitions(conn, [replace(change, case=became)])
    await write_steps(conn, [rung])
    assert repr(await read_known_cases(conn)) == repr([became])
    assert repr((await read_steps(conn, [rung.case]))[rung.no - 1]) == repr(rung)


async def test_a_worker_that_reads_them_goes_on_as_if_it_had_never_stopped(
    conn: Connection, plant: Plant
):
    had = shift(plant, until=60)
    await write_case_transitions(conn, had.changes)
    await write_steps(conn, had.steps)
    book = CaseBook(await read_known_cases(conn))
    steps = await read_steps(conn, [case.id for case in book.open()])
    ladder = Escalation(default(), reading(100), book.open(), steps)
    assert ladder.moved == []
    assert ladder.next_in_s(reading(100)) == had.ladder.next_in_s(reading(100))
    assert ladder.fire(reading(700)) == had.ladder.fire(reading(700)) != []
    calm = [Sight(plant.sources[0], plant.enterprises[0], Colour.BLUE, at(800))]
    assert book.see(calm, at(800)) == had.book.see(calm, at(800)) != []


async def test_known_are_all_open_cases_and_the_newest_closed_one_of_every_source(
    conn: Connection, plant: Plant
):
    (first,), (other,) = (shift(plant, source, until=0).changes for source in (0, 1))

    def numbered(change: CaseTransition, number: int, closed: datetime | None) -> CaseTransition:
        state = CaseState.OPEN if closed is None else CaseState.CLOSED
        name = unique((change.case.source, number))
        case = replace(change.case, id=name, number=number, state=state, closed=closed)
        return replace(change, case=case)

    mine = [numbered(first, number, at(number)) for number in (8, 9, 10)]
    still = numbered(first, 11, None)
    others = [numbered(other, number, at(number)) for number in (2, 1)]
    await write_case_transitions(conn, [*mine, still, *others])
    assert await read_known_cases(conn) == [mine[2].case, still.case, others[0].case]


async def test_without_cases_there_is_nothing_to_read(conn: Connection):
    assert await read_known_cases(conn) == []
    assert await read_steps(conn, []) == []
    assert await read_steps(conn, [unique("nobody's")]) == []


async def test_rungs_are_those_of_the_cases_asked_for(conn: Connection, plant: Plant):
    one, other = (shift(plant, source, until=0) for source in (0, 1))
    await write_steps(conn, [*one.steps, *other.steps])
    assert await read_steps(conn, [other.case.id]) == other.rungs
    both = await read_steps(conn, [one.case.id, other.case.id])
    assert len(both) == len(one.rungs + other.rungs)


async def test_every_transition_is_in_the_journal_once_with_the_case_after_it(
    conn: Connection, plant: Plant
):
    had = shift(plant)
    for changes in (had.changes[2:], had.changes, had.changes[:2]):
        await write_case_transitions(conn, changes)
    rows = await ask(
        conn,
        "SELECT n, at, event, from_state, to_state, before, by, comment, body->'n', body->'colour',"
        " body->'receipts'->0->>'comment' FROM case_event WHERE case_id = %s ORDER BY n",
        had.case.id,
    )
    red, yellow, blue = Colour.RED, Colour.YELLOW, Colour.BLUE
    assert rows == [
        (1, at(0), "rise", "closed", "open", blue, None, None, 1, red, None),
        (2, at(60), "receive", "open", "received", red, "李工", "去现场", 2, red, "去现场"),
        (3, at(1800), "fall", "received", "received", red, None, None, 3, yellow, "去现场"),
        (4, at(2400), "calm", "received", "received", yellow, None, None, 4, blue, "去现场"),
        *(
            (n, at(2000 + 100 * n), event, before, after, blue, by, said, n, blue, "去现场")
            for n, event, before, after, by, said in (
                (5, "handle", "received", "handled", "李工", "带班去现场"),
                (6, "feedback", "handled", "fed_back", "李工", "阀门已关闭"),
                (7, "approve", "fed_back", "reviewed", "陈", "看过"),
                (8, "propose", "reviewed", "reviewed", "陈", "处置完毕"),
                (9, "close", "reviewed", "closed", "吴", "处置完毕"),
            )
        ),
    ]
    photo: dict[str, object] = {"id": str(unique("photo")), "name": "阀.jpg", "type": "image/jpeg"}
    files = [photo | {"size": 3, "sha256": "ab"}]
    told = await ask(
        conn, "SELECT n, at, by, level, colour, text, reading, person, files FROM case_feedback"
    )
    assert told == [(6, at(2600), "李工", 0, blue, "阀门已关闭", "GD-1 12 ppm", "王班长", files)]
    closing = "SELECT closing, closed_by, second_by, reviewed_by FROM warning_case"
    assert await ask(conn, closing) == [("real", "陈", "吴", "陈")]


async def test_an_older_state_of_a_case_never_replaces_a_newer_one(conn: Connection, plant: Plant):
    first, second, third, fourth, *_ = shift(plant).changes
    for changes in ([third], [first], [second]):
        await write_case_transitions(conn, changes)
        assert await read_known_cases(conn) == [third.case]
    await write_case_transitions(conn, [fourth, first])
    assert await read_known_cases(conn) == [fourth.case]


async def test_a_closed_case_is_never_opened_again_whatever_an_old_spool_says(
    conn: Connection, plant: Plant
):
    *_, third, fourth = shift(plant).changes
    await write_case_transitions(conn, [fourth])
    stale = replace(third, case=replace(third.case, n=fourth.case.n + 7))
    await write_case_transitions(conn, [stale])
    assert await read_known_cases(conn) == [fourth.case]


async def test_rungs_that_are_written_again_from_any_point_end_as_they_were(
    conn: Connection, plant: Plant
):
    """A spool may be read again from somewhere in its last segment, after newer direct writes."""
    had = shift(plant)
    await write_steps(conn, had.steps)
    for start, end in product(range(0, len(had.steps) + 4, 4), repeat=2):
        await write_steps(conn, had.steps[start:end])
        assert await read_steps(conn, [had.case.id]) == had.rungs


async def test_a_rung_with_an_outcome_never_waits_again_within_one_commit_either(
    conn: Connection, plant: Plant
):
    waiting = shift(plant, until=0).steps[-1]
    assert waiting.outcome is Outcome.WAITING
    told = replace(waiting, outcome=Outcome.TOLD, done=at(900), clock=Level.CITY, since=1)
    unnamed = replace(told, unnamed=True)
    for outcome in (told, unnamed):
        await write_steps(conn, [outcome, waiting])
        assert await read_steps(conn, [waiting.case]) == [outcome]


async def test_a_timer_that_went_over_to_another_machine_does_not_go_back(
    conn: Connection, plant: Plant
):
    """What is still to go decides: the wall clock of the new machine may lie behind."""
    before = shift(plant, until=0).steps[-1]
    moved = replace(before, left_s=before.left_s - 40, mark=reading(-3600, "b2"), due=at(-3000))
    for step, expected in ((before, before), (moved, moved), (before, moved)):
        await write_steps(conn, [step])
        assert await read_steps(conn, [before.case]) == [expected]


async def test_names_and_comments_that_postgres_cannot_keep_are_replaced(
    conn: Connection, plant: Plant
):
    had = shift(plant, until=60)
    change, step = had.changes[-1], had.steps[-1]
    signed = replace(change.case.receipts[0], by="l\x00i", comment="\ud800")
    told = Feedback("l\x00i", at(61), 2, Level.PARK, Colour.RED, "\x00", "\ud800", "p\x00")
    case = replace(change.case, receipts=(signed,), released=at(70), released_by="c\x00")
    fed_back = replace(case, n=8, loop=replace(case.loop, feedback=told))
    await write_case_transitions(conn, [replace(change, case=case, by="l\x00i", comment="\ud800")])
    await write_case_transitions(conn, [replace(change, case=fed_back, event="feedback")])
    await write_steps(conn, [replace(step, by="l\x00i", mark=replace(step.mark, boot="\ud800"))])
    await write_risks(conn, [replace(risk(plant, 0), version="\x00")])
    (found,) = await read_known_cases(conn)
    assert found.receipts == (replace(signed, by="l\ufffdi", comment="?"),)
    assert found.released_by == "c\ufffd"
    (rung,) = await read_steps(conn, [case.id])
    assert (rung.by, rung.mark.boot) == ("l\ufffdi", "?")
    assert found.loop.feedback is not None
    assert (found.loop.feedback.by, found.loop.feedback.text) == ("l\ufffdi", "\ufffd")
    said = await ask(conn, "SELECT by, text, reading, person FROM case_feedback")
    assert said == [("l\ufffdi", "\ufffd", "?", "p\ufffd")]
    rows = await ask(
        conn, "SELECT by, comment, body->'receipts'->0->>'by' FROM case_event WHERE n < 8"
    )
    assert rows == [("l\ufffdi", "?", "l\ufffdi")]
    assert await ask(conn, "SELECT version FROM source_risk") == [("\ufffd",)]


async def test_the_risk_of_a_source_is_kept_with_its_explanation(conn: Connection, plant: Plant):
    await write_risks(conn, [risk(plant, 2)])
    plain = {"tag": None, "input": None, "note": None}
    rows = await ask(
        conn,
        "SELECT source, enterprise, at, colour, unknown, score, maybe_test, floors, reasons,"
        " version FROM source_risk",
    )
    assert rows == [
        (
            plant.sources[0],
            plant.enterprises[0],
            at(2),
            3,
            False,
            87.65,
            True,
            [{"floor": "F1", "colour": 3, "by": []}, {"floor": "LOSS", "colour": 1, "by": []}],
            [
                {"part": "B", "points": 15.0, "alarm": None} | plain,
                {"part": "A", "points": 87.0, "alarm": str(unique("gas"))} | plain,
                {"part": None, "points": -14.35, "alarm": None} | plain,
            ],
            "2026-1",
        )
    ]


async def test_of_a_risk_the_last_word_counts_also_when_the_clock_was_set_back(
    conn: Connection, plant: Plant
):
    first, earlier = risk(plant, 2), risk(plant, 1, Colour.BLUE)
    other = replace(first, source=plant.sources[1], colour=Colour.ORANGE, unknown=True)
    members = "SELECT colour, unknown FROM source_risk ORDER BY source"
    await write_risks(conn, [earlier, first, other])
    assert await ask(conn, members) == [(3, False), (2, True)]
    await write_risks(conn, [earlier])
    assert await ask(conn, members) == [(0, False), (2, True)]


async def test_a_notice_knows_the_rung_it_is_of(conn: Connection, plant: Plant):
    of_rung, of_alarm = shift(plant, until=0).notices[1], notice(transition(plant, 0))
    await notices.insert_notices(conn, [replace(of_rung, step=2), of_alarm])
    found = await notices.due_notices(conn, at(1))
    assert {due.notice.step for due in found} == {2, None}
    assert {due.notice.id: due.notice for due in found} == {
        of_rung.id: replace(of_rung, step=2),
        of_alarm.id: of_alarm,
    }


async def test_a_notice_that_was_withdrawn_is_not_tried_again(conn: Connection, plant: Plant):
    first, second, third = (notice(transition(plant, second)) for second in (1, 2, 3))
    assert not await said(conn, first, "withdrawn", 4)
    await notices.insert_notices(conn, [first, second, third])
    assert await said(conn, first, "failed", 1, "503", 1.5)
    assert await said(conn, first, "withdrawn", 4)
    assert await said(conn, first, "withdrawn", 5)
    assert await notices.next_due(conn) == at(2)
    assert [due.notice for due in await notices.due_notices(conn, at(99))] == [second, third]
    assert await said(conn, second, "delivered", 2)
    assert await said(conn, third, "given up", 3, "gone")
    assert await said(conn, second, "withdrawn", 4)
    assert await said(conn, third, "withdrawn", 4)
    members = "SELECT attempts, delivered, failed, withdrawn, error FROM notice ORDER BY created"
    assert await ask(conn, members) == [
        (1, None, None, at(4), "503"),
        (1, at(2), None, None, None),
        (1, None, at(3), None, "gone"),
    ]


async def test_the_index_of_open_notices_serves_the_question_and_holds_no_others(
    conn: Connection, plant: Plant
):
    await notices.insert_notices(conn, [notice(transition(plant, second)) for second in range(9)])
    await conn.execute("SET enable_seqscan = off")
    asked = "SELECT 1 FROM notice WHERE delivered IS NULL AND failed IS NULL AND withdrawn IS NULL"
    plan = await ask(conn, f"EXPLAIN {asked} AND due <= %s", at(5))
    assert any("notice_open" in str(line) for line in plan)
    (row,) = await ask(conn, "SELECT indexdef FROM pg_indexes WHERE indexname = 'notice_open'")
    assert "withdrawn IS NULL" in str(row[0])


async def test_a_decision_comes_with_the_level_that_the_person_speaks_for(
    conn: Connection, plant: Plant
):
    for number, (verb, level) in enumerate([("acknowledge", None), ("receive", 2)]):
        named = unique(number), str(number), verb, unique("t")
        await conn.execute(ACTION, (*named, plant.enterprises[0], at(number), level))
    assert await pending(conn) == [
        OperatorAction(unique(0), "acknowledge", unique("t"), "李工", None, at(0)),
        OperatorAction(unique(1), "receive", unique("t"), "李工", None, at(1), 2),
    ]


def entries(plant: Plant) -> list[Entry]:
    """A shift in two entries, the first with every alarm part there is."""
    begun, whole = shift(plant, until=60), shift(plant)
    alarm = transition(plant, 0)
    red, blue = risk(plant, 0), risk(plant, 2400, Colour.BLUE)
    told = [warning_event(default(), change, whole.rungs) for change in whole.changes]
    cases, steps, sent = len(begun.changes), len(begun.steps), len(begun.notices)
    return [
        Entry(
            1,
            (alarm,),
            (event(alarm), *told[:cases], risk_event(red, Colour.BLUE)),
            (notice(alarm), *whole.notices[:sent]),
            (ActionDone(unique("sign"), at(60), {"transition": {"by": "李工"}}),),
            cases=tuple(begun.changes),
            steps=tuple(begun.steps),
            risks=(red,),
        ),
        Entry(
            2,
            events=(*told[cases:], risk_event(blue, Colour.RED)),
            notices=tuple(whole.notices[sent:]),
            cases=tuple(whole.changes[cases:]),
            steps=tuple(whole.steps[steps:]),
            risks=(blue,),
        ),
    ]


async def is_all_there(conn: Connection, plant: Plant, offered: Sequence[Entry]) -> None:
    """What is read is what the entries say in the end, each thing once."""
    had = shift(plant)
    assert await read_known_cases(conn) == [had.case]
    assert await read_steps(conn, [had.case.id]) == had.rungs
    open_notices = [due.notice for due in await notices.due_notices(conn, at(9999))]
    expected = {one.id: one for entry in offered for one in entry.notices}
    assert len(open_notices) == len(expected)
    assert {one.id: one for one in open_notices} == expected
    assert await ask(conn, "SELECT colour, at FROM source_risk") == [(0, at(2400))]
    assert await ask(conn, "SELECT n FROM case_event ORDER BY n") == [(n,) for n in range(1, 10)]
    told = sum(len(entry.events) for entry in offered)
    assert await ask(conn, "SELECT count(*), max(seq) FROM outbox") == [(told, told)]
    assert await ask(conn, "SELECT done_at FROM operator_action") == [(at(60),)]


@pytest.fixture
async def offered(site: Site, conn: Connection) -> list[Entry]:
    """`entries`, and the 签收 that the first of them answers."""
    case, owner = shift(site.plant).case.id, site.plant.enterprises[0]
    await conn.execute(ACTION, (unique("sign"), "k", "receive", case, owner, START, 0))
    return entries(site.plant)


async def test_an_entry_with_all_its_parts_is_committed_directly_and_twice_is_as_once(
    site: Site, conn: Connection, offered: list[Entry]
):
    fence = await leased(site.url)
    await site.write(fence.epoch, *offered)
    once = await site.everything()
    again = [replace(one, number=number) for number, one in enumerate(offered, 3)]
    ears = await site.write(fence.epoch, *again)
    assert ears.stored_numbers == [3, 4]
    assert await site.everything() == once
    await is_all_there(conn, site.plant, offered)


async def test_an_entry_with_all_its_parts_goes_through_the_spool_while_the_database_is_away(
    site: Site, conn: Connection, offered: list[Entry]
):
    fence = await leased(site.url)
    await site.write(fence.epoch, *offered, url=NOWHERE)
    assert await read_known_cases(conn) == []
    await site.recover(fence.epoch)
    await is_all_there(conn, site.plant, offered)


async def test_a_spool_that_comes_again_after_newer_entries_takes_nothing_back(
    site: Site, conn: Connection, offered: list[Entry]
):
    fence = await leased(site.url)
    await site.write(fence.epoch, offered[0], url=NOWHERE)
    copy = {path: path.read_bytes() for path in site.folder.glob("*.spool")}
    await site.recover(fence.epoch)
    await site.write(fence.epoch, offered[1])
    before = await site.everything()
    for path, content in copy.items():
        path.write_bytes(content)
    await site.recover(fence.epoch)
    await site.write(fence.epoch, Entry(3, risks=offered[1].risks))
    assert await site.everything() == before
    await is_all_there(conn, site.plant, offered)


async def test_a_case_of_a_source_that_is_nobodys_is_set_aside_and_the_rest_goes_on(
    site: Site, conn: Connection
):
    good = shift(site.plant, until=0)
    change = good.changes[0]
    strange = replace(change, case=replace(change.case, id=unique("strange"), source=404))
    ears, fence = Ears(), await leased(site.url)
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        book.put(Entry(1, cases=(strange,), steps=tuple(good.steps)))
        book.put(Entry(2, cases=tuple(good.changes)))
        await ears.until_stored(1)
    assert ears.stored_numbers == [2]
    assert len(list(site.folder.glob("*.rejected"))) == 1
    assert await read_known_cases(conn) == [good.case]
    assert await read_steps(conn, [good.case.id]) == []
