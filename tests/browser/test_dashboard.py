"""The page in a real Chromium, as an operator meets it."""

import asyncio
import itertools
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Route, expect

from domain.alarms import Kind, Priority
from tests.browser.desk import CONSOLE, LARGE, SCREENSHOTS, Desk, fits, log_in, opened
from tests.support.api import listening_api

pytestmark = pytest.mark.browser


async def test_an_alarm_appears_live_and_is_acknowledged(
    browser: Browser, desk: Desk, timescale_url: str
):
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await page.screenshot(path=SCREENSHOTS / "login.zh.png")
        await log_in(page, "wrong password")
        await expect(page.locator("#login-trouble")).to_have_text("用户名或密码不正确")
        await log_in(page, user=CONSOLE)
        await expect(page.locator(".row.alarm")).to_have_count(1)
        gas = desk.plant.tags[0][1]
        alarm = await asyncio.to_thread(desk.raise_, gas, Kind.HH, Priority.P1, 0, 45.5)
        row = page.locator(f'[data-id="{alarm.id}"]')
        await expect(row).to_contain_text("未确认")
        assert await page.locator(".row.alarm").first.get_attribute("data-id") == str(alarm.id)
        await row.click()
        await expect(page.locator(".tag.chosen")).to_contain_text("GD07")
        await expect(page.locator("#chart canvas")).to_be_visible()
        await page.screenshot(path=SCREENSHOTS / "alarm.zh.png")
        await page.keyboard.press("a")
        await page.fill("#ask input", "已派人现场确认")
        await page.screenshot(path=SCREENSHOTS / "acknowledge.zh.png")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.worker())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("已确认")
            await expect(row).to_contain_text(CONSOLE)
        await page.mouse.move(700, 20)
        await page.evaluate("document.activeElement.blur()")
        await page.locator(".tag", has_text="LI101").first.click()
        await expect(page.locator("#trend-of")).to_contain_text("LI101")
        await expect(page.locator("#chart canvas")).to_be_visible()
        await fits(page)
        await page.screenshot(path=SCREENSHOTS / "acknowledged.zh.png")


async def test_rows_under_the_pointer_stand_still(browser: Browser, desk: Desk, timescale_url: str):
    async with listening_api(timescale_url) as base, opened(browser, base, locale="en") as page:
        await log_in(page)
        first = page.locator(".row.alarm").first
        await expect(first).to_contain_text("LI101")
        await first.hover()
        before = await first.bounding_box()
        gas = desk.plant.tags[0][1]
        await asyncio.to_thread(desk.raise_, gas, Kind.HH, Priority.P1, 0, 45.5)
        await expect(page.locator("#chip")).to_have_text("1 new ↑")
        assert await first.bounding_box() == before
        await expect(page.locator(".row.alarm")).to_have_count(2)
        await page.screenshot(path=SCREENSHOTS / "held.en.png")
        await page.mouse.move(700, 20)
        await expect(page.locator(".row.alarm")).to_have_count(3)
        await expect(page.locator("#chip")).to_be_hidden()


async def test_filters_say_how_many_and_show_them(browser: Browser, desk: Desk, timescale_url: str):
    async with listening_api(timescale_url) as base, opened(browser, base, LARGE, "en") as page:
        await log_in(page)
        unacked = page.locator('[data-filter="unacked"]')
        await expect(unacked).to_have_text("Unacked 1")
        await unacked.click()
        await expect(page.locator(".row.alarm")).to_have_count(1)
        await page.locator('[data-filter="active"]').click()
        await expect(page.locator("#rows .note")).to_have_text("No alarm fits the filter")
        await page.locator('[data-filter="open"]').click()
        await page.locator(".node", has_text="西部气体").click()
        await expect(page.locator(".row.alarm")).to_have_count(1)
        await page.locator(".row.alarm").click()
        await expect(page.locator("#chart")).to_contain_text("No data in this time")
        await page.locator(".node").first.click()
        await page.locator(".tag", has_text="LI101").first.click()
        await expect(page.locator("#chart canvas")).to_be_visible()
        await page.screenshot(path=SCREENSHOTS / "filters.en.1920.png")
        await page.click("#language")
        await expect(page.locator("#alarms-title")).to_have_text("当前报警")
        await fits(page)


async def test_five_hundred_alarms_stay_few_elements(
    browser: Browser, desk: Desk, timescale_url: str
):
    gas = desk.plant.tags[0][1]
    for n in range(500):
        desk.raise_(gas, Kind.HH, list(Priority)[n % 4], 60 + n, 45.5)
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator('[data-filter="open"]')).to_contain_text("502")
        assert await page.locator(".row.alarm").count() < 60
        await page.mouse.move(700, 300)
        await page.locator("#rows").evaluate("rows => rows.scrollTo(0, rows.scrollHeight)")
        await expect(page.locator(".row.alarm").last).to_contain_text("LI101")
        await page.screenshot(path=SCREENSHOTS / "many.zh.png")
        await fits(page)


async def test_a_silent_stream_is_said_loudly_and_values_grey_out(
    browser: Browser, desk: Desk, timescale_url: str
):
    async with AsyncExitStack() as serving_api, AsyncExitStack() as looking:
        base = await serving_api.enter_async_context(listening_api(timescale_url))
        page = await looking.enter_async_context(opened(browser, base))
        await page.clock.install()
        await log_in(page)
        await expect(page.locator(".row.alarm")).to_have_count(2)
        await serving_api.aclose()
        await page.clock.run_for(12_000)
        await expect(page.locator("#loud")).to_contain_text("实时连接已中断")
        await expect(page.locator("body")).to_have_class("lost")
        await page.screenshot(path=SCREENSHOTS / "lost.zh.png")


async def test_labels_of_limits_never_lie_on_each_other(
    browser: Browser, desk: Desk, timescale_url: str
):
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        place = "async ([lines, top]) => (await import('/js/limits.js')).labels(lines, top)"
        for lines in ([10, 19, 140, 148], [3, 40, 45, 50], [60, 20], [30, 30]):
            baselines = await page.evaluate(place, [lines, 0])
            texts = sorted((baseline - 9, baseline) for baseline in baselines)
            assert all(start >= 0 for start, _ in texts)
            assert all(end <= start for (_, end), (start, _) in itertools.pairwise(texts))


async def test_no_line_of_another_tag_stands_under_a_name(
    browser: Browser, desk: Desk, timescale_url: str
):
    gas = desk.plant.tags[0][1]
    answer = asyncio.Event()

    async def late(route: Route) -> None:
        await answer.wait()
        await route.continue_()

    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await page.route(f"**/tags/{gas}/history*", late)
        await log_in(page)
        await page.locator(".tags .tag", has_text="LI101").first.click()
        await expect(page.locator("#chart canvas")).to_be_visible()
        await page.locator("#spans button").first.click()
        assert await page.evaluate("document.activeElement.textContent") == "10 分钟"
        await page.locator(".tags .tag", has_text="GD07").first.click()
        await expect(page.locator("#trend-of")).to_contain_text("GD07")
        await expect(page.locator("#chart")).to_have_text("加载中…")
        answer.set()
        await expect(page.locator("#chart canvas")).to_be_visible()
