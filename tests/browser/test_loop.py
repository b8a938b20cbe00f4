"""The loop of a case on the page: its steps, and the form of the next one."""

import asyncio

from playwright.async_api import Browser, FilePayload, Page, expect

from domain.cases import Case, Level
from domain.risk import Colour
from tests.browser.desk import SCREENSHOTS, log_in, opened
from tests.browser.watch import Watch
from tests.support.api import listening_api

JPEG: FilePayload = {
    "name": "阀组.jpg",
    "mimeType": "image/jpeg",
    "buffer": b"\xff\xd8\xff\xe0" + bytes(900),
}


async def send(page: Page, watch: Watch, toast: str) -> None:
    """Send the form of the next step, and let the worker do it."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch.work())
        await page.locator("#loop .step-form button.strong").click()
        await expect(page.locator("#toast")).to_have_text(toast)


async def signed(watch: Watch) -> Case:
    case = await watch.cases.see(watch.oxide, Colour.ORANGE, watch.ago(40))
    await watch.colour(watch.oxide, Colour.ORANGE, 58.4)
    return await watch.cases.sign(case, Level.PARK, "zhao.min", watch.ago(38))


async def test_from_handling_to_closing_every_step_shows_who_and_asks_for_the_next(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await signed(watch)
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await page.locator(f'[data-case="{case.id}"] button', has_text="闭环处置").click()
        steps = page.locator("#loop .step")
        await expect(steps.nth(0)).to_contain_text("zhao.min")
        await expect(steps.nth(1)).to_contain_text("待办")
        await expect(steps.nth(2).locator(".due.late")).to_contain_text("超时")
        await page.fill("#loop textarea[name=comment]", "带班李工带人去关阀")
        await send(page, watch, "处置已记录")
        await expect(steps.nth(1)).to_contain_text("wang.fang")
        # an empty feedback is refused in the reader's language, and the clock goes on
        await page.locator("#loop .step-form button.strong").click()
        await expect(page.locator("#loop .trouble")).to_contain_text("反馈为空，不计时效")
        await page.fill("#loop textarea[name=report]", "阀门已关闭")
        await page.fill("#loop input[name=reading]", "GD-07 12 ppm")
        await page.set_input_files("#loop input[name=files]", JPEG)
        await page.screenshot(path=SCREENSHOTS / "loop-feedback.zh.png")
        await send(page, watch, "反馈已提交")
        await expect(steps.nth(2)).to_contain_text("阀门已关闭 · GD-07 12 ppm")
        await expect(steps.nth(2).locator("a.file")).to_have_text("阀组.jpg")
        async with page.expect_download() as download:
            await steps.nth(2).locator("a.file").click()
        assert (await (await download.value).path()).read_bytes() == JPEG["buffer"]
        # nobody reviews what they fed back
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.work())
            await page.locator("#loop .step-form button.strong").click()
            await expect(page.locator("#loop .trouble")).to_have_text("反馈人不得审核自己的反馈")
        await watch.cases.act(
            case, "review", Level.COUNTY, "chen.jie", watch.now, "现场核实", approve=True
        )
        await expect(steps.nth(3)).to_contain_text("chen.jie")
        await page.locator("#loop select[name=kind]").select_option("real")
        await page.screenshot(path=SCREENSHOTS / "loop-closing.zh.png")
        await send(page, watch, "已销警，恢复蓝色后关闭")
        await expect(page.locator("#loop .step-form")).to_contain_text("恢复蓝色后自动关闭")
        await watch.cases.see(watch.oxide, Colour.BLUE, watch.now)
        await expect(page.locator(f'[data-case="{case.id}"]')).to_have_count(0)


async def test_a_case_that_nobody_signed_asks_for_that_first(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base, locale="en") as page:
        await log_in(page)
        await page.locator(f'[data-case="{red.id}"]').click()
        await page.locator("#tab-loop").click()
        await expect(page.locator("#loop .step.next")).to_contain_text("Sign")
        await page.screenshot(path=SCREENSHOTS / "loop-open.en.png")
        await page.locator("#loop .step-form button").click()
        await expect(page.locator("#ask-title")).to_have_text("Sign for warning")
