"""A seeded plant in front of a real Chromium."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from playwright.async_api import Browser, Page

from alerts.lifecycle import Event, Verb
from domain.alarms import Alarm, Kind, Priority, State, occurrence_id
from domain.clock import SystemClock
from domain.frame import Lane
from tests.support.seed import PASSWORD, Plant, Seed

CONSOLE = "zhao.lei"
"""Sits at the desk of the first enterprise; `wang.fang` at that of the park."""
SCREENSHOTS = Path("build/screenshots")
SMALL = {"width": 1366, "height": 768}
LARGE = {"width": 1920, "height": 1080}


class Desk:
    """A seeded plant whose clock is the machine's: the page shows the last half hour."""

    def __init__(self, url: str) -> None:
        self.seed = Seed(url)
        self.plant: Plant = self.seed.plant()
        self.seed.person("wang.fang", "operator", self.plant.park)
        self.seed.person(CONSOLE, "operator", self.plant.enterprises[0])
        self.now: datetime = SystemClock().now().replace(microsecond=0)
        self.alarms: dict[UUID, Alarm] = {}
        self._fill()

    def ago(self, minutes: float) -> datetime:
        """An instant before the test began."""
        return self.now - timedelta(minutes=minutes)

    def _fill(self) -> None:
        level, gas = self.plant.tags[0]
        silent = range(300, 420)
        self.seed.samples(
            level,
            *(
                (self.ago(30) + timedelta(seconds=3 * n), 6.4 + 1.9 * (n / 600) + 0.1 * (n % 5))
                for n in range(600)
                if n not in silent
            ),
        )
        self.seed.samples(gas, *((self.ago(30 - n), 3.0 + n) for n in range(30)))
        returned = self.raise_(level, Kind.H, Priority.P3, 20, 8.2)
        self.keep(self.seed.returned(self.plant, returned, self.ago(12)))
        handled = self.raise_(self.plant.tags[1][0], Kind.H, Priority.P2, 16, 8.6)
        self.keep(self.seed.acknowledged(self.plant, handled, "li.na", self.ago(15)))

    def raise_(
        self, tag: int, kind: Kind, priority: Priority, minutes: float, value: float
    ) -> Alarm:
        """An alarm that began that many minutes ago."""
        alarm = self.seed.raised(
            self.plant, tag, kind=kind, priority=priority, onset=self.ago(minutes), value=value
        )
        return self.keep(alarm)

    def silent(self, source: int, minutes: float) -> Alarm:
        """An alarm without a tag: nothing has been heard of a source for that many minutes."""
        onset, nothing = self.ago(minutes), float("nan")
        enterprise = self.plant.registry.nodes[source].enterprise
        assert enterprise is not None
        alarm = Alarm(
            occurrence_id(Lane.LIVE, source, Kind.SOURCE_OFFLINE, onset),
            Lane.LIVE,
            Kind.SOURCE_OFFLINE,
            None,
            source,
            enterprise,
            Priority.P2,
            State.NORM,
            onset,
            onset,
            nothing,
            nothing,
            nothing,
        )
        return self.keep(self.seed.changed(self.plant, alarm, Event(Verb.RAISE), onset))

    def rename(self, tag: int, name: str) -> None:
        """Give a tag another name, before anybody looks."""
        with self.seed.connection() as connection:
            connection.execute("UPDATE tag SET name = %s WHERE id = %s", (name, tag))

    def keep(self, alarm: Alarm) -> Alarm:
        """Remember an alarm for the worker."""
        self.alarms[alarm.id] = alarm
        return alarm

    async def worker(self) -> None:
        """Apply the next acknowledgement that comes, as the worker would."""
        while not await asyncio.to_thread(
            self.seed.apply_actions, self.plant, self.alarms, SystemClock().now()
        ):
            pass


@asynccontextmanager
async def opened(
    browser: Browser, base: str, size: dict[str, int] = SMALL, locale: str = "zh-CN"
) -> AsyncIterator[Page]:
    """The page before login; whatever it complains about fails the test."""
    context = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        locale=locale,
        timezone_id="Asia/Shanghai",
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    await page.goto(base)
    yield page
    await context.close()
    assert complaints == []


async def log_in(page: Page, password: str = PASSWORD, user: str = "wang.fang") -> None:
    await page.fill("input[name=user]", user)
    await page.fill("input[name=password]", password)
    await page.click("#login button[type=submit]")


async def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    width = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0
