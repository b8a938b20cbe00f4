"""A park in which sources have colours and warnings are open, as the worker would leave it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from playwright.async_api import Locator, Page

from alerts.people import Contact
from domain.alarms import Kind, Priority
from domain.cases import Case, Level
from domain.clock import SystemClock
from domain.plant import Node
from domain.risk import Colour, Floor, Part, Reason
from tests.browser.desk import Desk
from tests.support.casework import Casework

NAMED = ("OP", "SM", "HD-operation", "HD-technical", "HD-main", "PK", "CO", "CI", "FR")


class Watch(Desk):
    """A `Desk` with four sources more, none of them coloured yet.

    The two of `Desk` are the ammonia tanks, with samples and alarms, and the chlorine store, of
    which nobody has ever heard: it is unknown.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.ammonia, self.chlorine = self.plant.sources
        self.oxide = self._source(0, "s2", "环氧乙烷装置")
        self.benzene = self._source(1, "s2", "苯罐区")
        self.methanol = self._source(0, "s3", "甲醇中间罐")
        self.hydrogen = self._source(1, "s3", "氢气球罐")
        park = self.plant.park
        contacts = {
            (role, park): [Contact("webhook", f"https://{role}.example/")] for role in NAMED
        }
        self.cases = Casework(url, self.plant, contacts)

    def _source(self, of: int, code: str, name: str) -> int:
        owner = self.plant.enterprises[of]
        with self.seed.connection() as connection:
            row = connection.execute(
                "INSERT INTO node (parent, kind, code, name, enterprise)"
                " VALUES (%s, 'source', %s, %s, %s) RETURNING id",
                (owner, code, name, owner),
            ).fetchone()
        assert row is not None
        id: int = row[0]
        nodes = {
            **self.plant.registry.nodes,
            id: Node(id, owner, "source", code, name, owner),
        }
        self.plant = replace(self.plant, registry=replace(self.plant.registry, nodes=nodes))
        return id

    async def colour(
        self, source: int, colour: Colour, score: float, *, unknown: bool = False
    ) -> None:
        """The risk model says so, of inherent grade alone."""
        reasons = (Reason(Part.B, score),)
        at = SystemClock().now()
        await self.cases.risk(
            source,
            colour,
            score=score,
            at=at,
            unknown=unknown,
            floors=(),
            reasons=reasons,
            version="2026-11",
        )

    async def calm(self) -> None:
        """Every source is seen, and blue."""
        gas = self.plant.tags[1][1]
        await asyncio.to_thread(self.seed.samples, gas, (self.ago(1), 0.0))
        sources = (self.ammonia, self.chlorine, self.oxide, self.benzene)
        for n, source in enumerate((*sources, self.methanol, self.hydrogen)):
            await self.colour(source, Colour.BLUE, 8.0 + n)

    async def trouble(self) -> Case:
        """A red case that nobody has signed for yet, an orange one that two levels have, a yellow
        one of a source that fell silent. The red one is returned."""
        await self._yellow()
        await self._orange()
        red = await self._red()
        self._deliver()
        return red

    async def _red(self) -> Case:
        gas = self.plant.tags[0][1]
        leak = await asyncio.to_thread(self.raise_, gas, Kind.HH, Priority.P1, 2.4, 78.2)
        await self.cases.see(self.ammonia, Colour.ORANGE, self.ago(2.4), alarms=(leak.id,))
        red = await self.cases.see(self.ammonia, Colour.RED, self.ago(1.6), alarms=(leak.id,))
        await self.cases.risk(
            self.ammonia,
            Colour.RED,
            score=84.0,
            at=self.now,
            floors=((Floor.F1, Colour.RED), (Floor.F4, Colour.ORANGE)),
            reasons=(Reason(Part.B, 15.0), Reason(Part.A, 78.4, leak.id), Reason(None, -9.4)),
            version="2026-11",
        )
        return red

    async def _orange(self) -> None:
        case = await self.cases.see(self.oxide, Colour.ORANGE, self.ago(9))
        await self.cases.sign(case, Level.ENTERPRISE, "li.na", self.ago(8))
        await self.cases.sign(case, Level.PARK, "zhao.min", self.ago(7))
        await self.cases.tick(self.ago(3.9))
        await self.colour(self.oxide, Colour.ORANGE, 58.4)

    async def _yellow(self) -> None:
        await self.cases.see(self.benzene, Colour.YELLOW, self.ago(14))
        await self.cases.see(self.benzene, Colour.YELLOW, self.ago(12), unknown=True)
        await self.colour(self.benzene, Colour.YELLOW, 33.1, unknown=True)

    def _deliver(self) -> None:
        with self.seed.connection() as connection:
            connection.execute("UPDATE notice SET delivered = created, attempts = 1")
            connection.execute(
                "UPDATE notice SET delivered = NULL, failed = created, attempts = 4,"
                " error = 'HTTP 503' WHERE recipient LIKE '%HD-main%'"
            )

    async def work(self) -> None:
        """Apply the next action that comes, as the worker would."""
        while not await self.cases.apply_actions(SystemClock().now()):
            await SystemClock().sleep(0.05)


def card(page: Page, case: Case) -> Locator:
    """The card of a case."""
    return page.locator(f'[data-case="{case.id}"]')


def line(page: Page, node: int) -> Locator:
    """The line of a node in the tree."""
    return page.locator(f'[data-node="{node}"]')


def seconds(text: str) -> float:
    """The duration in a text such as `in 1m23s`."""
    units = {"h": 3600, "m": 60, "s": 1}
    found = [part for part in text.replace("in", "").split() if part[-1] in units]
    total, digits = 0.0, ""
    for letter in found[-1]:
        if letter in units:
            total, digits = total + units[letter] * float(digits), ""
        else:
            digits += letter
    return timedelta(seconds=total).total_seconds()
