"""The sample country: the same world each time, clean zones, honest files, a truth that adds up and is met."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from pystac.validation import JsonSchemaSTACValidator

import geomon.sample
from geomon import registry
from geomon.errors import InputError
from geomon.official import AS_MEASURED, read_csv
from geomon.pipeline import plan
from geomon.sample import Sample, build
from geomon.sample.lattice import UTM, Lattice
from geomon.sample.official import PLANTED
from geomon.sample.radar import FLOOD_DAY
from geomon.sample.shots import Grids
from geomon.sample.terrain import CENTRE
from geomon.sources.catalog import Catalog

SIZE = 120
QUANTITIES = {
    ("15.1.1", "share"): "forest share",
    ("6.6.1", "permanent"): "permanent water",
    ("6.6.1", "seasonal"): "seasonal water",
    ("water-extent", "water"): "water extent",
    ("water-extent", "flood"): "flood",
    ("night-lights", "mean"): "mean radiance",
    ("night-lights", "sum"): "sum of lights",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return build(tmp_path_factory.mktemp("country") / "selvara", size=SIZE)


@pytest.fixture(scope="module")
def zones(sample: Sample) -> gpd.GeoDataFrame:
    return gpd.read_file(sample.zones).set_index("code")


@pytest.fixture(scope="module")
def truth(sample: Sample) -> pd.DataFrame:
    return pd.read_parquet(sample.truth)


@pytest.fixture(scope="module")
def official(sample: Sample) -> pd.DataFrame:
    return read_csv(sample.official)


def items(sample: Sample) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in sorted((sample.folder / "stac").glob("*/*/*.json")):
        yield file, json.loads(file.read_text(encoding="utf-8"))


def pixels(sample: Sample, item: str, asset: str) -> NDArray[Any]:
    (file,) = (sample.folder / "stac").glob(f"*/{item}/{item}-{asset}.tif")
    with rasterio.open(file) as raster:
        return np.asarray(raster.read(1))


# -- the folder ---------------------------------------------------------------------------------------------------


def test_two_builds_give_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    again = build(tmp_path / "again", size=SIZE)
    here = {f.relative_to(sample.folder): f.read_bytes() for f in sample.folder.rglob("*") if f.is_file()}
    there = {f.relative_to(again.folder): f.read_bytes() for f in again.folder.rglob("*") if f.is_file()}
    assert {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)} <= {
        Path("truth.parquet")  # its writer may name its version
    }
    pd.testing.assert_frame_equal(pd.read_parquet(sample.truth), pd.read_parquet(again.truth))


def test_a_finished_sample_is_used_again(sample: Sample) -> None:
    before = sample.zones.stat().st_mtime_ns
    assert build(sample.folder, size=SIZE) == sample
    assert sample.zones.stat().st_mtime_ns == before


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Builds that write one file, or die."""

    def make(dies: bool = False) -> None:
        def one_file(folder: Path, size: int, seed: int) -> None:
            (folder / "zones.geojson").write_text(str(size))
            if dies:
                raise KeyboardInterrupt

        monkeypatch.setattr(geomon.sample, "_make", one_file)

    return make


def test_another_size_takes_the_place_of_the_first(quick: Callable[..., None], tmp_path: Path) -> None:
    quick()
    build(tmp_path / "s", size=60)
    assert build(tmp_path / "s", size=120).zones.read_text() == "120"
    assert [f.name for f in tmp_path.iterdir()] == ["s"]


def test_a_build_that_is_stopped_leaves_nothing(quick: Callable[..., None], tmp_path: Path) -> None:
    quick(dies=True)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "s", size=60)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_is_swept_up(quick: Callable[..., None], tmp_path: Path) -> None:
    quick()
    process = next(p for p in range(400_000, 4_000_000, 7) if not geomon.sample._alive(p))
    (tmp_path / f".s.{process}-abc").mkdir()
    (tmp_path / f".s.{os.getppid()}-abc").mkdir()  # this one still works
    build(tmp_path / "s", size=60)
    assert sorted(f.name for f in tmp_path.iterdir()) == [f".s.{os.getppid()}-abc", "s"]


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other things"):
        build(tmp_path, size=60)
    with pytest.raises(InputError, match="is a file"):
        build(tmp_path / "letter.txt", size=60)
    assert [f.name for f in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("size", [0, 61, -60])
def test_sizes_are_multiples_of_60(tmp_path: Path, size: int) -> None:
    with pytest.raises(InputError, match="multiple of 60"):
        build(tmp_path / "s", size=size)


def test_grids_grow_with_the_size() -> None:
    small, large = Grids.of(60), Grids.of(600)
    assert small.land.shape == (50, 60)
    assert large.land.shape == (500, 600)
    assert large.land.bounds == pytest.approx((81.25, -8.625, 82.75, -7.375))
    assert (large.radar.crs, large.radar.step, large.optical.step) == (UTM, 200.0, 100.0)


# -- zones ----------------------------------------------------------------------------------------------------------


def test_there_are_4_provinces_and_24_districts(zones: gpd.GeoDataFrame) -> None:
    assert zones.level.value_counts().to_dict() == {2: 24, 1: 4, 0: 1}
    assert list(zones.index[zones.level == 1]) == ["XS01", "XS02", "XS03", "XS04"]
    assert (zones.parent[zones.level == 2] == zones.index[zones.level == 2].str[:4]).all()
    assert (zones.parent[zones.level == 1] == "XSA").all()
    assert zones.name.is_unique


def test_districts_touch_without_gap_or_overlap(zones: gpd.GeoDataFrame) -> None:
    districts = zones.geometry[zones.level == 2].to_numpy()
    assert shapely.is_valid(districts).all()
    assert shapely.coverage_is_valid(districts, gap_width=1e-6)
    whole = shapely.union_all(districts)
    assert sum(len(part.interiors) for part in shapely.get_parts(whole)) == 0
    assert whole.area == pytest.approx(shapely.area(districts).sum(), rel=1e-12)


def test_parents_are_the_union_of_their_children(zones: gpd.GeoDataFrame) -> None:
    for code in zones.index[zones.level < 2]:
        children = shapely.union_all(zones.geometry[zones.parent == code].to_numpy())
        assert zones.geometry[code].symmetric_difference(children).area < 1e-12


def test_the_country_lies_where_no_other_does(zones: gpd.GeoDataFrame) -> None:
    west, south, east, north = zones.total_bounds
    assert 81 < west < CENTRE[0] < east < 83
    assert -9 < south < CENTRE[1] < north < -7


# -- files ------------------------------------------------------------------------------------------------------------


def test_items_collections_and_catalog_are_valid_stac(sample: Sample) -> None:
    validator = JsonSchemaSTACValidator()
    for _, item in items(sample):
        validator.validate_core(item, pystac.STACObjectType.ITEM, "1.1.0", None)
    for file in (sample.folder / "stac").glob("*/collection.json"):
        collection = json.loads(file.read_text(encoding="utf-8"))
        validator.validate_core(collection, pystac.STACObjectType.COLLECTION, "1.1.0", None)
    catalog = pystac.Catalog.from_file(str(sample.folder / "stac" / "catalog.json"))
    assert {item.id for item in catalog.get_items(recursive=True)} == {item["id"] for _, item in items(sample)}


def test_items_say_what_the_files_are(sample: Sample) -> None:
    for file, item in items(sample):
        for asset in item["assets"].values():
            path = file.parent / asset["href"]
            assert path.stat().st_size == asset["file:size"]
            with rasterio.open(path) as raster:
                assert raster.crs.to_string() == asset["proj:code"]
                assert list(raster.shape) == asset["proj:shape"]
                assert list(raster.transform)[:6] == asset["proj:transform"]
                assert (raster.dtypes[0], raster.nodata) == (asset["data_type"], asset.get("nodata"))
                assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_everything_says_that_it_is_synthetic(sample: Sample, official: pd.DataFrame) -> None:
    assert all(item["properties"]["geomon:synthetic"] for _, item in items(sample))
    for file in sample.folder.glob("*/**/collection.json"):
        collection = json.loads(file.read_text(encoding="utf-8"))
        assert "synthetic" in collection["title"]
        assert collection["geomon:synthetic"]
    assert all("synthetic" in note.lower() for note in official.note)
    assert all("fictional" in publisher for publisher in official.publisher)


def test_our_collections_find_the_items(sample: Sample, root: Path) -> None:
    catalog = Catalog.open(sample.workspace / "catalogs", root / "catalogs")
    count = {
        ("esa-worldcover", "map"): 15,
        ("jrc-gsw", "yearly"): 15,
        ("sentinel-1-rtc", "vv"): 3,
        ("sentinel-2-l2a", "scl"): 6,
        ("viirs-night-lights", "radiance"): 132,
        ("dmsp-night-lights", "lights"): 9,
        ("worldpop", "population"): 2,
    }
    found = {name: catalog.find(*name, None, None) for name in count}
    assert {name: len(scenes) for name, scenes in found.items()} == count
    assert [len(scene.granules) for scene in found["sentinel-1-rtc", "vv"]] == [2, 2, 2]
    red = catalog.find("sentinel-2-l2a", "red", None, None)
    assert [scene.granules[0].offset for scene in red] == [0.0, -0.1, -0.1, -0.1, -0.1, -0.1]
    assert [b.date for b in catalog.collection("esa-worldcover").breaks] == ["2021-01-01"]


# -- what the products show ------------------------------------------------------------------------------------------


def test_granules_of_one_overpass_agree_where_both_saw(sample: Sample) -> None:
    north = pixels(sample, "selvara-s1-20230814-n", "vv")
    south = pixels(sample, "selvara-s1-20230814-s", "vv")
    rows = Grids.of(SIZE).radar.height
    shared = len(north) + len(south) - rows
    above, below = north[-shared:], south[:shared]
    both = (above != -32768) & (below != -32768)
    assert both.sum() > 500
    assert np.array_equal(above[both], below[both])


def test_water_and_land_are_apart_in_radar(sample: Sample) -> None:
    power = pixels(sample, "selvara-s1-20230802-s", "vv")
    level = 10 * np.log10(power[power > 0])
    assert not ((level > -18) & (level < -15.5)).any()
    assert 0.1 < (level > -15.5).mean() < 0.9


def test_the_flood_is_dark_on_its_day_only(sample: Sample, truth: pd.DataFrame) -> None:
    before, day = (pixels(sample, f"selvara-s1-{d}-s", "vv") for d in ("20230802", "20230814"))
    drowned = (before > 0.02) & (day < 0.02) & (day > 0)
    expected = truth[(truth.quantity == "flood") & (truth.ref_area == "XSA")].value.iloc[0]
    assert drowned.sum() * Grids.of(SIZE).radar.step ** 2 / 1e6 == pytest.approx(expected, rel=0.03)


def test_old_optical_scenes_have_no_offset(sample: Sample) -> None:
    stored = {day: pixels(sample, f"selvara-s2-{day}", "red") for day in ("20210615", "20230605")}
    scene = {day: pixels(sample, f"selvara-s2-{day}", "scl") for day in stored}
    clear = (scene["20210615"] == 4) & (scene["20230605"] == 4)
    rise = stored["20230605"][clear].astype(float) - stored["20210615"][clear]
    assert np.median(rise) == pytest.approx(1000, abs=15)
    assert ((stored["20230605"] == 0) == (scene["20230605"] == 0)).all()


def test_lights_dip_below_zero_and_the_older_sensor_saturates(sample: Sample) -> None:
    light = pixels(sample, "selvara-viirs-2020-06", "avg-radiance")
    assert -1 < light[light > -1000].min() < 0 < light.max()
    assert pixels(sample, "selvara-dmsp-2013", "stable-lights").max() > 55


# -- truth ------------------------------------------------------------------------------------------------------------


def test_pixel_areas_are_those_of_the_ellipsoid() -> None:
    assert Lattice("EPSG:4326", 0.0, 1.0, 1.0, 1, 1).areas[0, 0] / 1e6 == pytest.approx(12_308.464, abs=1e-3)
    tile = Lattice(UTM, 600_000.0, 9_100_000.0, 1000.0, 1, 1)
    corners = Lattice(UTM, 599_500.0, 9_100_500.0, 1000.0, 2, 2).centres()
    ring = [(x, y) for x, y in zip(corners[0].ravel()[[0, 1, 3, 2]], corners[1].ravel()[[0, 1, 3, 2]], strict=True)]
    exact = abs(Geod(ellps="WGS84").geometry_area_perimeter(shapely.Polygon(ring))[0])
    assert tile.areas[0, 0] == pytest.approx(exact, rel=1e-6)


def test_truth_of_parents_is_the_sum_of_their_districts(truth: pd.DataFrame) -> None:
    whole = truth[truth.unit_measure.isin(["km2", "people", "nW cm-2 sr-1 km2"])].copy()
    whole["level"] = whole.ref_area.map(len).map({3: 0, 4: 1, 6: 2})
    sums = whole.groupby(["quantity", "time_period", "level"]).value.sum().unstack()
    np.testing.assert_allclose(sums[1], sums[2], rtol=1e-12)
    np.testing.assert_allclose(sums[0], sums[2], rtol=1e-12)


def test_there_are_gaps_and_one_district_was_hidden(truth: pd.DataFrame) -> None:
    forest = truth[truth.quantity == "forest share"].set_index(["ref_area", "time_period"]).seen
    assert forest["XS0205", "2019"] < 0.6
    assert (forest.xs("2019", level="time_period").drop("XS0205") > 0.6).all()
    water = truth[truth.quantity == "permanent water"].set_index(["ref_area", "time_period"]).seen
    assert water["XSA", "2011"] < 0.97
    assert water.max() == 1


def test_the_older_algorithm_sees_more_forest_than_there_is(truth: pd.DataFrame) -> None:
    forest = truth[(truth.quantity == "forest share") & (truth.ref_area == "XSA")].set_index("time_period")
    excess = forest.value - forest.world
    assert (excess[:"2020"] > 0.5).all()
    assert (excess["2021":] == 0).all()


def test_forest_is_cleared_and_the_reservoir_fills(truth: pd.DataFrame) -> None:
    world = truth.set_index(["quantity", "ref_area", "time_period"]).world
    assert world["forest share", "XS0303", "2010"] - world["forest share", "XS0303", "2024"] > 8
    assert world["permanent water", "XS0302", "2022"] > 3 * world["permanent water", "XS0302", "2012"]
    assert world["people", "XSA", "2020"] > world["people", "XSA", "2015"] > 1e6


@pytest.mark.parametrize(
    ("code", "span"),
    [("15.1.1", "2015/2022"), ("6.6.1", "2011/2014"), ("water-extent", FLOOD_DAY), ("night-lights", "2022/2023")],
)
def test_what_comes_out_is_the_truth_within_its_bounds(
    sample: Sample, truth: pd.DataFrame, root: Path, tmp_path: Path, code: str, span: str
) -> None:
    catalog = Catalog.open(sample.workspace / "catalogs", root / "catalogs")
    series = plan(registry.indicator(code), sample.zones, span, catalog=catalog, store=tmp_path).run().series
    series["quantity"] = [QUANTITIES[code, name] for name in series.series]
    found = series.merge(truth, on=["quantity", "ref_area", "time_period"], validate="one_to_one")
    assert len(found) == len(series) > 0
    given = found[found.obs_value.notna()]
    lower, upper = (given[side].fillna(given.obs_value) for side in ("lower", "upper"))
    room = given.slack + 1e-7 * given.value.abs() + 1e-9
    outside = given[(given.value < lower - room) | (given.value > upper + room)]
    assert outside.empty, outside[["quantity", "ref_area", "time_period", "lower", "value", "upper"]].to_string()
    exact = given[(given.seen == 1) & (given.slack == 0)]
    np.testing.assert_allclose(exact.obs_value, exact.value, rtol=1e-7, atol=1e-9)
    if code != "water-extent":  # flood is unseen also where the reference water is
        np.testing.assert_allclose(found.coverage, found.seen, atol=1e-6)


# -- official statistics -----------------------------------------------------------------------------------------------


def departure(official: pd.DataFrame, truth: pd.DataFrame, series: str, area: str) -> "pd.Series[float]":
    """Official minus true value, by year."""
    quantity = {"AG_LND_FRST": "forest share", "EN_LKRV_PWAN": "permanent water"}[series]
    said = official[(official.series == series) & (official.ref_area == area)].set_index("time_period").obs_value
    true = truth[(truth.quantity == quantity) & (truth.ref_area == area)].set_index("time_period").world
    return said - true.reindex(said.index)


def test_most_official_figures_are_near_the_truth(official: pd.DataFrame, truth: pd.DataFrame) -> None:
    touched = {area for planted in PLANTED if planted.series == "AG_LND_FRST" for area in planted.areas}
    areas = set(official[official.series == "AG_LND_FRST"].ref_area) - touched
    assert len(areas) >= 17
    for area in areas:
        assert departure(official, truth, "AG_LND_FRST", area).abs().max() < 1.2


def test_departures_are_planted_as_they_are_listed(sample: Sample, official: pd.DataFrame, truth: pd.DataFrame) -> None:
    listed = json.loads(sample.planted.read_text(encoding="utf-8"))
    assert listed == json.loads(json.dumps([asdict(planted) for planted in PLANTED]))
    level = departure(official, truth, "AG_LND_FRST", "XS0305")
    assert level.mean() == pytest.approx(9, abs=0.4)
    jump = departure(official, truth, "AG_LND_FRST", "XS01")
    assert jump[:"2015"].mean() == pytest.approx(0, abs=0.4)
    assert jump["2016":].mean() == pytest.approx(-8.5, abs=0.4)
    rise = official[(official.series == "AG_LND_FRST") & (official.ref_area == "XS0303")].obs_value
    np.testing.assert_allclose(np.diff(rise), 0.6, atol=0.011)
    water = official[(official.series == "EN_LKRV_PWAN") & (official.ref_area == "XS0203")]
    true = truth[(truth.quantity == "permanent water") & (truth.ref_area == "XS0203")].set_index("time_period").value
    ratio = water.set_index("time_period").obs_value / true
    assert ratio.dropna().between(95, 105).all()


def test_shares_stay_between_0_and_100(official: pd.DataFrame) -> None:
    assert official[official.unit_measure == "percent"].obs_value.between(0, 100).all()
    assert (official.obs_value >= 0).all()


def test_years_are_missing_where_they_are_listed(official: pd.DataFrame) -> None:
    assert "2013" not in set(official[official.series == "EN_LKRV_PWAN"].time_period)
    years = official[official.series == "AG_LND_FRST"].groupby("ref_area").time_period.agg(set)
    assert "2018" not in years["XS0402"]
    assert years["XS0403"] == {"2023", "2024"}


def test_one_district_counts_by_another_definition(official: pd.DataFrame) -> None:
    other = official[official.definition != AS_MEASURED]
    assert set(other.ref_area) == {"XS0204"}
    assert set(other.definition) == {"forest land by law, in the land register, with or without trees"}
