import asyncio

from ingest.batch import Raw
from ingest.inbox import OVERHEAD, Inbox


def message(n: int = 0) -> Raw:
    return Raw("t" * 10, b"p" * (1000 - 10 - OVERHEAD), n)


async def test_messages_come_out_in_order_up_to_what_is_asked_for():
    inbox = Inbox(100_000)
    for n in range(5):
        inbox.put(message(n))
    assert [raw.handle for raw in await inbox.get(3)] == [0, 1, 2]
    assert [raw.handle for raw in await inbox.get(3)] == [3, 4]
    assert (len(inbox), inbox.bytes) == (0, 0)


async def test_who_asks_an_empty_inbox_waits_for_the_first_message():
    inbox = Inbox(100_000)
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(inbox.get(10))
        inbox.put(message(7))
    assert [raw.handle for raw in asked.result()] == [7]


async def test_it_is_full_at_its_bound_low_at_half_and_overfull_at_twice():
    inbox = Inbox(10_000)
    seen = []
    for _ in range(20):
        inbox.put(message())
        seen.append((inbox.low, inbox.full, inbox.overfull))
    assert seen[4] == (True, False, False)
    assert seen[5] == (False, False, False)
    assert seen[9] == (False, True, False)
    assert seen[19] == (False, True, True)
    await inbox.get(14)
    assert not inbox.low
    await inbox.get(1)
    assert inbox.low
    await inbox.until_low()
