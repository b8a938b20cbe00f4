"""Colours of the page: only for risk, told apart by everybody, readable."""

import base64
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.desk import SCREENSHOTS, log_in, opened
from tests.browser.vision import SIGHT, apart, ciede2000, contrast, luminance
from tests.browser.watch import Watch, card
from tests.support.api import listening_api

COLOURS = ("red", "orange", "yellow", "blue")
STYLES = Path("api/dashboard")


def palette() -> dict[str, str]:
    """The named colours of the style sheets."""
    text = "".join((STYLES / name).read_text("utf-8") for name in ("app.css", "risk.css"))
    found = re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", text)
    return {name: f"#{v[1] * 2}{v[2] * 2}{v[3] * 2}" if len(v) == 4 else v for name, v in found}


def test_distances_agree_with_the_published_example():
    one, other = np.array([50, 2.6772, -79.7751]), np.array([50, 0, -82.7485])
    assert ciede2000(one, other) == pytest.approx(2.0425, abs=1e-4)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("one", "other"), tuple(itertools.combinations(COLOURS, 2)))
def test_no_two_levels_look_alike_to_anybody(one: str, other: str, sight: str):
    colours = palette()
    assert apart(colours[one], colours[other], sight) >= 20


def test_levels_differ_in_greyscale_and_their_text_is_readable():
    colours = palette()
    light = [luminance(colours[name]) for name in COLOURS]
    assert light == sorted(light)
    assert min(np.diff(light)) > 0.1
    for name in COLOURS:
        assert contrast(colours[name], colours[f"on-{name}"]) >= 4.5


@pytest.mark.browser
async def test_an_all_normal_plant_has_no_colour(
    browser: Browser, watch: Watch, timescale_url: str
):
    await watch.calm()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await expect(page.locator(".risk.blue").first).to_be_visible()
        assert await saturated(page) < 0.01


@pytest.mark.browser
async def test_colour_stands_for_risk_alone_and_text_can_be_read(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await log_in(page)
        await card(page, red).click()
        await expect(page.locator(".reason.total")).to_be_visible()
        assert await saturated(page) > 0.01
        assert await page.evaluate(FAINT) == []
        await page.evaluate(
            "document.styleSheets[1].insertRule('.risk, .tally { visibility: hidden !important }')"
        )
        assert await saturated(page) < 0.001


@pytest.mark.browser
async def test_reduced_motion_draws_thick_borders_instead_of_blinking(
    browser: Browser, watch: Watch, timescale_url: str
):
    await watch.trouble()
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await page.emulate_media(reduced_motion="reduce")
        await log_in(page)
        await expect(page.locator(".case").first).to_be_visible()
        moving = "document.getAnimations().filter(one => one.playState === 'running').length"
        assert await page.evaluate(moving) == 0
        await expect(page.locator(".unsigned")).to_have_css("border-top-width", "4px")
        await page.screenshot(path=SCREENSHOTS / "still.zh.png")


async def saturated(page: Page) -> float:
    """The share of pixels whose saturation (HSV) is above 0.4."""
    picture = base64.b64encode(await page.screenshot()).decode()
    share: float = await page.evaluate(SATURATED, f"data:image/png;base64,{picture}")
    return share


SATURATED = """async (url) => {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  let count = 0;
  for (let n = 0; n < data.length; n += 4) {
    const [low, high] = [Math.min(...data.slice(n, n + 3)), Math.max(...data.slice(n, n + 3))];
    if (high > 0 && (high - low) / high > 0.4) count += 1;
  }
  return count / (data.length / 4);
}"""
FAINT = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(one);
      if (backgroundImage !== "none") return null;
      if ((parts(backgroundColor)[3] ?? 1) > 0) return backgroundColor;
    }
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text === "" || !element.checkVisibility() || element.closest(".unseen, noscript")) continue;
    const under = ground(element);
    if (under === null) continue;
    const both = [light(getComputedStyle(element).color), light(under)];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < 4.5) found.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""
