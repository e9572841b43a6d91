"""Takes the pictures of the README: `python -m tests.browser.screenshots STORE [FOLDER]`."""

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from geomon.panels.serve import start
from geomon.store import Store
from tests.browser.test_desks import FLAGS

PICTURES = {
    "development": ("/development?depth=practitioner&look=light", 1440, 900),
    "foundation": ("/development?output=6.6.1/permanent&depth=foundation&look=light", 1440, 900),
    "expert": ("/development?depth=expert&look=light", 1440, 0),
    "humanitarian": ("/humanitarian?depth=practitioner&look=dark", 1440, 900),
    "trade": ("/trade?depth=practitioner&look=light", 1440, 900),
    "narrow": ("/development?output=6.6.1/seasonal&depth=practitioner&look=dark", 1000, 0),
    "pixels": ("/development?depth=practitioner&look=light", 1440, 900),
    "check": ("/check?output=15.1.1/share&area=XS0103&depth=practitioner&look=light", 1440, 1800),
    "desks": ("/", 1440, 700),
}


def main(store: Path, folder: Path) -> None:
    """Serve the store in a thread, and photograph its pages."""
    folder.mkdir(parents=True, exist_ok=True)
    listening = threading.Event()
    servers: list[Any] = []

    def serve() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        servers.append(start(Store(store), port=0))
        listening.set()
        servers[0].io_loop.start()

    threading.Thread(target=serve, daemon=True).start()
    listening.wait()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for name in PICTURES:
            picture(browser, f"http://127.0.0.1:{servers[0].port}", name, folder)
        browser.close()


def picture(browser: Browser, home: str, name: str, folder: Path) -> None:
    """One picture; height 0 is the whole page."""
    path, width, height = PICTURES[name]
    page = browser.new_page(viewport={"width": width, "height": height or 1000})
    page.set_default_timeout(60_000)
    page.goto(home + path)
    if path != "/":
        page.locator("button[aria-pressed=true]" if name == "check" else ".geomap[data-ready]").wait_for()
    if name == "pixels":
        page.get_by_role("switch", name="Show the pixels").click()
        page.locator('.geomap[data-raster="true"]').wait_for()
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / f"{name}.png", full_page=not height)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "docs/screenshots"))
