import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from domain.clock import SystemClock
from domain.frame import Flag, Frame
from domain.instant import SECOND, micros
from ingest.batch import GatewaySays, PlantAlarm, Quarantined
from ingest.ledger import KEEP_RANGES
from storage.batches import BatchStore
from storage.database import Connection, DatabaseOptions, Refused, connect
from storage.days import DAYS_AT_ONCE, day_groups
from storage.entry import decode
from storage.journal import Entry, Journal
from storage.lease import LeaseLost
from storage.ledgers import read_ledgers
from storage.samples import Tally
from storage.spool import Spool, read_records
from storage.writer import Series
from tests.support.builders import START, at, frame
from tests.support.journaling import (
    DEADLINE_S,
    QUICK,
    Ears,
    ask,
    batch,
    entry,
    event,
    journal,
    leased,
    running,
    transition,
    unique,
)
from tests.support.seed import Plant, Seed
from tests.support.servers import Database

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
COUNTS = (
    "SELECT messages_decoded, values_decoded, values_stored, values_duplicate FROM ingest_count"
)
ORPHANS = """
SELECT count(*) FROM sample
WHERE NOT EXISTS (SELECT FROM alarm_event WHERE alarm_event.at = sample.received_at)
"""


@dataclass(frozen=True)
class Site:
    """A database with a plant in it, and a folder for the spool."""

    url: str
    plant: Plant
    folder: Path

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Connection]:
        async with await connect(DatabaseOptions(self.url, application="test")) as conn:
            yield conn

    async def tell(self, statement: LiteralString) -> None:
        async with self.look() as conn:
            await conn.execute(statement)

    async def ask(self, statement: str, *arguments: object) -> Any:
        async with self.look() as conn:
            return await ask(conn, statement, *arguments)

    def entry(self, number: int, samples: int = 3) -> Entry:
        return entry(self.plant, number, samples)

    async def has_exactly(self, entries: int, samples: int = 3) -> None:
        """All of these entries are there, each once, counted once, in an outbox without gaps."""
        values = entries * samples
        assert await self.ask("SELECT count(*) FROM sample") == [(values,)]
        assert await self.ask(COUNTS) == [(entries, values, values, 0)]
        for table in ("alarm", "alarm_event", "notice", "outbox"):
            assert await self.ask(f"SELECT count(*) FROM {table}") == [(entries,)], table
        assert await self.ask("SELECT max(seq), min(seq) FROM outbox") == [(entries, 1)]
        first, last = (await self.ask("SELECT lower(seen), upper(seen) FROM gateway_ledger"))[0]
        assert last - first == entries


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Site:
    return Site(database_url, Seed(database_url).plant(), tmp_path / "spool")


@pytest.fixture
def server(request: pytest.FixtureRequest, database_url: str) -> Database:
    """The server that `database_url` is on."""
    kind = request.node.callspec.params["database_url"]
    on: Database = request.getfixturevalue(kind if kind == "timescale" else "plain_postgres")
    return on


async def test_an_entry_is_safe_and_stored_when_all_of_it_is_in_the_database(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        offered = [site.entry(number) for number in range(4)]
        for one in offered:
            book.put(one)
        await book.flush()
        assert ears.safe == offered
        assert [(said.number, stored.total.stored) for said, stored in ears.stored] == [
            (number, 3) for number in range(4)
        ]
        await site.has_exactly(4)
        assert not book.degraded


async def test_what_a_batch_brings_besides_samples_is_kept_once(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    gateway = site.plant.gateways[0]
    tag = site.plant.tags[0][0]
    said = GatewaySays(gateway, True, "b\x00", None, micros(at(3)))
    odd = Quarantined(unique(1), micros(at(3)), "hw\x00", gateway, None, "why", "\ud800", b"{", 1)
    plant_alarm = PlantAlarm(gateway, "a1", at(2), micros(at(3)), "T\x00", "H", True, {"x": "\x00"})
    first = replace(
        batch(site.plant, 0, frame((1, tag, 1.0))),
        quarantined=(odd, odd),
        states=(said, replace(said, online=False)),
        plant_alarms=(plant_alarm, plant_alarm),
        dirty=((tag, micros(at(5)), micros(at(6))), (tag, micros(at(2)), micros(at(3)))),
    )
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        book.put(Entry(0, batch=first))
        book.put(Entry(1, batch=replace(first, dirty=((tag, micros(at(9)), micros(at(9))),))))
        await book.flush()
    assert await site.ask("SELECT topic, detail FROM quarantine") == [("hw\ufffd", "?")]
    assert await site.ask("SELECT online, boot FROM gateway_state") == [(False, "b\ufffd")]
    assert await site.ask("SELECT tag, body FROM plant_alarm") == [("T\ufffd", {"x": "\ufffd"})]
    assert await site.ask("SELECT tag_id, time_from, time_to, marked_at FROM dirty_range") == [
        (tag, at(2), at(9), at(1))
    ]
    assert await site.ask(COUNTS) == [(2, 2, 1, 1)]


async def test_the_ledger_gathers_what_was_seen_and_the_offsets_of_a_wrong_clock(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    gateway = site.plant.gateways[0]
    parts = [(2, 4, ((2, 4, -7),)), (6, 9, ()), (5, 5, ((5, 5, -7),)), (6, 9, ((6, 9, 3),))]
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        for number, (begin, end, offsets) in enumerate(parts):
            one = batch(site.plant, 0, frame())
            delta = replace(
                one.ledger[0],
                seen=((begin, end),),
                first_seq=2 - number,
                oldest=begin,
                offsets=offsets,
            )
            book.put(Entry(number, batch=replace(one, ledger=(delta,))))
            await book.flush()
            async with site.look() as conn:
                (ledger,) = await read_ledgers(conn, [gateway])
            assert ledger.seen == (((2, 4),), ((2, 4), (6, 9)), ((2, 9),), ((2, 9),))[number]
    assert ledger.offsets == ((2, 5, -7), (6, 9, 3))
    assert (ledger.first_seq, ledger.oldest, ledger.newest_time) == (2, 6, micros(START))


async def test_a_ledger_with_too_many_ranges_forgets_the_lowest_but_for_that_of_the_receipt(
    site: Site,
):
    fence = await leased(site.url)
    one = batch(site.plant, 0, frame())
    halves = [range(0, 1000, 2), range(1000, 2400, 2)]
    async with journal(site.url, site.folder, fence.epoch, Ears()) as book, running(book):
        for number, seqs in enumerate(halves):
            delta = replace(one.ledger[0], seen=tuple((seq, seq) for seq in seqs), first_seq=0)
            book.put(Entry(number, batch=replace(one, ledger=(delta,))))
            await book.flush()
    async with site.look() as conn:
        (ledger,) = await read_ledgers(conn, [site.plant.gateways[0]])
    assert len(ledger.seen) == KEEP_RANGES
    assert ledger.seen[:2] == ((0, 0), (402, 402))
    assert ledger.seen[-1] == (2398, 2398)


async def test_only_the_last_boots_of_a_gateway_are_read_the_newest_last(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        for number in range(6):
            one = batch(site.plant, 0, frame(received=number))
            delta = replace(one.ledger[0], boot=f"b{number}")
            book.put(Entry(number, batch=replace(one, ledger=(delta,))))
            await book.flush()
    async with site.look() as conn:
        found = await read_ledgers(conn, [site.plant.gateways[0]], boots=3)
        assert await read_ledgers(conn, [site.plant.gateways[1]]) == []
    assert [ledger.boot for ledger in found] == ["b3", "b4", "b5"]


async def test_an_older_state_of_an_occurrence_never_replaces_a_newer_one(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    raised, seen = transition(site.plant, 1), transition(site.plant, 1, n=2)
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        for number, changes in enumerate([(seen,), (raised,), (raised, seen)]):
            book.put(Entry(number, changes, tuple(event(change) for change in changes)))
            await book.flush()
    assert await site.ask("SELECT n, state, worst FROM alarm") == [(2, "ACKED", 11.5)]
    assert await site.ask("SELECT n FROM alarm_event ORDER BY n") == [(1,), (2,)]
    assert await site.ask("SELECT seq, body->'n' FROM outbox ORDER BY seq") == [(1, 2), (2, 1)]


async def test_a_batch_is_never_visible_before_its_transitions(site: Site):
    """Samples carry the second of their transition as stamp, so that an orphan can be told."""
    ears = Ears()
    fence = await leased(site.url)

    def stamped(number: int) -> Entry:
        one = site.entry(number)
        assert one.batch is not None
        told = replace(one.batch.frame, received=micros(at(number)))
        return replace(one, batch=replace(one.batch, frame=told))

    async with (
        journal(site.url, site.folder, fence.epoch, ears) as book,
        site.look() as watcher,
        running(book),
    ):
        looks = 0
        for number in range(300):
            book.put(stamped(number))
            if number % 3 == 0:
                looks += 1
                assert await ask(watcher, ORPHANS) == [(0,)]
        while len(ears.safe) < 300:
            assert await ask(watcher, ORPHANS) == [(0,)]
        assert looks == 100


async def test_a_batch_waits_for_alarm_parts_that_are_held_up(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    blocked = "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted"
    async with (
        journal(site.url, site.folder, fence.epoch, ears) as book,
        site.look() as blocker,
        site.look() as watcher,
        running(book),
    ):
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE alarm_event IN ACCESS EXCLUSIVE MODE")
            book.put(site.entry(0))
            book.put(Entry(1, batch=site.entry(1).batch))
            await _until(watcher, blocked)
            # More than enough turns for a batch that does not wait.
            for _ in range(200):
                assert await ask(watcher, "SELECT count(*) FROM sample") == [(0,)]
        await book.flush()
    assert ears.safe_numbers == [0, 1]


async def test_alarm_parts_do_not_wait_for_the_batches_of_earlier_entries(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    async with (
        journal(site.url, site.folder, fence.epoch, ears) as book,
        site.look() as blocker,
        site.look() as watcher,
        running(book),
    ):
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE sample IN ACCESS EXCLUSIVE MODE")
            book.put(site.entry(0))
            book.put(Entry(1, (transition(site.plant, 1),)))
            await _until(watcher, "SELECT count(*) = 2 FROM alarm")
            assert ears.safe == []
        await book.flush()
    assert ears.safe_numbers == [0, 1]


async def test_numbers_rise(site: Site):
    async with journal(NOWHERE, site.folder, 1, Ears()) as book:
        book.put(Entry(5))
        with pytest.raises(ValueError, match="5 comes after 5"):
            book.put(Entry(5))


@pytest.mark.parametrize("part", ["alarms", "batches"])
async def test_who_lost_the_lease_writes_nothing_more(site: Site, part: str):
    ears = Ears()
    old = await leased(site.url)
    await leased(site.url)
    whole = site.entry(0)
    half = replace(whole, batch=None) if part == "alarms" else Entry(0, batch=whole.batch)
    async with journal(site.url, site.folder, old.epoch, ears) as book:
        book.put(half)
        with pytest.raises(ExceptionGroup) as lost:
            await _end(book)
    assert lost.group_contains(LeaseLost)
    assert ears.safe == []
    for table in ("alarm_event", "outbox", "sample", "ingest_count"):
        assert await site.ask(f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_a_bug_ends_the_journal_loudly(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    await site.tell("ALTER TABLE quarantine RENAME TO gone")
    odd = Quarantined(unique(1), micros(at(3)), "hw", None, None, "why", "", b"{", 1)
    one = replace(batch(site.plant, 0, frame()), quarantined=(odd,))
    async with journal(site.url, site.folder, fence.epoch, ears) as book:
        book.put(Entry(0, batch=one))
        with pytest.raises(ExceptionGroup) as crash:
            await _end(book)
    assert crash.group_contains(psycopg.errors.UndefinedTable)
    assert ears.safe == []


def refused(site: Site, number: int, part: str) -> Entry:
    """An entry whose gateway, or whose node, is nobody's."""
    whole = site.entry(number)
    assert whole.batch is not None
    if part == "alarms":
        change = whole.transitions[0]
        return replace(whole, transitions=(replace(change, alarm=replace(change.alarm, node=404)),))
    delta = replace(whole.batch.ledger[0], gateway=404)
    return replace(whole, batch=replace(whole.batch, ledger=(delta,)))


@pytest.mark.parametrize("part", ["alarms", "batches"])
async def test_an_entry_that_the_database_refuses_is_set_aside_and_the_rest_goes_on(
    site: Site, part: str
):
    ears = Ears()
    fence = await leased(site.url)
    metrics = CollectorRegistry()
    async with (
        journal(site.url, site.folder, fence.epoch, ears, registry=metrics) as book,
        running(book),
    ):
        for number in range(6):
            book.put(refused(site, number, part) if number == 3 else site.entry(number))
        await ears.until_stored(5)
        book.put(site.entry(6))
        await ears.until_stored(6)
        assert not book.degraded
    assert ears.safe_numbers == list(range(7))
    assert ears.stored_numbers == [0, 1, 2, 4, 5, 6]
    assert metrics.get_sample_value("hazwatch_spool_rejected") == 1
    assert await site.ask(COUNTS) == [(6, 18, 18, 0)]
    (aside,) = site.folder.glob("*.rejected")
    (kept,) = map(decode, read_records(aside))
    assert kept.epoch < 0
    assert (kept.entry.number, kept.entry.transitions[0].alarm.id) == (
        3,
        site.entry(3).transitions[0].alarm.id,
    )


async def test_a_spool_with_an_entry_that_the_database_refuses_does_not_stop_the_start(site: Site):
    fence = await leased(site.url)
    async with journal(NOWHERE, site.folder, fence.epoch, Ears()) as book, running(book):
        for number in range(5):
            book.put(refused(site, number, "batches") if number == 2 else site.entry(number))
        await book.flush()
    ears = Ears()
    fence = await leased(site.url)
    async with journal(site.url, site.folder, fence.epoch, ears) as book:
        await book.recover()
    assert ears.stored_numbers == [0, 1, 3, 4]


async def test_what_was_set_aside_is_stored_when_its_fault_is_mended_and_it_is_read_again(
    site: Site,
):
    """Its number lies below the mark by then."""
    fence = await leased(site.url)
    ears = Ears()
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        book.put(refused(site, 0, "batches"))
        book.put(site.entry(1))
        await ears.until_stored(1)
    (aside,) = site.folder.glob("*.rejected")
    aside.rename(aside.with_suffix(".spool"))
    await site.tell(
        "INSERT INTO gateway OVERRIDING SYSTEM VALUE SELECT 404, enterprise, 'g404'"
        " FROM gateway LIMIT 1"
    )
    async with journal(site.url, site.folder, fence.epoch, ears) as book:
        await book.recover()
    assert ears.stored_numbers == [1, 0]
    assert await site.ask("SELECT count(*) FROM sample") == [(6,)]


async def test_where_everything_is_refused_the_journal_dies_and_keeps_what_is_left(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("storage.drain.MOST_REJECTED", 3)
    fence = await leased(site.url)
    async with journal(site.url, site.folder, fence.epoch, Ears()) as book:
        for number in range(6):
            book.put(refused(site, number, "batches"))
        with pytest.raises(ExceptionGroup) as crash:
            await _end(book)
    assert crash.group_contains(Refused)
    assert len(list(site.folder.glob("*.rejected"))) == 3
    assert len(list(site.folder.glob("*.spool"))) == 1


def daily(site: Site, number: int, days: int) -> Entry:
    """A message with a sample for each of the last days, up to START, the first of them twice."""
    back = np.append(np.arange(days), days - 1)[::-1]
    one = Frame.of(
        np.full(days + 1, site.plant.tags[0][0], np.int32),
        micros(START) - back * 86_400 * SECOND,
        np.ones(days + 1),
        received=micros(START) + number,
        flags=int(Flag.HISTORY | Flag.HISTORICAL),
    )
    return Entry(number, batch=batch(site.plant, number, one))


async def test_a_message_of_thousands_of_days_is_stored_and_what_comes_after_it(site: Site):
    """On TimescaleDB, 3,679 days are more than one transaction can lock."""
    ears = Ears()
    fence = await leased(site.url)
    tag, day = site.plant.tags[0][0], 86_400
    first_and_last = frame((-3799 * day, tag, 1.0), (0, tag, 1.0))
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        book.put(daily(site, 1, 3800))
        book.put(site.entry(2))
        await ears.until_stored(2)
        book.put(Entry(3, batch=batch(site.plant, 3, first_and_last)))
        book.put(daily(site, 4, 200))
        await ears.until_stored(4)
    assert ears.safe_numbers == [1, 2, 3, 4]
    assert [said.total for _, said in ears.stored] == [
        Tally(3800, 1, 0),
        Tally(3, 0, 0),
        Tally(0, 2, 0),
        Tally(0, 201, 0),
    ]
    assert await site.ask(COUNTS) == [(4, 4007, 3803, 204)]
    assert list(site.folder.glob("*.rejected")) == []


async def test_a_message_of_many_days_that_a_crash_cut_in_two_is_counted_exactly(site: Site):
    fence = await leased(site.url)
    wide = daily(site, 1, 400)
    assert wide.batch is not None
    async with journal(NOWHERE, site.folder, fence.epoch, Ears()) as book, running(book):
        book.put(wide)
        await book.flush()
    async with site.look() as conn:
        some = day_groups(wide.batch.frame.time)[0]
        store = BatchStore(fence, SystemClock())
        await store.get_ready(conn)
        await store.write_ahead(conn, fence.epoch, 1, wide.batch, some)
    assert await site.ask("SELECT count(*) FROM sample") == [(DAYS_AT_ONCE,)]
    ears = Ears()
    async with journal(site.url, site.folder, fence.epoch, ears) as book:
        await book.recover()
    assert [said.total for _, said in ears.stored] == [Tally(400, 1, 0)]
    assert await site.ask(COUNTS) == [(1, 401, 400, 1)]


async def test_while_the_database_is_away_entries_are_safe_on_the_disk_in_order(site: Site):
    ears = Ears()
    async with journal(NOWHERE, site.folder, 1, ears) as book, running(book):
        for number in range(20):
            book.put(site.entry(number))
        await book.flush()
        assert book.degraded
    assert ears.safe_numbers == list(range(20))
    assert ears.stored == []


async def test_a_spool_left_behind_is_brought_in_before_anything_else(site: Site):
    """By the next holder of the lease, under its own epoch, though others numbered the entries."""
    first, second = await leased(site.url), await leased(site.url, "here")
    for fence, numbers in ((first, range(5)), (second, range(5, 12))):
        async with journal(NOWHERE, site.folder, fence.epoch, Ears()) as book, running(book):
            for number in numbers:
                book.put(site.entry(number))
            await book.flush()
    third = await leased(site.url)
    ears = Ears()
    async with journal(site.url, site.folder, third.epoch, ears) as book:
        await book.recover()
        assert ears.stored_numbers == list(range(12))
        assert ears.safe == []
        await site.has_exactly(12)
        async with running(book):
            book.put(site.entry(12))
            await book.flush()
    await site.has_exactly(13)


async def test_a_spool_that_is_drained_twice_changes_nothing_the_second_time(site: Site):
    fence = await leased(site.url)
    async with journal(NOWHERE, site.folder, fence.epoch, Ears()) as book, running(book):
        for number in range(10):
            book.put(site.entry(number))
        await book.flush()
    copy = {path.name: path.read_bytes() for path in site.folder.glob("*.spool")}
    for _ in range(2):
        for name, content in copy.items():
            (site.folder / name).write_bytes(content)
        ears = Ears()
        async with journal(site.url, site.folder, fence.epoch, ears) as book:
            await book.recover()
        assert ears.stored_numbers == list(range(10))
        await site.has_exactly(10)


async def test_entries_of_an_earlier_epoch_are_not_taken_for_known_ones(site: Site):
    """A spool may outlive a take-over: its numbers are its epoch's own."""
    first = await leased(site.url)
    async with journal(NOWHERE, site.folder, first.epoch, Ears()) as book, running(book):
        book.put(site.entry(0))
        await book.flush()
    second = await leased(site.url)
    elsewhere = site.folder.with_name("elsewhere")
    async with journal(site.url, elsewhere, second.epoch, Ears()) as book, running(book):
        book.put(site.entry(7))
        await book.flush()
    third = await leased(site.url)
    async with journal(site.url, site.folder, third.epoch, Ears()) as book:
        await book.recover()
    assert await site.ask("SELECT count(*) FROM sample") == [(6,)]


async def test_a_full_spool_stops_acknowledgements_and_then_the_intake_but_people_are_told(
    site: Site, server: Database
):
    ears = Ears()
    fence = await leased(site.url)
    options = replace(QUICK, queue_size=100, group_size=50)
    spool = Spool(site.folder, limit_bytes=20_000)
    async with journal(site.url, spool, fence.epoch, ears, options) as book, running(book):
        await asyncio.to_thread(server.stop)
        for number in range(100):
            book.put(site.entry(number))
        await ears.until(lambda _: book.no_room_since is not None)
        assert ears.safe_numbers == list(range(len(ears.safe)))
        assert 0 < len(ears.safe) < 100
        assert book.full
        await ears.until(lambda heard: len(heard.told) == 100)
        book.put(site.entry(100))
        await ears.until(lambda heard: len(heard.told) == 101)
        assert len(ears.safe) < 100
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(DEADLINE_S):
            await book.room()
        await ears.until_stored(101)
        assert book.no_room_since is None
        assert ears.told_numbers == ears.safe_numbers == ears.stored_numbers == list(range(101))
    await site.has_exactly(101)


async def test_people_are_told_when_the_alarm_parts_are_committed_before_any_sample_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    ears, slow, fence = Ears(), asyncio.Event(), await leased(site.url)
    write = Series.write

    async def held(*given: Any) -> Any:
        await slow.wait()
        return await write(*given)

    monkeypatch.setattr(Series, "write", held)
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        for number in range(3):
            book.put(site.entry(number))
        await ears.until(lambda heard: heard.told_numbers == [0, 1, 2])
        assert ears.safe == []
        slow.set()
        await ears.until_stored(3)
    assert ears.told_numbers == ears.safe_numbers == [0, 1, 2]
    await site.has_exactly(3)


async def _end(book: Journal) -> None:
    """Run the journal until it dies."""
    async with asyncio.timeout(DEADLINE_S):
        await book.run()


async def _until(conn: Connection, statement: str) -> None:
    """Ask until the answer is true."""
    async with asyncio.timeout(DEADLINE_S):
        while not (await ask(conn, statement))[0][0]:
            pass


async def test_the_database_stops_and_comes_back_and_everything_is_there_once(
    site: Site, server: Database
):
    ears = Ears()
    fence = await leased(site.url)
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        for number in range(10):
            book.put(site.entry(number))
        await book.flush()
        await asyncio.to_thread(server.stop)
        for number in range(10, 60):
            book.put(site.entry(number))
        await book.flush()
        assert book.degraded
        assert ears.stored_numbers == list(range(10))
        await asyncio.to_thread(server.start)
        for number in range(60, 80):
            book.put(site.entry(number))
        await ears.until_stored(80)
        assert ears.safe_numbers == ears.stored_numbers == list(range(80))
        book.put(site.entry(80))
        await ears.until_stored(81)
        assert not book.degraded
    await site.has_exactly(81)


KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'hazwatch%%' AND {}
"""


UNCONFIRMED = """
SELECT count(*) = 1 FROM pg_stat_activity
WHERE datname = current_database() AND application_name = '{}' AND wait_event = 'SyncRep'
"""


async def test_connections_killed_at_random_moments_lose_and_double_nothing(site: Site):
    ears = Ears()
    fence = await leased(site.url)
    kill = KILL.format("(state = 'active' OR random() < 0.05)")
    async with (
        journal(site.url, site.folder, fence.epoch, ears) as book,
        site.look() as killer,
        running(book),
    ):
        kills = number = 0
        while kills < 30:
            book.put(site.entry(number))
            number += 1
            kills += len(await ask(killer, kill))
            await ears.until_stored(number - 20)
        await ears.until_stored(number)
    assert ears.safe_numbers == ears.stored_numbers == list(range(number))
    await site.has_exactly(number)


@asynccontextmanager
async def commits_unconfirmed(site: Site, admin: Connection) -> AsyncIterator[None]:
    """Others' commits wait for a standby that never answers: they are done, and nobody hears it."""
    begun = asyncio.Event()

    async def probe() -> None:
        async with await connect(DatabaseOptions(site.url, application="probe")) as conn:
            while not begun.is_set():
                await conn.execute("SELECT pg_logical_emit_message(true, 'probe', '')")

    await admin.execute("SET synchronous_commit = local")
    await admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await admin.execute("SELECT pg_reload_conf()")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(probe())
        try:
            await _until(admin, UNCONFIRMED.format("probe"))
            begun.set()
            yield
        finally:
            await admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await admin.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("part", ["alarms", "batches"])
async def test_a_commit_that_was_done_and_not_confirmed_is_not_done_again(site: Site, part: str):
    ears = Ears()
    fence = await leased(site.url)
    whole = site.entry(1)
    halves = [replace(whole, batch=None), Entry(1, batch=whole.batch)]
    first, second = halves if part == "alarms" else reversed(halves)
    waiting = f"hazwatch {part}"
    async with (
        journal(site.url, site.folder, fence.epoch, ears) as book,
        site.look() as admin,
        running(book),
    ):
        book.put(site.entry(0))
        await book.flush()
        async with commits_unconfirmed(site, admin):
            book.put(first)
            await _until(admin, UNCONFIRMED.format(waiting))
            unheard = f"application_name = '{waiting}' AND wait_event = 'SyncRep'"
            assert await ask(admin, KILL.format(unheard)) == [(True,)]
        book.put(replace(second, number=2))
        await ears.until_stored(3)
    await site.has_exactly(2)


@pytest.mark.parametrize("table", ["sample", "alarm_event"])
async def test_a_database_that_is_too_slow_gives_way_to_the_spool_and_takes_over_again(
    site: Site, table: str
):
    """Nothing is away: somebody holds a table. What waits for it there is not stored twice."""
    ears, metrics = Ears(), CollectorRegistry()
    fence = await leased(site.url)
    options = replace(QUICK, slow_s=0.3)
    async with (
        journal(site.url, site.folder, fence.epoch, ears, options, metrics) as book,
        site.look() as blocker,
        running(book),
    ):
        book.put(site.entry(0))
        await ears.until_stored(1)
        async with blocker.transaction():
            await blocker.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            for number in range(1, 20):
                book.put(site.entry(number))
            await ears.until(lambda heard: len(heard.safe) == 20)
            for number in range(20, 40):
                book.put(site.entry(number))
            await ears.until(lambda heard: len(heard.safe) == 40)
            assert ears.told_numbers == list(range(40))
            assert len(ears.stored) == 1
            assert metrics.get_sample_value("hazwatch_journal_shedding") == 1
            assert book.degraded
        await ears.until_stored(40)
        book.put(site.entry(40))
        await ears.until_stored(41)
        assert not book.degraded
    assert metrics.get_sample_value("hazwatch_journal_shedding") == 0
    assert metrics.get_sample_value("hazwatch_journal_shed_total") == 1
    assert ears.safe_numbers == ears.stored_numbers == list(range(41))
    await site.has_exactly(41)


async def test_groups_on_two_connections_are_committed_in_order(site: Site):
    """The second is copied while the first waits for its commit, and never seen without it."""
    ears = Ears()
    fence = await leased(site.url)
    options = replace(QUICK, group_size=1)
    async with (
        journal(site.url, site.folder, fence.epoch, ears, options) as book,
        site.look() as watcher,
        site.look() as blocker,
        running(book),
    ):
        book.put(site.entry(0))
        await ears.until_stored(1)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE gateway_ledger IN ACCESS EXCLUSIVE MODE")
            for number in range(1, 5):
                book.put(site.entry(number))
            await _until(watcher, IN_TRANSACTION.format(2))
            assert await ask(watcher, "SELECT count(*) FROM sample") == [(3,)]
        seen = 0
        while len(ears.stored) < 5:
            numbers = [row[0] for row in await ask(watcher, STAMPS, START)]
            assert numbers == list(range(len(numbers)))
            seen = max(seen, len(numbers))
    await site.has_exactly(5)


IN_TRANSACTION = """
SELECT count(*) = {} FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'hazwatch batches'
  AND xact_start IS NOT NULL
"""
STAMPS = """
SELECT DISTINCT (extract(epoch FROM received_at - %s) * 1000000)::int AS number
FROM sample ORDER BY 1
"""


async def test_the_newest_of_many_tags_follows_and_is_right_after_a_kill(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("storage.latest.ROWS_PER_S", 0)
    monkeypatch.setattr("storage.latest.MOST_S", 3600)
    fence = await leased(site.url)
    ears = Ears()
    latest = "SELECT date_trunc('second', max(time)) FROM tag_latest"
    async with journal(site.url, site.folder, fence.epoch, ears) as book, running(book):
        for number in range(5):
            book.put(site.entry(number))
            await ears.until_stored(number + 1)
        assert await site.ask(latest) == [(at(0),)]
        assert len(await site.ask("SELECT 1 FROM latest_behind")) == 1
    async with journal(site.url, site.folder, fence.epoch, ears) as book:
        await book.recover()
    assert await site.ask(latest) == [(at(4),)]
    assert await site.ask("SELECT count(*) FROM latest_behind") == [(0,)]


async def test_the_newest_of_many_tags_is_there_a_moment_after_the_last_group(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("storage.latest.ROWS_PER_S", 0)
    monkeypatch.setattr("storage.latest.MOST_S", 3600)
    monkeypatch.setattr("storage.direct.LATEST_S", 0.05)
    fence = await leased(site.url)
    async with (
        journal(site.url, site.folder, fence.epoch, Ears()) as book,
        site.look() as watcher,
        running(book),
    ):
        for number in range(3):
            book.put(site.entry(number))
            await book.flush()
        await _until(watcher, "SELECT count(*) = 2 FROM tag_latest WHERE value IS NOT NULL")
        await _until(watcher, "SELECT count(*) = 0 FROM latest_behind")
        newest = "SELECT date_trunc('second', max(time)) FROM tag_latest"
        assert await ask(watcher, newest) == [(at(2),)]
