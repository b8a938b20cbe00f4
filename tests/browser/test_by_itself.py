"""The trend that shows while nobody has chosen anything."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from domain.alarms import Kind, Priority
from domain.risk import Colour
from tests.browser.desk import SCREENSHOTS, log_in, opened
from tests.browser.watch import Watch
from tests.support.api import listening_api

pytestmark = pytest.mark.browser


async def test_the_most_urgent_alarm_shows_and_takes_neither_focus_nor_selection(
    browser: Browser, watch: Watch, timescale_url: str
):
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator("#trend-of")).to_contain_text("LI101")
        await expect(page.locator("#chart canvas")).to_be_visible()
        await page.focus("#search")
        gas = watch.plant.tags[0][1]
        await asyncio.to_thread(watch.raise_, gas, Kind.HH, Priority.P1, 0, 45.5)
        await expect(page.locator("#trend-of")).to_contain_text("GD07")
        await expect(page.locator("#trend-place")).to_have_text("液氨罐区")
        await expect(page.locator("#by-itself")).to_have_text("自动显示")
        await expect(page.locator("#search")).to_be_focused()
        await expect(page.locator(".chosen")).to_have_count(0)
        await page.screenshot(path=SCREENSHOTS / "by-itself.zh.png")


@pytest.mark.parametrize("choice", [".tag", ".row.alarm", ".case", "[data-node]", "#spans button"])
async def test_what_a_person_has_chosen_stays(
    browser: Browser, watch: Watch, timescale_url: str, choice: str
):
    await watch.cases.see(watch.methanol, Colour.YELLOW, watch.now)
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator("#trend-of")).to_contain_text("LI101")
        await page.locator(choice).last.click()
        await page.click("#tab-trend")
        await page.mouse.move(700, 20)
        before = await page.locator("#trend-of").inner_text()
        gas = watch.plant.tags[0][1]
        alarm = await asyncio.to_thread(watch.raise_, gas, Kind.HH, Priority.P1, 0, 45.5)
        await expect(page.locator("#newest")).to_contain_text("GD07")
        await page.locator(f'[data-id="{alarm.id}"]').wait_for(state="attached")
        await expect(page.locator("#trend-of")).to_have_text(before)


async def test_an_own_choice_is_not_marked_and_the_colours_belong_to_the_trend(
    browser: Browser, watch: Watch, timescale_url: str
):
    await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator("#by-itself")).to_be_visible()
        await page.click("#tab-why")
        await expect(page.locator("#why-head")).to_contain_text("液氨罐区")
        await page.locator(".tag").last.click()
        await expect(page.locator("#trend-head")).to_be_visible()
        await expect(page.locator("#by-itself")).to_be_hidden()


async def test_where_nothing_waits_the_hint_stays(
    browser: Browser, watch: Watch, timescale_url: str
):
    watch.seed.person("chen", "enterprise", watch.plant.enterprises[1])
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page, user="chen")
        await expect(page.locator(".row.alarm.acked")).to_have_count(1)
        await expect(page.locator("#chart")).to_have_text("选择一个位号或一条报警查看趋势")
        await expect(page.locator("#by-itself")).to_be_hidden()
