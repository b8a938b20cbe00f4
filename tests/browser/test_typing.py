"""What somebody types outlasts whatever the stream redraws around it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, Route, expect

from api.options import ApiOptions
from domain.alarms import Kind, Priority
from domain.cases import Case, Level
from domain.risk import Colour
from tests.browser.desk import SCREENSHOTS, fits, log_in, opened
from tests.browser.test_loop import JPEG, signed
from tests.browser.watch import Watch, card
from tests.support.api import listening_api

IMPATIENT = ApiOptions(port=0, action_wait_s=0.2)
CARET = "[document.activeElement.name, document.activeElement.selectionStart]"


async def handled(watch: Watch) -> Case:
    """A case that asks for its feedback."""
    case = await signed(watch)
    return await watch.cases.act(case, "handle", Level.PARK, "zhao.min", watch.ago(30), "去关阀")


@asynccontextmanager
async def at_the_loop(
    browser: Browser, url: str, case: Case, options: ApiOptions | None = None, locale: str = "zh-CN"
) -> AsyncIterator[Page]:
    """The page with the loop of a case."""
    async with listening_api(url, options) as base, opened(browser, base, locale=locale) as page:
        await log_in(page)
        await card(page, case).locator(".do button").last.click()
        await expect(page.locator("#loop .step-form")).to_be_visible()
        yield page


async def type_feedback(page: Page) -> None:
    """A feedback that is not sent yet, with the caret amid its text."""
    await page.set_input_files("#loop input[name=files]", JPEG)
    await page.fill("#loop input[name=reading]", "GD-07 12 ppm")
    await page.fill("#loop textarea[name=report]", "阀门已关闭")
    await page.evaluate("document.activeElement.setSelectionRange(2, 2)")


async def stands_as_typed(page: Page) -> None:
    """The feedback of `type_feedback`, focus and caret too."""
    assert await page.input_value("#loop textarea[name=report]") == "阀门已关闭"
    assert await page.input_value("#loop input[name=reading]") == "GD-07 12 ppm"
    files = "document.querySelector('#loop input[name=files]').files[0]?.name"
    assert await page.evaluate(files) == JPEG["name"]
    assert await page.evaluate(CARET) == ["report", 2]


async def test_a_refusal_outlasts_a_late_answer_about_the_case(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await signed(watch)
    told, come = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        await told.wait()
        await route.continue_()
        come.set()

    async with at_the_loop(browser, timescale_url, case) as page:
        await page.route(f"**/warnings/{case.id}", late)
        await watch.cases.act(case, "handle", Level.PARK, "zhao.min", watch.now, "去关阀")
        await page.locator("#loop .step-form button.strong", has_text="提交反馈").click()
        await expect(page.locator("#loop .trouble")).to_contain_text("反馈为空")
        async with page.expect_response(f"**/warnings/{case.id}"):
            told.set()
        await watch.cases.tick(watch.now)
        await page.evaluate("new Promise(requestAnimationFrame)")
        await page.evaluate("new Promise(requestAnimationFrame)")
        await expect(page.locator("#loop .trouble")).to_contain_text("反馈为空", timeout=1)


async def test_what_is_typed_outlasts_events_another_language_and_another_choice(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    await watch.cases.see(watch.benzene, Colour.YELLOW, watch.ago(14))
    async with at_the_loop(browser, timescale_url, case) as page:
        await type_feedback(page)
        await watch.cases.sign(case, Level.COUNTY, "chen.jie", watch.now)
        await expect(card(page, case)).to_contain_text("chen.jie")
        await stands_as_typed(page)
        await page.evaluate("document.getElementById('language').click()")
        await expect(page.locator("#loop .step-form button.strong")).to_have_text("Feed back")
        await stands_as_typed(page)
        await page.locator(".case").last.click()
        await expect(page.locator("#loop textarea[name=report]")).to_have_count(0)
        await card(page, case).click()
        assert await page.input_value("#loop textarea[name=report]") == "阀门已关闭"


async def test_who_types_hears_that_somebody_else_was_first_and_keeps_the_text(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    async with at_the_loop(browser, timescale_url, case) as page:
        await type_feedback(page)
        case = await watch.cases.act(
            case, "feedback", Level.ENTERPRISE, "li.na", watch.now, "现场已处理"
        )
        note = page.locator("#loop .overtaken")
        await expect(note).to_contain_text("此步骤已由 li.na 完成，您填写的内容未提交")
        await stands_as_typed(page)
        await expect(page.locator("#loop .step-form button.strong")).to_be_disabled()
        await page.screenshot(path=SCREENSHOTS / "loop-overtaken.zh.png")
        # sent back: the same text may be the answer
        await watch.cases.act(
            case, "review", Level.COUNTY, "chen.jie", watch.now, "缺读数", approve=False
        )
        await expect(note).to_be_hidden()
        await expect(page.locator("#loop .step-form button.strong")).to_be_enabled()
        await stands_as_typed(page)


async def test_text_that_came_too_late_is_put_aside_until_its_step_comes_again(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    async with at_the_loop(browser, timescale_url, case, locale="en") as page:
        await type_feedback(page)
        await watch.cases.act(case, "feedback", Level.PARK, "li.na", watch.now, "现场已处理")
        await page.locator("#loop .overtaken button", has_text="Put aside").click()
        await expect(page.locator("#loop select[name=verdict]")).to_be_visible()
        assert await page.locator("#loop textarea[name=report]").count() == 0
        await watch.cases.act(
            case, "review", Level.COUNTY, "chen.jie", watch.now, "no reading", approve=False
        )
        await expect(page.locator("#loop textarea[name=report]")).to_have_value("阀门已关闭")


async def test_a_rise_while_somebody_types_asks_to_sign_and_keeps_the_text(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    async with at_the_loop(browser, timescale_url, case) as page:
        await type_feedback(page)
        await watch.cases.see(watch.oxide, Colour.RED, watch.now)
        await expect(page.locator("#loop .overtaken")).to_contain_text("预警已变化")
        await stands_as_typed(page)
        await page.screenshot(path=SCREENSHOTS / "loop-rose.zh.png")
        await page.locator("#loop button", has_text="签收").click()
        await expect(page.locator("#ask-title")).to_have_text("签收预警")


async def test_what_the_worker_refuses_later_is_still_there_to_be_mended(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    await watch.cases.act(case, "feedback", Level.PARK, "wang.fang", watch.ago(20), "阀门已关闭")
    async with at_the_loop(browser, timescale_url, case, IMPATIENT) as page:
        await page.fill("#loop textarea[name=comment]", "现场核实")
        # the second time it is asked anew: an old answer to an old key would tell of the past
        for _ in range(2):
            await page.locator("#loop .step-form button.strong").click()
            await expect(page.locator("#loop .pending")).to_have_text("已记录，等待处理")
            await expect(page.locator("#loop .step-form button.strong")).to_be_disabled()
            await watch.work()
            await expect(page.locator("#loop .trouble")).to_have_text("反馈人不得审核自己的反馈")
            await expect(page.locator("#loop textarea[name=comment]")).to_have_value("现场核实")
            await expect(page.locator("#loop .step-form button.strong")).to_be_enabled()


async def test_letters_that_miss_a_field_of_the_loop_are_no_commands(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    sent: list[str] = []
    async with at_the_loop(browser, timescale_url, case) as page:
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
        await page.locator("#rows .row.unack, #rows .row.rtnun").first.click()
        await page.locator("#tab-loop").click()
        await card(page, case).locator(".do button").last.click()
        await page.locator("#loop .step-form button.strong").focus()
        for key in "asj":
            await page.keyboard.press(key)
        await expect(page.locator("#ask")).to_be_hidden()
        assert await page.evaluate("document.activeElement.textContent") == "提交反馈"
        assert sent == []


async def test_the_focus_stays_with_its_button_when_the_stream_redraws_it(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await card(page, red).locator("button", has_text="签收").focus()
        await watch.cases.sign(red, Level.ENTERPRISE, "li.na", watch.now)
        await expect(card(page, red)).to_contain_text("li.na")
        assert await page.evaluate("document.activeElement.textContent") == "签收"
        assert await page.evaluate(
            "document.activeElement.closest('[data-case]').dataset.case"
        ) == (str(red.id))
        await page.locator("#filters .choice", has_text="仍在报警").focus()
        text = await page.locator("#filters .choice", has_text="仍在报警").text_content()
        watch.silent(watch.methanol, 1)
        await expect(page.locator("#filters .choice", has_text="仍在报警")).not_to_have_text(
            text or ""
        )
        assert await page.evaluate("document.activeElement.dataset.filter") == "active"


async def test_the_keyboard_alone_goes_from_the_warning_to_its_feedback(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await watch.cases.see(watch.oxide, Colour.ORANGE, watch.ago(1))
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(card(page, case)).to_be_visible()
        await page.keyboard.press("w")
        await page.keyboard.press("a")
        await page.keyboard.press("Escape")
        await expect(page.locator("#ask")).to_be_hidden()
        await page.keyboard.press("a")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.work())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("已签收")
        button = card(page, case).locator("button", has_text="闭环处置")
        await expect(button).to_be_visible()
        await expect(page.locator("#cases")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await expect(button).to_have_css("outline-style", "solid")
        await page.keyboard.press("Enter")
        await page.keyboard.type("a j w")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.work())
            await page.keyboard.press("Enter")
            await expect(page.locator("#toast")).to_have_text("处置已记录")
        await expect(page.locator("#loop .step").nth(1)).to_contain_text("a j w")
        await expect(page.locator("#loop textarea[name=report]")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator("#cases")).to_be_focused()


async def test_an_urgent_alarm_breaks_into_what_is_read_aloud(
    browser: Browser, watch: Watch, timescale_url: str
):
    gas = watch.plant.tags[0][1]
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator("#rows .row").first).to_be_visible()
        await asyncio.to_thread(watch.raise_, gas, Kind.H, Priority.P2, 1, 30.0)
        await expect(page.locator("#announce")).to_contain_text("新报警 P2")
        await asyncio.to_thread(watch.raise_, gas, Kind.HH, Priority.P1, 0.5, 60.0)
        await expect(page.locator("#announce-loud")).to_contain_text("新报警 P1")
        assert await page.get_attribute("#announce-loud", "aria-live") == "assertive"


async def test_a_telephone_shows_the_alarm_and_the_form_without_sideways_scrolling(
    browser: Browser, watch: Watch, timescale_url: str
):
    case = await handled(watch)
    async with (
        listening_api(timescale_url) as base,
        opened(browser, base, {"width": 420, "height": 860}) as page,
    ):
        await log_in(page)
        await expect(card(page, case)).to_be_visible()
        await fits(page)
        await card(page, case).locator("button", has_text="闭环处置").click()
        await expect(page.locator("#loop .step-form button.strong")).to_be_in_viewport()
        rows = page.locator("#rows .row.alarm")
        first, second = await rows.nth(0).bounding_box(), await rows.nth(1).bounding_box()
        assert first is not None
        assert second is not None
        assert second["y"] - first["y"] >= first["height"] > 50
        await fits(page)
        await page.screenshot(path=SCREENSHOTS / "telephone.zh.png", full_page=True)
