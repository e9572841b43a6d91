"""Several grids in one run, the antimeridian and the poles: all ground is counted once, and with its area."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shapely.geometry import MultiPolygon, Polygon, box

from geomon import Indicator, Layer, Output, Shapes, Source, Survey, amount, area, classes, rate
from geomon.grid import Floats, Grid, Window, areal_scale, both_sides, true_area
from geomon.panels.map import picture
from geomon.pipeline import Plan, plan, search_box
from geomon.sources import origins
from geomon.store import Store
from geomon.testing import Raster, World, features, raster, window
from geomon.zones import Zone, Zones
from geomon.zones.parting import part

GEOD = pyproj.Geod(ellps="WGS84")
DEGREES = "EPSG:4326"
UTM_31, UTM_32, UTM_33, UTM_60, UTM_1 = "EPSG:32631", "EPSG:32632", "EPSG:32633", "EPSG:32760", "EPSG:32701"
NORTH_POLE, SOUTH_POLE = "EPSG:3413", "EPSG:3031"
GROUPS = {"forest": (1,), "water": (3,)}
Field = Callable[[Floats, Floats], Floats]


FIJI = MultiPolygon([box(178.5, -18, 180, -16.5), box(-180, -18, -179.5, -16.5)])


def zones(*shapes: Any, crs: str = DEGREES) -> Zones:
    """Zones A, B, ..."""
    return Zones(tuple(Zone(chr(65 + n), geometry=shape) for n, shape in enumerate(shapes)), crs)


def around(crs: str, lon: float, lat: float, cell: float, cells: tuple[int, int]) -> Window:
    """Rows and columns of a grid about a place."""
    x, y = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True).transform(lon, lat)
    west, north = (round(v / cell) * cell for v in (x - cells[1] * cell / 2, y + cells[0] * cell / 2))
    return window(crs, west, north, cell, cells)


def places(where: Window) -> tuple[Floats, Floats]:
    """Longitude and latitude of the middles of all cells."""
    x, y = np.meshgrid(*reversed(where.centres))
    lon, lat = pyproj.Transformer.from_crs(where.grid.crs, DEGREES, always_xy=True).transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def of(name: str, where: Window, field: Field, **facts: Any) -> Raster:
    """A raster of a field of longitude and latitude."""
    facts = {"kind": "rate", **facts}
    days = facts.pop("days", ("2020",))
    return raster(name, where, {day: field(*places(where)) for day in days}, **facts)


def one(lon: Floats, lat: Floats) -> Floats:
    """The same everywhere."""
    return np.ones_like(lon)


def cover(*where: Window, field: Field = one) -> World:
    """Land cover on several windows."""
    return World(tuple(of("cover", w, field, kind="class", groups=GROUPS) for w in where))


def geodesic(shape: Any) -> float:
    """Square metres of a polygon whose edges are straight in degrees: not the way of the engine."""
    total_ = 0.0
    for piece in shapely.get_parts(shapely.segmentize(shape, 0.005)):
        rings = [piece.exterior, *piece.interiors]
        areas = [abs(GEOD.polygon_area_perimeter(*np.asarray(r.coords).T)[0]) for r in rings]
        total_ += areas[0] - sum(areas[1:])
    return total_


def measure(cover: xr.DataArray) -> dict:
    """Forest, and all that was seen."""
    return {"forest": classes(cover, "forest"), "seen_ground": area(xr.ones_like(cover)).by(kind=cover)}


def ground(totals: xr.Dataset) -> xr.DataArray:
    """What was seen."""
    return totals.seen.isel(quantity=0, drop=True)


def indicator(measure: Callable[..., dict], sources: Mapping[str, Any], **more: Any) -> Indicator:
    """A definition whose totals matter, not its output; the first source is the grid."""
    return Indicator(
        code="toy-grids",
        title="Several grids",
        freq="A",
        sources=dict(sources),
        grid=next(iter(sources)),
        measure=measure,
        outputs={"seen": Output(ground, "m2")},
        **more,
    )


FOREST = indicator(measure, {"cover": Source("cover")}, map="forest")


def planned(what: Indicator, where: Zones, world: World, **more: Any) -> Plan:
    """A plan of 2020 in small blocks."""
    return plan(what, where, ("2020",), catalog=world, **{"block": 128, **more})


def sums(made: Plan) -> dict[tuple[str, str, str], float]:
    """What was summed, by kind of row, quantity and zone; keys are added up."""
    out: dict[tuple[str, str, str], float] = {}
    for row in made.run(workers=2).sums:
        out[row.what, row.quantity, row.zone] = out.get((row.what, row.quantity, row.zone), 0.0) + row.number
    return out


# --- How ground is parted

WEST, EAST = around(UTM_32, 11.9, 47.35, 200, (300, 400)), around(UTM_33, 12.1, 47.35, 200, (300, 400))
BORDER = box(11.8, 47.25, 12.2, 47.45)


ENDS = tuple(window(DEGREES, west, -16, 0.01, (250, 200)) for west in (178.0, -180.0))


def pieces(where: Zones, *windows: Window) -> dict[str, Zones]:
    """The ground of zone A on each grid, in degrees."""
    footing: dict[Grid, list[Window]] = {}
    for w in windows:
        footing.setdefault(w.grid, []).append(w)
    return {g.crs: Zones(zs, g.crs).to_crs(DEGREES) for g, zs in part(where, footing).items()}


def test_ground_belongs_to_the_utm_zone_that_is_made_for_it() -> None:
    found = pieces(zones(BORDER), WEST, EAST)
    assert found[UTM_32].bounds_lonlat == pytest.approx((11.8, 47.25, 12.0, 47.45), abs=1e-7)
    assert found[UTM_33].bounds_lonlat == pytest.approx((12.0, 47.25, 12.2, 47.45), abs=1e-7)


def test_in_norway_ground_belongs_to_the_zone_that_has_granules_there() -> None:
    """Zone 32 is widened to 3 degrees there (MGRS 32V): 31 ends at 3, and has nothing between 3 and 6."""
    wide = around(UTM_32, 5.0, 60.5, 500, (300, 400))
    found = pieces(zones(box(4, 60.2, 7, 60.6)), wide, around(UTM_31, 2.0, 60.5, 500, (300, 250)))
    assert found[UTM_32].bounds_lonlat[0] == pytest.approx(4.0, abs=0.4)
    assert set(pieces(zones(box(4.5, 60.2, 7, 60.6)), wide, around(UTM_31, 2.0, 60.5, 500, (300, 200)))) == {UTM_32}


def test_ground_without_granules_of_its_own_grid_goes_to_the_neighbour_and_what_nobody_has_to_the_nearest() -> None:
    short = around(UTM_33, 12.45, 47.35, 200, (300, 100))  # begins at 12.3
    found = pieces(zones(box(11.8, 47.25, 12.5, 47.45)), WEST, short)
    edge = found[UTM_32].bounds_lonlat[2]
    assert 12.2 < edge < 12.5
    found = pieces(zones(box(11.8, 46.2, 12.5, 46.4)), WEST, EAST)
    assert found[UTM_32].bounds_lonlat[2] == pytest.approx(12.0, abs=1e-7)


def test_two_lattices_of_one_crs_share_their_overlap_out_once() -> None:
    shifted = window(UTM_32, WEST.bounds[0] + 33, WEST.bounds[3], 200, WEST.shape)
    fine = window(UTM_32, WEST.bounds[0] + 10_000, WEST.bounds[3], 100, (600, 300))
    shape = Zones((Zone("A", geometry=box(*WEST.bounds).buffer(-1000)),), UTM_32)
    found = part(shape, {w.grid: [w] for w in (WEST, shifted, fine)})
    inside = {g.dx: sum(z.geometry.area for z in zs if z.geometry) for g, zs in found.items()}
    assert inside[100.0] == pytest.approx(box(*fine.bounds).intersection(shape.zones[0].geometry).area, rel=1e-5)
    assert sum(z.geometry.area for zs in found.values() for z in zs if z.geometry) == pytest.approx(
        shape.zones[0].geometry.area,
        rel=1e-8,  # type: ignore[union-attr]
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(11.2, 12.8), st.floats(47.0, 47.7)), min_size=3, max_size=7))
def test_pieces_are_the_whole_and_share_nothing(corners: list[tuple[float, float]]) -> None:
    shape = shapely.MultiPoint(corners).convex_hull
    if shape.area < 1e-4:
        return
    found = pieces(zones(shape), WEST, EAST)
    shapes = [z.zones[0].geometry for z in found.values()]
    ground = [true_area(s, DEGREES) for s in shapes if s is not None]
    assert sum(ground) == pytest.approx(true_area(shape, DEGREES), rel=1e-6)
    shared = shapely.intersection_all(shapes) if len(shapes) > 1 else Polygon()
    assert shared.area < 1e-7 * shape.length, "not a hand's breadth along the cut"


# --- Runs over several grids


def test_a_run_over_two_utm_zones_counts_all_ground_once() -> None:
    shapes = (BORDER, box(11.7, 47.2, 11.8, 47.4), box(12.2, 47.2, 12.35, 47.4))
    both = sums(planned(FOREST, zones(*shapes), cover(WEST, EAST)))
    for code, shape in zip("ABC", shapes, strict=True):
        assert both["total", "forest", code] == pytest.approx(geodesic(shape), rel=1e-6), code
        assert both["unseen", "forest", code] == pytest.approx(0, abs=1)


def test_one_grid_and_two_say_the_same() -> None:
    wide = around(UTM_32, 12.0, 47.35, 200, (300, 600))
    alone = sums(planned(FOREST, zones(BORDER), cover(wide)))
    both = sums(planned(FOREST, zones(BORDER), cover(wide, EAST)))
    assert both["seen", "forest", "A"] == pytest.approx(alone["seen", "forest", "A"], rel=1e-7)
    assert len({t.window.grid for t in planned(FOREST, zones(BORDER), cover(wide, EAST)).tasks}) == 2


def test_classes_by_longitude_have_their_areas() -> None:
    """The line between the classes lies east of the cut: cells of 200 m are told apart by their middles."""
    world = cover(WEST, EAST, field=lambda lon, lat: np.where(lon < 12.05, 1.0, 2.0))
    found = sums(planned(FOREST, zones(BORDER), world))
    forest = geodesic(box(11.8, 47.25, 12.05, 47.45))
    assert found["total", "forest", "A"] == pytest.approx(forest, rel=2e-3)
    assert found["total", "seen_ground", "A"] == pytest.approx(geodesic(BORDER), rel=1e-6)


def test_another_blocking_gives_the_same_over_two_grids() -> None:
    world = cover(WEST, EAST, field=lambda lon, lat: np.where(np.sin(lon * 200) > lat - 47.3, 1.0, 2.0))
    one_, two = (sums(planned(FOREST, zones(BORDER), world, block=b)) for b in (64, 77))
    assert one_ == pytest.approx(two, rel=1e-12)


def test_ground_that_no_grid_saw_is_unseen_once() -> None:
    shape = box(11.8, 47.25, 12.2, 48.0)  # the rasters end at 47.6
    found = sums(planned(FOREST, zones(shape), cover(WEST, EAST)))
    whole = found["seen", "forest", "A"] + found["unseen", "forest", "A"]
    assert whole == pytest.approx(geodesic(shape), rel=1e-6)
    assert found["unseen", "forest", "A"] == pytest.approx(geodesic(box(11.8, 47.62, 12.2, 48.0)), rel=0.05)


def test_two_lattices_of_one_crs_keep_their_blocks_apart(tmp_path: Any) -> None:
    east = window(UTM_32, WEST.bounds[0] + 20_033, WEST.bounds[3], 200, WEST.shape)
    west = window(UTM_32, WEST.bounds[0], WEST.bounds[3], 200, (300, 105))
    shape = box(west.bounds[0] + 2000, west.bounds[1] + 2000, east.bounds[2] - 2000, east.bounds[3] - 2000)
    made = planned(FOREST, zones(shape, crs=UTM_32), cover(west, east), store=tmp_path, block=512)
    assert len({t.key for t in made.tasks}) == len(made.tasks)
    assert {t.key.partition("--")[0] for t in made.tasks} == {"measure-32632", "measure-32632-2"}
    assert sums(made)["total", "forest", "A"] == pytest.approx(true_area(shape, UTM_32), rel=1e-6)
    assert list(Store(tmp_path).runs()[0].maps) == ["2020 32632", "2020 32632-2"]


def test_zones_in_metres_are_parted_too() -> None:
    shape = Polygon([(700_000, 5_240_000), (760_000, 5_245_000), (730_000, 5_262_000)])
    found = sums(planned(FOREST, zones(shape, crs=UTM_32), cover(WEST, EAST)))
    assert found["total", "forest", "A"] == pytest.approx(true_area(shape, UTM_32), rel=1e-6)


def test_the_ledger_of_two_grids_is_proved_against_the_whole_zone() -> None:
    run = planned(FOREST, zones(BORDER), cover(WEST, EAST)).run(workers=2)
    book = run.ledger.iloc[0]
    assert book.polygon == true_area(BORDER, DEGREES)
    assert book.allowed < 2e-6


def test_zones_on_one_of_two_grids_are_measured_in_its_metres() -> None:
    run = planned(FOREST, zones(box(12.05, 47.25, 12.2, 47.45)), cover(WEST, EAST)).run(workers=2)
    assert {t.window.grid.crs for t in run.plan.tasks} == {UTM_33}
    assert run.ledger.iloc[0].allowed < 2e-6


def test_a_hole_in_one_grid_is_filled_from_the_other() -> None:
    """Ground of zone 33 that its own granule has not seen, and that of zone 32 has."""

    def hollow(lon: Floats, lat: Floats) -> Floats:
        return np.where((lon > 12.05) & (lon < 12.1), np.nan, 1.0)

    wide = around(UTM_32, 12.0, 47.35, 200, (300, 600))
    world = World((*cover(wide).rasters, *cover(EAST, field=hollow).rasters))
    found = sums(planned(FOREST, zones(BORDER), world))
    assert found["total", "forest", "A"] == pytest.approx(geodesic(BORDER), rel=1e-6)
    assert found["unseen", "forest", "A"] == 0


def test_a_date_that_one_grid_lacks_is_filled_from_the_other() -> None:
    """Not only ground that no date has seen."""

    def mean(heat: xr.DataArray) -> dict:
        return {"heat": rate(heat.mean("time"), "K")}

    wide = around(UTM_32, 12.0, 47.35, 200, (300, 600))
    own, other = (
        raster("heat", w, {f"2020-0{m}-01": np.full(w.shape, v) for m, v in dates.items()}, kind="rate", unit="K")
        for w, dates in ((EAST, {1: 10.0, 2: np.nan}), (wide, {1: 10.0, 2: 20.0}))
    )
    what = indicator(mean, {"heat": Source("heat", window="period")})
    run = planned(what, zones(box(12.05, 47.3, 12.15, 47.4)), World((own, other))).run(workers=2)
    found = {row.what: row.number for row in run.sums}
    assert found["total"] / found["seen"] == pytest.approx(15)
    assert {row.keys[0][1] for row in run.sums if row.what == "dates"} == {2.0}


def smooth(rates: xr.DataArray) -> xr.DataArray:
    """The mean of a square of 11 x 11 cells, missing where it is not whole."""
    return rates.rolling(y=11, x=11, center=True).mean()


def mean_rate(smooth: xr.DataArray) -> dict:
    """A rate, and the ground on which it was seen."""
    return {"heat": rate(smooth, "K")}


def test_a_layer_reads_across_the_cut_what_the_other_grid_covers() -> None:
    """Both rasters end a little beyond the cut, less than the margin: without the neighbour a strip is unseen."""
    west, east = around(UTM_32, 11.8, 47.35, 200, (300, 155)), around(UTM_33, 12.2, 47.35, 200, (300, 155))
    plane = [of("heat", w, lambda lon, lat: 10 + 3 * (lon - 12) + 2 * (lat - 47)) for w in (west, east)]
    what = indicator(mean_rate, {"smooth": Layer(smooth, {"rates": Source("heat")}, margin="1000 m", kind="rate")})
    shape = box(11.85, 47.25, 12.15, 47.45)
    found = sums(planned(what, zones(shape), World(tuple(plane))))
    assert found["unseen", "heat", "A"] == pytest.approx(0, abs=1e-4 * geodesic(shape))
    mean = found["total", "heat", "A"] / found["seen", "heat", "A"]
    assert mean == pytest.approx(10 + 2 * 0.35, abs=2e-3)


def test_a_source_of_two_grids_under_a_third() -> None:
    """Light in two UTM zones on the cells of a map in degrees."""

    def lit(cover: xr.DataArray, heat: xr.DataArray) -> dict:
        return {"heat": rate(heat.where(cover == 1), "K")}

    degrees = window(DEGREES, 11.7, 47.5, 0.005, (60, 120))
    light = [of("heat", w, lambda lon, lat: 10 + 3 * (lon - 12)) for w in (WEST, EAST)]
    what = indicator(lit, {"cover": Source("cover"), "heat": Source("heat")})
    found = sums(planned(what, zones(BORDER), World((*cover(degrees).rasters, *light))))
    assert found["total", "heat", "A"] / geodesic(BORDER) == pytest.approx(10, rel=1e-4)
    assert found["seen", "heat", "A"] == pytest.approx(geodesic(BORDER), rel=1e-6)


def squared(heat: xr.DataArray) -> xr.DataArray:
    """Of each pixel alone."""
    return heat**2


@pytest.mark.parametrize(
    "heat",
    [Source("heat"), Layer(squared, {"heat": Source("heat")}, kind="rate")],
    ids=["source", "layer"],
)
def test_another_blocking_gives_the_same_of_two_grids_under_a_third(heat: Any) -> None:
    """The grids overlap by 20 km, where they differ; blocks of 16 cells have more of one or of the other."""

    def lit(cover: xr.DataArray, heat: xr.DataArray) -> dict:
        return {"heat": rate(heat.where(cover == 1), "K")}

    degrees = window(DEGREES, 11.7, 47.5, 0.005, (60, 120))
    light = [
        of("heat", around(crs, lon, 47.35, 200, (300, 220)), lambda lon, lat, v=value: v + lon - lat)  # type: ignore[misc]
        for crs, lon, value in ((UTM_32, 11.9, 10), (UTM_33, 12.1, 12))
    ]
    world = World((*cover(degrees).rasters, *light))
    what = indicator(lit, {"cover": Source("cover"), "heat": heat})
    small, odd, large = (sums(planned(what, zones(BORDER), world, block=b)) for b in (16, 77, 128))
    assert small == pytest.approx(large, rel=1e-12)
    assert odd == pytest.approx(large, rel=1e-12)
    assert large["unseen", "heat", "A"] == pytest.approx(0, abs=1)


def exposed(cover: xr.DataArray, people: xr.DataArray) -> dict:
    """People on forest."""
    return {"exposed": amount(people * classes(cover, "forest"), "people")}


def test_a_source_in_degrees_under_two_utm_zones_and_added_up_as_it_is() -> None:
    degrees = window(DEGREES, 11.7, 47.5, 0.01, (30, 60))
    people = raster("people", degrees, {"2020": degrees.areas * 1e-6}, band="people", kind="amount", unit="people")
    what = indicator(
        exposed, {"cover": Source("cover"), "people": Source("people")}, sums={"everybody": Source("people")}
    )
    found = sums(planned(what, zones(BORDER), World((*cover(WEST, EAST).rasters, people))))
    crowd = geodesic(BORDER) * 1e-6
    assert found["total", "exposed", "A"] == pytest.approx(crowd, rel=1e-3)
    assert found["total", "everybody", "A"] == pytest.approx(crowd, rel=1e-4)


def counted(people: xr.DataArray) -> dict:
    """People as they are."""
    return {"people": amount(people, "people")}


def crowd(where: Window, there: Field = one) -> Raster:
    """A person on each square kilometre; -1, which says nobody, outside of somebody's country."""
    values = np.where(there(*places(where)) == 1, where.areas * 1e-6, -1.0)
    made = raster("people", where, {"2020": values}, band="people", kind="amount", unit="people")
    return replace(made, band=replace(made.band, nodata=-1.0, nodata_means="zero"))


def test_amounts_of_two_grids_are_added_up_once() -> None:
    what = indicator(counted, {"people": Source("people")}, sums={"everybody": Source("people")})
    found = sums(planned(what, zones(BORDER), World((crowd(WEST), crowd(EAST)))))
    for quantity in ("people", "everybody"):
        assert found["total", quantity, "A"] == pytest.approx(geodesic(BORDER) * 1e-6, rel=1e-6)


def test_nobody_in_one_file_is_somebody_where_the_other_has_people() -> None:
    """Two countries that meet at 11.95: the file of the western one says nobody up to the cut at 12."""
    west = crowd(WEST, lambda lon, lat: 1.0 * (lon < 11.95))
    east = crowd(around(UTM_33, 12.0, 47.35, 200, (300, 500)), lambda lon, lat: 1.0 * (lon >= 11.95))
    found = sums(planned(indicator(counted, {"people": Source("people")}), zones(BORDER), World((west, east))))
    assert found["total", "people", "A"] == pytest.approx(geodesic(BORDER) * 1e-6, rel=2e-3)
    assert found["unseen", "people", "A"] == pytest.approx(0, abs=1)
    alone = sums(
        planned(indicator(counted, {"people": Source("people")}), zones(box(11.8, 47.25, 12, 47.45)), World((west,)))
    )
    assert alone["unseen", "people", "A"] == pytest.approx(0, abs=1), "nobody lives where no file says otherwise"
    assert alone["total", "people", "A"] == pytest.approx(geodesic(box(11.8, 47.25, 11.95, 47.45)) * 1e-6, rel=5e-3)


def middle(totals: xr.Dataset) -> xr.DataArray:
    """The mean rate."""
    return totals.heat / totals.seen.sel(quantity="heat", drop=True)


def heat_of(heat: xr.DataArray) -> dict:
    """The rate."""
    return {"heat": rate(heat, "K")}


def above(heat: xr.DataArray, usual: xr.DataArray) -> dict:
    """Ground above the country's mean."""
    return {"above": heat > float(usual)}


def test_a_survey_is_made_over_all_grids_of_the_country() -> None:
    plane = tuple(of("heat", w, lambda lon, lat: 10 + 3 * (lon - 12)) for w in (WEST, EAST))
    what = indicator(above, {"heat": Source("heat"), "usual": Survey(heat_of, middle, {"heat": Source("heat")})})
    found = sums(planned(what, zones(BORDER), World(plane)))
    assert found["total", "above", "A"] == pytest.approx(geodesic(BORDER) / 2, rel=5e-3), "east of 12 degrees"


def patch(heat: xr.DataArray) -> xr.DataArray:
    """The number of cells above 10 in the whole array, on each of them."""
    high = heat > 10
    return high * float(high.sum())


def patched(heat: xr.DataArray, patch: xr.DataArray) -> dict:
    """Ground by size of what it belongs to."""
    return {"ground": area(xr.ones_like(heat)).by(size=patch)}


def test_a_country_layer_over_two_grids_is_one_array() -> None:
    def hill(lon: Floats, lat: Floats) -> Floats:
        return np.where((abs(lon - 12) < 0.1) & (abs(lat - 47.35) < 0.05), 20.0, 0.0)

    heat = Source("heat")
    what = indicator(patched, {"heat": heat, "patch": Layer(patch, {"heat": heat}, over="country", kind="class")})
    run = planned(what, zones(BORDER), World(tuple(of("heat", w, hill) for w in (WEST, EAST)))).run(workers=2)
    sizes = {row.keys[0][1]: row.number for row in run.sums if row.what == "total"}
    assert len(sizes) == 2, "none, and one hill on both sides of the cut"
    assert max(sizes) * 200**2 == pytest.approx(sizes[max(sizes)], rel=1e-2)


def test_dates_are_counted_on_both_grids() -> None:
    """A date that has granules in both zones, and one that has them in the east alone."""

    def seen(heat: xr.DataArray) -> dict:
        return {"heat": rate(heat.mean("time"), "K")}

    west = of("heat", WEST, one, days=("2020-06-01",))
    east = of("heat", EAST, one, days=("2020-06-01", "2020-06-09"))
    what = indicator(seen, {"heat": Source("heat", window="period")})
    made = planned(what, zones(box(11.42, 47.25, 11.5, 47.45), box(12.3, 47.25, 12.4, 47.45)), World((west, east)))
    scenes = [s for found in made.setting.scenes.values() for s in found]
    assert [len(s.granules) for s in scenes] == [2, 1]
    dates = {(r.zone, r.keys[0][1]) for r in made.run(workers=1).sums if r.what == "dates" and r.number > 1e4}
    assert dates == {("A", 1.0), ("B", 2.0)}


def test_maps_of_two_grids_are_read_back(tmp_path: Any) -> None:
    world = cover(WEST, EAST, field=lambda lon, lat: np.where(lon < 12.05, 1.0, 2.0))
    run = planned(FOREST, zones(BORDER), world, store=tmp_path).run(workers=2)
    stored = Store(tmp_path).run(run.id)
    assert list(stored.maps) == ["2020 32632", "2020 32633"]
    assert {p.name for p in stored.maps.values()} == {"map-2020-32632.tif", "map-2020-32633.tif"}
    what = indicator(again, {"before": Source("runs/toy-grids")})
    back = sums(planned(what, zones(BORDER), World(), store=tmp_path))
    assert back["total", "forest_before", "A"] == pytest.approx(
        sums(planned(FOREST, zones(BORDER), world))["total", "forest", "A"], rel=1e-9
    )
    assert back["unseen", "forest_before", "A"] == pytest.approx(0, abs=1)


def seen_on_page(made: dict[str, Any]) -> Any:
    """Which pixels of a picture are coloured."""
    with Image.open(io.BytesIO(base64.b64decode(made["url"].partition(",")[2]))) as picture:
        return np.asarray(picture)[..., 3] > 0


def test_the_desk_shows_the_maps_of_all_grids_in_one_picture(tmp_path: Any) -> None:
    planned(FOREST, zones(BORDER), cover(WEST, EAST), store=tmp_path).run(workers=2)
    (stored,) = Store(tmp_path).runs()
    made = picture([str(p) for p in stored.maps.values()], BORDER, [(1, "#00ff00")], "land")
    west, south, east, north = made["bounds"]
    assert west < 11.8 and east > 12.2 and south < 47.25 and north > 47.45
    share = BORDER.area / box(*made["bounds"]).area
    assert seen_on_page(made).mean() == pytest.approx(share, rel=0.03)


@pytest.mark.parametrize("degrees", [True, False], ids=["degrees", "UTM 60 and 1"])
def test_the_desk_shows_a_map_across_180_in_one_piece(degrees: bool, tmp_path: Any) -> None:
    tiles = around(UTM_60, 179.3, -17.2, 1000, (250, 270)), around(UTM_1, -179.3, -17.2, 1000, (250, 270))
    planned(FOREST, zones(FIJI), cover(*(ENDS if degrees else tiles)), store=tmp_path).run(workers=2)
    (stored,) = Store(tmp_path).runs()
    made = picture([str(p) for p in stored.maps.values()], FIJI, [(1, "#00ff00")], "land")
    assert made["bounds"] == pytest.approx([178.5, -18, 180.5, -16.5])
    assert seen_on_page(made).mean() > 0.98


def again(before: xr.DataArray) -> dict:
    """What a run before has marked."""
    return {"forest_before": before == 1}


def test_zones_are_brought_to_a_grid_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = Zones.to_crs

    def counting(self: Zones, crs: str, tolerance: float | None = None) -> Zones:
        if crs != self.crs and tolerance is None:
            asked.append(crs)
        return whole(self, crs, tolerance)

    monkeypatch.setattr(Zones, "to_crs", counting)
    planned(FOREST, zones(BORDER), cover(WEST)).run(workers=1)
    assert asked == [UTM_32]


# --- The antimeridian


def test_one_lattice_of_degrees_has_blocks_at_both_ends_of_the_earth() -> None:
    made = planned(FOREST, zones(FIJI), cover(*ENDS))
    assert len(made.grids) == 1
    assert len(made.tasks) <= 12
    assert sum(np.prod(t.window.shape) for t in made.tasks) <= 150 * 202
    assert sums(made)["total", "forest", "A"] == pytest.approx(geodesic(FIJI), rel=1e-6)


def test_utm_60_and_1_meet_at_180_degrees() -> None:
    tiles = around(UTM_60, 179.3, -17.2, 1000, (250, 270)), around(UTM_1, -179.3, -17.2, 1000, (250, 270))
    made = planned(FOREST, zones(FIJI), cover(*tiles))
    assert {g.crs for g in made.grids} == {UTM_60, UTM_1}
    assert sums(made)["total", "forest", "A"] == pytest.approx(geodesic(FIJI), rel=1e-6)
    alone = planned(FOREST, zones(FIJI), cover(around(UTM_60, 180, -17.2, 1000, (250, 450))))
    assert sums(alone)["total", "forest", "A"] == pytest.approx(geodesic(FIJI), rel=1e-6)


def test_a_raster_that_runs_beyond_180_is_read_on_both_sides() -> None:
    tile = window(DEGREES, 178.0, -16, 0.01, (250, 300))  # up to 181
    found = sums(planned(FOREST, zones(FIJI), cover(tile)))
    assert found["total", "forest", "A"] == pytest.approx(geodesic(FIJI), rel=1e-6)


def test_a_layer_in_degrees_reads_across_180() -> None:
    heat = [of("heat", w, lambda lon, lat: 10 + np.where(lon > 0, lon - 180, lon + 180)) for w in ENDS]
    what = indicator(mean_rate, {"smooth": Layer(smooth, {"rates": Source("heat")}, margin="5 px", kind="rate")})
    found = sums(planned(what, zones(FIJI), World(tuple(heat))))
    assert found["unseen", "heat", "A"] == pytest.approx(0, abs=1)
    west, east = (geodesic(p) for p in shapely.get_parts(FIJI))
    mean = found["total", "heat", "A"] / found["seen", "heat", "A"]
    assert mean == pytest.approx(10 + (-0.75 * west + 0.25 * east) / (west + east), abs=1e-3)


@pytest.mark.parametrize("kind", ["rate", "class", "amount"])
def test_a_source_in_degrees_is_brought_to_utm_across_180(kind: str) -> None:
    def told(cover: xr.DataArray, other: xr.DataArray) -> dict:
        forest = classes(cover, "forest")
        return {"other": amount(other * forest, "people") if kind == "amount" else rate(other.where(forest), "K")}

    values = [w.areas * 1e-6 if kind == "amount" else np.full(w.shape, 7.0) for w in ENDS]
    others = [raster("other", w, {"2020": v}, kind=kind) for w, v in zip(ENDS, values, strict=True)]
    tile = around(UTM_60, 180, -17.2, 1000, (250, 450))
    what = indicator(told, {"cover": Source("cover"), "other": Source("other")})
    found = sums(planned(what, zones(FIJI), World((*cover(tile).rasters, *others))))
    assert found["unseen", "other", "A"] == pytest.approx(0, abs=1)
    wanted = geodesic(FIJI) * (1e-6 if kind == "amount" else 7)
    assert found["total", "other", "A"] == pytest.approx(wanted, rel=1e-3 if kind == "amount" else 1e-6)


@pytest.mark.parametrize("crs", [DEGREES, UTM_60])
def test_ground_near_a_road_at_180_lies_on_both_sides(crs: str) -> None:
    def near(cover: xr.DataArray, road: xr.DataArray) -> dict:
        return {"near": area(road)}

    tiles = ENDS if crs == DEGREES else (around(UTM_60, 180, -17.2, 1000, (250, 450)),)
    point = shapely.Point(179.99, -17.2)
    world = replace(cover(*tiles), vectors={"roads": features([point], DEGREES, name=["R"])})
    what = indicator(near, {"cover": Source("cover"), "road": Shapes("roads", as_="cover", within=10_000)})
    found = sums(planned(what, zones(*shapely.get_parts(FIJI)), world))
    whole = found["total", "near", "A"] + found["total", "near", "B"]
    assert whole == pytest.approx(np.pi * 1e8, rel=5e-3), "metres of the projection, which stretches by 0.1 % there"
    assert found["total", "near", "B"] > 0.4 * whole


@pytest.mark.parametrize(
    ("shape", "box_"),
    [
        (FIJI, (178.5, -18, -179.5, -16.5)),
        (MultiPolygon([box(172.9, 1, 173.1, 2), box(-157.5, 1.7, -157.2, 2)]), (172.9, 1, -157.2, 2)),
        (box(10, 1, 11, 2), (10, 1, 11, 2)),
        (box(-180, -90, 180, -60), (-180, -90, 180, -60)),
    ],
    ids=["Fiji", "Kiribati", "anywhere", "Antarctica"],
)
def test_the_place_that_is_searched_is_not_the_whole_globe(shape: Any, box_: tuple[float, ...]) -> None:
    assert search_box(FOREST, zones(shape)) == pytest.approx(box_)


def test_a_margin_reaches_across_180() -> None:
    what = indicator(mean_rate, {"smooth": Layer(smooth, {"rates": Source("heat")}, margin="5000 m", kind="rate")})
    west, _, east, _ = search_box(what, zones(box(179, -18, 180, -17)))
    assert (west, east) == pytest.approx((178.905, -179.905), abs=1e-3)


def test_a_stac_api_is_asked_for_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Api:
        def get_collection(self, _: str) -> object:
            return object()

        def search(self, **what: Any) -> "Api":
            asked.append(what["bbox"])
            return self

        def items(self) -> list[Any]:
            return [type("Item", (), {"id": "both"})()]

    monkeypatch.setattr(origins.pystac_client.Client, "open", lambda *_, **__: Api())
    collection = World((of("cover", ENDS[0], one),)).collection("cover")
    search = origins.Search(collection, collection.band(), None, (178.5, -18, -179.5, -16.5), origins.Patience.usual())
    found = origins.from_api(origins.Origin("stac-api", "https://nowhere", "cover"), search)
    assert asked == [[178.5, -18, 180.0, -16.5], [-180.0, -18, -179.5, -16.5]]
    assert len(found) == 1


def test_far_islands_do_not_bring_the_sea_between_them() -> None:
    """Tarawa, Kiritimati 3,200 km to the east across 180 degrees, and Caroline 700 km further."""
    islands = [box(172.9, 1.3, 173.1, 1.6), box(-157.5, 1.7, -157.2, 2.0), box(-150.3, -10.1, -150.1, -9.9)]
    world = cover(*(window(DEGREES, b.bounds[0] - 0.1, b.bounds[3] + 0.1, 0.0025, (200, 240)) for b in islands))
    made = planned(FOREST, zones(MultiPolygon(islands)), world, block=256)
    assert len(made.tasks) <= 12
    assert sums(made)["total", "forest", "A"] == pytest.approx(sum(map(geodesic, islands)), rel=1e-6)


# --- The poles


@pytest.mark.parametrize("crs", [NORTH_POLE, SOUTH_POLE])
def test_cells_around_a_pole_have_their_true_areas(crs: str) -> None:
    cap = shapely.Point(0, 0).buffer(50_000, quad_segs=2000)
    _, lat = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True).transform(50_000.0, 0.0)
    belt = true_area(box(-180, min(lat, 90 * np.sign(lat)), 180, max(lat, 90 * np.sign(lat))), DEGREES)
    found = sums(planned(FOREST, zones(cap, crs=crs), cover(window(crs, -60_000, 60_000, 500, (240, 240)))))
    assert found["total", "forest", "A"] == pytest.approx(belt, rel=1e-6)
    at_pole, near = areal_scale(crs, np.array([0.0, 300.0]), np.zeros(2))
    assert at_pole == pytest.approx(near, rel=1e-8)


ICE = Polygon(
    [(x, -84 + 2 * np.sin(np.radians(3 * x))) for x in np.linspace(-180, 180, 145)] + [(180, -90), (-180, -90)]
)


@pytest.mark.parametrize("crs", [DEGREES, SOUTH_POLE])
def test_antarctica_has_its_area_on_both_kinds_of_grid(crs: str) -> None:
    """In degrees the cells of a coast at 84 degrees are rough: their parts count with their mean area."""
    where = window(DEGREES, -180, -75, 0.25, (60, 1440)) if crs == DEGREES else window(crs, -1e6, 1e6, 5000, (400, 400))
    run = planned(FOREST, zones(ICE, box(-180, -90, 180, -84)), cover(where), block=512).run(workers=2)
    book = run.ledger[run.ledger.quantity == "forest"].set_index("zone")
    assert (book.unseen < 1).all()
    exact = [1e-6, 1e-6] if crs == SOUTH_POLE else [1e-3, 1e-9]
    for code, shape, bound in zip("AB", (ICE, box(-180, -90, 180, -84)), exact, strict=True):
        assert book.counted[code] == pytest.approx(true_area(shape, DEGREES), rel=bound)
    assert book.allowed["A"] > abs(book.counted["A"] / book.polygon["A"] - 1)
    assert true_area(ICE, DEGREES) == pytest.approx(geodesic(shapely.segmentize(ICE, 0.01)), rel=1e-5)


def test_a_polar_zone_on_rows_that_touch_the_pole() -> None:
    shape = box(-4e5, -3e5, 5e5, 6e5)
    rows = window(DEGREES, -180, 90, 0.25, (60, 1440))
    run = planned(FOREST, zones(shape, crs=NORTH_POLE), cover(rows), block=512).run(workers=2)
    book = run.ledger[run.ledger.quantity == "forest"].iloc[0]
    assert book.polygon == pytest.approx(true_area(shape, NORTH_POLE), rel=1e-8)
    assert book.counted == pytest.approx(true_area(shape, NORTH_POLE), rel=1e-3)


def test_a_polar_grid_and_one_in_degrees_in_one_run() -> None:
    """The polar grid is made for less of the earth: ground that both cover is its."""
    cap, rest = window(NORTH_POLE, -8e5, 8e5, 4000, (400, 400)), window(DEGREES, -180, 86, 0.1, (160, 3600))
    shape = box(-60, 72, 60, 90)
    made = planned(FOREST, zones(shape), cover(cap, rest), block=512)
    assert {g.crs for g in made.grids} == {NORTH_POLE, DEGREES}
    found = sums(made)
    assert found["total", "forest", "A"] == pytest.approx(geodesic(box(-60, 72, 60, 90)), rel=1e-5)


@pytest.mark.parametrize("kind", ["rate", "class"])
def test_a_source_in_degrees_around_the_pole_on_a_polar_grid(kind: str) -> None:
    def told(cover: xr.DataArray, other: xr.DataArray) -> dict:
        return {"other": rate(other.where(classes(cover, "forest")), "K")}

    tile = window(NORTH_POLE, -3e5, 3e5, 4000, (150, 150))
    other = of("other", window(DEGREES, -180, 90, 0.25, (40, 1440)), one, kind=kind)
    what = indicator(told, {"cover": Source("cover"), "other": Source("other")})
    shape = box(-2e5, -2e5, 2e5, 2e5)
    found = sums(planned(what, zones(shape, crs=NORTH_POLE), World((*cover(tile).rasters, other)), block=512))
    assert found["seen", "other", "A"] == pytest.approx(true_area(shape, NORTH_POLE), rel=1e-6)


def test_both_sides_of_a_box() -> None:
    assert both_sides((170, -1, -170, 1)) == [(170, -1, 180, 1), (-180, -1, -170, 1)]
    assert both_sides((-170, -1, 170, 1)) == [(-170, -1, 170, 1)]


def test_the_box_of_a_search_holds_the_zones_and_little_more() -> None:
    rng = np.random.default_rng(3)
    for crs, x, y in (("EPSG:32633", 5e5, 5e6), ("EPSG:3035", 4.3e6, 3.2e6), ("EPSG:32760", 5e5, 8e6)):
        centres = shapely.points(rng.uniform(x - 2e5, x + 2e5, 20), rng.uniform(y - 2e5, y + 2e5, 20))
        zones = Zones(tuple(Zone(str(n), "", "", p.buffer(3e4)) for n, p in enumerate(centres)), crs)
        exact, near = np.array(zones.bounds_lonlat), np.array(zones.near_lonlat)
        assert (near[:2] <= exact[:2]).all() and (near[2:] >= exact[2:]).all()
        assert np.abs(near - exact).max() < 0.25
    pole = Zones((Zone("cap", "", "", shapely.Point(0, 0).buffer(3e5)),), "EPSG:3413")
    assert pole.near_lonlat == pole.bounds_lonlat
