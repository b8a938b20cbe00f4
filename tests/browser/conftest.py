"""Chromium, and a plant to look at."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.desk import SCREENSHOTS, Desk
from tests.browser.watch import Watch


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs Chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest.fixture
def desk(timescale_url: str) -> Desk:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return Desk(timescale_url)


@pytest.fixture
def watch(timescale_url: str) -> Watch:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return Watch(timescale_url)
