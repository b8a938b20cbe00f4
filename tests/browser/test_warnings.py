"""Risk colours and warning cases on the page: seen at once, signed for, explained."""

import asyncio
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from api.options import ApiOptions
from domain.cases import Level
from domain.risk import Colour
from tests.browser.desk import LARGE, SCREENSHOTS, SMALL, fits, log_in, opened
from tests.browser.watch import Watch, card, line, seconds
from tests.support.api import listening_api

pytestmark = pytest.mark.browser
IMPATIENT = ApiOptions(port=0, action_wait_s=0.2)


async def sources(page: Page) -> list[str]:
    """The counts of the banner: red, orange, yellow, blue, unknown."""
    texts = await page.locator("#sources .tally").all_text_contents()
    return [text.replace("?", "") for text in texts]


async def order(page: Page) -> list[str]:
    """Names of the sources in the tree, from top to bottom."""
    return await page.locator(".node:has(.score) .name").all_inner_texts()


async def test_colour_and_shape_of_a_source_follow_the_stream(
    browser: Browser, watch: Watch, timescale_url: str
):
    await watch.calm()
    async with listening_api(timescale_url) as base, opened(browser, base, locale="en") as page:
        await log_in(page)
        oxide = line(page, watch.oxide)
        await expect(oxide.locator(".risk.blue")).to_have_text("Ⅳ")
        await watch.colour(watch.oxide, Colour.ORANGE, 58.4)
        await expect(oxide.locator(".risk.orange")).to_have_text("Ⅱ")
        await expect(oxide.locator(".score")).to_have_text("58.4")
        shape = oxide.locator(".risk .shape")
        assert "polygon(50% 3%" in await shape.evaluate("i => getComputedStyle(i).clipPath")
        await expect(line(page, watch.plant.park).locator(".risk.orange")).to_be_visible()
        assert await sources(page) == ["0", "1", "0", "5", "0"]
        await watch.colour(watch.oxide, Colour.ORANGE, 58.4, unknown=True)
        await expect(oxide.locator(".risk.orange.unknown")).to_have_text("Ⅱ?")
        assert await sources(page) == ["0", "1", "0", "5", "1"]
        await watch.colour(watch.oxide, Colour.ORANGE, 58.4)
        await expect(oxide.locator(".risk.orange")).not_to_have_class("unknown")
        await expect(oxide.locator(".risk")).to_have_text("Ⅱ")


async def test_what_presses_most_stands_on_top(browser: Browser, watch: Watch, timescale_url: str):
    await watch.calm()
    for source, colour, score, unknown in (
        (watch.methanol, Colour.YELLOW, 44.0, False),
        (watch.hydrogen, Colour.YELLOW, 31.0, False),
        (watch.benzene, Colour.ORANGE, 60.0, False),
        (watch.oxide, Colour.BLUE, 9.0, True),
    ):
        await watch.colour(source, colour, score, unknown=unknown)
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(line(page, watch.oxide)).to_be_visible()
        names = ["苯罐区", "氢气球罐", "液氯库房", "环氧乙烷装置", "甲醇中间罐", "液氨罐区"]
        assert await order(page) == names
        park = line(page, watch.plant.park)
        assert await park.locator(".tally").all_text_contents() == ["1", "?1", "2"]
        await line(page, watch.ammonia).hover()
        await watch.colour(watch.ammonia, Colour.RED, 90.0)
        await expect(line(page, watch.ammonia).locator(".risk.red")).to_be_visible()
        assert await order(page) == names
        await page.mouse.move(700, 20)
        await expect(page.locator(".node:has(.score) .name").first).to_have_text("液氨罐区")


async def test_a_case_appears_live_and_says_where_and_since_when(
    browser: Browser, watch: Watch, timescale_url: str
):
    await watch.calm()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator("#cases .note")).to_have_text("没有未销警的预警")
        await expect(page.locator("#newest-warning")).to_have_text("没有待签收的预警")
        await page.screenshot(path=SCREENSHOTS / "calm.zh.png")
        case = await watch.cases.see(watch.ammonia, Colour.RED, watch.ago(1.5))
        red = card(page, case)
        await expect(red.locator(".risk.large.red")).to_have_text("Ⅰ红")
        await expect(red.locator(".what")).to_contain_text("液氨罐区华东化工")
        await expect(red.locator(".standing")).to_contain_text("未签收")
        await expect(page.locator("#newest-warning")).to_contain_text("液氨罐区 · 华东化工")
        await expect(page.locator("#announce-loud")).to_have_text("红色预警 液氨罐区")
        await expect(red.locator(".station.province")).to_contain_text("后")
        for level in ("enterprise", "park", "county", "city", "fire"):
            await expect(red.locator(f".station.{level}.told")).to_contain_text("已告知")
        await watch.cases.act(case, "verify", Level.PARK, "zhao.min", watch.now)
        await watch.cases.tick(watch.ago(1.5) + timedelta(minutes=3))
        await watch.cases.see(watch.ammonia, Colour.RED, watch.now, unknown=True)
        await expect(red.locator(".station.province.told")).to_contain_text("后")
        await expect(red.locator(".risk.large .blind")).to_have_text("?")


async def test_signing_shows_who_signed_for_which_level(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(card(page, red).locator(".station.park")).to_contain_text("已告知")
        await page.keyboard.press("w")
        await expect(card(page, red)).to_have_attribute("aria-current", "true")
        await page.keyboard.press("a")
        await expect(page.locator("#ask-level")).to_have_value("park")
        await page.fill("#ask input", "已派人现场核实")
        await page.screenshot(path=SCREENSHOTS / "sign.zh.png")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.work())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("已签收")
        await expect(card(page, red).locator(".station.park.signed")).to_contain_text("wang.fang")
        await expect(card(page, red).locator(".standing")).to_contain_text("已签收")
        await expect(card(page, red).locator("button")).to_have_text(["核实", "闭环处置"])
        await watch.cases.act(red, "verify", Level.COUNTY, "chen.jie", watch.now)
        await expect(card(page, red).locator("button")).to_have_text(["闭环处置"])
        await watch.cases.reviewed(red, watch.now)
        await expect(card(page, red).locator("button")).to_have_text(["解除红色", "闭环处置"])
        await card(page, red).locator("button").first.click()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.work())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("红色已解除")
        await expect(card(page, red).locator(".released")).to_contain_text("wang.fang")
        await expect(card(page, red).locator("button")).to_have_text(["闭环处置"])


async def test_a_red_is_unverified_until_the_park_says_that_it_is_so(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(card(page, red).locator(".unverified")).to_contain_text("待核实 限")
        await expect(page.locator(".case.orange .unverified")).to_have_count(0)
        await expect(card(page, red).locator("button")).to_have_text(["签收", "核实"])
        await page.screenshot(path=SCREENSHOTS / "unverified.zh.png")
        await card(page, red).locator("button", has_text="核实").click()
        await expect(page.locator("#ask-title")).to_have_text("核实红色预警")
        await expect(page.locator("#ask-level")).to_have_value("park")
        await page.fill("#ask input", "电话与视频均确认泄漏")
        await page.screenshot(path=SCREENSHOTS / "verify.zh.png")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.work())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("已核实")
        await expect(card(page, red).locator(".verified")).to_contain_text("wang.fang")
        await expect(card(page, red).locator(".unverified")).to_have_count(0)
        await expect(card(page, red).locator("button")).to_have_text(["签收"])
        await expect(card(page, red).locator(".standing")).to_contain_text("未签收")
        await page.screenshot(path=SCREENSHOTS / "verified.zh.png")


async def test_a_red_that_nobody_verifies_in_time_says_how_late_it_is(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.cases.see(watch.ammonia, Colour.RED, watch.ago(7))
    async with (
        listening_api(timescale_url) as base,
        opened(browser, base, locale="en") as page,
    ):
        await log_in(page)
        await expect(card(page, red).locator(".unverified.late")).to_contain_text("verify: late 2m")
        await page.screenshot(path=SCREENSHOTS / "unverified-late.en.png")
        await fits(page)


async def test_who_was_first_is_told_and_what_waits_says_so(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with (
        listening_api(timescale_url, IMPATIENT) as base,
        opened(browser, base, locale="en") as page,
    ):
        await log_in(page)
        await page.locator("#newest-warning .strong").click()
        await expect(page.locator("#ask-title")).to_have_text("Sign for warning")
        await page.keyboard.press("Enter")
        await expect(page.locator("#toast")).to_have_text("Recorded, waiting to be applied")
        await expect(card(page, red).locator(".pending")).to_have_text("Sign: recorded, waiting")
        await expect(page.locator("#newest-warning .strong")).to_have_count(0)
        await page.screenshot(path=SCREENSHOTS / "pending.en.png")
        await watch.cases.sign(red, Level.PARK, "zhao.min", watch.now)
        await watch.work()
        await expect(page.locator("#toast")).to_contain_text("Signed by zhao.min at")
        await expect(card(page, red).locator(".pending")).to_have_count(0)
        await expect(card(page, red).locator(".station.park")).to_contain_text("zhao.min")


async def test_the_countdown_runs_on_the_clock_of_the_server(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base, locale="en") as page:
        await page.clock.install(time=watch.now + timedelta(hours=2))
        await page.reload()
        await log_in(page)
        province = card(page, red).locator(".station.province .how")
        await expect(province).to_contain_text("in 1m")
        left = seconds(await province.inner_text())
        assert 55 < left < 85
        await page.clock.run_for(5_000)
        assert left - seconds(await province.inner_text()) == pytest.approx(5, abs=2)
        lasting = card(page, red).locator(".lasting")
        assert seconds(await lasting.inner_text()) < 240


async def test_why_a_source_has_its_colour_adds_up(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base, LARGE, "en") as page:
        await log_in(page)
        await line(page, watch.ammonia).click()
        await expect(page.locator("#why-head")).to_contain_text("model 2026-11")
        await expect(page.locator(".floor")).to_have_count(2)
        points = [
            float(text.replace("−", "-"))
            for text in await page.locator(".reason:not(.total) .points").all_inner_texts()
        ]
        assert sum(points) == pytest.approx(84.0)
        assert await page.locator(".reason.total .points").inner_text() == "84.0"
        await expect(page.locator(".reason .amount.less")).to_have_count(1)
        await expect(page.locator(".notified .rung").first).to_contain_text("webhook")
        await page.screenshot(path=SCREENSHOTS / "why.en.1920.png")
        await page.locator(".reason .link").click()
        await expect(page.locator("#chart canvas")).to_be_visible()
        await expect(page.locator(".row.alarm.chosen")).to_contain_text("GD07")
        await card(page, red).click()
        await watch.colour(watch.ammonia, Colour.RED, 77.7)
        await expect(page.locator(".reason.total .points")).to_have_text("77.7")


async def test_after_a_reset_everything_is_fetched_anew(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        answer = "event: reset\nid: 9999\ndata: {}\n\n"
        await page.route("**/api/v1/events", lambda route: route.fulfill(body=answer))
        await log_in(page)
        await expect(card(page, red)).to_be_visible()
        await watch.cases.see(watch.methanol, Colour.YELLOW, watch.now)
        await watch.colour(watch.methanol, Colour.YELLOW, 40.0)
        await expect(page.locator(".case")).to_have_count(4)
        await expect(line(page, watch.methanol).locator(".risk.yellow")).to_be_visible()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
async def test_no_ring_of_the_ladder_covers_a_label_or_leaves_its_card(
    browser: Browser, watch: Watch, timescale_url: str, locale: str
):
    await watch.trouble()
    await watch.cases.see(watch.methanol, Colour.YELLOW, watch.now)
    async with listening_api(timescale_url) as base, opened(browser, base, locale=locale) as page:
        await log_in(page)
        await expect(page.locator(".station.enterprise .stop.now").first).to_be_attached()
        rooms = await page.locator(".station").evaluate_all(ROOM)
        assert len(rooms) == 21
        assert min(rooms) >= 0


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["1366", "1920"])
async def test_everything_fits_and_nothing_is_cut_off(
    browser: Browser, watch: Watch, timescale_url: str, locale: str, size: dict[str, int]
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base, size, locale) as page:
        await log_in(page)
        await card(page, red).click()
        await expect(page.locator(".reason.total")).to_be_visible()
        await fits(page)
        name = f"trouble.{locale[:2]}.{size['width']}.png"
        await page.screenshot(path=SCREENSHOTS / name)
        assert await page.locator("#newest .what").evaluate_all(CUT_OFF) == []
        for part in (
            *(".lasting", ".station .level", ".station .how", ".standing", ".do button"),
            ".checked",
        ):
            assert await page.locator(f".case {part}").evaluate_all(CUT_OFF) == []
        for part in (
            ".onset",
            ".duration",
            ".tag",
            ".value",
            ".limit",
            ".acked",
            ".state .state span",
        ):
            assert await page.locator(f".row .cell{part}").evaluate_all(CUT_OFF) == []


CUT_OFF = """parts => parts.filter((part) => part.scrollWidth > part.clientWidth + 1
    && getComputedStyle(part).display !== "inline").map((part) => part.textContent)"""
ROOM = """stations => stations.map((station) => {
  const stop = station.querySelector(".stop");
  const rings = ["::before", "::after"].map((part) => getComputedStyle(stop, part))
    .filter((style) => style.content !== "none").map((style) => parseFloat(style.height) / 2);
  const [ring, middle] = [Math.max(0, ...rings), stop.getBoundingClientRect().top];
  const below = station.querySelector(".level").getBoundingClientRect().top - middle - ring;
  return Math.min(below, middle - ring - station.closest(".case").getBoundingClientRect().top);
})"""
