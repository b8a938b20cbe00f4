"""A journal that is told to stop, stops: also while the database goes away."""

import asyncio

from storage.database import DatabaseAway
from storage.direct import Direct
from tests.support.journaling import Ears, journal

NOBODY = "postgresql://127.0.0.1:1/nothing"


async def test_a_journal_stops_though_the_database_goes_away_at_the_same_time(
    tmp_path, monkeypatch
):
    began = asyncio.Event()

    async def writing(*_: object) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(failing())

    async def failing() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise DatabaseAway("we hung up") from None

    monkeypatch.setattr(Direct, "run", writing)
    async with journal(NOBODY, tmp_path / "spool", 1, Ears()) as book:
        work = asyncio.ensure_future(book.run())
        await began.wait()
        work.cancel()
        await asyncio.wait([work], timeout=5)
        assert work.cancelled()
