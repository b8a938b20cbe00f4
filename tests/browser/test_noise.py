"""What stands beside alarms: folded lines, floods, marks; and what people do with them."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from api.options import ApiOptions
from domain.alarms import Alarm, Kind, Priority
from tests.browser.desk import CONSOLE, SCREENSHOTS, fits, log_in, opened
from tests.browser.noise import Handler, Noise, note
from tests.browser.watch import Watch
from tests.support.api import listening_api
from tests.support.seed import PASSWORD

pytestmark = pytest.mark.browser
TRY = """async ([id, verb]) => {
  const { decide, newKey, reason } = await import('/js/server.js');
  return decide(`/alarms/${id}/${verb}`, {}, newKey()).catch(reason);
}"""
PATIENT = ApiOptions(port=0, action_wait_s=5.0)
NAME, SECRET = "input[name=second]", "input[name=second_password]"


@pytest.fixture
def noise(watch: Watch) -> Noise:
    return Noise(watch)


def row(page: Page, alarm: Alarm) -> Locator:
    return page.locator(f'[data-id="{alarm.id}"]')


async def test_a_lost_gateway_has_its_sources_and_tags_under_it(
    browser: Browser, noise: Noise, timescale_url: str
):
    top, folded = noise.lost_gateway()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await noise.routed(page)
        await log_in(page)
        await expect(row(page, top)).to_contain_text("GW-2")
        await expect(row(page, top)).to_contain_text("网关失联")
        line = page.locator(".row.fold")
        await expect(line).to_contain_text("其下 6 条")
        await expect(line).not_to_contain_text("同因")
        await expect(page.locator(".row.alarm")).to_have_count(2 + 1)
        await line.locator("button").click()
        await expect(row(page, folded[0])).to_contain_text("无数据")
        await expect(page.locator(".row.alarm")).to_have_count(2 + 1 + 6)
        await page.screenshot(path=SCREENSHOTS / "lost_gateway.zh.png")


async def test_what_folds_opens_by_click_and_key_and_what_must_stand_never_folds(
    browser: Browser, noise: Noise, timescale_url: str
):
    first, folded = noise.flood()
    loud = next(a for a in noise.watch.alarms.values() if a.priority is Priority.P1)
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await noise.routed(page)
        await log_in(page, user=CONSOLE)
        line = page.locator(".row.fold")
        await expect(line).to_contain_text("同因 17 条")
        await expect(line).to_contain_text("未确认 17")
        # P1 stands by itself whatever its note says, and every count has all of them
        await expect(row(page, loud)).to_be_visible()
        await expect(page.locator("#summary")).to_contain_text("P318")
        await expect(page.locator('[data-filter="open"]')).to_have_text("未关闭 20")
        await expect(page.locator(".row.alarm")).to_have_count(3)
        for mark in ("首出", "顺序不定"):
            await expect(row(page, first)).to_contain_text(mark)
        await expect(page.locator(".flood")).to_contain_text(
            re.compile("报警泛滥华东化工自 .+6m.+已响 21 条原因循环水泵停 18")
        )
        await page.screenshot(path=SCREENSHOTS / "flood.zh.png")
        opener = line.locator("button")
        await opener.click()
        await expect(opener).to_have_attribute("aria-expanded", "true")
        await expect(row(page, folded[-1])).to_be_visible()
        await page.keyboard.press("ArrowLeft")
        await expect(row(page, folded[-1])).to_have_count(0)
        await page.locator(".cause").click()
        await expect(row(page, first)).to_have_class(re.compile("chosen"))
        for key in ("j", "Enter"):
            await page.keyboard.press(key)
        await expect(row(page, folded[-1])).to_be_visible()
        await page.locator(".cause").click()
        await page.keyboard.press("ArrowLeft")
        # the flood is over: what it folded stands by itself again
        await noise.tell(notes={str(one.id): None for one in folded[:3]})
        await page.mouse.move(5, 300)
        await expect(line).to_contain_text("同因 14 条")
        await expect(page.locator(".flood")).to_have_count(0)
        await noise.tell(flood=noise.desks[0]["flood"] | {"heard": 40})
        await expect(page.locator(".flood")).to_contain_text("已响 40 条")
        await expect(page.locator("#announce-loud")).to_have_text("华东化工 报警泛滥")
        await fits(page)


async def test_above_the_enterprise_an_alarm_is_seen_and_stays_unacknowledged(
    browser: Browser, noise: Noise, timescale_url: str
):
    top, _ = noise.lost()
    handler = Handler(noise.watch)
    async with (
        listening_api(timescale_url, PATIENT) as base,
        opened(browser, base, locale="en") as page,
    ):
        await noise.routed(page)
        await log_in(page)
        await expect(page.locator(".row.fold")).to_contain_text("12 suppressed under it")
        # nobody calls for what lies under another one
        await expect(page.locator("#newest")).not_to_contain_text("LI101")
        await expect(row(page, top).locator(".etc")).to_have_count(0)
        async with asyncio.TaskGroup() as tasks:
            done = tasks.create_task(handler.work())
            await row(page, top).locator(".ack", has_text="Seen").click()
            await expect(page.locator("#toast")).to_contain_text("Seen; the enterprise still has")
        assert done.result()["verb"] == "see"
        await expect(row(page, top).locator(".flag.seen")).to_have_text("Park: seen")
        await expect(row(page, top)).to_contain_text("Unacked")
        await expect(row(page, top).locator(".ack")).to_have_count(0)
        await page.screenshot(path=SCREENSHOTS / "seen.en.png")
        for verb, words in (
            ("acknowledge", "The enterprise's desk acknowledges alarms: mark it as seen instead"),
            ("reset", "The enterprise's desk acknowledges alarms: mark it as seen instead"),
            ("unshelve", "Only the enterprise's desk silences alarms"),
        ):
            assert await page.evaluate(TRY, [str(top.id), verb]) == words


async def test_shelving_asks_for_what_the_policy_asks_and_says_refusals_in_words(
    browser: Browser, noise: Noise, timescale_url: str
):
    watch = noise.watch
    watch.seed.person("wu.di", "operator", watch.plant.enterprises[0])
    gas = watch.raise_(watch.plant.tags[0][1], Kind.H, Priority.P2, 2, 23.0)
    handler = Handler(watch)
    async with listening_api(timescale_url, PATIENT) as base, opened(browser, base) as page:
        await log_in(page, user=CONSOLE)
        await row(page, gas).locator(".etc").click()
        await expect(page.locator("#menu button")).to_have_text([re.compile("^搁置"), "停用…"])
        await page.keyboard.press("Escape")
        await row(page, gas).click()
        await page.keyboard.press("s")
        await expect(page.locator("#ask-more .choice")).to_have_text(["15 分钟", "30 分钟"])
        await expect(page.locator("#ask-more .until")).to_contain_text("UTC+08:00")
        await page.fill("#ask input[name=more]", "已通知班长")
        name, password, trouble = (
            page.locator(f"#ask {one}") for one in (NAME, SECRET, "#second-trouble")
        )
        await expect(password).to_have_attribute("type", "password")
        await expect(password).to_have_attribute("autocomplete", "off")
        for who, says, mended in (
            ("nobody", "第二人的用户名或密码不正确", password),
            (CONSOLE, "第二人须为另一人", name),
            ("wang.fang", "第二人不属于该报警的企业值守岗位：请由本岗位的另一人输入", name),
        ):
            await name.fill(who)
            await password.fill(PASSWORD)
            await page.click("#ask-send")
            await expect(trouble).to_have_text(says)
            await expect(password).to_have_value("")
            await expect(mended).to_be_focused()
            await expect(mended).to_have_attribute("aria-invalid", "true")
            await expect(page.locator("#ask-trouble")).to_be_hidden()
        await page.screenshot(path=SCREENSHOTS / "shelve.zh.png")
        await name.fill("wu.di")
        await password.fill(PASSWORD)
        async with asyncio.TaskGroup() as tasks:
            done = tasks.create_task(handler.work())
            await page.click("#ask-send")
            await expect(page.locator("#toast")).to_have_text("已搁置")
        assert done.result()["comment"] == "现场已确认，等待检修：已通知班长"
        assert done.result()["second"] == "wu.di"
        await expect(page.locator("input[type=password]")).to_have_count(1)  # the login's
        mark = row(page, gas).locator(".flag.shelved")
        await expect(mark).to_have_text(re.compile(r"搁置 →\d\d:\d\d"))
        title = "^已搁置 · 现场已确认，等待检修：已通知班长 · zhao.lei \\+ wu.di"
        await expect(mark).to_have_attribute("title", re.compile(title))
        await expect(row(page, gas).locator(".lamp")).to_have_css("animation-name", "none")
        # silenced, and still counted; closed under its shelf, and still listed
        await expect(page.locator("#silent-counts")).to_have_text(re.compile("搁置1"))
        shelved = page.locator('[data-filter="shelved"]')
        await _close(watch, gas)
        await expect(page.locator('[data-filter="open"]')).to_have_text("未关闭 1")
        await expect(shelved).to_have_text("搁置 1")
        await shelved.click()
        await row(page, gas).click()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(handler.work())
            await page.keyboard.press("s")
            await expect(page.locator("#ask-title")).to_have_text("取消搁置")
            await page.click("#ask-send")
            await expect(page.locator("#toast")).to_have_text("已取消搁置")
        await expect(shelved).to_have_text("搁置 0")
        words = "“已阅”由园区及以上值守使用；企业请确认"
        assert await page.evaluate(TRY, [str(gas.id), "seen"]) == words


async def _close(watch: Watch, alarm: Alarm) -> None:
    now = watch.alarms[alarm.id]
    gone = await asyncio.to_thread(watch.seed.returned, watch.plant, now, watch.now)
    watch.keep(
        await asyncio.to_thread(watch.seed.acknowledged, watch.plant, gone, "li.na", watch.now)
    )


async def test_every_mark_is_a_word_whose_reason_shows_under_the_pointer(
    browser: Browser, noise: Noise, timescale_url: str
):
    watch, (level, gas) = noise.watch, noise.plant.tags[0]
    design = watch.raise_(gas, Kind.H, Priority.P2, 31, 22.0)
    out = watch.raise_(level, Kind.L, Priority.P3, 32, 1.0)
    held = watch.raise_(level, Kind.CHANGE, Priority.P4, 33, 1.0)
    often = watch.raise_(level, Kind.HH, Priority.P2, 2, 9.3)
    overdue = watch.raise_(gas, Kind.HH, Priority.P1, 3, 45.0)
    noise.flagged(design, "suppressed", "标定许可 PTW-17")
    noise.flagged(out, "out_of_service", "检修许可 PTW-18")
    noise.say(held, flags=["stale"])
    noise.note(often, repeats=7)
    marks = (
        (design, "suppressed", "by design", "suppressed by design · 标定许可 PTW-17 · li.na"),
        (out, "out_of_service", "out", "out of service · 检修许可 PTW-18 · li.na + wu.di · until "),
        (held, "stale", "no data", "No data: its last state is held"),
        (often, "chatter", "chatters ×7", "It has come 7 times"),
        (overdue, "late", "overdue", "To be acknowledged by "),
    )
    async with listening_api(timescale_url) as base, opened(browser, base, locale="en") as page:
        await noise.routed(page)
        await log_in(page, user=CONSOLE)
        for alarm, name, text, reason in marks:
            mark = row(page, alarm).locator(f".flag.{name}")
            await expect(mark).to_contain_text(text)
            await expect(mark).to_have_attribute("title", re.compile(re.escape(reason)))
            assert await mark.evaluate("mark => mark.scrollWidth <= mark.clientWidth + 1")
        for name in ("suppressed", "out_of_service", "stale", "chattering"):
            button = page.locator(f'[data-filter="{name}"]')
            await expect(button).to_have_text(re.compile(" 1$"))
            await button.click()
            await expect(page.locator(".row.alarm")).to_have_count(1)
        await page.screenshot(path=SCREENSHOTS / "marks.en.png")
        await fits(page)


async def test_folds_are_safe_against_notes_that_make_no_sense(
    browser: Browser, timescale_url: str
):
    lines = """async (alarms) => {
      const { lines } = await import('/js/folds.js');
      return lines(alarms, new Set()).order;
    }"""

    def one(id: str, under: str | None, **members: str) -> dict[str, object]:
        plain = {"id": id, "priority": "P3", "kind": "H", "class": "LEVEL"}
        return plain | members | {"note": note(under=under)}

    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        # in a ring each stands by itself; under nothing, too; a chain folds to its top
        assert await page.evaluate(lines, [one("a", "b"), one("b", "a")]) == ["a", "b"]
        assert await page.evaluate(lines, [one("a", "gone")]) == ["a"]
        chain = [one("c", "b"), one("b", "a"), one("a", None)]
        assert await page.evaluate(lines, chain) == ["a", "fold:a"]
        for grave in ({"priority": "P1"}, {"kind": "LL"}, {"class": "GAS_L1"}, {"class": "FIRE"}):
            assert await page.evaluate(lines, [one("a", None), one("b", "a", **grave)]) == [
                "a",
                "b",
            ]
