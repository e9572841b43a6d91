"""Boundary files as they come: what is read, what is mended with a remark, what is refused with a way out."""

import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from geomon.errors import ZoneError
from geomon.grid import true_area
from geomon.zones import Zone, Zones

WEST, EAST = box(0, 0, 1, 1), box(1, 0, 2, 1)
SATELLITE = "+proj=geos +h=35785831 +lon_0=0 +datum=WGS84"  # sees one side of the earth only
ALBERS = "+proj=aea +lat_1=20 +lat_2=50 +lat_0=35 +lon_0=5 +datum=WGS84 +units=m"


def frame(columns: Mapping[str, Any], *shapes: BaseGeometry | None, crs: str | None = "EPSG:4326") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(dict(columns), geometry=list(shapes), crs=crs)


def two(crs: str | None = "EPSG:4326", **columns: Any) -> gpd.GeoDataFrame:
    return frame({"code": ["A", "B"], **columns}, WEST, EAST, crs=crs)


def written(path: Path, table: gpd.GeoDataFrame) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_file(path)
    return path


def geojson(path: Path, *rings: list[list[float]], crs: str = "") -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"Z{i}"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for i, ring in enumerate(rings)
    ]
    stated = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    path.write_text(json.dumps({"type": "FeatureCollection", **stated, "features": features}))
    return path


def ring(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


# reading


@pytest.mark.parametrize("name", ["zones.geojson", "zones.gpkg", "zones.parquet"])
def test_three_formats_give_the_same_zones(tmp_path: Path, name: str) -> None:
    table = two(name=["Principe", "Sao Tome"], parent=["ST", "ST"], version=["v1", "v1"])
    zones = Zones.read(written(tmp_path / name, table))
    assert zones.codes == ("A", "B", "ST")
    assert [z.name for z in zones.leaves] == ["Principe", "Sao Tome"]
    assert (zones.crs, zones.version) == ("EPSG:4326", "v1")
    assert [z.geometry.area for z in zones.leaves if z.geometry] == [1.0, 1.0]


def test_columns_are_guessed_from_usual_names_and_said() -> None:
    table = frame({"ADM1_PCODE": ["ST01", "ST02"], "ADM1_PT": ["P", "S"], "ADM0_PCODE": ["ST", "ST"]}, WEST, EAST)
    zones = Zones.of(table)
    assert [(z.code, z.name, z.parent) for z in zones.leaves] == [("ST01", "P", "ST"), ("ST02", "S", "ST")]
    assert "codes from 'ADM1_PCODE'; names from 'ADM1_PT'; parents from 'ADM0_PCODE'" in zones.remarks[0]


def test_what_is_named_is_not_guessed_nor_said() -> None:
    zones = Zones.of(two(mine=["X", "Y"]), code="mine", name="", parent="", version="2024")
    assert [(z.code, z.name, z.parent) for z in zones.zones] == [("X", "X", ""), ("Y", "Y", "")]
    assert (zones.version, zones.remarks) == ("2024", ())


def test_namibias_code_is_the_text_na(tmp_path: Path) -> None:
    path = written(tmp_path / "z.gpkg", frame({"iso_a2": ["NA", "ZA"]}, WEST, EAST))
    assert Zones.read(path).codes == ("NA", "ZA")


def test_namibia_lost_by_pandas_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("code,x\nNA,0\nZA,1\n")
    lost = pd.read_csv(tmp_path / "z.csv")
    kept = pd.read_csv(tmp_path / "z.csv", keep_default_na=False)
    assert Zones.of(gpd.GeoDataFrame(kept, geometry=[WEST, EAST], crs=4326)).codes == ("NA", "ZA")
    with pytest.raises(ZoneError, match=r"'code' has empty fields \('row 1'\).*keep_default_na=False"):
        Zones.of(gpd.GeoDataFrame(lost, geometry=[WEST, EAST], crs=4326))


def test_numbers_as_codes_are_text_without_a_decimal_point() -> None:
    assert Zones.of(frame({"code": [678.0, 8.0]}, WEST, EAST)).codes == ("678", "8")
    assert Zones.of(frame({"m49": [678, 8]}, WEST, EAST)).codes == ("678", "008")


def test_minus_99_is_passed_over_when_guessed() -> None:
    zones = Zones.of(frame({"iso_a3_eh": ["-99", "NOR"], "adm0_a3": ["FRA", "NOR"]}, WEST, EAST))
    assert zones.codes == ("FRA", "NOR")
    assert any("'iso_a3_eh' was passed over for the codes, it holds -99" in r for r in zones.remarks)


def test_minus_99_is_refused_when_asked_for_with_a_better_column() -> None:
    table = frame({"iso_a3": ["-99", "DEU"], "adm0_a3": ["FRA", "DEU"], "name": ["France", "Germany"]}, WEST, EAST)
    with pytest.raises(ZoneError, match=r"'iso_a3' holds -99.*\('France'\). Take code='adm0_a3'"):
        Zones.of(table, code="iso_a3")


def test_missing_column_names_the_nearest_one() -> None:
    with pytest.raises(ZoneError, match=r"no column 'cod' for the code; it has 'code'. Did you mean 'code'\?"):
        Zones.of(two(), code="cod")


def test_no_column_of_codes_lists_what_there_is() -> None:
    with pytest.raises(ZoneError, match=r"no column that looks like codes; it has 'x'. Say which"):
        Zones.of(frame({"x": [1]}, WEST))


def test_empty_file(tmp_path: Path) -> None:
    with pytest.raises(ZoneError, match="holds no zones"):
        Zones.read(geojson(tmp_path / "none.geojson"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ZoneError, match="There is no file"):
        Zones.read(tmp_path / "zones.geojson")


@pytest.mark.parametrize("name", ["zones.geojson", "zones.parquet"])
def test_a_file_that_is_something_else(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not a map")
    with pytest.raises(ZoneError, match="could not be read as zones"):
        Zones.read(tmp_path / name)


def test_one_of_several_layers_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "z.gpkg"
    two().to_file(path, layer="adm1")
    two().to_file(path, layer="adm2")
    assert Zones.read(path, layer="adm2").codes == ("A", "B")
    with pytest.raises(ZoneError, match=r"2 layers, 'adm1', 'adm2'. Say which"):
        Zones.read(path)
    with pytest.raises(ZoneError, match="Did you mean 'adm2'"):
        Zones.read(path, layer="admin2")


# where they are


def test_no_crs_is_an_error_until_it_is_stated(tmp_path: Path) -> None:
    path = written(tmp_path / "z.parquet", two(crs=None))
    with pytest.raises(ZoneError, match=r"does not say in which CRS.*crs='EPSG:4326'"):
        Zones.read(path)
    assert Zones.read(path, crs="EPSG:4326").crs == "EPSG:4326"


def test_a_crs_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "z.parquet", two())
    with pytest.raises(ZoneError, match="says that its CRS is EPSG:4326, not EPSG:32632"):
        Zones.read(path, crs="EPSG:32632")


def test_geojson_is_lonlat_unless_it_says_otherwise(tmp_path: Path) -> None:
    metres = ring(400_000, 0, 401_000, 1000)
    assert Zones.read(geojson(tmp_path / "a.geojson", ring(0, 0, 1, 1))).crs == "EPSG:4326"
    assert Zones.read(geojson(tmp_path / "b.geojson", metres, crs="urn:ogc:def:crs:EPSG::32632")).crs == "EPSG:32632"
    assert Zones.read(geojson(tmp_path / "c.geojson", metres), crs="EPSG:32632").crs == "EPSG:32632"


@pytest.mark.parametrize(
    ("bounds", "crs", "what"),
    [
        ((399, 0, 400, 1), "EPSG:4326", r"the point \(400, 0\)"),
        ((400_000, 0, 401_000, 1000), "EPSG:4326", "look like metres"),
        ((-20, 110, -10, 130), "EPSG:4326", "look swapped"),
        ((6, 0, 7, 1), "EPSG:32632", "look like degrees"),
        ((1e30, 0, 2e30, 1e30), "EPSG:32632", "no place in EPSG:32632"),
    ],
)
def test_coordinates_that_cannot_be_in_the_crs(bounds: tuple[float, float, float, float], crs: str, what: str) -> None:
    with pytest.raises(ZoneError, match=what):
        Zones.of(frame({"code": ["A"]}, box(*bounds), crs=crs))


def test_a_place_outside_what_the_crs_is_made_for_is_said() -> None:
    zones = Zones.of(frame({"code": ["A"]}, box(400_000, 0, 401_000, 1000), crs="EPSG:2056"))
    assert any("outside the area that EPSG:2056 is made for (Liechtenstein; Switzerland" in r for r in zones.remarks)


def test_a_crs_without_number_stays_whole() -> None:
    zones = Zones.of(frame({"code": ["A"]}, box(0, 0, 1000, 1000), crs=ALBERS))
    assert zones.crs.startswith("PROJCRS[")


# shape


def test_a_bow_tie_is_repaired_and_reported() -> None:
    tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    zones = Zones.of(frame({"code": ["A"]}, tie))
    assert zones.zones[0].geometry is not None
    assert zones.zones[0].geometry.is_valid
    assert zones.zones[0].geometry.area == 0.5
    assert zones.remarks[-1] == (
        "'A' has an invalid outline (Self-intersection[0.5 0.5]); repaired, 0 km2 as it was drawn, 6154.27 km2 now."
    )


def test_parts_that_overlap_are_counted_once() -> None:
    zones = Zones.of(frame({"code": ["A"]}, MultiPolygon([box(0, 0, 2, 1), box(1, 0, 3, 1)])))
    assert zones.zones[0].geometry is not None
    assert zones.zones[0].geometry.area == 3.0


def test_lines_and_points_beside_polygons_are_dropped_and_reported() -> None:
    mixed = shapely.GeometryCollection([WEST, Point(5, 5)])
    zones = Zones.of(frame({"code": ["A"]}, mixed))
    assert zones.zones[0].geometry == WEST
    assert any("lines and points dropped" in r for r in zones.remarks)


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        (Point(0, 0), "'A' is a Point. A zone is a polygon"),
        (Polygon([(0, 0), (1, 1), (2, 2)]), "'A' has no area"),
        (None, "Zones without area: 'A'"),
        (Polygon(), "Zones without area: 'A'"),
        (Polygon([(0, 0), (1, math.inf), (1, 0)]), "coordinates that are not numbers"),
    ],
)
def test_a_zone_without_area(shape: BaseGeometry | None, what: str) -> None:
    with pytest.raises(ZoneError, match=what):
        Zones.of(frame({"code": ["A", "B"]}, shape, EAST))


def test_heights_are_left_out() -> None:
    zones = Zones.of(frame({"code": ["A"]}, shapely.force_3d(WEST, 12.0)))
    assert zones.zones[0].geometry == WEST


def test_overlaps_are_reported_with_pair_and_area() -> None:
    zones = Zones.of(frame({"code": ["A", "B", "C"]}, WEST, box(0.5, 0, 1.5, 1), box(1.5, 0, 2, 1)))
    shared = true_area(box(0.5, 0, 1, 1), "EPSG:4326") / 1e6
    assert zones.remarks[-1].startswith(f"1 pair of zones overlap, by {shared:.6g} km2 together (A and B ")


def test_neighbours_that_only_touch_do_not_overlap() -> None:
    assert not any("overlap" in r for r in Zones.of(two()).remarks)


# codes and parents


def test_two_zones_with_one_code_are_refused_by_name() -> None:
    with pytest.raises(ZoneError, match=r"several zones with one code: 'A'.*dissolve=True"):
        Zones.of(frame({"code": ["A", "A", "B"]}, WEST, EAST, box(5, 5, 6, 6)))


def test_two_zones_with_one_code_are_united_if_asked() -> None:
    zones = Zones.of(frame({"code": ["A", "A", "B"]}, WEST, EAST, box(5, 5, 6, 6)), dissolve=True)
    assert [z.geometry.area for z in zones.zones if z.geometry] == [2.0, 1.0]
    assert "rows with one code were united: 'A'" in zones.remarks[-1]


def test_one_code_in_two_parents_is_not_united() -> None:
    with pytest.raises(ZoneError, match="'A' lies in several parents, 'X', 'Y'"):
        Zones.of(frame({"code": ["A", "A"], "parent": ["X", "Y"]}, WEST, EAST), dissolve=True)


def test_parents_that_are_not_in_the_file_are_made_up_to_the_country() -> None:
    table = frame(
        {
            "ADM2_PCODE": ["ST0101", "ST0201"],
            "ADM1_PCODE": ["ST01", "ST02"],
            "ADM1_EN": ["Principe", "Sao Tome"],
            "ADM0_PCODE": ["ST", "ST"],
        },
        WEST,
        EAST,
    )
    zones = Zones.of(table)
    assert zones.above == {"ST0101": "ST01", "ST0201": "ST02", "ST01": "ST", "ST02": "ST"}
    assert {z.code: z.name for z in zones.zones if z.geometry is None} == {
        "ST01": "Principe",
        "ST02": "Sao Tome",
        "ST": "Sao Tome and Principe",
    }
    assert zones.root("ST0101") == "ST"


def test_a_parent_with_a_shape_of_its_own_keeps_it() -> None:
    zones = Zones.of(frame({"code": ["A", "B", "P"], "parent": ["P", "P", None]}, WEST, EAST, box(0, 0, 2, 1.1)))
    assert [z.code for z in zones.leaves] == ["A", "B"]
    assert zones.whole["P"].area == 2.0
    assert zones.zone("P").geometry == box(0, 0, 2, 1.1)


@pytest.mark.parametrize(("parents", "circle"), [(["B", "A"], "A in B in A"), (["A", ""], "A in A")])
def test_parents_in_a_circle_are_refused(parents: list[str], circle: str) -> None:
    with pytest.raises(ZoneError, match=f"go in a circle: {circle}"):
        Zones.of(two(up=parents), parent="up")


def test_pcodes_without_parents_belong_to_their_countries() -> None:
    zones = Zones.of(frame({"pcode": ["ST01", "GA01"]}, WEST, EAST))
    assert zones.above == {"ST01": "ST", "GA01": "GA"}
    assert any("countries taken from the P-codes, 'GA', 'ST'" in r for r in zones.remarks)


def test_without_parents_all_is_one_country_that_has_no_code() -> None:
    zones = Zones.of(two())
    assert (zones.root("A"), zones.root("B")) == ("", "")
    assert zones.whole[""].area == 2.0


def test_without_parents_countries_are_their_own() -> None:
    zones = Zones.of(frame({"iso3": ["STP", "GAB", "KOS"]}, WEST, EAST, box(5, 5, 6, 6)))
    assert [zones.root(code) for code in zones.codes] == ["STP", "GAB", "KOS"]
    assert zones.select(["KOS"]).root("KOS") == "KOS"


def test_codes_that_are_a_country_by_chance_are_said() -> None:
    zones = Zones.of(frame({"code": ["NE", "NW"]}, WEST, EAST))
    assert zones.root("NE") == ""
    assert "NE of Niger" in zones.remarks[-1]


# selecting


@pytest.fixture
def islands() -> Zones:
    """Two countries: ST of two zones, GA of one."""
    table = frame({"code": ["ST01", "ST02", "GA01"], "parent": ["ST", "ST", "GA"]}, WEST, EAST, box(9, 0, 10, 1))
    return Zones.of(table)


def test_a_selection_still_knows_its_whole_country(islands: Zones) -> None:
    one = islands.select(["ST01"])
    assert one.codes == ("ST01",)
    assert one.root("ST01") == "ST"
    assert one.whole["ST"].equals(box(0, 0, 2, 1))
    assert set(one.whole) == {"ST"}


def test_a_parent_is_selected_with_all_below_it(islands: Zones) -> None:
    assert islands.select(["ST"]).codes == ("ST01", "ST02", "ST")


def test_a_part_of_a_country_is_not_summed_to_the_country(islands: Zones) -> None:
    assert islands.select(["ST01"]).above == {}


@pytest.mark.parametrize("code", ["ST", "STP", "678"])
def test_a_country_is_selected_by_any_of_its_codes(islands: Zones, code: str) -> None:
    assert islands.select([code]).codes == ("ST01", "ST02", "ST")


def test_an_unknown_zone_names_the_nearest(islands: Zones) -> None:
    with pytest.raises(ZoneError, match=r"no zone 'ST1'; there are .* Did you mean 'ST01'\?"):
        islands.select(["ST1"])


# another CRS


@pytest.mark.parametrize("crs", ["EPSG:32632", ALBERS])
def test_a_wide_zone_keeps_its_true_area(crs: str) -> None:
    wide = box(0, 40, 20, 42)
    moved = Zones((Zone("A", geometry=wide),)).to_crs(crs, tolerance=1e-4).zones[0].geometry
    assert moved is not None
    to_equal_area = Transformer.from_crs(crs, "EPSG:6933", always_xy=True).transform
    flat = shapely.transform(moved, lambda xy: np.column_stack(to_equal_area(*xy.T)))
    q = [_authalic(latitude) for latitude in (40, 42)]
    geod = Geod(ellps="WGS84")
    between_parallels = math.radians(20) * geod.b**2 / 2 * (q[1] - q[0])
    assert flat.area == pytest.approx(between_parallels, rel=1e-9)


def _authalic(latitude: float) -> float:
    s, e = math.sin(math.radians(latitude)), math.sqrt(Geod(ellps="WGS84").es)
    return s / (1 - e * e * s * s) + math.atanh(e * s) / e


def test_edges_lie_within_the_tolerance_of_where_they_belong() -> None:
    zone = Zones((Zone("A", geometry=box(0, 40, 20, 42)),))
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True).transform
    edge = np.column_stack(to_utm(np.linspace(0, 20, 9973), np.full(9973, 42.0)))
    for tolerance in (100.0, 1.0):
        moved = zone.to_crs("EPSG:32632", tolerance=tolerance).zones[0].geometry
        assert moved is not None
        assert 0.1 * tolerance < shapely.distance(shapely.points(edge), moved.boundary).max() <= tolerance


def test_a_small_zone_gets_no_points() -> None:
    zone = Zones((Zone("A", geometry=box(9, 40, 9.001, 40.001)),)).to_crs("EPSG:32632", tolerance=0.01)
    assert shapely.get_num_coordinates(zone.zones[0].geometry) == 5


def test_neighbours_still_touch_after_projection() -> None:
    west, east = box(0, 40, 9, 50), box(9, 40, 20, 50).reverse()
    moved = Zones((Zone("A", geometry=west), Zone("B", geometry=east))).to_crs("EPSG:32632", tolerance=10.0)
    assert shapely.coverage_is_valid([z.geometry for z in moved.zones])


def test_the_whole_country_moves_too(islands: Zones) -> None:
    moved = islands.select(["ST01"]).to_crs("EPSG:6933")
    assert moved.root("ST01") == "ST"
    assert moved.whole["ST"].area == pytest.approx(true_area(box(0, 0, 2, 1), "EPSG:4326"), rel=1e-9)


def test_a_far_zone_that_was_not_selected_does_not_matter() -> None:
    table = frame({"iso3": ["STP", "FJI"]}, WEST, box(177, -18, 179, -16))
    zones = Zones.of(table)
    assert zones.select(["STP"]).to_crs(SATELLITE).codes == ("STP",)


def test_a_zone_where_the_crs_is_not_defined_is_named() -> None:
    with pytest.raises(ZoneError, match="'A': a part lies where the other CRS is not defined"):
        Zones((Zone("A", geometry=box(170, 0, 175, 5)),)).to_crs(SATELLITE)


# the antimeridian

FIJI = MultiPolygon([box(178, -18, 180, -16), box(-180, -18, -179, -16)])


def test_a_zone_on_both_sides_of_the_antimeridian_keeps_its_area() -> None:
    moved = Zones((Zone("FJI", geometry=FIJI),)).to_crs("EPSG:32701", tolerance=0.1).zones[0].geometry
    assert moved is not None
    assert moved.is_valid
    to_equal_area = Transformer.from_crs("EPSG:32701", "+proj=cea +lon_0=180", always_xy=True).transform
    flat = shapely.transform(moved, lambda xy: np.column_stack(to_equal_area(*xy.T)))
    assert flat.area == pytest.approx(true_area(FIJI, "EPSG:4326"), rel=1e-6)


def test_a_zone_that_crosses_it_in_metres_is_cut_in_degrees() -> None:
    metres = Zones((Zone("FJI", geometry=FIJI),)).to_crs("EPSG:32701")
    back = metres.to_crs("EPSG:4326").zones[0].geometry
    assert back is not None
    assert (back.geom_type, len(shapely.get_parts(back))) == ("MultiPolygon", 2)
    assert back.symmetric_difference(FIJI).area < 1e-6
    assert metres.bounds_lonlat == pytest.approx((178, -18, -179, -16), abs=1e-3)


def test_longitudes_beyond_180_are_cut_and_reported() -> None:
    zones = Zones.of(frame({"code": ["FJI"]}, box(178, -18, 181, -16)))
    assert zones.zones[0].geometry is not None
    assert zones.zones[0].geometry.equals(FIJI)
    assert any("cut at the antimeridian" in r for r in zones.remarks)


@pytest.mark.parametrize("exact", [False, True], ids=["leap", "leap from 180 to -180"])
def test_an_uncut_crossing_is_cut_and_reported(exact: bool) -> None:
    south, north = ([(180, y), (-180, y)] if exact else [] for y in (-18, -16))
    around = Polygon([(178, -18), *south, (-179, -18), (-179, -16), *north[::-1], (178, -16)])
    zones = Zones.of(frame({"code": ["FJI"]}, around))
    assert zones.zones[0].geometry is not None
    assert zones.zones[0].geometry.equals(FIJI)
    assert any("leaps across the antimeridian uncut: cut at 180 degrees" in r for r in zones.remarks)


def test_a_hole_across_the_antimeridian_stays_a_hole() -> None:
    lagoon = [(179.5, -17.5), (-179.5, -17.5), (-179.5, -17), (179.5, -17)]
    zones = Zones.of(frame({"code": ["FJI"]}, Polygon([(178, -18), (-179, -18), (-179, -16), (178, -16)], [lagoon])))
    holes = MultiPolygon([box(179.5, -17.5, 180, -17), box(-180, -17.5, -179.5, -17)])
    assert zones.zones[0].geometry is not None
    assert zones.zones[0].geometry.equals(FIJI - holes)


def test_a_ring_once_around_the_earth_is_closed_along_the_pole() -> None:
    ice = Polygon([(x, -75) for x in range(-175, 180, 10)])
    zones = Zones.of(frame({"code": ["ATA"]}, ice))
    assert zones.zones[0].geometry is not None
    assert true_area(zones.zones[0].geometry, "EPSG:4326") == pytest.approx(
        true_area(box(-180, -90, 180, -75), "EPSG:4326"), rel=1e-12
    )
    assert any("closed along the pole" in r for r in zones.remarks)


@pytest.mark.parametrize("ring", [[(180, -90), (-180, -90)], [(180, 60), (-180, 60)]], ids=["Antarctica", "a band"])
def test_an_edge_around_the_whole_earth_that_is_meant_stays(ring: list[tuple[float, float]]) -> None:
    coast = [(x, -75 + 5 * np.sin(np.radians(x))) for x in np.linspace(-180, 180, 73)]
    zones = Zones.of(frame({"code": ["ATA"]}, Polygon([*coast, *ring])))
    assert zones.zones[0].geometry is not None
    assert zones.zones[0].geometry.equals(Polygon([*coast, *ring]))
    assert not any("antimeridian" in r for r in zones.remarks)


@pytest.mark.parametrize(
    ("crs", "shape"),
    [
        ("EPSG:3031", box(-1e6, -1e6, 1e6, 1e6)),
        ("EPSG:3413", box(-3e5, -1e6, 1e6, 2e6)),
        ("EPSG:3995", shapely.Point(1e5, 2e5).buffer(4e5) - shapely.Point(0, 0).buffer(1e5)),
    ],
    ids=["box", "off centre", "with a hole at the pole"],
)
def test_a_zone_around_a_pole_comes_into_degrees_and_back(crs: str, shape: Any) -> None:
    degrees = Zones((Zone("P", geometry=shape),), crs).to_crs("EPSG:4326")
    there = degrees.zones[0].geometry
    assert there is not None
    assert there.is_valid
    assert there.bounds[::2] == (-180, 180)
    assert true_area(there, "EPSG:4326") == pytest.approx(true_area(shape, crs), rel=1e-8)
    back = degrees.to_crs(crs).zones[0].geometry
    assert back is not None
    assert back.symmetric_difference(shape).area < 2e-3 * shape.length


def test_a_zone_around_a_pole_where_meridians_are_curved_is_refused() -> None:
    oblique = "+proj=laea +lat_0=80 +lon_0=0 +datum=WGS84 +units=m"
    with pytest.raises(ZoneError, match="around a pole"):
        Zones((Zone("P", geometry=box(-2e6, -2e6, 2e6, 2e6)),), crs=oblique).to_crs("EPSG:4326")


# identity


def test_the_digest_is_of_codes_parents_and_ground_in_any_order() -> None:
    a, b = Zone("A", "x", "", WEST), Zone("B", "y", "", EAST)
    same = [Zones((a, b)), Zones((b, a)), Zones((Zone("A", "other name", "", WEST), b))]
    others = [Zones((a,)), Zones((a, Zone("C", "y", "", EAST))), Zones((a, Zone("B", "y", "A", EAST)))]
    assert len({z.digest for z in same}) == 1
    assert len({z.digest for z in [*same, *others]}) == 4


def test_a_selection_of_another_country_is_another_question(islands: Zones) -> None:
    other = Zones.of(frame({"code": ["ST01", "ST03"], "parent": ["ST", "ST"]}, WEST, EAST))
    assert islands.select(["ST01"]).digest != other.select(["ST01"]).digest


def test_zones_travel_to_other_processes(islands: Zones) -> None:
    copy = pickle.loads(pickle.dumps(islands.select(["ST01"])))
    assert (copy.codes, copy.digest) == (("ST01",), islands.select(["ST01"]).digest)


def test_the_frame_is_the_table_of_zones(islands: Zones) -> None:
    assert list(islands.frame.columns) == ["code", "name", "parent", "geometry"]
    assert list(islands.frame["code"]) == list(islands.codes)
