import asyncio

from tests.support.builders import START, at
from tests.support.clock import ManualClock


async def sleeper(clock: ManualClock, name: str, seconds: float, log: list[tuple[str, float]]):
    await clock.sleep(seconds)
    log.append((name, clock.elapsed()))


async def test_sleepers_wake_in_the_order_of_their_time_and_see_it_exactly():
    clock = ManualClock(START)
    log: list[tuple[str, float]] = []
    async with asyncio.TaskGroup() as group:
        for name, seconds in (("late", 3.0), ("early", 0.5), ("same", 3.0)):
            group.create_task(sleeper(clock, name, seconds, log))
        await clock.advance(10)
    assert log == [("early", 0.5), ("late", 3.0), ("same", 3.0)]
    assert clock.now() == at(10)


async def test_a_loop_ticks_as_often_as_its_period_fits_in():
    clock = ManualClock(START)
    ticks: list[float] = []

    async def tick_forever():
        while True:
            await clock.sleep(0.25)
            ticks.append(clock.elapsed())

    task = asyncio.ensure_future(tick_forever())
    await clock.advance(1)
    assert ticks == [0.25, 0.5, 0.75, 1.0]
    await clock.advance(0.2)
    assert len(ticks) == 4
    task.cancel()


async def test_what_a_sleeper_sets_going_has_run_before_the_next_one_wakes():
    clock = ManualClock(START)
    log: list[tuple[str, float]] = []
    inbox: asyncio.Queue[str] = asyncio.Queue(1)

    async def reader():
        while True:
            log.append((await inbox.get(), clock.elapsed()))

    async def writer():
        for letter in "ab":
            await clock.sleep(1)
            await inbox.put(letter)

    tasks = [asyncio.ensure_future(reader()), asyncio.ensure_future(writer())]
    await clock.advance(5)
    assert log == [("a", 1.0), ("b", 2.0)]
    for task in tasks:
        task.cancel()


async def test_a_cancelled_sleeper_is_forgotten():
    clock = ManualClock(START)
    task = asyncio.ensure_future(clock.sleep(1))
    await clock.settle()
    assert clock.next_due == at(1)
    task.cancel()
    await clock.settle()
    assert clock.next_due is None
    await clock.advance(2)
    assert clock.elapsed() == 2
