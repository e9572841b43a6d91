"""An interval on its way: from a reference sample through a run to the store, the desks, the commands and checks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from rich.console import Console

from geomon import Indicator, Official, Output, Source, classes, mean, rate, share, total
from geomon.change import change
from geomon.check import check
from geomon.cli import tables
from geomon.errors import CatalogError, InputError
from geomon.indicator import Layer
from geomon.official import read_csv
from geomon.panels import chart, verdict
from geomon.panels.story import Story
from geomon.pipeline import Run, plan
from geomon.pixels import amount, area
from geomon.robustness import robustness
from geomon.sources.documents import record
from geomon.sources.records import Collection, ErrorMatrix
from geomon.store import Store
from geomon.strata import read_samples
from geomon.testing.world import World, raster, window
from geomon.zones import Zone, Zones

FOREST, GRASS, WATER = 1.0, 2.0, 3.0
GROUPS = {"forest": (1,), "grass": (2,), "water": (3,)}
WINDOW = window("EPSG:6933", 1e6, 5e6, 100.0, (10, 10))
"""A hundred hectares."""
OLOFSSON = ("deforestation", "gain", "forest", "other land")
COUNTS = ((66, 0, 5, 4), (0, 55, 8, 12), (1, 0, 153, 11), (2, 1, 9, 313))


def zones() -> Zones:
    """X of the halves A and B."""
    west, south, east, north = WINDOW.bounds
    middle = (west + east) / 2
    halves = {"A": shapely.box(west, south, middle, north), "B": shapely.box(middle, south, east, north)}
    whole = Zone("X", "Xland", "", shapely.box(west, south, east, north))
    return Zones((whole, *(Zone(c, f"Half {c}", "X", g) for c, g in halves.items())), "EPSG:6933")


def pixels(forest: int = 40, water: int = 10, unseen: int = 0) -> np.ndarray[Any, Any]:
    """So many hectares in columns from the west, the rest grass."""
    codes = np.full(100, GRASS)
    codes[:forest], codes[100 - water :] = FOREST, WATER
    codes[100 - water - unseen : 100 - water] = np.nan
    return codes.reshape(10, 10).T


def world(years: Sequence[str] = ("2020",), name: str = "map", **of: int) -> World:
    """One product of these years."""
    return World((raster(name, WINDOW, dict.fromkeys(years, pixels(**of)), groups=GROUPS),))


def measure(cover: xr.DataArray) -> dict[str, Any]:
    """Forest and land."""
    return {"forest": classes(cover, "forest"), "land": ~classes(cover, "water")}


def toy(**changes: Any) -> Indicator:
    """Forest as a share of land, and its area."""
    facts: dict[str, Any] = {
        "code": "toy",
        "title": "Toy",
        "sources": {"cover": Source("map")},
        "grid": "cover",
        "measure": measure,
        "outputs": {
            "share": Output(share("forest", of="land"), "percent", official=Official("F", tolerance=5.0)),
            "area": Output(total("forest"), "ha"),
        },
    }
    return Indicator(**{**facts, **changes})


def sample(**facts: Any) -> ErrorMatrix:
    """90 of 100 right in each of forest, grass and water; grass and forest are taken for one another."""
    counts = ((90, 10, 0), (10, 90, 0), (0, 10, 90))
    names = ("forest", "grass", "water")
    return ErrorMatrix(**{"rows": names, "columns": names, "counts": counts, "source": "field survey", **facts})


def made(*samples: ErrorMatrix, of: Indicator | None = None, catalog: World | None = None, **more: Any) -> Run:
    """A run with these samples of its cover."""
    accuracy = {"cover": samples} if samples else None
    years = more.pop("years", "2020")
    return plan(of or toy(), zones(), years, catalog=catalog or world(), accuracy=accuracy, **more).run(workers=1)


def row(run: Run, series: str = "area", zone: str = "X", period: str = "2020") -> pd.Series:
    """One row of the series."""
    table = run.series
    return table[(table.series == series) & (table.ref_area == zone) & (table.time_period == period)].iloc[0]


def parts(run: Run, series: str = "area", zone: str = "X") -> dict[str, pd.Series]:
    """The components of its interval, by name."""
    own = run.intervals[(run.intervals.series == series) & (run.intervals.ref_area == zone)]
    return {str(c.component): c for _, c in own.iterrows()}


# ---- the value and its interval


def test_the_worked_example_comes_out_of_a_run() -> None:
    """Olofsson et al. 2014, section 5.2: a thousand cells of 900 ha for ten million pixels of 0.09 ha."""
    codes = np.repeat([1.0, 2.0, 3.0, 4.0], [20, 15, 320, 645]).reshape(25, 40)
    own = window("EPSG:6933", 1e6, 5e6, 3000.0, (25, 40))
    cover = raster("map", own, {"2020": codes}, groups={n: (i + 1,) for i, n in enumerate(OLOFSSON)})
    quantities = {f"q{i}": name for i, name in enumerate(OLOFSSON)}

    def four(cover: xr.DataArray) -> dict[str, Any]:
        return {q: classes(cover, name) for q, name in quantities.items()}

    of = toy(measure=four, outputs={q: Output(total(q), "ha") for q in quantities})
    matrix = ErrorMatrix(rows=OLOFSSON, columns=OLOFSSON, counts=COUNTS, ref_area="X")
    whole = Zones((Zone("X", "X", "", shapely.box(*own.bounds)),), "EPSG:6933")
    run = plan(of, whole, "2020", catalog=World((cover,)), accuracy={"cover": matrix}).run(workers=1)
    found = run.intervals[run.intervals.component == "confusion"]
    np.testing.assert_allclose(run.series.obs_value, [21_158, 11_686, 285_770, 581_386], atol=1)
    np.testing.assert_allclose(found.value, [21_158, 11_686, 285_770, 581_386], atol=1)
    np.testing.assert_allclose(found.se, [3_141.65, 1_916.24, 7_913.18, 8_306.97], atol=0.01)
    np.testing.assert_allclose(1.96 * found.se, [6_158, 3_756, 15_510, 16_282], atol=1)
    assert run.totals is not None and float(run.totals.q0.squeeze()) == pytest.approx(18_000e4), "counted pixels stay"
    assert (run.series.interval == "bounds+confusion").all()


def test_a_sample_of_the_place_gives_the_value_and_one_of_the_product_does_not() -> None:
    """40 ha of forest, 50 of grass, 10 of water: 36 + 5 + 0 ha of forest by the sample."""
    here, anywhere = made(sample(ref_area="X")), made(sample())
    assert row(here).obs_value == pytest.approx(41)
    assert row(anywhere).obs_value == pytest.approx(40)
    assert (row(here).interval, row(anywhere).interval) == ("bounds+confusion", "bounds+model")
    assert parts(here)["confusion"].level == 0.95 and "drawn in X" in parts(here)["confusion"].basis
    assert np.isnan(parts(anywhere)["model"].level) and "not a confidence interval" in parts(anywhere)["model"].basis


def test_a_plausible_range_reaches_as_far_as_either_accuracy() -> None:
    """User's accuracy 90 %: 36 ha; producer's 36 / 41: 45.6 ha; 40 and 41 lie between."""
    model = parts(made(sample(counts=((900, 100, 0), (100, 900, 0), (0, 100, 900)))))["model"]
    assert model.lower <= 36 and model.upper >= 40 * 41 / 36
    assert model.value == pytest.approx(41), "what the errors of the product would make of it"


def test_a_share_of_land_is_a_ratio_of_what_both_are_by_the_sample() -> None:
    """Land is 40 + 50 + 1 ha: a tenth of the water is grass."""
    assert row(made(sample(ref_area="X")), "share").obs_value == pytest.approx(100 * 41 / 91)


def test_a_part_of_the_sampled_area_has_a_plausible_range() -> None:
    run = made(sample(ref_area="X"))
    assert row(run, zone="A").interval == "bounds+model"
    assert row(run, zone="A").obs_value == pytest.approx(40), "as it was counted"
    assert "another area or period" in parts(run, zone="A")["model"].basis


def test_a_sample_of_one_year_says_nothing_of_another() -> None:
    run = made(sample(ref_area="X", period="2021"), catalog=world(("2020", "2021")), years="2020/2021")
    assert row(run).interval == "bounds" and row(run, period="2021").interval == "bounds+confusion"
    own = run.intervals[run.intervals.time_period == "2020"]
    assert set(own[own.component == "confusion"].basis) == {"No reference sample of map is of this area and period."}


def test_values_that_are_adjusted_and_counted_in_turn_have_a_break_between_them() -> None:
    years = ("2019", "2020", "2021")
    asking = plan(
        toy(), zones(), "2019/2021", catalog=world(years), accuracy={"cover": sample(ref_area="X", period="2020")}
    )
    assert [date for date, _ in asking.recipe["breaks"]] == ["2020-01-01", "2021-01-01"]
    why = "values of X are adjusted by a reference sample in 2020 and counted on the map in 2019"
    assert asking.recipe["breaks"][0][1] == why
    every = [sample(ref_area="X", period=year) for year in years]
    asking = plan(toy(), zones(), "2019/2021", catalog=world(years), accuracy={"cover": every})
    assert asking.recipe["breaks"] == []


def test_a_sample_that_does_not_say_its_year_is_none_of_one_year() -> None:
    run = made(sample(ref_area="X"), catalog=world(("2020", "2021")), years="2020/2021")
    assert set(run.series.interval) == {"bounds+model"}


def test_unseen_ground_stands_around_the_sampling_interval() -> None:
    """20 ha of grass unseen: forest is 36 + 3 ha of what was seen, and up to 20 more."""
    run = made(sample(ref_area="X"), catalog=world(unseen=20), of=toy(minimum_coverage=0.5))
    own, of = row(run), parts(run)
    assert own.obs_value == pytest.approx(39)
    assert own.lower == pytest.approx(of["confusion"].lower) and own.upper == pytest.approx(of["confusion"].upper + 20)
    assert (of["unseen"].lower, of["unseen"].upper) == (pytest.approx(39), pytest.approx(59))


def test_unseen_ground_may_be_of_the_part_or_only_of_the_whole() -> None:
    """39 of 71 ha of land by the sample; of 20 ha unseen all or nothing may be forest, and all land."""
    run = made(sample(ref_area="X"), catalog=world(unseen=20), of=toy(minimum_coverage=0.5))
    own, of = row(run, "share"), parts(run, "share")
    assert own.obs_value == pytest.approx(100 * 39 / 71)
    assert (of["unseen"].lower, of["unseen"].upper) == (pytest.approx(100 * 39 / 91), pytest.approx(100 * 59 / 91))
    assert own.lower < of["confusion"].lower * 71 / 91 < of["unseen"].lower < of["unseen"].upper < own.upper


@pytest.mark.parametrize("facts", [{"ref_area": "X"}, {}])
def test_an_interval_is_no_narrower_than_any_component_that_it_names(facts: Mapping[str, str]) -> None:
    run = made(sample(**facts), catalog=world(unseen=13), of=toy(minimum_coverage=0.5))
    keys = ["series", "ref_area", "time_period", "breakdown"]
    both = run.intervals.merge(run.series, on=keys, suffixes=("_part", ""))
    assert len(both) == 2 * len(run.series)
    assert (both.lower <= both.lower_part + 1e-9).all() and (both.upper >= both.upper_part - 1e-9).all()
    assert ((run.series.lower <= run.series.obs_value) & (run.series.obs_value <= run.series.upper)).all()


def test_without_a_sample_nothing_changes() -> None:
    run = made()
    assert set(run.intervals.component) == {"unseen"} and "classes of cover" not in run.totals
    assert (row(run).obs_value, row(run).interval) == (40, "bounds")
    assert "accuracy" not in run.plan.recipe


def test_the_sample_is_a_part_of_the_question() -> None:
    one, other = sample(ref_area="X"), sample(ref_area="X", counts=((91, 9, 0), (10, 90, 0), (0, 10, 90)))
    ids = {
        plan(toy(), zones(), "2020", catalog=world(), accuracy=a).id for a in (None, {"cover": one}, {"cover": other})
    }
    assert len(ids) == 3


def test_a_withheld_value_keeps_its_interval_and_tells_no_value() -> None:
    run = made(sample(ref_area="X"), catalog=world(unseen=20), of=toy(minimum_coverage=0.9))
    assert np.isnan(row(run).obs_value) and row(run).obs_status and np.isfinite(row(run).upper)
    assert np.isnan(parts(run)["confusion"].value) and np.isfinite(parts(run)["confusion"].upper)


# ---- what it cannot speak of


def why(of: Indicator, series: str, *samples: ErrorMatrix, catalog: World | None = None) -> str:
    """The reason why an output has no interval of the map's errors."""
    own = parts(made(*(samples or (sample(ref_area="X"),)), of=of, catalog=catalog), series)["confusion"]
    assert np.isnan(own.lower) and np.isnan(own.upper)
    return str(own.basis)


def warm(cover: xr.DataArray) -> dict[str, Any]:
    """No ground: a rate and an amount made of classes."""
    forest = classes(cover, "forest")
    return {"warm": rate(forest * 2.0, "K"), "trees": amount(forest * 5.0, "trees")}


def test_means_and_amounts_say_why_they_have_none() -> None:
    of = toy(measure=warm, outputs={"warm": Output(mean("warm"), "K"), "trees": Output(total("trees"), "trees")})
    assert "totals and shares of ground" in why(of, "warm")
    assert why(of, "trees") == "trees is no ground: it is of the kind 'amount'."


def test_ground_made_of_several_sources_says_why() -> None:
    def both(cover: xr.DataArray, other: xr.DataArray) -> dict[str, Any]:
        return {"both": classes(cover, "forest") & classes(other, "forest")}

    catalog = World((*world().rasters, *world(name="second").rasters))
    of = toy(
        measure=both,
        sources={"cover": Source("map"), "other": Source("second")},
        outputs={"area": Output(total("both"), "ha")},
    )
    assert why(of, "area", catalog=catalog) == "both is made of more than the classes of cover."


def test_what_looks_at_neighbours_says_why() -> None:
    def edges(cover: xr.DataArray) -> dict[str, Any]:
        forest = classes(cover, "forest")
        return {"edge": forest & ~forest.shift(x=1, fill_value=False)}

    of = toy(measure=edges, outputs={"area": Output(total("edge"), "ha")})
    assert "depends on more than its class" in why(of, "area")


def same(cover: xr.DataArray) -> xr.DataArray:
    """The classes as they are."""
    return cover


def test_a_layer_says_why() -> None:
    of = toy(
        measure=lambda cover: {"forest": cover == FOREST},
        sources={"cover": Layer(same, {"cover": Source("map")})},
        outputs={"area": Output(total("forest"), "ha")},
    )
    assert why(of, "area").startswith("cover is no single date of classes")


def test_a_reference_class_that_holds_both_says_why() -> None:
    mixed = sample(columns=("forest", "other"), counts=((90, 10), (10, 90), (0, 100)), ref_area="X")
    assert "holds what counts here and what does not" in why(toy(), "share", mixed)
    assert row(made(mixed)).obs_value == pytest.approx(41), "its forest is still told apart"


def test_a_class_that_was_mapped_and_not_sampled_says_why() -> None:
    few = sample(counts=((90, 10, 0), (10, 90, 0), (0, 1, 0)), ref_area="X")
    assert "fewer than two samples" in why(toy(), "area", few)
    unnamed = sample(rows=("forest", "grass"), counts=((90, 10, 0), (10, 90, 0)), ref_area="X")
    assert "fewer than two samples" in why(toy(), "area", unnamed)


def test_an_area_of_which_nothing_was_seen_says_so() -> None:
    """A, the western half, is the fifty hectares that nobody saw."""
    codes = np.full((10, 10), GRASS)
    codes[:, :5] = np.nan
    catalog = World((raster("map", WINDOW, {"2020": codes}, groups=GROUPS),))
    run = made(sample(), catalog=catalog, of=toy(minimum_coverage=0.4))
    assert parts(run, zone="A")["confusion"].basis == "Nothing of map was seen here that its errors could be of."
    assert row(run, zone="A").interval == "bounds" and row(run, zone="A").upper == pytest.approx(50)
    assert row(run, zone="B").interval == "bounds+model"


def test_ground_by_key_is_adjusted_by_key() -> None:
    def kept(cover: xr.DataArray) -> dict[str, Any]:
        return {"land": area(~classes(cover, "water")).by(status=cover)}

    outputs = {"all": Output(total("land"), "ha"), "one": Output(total("land", status=1), "ha")}
    run = made(sample(ref_area="X"), of=toy(measure=kept, outputs=outputs))
    by = run.series[(run.series.series == "all") & (run.series.ref_area == "X")].set_index("breakdown").obs_value
    assert by["status=1"] == pytest.approx(41) and by["status=2"] == pytest.approx(4 + 45 + 1)
    assert row(run, "one").obs_value == pytest.approx(41)


# ---- where samples come from

CSV = """map_class,ref_area,time_period,source,forest,other
forest,X,2020,Survey office,90,10
other,X,2020,Survey office,5,95
forest,,,Producer,80,20
other,,,Producer,20,80
"""


def test_a_file_of_counts_has_a_matrix_for_each_area_and_period(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text(CSV)
    here, anywhere = read_samples(tmp_path / "sample.csv")
    assert (here.ref_area, here.period, here.source) == ("X", "2020", "Survey office")
    assert (anywhere.ref_area, anywhere.counts) == ("", ((80, 20), (20, 80)))
    run = plan(toy(), zones(), "2020", catalog=world(), accuracy={"cover": tmp_path / "sample.csv"}).run(workers=1)
    assert row(run).obs_value == pytest.approx(36 + 3)
    assert row(run, zone="A").interval == "bounds+model"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("map_class,forest\nforest,0.9\n", "no count of samples in 'forest'"),
        ("map_class,forest,remark\nforest,9,good\n", "no count of samples in 'remark'"),
        ("map_class,forest\nforest,90\nother,10\n", r"codes \[2, 3\] among its map classes .* or 'other'"),
        ("map_class,mapped_area,forest,other\nforest,-5,9,1\nother,8,1,9\n", "mapped areas -5, 8 for"),
        ("map_class,mapped_area,forest,other\nforest,0,9,1\nother,0,1,9\n", "mapped areas 0, 0 for"),
        ("map_class,mapped_area,forest,other\nforest,inf,9,1\nother,8,1,9\n", "mapped areas"),
        ("map_class,mapped_area,forest,other\nforest,big,9,1\nother,8,1,9\n", "as numbers"),
        ("map_class,time_period,forest,other\nforest,spring,9,1\nother,spring,1,9\n", "'spring' is not a period"),
        ("class,forest\nforest,9\n", "needs 'map_class'"),
        ("map_class,forest\nforest,9\nforest,8\n", "'forest' twice"),
        ("map_class,mapped_area,forest\nforest,5,9\ngrass,,8\n", "areas of some classes only"),
        ("map_class,forest\nwoods,9\n", "no class group 'woods'"),
        ("map_class,ref_area,forest\nforest,Y,9\n", "was drawn in 'Y'"),
        ("map_class,forest\nforest,9\n1,9\n", "in two classes"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "sample.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        plan(toy(), zones(), "2020", catalog=world(), accuracy={"cover": tmp_path / "sample.csv"})


def test_a_sample_of_no_source_is_refused() -> None:
    with pytest.raises(InputError, match=r"no source 'covr' .* Did you mean 'cover'"):
        plan(toy(), zones(), "2020", catalog=world(), accuracy={"covr": sample()})


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"counts": ((0.9, 0.1, 0), (0.1, 0.9, 0), (0, 0.1, 0.9))}, "no count of samples"),
        ({"counts": ((90, 10), (10, 90))}, "3 map and 3 reference classes"),
        ({"mapped": (1.0, 2.0)}, "for 3 map classes"),
        ({"period": "spring"}, "'spring' is not a period"),
    ],
)
def test_a_matrix_that_cannot_be_meant_is_refused(facts: Mapping[str, Any], said: str) -> None:
    """As a file of the same would be, and before a pixel is read."""
    with pytest.raises(InputError, match=said):
        plan(toy(), zones(), "2020", catalog=world(), accuracy={"cover": sample(**facts)})


def test_a_sample_that_is_no_matrix_is_refused() -> None:
    with pytest.raises(InputError, match="a file of counts or an ErrorMatrix, not a dict"):
        plan(toy(), zones(), "2020", catalog=world(), accuracy={"cover": {"forest": [9, 1]}})


class Stated(World):
    """Collections that state the errors of their product at large."""

    def collection(self, id: str) -> Collection:
        """As it is, with a sample."""
        return replace(super().collection(id), accuracy=(sample(),))


def test_a_sample_of_one_year_leaves_the_others_what_their_collection_knows() -> None:
    """2021 has a sample of its own, 2020 that of the product: handing one in takes no interval away."""
    catalog = Stated(world(("2020", "2021")).rasters)
    run = made(sample(ref_area="X", period="2021"), catalog=catalog, years="2020/2021")
    assert row(run).interval == "bounds+model" and row(run, period="2021").interval == "bounds+confusion"


def test_a_collection_may_state_its_own() -> None:
    facts = {"classes": ["forest", "other"], "counts": [[9, 1], [1, 9]], "source": "Report, table 3"}
    document = {"id": "made", "geomon:bands": {"x": {"kind": "class", "classes": [{"value": 1, "name": "forest"}]}}}
    (matrix,) = record({**document, "geomon:accuracy": [facts]}, Path("made.json")).accuracy
    assert (matrix.rows, matrix.columns, matrix.counts) == (("forest", "other"), ("forest", "other"), ((9, 1), (1, 9)))
    assert matrix.source == "Report, table 3" and matrix.ref_area == ""
    for wrong, said in (({"counts": [[9, 1]]}, "1 rows of counts"), ({"counts": [[0.9, 1], [1, 9]]}, "no count")):
        with pytest.raises(CatalogError, match=said):
            record({**document, "geomon:accuracy": [{**facts, **wrong}]}, Path("made.json"))


# ---- on its way


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A run with a sample of the place, ten years long, beside one of another product."""
    store = Store(tmp_path_factory.mktemp("store"))
    years = tuple(str(y) for y in range(2011, 2021))
    catalog = World((*world(years).rasters, *world(years, name="second", forest=30).rasters))
    made(catalog=catalog, years="2011/2020", store=store, of=toy(), use={"cover": "second"})
    made(sample(ref_area="X", period="2020"), catalog=catalog, years="2011/2020", store=store)
    return store


def test_the_store_keeps_what_intervals_are_made_of(stored: Store) -> None:
    first, second = sorted(stored.runs("toy"), key=lambda r: "accuracy" in r.recipe)
    names = set(second.intervals.component)
    assert names == {"unseen", "confusion", "model", "noise", "products"}
    assert second.item["assets"]["intervals"]["href"].endswith("intervals.parquet")
    assert set(first.intervals.component) == {"unseen", "noise"}, "it was there before the other"
    apart = second.intervals[(second.intervals.component == "products") & (second.intervals.series == "area")]
    assert apart[apart.time_period == "2011"].set_index("ref_area").lower["X"] == pytest.approx(30)
    assert apart[apart.time_period == "2011"].set_index("ref_area").upper["X"] == pytest.approx(40)
    assert set(apart.basis) == {"the same made from second: how far products lie apart, which is no accuracy of any"}


def test_an_interval_reaches_the_chart_the_card_the_tables_and_the_check(stored: Store) -> None:
    run = next(r for r in stored.runs("toy") if "accuracy" in r.recipe)
    own = run.series[(run.series.ref_area == "X") & (run.series.time_period == "2020") & (run.series.series == "share")]
    lower, upper = own.lower.iloc[0], own.upper.iloc[0]
    assert lower < own.obs_value.iloc[0] < upper and own.interval.iloc[0] == "bounds+confusion"
    kind = "95 % interval from a reference sample"
    story = Story(run, "share")
    assert kind in chart.readings(story, "X").set_index("period").interval["2020"]
    assert chart.readings(story, "X").set_index("period").lower["2020"] == lower
    assert "with 95 % confidence" in verdict.headline(story, "X", "2020")
    assert "95 % interval with bounds" in verdict.figure(story, "X", "2020")
    assert kind in verdict.areas(story, "X", "2020")
    text = StringIO()
    Console(file=text, width=200).print(tables.series_table(own, {"X": tables.Area("Xland", 0)}))
    assert f"{lower:.1f} to {upper:.1f}" in text.getvalue() and "95 % interval with bounds" in text.getvalue()
    assert json.loads(json.dumps(own.to_dict("records")))[0]["interval"] == "bounds+confusion"


def test_a_change_is_asked_of_values_made_alike(stored: Store) -> None:
    run = next(r for r in stored.runs("toy") if "accuracy" in r.recipe)
    own = run.series[(run.series.ref_area == "X") & (run.series.series == "area")]
    found = change(own, "2019", "2020")  # breaks aside
    assert found.answer == "cannot tell" and "adjusted by a reference sample" in found.reason
    alike = own[own.time_period.isin(["2019", "2020"])].assign(
        lower=[10.0, 40.0], upper=[20.0, 50.0], interval="bounds+confusion"
    )
    found = change(alike, "2019", "2020")
    assert found.answer == "yes" and "mistakes as its reference sample shows them" in found.reason
    mixed = alike.assign(interval=["bounds", "bounds+model"])
    assert "plausibly the mistakes" in change(mixed, "2019", "2020").reason


def test_the_command_line_takes_a_sample(tmp_path: Path) -> None:
    from geomon.cli.question import Question, pairs

    assert pairs("--accuracy", ["cover=sample.csv"]) == {"cover": "sample.csv"}
    asked = Question(code="15.1.1", zones=tmp_path / "none", period=["2020"], accuracy=["cover=sample.csv"])
    assert asked.accuracy == ["cover=sample.csv"]


def test_the_evidence_of_a_check_has_the_interval(stored: Store, tmp_path: Path) -> None:
    run = next(r for r in stored.runs("toy") if "accuracy" in r.recipe)
    rows = [f"F,X,{year},44,percent,Office" for year in range(2011, 2021)]
    (tmp_path / "official.csv").write_text(
        "series,ref_area,time_period,obs_value,unit_measure,publisher\n" + "\n".join(rows)
    )
    findings = check(run.series, read_csv(tmp_path / "official.csv"), toy())
    found = next(f for f in findings if f.ref_area == "X")
    pair = next(p for p in found.pairs if p["time_period"] == "2020")
    own = run.series[(run.series.series == "share") & (run.series.ref_area == "X") & (run.series.time_period == "2020")]
    assert (pair["lower"], pair["upper"]) == (own.lower.iloc[0], own.upper.iloc[0])
    assert pair["lower"] < pair["satellite"] < pair["upper"]


def test_a_sample_of_one_product_says_nothing_of_another_in_its_place(tmp_path: Path) -> None:
    years = ("2019", "2020")
    both = World((*world(years).rasters, *world(years, name="second", forest=10).rasters))
    robustness(
        toy(alternatives={"cover": ("second",)}),
        zones(),
        "2019/2020",
        store=tmp_path,
        catalog=both,
        accuracy={"cover": [sample(ref_area="X", period=year) for year in years]},
        workers=1,
    )
    stored = [*Store(tmp_path).runs(), *Store(tmp_path / "robustness" / "runs").runs()]
    found = {
        str(run.recipe["collections"][0]["id"]): set(run.series[run.series.ref_area == "X"].interval) for run in stored
    }
    assert found == {"map": {"bounds+confusion"}, "second": {"bounds"}}
