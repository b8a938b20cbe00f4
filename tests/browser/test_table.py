"""The alarm table: what fits is whole, what does not ends in an ellipsis."""

import json

import pytest
from playwright.async_api import Browser, expect

from api.options import ApiOptions
from domain.alarms import Kind, Priority, State
from domain.instant import rfc3339
from tests.browser.desk import CONSOLE, LARGE, SCREENSHOTS, SMALL, Desk, log_in, opened
from tests.support.api import listening_api

pytestmark = pytest.mark.browser
LONG = "GD-211-A/B.INTERLOCK-TRIP-COMMAND"


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["1366", "1920"])
async def test_a_tag_of_ten_letters_is_whole_and_longer_text_ends_in_an_ellipsis(
    browser: Browser, desk: Desk, timescale_url: str, size: dict[str, int]
):
    level, gas = desk.plant.tags[0]
    desk.rename(level, "LICSA-101M")
    desk.rename(gas, LONG)
    desk.raise_(gas, Kind.HH, Priority.P1, 1, 45.5)
    async with listening_api(timescale_url) as base, opened(browser, base, size) as page:
        await log_in(page)
        short = page.locator(".cell.tag", has_text="LICSA-101M")
        assert await short.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
        long = page.locator(".row.alarm .cell.tag", has_text=LONG)
        assert await long.evaluate("cell => cell.scrollWidth > cell.clientWidth")
        for cell in (long, page.locator(".row.alarm .cell.place .where").first):
            style = (
                "cell => ((style) => [style.display, style.textOverflow])(getComputedStyle(cell))"
            )
            assert await cell.evaluate(style) == ["block", "ellipsis"]
            assert await cell.get_attribute("title") == await cell.inner_text()


async def test_who_acknowledged_stands_where_the_button_was(
    browser: Browser, desk: Desk, timescale_url: str
):
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator(".row.rtnun .cell.acked")).to_have_text("已阅")
        handled = page.locator(".row.acked .cell.acked")
        await expect(handled).to_contain_text("li.na")
        assert await handled.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


@pytest.mark.parametrize(("locale", "word"), [("zh-CN", "无数据"), ("en", "no data")])
async def test_silence_is_said_in_the_words_of_the_reader_and_leads_to_its_source(
    browser: Browser, desk: Desk, timescale_url: str, locale: str, word: str
):
    alarm = desk.silent(desk.plant.sources[1], 3)
    gone = desk.raise_(desk.plant.tags[1][1], Kind.OFFLINE, Priority.P3, 4, float("nan"))
    async with listening_api(timescale_url) as base, opened(browser, base, locale=locale) as page:
        await log_in(page)
        for one in (alarm, gone):
            cell = page.locator(f'[data-id="{one.id}"] .cell.limit')
            await expect(cell).to_have_text(word)
        await expect(page.locator("#newest")).to_contain_text(word)
        await page.locator(f'[data-id="{alarm.id}"]').click()
        await expect(page.locator("#tab-why")).to_have_attribute("aria-selected", "true")
        await expect(page.locator("#why-head")).to_contain_text("液氯库房")


async def test_a_row_that_changes_under_the_focus_of_its_button_stays_whole(
    browser: Browser, desk: Desk, timescale_url: str
):
    alarm = desk.raise_(desk.plant.tags[0][1], Kind.HH, Priority.P1, 1, 45.5)
    options = ApiOptions(port=0, action_wait_s=0.2)
    async with listening_api(timescale_url, options) as base, opened(browser, base) as page:
        await log_in(page, user=CONSOLE)
        row = page.locator(f'[data-id="{alarm.id}"]')
        await row.locator(".ack").click()
        await page.keyboard.press("Enter")
        await expect(page.locator("#ask")).to_be_hidden()
        await expect(row.locator(".ack")).to_be_focused()
        await desk.worker()
        await expect(row).to_contain_text(CONSOLE)
        await expect(row).to_have_count(1)


@pytest.mark.parametrize(("locale", "word"), [("zh-CN", "趋势预警"), ("en", "forecast")])
async def test_a_forecast_is_named_in_the_table_and_its_sentence_stands_below_the_trend(
    browser: Browser, desk: Desk, timescale_url: str, locale: str, word: str
):
    alarm = desk.raise_(desk.plant.tags[0][0], Kind.PREDICT, Priority.P3, 2, 8.3)
    async with listening_api(timescale_url) as base, opened(browser, base, locale=locale) as page:
        await log_in(page)
        row = page.locator(f'[data-id="{alarm.id}"]')
        await expect(row.locator(".cell.limit")).to_contain_text(word)
        await row.click()
        sentence = page.locator("#sentence")
        await expect(sentence).to_have_text(alarm.text)
        await expect(page.locator(".chart .uplot")).to_be_visible()
        await page.locator("#tab-why").click()
        await expect(sentence).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "word"), [("zh-CN", "工况降级 →"), ("en", "eased →")], ids=["zh", "en"]
)
async def test_an_alarm_that_a_mode_eases_says_so_and_by_whom(
    browser: Browser, desk: Desk, timescale_url: str, locale: str, word: str
):
    low = desk.raise_(desk.plant.tags[0][0], Kind.LL, Priority.P3, 2, 1.5)
    begun, until = rfc3339(desk.ago(60)), rfc3339(desk.ago(-600))
    mode = {"since": begun, "until": until, "by": "li.na", "why": "empty", "second": "wang.qiang"}
    with desk.seed.connection() as connection:
        eased = json.dumps(mode | {"rule": "mode:1", "timer": None})
        connection.execute("UPDATE alarm SET eased = %s WHERE id = %s", (eased, low.id))
    async with (
        listening_api(timescale_url) as base,
        opened(browser, base, locale=locale) as page,
    ):
        await log_in(page)
        mark = page.locator(f'[data-id="{low.id}"] .flag.eased')
        await expect(mark).to_contain_text(word)
        title = await mark.get_attribute("title") or ""
        assert "empty · li.na + wang.qiang" in title
        await page.screenshot(path=SCREENSHOTS / f"eased.{locale[:2]}.png")


async def test_a_latched_alarm_is_reset_by_button_or_key_and_goes(
    browser: Browser, desk: Desk, timescale_url: str
):
    plant, seed = desk.plant, desk.seed
    raised = seed.raised(plant, plant.tags[0][1], onset=desk.ago(4), value=45.5, latching=True)
    kept = desk.keep(seed.returned(plant, raised, desk.ago(3)))
    seen = desk.keep(seed.acknowledged(plant, kept, "li.na", desk.ago(2)))
    assert seen.state is State.LATAC
    options = ApiOptions(port=0, action_wait_s=0.2)
    async with listening_api(timescale_url, options) as base, opened(browser, base) as page:
        await log_in(page, user=CONSOLE)
        row = page.locator(f'[data-id="{seen.id}"]')
        await expect(row.locator(".ack")).to_have_text("复位")
        await page.screenshot(path=SCREENSHOTS / "latched.zh.png")
        await row.click()
        await page.keyboard.press("r")
        await expect(page.locator("#ask-title")).to_have_text("复位报警")
        await page.screenshot(path=SCREENSHOTS / "reset.zh.png")
        await page.keyboard.press("Enter")
        await expect(page.locator("#ask")).to_be_hidden()
        await desk.worker()
        await page.mouse.move(0, 0)
        await expect(row).to_have_count(0, timeout=15_000)
