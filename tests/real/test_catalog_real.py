"""Our collections bound to real items: what is found, on which grids, and what the pixels add up to."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from geomon.errors import CatalogError
from geomon.period import Period
from geomon.sources.catalog import Catalog
from geomon.sources.reading import read
from geomon.sources.records import Scene

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]
SPAIN = (-0.79, 38.0, -0.73, 38.2)
NEIBA = ("2015", "2016", "2017", "2018", "2019")


@pytest.fixture
def catalog(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Our collections over the shared items."""
    monkeypatch.setenv("GEOMON_SHARED_DATA", str(shared_data))
    return Catalog.open(ROOT / "tests" / "real" / "workspace" / "catalogs", ROOT / "catalogs")


def whole(catalog: Catalog, collection: str, band: str, scene: Scene) -> np.ndarray:
    """All values of a scene of one granule."""
    (grid,) = catalog.grids([scene])
    window = grid.window(scene.granules[0].transform, scene.granules[0].shape)
    assert window is not None
    values, rows = read(scene, catalog.collection(collection).band(band), window)
    assert {(r.status, r.why) for r in rows} == {("ok", "")}
    return values


@pytest.mark.parametrize(
    ("collection", "band", "period", "labels"),
    [
        ("esa-worldcover", "", "2020/2021", ["2020", "2021"]),
        ("cgls-lc100", "", "2015/2019", list(NEIBA)),
        ("jrc-gsw", "yearly", "1984", ["1984"]),
        ("jrc-gsw", "monthly", "1984", ["1984-04"]),
        ("jrc-gsw", "seasonality", "2020", ["2020"]),
        ("jrc-gsw", "seasonality", "1984", []),
        ("jrc-gsw", "occurrence", "1999", ["static"]),
        ("viirs-night-lights", "", "2014", ["2014-01"]),
        ("viirs-night-lights", "", "1992", []),
        ("dmsp-night-lights", "", "1992/2014", ["1992"]),
        ("worldpop", "", "2020", ["static"]),
        ("sentinel-1-rtc", "vv", "2018/2019", ["2018-09-21", "2019-09-17"]),
        ("lcmap-hawaii", "", "2020", ["2020"]),
    ],
)
def test_dates_that_are_found(catalog: Catalog, collection: str, band: str, period: str, labels: list[str]) -> None:
    assert [s.label for s in catalog.find(collection, band, Period.of(period))] == labels


def test_two_islands_are_two_granules_of_one_date_on_one_lattice(catalog: Catalog) -> None:
    (scene,) = catalog.find("esa-worldcover", "", Period.of("2020"))
    assert [g.item for g in scene.granules] == ["worldcover-principe-2020", "worldcover-sao-tome-2020"]
    (grid,) = catalog.grids([scene])
    assert all(grid.window(g.transform, g.shape) for g in scene.granules)


def test_a_box_over_one_island_finds_one_granule(catalog: Catalog) -> None:
    (scene,) = catalog.find("esa-worldcover", "", Period.of("2020"), (7.3, 1.5, 7.4, 1.6))
    assert [g.item for g in scene.granules] == ["worldcover-principe-2020"]


@pytest.mark.parametrize("year", NEIBA)
def test_forest_pixels_of_lc100(catalog: Catalog, shared_data: Path, year: str) -> None:
    (scene,) = catalog.find("cgls-lc100", "", Period.of(year))
    values = whole(catalog, "cgls-lc100", "", scene)
    with rasterio.open(
        shared_data / f"collections/cgls-lc100-neiba/lc100-neiba-{year}/lc100-neiba-{year}-discrete.tif"
    ) as f:
        stored = f.read(1)
    legend = catalog.collection("cgls-lc100").band().legend
    assert legend
    forest, closed = np.isin(values, legend.groups["forest"]), np.isin(values, legend.groups["closed-forest"])
    np.testing.assert_array_equal(forest, (stored >= 111) & (stored <= 126))
    np.testing.assert_array_equal(closed, (stored >= 111) & (stored <= 116))


def test_no_observation_in_a_year_of_surface_water_is_unseen(catalog: Catalog, shared_data: Path) -> None:
    (scene,) = catalog.find("jrc-gsw", "yearly", Period.of("1984"))
    with rasterio.open(
        shared_data / "collections/jrc-gsw-manso/gsw-yearly-manso-1984/gsw-yearly-manso-1984-waterClass.tif"
    ) as f:
        stored = f.read(1)
    np.testing.assert_array_equal(np.isnan(whole(catalog, "jrc-gsw", "yearly", scene)), stored == 0)


def test_special_codes_of_the_change_layer(catalog: Catalog, shared_data: Path) -> None:
    with rasterio.open(
        shared_data / "collections/jrc-gsw-manso/gsw-aggregated-manso/gsw-aggregated-manso-change.tif"
    ) as f:
        stored = f.read(1).astype(float)
    (change,) = catalog.find("jrc-gsw", "change")
    expected = np.where(stored <= 200, stored - 100, np.nan)
    np.testing.assert_array_equal(whole(catalog, "jrc-gsw", "change", change), expected)
    (classes,) = catalog.find("jrc-gsw", "change-class")
    values = whole(catalog, "jrc-gsw", "change-class", classes)
    legend = catalog.collection("jrc-gsw").band("change-class").legend
    assert legend and not np.isnan(values).any()
    np.testing.assert_array_equal(np.isin(values, legend.groups["dry"]), stored == 253)


def test_night_lights_of_two_sensors_are_two_series(catalog: Catalog) -> None:
    (dmsp,) = catalog.find("dmsp-night-lights", "", Period.of("1992"))
    (viirs,) = catalog.find("viirs-night-lights", "", Period.of("2014-01"))
    assert np.nansum(whole(catalog, "dmsp-night-lights", "", dmsp)) == 590.0
    assert np.nansum(whole(catalog, "viirs-night-lights", "", viirs)) == pytest.approx(1074.42, abs=1e-3)


def test_people_of_the_whole_raster_and_where_nodata_is(catalog: Catalog, shared_data: Path) -> None:
    (scene,) = catalog.find("worldpop", "", Period.of("2020"))
    with rasterio.open(
        shared_data / "collections/worldpop-burundi/worldpop-bdi-1km/worldpop-bdi-1km-population.tif"
    ) as f:
        stored = f.read(1)
    values = whole(catalog, "worldpop", "", scene)
    assert np.nansum(values) == stored[stored != 65535].sum(dtype=np.int64)
    np.testing.assert_array_equal(np.isnan(values), stored == 65535)


def test_a_band_of_a_radar_chip_is_found_by_name(catalog: Catalog, shared_data: Path) -> None:
    with rasterio.open(shared_data / "collections/sen1floods11-chips/spain-7370579/s1.tif") as f:
        stored = f.read().astype(float)
    for i, name in enumerate(("vv", "vh")):
        (scene,) = catalog.find("sentinel-1-rtc", name, Period.of("2019"), SPAIN)
        np.testing.assert_array_equal(whole(catalog, "sentinel-1-rtc", name, scene), stored[i])


def test_sinusoidal_and_albers_grids_are_native(catalog: Catalog) -> None:
    ndvi = catalog.find("mod13q1", "", Period.of("2013/2014"))
    assert len(ndvi) == 12 and catalog.grids(ndvi)[0].crs.startswith("PROJ")
    values = whole(catalog, "mod13q1", "", ndvi[0])
    assert 0.0 < np.nanmin(values) < np.nanmax(values) < 1.0
    (cover,) = catalog.find("lcmap-hawaii", "", Period.of("2020"))
    assert catalog.grids([cover])[0].dx == 30.0 and not catalog.grids([cover])[0].crs.startswith("EPSG")


def test_every_item_lies_where_its_file_does(shared_data: Path) -> None:
    """All items that geomon could be bound to, and not only those that it is."""
    checked = 0
    for file in (shared_data / "collections").glob("*/*/*.json"):
        for name, asset in json.loads(file.read_text(encoding="utf-8"))["assets"].items():
            if "proj:transform" not in asset or not asset["href"].endswith(".tif"):
                continue
            with rasterio.open(file.parent / asset["href"]) as f:
                assert list(f.shape) == asset["proj:shape"], (file, name)
                np.testing.assert_allclose(tuple(f.transform)[:6], asset["proj:transform"][:6], rtol=1e-9)
            checked += 1
    assert checked > 100


def test_an_empty_search_names_the_years_there_are(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match=r"for 2023; it has '2015', '2016', '2017', '2018', '2019'"):
        catalog.find("cgls-lc100", "", Period.of("2023"), required=True)


def test_features_of_a_real_vector_collection(catalog: Catalog, shared_data: Path) -> None:
    from geomon.sources.documents import record

    document = {
        "id": "admin",
        "geomon:kind": "features",
        "geomon:origins": [
            {
                "type": "static",
                "href": str(shared_data / "collections/admin-boundaries/collection.json"),
                "collection": "admin-boundaries",
            }
        ],
    }
    known = catalog.with_collection(record(document, ROOT / "admin.json"))
    found = known.features("admin", (6.4, -0.1, 7.5, 1.8))
    assert found.crs == "EPSG:4326" and {"ocha-wca-adm1"} <= set(found["item"])
