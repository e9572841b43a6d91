"""Boundaries that people really use: OCHA's and Natural Earth's."""

from pathlib import Path

import pytest

from geomon.areas import match, same_area
from geomon.errors import ZoneError
from geomon.grid import true_area
from geomon.zones import Zones

pytestmark = pytest.mark.real


@pytest.fixture
def vectors(shared_data: Path) -> Path:
    return shared_data / "vectors"


def test_ocha_units_know_their_countries(vectors: Path) -> None:
    zones = Zones.read(vectors / "ocha_adm1_stp_gab_gnq.geojson")
    assert (len(zones.leaves), set(zones.codes) - {z.code for z in zones.leaves}) == (18, {"ST", "GA", "GQ"})
    assert [z.name for z in zones.select(["STP"]).zones] == ["Principe", "Sao Tome", "Sao Tome and Principe"]


def test_a_country_is_known_by_one_of_its_provinces(vectors: Path) -> None:
    principe = Zones.read(vectors / "ocha_adm1_stp_gab_gnq.geojson").select(["ST01"])
    assert principe.root("ST01") == "ST"
    assert true_area(principe.whole["ST"], principe.crs) / 1e6 == pytest.approx(1002, abs=10)  # km2


def test_borders_of_west_africa_that_overlap_are_reported(vectors: Path) -> None:
    zones = Zones.read(vectors / "ocha_wca_adm1.parquet")
    assert (len(zones.leaves), len(zones.whole)) == (295, 22)
    assert zones.remarks[-1].startswith("36 pairs of zones overlap, by 20.57")
    assert "LR05 and SL03 13.0" in zones.remarks[-1]


def test_natural_earth_has_a_code_for_france(vectors: Path) -> None:
    zones = Zones.read(vectors / "ne_110m_admin_0_countries.parquet")
    assert {"FRA", "NOR"} <= set(zones.codes)
    assert any("'iso_a3_eh' was passed over" in remark for remark in zones.remarks)
    assert any("'SDN' has an invalid outline" in remark for remark in zones.remarks)
    with pytest.raises(ZoneError, match=r"'France'.*Take code='adm0_a3'"):
        Zones.read(vectors / "ne_110m_admin_0_countries.parquet", code="iso_a3")


def test_every_country_of_the_world_keeps_its_area_on_an_equal_area_map(vectors: Path) -> None:
    zones = Zones.read(vectors / "ne_110m_admin_0_countries.parquet")
    for zone, flat in zip(zones.zones, zones.to_crs("EPSG:6933", tolerance=0.1).zones, strict=True):
        assert zone.geometry is not None
        assert flat.geometry is not None
        assert flat.geometry.area == pytest.approx(true_area(zone.geometry, zones.crs), rel=1e-5), zone.code


def test_natural_earth_and_ocha_name_the_same_countries(vectors: Path) -> None:
    natural = Zones.read(vectors / "ne_10m_selected_countries.parquet")
    assert all(match(code).iso3 == code for code in natural.codes)
    ocha = Zones.read(vectors / "ocha_wca_adm1.parquet")
    pairs = {(a, b) for a in natural.codes for b in ocha.whole if same_area(a, b)}
    assert pairs == {("GAB", "GA"), ("GNQ", "GQ"), ("NGA", "NG"), ("STP", "ST")}


def test_bare_polygons_need_only_a_code(vectors: Path) -> None:
    zones = Zones.read(vectors / "neiba_zones.geojson")
    assert (zones.codes, zones.root("NW")) == (("NW", "NE", "SW", "SE"), "")


def test_land_use_polygons_are_zones_once_their_code_is_said(vectors: Path) -> None:
    with pytest.raises(ZoneError, match="no column that looks like codes"):
        Zones.read(vectors / "svn_raba_lulc.geojson")
    kinds = Zones.read(vectors / "svn_raba_lulc.geojson", code="lulc_id", name="lulc_name", dissolve=True)
    assert kinds.zone("3").name == "grassland"
