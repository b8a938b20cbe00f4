"""What the worker asks of the store besides the journal."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from domain.alarms import ActionDone, Alarm, State
from domain.clock import SystemClock
from domain.frame import Frame, Lane
from domain.instant import micros
from storage import dirty, notices, outbox, snapshots
from storage.actions import pending, write_results
from storage.alarms import read_known, read_open, replace_replay, write_transitions
from storage.database import (
    Connection,
    DatabaseAway,
    DatabaseOptions,
    connect,
    is_away,
    link,
    pool,
    server_facts,
)
from storage.lease import Fence, LeaseLost, give_up, look, renew, take, take_when_free
from storage.listen import listen
from storage.outbox import append_events
from storage.partitions import partitions
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.journaling import (
    DEADLINE_S,
    ask,
    event,
    leased,
    notice,
    said,
    transition,
    unique,
)
from tests.support.seed import Plant, Seed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def plant(database_url: str) -> Plant:
    return Seed(database_url).plant()


@pytest.fixture
async def conn(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as connection:
        yield connection


async def test_a_lease_has_one_holder_and_every_take_a_new_epoch(conn: Connection):
    first = await take(conn, "main", "a", START, MINUTE)
    assert first == Fence("main", 1)
    assert await take(conn, "main", "b", at(59), MINUTE) is None
    assert await take(conn, "main", "a", at(1), MINUTE) == Fence("main", 2)
    with pytest.raises(LeaseLost, match="epoch 1 is over"):
        await renew(conn, first, at(2), MINUTE)
    assert await take(conn, "main", "b", at(61), MINUTE) is None
    seen = await look(conn, "main")
    assert await take(conn, "main", "b", at(61), MINUTE, seen) == Fence("main", 3)
    assert await take(conn, "main", "c", at(61), MINUTE, seen) is None
    assert await take(conn, "other", "a", START, MINUTE) == Fence("other", 1)


async def test_a_renewed_lease_holds_and_one_given_up_is_free_at_once(conn: Connection):
    fence = await take(conn, "main", "a", START, MINUTE)
    assert fence is not None
    await renew(conn, fence, at(50), MINUTE)
    assert await take(conn, "main", "b", at(100), MINUTE) is None
    await give_up(conn, fence, at(100))
    assert await take(conn, "main", "b", at(100), MINUTE) == Fence("main", 2)


async def test_a_take_over_waits_for_the_transaction_that_passed_the_fence(
    conn: Connection, database_url: str
):
    fence = await leased(database_url)
    async with await connect(DatabaseOptions(database_url)) as rival, asyncio.TaskGroup() as tasks:
        async with conn.transaction():
            await fence.check(conn)
            taking = tasks.create_task(take(rival, "main", "here", START, MINUTE))
            blocked = "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted"
            async with (
                asyncio.timeout(DEADLINE_S),
                await connect(DatabaseOptions(database_url)) as watcher,
            ):
                while not (await ask(watcher, blocked))[0][0]:
                    assert not taking.done()
        assert await taking == Fence("main", 2)
    with pytest.raises(LeaseLost):
        await fence.check(conn)


async def test_who_waits_for_a_lease_gets_it_when_it_has_run_out(
    conn: Connection, database_url: str
):
    await take(conn, "main", "a", START, MINUTE)
    clock = Impatient(START)
    fence = await take_when_free(DatabaseOptions(database_url), "main", "b", clock, MINUTE)
    assert fence == Fence("main", 2)
    assert clock.now() == at(60)


class Impatient(ManualClock):
    """A clock on which every sleep is over at once, and took as long as it should."""

    async def sleep(self, seconds: float) -> None:
        await self.advance(seconds)


async def test_open_occurrences_are_read_back_as_they_were(conn: Connection, plant: Plant):
    raised = [transition(plant, second) for second in (3, 1, 2)]
    closed = transition(plant, 4)
    closed = replace(closed, alarm=replace(closed.alarm, state=State.NORM, closed=at(9)))
    replayed = transition(plant, 5)
    replayed = replace(replayed, alarm=replace(replayed.alarm, id=unique("r"), lane=Lane.REPLAY))
    full = replace(
        raised[0].alarm, comment="seen", acknowledged_by="li", acknowledged_at=at(4), ended=at(3.5)
    )
    await write_transitions(conn, [*raised, closed, replayed])
    await write_transitions(conn, [replace(raised[0], alarm=replace(full, n=2, onset_last=at(2)))])
    found = await read_open(conn, plant.enterprises)
    expected = [raised[1].alarm, raised[2].alarm, replace(full, n=2, onset_last=at(2))]
    assert [repr(alarm) for alarm in found] == [repr(alarm) for alarm in expected]
    assert await read_open(conn, [plant.enterprises[1]]) == []
    assert repr(await read_open(conn)) == repr(found)
    recent = await read_known(conn, None, at(8))
    assert len(recent) == 4
    assert repr(await read_known(conn, plant.enterprises, at(8))) == repr(recent)
    assert await read_known(conn, [plant.enterprises[1]], at(8)) == []


async def test_a_range_judged_again_replaces_its_replay_occurrences_and_nothing_else(
    conn: Connection, plant: Plant, database_url: str
):
    fence = await leased(database_url)

    def replayed(second: float) -> Alarm:
        alarm = transition(plant, second).alarm
        return replace(alarm, id=unique(second), lane=Lane.REPLAY, state=State.NORM)

    live = transition(plant, 15)
    await write_transitions(conn, [live])
    tag = plant.tags[0][0]
    before = [replayed(second) for second in (5, 10, 15, 20, 25)]
    await replace_replay(conn, fence, tag, START, at(100), before)
    judged = [replayed(12), replayed(20)]
    await replace_replay(conn, fence, tag, at(10), at(20), judged, [event(live)])
    rows = await ask(conn, "SELECT id FROM alarm WHERE lane = 1 ORDER BY onset")
    assert [row[0] for row in rows] == [unique(second) for second in (5, 12, 20, 25)]
    assert await ask(conn, "SELECT id FROM alarm WHERE lane = 0") == [(live.alarm.id,)]
    assert await ask(conn, "SELECT seq FROM outbox") == [(1,)]
    await leased(database_url)
    with pytest.raises(LeaseLost):
        await replace_replay(conn, fence, tag, START, at(100), [])
    assert await ask(conn, "SELECT count(*) FROM alarm") == [(5,)]


async def test_places_in_the_stream_are_without_gaps_and_visible_in_order(
    conn: Connection, plant: Plant, database_url: str
):
    """Whoever has seen n has seen all below n, though several append at once."""
    events = [[event(transition(plant, 100 * w + n)) for n in range(40)] for w in range(4)]
    seen: list[int] = []

    async def append(mine: list[Any]) -> None:
        async with await connect(DatabaseOptions(database_url)) as own:
            for one in mine:
                async with own.transaction():
                    await append_events(own, [one, mine[0]])

    async with asyncio.TaskGroup() as tasks:
        for mine in events:
            tasks.create_task(append(mine))
        while len(seen) < 160:
            rows = await ask(conn, "SELECT seq FROM outbox WHERE seq > %s ORDER BY seq", len(seen))
            seen += [int(str(row[0])) for row in rows]
            assert seen == list(range(1, len(seen) + 1))


async def test_who_is_frozen_while_it_gives_out_places_is_cut_off(
    conn: Connection, plant: Plant, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    """Between the statements of a pipeline no limit on idle sessions and statements counts."""
    if (await server_facts(conn)).version < 170000:
        pytest.skip("a server before 17 has no limit that reaches who is frozen so")
    monkeypatch.setattr(outbox, "HELD_S", 0.3)
    first, second = (event(transition(plant, n)) for n in range(2))
    with pytest.raises(psycopg.OperationalError) as cut:  # noqa: PT012  (one transaction, frozen)
        async with conn.transaction(), conn.pipeline():
            await append_events(conn, [first])
            async with await connect(DatabaseOptions(database_url)) as other:
                while not await ask(other, "SELECT FROM pg_locks WHERE locktype = 'advisory'"):
                    pass
                async with asyncio.timeout(10), other.transaction():
                    await append_events(other, [second])
                assert await ask(other, "SELECT id FROM outbox") == [(second.id,)]
    assert is_away(cut.value)


async def test_a_notice_is_due_until_it_arrives_or_is_given_up(conn: Connection, plant: Plant):
    three = [notice(transition(plant, second)) for second in (1, 2, 3)]
    await notices.insert_notices(conn, three)
    await notices.insert_notices(conn, three)
    assert await notices.due_notices(conn, at(0)) == []
    assert await notices.next_due(conn) == at(1)
    due = await notices.due_notices(conn, at(2))
    assert due == [notices.DueNotice(three[0], 0), notices.DueNotice(three[1], 0)]
    assert await said(conn, three[0], "failed", 1, "503", 60)
    assert await said(conn, three[1], "delivered", 2)
    assert await said(conn, three[2], "given up", 3, "gone")
    assert await notices.due_notices(conn, at(59)) == []
    assert await notices.due_notices(conn, at(60)) == [notices.DueNotice(three[0], 1)]
    await said(conn, three[0], "delivered", 61)
    assert await notices.next_due(conn) is None
    assert await said(conn, three[0], "failed", 62, "too late", 99)
    rows = await ask(conn, "SELECT attempts, delivered, failed, error FROM notice ORDER BY created")
    assert rows == [(2, at(61), None, None), (1, at(2), None, None), (1, None, at(3), "gone")]


async def test_a_result_of_a_notice_that_is_not_there_yet_is_not_taken(
    conn: Connection, plant: Plant
):
    """Its row may still lie in the spool when the notice itself has arrived."""
    one = notice(transition(plant, 1))
    assert not await said(conn, one, "delivered", 2)
    assert not await said(conn, one, "failed", 2, "503", 30)
    assert not await said(conn, one, "given up", 2, "gone")
    await notices.insert_notices(conn, [one])
    assert await said(conn, one, "delivered", 3)
    assert await said(conn, one, "delivered", 4)
    assert await ask(conn, "SELECT attempts, delivered FROM notice") == [(1, at(3))]


async def test_decisions_wait_in_order_and_are_answered_once(conn: Connection, plant: Plant):
    one, two = plant.enterprises
    for number, enterprise in enumerate([one, two, one]):
        await conn.execute(
            "INSERT INTO operator_action (id, key, by, verb, target, enterprise, requested_at)"
            " VALUES (%s, %s, 'li', 'acknowledge', %s, %s, %s)",
            (unique(number), str(number), unique("t"), enterprise, at(9 - number)),
        )
    waiting = await pending(conn, [one])
    assert [(action.id, action.by, action.at) for action in waiting] == [
        (unique(2), "li", at(7)),
        (unique(0), "li", at(9)),
    ]
    assert [action.id for action in await pending(conn)] == [unique(2), unique(1), unique(0)]
    await write_results(conn, [ActionDone(unique(0), at(10), {"transition": {"n": 2}})])
    await write_results(conn, [ActionDone(unique(0), at(11), {"already": {}})])
    assert [action.id for action in await pending(conn, [one])] == [unique(2)]
    rows = await ask(conn, "SELECT result FROM operator_action WHERE done_at = %s", at(10))
    assert rows == [({"transition": {"n": 2}},)]


async def test_of_decisions_that_wait_none_is_left_out_however_many_there_are(
    conn: Connection, plant: Plant
):
    """The worker tells new ones from applied ones by what waited a moment ago: what falls out of
    sight while it waits is applied twice, and what is never seen is never applied."""

    async def decide(first: int, last: int) -> None:
        await conn.execute(
            "INSERT INTO operator_action (id, key, by, verb, target, enterprise, requested_at)"
            " SELECT gen_random_uuid(), n::text, 'li', 'acknowledge', gen_random_uuid(), %s,"
            " timestamptz '2026-01-01Z' + n * interval '1 ms'"
            " FROM generate_series(%s::int, %s::int) n",
            (plant.enterprises[0], first, last),
        )

    await decide(1, 3000)
    before = await pending(conn)
    assert len(before) == 3000
    await decide(-5, 0)  # from an api whose clock is behind
    after = await pending(conn)
    assert [one.id for one in after[6:]] == [one.id for one in before]


async def test_the_last_snapshot_is_kept_under_the_fence(conn: Connection, database_url: str):
    assert await snapshots.load(conn, "main") is None
    fence = await leased(database_url)
    stamp = micros(START)
    await snapshots.save(conn, fence, stamp, b"\x00first", at(1))
    await snapshots.save(conn, fence, stamp + 1, b"second", at(2))
    expected = snapshots.Snapshot(stamp + 1, at(2), b"second")
    assert await snapshots.load(conn, "main") == expected
    await leased(database_url)
    with pytest.raises(LeaseLost):
        await snapshots.save(conn, fence, stamp + 2, b"third", at(3))
    assert await snapshots.load(conn, "main") == expected


async def test_a_dirty_range_is_taken_when_quiet_and_stays_when_more_came(
    conn: Connection, plant: Plant
):
    (mine, _), (others, _) = plant.tags
    await mark(conn, [(mine, 1, 2, 5), (others, 1, 2, 5)])
    one = [plant.enterprises[0]]
    assert await dirty.quiet_ranges(conn, one, at(4)) == []
    found = await dirty.quiet_ranges(conn, one, at(5))
    assert found == [dirty.DirtyRange(mine, at(1), at(2), at(5))]
    assert len(await dirty.quiet_ranges(conn, None, at(5))) == 2
    await mark(conn, [(mine, 1, 2, 16)])
    assert not await dirty.clean(conn, found[0])
    (again,) = await dirty.quiet_ranges(conn, one, at(16))
    assert await dirty.clean(conn, again)
    assert await dirty.quiet_ranges(conn, one, at(99)) == []


HOUR = 3600


async def mark(conn: Connection, marks: list[tuple[int, float, float, float]]) -> None:
    """Tag, and seconds after START: from, to, marked at."""
    await dirty.mark(
        conn,
        [
            (tag, micros(at(begin)), micros(at(end)), micros(at(marked)))
            for tag, begin, end, marked in marks
        ],
    )


async def ranges(conn: Connection) -> list[tuple[float, ...]]:
    """Seconds after START: from, to, marked at."""
    found = await conn.execute("SELECT time_from, time_to, marked_at FROM dirty_range ORDER BY 1")
    return [tuple((said - START).total_seconds() for said in row) for row in await found.fetchall()]


async def test_late_samples_that_lie_far_apart_do_not_become_one_range(
    conn: Connection, plant: Plant
):
    tag = plant.tags[0][0]
    year = 365 * 24 * HOUR
    await mark(conn, [(tag, 0, 10, 20), (tag, -year, -year, 20)])
    assert await ranges(conn) == [(-year, -year, 20), (0, 10, 20)]
    await mark(conn, [(tag, 10 + HOUR, 5000, 21), (tag, -1, -1, 19)])
    assert await ranges(conn) == [(-year, -year, 20), (-1, 5000, 21)]
    await mark(conn, [(tag, 5001 + HOUR, 5001 + HOUR, 22)])
    assert len(await ranges(conn)) == 3


async def test_a_long_range_is_taken_in_pieces_the_oldest_first(
    conn: Connection, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dirty, "LONGEST_PIECE", dirty.PIECE)
    tag = plant.tags[0][0]
    await mark(conn, [(tag, 0, 14 * HOUR, 1), (tag, 20 * HOUR, 20 * HOUR, 2)])
    pieces = []
    while found := await dirty.quiet_ranges(conn, None, at(99)):
        (piece,) = found
        pieces.append((piece.begin, piece.end))
        assert await dirty.clean(conn, piece)
        assert not await dirty.clean(conn, piece)
    hours = [(0, 6), (6, 12), (12, 14), (20, 20)]
    assert pieces == [(at(begin * HOUR), at(end * HOUR)) for begin, end in hours]


async def test_a_piece_is_longer_where_it_has_few_samples(
    conn: Connection, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dirty, "SAMPLES", 20)
    tag = plant.tags[0][0]
    rows = [(tag, at(n * HOUR)) for n in range(100)]
    times = np.array([micros(time) for _, time in rows])
    await partitions(await server_facts(conn)).cover(conn, times, at(0))
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO sample VALUES (%s, %s, 1, 192, 3, '2026-01-01Z')", rows
        )
    await mark(conn, [(tag, 0, 99 * HOUR, 1)])
    ends = []
    while found := await dirty.quiet_ranges(conn, None, at(99)):
        ends.append(found[0].end)
        assert await dirty.clean(conn, found[0])
    assert ends == [at(hours * HOUR) for hours in (21, 42, 63, 84, 99)]


async def test_late_data_does_not_wait_behind_years(conn: Connection, plant: Plant):
    tag, other = plant.tags[0]
    await mark(conn, [(tag, 0, 9000 * HOUR, 1), (other, 0, HOUR, 50)])
    first, second = await dirty.quiet_ranges(conn, None, at(99))
    assert (first.tag, second.tag) == (other, tag)
    assert second.end == at(0) + dirty.LONGEST_PIECE


async def test_a_piece_whose_range_was_marked_meanwhile_stays(conn: Connection, plant: Plant):
    tag = plant.tags[0][0]
    await mark(conn, [(tag, 0, 14 * HOUR, 1)])
    (piece,) = await dirty.quiet_ranges(conn, None, at(99))
    await mark(conn, [(tag, 13 * HOUR, 15 * HOUR, 2)])
    assert not await dirty.clean(conn, piece)
    assert await ranges(conn) == [(0, 15 * HOUR, 2)]


async def test_a_tag_with_too_many_ranges_joins_those_that_are_nearest(
    conn: Connection, plant: Plant
):
    tag, other = plant.tags[0]
    far = [(tag, n * 10 * HOUR, n * 10 * HOUR, n) for n in range(dirty.MOST)]
    await mark(conn, [*far, (other, 0, 0, 0)])
    assert len(await ranges(conn)) == dirty.MOST + 1
    await mark(conn, [(tag, 13 * HOUR, 13 * HOUR, 7), (tag, 52 * HOUR, 52 * HOUR, 8)])
    found = await ranges(conn)
    assert len(found) == dirty.MOST + 1
    assert (10 * HOUR, 13 * HOUR, 7) in found
    assert (50 * HOUR, 52 * HOUR, 8) in found


async def test_listening_goes_on_after_the_connection_was_lost(conn: Connection, database_url: str):
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    options = DatabaseOptions(database_url, application="listener")

    def wake(channel: str, payload: str) -> None:
        heard.put_nowait((channel, payload))

    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(options, ["one", "two"], wake, SystemClock()))
        assert [await heard.get(), await heard.get()] == [("one", ""), ("two", "")]
        await conn.execute("NOTIFY two, 'x'")
        assert await heard.get() == ("two", "x")
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'listener'"
        )
        assert [await heard.get(), await heard.get()] == [("one", ""), ("two", "")]
        await conn.execute("NOTIFY one, 'y'")
        assert await heard.get() == ("one", "y")
        listening.cancel()


async def test_a_quiet_listener_asks_whether_it_is_still_connected(
    conn: Connection, database_url: str
):
    options = DatabaseOptions(database_url, application="listener")
    asked = (
        "SELECT count(*) = 1 FROM pg_stat_activity"
        " WHERE application_name = 'listener' AND query LIKE '%%SELECT 1%%'"
    )
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
        work = listen(options, ["one"], lambda *_: None, SystemClock(), quiet_s=0.01)
        listening = tasks.create_task(work)
        while not (await ask(conn, asked))[0][0]:
            pass
        listening.cancel()


async def test_a_server_that_says_nothing_counts_as_away(database_url: str):
    options = DatabaseOptions(database_url, answer_s=0.2)
    async with asyncio.timeout(DEADLINE_S), link(options) as line:
        with pytest.raises(DatabaseAway):
            await line.run(lambda conn: ask(conn, "SELECT pg_sleep(60)"))
        assert await line.run(lambda conn: ask(conn, "SELECT 1")) == [(1,)]


async def test_a_connection_that_broke_is_opened_again_and_the_work_done(
    conn: Connection, database_url: str
):
    async with link(DatabaseOptions(database_url)) as line:
        own = "SELECT pg_backend_pid()"
        (pid,) = (await line.run(lambda mine: ask(mine, own)))[0]
        await conn.execute("SELECT pg_terminate_backend(%s)", (pid,))
        (other,) = (await line.run(lambda mine: ask(mine, own)))[0]
    assert other != pid


async def test_a_pool_gives_connections_in_utc(database_url: str):
    async with (
        pool(DatabaseOptions(database_url), 2) as connections,
        connections.connection() as one,
    ):
        assert await ask(one, "SELECT current_setting('timezone')") == [("UTC",)]


async def test_an_instant_comes_back_to_the_microsecond(conn: Connection, database_url: str):
    frame = Frame.of([1], [micros(START) + 1], [1.0], received=micros(START) + 3)
    fence = await leased(database_url)
    await snapshots.save(conn, fence, frame.received, b"", at(0))
    found = await snapshots.load(conn, "main")
    assert found is not None
    assert found.stamp == frame.received


async def test_of_two_states_of_an_alarm_in_one_commit_the_newer_counts(
    conn: Connection, plant: Plant
):
    older, newer = transition(plant, 0), transition(plant, 0, 2)
    odd = replace(newer, alarm=replace(newer.alarm, answered_s=float("nan")))
    await write_transitions(conn, [odd, older])
    assert await ask(conn, "SELECT n, answered_s = 'NaN' FROM alarm") == [(2, True)]
