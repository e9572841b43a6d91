"""The desks in a real browser: every test also fails on a request to another host or an error in the console."""

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # ms: WebGL in software on a busy machine
FLAGS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of the stores that are served, by name."""
    command = [sys.executable, "-m", "tests.browser.server", str(tmp_path_factory.mktemp("desks"))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            ready, _, _ = select.select([server.stdout], [], [], 180)
            line = server.stdout.readline() if ready else ""
            assert line, "the server of the desks did not come up"
            yield json.loads(line)
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's chromium, for all tests of this file."""
    names = (os.environ.get("GEOMON_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, (shutil.which(name) for name in names if name)), None)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(chromium: str, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a page of a store and waits for its map; nothing may go wrong, and nothing may leave this machine."""
    desks: dict[str, str] = request.getfixturevalue("desks")  # not before it is sure that there is a browser
    browser: Browser = request.getfixturevalue("browser")
    wrong: list[str] = []
    contexts = []

    def requested(made: Request) -> None:
        parts = urlsplit(made.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            wrong.append(f"request to {made.url}")

    def response(got: Response) -> None:
        if got.status >= 400:
            wrong.append(f"{got.status} {got.url}")

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(f"console: {message.text}")

    def open_page(path: str, store: str = "sample", script: str = "", wait: bool = True, **context: object) -> Page:
        made = browser.new_context(viewport={"width": 1440, "height": 900}, **context)  # type: ignore[arg-type]
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", requested)
        page.on("response", response)
        page.on("console", console)
        page.on("pageerror", lambda error: wrong.append(f"page: {error}"))
        if script:
            page.add_init_script(script)
        page.goto(desks[store] + path)
        if wait:
            page.locator(".geomap[data-ready]").wait_for()
        return page

    expect.set_options(timeout=PATIENCE)
    yield open_page
    for made in contexts:
        made.close()
    assert not wrong, wrong


def headline(page: Page) -> str:
    """The result in a sentence."""
    return page.locator("h1").inner_text()


def click_on(page: Page, code: str) -> None:
    """A click of the mouse on the middle of an area."""
    box = page.locator(".geomap canvas.maplibregl-canvas").bounding_box()
    at = page.locator(".geomap[data-ready]").evaluate(
        """(e, code) => {
            const f = e.map.getSource('reg').serialize().data.features.find(f => f.properties.code === code)
            const ring = (f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates)[0][0]
            const mean = i => ring.reduce((sum, p) => sum + p[i], 0) / ring.length
            return e.map.project([mean(0), mean(1)])
        }""",
        code,
    )
    assert box is not None
    page.mouse.click(box["x"] + at["x"], box["y"] + at["y"])


@pytest.mark.parametrize(
    ("slug", "what"), [("development", "tree cover"), ("humanitarian", "flood"), ("trade", "mean radiance")]
)
def test_a_desk_opens_with_its_result(visit: Open, slug: str, what: str) -> None:
    page = visit(f"/{slug}")
    assert what in headline(page)
    expect(page.get_by_text("Synthetic sample country.")).to_be_visible()
    expect(page.get_by_text("not an official figure")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_first_page_lists_the_desks(visit: Open) -> None:
    page = visit("/", wait=False)
    expect(page.locator("a.desk")).to_have_count(3)
    expect(page.locator("a.desk").first).to_contain_text("tree cover")
    page.locator("a.desk").first.click()
    page.locator(".geomap[data-ready]").wait_for()
    assert page.url.split("?")[0].endswith("/development")


def test_a_click_on_a_district_leads_everything(visit: Open) -> None:
    page = visit("/development")
    name = page.get_by_label("Area", exact=True).locator("option[value=XS0101]").inner_text()
    click_on(page, "XS0101")
    expect(page.locator("h1")).to_contain_text(name)
    expect(page.get_by_label("Area", exact=True)).to_have_value("XS0101")
    expect(page.get_by_role("heading", name=f"Through time: {name}")).to_be_visible()
    expect(page.locator("tr.here")).to_contain_text(name)
    expect(page.locator("footer")).to_contain_text(name)
    page.wait_for_url("**area=XS0101**")
    click_on(page, "XS0101")
    expect(page.get_by_label("Area", exact=True)).to_have_value("XSA")


def test_everything_works_without_a_mouse(visit: Open) -> None:
    page = visit("/development")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    canvas = page.locator(".geomap canvas.maplibregl-canvas")
    canvas.focus()
    assert "Arrow keys" in (canvas.get_attribute("aria-label") or "")
    for key in ("ArrowLeft", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_label("Area", exact=True)).not_to_have_value("XSA")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Area", exact=True)).to_have_value("XSA")
    page.get_by_role("slider", name="Period").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_contain_text("in 2023")
    page.get_by_role("radio", name="Practitioner").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("What was read")).to_be_visible()
    outline = "getComputedStyle(document.querySelector('.depth input:checked + span')).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_three_depths_on_one_switch(visit: Open) -> None:
    page = visit("/development")
    official, recipe = page.get_by_role("heading", name="Against the official figure"), page.get_by_text("Do it again")
    expect(official).to_be_visible()
    expect(recipe).to_be_hidden()
    page.get_by_role("radio", name="Foundation").check()
    expect(official).to_be_hidden()
    expect(page.locator(".agreement")).to_be_visible()
    page.get_by_role("radio", name="Expert").check()
    expect(recipe).to_be_visible()
    expect(page.get_by_text("zones.parquet --period 2015/2024 --param counted=trees --official")).to_be_visible()


def test_change_is_not_told_across_a_known_break(visit: Open) -> None:
    page = visit("/development")
    answer = page.locator(".answer")
    page.get_by_label("From", exact=True).select_option("2015")
    expect(answer).to_contain_text("Cannot tell")
    expect(answer).to_contain_text("a known break lies between them")
    page.get_by_label("To", exact=True).select_option("2018")
    expect(answer).to_contain_text("From 2015 to 2018")
    expect(answer).not_to_contain_text("break")


def test_the_other_indicator_on_the_same_desk(visit: Open) -> None:
    page = visit("/development")
    page.get_by_label("Indicator").select_option("6.6.1/seasonal")
    expect(page.locator("h1")).to_contain_text("seasonal surface water")
    expect(page.locator(".legend")).to_contain_text("in km²")
    expect(page.locator(".geomap .title")).to_contain_text("Seasonal surface water")


def test_pixels_over_the_map_and_away(visit: Open) -> None:
    page = visit("/development")
    switch = page.get_by_role("switch", name="Show the pixels")
    switch.click()
    expect(page.locator('.geomap[data-raster="true"]')).to_be_attached()
    expect(page.locator(".legend")).to_contain_text("Pixels, 2024")
    click_on(page, "XS0101")
    expect(page.get_by_label("Area", exact=True)).to_have_value("XS0101")
    switch.click()
    expect(page.locator('.geomap[data-raster="false"]')).to_be_attached()
    expect(page.locator(".legend")).to_contain_text("in %")


def test_a_withheld_value_shows_its_reason(visit: Open) -> None:
    page = visit("/development?area=XS0203&period=2024", store="invented")
    expect(page.locator("h1")).to_contain_text("No value is published for Northmark C")
    expect(page.locator(".lead").first).to_contain_text("too little was seen: 41 %")
    expect(page.locator(".number")).to_have_text("Withheld")
    expect(page.locator(".legend")).to_contain_text("No value (1)")


def test_look_and_depth_are_kept(visit: Open) -> None:
    page = visit("/trade")
    page.get_by_role("radio", name="Expert").check()
    look = page.locator("html")
    expect(look).to_have_attribute("data-look", "light")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(look).to_have_attribute("data-look", "dark")
    expect(page.locator(".geomap")).to_have_attribute("data-look", "dark")
    page.reload()
    expect(look).to_have_attribute("data-look", "dark")
    expect(page.get_by_role("radio", name="Expert")).to_be_checked()


def test_the_browser_may_ask_for_dark_and_no_motion(visit: Open) -> None:
    page = visit("/humanitarian", color_scheme="dark", reduced_motion="reduce")
    assert page.locator("html").get_attribute("data-look") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_a_narrow_window_needs_no_sideways_scrolling(visit: Open) -> None:
    page = visit("/development")
    for width in (1000, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def test_every_control_has_a_name(visit: Open) -> None:
    page = visit("/development?depth=expert")
    unnamed = """() => {
        const deep = e => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
        const all = root => [...root.querySelectorAll('*')].flatMap(deep)
        // the inside of a chart, which carries its own label, takes the focus for the chart
        const control = e => e.matches('input, select, button, a, [tabindex="0"]') && !e.matches('.bk-events')
        const named = e => e.labels?.length || e.ariaLabel || e.textContent.trim() || e.title
        return all(document).filter(e => control(e) && !named(e)).map(e => e.outerHTML)
    }"""
    assert page.evaluate(unnamed) == []


def test_without_webgl_the_map_is_drawn_plainly(visit: Open) -> None:
    blind = """const get = HTMLCanvasElement.prototype.getContext
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind.startsWith('webgl') ? null : get.call(this, kind, ...more) }"""
    page = visit("/development", script=blind)
    shapes = page.locator(".geomap svg.plain path")
    expect(shapes).to_have_count(24)
    shapes.first.click(force=True)
    expect(page.get_by_label("Area", exact=True)).not_to_have_value("XSA")


def test_an_empty_store_says_what_to_do(visit: Open) -> None:
    page = visit("/development", store="empty", wait=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing has been computed yet")
    expect(page.get_by_text("geomon demo")).to_be_visible()
    page = visit("/", store="empty", wait=False)
    expect(page.locator("a.desk").first).to_contain_text("Nothing has been computed yet")
