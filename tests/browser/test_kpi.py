"""The page of KPIs in a real Chromium: with data, with none, light and dark."""

from pathlib import Path

from playwright.async_api import Browser, Page

from domain.clock import SystemClock
from tests.browser.desk import SCREENSHOTS, SMALL, fits, log_in, opened
from tests.integration.test_kpi import Shift
from tests.support.api import listening_api
from tests.support.builders import START
from tests.support.seed import Seed


async def shot(page: Page, name: str) -> None:
    await page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


async def test_a_desk_sees_its_numbers_in_one_look(browser: Browser, timescale_url: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    seed = Seed(timescale_url)
    plant = seed.plant()
    seed.person("wang.fang", "operator", plant.park)
    now = (SystemClock().now() - START).total_seconds()
    shift = Shift(plant)
    for n in range(12):
        begin = now - 7200 - (now - 7200) % 600 + 20 * n
        shift.alarm(plant.tags[0][0], begin, acknowledged=begin + 5, ended=begin + 9)
    await shift.write(timescale_url)
    async with listening_api(timescale_url) as base, opened(browser, base, SMALL) as page:
        await log_in(page)
        await page.click("#kpi-link")
        await page.wait_for_selector("text=各岗位")
        assert await page.is_visible("text=不足 30 天")
        await page.click("#periods button:has-text('90')")
        await page.wait_for_selector("#periods button[aria-pressed=true]:has-text('90')")
        assert await page.evaluate("document.activeElement.textContent") == "90 天"
        await page.click("#periods button:has-text('30')")
        await page.click("button:has-text('华东化工')")
        await page.wait_for_selector(".heat")
        assert "不足 30 天" in await page.inner_text("#few")
        assert await page.locator("rect.rate").count() >= 1
        missed = await page.locator("tr.missed td:first-child").all_inner_texts()
        assert "10 分钟最多" in missed
        assert "LI101" in await page.inner_text(".kpi-two")
        # pauses of 11 s between 12 alarms of 9 s
        assert "加 12 秒可合并 11 / 12 次" in await page.inner_text("#parts")
        await fits(page)
        await shot(page, "kpi")
        # the address says what was asked for, and asks for it again
        assert "node=" in page.url
        await page.reload()
        await page.wait_for_selector(".heat")
        await page.emulate_media(color_scheme="dark")
        await page.click("#language")
        await page.wait_for_selector("text=KPIs and targets")
        await shot(page, "kpi-dark")
        # a desk that heard nothing, and one that is not there
        await page.select_option("#desk-level", "park")
        await page.wait_for_selector("text=No data in this period")
        await shot(page, "kpi-empty")
        await page.select_option("#desk-level", "county")
        await page.wait_for_selector("text=Desks")
        await fits(page)
