"""Out of service 停用, with a second person 第二人 at the console where the permit has none."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect

from domain.alarms import Kind, Priority
from domain.inputs import Input, InputKind
from storage.inputs_api import record_input, revoke_input
from storage.reading import Reading
from tests.browser.desk import CONSOLE, SCREENSHOTS, fits, log_in, opened
from tests.browser.noise import Handler, Noise
from tests.browser.test_noise import NAME, PATIENT, SECRET, row
from tests.browser.watch import Watch
from tests.support.api import listening_api
from tests.support.seed import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def noise(watch: Watch) -> Noise:
    return Noise(watch)


async def test_out_of_service_asks_for_the_second_person_whom_its_permit_has_not(
    browser: Browser, noise: Noise, timescale_url: str
):
    watch = noise.watch
    plant, level = watch.plant, watch.plant.tags[0][0]
    watch.seed.person("wu.di", "enterprise", plant.enterprises[0])
    high = watch.raise_(level, Kind.HH, Priority.P2, 2, 9.3)
    low = watch.raise_(level, Kind.LL, Priority.P2, 3, 0.3)
    handler = Handler(watch)
    begin, end = watch.ago(10), watch.now + timedelta(hours=1)
    kind, work = InputKind.PERMIT, {"work": "maintenance"}
    place = plant.enterprises[0], plant.sources[0], level
    permit = Input(uuid4(), kind, *place, begin, end, work, "li.na", begin)
    agreed = replace(permit, id=uuid4(), second="wu.di")
    ask = "remove_from_service"

    async with (
        listening_api(timescale_url, PATIENT) as base,
        Reading(timescale_url) as reading,
        opened(browser, base, locale="en") as page,
    ):
        name, password, trouble = (
            page.locator(f"#ask {one}") for one in (NAME, SECRET, "#second-trouble")
        )

        async def begun() -> None:
            await row(page, high).locator(".etc").click()
            await page.locator("#menu button", has_text="Take out of service").click()
            await expect(page.locator("#ask-title")).to_have_text("Take alarm out of service")

        await log_in(page, user=CONSOLE)
        # nobody gives a password for what cannot be done
        await begun()
        await expect(password).to_be_hidden()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(handler.work())
            await page.click("#ask-send")
            await expect(page.locator("#ask-trouble")).to_contain_text("There is no open permit")
        await page.click("#ask-cancel")
        # a permit of one person
        assert await record_input(reading, permit, "one")
        handler.permits = [permit]
        await begun()
        await page.fill("#ask input[name=why]", "float stuck")
        await name.fill("wu.di")
        await password.fill("not their password")
        await page.click("#ask-send")
        await expect(trouble).to_have_text("The second person's name or password is wrong")
        await expect(password).to_have_value("")
        await expect(password).to_be_focused()
        await expect(name).to_have_value("wu.di")
        await fits(page)
        await page.screenshot(path=SCREENSHOTS / "out-of-service.en.png")
        await expect(row(page, high).locator(".flag.out_of_service")).to_have_count(0)
        await page.keyboard.type(PASSWORD)
        async with asyncio.TaskGroup() as tasks:
            done = tasks.create_task(handler.work())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("Out of service")
        told = {"verb": ask, "by": CONSOLE, "second": "wu.di", "comment": "float stuck"}
        assert done.result().items() >= told.items()
        mark = row(page, high).locator(".flag.out_of_service")
        await expect(mark).to_have_attribute("title", re.compile(r"li\.na \+ wu\.di"))
        # back, and again under a permit of two persons, which asks for nobody
        await row(page, high).locator(".etc").click()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(handler.work())
            await page.locator("#menu button", has_text="Return to service").click()
            await page.click("#ask-send")
            await expect(page.locator("#toast")).to_have_text("Back in service")
        assert await revoke_input(reading, permit.id, "li.na", "renewed", watch.now)
        assert await record_input(reading, agreed, "two")
        handler.permits = [agreed]
        await expect(mark).to_have_count(0)
        await begun()
        await expect(password).to_be_hidden()
        async with asyncio.TaskGroup() as tasks:
            done = tasks.create_task(handler.work())
            await page.click("#ask-send")
            await expect(page.locator("#toast")).to_have_text("Out of service")
        assert "second" not in done.result()
        await expect(mark).to_have_count(1)
        await expect(row(page, low).locator(".flag.out_of_service")).to_have_count(0)
