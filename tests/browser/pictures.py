"""The pictures of the docs, made anew from the demonstration: `python -m tests.browser.pictures`.

It starts the demonstration from nothing and waits for its leak, so it takes two or three minutes.
"""

import asyncio
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from tests.browser.desk import log_in

IMAGES = Path("docs/images")
SIZE = {"width": 1440, "height": 900}
USER = "demo-county"
PATIENCE_MS = 240_000


async def take(page: Page) -> None:
    """Both pictures, once the leak is red for two minutes and another plant is in a flood."""
    expect.set_options(timeout=PATIENCE_MS)
    red = page.locator(".case.red")
    await expect(red).to_be_visible()
    await expect(page.locator(".flood")).to_be_visible()
    await page.locator(".row.alarm", has_text="GD-211").first.click()
    await page.locator("#spans button").first.click()
    await page.mouse.move(0, 0)
    await expect(red.locator(".lasting")).to_contain_text("2m")
    await page.screenshot(path=IMAGES / "incident.png", animations="disabled")
    await red.click()
    await expect(page.locator("#why .reason")).not_to_have_count(0)
    await page.screenshot(path=IMAGES / "why.png", animations="disabled")


async def main(data: str) -> None:
    """data: an empty folder for the demonstration."""
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hazwatch", "demo", "--port", "0", "--data-dir", data),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        base, password = await told(demo)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page(
                viewport={"width": SIZE["width"], "height": SIZE["height"]},
                locale="zh-CN",
                timezone_id="Asia/Shanghai",
            )
            await page.goto(base)
            await log_in(page, password, USER)
            await take(page)
            await browser.close()
    finally:
        demo.terminate()
        await demo.communicate()


async def told(demo: asyncio.subprocess.Process) -> tuple[str, str]:
    """The address of the page, and the password of the account."""
    assert demo.stdout is not None
    base = ""
    async for line in demo.stdout:
        text = line.decode()
        if found := re.search(r"http://[\d.:]+/", text):
            base = found[0]
        if found := re.search(rf"user {USER}\s+password (\S+)", text):
            return base, found[1]
    raise SystemExit("the demonstration did not start")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as nobody
        asyncio.run(main(folder))
