"""A claim is counted over all reasonable specifications, and what gave no answer is counted too."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from geomon import Choice, Indicator, Output, Source, amount, classes, share, total
from geomon.cli import app
from geomon.errors import CatalogError, DefinitionError, InputError
from geomon.period import Period
from geomon.robustness import MOST, Robustness, robustness, stored
from geomon.robustness.asking import FOLDER, RUNS
from geomon.robustness.curve import Curve, Point, Tally, conclusion, point
from geomon.robustness.forks import Choosing, Fork, read_only, specifications
from geomon.series import tidy
from geomon.store import Store
from tests.engine.little import Little, asked, draw, little

TEN = range(2010, 2020)


def measure(cover: xr.DataArray, *, counted: str) -> dict[str, Any]:
    """Forest, or all that grows."""
    groups = ("forest",) if counted == "trees" else ("forest", "grassland")
    return {"forest": classes(cover, *groups), "land": ~classes(cover, "water")}


def read(totals: xr.Dataset, *, beside: str) -> Any:
    """A share of land, or of all ground: read off the totals, whatever the pixels were."""
    return share("forest", of="land")(totals) if beside == "land" else share("forest")(totals)


GREEN = Indicator(
    code="green",
    title="Green ground",
    sources={"cover": Source("esa-worldcover")},
    grid="cover",
    measure=measure,
    outputs={"share": Output(read, "percent", title="Green ground")},
    params={"counted": Choice(("trees", "green")), "beside": Choice(("land", "ground"))},
    minimum_coverage=0.5,
)


@pytest.fixture
def world(tmp_path: Path, use_workspace: Any) -> Little:
    """Ten years in which the trees lose a row of forty each; a lake of a sixteenth."""
    made = little(tmp_path, years=TEN)
    use_workspace(made.workspace)
    return made


def tried(world: Little, indicator: Indicator = GREEN, **more: Any) -> Robustness:
    """The indicator over its choices."""
    period = more.pop("period", "2010/2019")
    return robustness(indicator, world.zones, period, store=world.store, workers=1, **more)


# ---- what can be chosen


def options(choosing: Choosing) -> dict[str, tuple[str, ...]]:
    """Forks with something to choose."""
    return {f.name: f.options for f in choosing.forks() if len(f.options) > 1}


def years(first: int, last: int) -> list[Period]:
    """Whole years."""
    return [Period.of(str(y)) for y in range(first, last + 1)]


def test_forks_are_declared_choices_products_boundaries_and_the_years_of_the_trend() -> None:
    indicator = replace(GREEN, alternatives={"cover": ("cgls-lc100",)})
    assert options(Choosing(indicator, years(2010, 2019), ["a", "b"])) == {
        "counted": ("trees", "green"),
        "beside": ("land", "ground"),
        "cover": ("esa-worldcover", "cgls-lc100"),
        "zones": ("a", "b"),
        "years": ("2010/2019", "2012/2019", "2010/2017"),
    }


def test_years_are_left_out_only_if_a_trend_remains() -> None:
    assert "years" not in options(Choosing(GREEN, years(2010, 2017), ["a"]))
    assert options(Choosing(GREEN, years(2010, 2019), ["a"], {"years": ("2010/2019", "2015/2019")}))["years"] == (
        "2010/2019",
        "2015/2019",
    )


def test_the_default_stays_the_definitions_where_it_is_tried() -> None:
    def default(*wanted: str) -> str:
        return next(f.default for f in Choosing(GREEN, years(2010, 2019), ["a"], {"counted": wanted}).forks())

    assert default("green", "trees") == "trees"
    assert default("green") == "green"


@pytest.mark.parametrize(
    ("vary", "use", "words"),
    [
        ({"countd": ("trees",)}, {}, "no choice 'countd'.*Did you mean 'counted'"),
        ({"counted": ("bushes",)}, {}, "counted='bushes' is none of 'green', 'trees'"),
        ({"counted": ("trees", "trees")}, {}, "Name each option once"),
        ({"years": ("1990/1999",)}, {}, "holds none of the periods 2010/2019"),
        ({}, {"covr": ("x",)}, "no source 'covr'.*Did you mean 'cover'"),
    ],
)
def test_what_cannot_be_varied_is_refused(vary: Any, use: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Choosing(GREEN, years(2010, 2019), ["a"], vary, use).forks()


def test_alternatives_belong_to_sources() -> None:
    with pytest.raises(DefinitionError, match="'covr', which is none of its sources 'cover'"):
        replace(GREEN, alternatives={"covr": ("cgls-lc100",)})
    with pytest.raises(DefinitionError, match="Write a tuple of products"):
        replace(GREEN, alternatives={"cover": "cgls-lc100"})  # type: ignore[dict-item]


def forks(*sizes: int) -> list[Fork]:
    """Forks a, b, ... with options 0, 1, ..."""
    return [
        Fork(name="abcdefgh"[n], kind="choice", options=tuple(map(str, range(size))), default="0")
        for n, size in enumerate(sizes)
    ]


def test_the_full_product_is_tried_with_the_default_first() -> None:
    ways, possible = specifications(forks(2, 3))
    assert (len(ways), possible, ways[0].choices) == (6, 6, {"a": "0", "b": "0"})
    assert [w.default for w in ways] == [True, *[False] * 5]
    second = replace(forks(2)[0], default="1")
    assert [w.choices["a"] for w in specifications([second])[0]] == ["1", "0"]


def test_of_too_many_every_single_departure_is_tried_and_the_number_is_said() -> None:
    ways, possible = specifications(forks(4, 4, 4, 4), most=20)
    assert (len(ways), possible) == (20, 256)
    assert {sum(v != "0" for v in w.choices.values()) for w in ways[1:13]} == {1}
    assert len({tuple(w.choices.values()) for w in ways}) == 20
    assert specifications(forks(4, 4, 4, 4), most=20)[0] == ways


def test_a_choice_that_no_kernel_names_is_read_off_the_totals() -> None:
    assert read_only(GREEN) == {"beside"}


# ---- what a curve says


def curve(*points: Point, **more: Any) -> Curve:
    """A curve of forest."""
    known = {"output": "share", "title": "forest", "unit": "percent", "ref_area": "X", "name": "Land", "last": "2019"}
    return Curve(**{**known, **more}, points=points)


def says(number: int, direction: str = "down", **more: Any) -> Point:
    """A point with a trend."""
    return Point(number=number, value=10.0 * number, sign=direction, direction=direction, **more)


def test_a_claim_that_holds_in_half_says_so() -> None:
    found = curve(says(1), says(2), says(3, "up"), says(4, "flat"))
    assert found.sentences[0] == (
        "The fall of forest in Land holds in 2 of 4 specifications (50 %), so it depends on the method. "
        "The sign of the trend holds in 2."
    )
    assert found.sentences[1] == "The value of 2019 lies between 10.0 % and 40.0 %, 25.0 % in the median (4 give one)."


@pytest.mark.parametrize(
    ("others", "so"),
    [
        (["down"] * 3, "it does not depend on the choices that were tried"),
        (["down"] * 10 + ["up"], "it hardly depends on the method"),
        (["up"] * 3, "most of them do not show it"),
        (["down", "", ""], "none says otherwise, but 2 gave no answer"),
        (["down", "up", ""], "it depends on the method"),
    ],
)
def test_what_a_share_means_for_a_claim(others: Sequence[str], so: str) -> None:
    found = curve(says(1), *(says(n, d) for n, d in enumerate(others, 2)))
    assert f"so {so}" in found.sentences[0] or so in found.sentences[0]


def test_without_a_trend_nothing_is_claimed() -> None:
    assert curve(says(1, "flat"), says(2, "up")).sentences[0] == (
        "The default shows no trend of forest in Land, as do 1 of 2 specifications (50 %); 1 show a rise, 0 a fall."
    )
    assert "gives no trend" in curve(Point(number=1, value=3.0)).sentences[0]


def test_a_verdict_is_counted_over_all_and_what_failed_is_named() -> None:
    found = curve(says(1, verdict="agrees"), says(2, verdict="differs in level"), Point(number=3, why="no such file."))
    assert found.tally("verdict") == Tally({"agrees": 1, "differs in level": 1, "": 1}, "agrees")
    assert found.sentences[1] == (
        "The verdict 'agrees' holds in 1 of 3 (33 %), so it depends on the method: most of them do not show it."
    )
    assert found.sentences[-1] == "1 of 3 give no value: no such file."


def test_a_share_of_nothing_said_is_no_share() -> None:
    silent = Tally({"": 2, "up": 1}, "")
    assert (silent.holds, silent.of, math.isnan(silent.share)) == (0, 3, True)
    assert conclusion(Tally({"up": 9, "down": 1}, "up")) == "nearly"


def series(values: Sequence[float]) -> pd.DataFrame:
    """A series from 2010 on."""
    return tidy([{"time_period": str(2010 + n), "obs_value": v} for n, v in enumerate(values)])


def test_the_trend_of_a_point_is_theil_sens_over_the_years_inside() -> None:
    """Two a year for eight years, then a fall that only the whole span sees."""
    table = series([0, 2, 4, 6, 8, 10, 12, 14, -90, -90])
    inside = [str(y) for y in range(2010, 2018)]
    found = point(1, table, inside, [], "2019")
    assert (found.value, found.years, found.sign, found.direction) == (-90, 8, "up", "up")
    assert found.slope == pytest.approx(2, abs=0.01)
    assert point(1, table, inside[1:], [], "2019").direction == ""


def test_no_trend_is_taken_across_a_known_break() -> None:
    """Falls by one a year on either side, and jumps by 50 between."""
    table = series([9, 8, 7, 6, 5, 55, 54, 53, 52, 51])
    inside = [str(y) for y in TEN]
    assert point(1, table, inside, [("2015-01-01", "sensor")], "2019").sign == "down"
    assert point(1, table, inside, [], "2019").sign == "up"


def test_no_trend_is_seen_where_hardly_two_periods_lie_between_breaks() -> None:
    """Eight falling years, and a break after each: none can be held against another."""
    breaks = [(f"{year}-01-01", "sensor") for year in range(2011, 2018)]
    found = point(1, series([8, 7, 6, 5, 4, 3, 2, 1]), [str(y) for y in TEN], breaks, "2017")
    assert (found.sign, found.direction, found.years) == ("", "", 8)


def test_a_season_is_no_trend() -> None:
    """From winter to summer the values rise, and each month is as it was the year before."""
    months = [f"{y}-{m:02}" for y in (2018, 2019) for m in range(1, 10)]
    table = tidy([{"time_period": p, "obs_value": float(p[5:])} for p in months])
    assert point(1, table, months, [], months[-1]).direction == "flat"
    assert point(1, table, months[:9], [], months[-1]).direction == ""


def test_a_withheld_value_keeps_its_reason() -> None:
    table = series([1, 2, np.nan]).assign(obs_status=["", "", "41 % seen"])
    assert point(1, table, ["2010"], [], "2012").why == "41 % seen"
    assert "no row for 2019" in point(1, table, ["2010"], [], "2019").why


# ---- runs


def test_four_specifications_take_two_runs(world: Little) -> None:
    """Trees fill half of the ground less 9 of 40 rows; grass fills the rest but the lake."""
    found = tried(world)
    assert (found.possible, len(found.tried), found.whole) == (12, 12, True)
    assert [t.how for t in found.tried].count("totals") == 6
    assert len({t.run for t in found.tried}) == 2
    country = found.curve("share", "X")
    assert country is not None
    forest, lake = 11 / 40, 1 / 16
    wanted = [100 * v for v in (forest, forest / (1 - lake), 1 - lake, 1.0)]
    assert sorted({round(p.value, 1) for p in country.points}) == pytest.approx(wanted, abs=0.1)
    shown = country.tally("direction")
    assert (shown.default, shown.holds, shown.of) == ("down", 6, 12)
    assert "(50 %), so it depends on the method" in country.sentences[0]


def test_only_what_the_definition_says_is_published_among_the_runs(world: Little) -> None:
    """A desk shows the newest run of an indicator: a departure from it lies aside."""
    found = tried(world)
    store = Store(world.store)
    assert [r.id for r in store.runs()] == [found.tried[0].run]
    assert {r.id for r in Store(world.store / FOLDER / RUNS).runs()} == {t.run for t in found.tried[1:]} - {
        found.tried[0].run
    }


def test_a_second_time_the_store_answers_and_the_result_is_kept(world: Little) -> None:
    first, second = tried(world), tried(world)
    assert {t.how for t in second.tried} == {"stored", "totals"}
    (kept,) = stored(Store(world.store), "green")
    assert kept["id"] == first.id == second.id
    assert kept["curves"][0]["holds"]["direction"] == {
        "default": "down",
        "holds": 6,
        "of": 12,
        "counts": {"down": 6, "flat": 6},
    }


def test_a_run_that_was_made_before_answers(world: Little) -> None:
    from geomon.pipeline import plan

    made = plan(GREEN, world.zones, "2010/2019", store=world.store, params={"counted": "green"}).run(workers=1)
    found = tried(world)
    how = {t.run: t.how for t in found.tried if t.specification.choices["beside"] == "land"}
    assert how[made.id] == "stored" and "computed" in how.values()


def test_a_product_that_is_not_there_is_counted_and_named(world: Little) -> None:
    found = tried(world, use={"cover": ("esa-worldcover", "no-such-map")}, vary={"years": ("2010/2019",)})
    assert [t.how for t in found.tried].count("failed") == 4 and not found.whole
    country = found.curve("share", "X")
    assert country is not None and len(country.points) == 8
    assert country.sentences[-1].startswith("4 of 8 give no value: There is no collection 'no-such-map'")


def test_a_declared_product_of_which_nobody_said_where_it_lies_is_named_and_not_tried(
    world: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of all specifications would fail otherwise, for a reason that is not the method's; --use still tries it."""
    monkeypatch.delenv("GEOMON_DATA", raising=False)
    both = replace(GREEN, alternatives={"cover": ("cgls-lc100",)})
    one_span = {"years": ("2010/2019",), "beside": ("land",)}
    found = tried(world, both, vary=one_span)
    assert (found.possible, found.whole, len(found.tried)) == (2, True, 2)
    (said,) = found.left_out
    assert "Not tried: cgls-lc100 for cover" in said and "GEOMON_DATA is not set" in said
    named = tried(world, both, vary=one_span, use={"cover": ("esa-worldcover", "cgls-lc100")})
    assert [t.how for t in named.tried].count("failed") == 2 and not named.left_out


def dwellers(cover: xr.DataArray, *, counted: str) -> dict[str, Any]:
    """On a lake of 100 cells, all of it in the east."""
    return {"people": amount(classes(cover, "water") * (0.03 if counted == "few" else 1.0), "people")}


def test_what_one_specification_hides_of_people_no_other_one_tells(world: Little) -> None:
    """Three in the east by one reading and a hundred by the other: neither it nor the whole has a curve."""
    people = Indicator(
        code="people",
        title="People",
        sources={"cover": Source("esa-worldcover")},
        grid="cover",
        measure=dwellers,
        outputs={"n": Output(total("people"), "people")},
        params={"counted": Choice(("few", "many"))},
        minimum_coverage=0.5,
    )
    found = tried(world, people, period="2019")
    assert {t.how for t in found.tried} == {"computed"}
    assert [c.ref_area for c in found.curves] == ["A"]


def test_if_all_fail_the_reason_is_raised(world: Little) -> None:
    with pytest.raises(CatalogError, match="no collection 'no-such-map'"):
        tried(world, use={"cover": ("no-such-map",)})


def test_boundary_sets_are_a_choice(world: Little, tmp_path: Path) -> None:
    import geopandas as gpd

    halves = gpd.read_file(world.zones)
    west = draw(tmp_path / "west.geojson", {"A": halves.geometry[0]})
    both = {"both": world.zones, "west": west}
    found = robustness(GREEN, both, "2019", store=world.store, workers=1, vary={"counted": ("trees",)})
    country, east = found.curve("share", "X"), found.curve("share", "B")
    assert country is not None and east is not None
    whole, west_only = (p.value for p in country.points[::2])
    assert (whole, west_only) == (pytest.approx(100 * 11 / 37.5, abs=0.1), pytest.approx(100 * 11 / 40, abs=0.1))
    assert [p.why for p in east.points if p.why] == ["the area has no row for 2019"] * 2


def test_official_figures_give_each_specification_a_verdict(world: Little) -> None:
    from geomon.registry import indicator

    rows = world.official.read_text().splitlines()[:1]
    rows += [f"AG_LND_FRST,X,{y},{100 * (20 - n) / 37.5},percent,as measured,Office" for n, y in enumerate(TEN)]
    world.official.write_text("\n".join(rows))
    forest = replace(indicator("15.1.1"), alternatives={})
    found = tried(world, forest, official=world.official, vary={"years": ("2010/2019",)})
    country = found.curve("share", "X")
    assert country is not None
    assert country.tally("verdict") == Tally({"agrees": 2}, "agrees")


def test_a_maximum_below_one_is_refused(world: Little) -> None:
    with pytest.raises(InputError, match="At most 0 specifications"):
        tried(world, most=0)
    assert MOST == 64


# ---- the command


def test_the_command_tells_what_was_tried_and_in_how_many_it_holds(world: Little) -> None:
    run, ask = CliRunner(), asked(world, command="robustness", period="2010/2019")
    pinned = [*ask, "--use", "cover=esa-worldcover", "--threads", "1"]
    shown = run.invoke(app, pinned)
    assert shown.exit_code == 0
    assert "6 of 6 specifications were tried." in shown.stdout
    assert "The fall of tree cover as a share of land in X holds in 6 of 6 specifications (100 %)" in shown.stdout
    assert shown.stdout.count("default") >= 1 and "counted trees and shrubs" in shown.stdout
    told = json.loads(run.invoke(app, [*pinned, "--param", "counted=trees", "--json"]).stdout)
    assert [s["choices"]["years"] for s in told["specifications"]] == ["2010/2019", "2012/2019", "2010/2017"]
    lost = run.invoke(app, [*ask, "--use", "cover=esa-worldcover|no-such-map", "--threads", "1"])
    assert lost.exit_code == 3 and "6 of 12 give no value" in lost.stdout


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--vary", "counted"], 2, "is not NAME=VALUE"),
        (["--vary", "counted=bushes"], 1, "counted='bushes' is none of"),
        (["--area", "Q", "--use", "cover=esa-worldcover"], 1, "no area 'Q'"),
        (["--most", "0"], 2, "--most"),
    ],
)
def test_wrong_arguments_are_told(world: Little, more: list[str], code: int, words: str) -> None:
    shown = CliRunner().invoke(app, [*asked(world, command="robustness", period="2019"), *more])
    assert shown.exit_code == code and words in shown.stderr
