"""The demonstration: every part of hazwatch in one process, on embedded servers, with a simulated
park."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.site import read_site
from hazwatch.demo_canary import Canary
from hazwatch.demo_score import Books, Score
from hazwatch.demo_screen import Screen, welcome
from hazwatch.demo_servers import SERVICE, broker, database, migrated, refuse_company
from hazwatch.demo_service import page_port, page_url, service
from hazwatch.demo_site import PARK_DESK, SELF_TEST, accounts, let_in, load
from hazwatch.demo_start import Start, Stopped
from hazwatch.settings import Settings
from hazwatch.shipped import site_file
from rules.warming import warm_up
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.park import ADDRESSES, STORY, Tally, play_park
from storage.database import DatabaseOptions, connect

SEED = 20261121
SHARD = "demo"
SERVER_S, STEP_S = 300.0, 30.0
"""Deadlines of a phase of the start: for the embedded database, whose own are shorter; for others,
longer than the lease of a worker that was killed."""
FLUSH_S = 30.0
"""How long park and canary may take at the end to have everything receipted."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. settings: those that were set win over what is embedded.

    lasting: seconds, None: until somebody stops it. measured: with canary and score.
    """

    settings: Settings
    lasting: float | None
    measured: bool

    @property
    def ours(self) -> bool:
        """Whether the database is the demonstration's own."""
        return "database_url" not in self.settings.model_fields_set


@dataclass(slots=True)
class Played:
    """What was sent in one run, and what stood in the books before. ready_s: how long the start
    took; seconds: from then to the last receipt."""

    tally: Tally
    canary: Canary
    books: Books
    ready_s: float
    seconds: float = 0.0


class Demo:
    """One run of the demonstration. out: where people are told how to look at it."""

    def __init__(self, wish: Wish, screen: Screen, out: Console, clock: SystemClock) -> None:
        self._wish = wish
        self._screen = screen
        self._out = out
        self._clock = clock
        self._began = clock.elapsed()
        self._start = Start(screen)
        self._site = read_site(site_file("demo.yaml").read_text("utf-8"))
        self._people = accounts(self._site, measured=wish.measured)

    async def run(self) -> Score | None:
        """From the start to the end that was asked for, or to a signal; None: nothing was measured.

        Raises `DemoError`, in a group where tasks were running.
        """
        self._start.heed_signals()
        score = None
        try:
            async with AsyncExitStack() as servers:
                settings = await self._prepared(servers)
                played = await self._played(settings)
                score = None if played is None else await self._score(settings, played)
                self._screen.say("stopping database and broker …")
        except* Stopped:
            self._screen.say("stopped before it was ready")
        return score

    async def _prepared(self, servers: AsyncExitStack) -> Settings:
        """Servers up, schema, site and accounts in place; the settings to run with."""
        given, phase = self._wish.settings, self._start.phase
        chosen = "api_port" in given.model_fields_set
        port = page_port(given.api_host, given.api_port, chosen=chosen)
        async with phase("database", SERVER_S):
            url = await servers.enter_async_context(database(given))
        async with phase("broker", STEP_S):
            mqtt_url = await servers.enter_async_context(broker(given))
        shard = given.shard if "shard" in given.model_fields_set else SHARD
        places = {"database_url": url, "mqtt_url": mqtt_url, "api_port": port, "shard": shard}
        if self._wish.measured:
            places["self_test"] = False  # its own canaries sing every second
        async with phase("schema", STEP_S):
            await migrated(url)
            if shard != SERVICE:
                await refuse_company(url, self._clock.now())
        async with phase("site", STEP_S):
            await self._load(url, measured=self._wish.measured)
        async with phase("accounts", STEP_S):
            await let_in(url, self._people, self._clock.now())
        return given.model_copy(update=places)

    async def _load(self, url: str, *, measured: bool) -> None:
        async with await connect(DatabaseOptions(url)) as conn:
            at, ours = self._clock.now(), self._wish.ours
            await load(conn, self._site, at, measured=measured, ours=ours)

    async def _played(self, settings: Settings) -> Played | None:
        """From the start of the service to its orderly end; None where nothing is measured."""
        played, tally = None, Tally()
        async with AsyncExitStack() as parts:
            page = await self._served(settings, parts)
            if self._wish.measured:
                async with self._start.phase("self-test", STEP_S):
                    played = await self._tested(settings, page, tally, parts)
            self._greet(page, settings)
            began = self._clock.elapsed()
            await self._play(settings, tally, None if played is None else played.canary)
            if played is not None:
                played.seconds = self._clock.elapsed() - began
        return played

    async def _served(self, settings: Settings, parts: AsyncExitStack) -> str:
        """The address of the page, once worker and api are up."""
        async with self._start.phase("rules", SERVER_S):
            await asyncio.to_thread(warm_up)
        async with self._start.phase("worker", STEP_S):
            up = await parts.enter_async_context(service(settings))
            await up.worker.wait()
        async with self._start.phase("page", STEP_S):
            return page_url(settings.api_host, await up.page)

    async def _tested(
        self, settings: Settings, page: str, tally: Tally, parts: AsyncExitStack
    ) -> Played:
        """The canary, ready to sing, and the books as they are then."""
        boot = rfc3339(self._clock.now())
        gateway = Gateway(Broker.of(settings.mqtt_url), SELF_TEST, self._clock, boot=boot)
        desk = next(one for one in self._people if one.name == PARK_DESK)
        canary = Canary(gateway, page, desk, self._clock)
        await parts.enter_async_context(canary.ready())
        async with await connect(DatabaseOptions(settings.database_url)) as conn:
            books = await Books.opened(conn, self._site, self._clock.now())
        return Played(tally, canary, books, self._clock.elapsed() - self._began)

    def _greet(self, page: str, settings: Settings) -> None:
        ready_s = self._clock.elapsed() - self._began
        people = [
            (f"{one.of} ({one.role})", f"user {one.name}  password {one.password}")
            for one in self._people
        ]
        topics = ADDRESSES[0].topic("…")
        rows = [
            ("page 网页", f"{page}/"),
            *people,
            ("gateways 网关", f"{settings.mqtt_url}, topics such as {topics}"),
            ("data 数据", str(settings.data_dir)),
            ("stop 停止", "Ctrl-C"),
        ]
        welcome(self._out, f"hazwatch 演示 demonstration, ready after {ready_s:.1f} s", rows)

    async def _play(self, settings: Settings, tally: Tally, canary: Canary | None) -> None:
        """Park and canary until it is time to stop, and until all of theirs is stored."""
        over, place = asyncio.Event(), Broker.of(settings.mqtt_url)
        playing = {"park": partial(play_park, place, self._clock, tally, over, seed=SEED)}
        if canary is not None:
            playing["canary"] = partial(canary.sing, over)
        async with (
            self._screen.playing(self._wish.lasting) as move,
            asyncio.TaskGroup() as tasks,
        ):
            telling = tasks.create_task(self._screen.tell(STORY, move), name="story")
            players = [tasks.create_task(play(), name=name) for name, play in playing.items()]
            await self._until_over()
            over.set()
            telling.cancel()
            self._screen.say("stopping: first the park, then the worker …")
            _, late = await asyncio.wait(players, timeout=FLUSH_S)
            for task in late:
                self._screen.say(f"{task.get_name()}: not stored within {FLUSH_S:g} s, given up")
                task.cancel()

    async def _until_over(self) -> None:
        try:
            async with asyncio.timeout(self._wish.lasting):
                await self._start.stop.wait()
        except TimeoutError:
            return

    async def _score(self, settings: Settings, played: Played) -> Score:
        """The figures, now that the worker has stored everything; then the self-test leaves the
        site."""
        async with await connect(DatabaseOptions(settings.database_url)) as conn:
            came, samples, told = await played.books.closed(conn)
        await self._load(settings.database_url, measured=False)
        tally, canary = played.tally, played.canary
        return Score(
            published=tally.published + canary.values,
            messages=tally.messages + canary.messages,
            ingested=came,
            samples=samples,
            told=told,
            canary_sent=canary.sent,
            canary_seen=canary.seen,
            latency_ms_p50=canary.latency_ms(50),
            latency_ms_p99=canary.latency_ms(99),
            ready_s=played.ready_s,
            seconds=played.seconds,
        )
