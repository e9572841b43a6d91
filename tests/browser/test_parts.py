"""The parts of a desk without a browser: what may be shown, how it is said, and who may look."""

import ast
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from geomon.errors import DefinitionError, InputError
from geomon.panels import Dashboard, advance, chart, map, method, people, verdict
from geomon.panels.desk import Desk
from geomon.panels.numbers import Unit, percent, typeset
from geomon.panels.serve import loopback
from geomon.panels.story import Story
from geomon.panels.titles import plain, when
from geomon.texts import TEXTS, say
from tests.browser import fixture

PANELS = Path(chart.__file__).parent
SPEAKING = [
    *PANELS.glob("*.py"),
    *(PANELS.parent / f"{name}.py" for name in ("case", "causes", "together", "parts", "pairing", "between")),
    *(PANELS.parent / f"{name}.py" for name in ("uncertainty", "scatter", "strata")),
    *(PANELS.parent / f"{name}.py" for name in ("judgement", "check", "finding", "change", "reading_off", "progress")),
    *(PANELS.parent / "cli" / "progress.py", *(PANELS.parent / "protection").glob("*.py")),
]
"""The files whose words stand in the table."""
READING = [file for file in PANELS.parent.rglob("*.py") if file.name != "texts.py"]


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """The first output of each invented run."""
    runs = fixture.store(tmp_path_factory.mktemp("store")).runs()
    return {run.indicator: Story(run, next(iter(run.recipe["outputs"]))) for run in runs}


@pytest.fixture
def forest(stories: dict[str, Story]) -> Story:
    """Forest share, with a known break and an area that was hardly seen."""
    return stories["15.1.1"]


# ---- what may be shown


def counted(stories: dict[str, Story], **districts: float) -> Story:
    """People of 2023 in Westhill, whose other districts have 1234 each; provinces and country are their sums."""
    run = stories["people"].run
    leaves = {c: districts.get(c, 1234.0) for c in run.zones["code"] if len(c) == 6}
    whole = {c: sum(n for leaf, n in leaves.items() if leaf.startswith(c)) for c in ("XS01", "XS02", "XS03", "XS04")}
    counts = leaves | whole | {"XSA": sum(leaves.values())}
    table = run.series[run.series["time_period"] == "2023"].assign(obs_status="", coverage=0.97)
    values = table["ref_area"].map(counts)
    table = table.assign(obs_value=values, lower=values, upper=values + 0.123)
    graded = [{**GRADE, "ref_area": code} for code in ("XSA", "XS0101")]
    return Story(replace(run, series=table, progress=graded), "people")  # type: ignore[type-var]


GRADE = {
    "output": "people",
    "grade": "fair progress",
    "sentence": "People, Samplia: fair progress. It changed by +0.7 % a year.",
    "probability": {"fair progress": 0.8, "deterioration": 0.2},
    "target_source": "",
}


def pages(story: Story, area: str, period: str = "2023") -> str:
    """All that a page holds of an area."""
    parts = [
        *(
            verdict.headline(story, area, period),
            verdict.figure(story, area, period),
            verdict.areas(story, area, period),
        ),
        *(verdict.as_table(story, area, {}), verdict.card(story, area), method.ledger(story, area, period)),
        *(str(map.frame(story, period)), str(map.regions(story)["regions"]), chart.readings(story, area).to_csv()),
        *(advance.card(story, area), people.note(story, period), str(map.scale(story, "land"))),
    ]
    return unescape(" ".join(parts)).replace("\u00a0", " ")


RAW = re.compile(r"(?<![\d.])(7\.53|7\.65|41\.[34])")


def test_a_small_count_of_people_never_reaches_a_page(stories: dict[str, Story]) -> None:
    story = counted(stories, XS0101=7.531, XS0102=41.277)
    assert not story.at("XS0101", "2023").published and not story.at("XS0102", "2023").published
    assert story.at("XS0103", "2023").value == 1200 and story.at("XS01", "2023").published
    assert "hidden, so that no group of fewer than 10 people can be told" in pages(story, "XS0101")
    assert not [area for area in story.areas.index if RAW.search(pages(story, area))]
    assert "2 of 29 values are hidden: counts of fewer than 10 people" in people.note(story, "2023")
    assert people.note(stories["15.1.1"]) == ""


def test_a_raw_count_would_be_found_in_a_page(stories: dict[str, Story]) -> None:
    """The test before can fail: without a guard the same parts hold the numbers."""
    run = counted(stories, XS0101=7.531, XS0102=41.277).run
    recipe = {**run.recipe, "people": False, "outputs": {"people": {"title": "People", "unit": "1"}}}
    story = Story(replace(run, recipe=recipe), "people")  # type: ignore[type-var]
    assert RAW.search(pages(story, "XS0101")) and RAW.search(pages(story, "XS0102"))


def test_what_is_said_of_an_area_with_a_hidden_count_is_not_said(stories: dict[str, Story]) -> None:
    story = counted(stories, XS0101=7.0)
    assert story.finding("XS0101") is None and story.finding("XS01") is not None
    assert advance.graded(story, "XS0101")[0] == "XSA"
    assert "this is the grade of Samplia" in advance.card(story, "XS0101")
    assert "80 %" in advance.card(story, "XSA").replace("\u00a0", " ")


def test_pixels_of_people_are_not_shown(stories: dict[str, Story]) -> None:
    assert map.overlay(stories["people"], "2024", "land") == {}
    assert map.overlay(stories["15.1.1"], "2024", "land") != {}


def test_people_in_zones_without_parents_are_protected_one_by_one(stories: dict[str, Story]) -> None:
    run = counted(stories, XS0101=7.0).run
    flat = run.zones[run.zones["code"].str.len() == 6].assign(parent="")
    story = Story(replace(run, zones=flat), "people")  # type: ignore[type-var]
    assert not story.at("XS0101", "2023").published and story.at("XS0102", "2023").value == 1200


def test_what_the_books_refuse_is_not_shown(stories: dict[str, Story], tmp_path: Path) -> None:
    """The run before had a village less in its districts."""
    (tmp_path / "catalog.json").write_text("{}")
    run = replace(counted(stories).run, folder=tmp_path / "people" / "one")  # type: ignore[type-var]
    assert Story(run, "people").at("XS0101", "2023").published
    moved = run.zones.set_index("code")
    village = moved.geometry["XS0101"].representative_point().buffer(0.02)
    moved.loc[["XS0101"], "geometry"] = moved.geometry["XS0101"].difference(village)
    moved.loc[["XS0102"], "geometry"] = moved.geometry["XS0102"].union(village)
    counts = run.series["ref_area"].map({"XS0101": 1230.0, "XS0102": 1238.0}).fillna(run.series["obs_value"])
    other = replace(
        run,
        folder=tmp_path / "people" / "two",
        zones=moved.reset_index(),
        series=run.series.assign(obs_value=counts),
    )
    story = Story(other, "people")
    assert not story.at("XSA", "2023").published
    assert "these values would tell counts of few people" in story.at("XSA", "2023").status
    assert "XS0101" not in story.at("XSA", "2023").status, "whose few they are is for the house"
    assert not story.tellable, "the check and the progress of what is not shown would show it"
    assert people.note(story) == ""


def test_bounds_of_a_withheld_value_stay_on_the_server(forest: Story) -> None:
    upper = float(forest.rows["upper"].to_dict()["XS0203", "2018"])
    assert np.isfinite(upper)
    reading = forest.at("XS0203", "2018")
    assert not reading.published
    assert np.isnan(reading.lower)
    assert reading.status == fixture.WITHHELD
    shown = chart.readings(forest, "XS0203").set_index("period").loc["2018"]
    assert np.isnan(shown["upper"])
    pages = verdict.as_table(forest, "XS0203", {}) + verdict.areas(forest, "XS0203", "2018")
    assert f"{upper:.1f}" not in pages.replace("\u00a0", " ")


def test_words_from_data_cannot_become_markup(forest: Story) -> None:
    zones = forest.run.zones.assign(name="<img src=x onerror=alert(1)>")
    story = Story(replace(forest.run, zones=zones), "share")  # type: ignore[type-var]
    pages = verdict.headline(story, "XSA", "2024") + verdict.areas(story, "XSA", "2024") + verdict.card(story, "XSA")
    pages += verdict.figure(story, "XSA", "2024") + verdict.as_table(story, "XSA", {})
    assert "<img" not in pages
    assert "&lt;img" in pages


# ---- how it is said


def test_no_line_is_drawn_across_a_known_break() -> None:
    assert chart.segments(["2019", "2020", "2021", "2022"], ["2021-01-01"]) == [["2019", "2020"], ["2021", "2022"]]
    assert chart.segments(["2019", "2020"], []) == [["2019", "2020"]]


def test_the_headline_says_value_interval_and_nature(forest: Story) -> None:
    words = re.sub("<[^>]+>", "", verdict.headline(forest, "XSA", "2024")).replace("\u00a0", " ")
    assert "In Samplia, forest area as a proportion of total land area was 25.0 % in 2024." in words
    assert "it lies in the range 24.5 to 25.8 %. Errors of the map are not in it." in words
    assert "This is a satellite estimate, not an official figure." in words
    assert "Synthetic sample country." in words


def test_a_district_without_official_figure_shows_the_check_above_it(forest: Story) -> None:
    card = verdict.card(forest, "XS0102")
    assert "There is no official figure for Westhill B; this is the check of Westhill." in card
    assert "Agrees" in card


def test_change_is_asked_of_stored_rows(forest: Story) -> None:
    assert "Cannot tell" in verdict.change(forest, "XSA", "2020", "2021")
    assert "Yes, in this map" in verdict.change(forest, "XSA", "2015", "2020")
    assert "too little was seen" in verdict.change(forest, "XS0203", "2017", "2018")
    assert say("change.same") in verdict.change(forest, "XSA", "2020", "2020")


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("2024", "in 2024"),
        ("2024-03", "in March 2024"),
        ("2024-03-05", "on 5 March 2024"),
        ("2016/2019", "from 2016 to 2019"),
    ],
)
def test_periods_in_a_sentence(label: str, words: str) -> None:
    assert when(label) == words


def test_periods_in_a_title(stories: dict[str, Story]) -> None:
    assert plain("2016/2019") == "2016 to 2019"
    radar = stories["water-extent"]
    assert map.frame(radar, "2024-03-05")["title"] == "Water extent, 5 March 2024"
    assert "Samplia, 5 March 2024" in verdict.figure(radar, "XSA", "2024-03-05")


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("1,234 km2 less: between -9.39 and -0.5", "1,234 km² less: between \u22129.39 and \u22120.5"),
        ("3.4 nW cm-2 sr-1 km2 (-2)", "3.4 nW/cm²/sr · km² (\u22122)"),
        ("3.4 nW cm-2 sr-1, 15.1.1", "3.4 nW/cm²/sr, 15.1.1"),
        ("a break at 2021-01-01 in area-9 of GHS-2", "a break at 2021-01-01 in area-9 of GHS-2"),
    ],
)
def test_sentences_are_written_as_the_page_is(told: str, written: str) -> None:
    assert typeset(told) == written


def test_numbers_keep_about_three_digits() -> None:
    assert Unit("km2").write(1234.5) == "1,234\u00a0km²"
    assert Unit("km2").write(0.0123) == "0.012\u00a0km²"
    assert Unit("percent").bare(-0.04) == "\u22120.04"
    assert Unit("percent").between(24.51, 24.53) == "24.5\u00a0%"
    assert percent(0.9996) == "99.9\u00a0%"
    assert percent(1.0) == "100\u00a0%"


def test_classes_are_round_and_part_the_values() -> None:
    even = map.rounded_breaks(np.linspace(12, 88, 50), 6)
    assert even == [20, 40, 60, 80]
    skewed = map.rounded_breaks(np.geomspace(0.01, 1000, 50), 6)
    assert skewed == sorted(set(skewed))
    assert all(0.01 < b < 1000 for b in skewed)
    assert map.rounded_breaks(np.full(5, 3.0), 6) == []


def test_a_picture_shows_the_land_alone(forest: Story) -> None:
    shown = map.overlay(forest, "2024", "land")
    assert shown["url"].startswith("data:image/png;base64,")
    assert [name for _, name in shown["legend"]] == ["other land", "forest", "water"]


def test_the_code_asks_the_same_question(stories: dict[str, Story]) -> None:
    assert "geomon.plan(&#x27;15.1.1&#x27;, zones, &#x27;2015/2024&#x27;)" in method.code(stories["15.1.1"])
    run = stories["15.1.1"].run
    days = {**run.recipe, "periods": ["2023-01-05", "2023-01-17"], "freq": "D", "params": {"threshold": "-16 dB"}}
    told = method.code(Story(replace(run, recipe=days), "share"))  # type: ignore[type-var]
    assert "[&#x27;2023-01-05&#x27;, &#x27;2023-01-17&#x27;]" in told
    assert "threshold" in told
    assert "# with GEOMON_WORKSPACE set" in told
    assert "official" not in told
    checked = {**days, "synthetic": False, "vintage": "9b61", "use": {"cover": "mine:map"}, "block": 512}
    told = unescape(method.code(Story(replace(run, recipe=checked), "share")))  # type: ignore[type-var]
    script, command = re.findall(r"<pre[^>]*>(.*?)</pre>", told, flags=re.DOTALL)
    ast.parse(script)
    assert "Zones.read('store/invented/zones.parquet')" in script
    assert "params={'threshold': '-16 dB'}, use={'cover': 'mine:map'}, block=512" in script
    assert 'official="...",' in script
    assert "--zones store/invented/zones.parquet --period 2023-01-05 --period 2023-01-17" in command
    assert "--param 'threshold=-16 dB' --use cover=mine:map --block 512 --official ..." in command


# ---- a desk and its choices


def test_a_desk_corrects_choices_that_do_not_exist(tmp_path: Path) -> None:
    page = desk_of(fixture.store(tmp_path).runs())
    assert (page.output, page.area, page.period) == ("15.1.1/share", "XSA", "2024")
    page.choose(area="nowhere", period="1999")
    assert (page.area, page.period) == ("XSA", "2024")
    page.choose(area="XS0104", period="2016")
    page.choose(output="6.6.1/seasonal")
    assert (page.area, page.period) == ("XS0104", "2016")
    assert page.map.frame["title"] == "Seasonal surface water, 2016"
    assert page.map.marked == ["XS0104"]
    page.click("XS0104")
    assert page.area == "XSA"
    page.choose(area="XS02")
    assert page.map.marked == [f"XS020{i}" for i in range(1, 7)]


def test_nonsense_from_a_browser_changes_nothing(tmp_path: Path) -> None:
    page = desk_of(fixture.store(tmp_path).runs())
    page.choices.values = {"output": "../etc", "run": 7, "area": ["XSA"], "pixels": "yes", "more": 1}
    page.map.clicked = {"what": "is this"}
    page.choices.look = "pink"
    page.dates.values = {"start": "x", "end": "y"}
    assert (page.output, page.area, page.period, page.look) == ("15.1.1/share", "XSA", "2024", "light")


def test_two_runs_of_an_indicator_can_be_chosen(tmp_path: Path) -> None:
    found = fixture.run(tmp_path, "6.6.1", fixture.WATERS, fixture.YEARS)
    short = fixture.run(tmp_path, "6.6.1", fixture.WATERS, fixture.YEARS[:3])
    page = desk_of([found, replace(short, id="older")])
    assert [f["key"] for f in page.choices.fields] == ["output", "run", "area", "pixels"]
    page.choose(run="older")
    assert page.period == "2017"


def desk_of(runs: list[fixture.InventedRun]) -> Desk:
    """A desk over the runs of two indicators."""
    record = Dashboard(slug="any", title="Any", desk="", page=print, indicators=("15.1.1", "6.6.1"))
    by_code = {code: [r for r in runs if r.indicator == code] for code in record.indicators}
    return Desk(record, {c: r for c, r in by_code.items() if r}, {"15.1.1": "land", "6.6.1": "water"})


# ---- the table of texts


def test_every_text_is_used_and_every_use_has_a_text() -> None:
    used, beginnings = set(), set()
    for file in READING:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    for file in (PANELS.parents[1] / "dashboards").glob("*.py"):
        used |= set(re.findall(r'say\("([^"]+)"\)', file.read_text(encoding="utf-8")))
    begun = {key for key in TEXTS if any(key.startswith(b) and b.count(".") for b in beginnings)}
    assert set(TEXTS) - used - begun == set()
    called = re.compile(r'\b(?:say|told)\(\s*"([^"]+)"')
    for file in SPEAKING:
        assert set(called.findall(file.read_text(encoding="utf-8"))) <= set(TEXTS)


def test_no_words_outside_the_table() -> None:
    for name in ("desk.html", "index.html", "message.html"):
        page = (PANELS / name).read_text(encoding="utf-8")
        page = re.sub(r"(?s)<script.*?</script>|<style>.*?</style>|{{.*?}}|{%.*?%}|<[^>]*>", " ", page)
        assert set(re.findall("[A-Za-z]{2,}", page)) <= {"geomon"}


def test_an_unknown_text_names_the_nearest() -> None:
    with pytest.raises(DefinitionError, match=r"Did you mean 'check\.title'"):
        say("check.titel")


# ---- who may look, and how well


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "desks.example.org", "::", ""])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(InputError, match=r"no sign-in yet"):
        loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]"])
def test_this_machine_may_look(host: str) -> None:
    assert loopback(host) == "127.0.0.1"


@pytest.mark.parametrize("look", [":root", '[data-look="dark"]'])
def test_words_stand_out_from_their_ground(look: str) -> None:
    """WCAG 2 AA asks for 4.5 to 1."""
    rules = (PANELS / "desk.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rules.split(look + " {")[1].split("}")[0]))
    pairs = [(word, ground) for word in ("ink", "soft", "series", "official") for ground in ("paper", "ground")]
    pairs += [(word, f"{word}-soft") for word in ("good", "warn", "calm", "sample")]
    for word, ground in pairs:
        assert contrast(colours[word], colours[ground]) >= 4.5, (word, ground)
    assert contrast(colours["brand-ink"], colours["brand"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """Ratio of the relative luminances of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of '#rrggbb'."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_desk_says_what_is_wrong_with_it() -> None:
    with pytest.raises(DefinitionError, match=r"small letters"):
        Dashboard(slug="My Desk", title="", desk="", page=print, indicators=("15.1.1",))
    with pytest.raises(DefinitionError, match=r"no indicators"):
        Dashboard(slug="mine", title="", desk="", page=print, indicators=())
