"""The check page in a real browser, over invented runs: it loads, follows choices, and says nothing to the console."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from geomon.finding import cause
from geomon.panels.serve import start
from tests.browser import fixture
from tests.browser.test_desks import FLAGS, PATIENCE

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def findings(run: fixture.InventedRun) -> list[dict[str, Any]]:
    """A country that agrees, a district with a break, and one with a slip of the unit."""
    about = {"n": 3, "tolerance": 5.0, "relative": 0.0, "bias": -4.0, "lower": -5.0, "upper": -3.0}
    said = [
        ("XSA", "agrees", "Both tell the same.", []),
        ("XS0102", "differs in level", "The official series jumps in 2017.", [
            cause("break", "the official series jumps in 2017", since="2017", effect=9.0, lower=8.0, upper=10.0,
                  areas=("XS0102",), score=30.0, twins=("sensor",)),
        ]),
        ("XS0201", "defect in the data", "The office reports a hundred times as much.", [
            cause("unit", "a hundred times as much", areas=("XS0201",), score=float("inf")),
        ]),
    ]  # fmt: skip
    made = []
    for area, verdict, sentence, causes in said:
        found = fixture.finding(run.series, "share", area, verdict, sentence)
        made.append({**found, "evidence": about, "causes": causes, "grade": "A" if verdict == "agrees" else "D"})
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the desks over invented runs."""
    store = fixture.store(tmp_path_factory.mktemp("store"))
    runs = tuple(replace(r, check=findings(r)) if r.indicator == "15.1.1" else r for r in store.found)
    listening, servers = threading.Event(), []

    def serve() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        servers.append(start(fixture.InventedStore(runs), port=0))
        listening.set()
        servers[0].io_loop.start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert listening.wait(60), "the server of the desks did not come up"
    yield f"http://127.0.0.1:{servers[0].port}"
    servers[0].io_loop.add_callback(servers[0].io_loop.stop)
    thread.join(10)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """The system's chromium."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(browser: Browser, home: str) -> Iterator[Open]:
    """Opens a page and waits for its tiles; an error in the console or a request to another host fails the test."""
    wrong: list[str] = []
    contexts = []
    expect.set_options(timeout=PATIENCE)

    def open_page(path: str, width: int = 1440) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on(
            "request", lambda r: None if urlsplit(r.url).hostname in (None, "127.0.0.1", "") else wrong.append(r.url)
        )
        page.goto(home + path)
        page.locator("button[aria-pressed=true]").wait_for()
        return page

    yield open_page
    for made in contexts:
        made.close()
    assert not wrong, wrong


def test_it_opens_with_the_area_that_needs_a_reader_first(visit: Open) -> None:
    page = visit("/check")
    expect(page.locator("h1")).to_have_text("Northmark A: there is a defect in the data")
    expect(page.get_by_role("heading", name="Learn to read defects")).to_be_visible()
    assert page.locator("article svg").count() == 13


def test_a_click_on_a_tile_chooses_an_area_for_all_parts(visit: Open) -> None:
    page = visit("/check")
    page.get_by_role("button", name="Westhill B, differs in level").click()
    expect(page.locator("h1")).to_have_text("Westhill B: satellite and official figures differ in level")
    expect(page.get_by_role("button", name="Westhill B")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("ol.causes")).to_contain_text("Cannot be told apart from")
    expect(page.get_by_role("heading", name="Both series: Westhill B")).to_be_visible()
    expect(page.get_by_label("Area", exact=True)).to_have_value("XS0102")
    page.wait_for_url("**area=XS0102*")
    assert parse_qs(urlsplit(page.url).query)["area"] == ["XS0102"]


def test_an_address_names_output_and_area(visit: Open) -> None:
    page = visit("/check?output=15.1.1/share&area=XSA")
    expect(page.locator("h1")).to_have_text("Samplia: satellite and official figures agree")


def test_a_tile_is_chosen_by_keyboard(visit: Open) -> None:
    page = visit("/check")
    page.get_by_role("button", name="Samplia, agrees").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Samplia: satellite and official figures agree")


def test_each_depth_shows_more(visit: Open) -> None:
    page = visit("/check?depth=foundation")
    numbers = page.get_by_role("heading", name="The numbers behind it")
    method = page.get_by_role("heading", name="How the check judges, in its order")
    expect(page.get_by_role("heading", name="Reasons, the best first")).to_be_visible()
    expect(numbers).to_be_hidden()
    page.get_by_role("radio", name="Practitioner").click()
    expect(numbers).to_be_visible()
    expect(method).to_be_hidden()
    page.get_by_role("radio", name="Expert").click()
    expect(method).to_be_visible()


@pytest.mark.parametrize("width", [390, 900])
def test_a_narrow_screen_does_not_scroll_sideways(visit: Open, width: int) -> None:
    page = visit("/check?depth=expert", width=width)
    expect(page.get_by_role("heading", name="The numbers behind it")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_desk_leads_to_the_check_of_the_same_area(visit: Open, home: str) -> None:
    page = visit("/check")
    page.goto(f"{home}/development?output=15.1.1/share&area=XS0102&depth=practitioner")
    page.locator(".geomap[data-ready]").wait_for()
    page.get_by_role("link", name="Open the check page").click()
    expect(page.locator("h1")).to_have_text("Westhill B: satellite and official figures differ in level")
