"""Who waits for whom: fair shares, bounds, what goes first."""

import asyncio
from collections import Counter
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Raw
from ingest.inbox import EARLY, OVERHEAD, READING, Inbox, Lane, place
from tests.support.builders import START
from tests.support.clock import ManualClock

A, B = ("P", "A"), ("P", "B")


def message(n: int = 0, lane: Lane = A, gateway: str = "G1", size: int = 1000, **more) -> Raw:
    topic = f"hw/v1/{lane[0]}/{lane[1]}/{gateway}/data"
    return Raw(topic, b"p" * (size - len(topic) - OVERHEAD), n, **more)


def fill(inbox: Inbox, times: int, **which) -> None:
    for n in range(times):
        inbox.put(message(n, **which))


async def test_messages_of_a_gateway_come_out_in_order_about_as_much_as_is_asked_for():
    inbox = Inbox(100_000)
    fill(inbox, 12)
    taken = [raw.handle for raw in await inbox.get(5000)]
    assert taken == list(range(len(taken)))
    assert 4 <= len(taken) <= 6
    rest = [raw.handle for raw in await inbox.get()]
    assert rest == list(range(len(taken), 12))
    assert (len(inbox), inbox.bytes) == (0, 0)


async def test_who_asks_an_empty_inbox_waits_for_the_first_message():
    inbox = Inbox(100_000)
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(inbox.get())
        inbox.put(message(7))
    assert [raw.handle for raw in asked.result()] == [7]


async def test_one_who_floods_may_hold_half_and_there_is_room_for_who_begins():
    inbox = Inbox(100_000)
    while inbox.room(A):
        inbox.put(message())
    assert inbox.bytes == 50_000
    assert inbox.room(B) == 50_000
    while inbox.room(B):
        inbox.put(message(lane=B))
    assert inbox.bytes == 75_000
    assert not inbox.low(A)
    await inbox.get(60_000)
    assert inbox.low(A)
    assert inbox.low(B)


async def test_who_sends_little_is_in_the_next_reading_of_one_who_floods():
    inbox = Inbox(100_000_000)
    fill(inbox, 20_000, gateway="G1")
    fill(inbox, 3, gateway="G2")
    fill(inbox, 2, lane=B)
    reading = await inbox.get()
    assert Counter(place(raw.topic)[1:] for raw in reading if raw) >= Counter(
        {("A", "G2"): 3, ("B", "G1"): 2, ("A", "G1"): 300}
    )
    assert sum(len(raw.payload) for raw in reading) < READING + 10_000


async def test_shares_are_in_bytes_over_enterprises_and_then_over_gateways():
    inbox = Inbox(100_000_000)
    fill(inbox, 4000, gateway="G1")
    fill(inbox, 2000, gateway="G2", size=2000)
    fill(inbox, 1000, lane=B, size=4000)
    got: Counter[tuple[str, str]] = Counter()
    for _ in range(6):
        for raw in await inbox.get():
            got[place(raw.topic)[1], place(raw.topic)[2]] += len(raw.payload) + 320
    whole = got[("B", "G1")]
    assert abs(got[("A", "G1")] / whole - 0.5) < 0.05
    assert abs(got[("A", "G2")] / whole - 0.5) < 0.05


async def test_a_huge_message_is_paid_for_in_the_next_turns():
    inbox = Inbox(100_000_000)
    fill(inbox, 3, size=1_000_000)
    fill(inbox, 3000, lane=B)
    first = Counter(place(raw.topic)[1] for raw in await inbox.get())
    assert first["A"] == 1
    assert first["B"] > 200
    second = Counter(place(raw.topic)[1] for raw in await inbox.get())
    assert second["A"] == 0


async def test_a_compressed_body_counts_for_what_it_takes():
    inbox = Inbox(100_000_000)
    for n in range(200):
        inbox.put(Raw("hw/v1/P/A/G1/data", b"\x1f\x8b" + b"z" * 10_000, n))
    assert len(await inbox.get()) < 10


async def test_what_is_early_goes_first_and_the_rest_waits_until_it_is_let_out():
    inbox = Inbox(100_000)
    inbox.hold()
    fill(inbox, 2, lane=B)
    inbox.put(message(9), EARLY)
    assert [raw.handle for raw in await inbox.get()] == [9]
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(inbox.get())
        await ManualClock(START).settle()
        assert not asked.done()
        inbox.put(message(10), EARLY)
        inbox.open()
    assert [raw.handle for raw in asked.result()] == [10]
    assert [raw.handle for raw in await inbox.get()] == [0, 1]


async def test_it_knows_since_when_each_enterprise_waits_and_history_waits_for_nothing():
    inbox = Inbox(100_000_000)
    history = Raw("hw/v1/P/A/G1/data", b'{"historical": true, "samples": []}', 0, arrived=5)
    inbox.put(history)
    assert dict(inbox.waiting_since()) == {}
    inbox.put(message(1, arrived=50))
    inbox.put(message(2, B, arrived=20))
    inbox.put(message(3, B, arrived=30))
    assert dict(inbox.waiting_since()) == {A: 50, B: 20}
    await inbox.get()
    assert dict(inbox.waiting_since()) == {A: 50, B: 20}
    inbox.put(message(4, B, arrived=40))
    await inbox.get()
    assert dict(inbox.waiting_since()) == {B: 40}


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from([A, B, ("Q", "A")]),
        st.sampled_from(["G1", "G2"]),
        st.integers(400, 40_000),
        st.booleans(),
    ),
    max_size=60,
)


@given(OPERATIONS, st.integers(1, 60_000))
def test_nothing_is_lost_doubled_or_out_of_order_and_bytes_add_up(operations, most):
    async def play() -> None:
        inbox, number, put, out = Inbox(100_000), count(), [], []
        for lane, gateway, size, take in operations:
            raw = message(next(number), lane, gateway, size)
            inbox.put(raw)
            put.append(raw)
            if take:
                reading = await inbox.get(most)
                assert reading
                out += reading
        while len(inbox):
            out += await inbox.get(most)
        assert inbox.bytes == 0
        assert not any(queue.bytes for queue in inbox._lanes.values())
        for topic in {raw.topic for raw in put}:
            assert [r for r in out if r.topic == topic] == [r for r in put if r.topic == topic]
        assert len(out) == len(put)

    asyncio.run(play())


def test_the_place_of_a_topic_is_told_as_far_as_it_goes():
    assert place("hw/v1/P/E/G/data") == ("P", "E", "G")
    assert place("hw/v1/P/E/G/data/more") == ("P", "E", "G")
    assert place("spBv1.0/x") == ("", "", "")
    assert place("hw/v1/P") == ("P", "", "")


async def test_a_reading_without_messages_leaves_no_trace():
    inbox = Inbox(1_000_000)
    for _ in range(2):
        inbox.put_all(A, ())
    inbox.forget(A)
    asking = asyncio.ensure_future(inbox.get())
    await ManualClock(START).settle()
    assert not asking.done()
    inbox.put(message(1))
    assert len(await asking) == 1
