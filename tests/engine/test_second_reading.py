"""What a second reading of the engine found, kept from coming back: one claim each, on numbers to check by eye."""

import hashlib
import os
import types
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr

from geomon import Indicator, Layer, Output, Source, Survey, area, classes, mean, rate, sample, total, workspace
from geomon.errors import CatalogError, InputError
from geomon.indicator import code_of
from geomon.pipeline import Plan, Run, plan
from geomon.registry import indicator
from geomon.resolve import swapped
from geomon.sources.catalog import Catalog
from geomon.sources.records import Scene
from geomon.store import Store
from geomon.testing import Raster, World, raster, window
from geomon.zones import Zone, Zones
from tests.engine import made
from tests.engine.made import item, static, tif

CRS = "EPSG:6933"
WINDOW = window(CRS, 0, 2000, 1000, (2, 2))  # four cells of 1 km2, of an equal-area grid
ZONES = Zones((Zone("all", "", "", shapely.box(0, 0, 2000, 2000)),), CRS)
CODES = np.array([[10.0, 10.0], [10.0, 20.0]])
TREES = {"forest": (10,), "shrub": (20,)}
COVER = raster("cover", WINDOW, {"2020": CODES, "2021": CODES}, groups=TREES)
ONES = np.ones((2, 2))
WIDER = raster("cover", WINDOW, {"2020": CODES}, groups={"forest": (10, 20), "shrub": (20,)})
OTHER = raster("other", WINDOW, {"2020": ONES, "2021": ONES}, kind="rate")
FIJI = (0.01, 0.0, 178.0, 0.0, -0.01, -17.0)
FIJI_ZONES = Zones((Zone("fj", "", "", shapely.box(178.0, -17.04, 178.04, -17.0)),), "EPSG:4326")


def measure_cover(cover: xr.DataArray) -> dict:
    return {"forest": classes(cover, "forest")}


def toy(**changes: Any) -> Indicator:
    """Forest, published whatever was seen; with changes."""
    plain: dict[str, Any] = {
        "code": "toy",
        "title": "Forest",
        "sources": {"cover": Source("cover")},
        "grid": "cover",
        "measure": measure_cover,
        "outputs": {"forest": Output(total("forest"), "km2")},
        "minimum_coverage": 0.0,
    }
    return Indicator(**{**plain, **changes})


def asked(of: Indicator, *rasters: Raster, periods: Sequence[str] = ("2020",), **more: Any) -> Plan:
    """A plan on four pixels."""
    return plan(of, ZONES, periods, catalog=World(rasters or (COVER, OTHER)), **more)


def values(run: Run) -> list[float]:
    """The published values, in the order of the series."""
    return [round(v, 6) for v in run.series.obs_value]


# --- One date, several granules


def measure_now(now: xr.DataArray) -> dict:
    return {"now": rate(now, "1")}


def measure_before(now: xr.DataArray, before: xr.DataArray) -> dict:
    return {"now": rate(now, "1"), "before": rate(before, "1")}


def latest(power: xr.DataArray) -> xr.DataArray:
    return power.isel(time=-1)


@pytest.fixture
def fiji(tmp_path: Path) -> Catalog:
    """Two images of one solar day, 6 March: a morning of ones, 5 March 17:30 in UTC, and an evening of twos."""
    items = []
    for n, (time, orbit) in enumerate((("2020-03-05T17:30:00Z", "descending"), ("2020-03-06T06:30:00Z", "ascending"))):
        file = tif(tmp_path / f"{n}.tif", np.full((4, 4), n + 1, "float32"), transform=FIJI, nodata=-9.0)
        facts = {"bbox": (178.0, -17.04, 178.04, -17.0), "transform": FIJI, "said": {"sat:orbit_state": orbit}}
        items.append(item(f"i{n}", {"data": {"href": str(file)}}, time=time, **facts))
    origin = {"type": "static", "href": str(static(tmp_path / "stac", items))}
    return made.catalog(origin, {"kind": "rate", "unit": "1", "nodata": -9.0})


DAYS = toy(
    freq="D",
    sources={"now": Source("made")},
    grid="now",
    measure=measure_now,
    outputs={"now": Output(mean("now"), "1")},
)


def test_two_periods_that_share_a_solar_day_each_have_their_own_pixels(fiji: Catalog) -> None:
    asking = plan(DAYS, FIJI_ZONES, ("2020-03-05", "2020-03-06"), catalog=fiji)
    labels = [s.label for scenes in asking.setting.scenes.values() for s in scenes]
    assert labels == ["2020-03-06", "2020-03-06"], "or this test claims nothing"
    assert values(asking.run()) == [1, 2]


def test_what_was_before_is_not_what_is_now_on_the_same_solar_day(fiji: Catalog) -> None:
    before = Layer(latest, {"power": Source("made", window="-60D")}, kind="rate")
    both = replace(
        DAYS,
        measure=measure_before,
        sources={"now": Source("made"), "before": before},
        outputs={"now": Output(mean("now"), "1"), "before": Output(mean("before"), "1")},
    )
    series = plan(both, FIJI_ZONES, ("2020-03-06",), catalog=fiji).run().series
    assert dict(zip(series.series, series.obs_value, strict=True)) == {"now": 2.0, "before": 1.0}


# --- What a run is


@pytest.mark.parametrize(
    "change",
    [
        {"legend": WIDER.band.legend},
        {"nodata_means": "zero"},
        {"unit": "K"},
        {"scale": 2.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_fact_of_a_collection_is_another_recipe_of_the_same_question(change: dict[str, Any]) -> None:
    first, second = asked(toy()), asked(toy(), replace(COVER, band=replace(COVER.band, **change)))
    assert first.question == second.question
    assert first.id != second.id


def test_a_store_does_not_answer_with_the_forest_of_another_legend(tmp_path: Path) -> None:
    assert values(asked(toy(), store=tmp_path).run()) == [3]
    assert values(asked(toy(), WIDER, store=tmp_path).run()) == [4]


def cell(source: str) -> Any:
    """The measure of some code that has no file, as a notebook's has none."""
    names: dict[str, Any] = {"__name__": "a_notebook"}
    exec(source, names)
    assert isinstance(names["measure"], types.FunctionType)
    return names["measure"]


NOTEBOOK = """
DARK = 5
LEVELS = [1, 2]
def is_dark(x): return x < DARK
def measure(cover): return {"dark": is_dark(cover), "all": (lambda: LEVELS)(), "seas": cover in {"a", "b"}}
"""


def test_the_same_code_without_a_file_is_the_same_question() -> None:
    assert code_of(cell(NOTEBOOK)) == code_of(cell(NOTEBOOK))


@pytest.mark.parametrize("change", [("DARK = 5", "DARK = 6"), ("[1, 2]", "[1, 3]"), ("x <", "x >"), ('"b"', '"c"')])
def test_a_constant_that_changes_in_code_without_a_file_is_another_question(change: tuple[str, str]) -> None:
    assert code_of(cell(NOTEBOOK)) != code_of(cell(NOTEBOOK.replace(*change)))


def test_functions_without_a_file_may_call_each_other() -> None:
    both = "def odd(n): return n and measure(n - 1)\ndef measure(n): return not n or odd(n - 1)"
    assert code_of(cell(both)) == code_of(cell(both))


# --- Other products in the place of sources


def doubled(power: xr.DataArray) -> xr.DataArray:
    return 2 * power


def test_a_product_in_the_place_of_a_layer_goes_through_its_kernel() -> None:
    of = toy(
        sources={"now": Layer(doubled, {"power": Source("other")}, kind="rate")},
        grid="now",
        measure=measure_now,
        outputs={"now": Output(mean("now"), "1")},
    )
    mine = raster("my-sar", WINDOW, {"2020": 3 * ONES}, kind="rate")
    assert values(asked(of, OTHER, mine, use={"now": "my-sar"}).run()) == [6]


def test_the_water_of_my_own_radar_is_smoothed_as_ours_is() -> None:
    ours = indicator("water-extent")
    mine = swapped(ours, {"now": "my-sar"})
    assert mine.sources["now"] == replace(ours.sources["now"], sources={"power": Source("my-sar")})


PEOPLE = raster("people", WINDOW, {"2020": ONES}, kind="amount", unit="people")


def test_a_product_may_take_the_place_of_one_that_is_added_up() -> None:
    of = toy(sums={"people": Source("people")}, outputs={"people": Output(total("people"), "people")})
    mine = raster("my-people", WINDOW, {"2020": 5 * ONES}, kind="amount", unit="people")
    assert values(asked(of, COVER, PEOPLE, mine, use={"people": "my-people"}).run()) == [20]


def test_a_sum_may_be_named_measure(tmp_path: Path) -> None:
    outputs = {"forest": Output(total("forest"), "km2"), "people": Output(total("measure"), "people")}
    of = toy(sums={"measure": Source("people")}, outputs=outputs)
    assert values(asked(of, COVER, PEOPLE, store=tmp_path).run()) == [3, 4]


# --- Outages and books


@dataclass(frozen=True)
class Halves:
    """A country of two tiles, threes in the west and fours in the east; the eastern file comes and goes.

    Items say the checksums, so that the recipe is the same with it and without it.
    """

    folder: Path
    catalog: Catalog
    zones = Zones(
        (
            Zone("west", "", "z", shapely.box(178.0, -17.04, 178.04, -17.0)),
            Zone("east", "", "z", shapely.box(178.04, -17.04, 178.08, -17.0)),
            Zone("z"),
        ),
        "EPSG:4326",
    )

    def away(self) -> None:
        """The eastern file is not there."""
        os.rename(self.folder / "east.tif", self.folder / "east.away")

    def back(self) -> None:
        """The eastern file is there."""
        os.rename(self.folder / "east.away", self.folder / "east.tif")

    def asked(self, of: Indicator, zone: str = "z") -> Plan:
        """A plan for one zone, with the store beside the files."""
        zones = self.zones.select([zone])
        return plan(of, zones, ("2020",), catalog=self.catalog, store=self.folder / "store", block=4)


@pytest.fixture
def halves(tmp_path: Path) -> Halves:
    items = []
    for name, west, value in (("west", 178.0, 3), ("east", 178.04, 4)):
        place = (0.01, 0.0, west, 0.0, -0.01, -17.0)
        file = tif(tmp_path / f"{name}.tif", np.full((4, 4), value, "float32"), transform=place, nodata=-9.0)
        bbox = (west, -17.04, west + 0.04, -17.0)
        checksum = "1220" + hashlib.sha256(file.read_bytes()).hexdigest()
        items.append(item(name, {"data": {"href": str(file), "file:checksum": checksum}}, bbox=bbox, transform=place))
    origin = {"type": "static", "href": str(static(tmp_path / "stac", items))}
    return Halves(tmp_path, made.catalog(origin, {"kind": "rate", "unit": "1", "nodata": -9.0}))


YEARS = replace(DAYS, freq="A")


def test_after_an_outage_the_same_question_is_computed_again_and_both_runs_stay(halves: Halves) -> None:
    halves.away()
    first = halves.asked(YEARS).run()
    halves.back()
    second, third = halves.asked(YEARS).run(), halves.asked(YEARS).run()
    assert first.plan.recipe["inputs"] == second.plan.recipe["inputs"], "or this test claims nothing"
    assert [r.series.coverage[r.series.ref_area == "z"].item() for r in (first, second)] == pytest.approx([0.5, 1.0])
    assert (first.fresh, second.fresh, third.fresh) == (True, True, False)
    assert {r.id for r in Store(halves.folder / "store").runs()} == {first.id, second.id}


def brightest(power: xr.DataArray) -> xr.DataArray:
    return 0 * power.fillna(0) + power.max()


def stopped(*_: Any, **__: Any) -> Any:
    """In the place of publishing."""
    raise KeyboardInterrupt


def test_a_block_with_a_failed_read_is_made_anew_when_a_killed_run_goes_on(
    halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves.away()
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr("geomon.pipeline.publish", stopped)
        halves.asked(YEARS, "east").run()
    halves.back()
    assert values(halves.asked(YEARS, "east").run()) == [4]


def test_a_block_that_rests_on_a_failed_country_layer_is_made_anew(
    halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block in the west reads no file of the east, but the country's brightest pixel is there."""
    of = replace(YEARS, sources={"now": Layer(brightest, {"power": Source("made")}, kind="rate", over="country")})
    halves.away()
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr("geomon.pipeline.publish", stopped)
        halves.asked(of, "west").run()
    halves.back()
    assert values(halves.asked(of, "west").run()) == [4]


def measure_beside(cover: xr.DataArray, beside: Any) -> dict:
    return {"forest": classes(cover, "forest")}


def measure_ground(power: xr.DataArray) -> dict:
    return {"ground": area(power > 0)}


def ground(totals: xr.Dataset) -> xr.DataArray:
    return totals["ground"]


@pytest.mark.parametrize(
    "beside",
    [
        Layer(doubled, {"power": Source("other")}, kind="rate", over="country"),
        Survey(measure_ground, ground, {"power": Source("other")}),
    ],
    ids=["country layer", "survey"],
)
def test_what_is_read_for_the_whole_country_is_in_the_books(beside: Any) -> None:
    run = asked(toy(measure=measure_beside, sources={"cover": Source("cover"), "beside": beside})).run()
    assert set(run.reads.collection) == {"cover", "other"}


def test_a_few_large_cells_of_a_conformal_grid_close_their_ledger() -> None:
    """At 60 N a cell of 1 km of Web Mercator is 0.25 km2, and a little less at its southern edge."""
    grid = window("EPSG:3857", 1_670_000, 8_400_000, 1000, (10, 10))
    plot = shapely.Polygon([(1_670_500, 8_391_500), (1_673_500, 8_392_100), (1_672_600, 8_394_500)])
    zones = Zones((Zone("plot", "", "", plot),), "EPSG:3857")
    world = World((raster("cover", grid, {"2020": np.full((10, 10), 10.0)}, groups=TREES),))
    (km2,) = values(plan(toy(), zones, ("2020",), catalog=world).run())
    assert km2 == pytest.approx(plot.area / 1e6 / 4, rel=0.02)


# --- Maps and keys


def measure_light(light: xr.DataArray) -> dict:
    return {"light": rate(light, "1")}


def measure_city(light: xr.DataArray) -> dict:
    return {"light": area(light > 0).by(city=light)}


LIGHT = toy(
    sources={"light": Source("light")},
    grid="light",
    measure=measure_light,
    outputs={"light": Output(mean("light"), "1")},
    map="light",
)


def test_whole_numbers_of_a_rate_are_a_map_of_values_whose_overviews_are_means(tmp_path: Path) -> None:
    lines = np.zeros((1024, 1024))
    lines[::2] = 10.0
    grid = window(CRS, 0, 1_024_000, 1000, lines.shape)
    zones = Zones((Zone("all", "", "", shapely.box(0, 0, 1_024_000, 1_024_000)),), CRS)
    world = World((raster("light", grid, {"2020": lines}, kind="rate"),))
    stored = plan(LIGHT, zones, ("2020",), catalog=world, store=tmp_path).run().stored
    assert stored is not None and stored.item["assets"]["map-2020"]["geomon:kind"] == "value"
    with rasterio.open(stored.maps["2020"], overview_level=0) as overview:
        assert overview.dtypes == ("float32",)
        assert set(np.unique(overview.read(1))) == {5.0}


def test_long_codes_of_cities_keep_their_last_digit(tmp_path: Path) -> None:
    codes = np.array([[5005249597250.0, 5005249597250.0], [5005249597251.0, 5005249597251.0]])
    of = replace(LIGHT, measure=measure_city, outputs={"light": Output(total("light"), "km2")})
    stored = asked(of, raster("light", WINDOW, {"2020": codes}, kind="rate"), store=tmp_path).run().stored
    assert stored is not None and stored.item["assets"]["map-2020"]["geomon:kind"] == "class"
    assert list(stored.series.breakdown) == ["city=5005249597250", "city=5005249597251"]
    with rasterio.open(stored.maps["2020"]) as file:
        np.testing.assert_array_equal(file.read(1), codes)


# --- What is not there


class Down(World):
    """The collection 'other' is known and cannot be searched."""

    def find(self, collection_id: str, *more: Any, **named: Any) -> tuple[Scene, ...]:
        if collection_id == "other":
            raise CatalogError("its server does not answer")
        return super().find(collection_id, *more, **named)


def measure_perhaps(cover: xr.DataArray, beside: xr.DataArray | None = None) -> dict:
    return {"forest": classes(cover, "forest")} if beside is None else {"forest": beside > 0}


PERHAPS = {"cover": Source("cover"), "beside": Source("other")}


def test_an_optional_source_that_cannot_be_searched_is_left_out_and_the_recipe_says_so() -> None:
    asking = plan(toy(measure=measure_perhaps, sources=PERHAPS), ZONES, ("2020",), catalog=Down((COVER, OTHER)))
    assert values(asking.run()) == [3]
    assert asking.recipe["remarks"] == ["other was left out, it is not needed: its server does not answer"]


def test_a_needed_source_that_cannot_be_searched_is_an_error() -> None:
    of = toy(measure=measure_beside, sources=PERHAPS)
    with pytest.raises(CatalogError, match="its server does not answer"):
        plan(of, ZONES, ("2020",), catalog=Down((COVER, OTHER)))


def test_an_optional_country_layer_without_an_image_is_left_out() -> None:
    layer = Layer(doubled, {"power": Source("other")}, kind="rate", over="country")
    of = toy(measure=measure_perhaps, sources={"cover": Source("cover"), "beside": layer})
    assert values(asked(of, COVER, raster("other", WINDOW, {"2010": ONES}, kind="rate")).run()) == [3]


def test_a_year_without_an_image_says_so_and_leaves_the_other_year_alone() -> None:
    lights = raster("viirs-night-lights", WINDOW, {"2014": 2 * ONES}, band="radiance", kind="rate", unit="nW")
    series = asked(indicator("night-lights"), lights, periods=("2013", "2014")).run().series
    of_mean = series[series.series == "mean"].set_index("time_period")
    assert np.isnan(of_mean.obs_value["2013"]) and of_mean.obs_status["2013"] == "no image was found"
    assert of_mean.obs_value["2014"] == 2.0 and of_mean.obs_status["2014"] == ""


def test_periods_are_put_in_order(tmp_path: Path) -> None:
    run = asked(toy(), periods=("2021", "2020"), store=tmp_path).run()
    assert list(run.series.time_period) == ["2020", "2021"]
    assert run.stored is not None and run.stored.item["properties"]["start_datetime"].startswith("2020-01-01")


def test_the_order_of_the_periods_is_not_part_of_the_question() -> None:
    assert asked(toy(), periods=("2021", "2020")).id == asked(toy(), periods=("2020", "2021")).id


def test_a_product_of_another_kind_is_refused(tmp_path: Path) -> None:
    """People are no light: their sum would be published in 'people km2'."""
    with pytest.raises(
        InputError, match=r"takes radiance from a product of kind 'rate', and 'worldpop' is one of kind"
    ):
        plan("night-lights", land(), "2020", use={"radiance": "worldpop"})


def land() -> Zones:
    """One square degree."""
    return Zones.of(
        gpd.GeoDataFrame({"code": ["L"]}, geometry=[shapely.box(10, 49, 11, 50)], crs="EPSG:4326"), code="code"
    )


def test_the_map_says_what_it_is_wherever_it_is_opened(country: sample.Sample, tmp_path: Path) -> None:
    before = os.environ.get(workspace.VARIABLE, "")
    workspace.use(country.workspace)
    try:
        made = plan("15.1.1", country.zones, "2024", store=tmp_path / "store").run()
    finally:
        workspace.use(*filter(None, before.split(os.pathsep)))
    assert made.stored is not None
    assert set(made.series.nature) == {"satellite estimate, synthetic"}
    with rasterio.open(made.stored.maps["2024"]) as file:
        assert "synthetic: no real place" in file.descriptions[0]
        assert file.colormap(1)[1] == (0, 100, 0, 255)  # the green of trees in WorldCover's legend


def test_a_parent_that_is_not_its_parts_is_reported() -> None:
    shapes = [shapely.box(10, 49, 11, 50), shapely.box(10, 49, 10.5, 50), shapely.box(10.5, 49.1, 11, 50)]
    frame = gpd.GeoDataFrame({"code": ["P", "A", "B"], "parent": ["", "P", "P"]}, geometry=shapes, crs="EPSG:4326")
    remarks = Zones.of(frame, code="code", parent="parent").remarks
    assert any("P: its own shape has" in r and "Its values are the sums of its parts." in r for r in remarks)
