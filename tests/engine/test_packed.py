"""Composites straight from stored numbers are those of a cube of floats, and keep what was not seen unseen."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import geomon
from geomon import Indicator, Layer, Output, Source, classes, mean, normalized_difference, packed, rate
from geomon.composite import Images
from geomon.errors import DefinitionError
from geomon.grid import Floats, Grid, Window
from geomon.pipeline import Run, plan
from geomon.sources.catalog import Catalog
from geomon.sources.documents import record
from geomon.stats import composite
from geomon.stats.composite import Mask, Stack, network
from geomon.testing import checks
from geomon.testing.invent import invent
from geomon.zones import Zone, Zones
from tests.engine.made import tif

HERE = Window(Grid("EPSG:32633", 0, 0, 10, 10), 0, 1, 0, 3)


def stack(*dates: Any, dtype: str = "u2", missing: float = 0, scale: float = 1.0, offset: float = 0.0) -> Stack:
    """Dates of a band, each a row of pixels."""
    stored = np.array(dates, dtype)[:, None]
    return Stack(stored, np.full(len(dates), scale), np.full(len(dates), offset), missing)


def mask(*dates: Any, clear: tuple[int, ...]) -> Mask:
    """Codes of a row of pixels on each date."""
    codes = np.array(dates, "u1")[:, None]
    return Mask(codes, np.isin(np.arange(256), clear), np.zeros(1, int), np.arange(codes.shape[2]))


def images(name: str, of: Stack, **facts: Any) -> Images:
    """A band as a kernel gets it."""
    dates = tuple(f"2020-01-{n + 1:02d}" for n in range(len(of.stored)))
    return Images(name=name, window=HERE, stack=of, dates=dates, **facts)


def cube(of: Stack, hidden: NDArray[np.bool_]) -> Floats:
    """What a stack and a mask mean, as floats."""
    values = of.stored.astype(float) * of.scale[:, None, None] + of.offset[:, None, None]
    return np.where((of.stored == of.missing) | hidden | ~np.isfinite(values), np.nan, values)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Stack, Stack, Mask, NDArray[np.bool_]]:
    """Two bands with gaps, a quality band of cells twice as large, and where that hides them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dates, height, width = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.sampled_from([1, 7, 64, 65, 140]))
    dtype, most = draw(st.sampled_from([("u2", 60_000), ("u2", 4), ("f8", 10)]))
    scale, offset = np.full(dates, 1e-4), rng.choice([0.0, -0.1], dates)
    bands = []
    for _ in range(2):
        stored = rng.integers(0, most, (dates, height, width)).astype(dtype)
        missing = 0.0
        if dtype == "f8":
            stored[rng.random(stored.shape) < 0.2], missing = np.nan, np.nan
        bands.append(Stack(stored, scale, offset, missing))
    codes = rng.integers(0, 6, (dates, height // 2 + 1, width // 2 + 1)).astype("u1")
    clear = np.isin(np.arange(256), rng.integers(0, 6, 3))
    rows, columns = np.arange(height) // 2, np.arange(width) // 2
    hidden = ~clear[codes][:, rows[:, None], columns]
    return bands[0], bands[1], Mask(codes, clear, rows, columns), hidden


@settings(max_examples=60)
@given(scenes())
@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:Mean of empty slice", "ignore:invalid value")
def test_statistics_are_those_of_the_float_cube(of: tuple[Stack, Stack, Mask, NDArray[np.bool_]]) -> None:
    a, b, quality, hidden = of
    x, y = cube(a, hidden), cube(b, hidden)
    with np.errstate(invalid="ignore", divide="ignore"):
        index = np.where(x + y > 0, (x - y) / (x + y), np.nan)
    for values, second in ((x, None), (index, b)):
        seen = np.isfinite(values)
        np.testing.assert_array_equal(composite.median(a, second, quality), np.nanmedian(values, axis=0))
        np.testing.assert_allclose(composite.mean(a, second, quality), np.nanmean(values, axis=0), rtol=1e-12)
        np.testing.assert_array_equal(composite.count(a, second, quality), seen.sum(axis=0))
        ever, low = seen.any(axis=0), np.where(seen, values, -np.inf)
        np.testing.assert_array_equal(composite.greatest(a, second, quality), np.where(ever, low.argmax(axis=0), -1))
        np.testing.assert_array_equal(composite.first(a, second, quality), np.where(ever, seen.argmax(axis=0), -1))
        last = len(seen) - 1 - seen[::-1].argmax(axis=0)
        np.testing.assert_array_equal(composite.last(a, second, quality), np.where(ever, last, -1))
    np.testing.assert_array_equal(composite.dates_seen(a), np.isfinite(cube(a, hidden & False)).sum(axis=0))


@pytest.mark.parametrize("n", range(1, 40))
def test_the_network_sorts_as_far_as_a_median_needs(n: int) -> None:
    """The zero-one principle: what orders zeros and ones orders everything."""
    for zeros in range(n + 1):
        numbers = np.random.default_rng(n + zeros).permuted(np.arange(n) >= zeros)
        for i, j in network(n):
            numbers[i], numbers[j] = min(numbers[i], numbers[j]), max(numbers[i], numbers[j])
        half = n // 2 + 1
        np.testing.assert_array_equal(numbers[:half], np.sort(numbers)[:half])


def test_an_index_of_unsigned_numbers_does_not_wrap() -> None:
    np.testing.assert_allclose(composite.median(stack([100]), stack([300])), [[-0.5]])


def test_an_even_number_of_dates_has_the_mean_of_the_middle_two() -> None:
    np.testing.assert_array_equal(composite.median(stack([4], [1], [9], [2])), [[3.0]])


def test_code_zero_is_hidden_unless_it_is_said_to_be_clear() -> None:
    band, codes = stack([1, 1], [5, 5]), ([0, 4], [4, 4])
    np.testing.assert_array_equal(composite.median(band, mask=mask(*codes, clear=(4,))), [[5.0, 3.0]])
    np.testing.assert_array_equal(composite.median(band, mask=mask(*codes, clear=(0, 4))), [[3.0, 3.0]])


def test_what_the_quality_band_did_not_see_is_not_clear() -> None:
    """A float cube turns it into NaN, of which ~isin says that it is no cloud."""
    scl = images("scl", stack([0, 9, 4], [0, 4, 4], dtype="u1"))
    red = images("red", stack([1, 1, 1], [3, 3, 3]))
    np.testing.assert_array_equal(red.where(~scl.isin([9])).median(), [[np.nan, 3.0, 2.0]])
    np.testing.assert_array_equal(red.where(scl.isin([0, 4])).median(), [[np.nan, 3.0, 2.0]])


def test_a_count_is_zero_where_it_was_cloudy_and_unseen_where_nothing_was_seen() -> None:
    scl = images("scl", stack([0, 9, 4], [0, 9, 4], dtype="u1"))
    counted = scl.isin([4]).sum("time")
    np.testing.assert_array_equal(counted, [[0.0, 0.0, 2.0]])
    np.testing.assert_array_equal(counted.coords["seen_scl"], [[0.0, 1.0, 1.0]])


def test_dates_are_days() -> None:
    scl, red = images("scl", stack([9, 4, 9], [4, 4, 9], dtype="u1")), images("red", stack([1, 1, 1], [3, 3, 3]))
    day = np.datetime64("2020-01-01").astype(float)
    clear = red.where(scl.isin([4]))
    np.testing.assert_array_equal(geomon.first_date(clear), [[day + 1, day, np.nan]])
    np.testing.assert_array_equal(geomon.last_date(clear), [[day + 1, day + 1, np.nan]])


def test_a_maximum_composite_takes_all_bands_of_one_date() -> None:
    red, nir = images("red", stack([1, 4, 2], [2, 1, 2])), images("nir", stack([3, 4, 0], [9, 9, 0]))
    made = geomon.at_maximum({"red": red, "nir": nir}, normalized_difference(nir, red))
    np.testing.assert_array_equal(made["red"], [[2.0, 1.0, np.nan]])
    np.testing.assert_array_equal(made["nir"], [[9.0, 9.0, np.nan]])


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 7), st.integers(1, 4))
def test_a_medoid_is_nearest_to_all_others_and_a_geometric_median_nearer(seed: int, dates: int, bands: int) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, 12, (bands, dates, 1, 5)).astype("u2")
    stacks = [Stack(s, np.ones(dates), np.zeros(dates), 0) for s in stored]
    which, middle = composite.medoid(stacks), composite.geometric_median(stacks)
    for x in range(5):
        points = stored[:, (stored[:, :, 0, x] > 0).all(axis=0), 0, x].T.astype(float)
        if not len(points):
            assert which[0, x] == -1 and np.isnan(middle[:, 0, x]).all()
            continue

        def far(place: Floats, points: Floats = points) -> float:
            return float(np.linalg.norm(points - place, axis=1).sum())

        sums = [far(p) for p in points]
        assert far(stored[:, which[0, x], 0, x].astype(float)) == pytest.approx(min(sums))
        best = far(middle[:, 0, x])
        assert best <= min(sums) + 1e-6
        steps = rng.normal(0, 1, (50, bands))
        assert best <= min(far(middle[:, 0, x] + size * s) for s in steps for size in (1e-3, 1e-1, 1.0)) + 1e-6


def test_of_two_dates_the_geometric_median_is_the_mean() -> None:
    made = composite.geometric_median([stack([2], [4]), stack([1], [5])])
    np.testing.assert_allclose(made[:, 0, 0], [3.0, 3.0])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda red, scl: red - scl, "know no arithmetic but normalized_difference"),
        (lambda red, scl: red.where(red), "mask it with classes"),
        (lambda red, scl: red.median("x"), "'time', not 'x'"),
        (lambda red, scl: red.isin([1]) & scl.isin([1]), "do not join"),
        (lambda red, scl: geomon.medoid({}), "no bands"),
        (lambda red, scl: normalized_difference(red, images("late", stack([1, 1, 1]))).median(), "not the same ones"),
    ],
)
def test_what_packed_dates_cannot_do_is_said(what: Callable[[Images, Images], Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        what(images("red", stack([1, 1, 1], [2, 2, 2])), images("scl", stack([1, 1, 1], [1, 1, 1], dtype="u1")))


def plain(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> xr.DataArray:
    """Median NDVI of clear dates."""
    return normalized_difference(nir, red).where(classes(scl, "clear")).median("time")


@packed
def straight(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> xr.DataArray:
    """The same from stored numbers."""
    return normalized_difference(nir, red).where(classes(scl, "clear")).median("time")


def measure(ndvi: xr.DataArray) -> dict[str, Any]:
    """Greenness."""
    return {"green": rate(ndvi, "1")}


def greenness(kernel: Callable[..., Any], margin: str = "0 px", measure: Callable[..., Any] = measure) -> Indicator:
    """A definition that differs in its kernel only."""
    bands = {b: Source("made", b, window="period") for b in ("red", "nir", "scl")}
    return Indicator(
        code="greenness",
        title="Median greenness of clear pixels",
        sources={"ndvi": Layer(kernel, bands, kind="rate", margin=margin)},
        grid="ndvi",
        measure=measure,
        outputs={"ndvi": Output(mean("green"), "1")},
        minimum_coverage=0.0,
    )


def test_only_the_kernel_of_a_layer_is_packed() -> None:
    with pytest.raises(DefinitionError, match="a measure cannot be @packed"):
        greenness(plain, measure=packed(lambda ndvi: {"green": rate(ndvi, "1")}))


SIZE, WEST, NORTH = 80, 500_000.0, 5_400_000.0


def files(folder: Path, quality: str = "EPSG:32633", step: float = 20.0) -> Catalog:
    """Five dates of two bands at 10 m and a quality band, with gaps in each; one date has an offset."""
    rng = np.random.default_rng(1)
    west, north, cells = (WEST, NORTH, int(SIZE * 10 / step)) if quality == "EPSG:32633" else (14.99, 48.77, 300)
    size = step if quality == "EPSG:32633" else 1e-4
    for n in range(5):
        for band in ("red", "nir"):
            stored = rng.integers(0, 5000, (SIZE, SIZE)).astype("u2")
            stored[rng.random(stored.shape) < 0.1], stored[:6] = 0, 0
            place = (10.0, 0.0, WEST, 0.0, -10.0, NORTH)
            facts = {"scale": 1e-4, "offset": -0.1} if n == 3 else {"scale": 1e-4}
            tif(folder / f"{band}-2020-0{n + 1}-01.tif", stored, transform=place, crs="EPSG:32633", nodata=0, **facts)
        codes = rng.choice([0, 4, 5, 9], (cells, cells), p=[0.1, 0.3, 0.3, 0.3]).astype("u1")
        codes[:, :4] = 9  # never clear
        place = (size, 0.0, west, 0.0, -size, north)
        tif(folder / f"scl-2020-0{n + 1}-01.tif", codes, transform=place, crs=quality, nodata=0)
    groups: Mapping[int, list[str]] = {4: ["clear"], 5: ["clear"]}
    classes_ = [{"value": c, "name": f"class-{c}", "groups": groups.get(c, [])} for c in (4, 5, 9)]
    reflectance = {"kind": "rate", "unit": "1", "scale": 1e-4, "nodata": 0}
    document = {
        "id": "made",
        "geomon:main": "red",
        "geomon:bands": {
            "red": reflectance,
            "nir": reflectance,
            "scl": {"kind": "class", "nodata": 0, "classes": classes_},
        },
        "geomon:origins": [
            {"type": "folder", "href": str(folder), "assets": {b: f"{b}-{{date}}.tif" for b in ("red", "nir", "scl")}}
        ],
    }
    return Catalog((record(document, folder / "collection.json"),))


def ran(kernel: Callable[..., Any], catalog: Catalog, block: int = 64, **more: Any) -> Run:
    """Over two zones."""
    middle, east, south = WEST + 333, WEST + SIDE, NORTH - SIDE
    shapes = {"A": shapely.box(WEST + 3, south, middle, NORTH), "B": shapely.box(middle, south + 55, east, NORTH)}
    zones = Zones(tuple(Zone(c, c, "", g) for c, g in shapes.items()), "EPSG:32633")
    return plan(greenness(kernel, **more), zones, "2020", catalog=catalog, block=block).run()


SIDE = SIZE * 10.0


def assert_same(one: Run, other: Run) -> None:
    """Totals, coverage and dates."""
    assert one.totals is not None and other.totals is not None
    assert float(one.totals["unseen"].sum()) > 0 and np.isfinite(one.series.obs_value).all()
    xr.testing.assert_allclose(one.totals, other.totals, rtol=1e-12)
    np.testing.assert_array_equal(one.series.n_obs, other.series.n_obs)
    np.testing.assert_allclose(one.series.coverage, other.series.coverage, rtol=1e-12)


@pytest.mark.parametrize("step", [10.0, 20.0, 15.0])
def test_a_packed_definition_gives_the_numbers_of_the_plain_one(tmp_path: Path, step: float) -> None:
    catalog = files(tmp_path, step=step)
    assert_same(ran(straight, catalog), ran(plain, catalog))


def test_so_it_does_with_a_quality_band_in_another_crs_and_with_a_margin(tmp_path: Path) -> None:
    catalog = files(tmp_path, "EPSG:4326")
    assert_same(ran(straight, catalog, margin="3 px"), ran(plain, catalog, margin="3 px"))


@packed
def greenest(red: Any, nir: Any, scl: Any) -> dict[str, xr.DataArray]:
    """Both bands on the greenest clear date."""
    return geomon.at_maximum({"red": red, "nir": nir}, normalized_difference(nir, red).where(classes(scl, "clear")))


def greenest_of_floats(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> dict[str, xr.DataArray]:
    """The same with a cube."""
    index = normalized_difference(nir, red).where(classes(scl, "clear"))
    best = index.fillna(-np.inf).argmax("time")
    return {n: b.isel(time=best).where(index.notnull().any("time")) for n, b in (("red", red), ("nir", nir))}


def measure_parts(ndvi: dict[str, xr.DataArray]) -> dict[str, Any]:
    """Reflectance of each band."""
    return {"green": rate(ndvi["nir"], "1"), "red": rate(ndvi["red"], "1")}


def test_a_composite_of_several_bands_reaches_the_measure_in_parts(tmp_path: Path) -> None:
    catalog = files(tmp_path)
    one, other = (ran(k, catalog, measure=measure_parts) for k in (greenest, greenest_of_floats))
    assert_same(one, other)


def test_no_cube_of_floats_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = files(tmp_path)

    def refuse(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("geomon.supply.Supply.decoded", refuse)
    assert ran(straight, catalog).series.n_obs.gt(0).all()
    with pytest.raises(Exception, match="decoded"):
        ran(plain, catalog)


def test_a_packed_definition_keeps_the_contract(tmp_path: Path) -> None:
    trial = invent(greenness(straight), known=files(tmp_path))
    for check in (checks.blocking, checks.order, checks.units, checks.pickling):
        check(trial)
