"""The check page without a browser: what it says of a finding, what it must not tell, and what its lessons show."""

import itertools
import json
import math
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geomon.finding import VERDICTS, cause
from geomon.official import fingerprint, statistics
from geomon.panels import (
    checking,
    checking_charts,
    checking_lessons,
    checking_numbers,
    checking_planted,
    checking_words,
    verdict,
)
from geomon.panels.checking_findings import Scale, left_out, shown
from geomon.panels.checking_tiles import groups
from geomon.panels.story import Story
from geomon.texts import say
from tests.browser import fixture

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
NUMBERS = itertools.count()
OFFICE = "Statistical office of Samplia (invented)"


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """The first output of each invented run."""
    runs = fixture.store(tmp_path_factory.mktemp("store")).runs()
    return {run.indicator: Story(run, next(iter(run.recipe["outputs"]))) for run in runs}


@pytest.fixture
def forest(stories: dict[str, Story]) -> Story:
    """Forest share in percent."""
    return stories["15.1.1"]


def pair(period: str, satellite: float | None, official: float | None, used: bool = True) -> dict[str, Any]:
    """One common period."""
    return {"time_period": period, "satellite": satellite, "official": official, "nature": "C", "used": used}


def finding(area: str = "XS0101", said: str = "differs in level", **more: Any) -> dict[str, Any]:
    """A finding on forest with two pairs, ten points apart, where five count as equal."""
    return {
        "indicator": "15.1.1",
        "output": "share",
        "ref_area": area,
        "verdict": said,
        "sentence": "share, Westhill A, 2015 and 2016: ten points apart.",
        "reasons": ["ten points apart", "something else is known"],
        "evidence": {"n": 2, "tolerance": 5.0, "relative": 0.0, "bias": 10.0, "lower": 8.0, "upper": 12.0},
        "pairs": [pair("2015", 60.0, 50.0), pair("2016", 61.0, 51.0, used=False)],
        "publisher": OFFICE,
        "grade": "D",
        "grade_rule": "D: a reason stands",
        "not_seen": "Not seen: young trees.",
        **more,
    }


def with_check(story: Story, *findings: dict[str, Any], **recipe: Any) -> Story:
    """The same run with other findings."""
    run = replace(story.run, check=list(findings), recipe={**story.run.recipe, **recipe})  # type: ignore[type-var]
    return Story(run, story.name)


# ---- the scale of the tolerance


def test_ten_points_are_two_tolerances_of_five() -> None:
    assert Scale(5.0).times(60.0, 50.0) == 2.0
    assert Scale(5.0).times(50.0, 60.0) == -2.0


def test_ratios_are_symmetric_on_a_relative_scale() -> None:
    scale = Scale(0.1, relative=True)
    assert math.isclose(scale.times(1.21, 1.0), 2.0)
    assert math.isclose(scale.times(1.0, 1.21), -2.0)
    assert scale.times(0.0, 0.0) == 0.0


@pytest.mark.parametrize("scale", [Scale(math.nan), Scale(0.0)])
def test_without_a_tolerance_nothing_is_counted_in_tolerances(scale: Scale) -> None:
    assert math.isnan(scale.times(60.0, 50.0))
    assert math.isnan(scale.share(10.0))


def test_a_missing_value_is_no_zero() -> None:
    assert math.isnan(Scale(5.0).times(None, 50.0))


def test_a_defect_is_shown_as_published_and_not_as_repaired() -> None:
    slip = finding(said="defect in the data", evidence={"tolerance": 5.0, "bias": 0.0, "lower": -1.0, "upper": 1.0})
    assert Scale.of(slip).mean(slip)[0] == 2.0


# ---- the card of a desk


@pytest.mark.parametrize("said", VERDICTS)
def test_the_card_says_every_verdict_in_words(forest: Story, said: str) -> None:
    html = verdict.card(with_check(forest, finding(said=said)), "XS0101")
    assert f">{say(f'verdict.{said}')}</span>" in html
    assert 'title="D: a reason stands">Grade D<' in html


def test_the_card_links_to_the_check_page_with_the_same_output_and_area(forest: Story) -> None:
    html = unescape(verdict.card(with_check(forest, finding()), "XS0101"))
    assert '<a href="/check?output=15.1.1%2Fshare&area=XS0101">' in html


def test_the_card_shows_the_size_with_its_tolerance_and_what_is_not_seen(forest: Story) -> None:
    html = verdict.card(with_check(forest, finding()), "XS0101")
    assert "Mean difference +10.0 percentage points, 2.0 times the tolerance of 5.0 percentage points" in html
    assert "Not seen: young trees." in html


def test_a_reason_that_the_sentence_gives_is_not_said_twice(forest: Story) -> None:
    html = verdict.card(with_check(forest, finding()), "XS0101")
    assert html.lower().count("ten points apart") == 1
    assert "<li>Something else is known</li>" in html


# ---- the page


@pytest.mark.parametrize("said", VERDICTS)
def test_the_headline_says_every_verdict_in_words(forest: Story, said: str) -> None:
    html = checking_words.headline(with_check(forest, finding(said=said)), finding(said=said))
    assert f"<h1>{say(f'check.page.head.{said}', area='Westhill A')}</h1>" in html
    assert say(f"verdict.{said}") in html


def test_areas_stand_in_the_order_in_which_they_need_a_reader(forest: Story) -> None:
    near = {"tolerance": 5.0, "bias": 6.0, "lower": 5.0, "upper": 7.0}
    story = with_check(
        forest,
        finding("XS0101", "agrees"),
        finding("XS0102", evidence=near),
        finding("XS0103"),
        finding("XS0104", "defect in the data"),
    )
    assert [f["ref_area"] for f in shown(story)] == ["XS0104", "XS0103", "XS0102", "XS0101"]
    made = groups(story, shown(story))
    assert [(g["title"], g["mood"]) for g in made] == [
        ("Defect in the data", "fault"),
        ("Differs in level", "warn"),
        ("Agrees", "good"),
    ]
    assert made[1]["tiles"][0]["label"] == "Westhill C, differs in level. On average +2.0 times the tolerance"


def reason(name: str, score: float, **more: Any) -> dict[str, Any]:
    """A cause of ten points (8 to 12) in one district."""
    return cause(name, f"words of {name}", areas=("XS0101",), effect=10.0, lower=8.0, upper=12.0, score=score, **more)


def test_reasons_carry_size_place_twins_and_how_far_they_are_behind(forest: Story) -> None:
    said = finding(causes=[reason("level", 20.0, twins=("definition",)), reason("trend", 15.0, since="2016")])
    html = checking_words.reasons(with_check(forest, said), said)
    first, second = html.split("<li>")[1:3]
    assert "+10.0 percentage points (8.0 to 12.0)" in first
    assert "Westhill A" in first
    assert "<dt>Cannot be told apart from</dt><dd>another definition</dd>" in first
    assert "the best explanation" in first
    assert "<dd>2016 on</dd>" in second
    assert "in ten years" in second
    assert "the first is clearly ahead" in second


def test_a_straight_line_is_a_remark_and_no_reason(forest: Story) -> None:
    said = finding(said="agrees", causes=[reason("interpolated", 9.0, remark=True)])
    html = checking_words.reasons(with_check(forest, said), said)
    assert "No reason stands" in html
    assert "About the official series by itself" in html


def test_a_stored_finding_of_before_reasons_were_records_still_has_a_page(forest: Story) -> None:
    said = fixture.finding(forest.run.series, "share", "XS01", "agrees", "Both tell the same.")
    html = checking_words.headline(forest, said) + checking_words.reasons(forest, said)
    html += checking_numbers.statistics(forest, said) + checking_numbers.pairs(forest, said)
    assert "No grade" in html
    assert "too few common periods for numbers" in html


def test_numbers_say_what_they_mean(forest: Story) -> None:
    more = {"p_equal": 0.2, "slope_official": 0.6, "slope_official_lower": 0.5, "slope_official_upper": 0.7}
    evidence = finding()["evidence"] | more | {"p_slope_official": 0.0001, "knots_official": 2, "n": 15}
    html = unescape(checking_numbers.statistics(forest, finding(evidence=evidence)))
    assert "equality within the tolerance is not shown" in html
    assert "p < 0.001 (Mann-Kendall, of 2 independent values)" in html


def test_the_pairs_say_which_were_used(forest: Story) -> None:
    rows = checking_numbers.pairs(forest, finding()).split("<tr")[2:]
    assert ["unused" in row for row in rows] == [False, True]
    assert [row.rsplit("<td>", 1)[1].startswith(word) for row, word in zip(rows, ("yes", "no"), strict=True)] == [
        True,
        True,
    ]
    assert "+2.0" in rows[0]


def test_names_from_data_never_become_markup(forest: Story) -> None:
    zones = forest.run.zones.assign(name=HOSTILE)
    causes = [reason("level", 9.0, twins=(HOSTILE,)), {**reason("trend", 1.0), "words": HOSTILE, "name": HOSTILE}]
    said = finding(
        said=HOSTILE, sentence=HOSTILE, reasons=[HOSTILE + "!"], publisher=HOSTILE, grade=HOSTILE, grade_rule=HOSTILE,
        not_seen=HOSTILE, causes=causes, definition_official=HOSTILE,
    )  # fmt: skip
    run = replace(forest.run, zones=zones, check=[said])  # type: ignore[type-var]
    story = Story(run, "share")
    html = verdict.card(story, "XS0101") + checking_words.headline(story, said) + checking_words.reasons(story, said)
    html += checking_words.beside(story, said) + checking_numbers.pairs(story, said) + checking_words.limits(said)
    html += checking_words.causes(said) + checking_numbers.statistics(story, said)
    html += checking_charts.key(story, finding(causes=[reason("break", 9.0, since="2016")]), [("2021", HOSTILE)])
    planted = [{"kind": HOSTILE, "series": HOSTILE, "areas": [HOSTILE], "since": "", "size": 1, "says": HOSTILE}]
    html += checking_planted.page(planted, [story])
    assert "<script" not in html
    assert "<img" not in html
    assert "onerror=alert(2)>" not in html


# ---- the choices


def page_of(story: Story, *findings: dict[str, Any]) -> checking.CheckPage:
    """The page of a visitor over one run."""
    run = replace(with_check(story, *findings).run, id=f"page {next(NUMBERS)}")  # type: ignore[type-var]
    record = checking.about(fixture.InventedStore((run,)))  # type: ignore[arg-type]
    return checking.CheckPage(record, {"15.1.1": [run]}, ["15.1.1/share"])


def test_a_finding_without_pairs_and_numbers_has_a_page(forest: Story) -> None:
    page = page_of(forest, finding(said="not comparable", pairs=[], evidence={}, reasons=[]))
    assert "the two figures cannot be compared" in page.html["headline"].object
    assert "too few common periods for numbers" in page.html["statistics"].object
    assert not page.scatter.visible


def test_each_area_is_offered_with_its_verdict_and_each_publisher_by_name(forest: Story) -> None:
    page = page_of(forest, finding("XS0101", "agrees"), finding("XS0102"), finding("XS0101", publisher="Another"))
    fields = {f["key"]: [o for _, options in f["groups"] for o in options] for f in page.choices.fields}
    assert fields["publisher"] == [["Another", "Another"], [OFFICE, OFFICE]]
    assert fields["area"] == [["XS0101", "Westhill A: differs in level"]], "the one of the first publisher"
    page.choose(publisher=OFFICE)
    assert page.choices.fields[-1]["groups"][0][1] == [
        ["XS0102", "Westhill B: differs in level"],
        ["XS0101", "Westhill A: agrees"],
    ]


def test_a_choice_that_does_not_exist_changes_nothing(forest: Story) -> None:
    page = page_of(forest, finding("XS0101"), finding("XS0102"))
    page.choose(output="none/none", run="none", area="XS0102")
    page.choose(area="none", publisher="nobody")
    assert (page.output, page.area, page.publisher) == ("15.1.1/share", "XS0102", OFFICE)


def test_a_store_without_any_check_says_what_to_do(stories: dict[str, Story]) -> None:
    run = replace(stories["6.6.1"].run, check=None)  # type: ignore[type-var]
    page = checking.page(fixture.InventedStore((run,)))  # type: ignore[arg-type]
    assert "--official TABLE" in str(page._render_variables["message"])


# ---- what protects people


def people(stories: dict[str, Story], *findings: dict[str, Any]) -> Story:
    """People of 2023, four of them in Westhill A, which is therefore hidden with another district."""
    run = stories["people"].run
    leaves = {c: 4.0 if c == "XS0101" else 1234.0 for c in run.zones["code"] if len(c) == 6}
    provinces = {p: sum(n for c, n in leaves.items() if c.startswith(p)) for p in ("XS01", "XS02", "XS03", "XS04")}
    counts = leaves | provinces | {"XSA": sum(leaves.values())}
    table = run.series[run.series["time_period"] == "2023"].assign(obs_status="", coverage=0.97)
    values = table["ref_area"].map(counts)
    table = table.assign(obs_value=values, lower=values, upper=values)
    made = replace(run, series=table, check=[{**f, "output": "people"} for f in findings])  # type: ignore[type-var]
    return Story(made, "people")


def test_the_finding_of_a_hidden_area_is_on_no_page(stories: dict[str, Story]) -> None:
    hidden = finding("XS0101", sentence="Ten apart.", pairs=[pair("2023", 87.0, 4.0)])
    story = people(stories, hidden, finding("XS01", sentence="Both agree."))
    assert "XS0101" not in story.tellable, "else the next line says nothing"
    assert [f["ref_area"] for f in shown(story)] == ["XS01"]
    assert left_out(story) == 1
    assert "87.0" not in verdict.card(story, "XS0101")


def test_what_is_said_of_a_province_does_not_tell_of_a_hidden_district(stories: dict[str, Story]) -> None:
    told = cause("unit", "a factor of 87", areas=("XS0101",), effect=4.0)
    wide = cause("level", "everywhere the same", scope="province", areas=("XS0101", "XS0102", "XS0103"), effect=4.0)
    said = finding(
        "XS01", sentence="Both agree.", causes=[told, wide],
        reasons=["within it: a factor of 87", "in Westhill A something is odd", "all is well"],
    )  # fmt: skip
    kept = shown(people(stories, said))[0]
    assert [c["name"] for c in kept["causes"]] == ["level"]
    assert kept["reasons"] == ["all is well"]


def test_a_sentence_about_a_hidden_district_is_not_said_at_all(stories: dict[str, Story]) -> None:
    story = people(stories, finding("XS01", sentence="In Westhill A there are 87 times as many."))
    assert shown(story) == []
    assert "87" not in verdict.card(story, "XS01")
    assert "protects people" in verdict.card(story, "XS01")
    assert "87" not in verdict.headline(story, "XS01", "2023")


def test_without_hidden_values_all_is_told(forest: Story) -> None:
    assert len(shown(with_check(forest, finding("XS0101"), finding("XS0102")))) == 2
    assert left_out(with_check(forest, finding("XS0101"))) == 0


# ---- charts


def test_only_the_first_reason_is_marked_in_time() -> None:
    slow, late = reason("trend", 9.0), reason("optimistic", 3.0, since="2020")
    assert checking_charts.found(finding(causes=[slow, late])) is None
    assert checking_charts.found(finding(causes=[late, slow])) == ("optimistic", "2020", "")


def test_a_zero_cannot_stand_on_a_logarithmic_scale_and_is_counted(forest: Story) -> None:
    rows, lost = checking_charts.cloud(forest, [finding(pairs=[pair("2015", 0.0, 1.0), pair("2016", 2.0, 1.0)])], True)
    assert (rows["period"].tolist(), lost) == (["2016"], 1)


# ---- lessons


@pytest.mark.parametrize("name", checking_lessons.PLANTS)
def test_every_lesson_shows_what_it_teaches(name: str) -> None:
    one = checking_lessons.lesson(name)
    assert one.place == 1, one.first
    honest = checking_lessons.honest()
    assert not np.array_equal(one.panel.official, honest.official) or not np.array_equal(
        one.panel.satellite, honest.satellite
    )


def test_the_honest_country_raises_no_alarm() -> None:
    assert checking_lessons.lesson("honest").first == ""


def test_the_lessons_stand_on_the_page_with_a_picture_and_a_table_each() -> None:
    html = checking_lessons.page()
    cards = len(checking_lessons.PLANTS) + 1
    assert html.count('role="img"') == html.count("<table") == html.count("<article") == cards
    assert "The check finds no reason." in html
    assert html.count("That is what was planted.") == cards - 1


# ---- the sample country

BREAK = {"kind": "break", "series": "AG_LND_FRST", "areas": ["XS0101"], "since": "2016", "size": -8.5, "says": "Less."}


def forest_of(story: Story, *findings: dict[str, Any]) -> Story:
    """The same run with the series that it is compared with."""
    outputs = {"share": {"title": "share", "unit": "percent", "official": {"series": "AG_LND_FRST", "tolerance": 5.0}}}
    return with_check(story, *findings, outputs=outputs)


@pytest.mark.parametrize(("since", "found"), [("2016", 1), ("2017", 0)])
def test_a_break_is_found_only_in_its_year(forest: Story, since: str, found: int) -> None:
    story = forest_of(forest, finding(causes=[reason("break", 9.0, since=since)]))
    assert checking_planted.outcome(BREAK, [story]).found == found
    assert (">Found<" in checking_planted.page([BREAK], [story])) == bool(found)
    assert (">Missed<" in checking_planted.page([BREAK], [story])) != bool(found)


def test_a_difference_where_nothing_was_planted_is_owned_up_to(forest: Story) -> None:
    story = forest_of(forest, finding("XS0101"), finding("XS0102"), finding("XS0103", "agrees"))
    assert checking_planted.besides([BREAK], [story]) == [f"Westhill B ({story.title})"]


def test_what_was_planted_is_told_only_of_the_very_table_of_the_run(forest: Story, tmp_path: Path) -> None:
    (tmp_path / "country").mkdir()
    table = tmp_path / "country" / "official.csv"
    table.write_text("series,ref_area,time_period,obs_value,unit_measure\nAG_LND_FRST,XS0101,2015,50,percent\n")
    (tmp_path / "country" / "planted.json").write_text(json.dumps([BREAK]))
    for name, vintage, known in (("one", fingerprint(statistics(table)), [BREAK]), ("two", "another", [])):
        run = replace(forest.run, folder=tmp_path / "store" / "15.1.1" / name)  # type: ignore[type-var]
        story = with_check(Story(run, "share"), finding(), vintage=vintage)
        assert checking_planted.planted_for(story) == known
