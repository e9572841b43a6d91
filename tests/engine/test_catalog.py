"""Collections, and the dates that are found in them."""

import json
import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from pystac.validation import JsonSchemaSTACValidator

from geomon.errors import CatalogError
from geomon.period import Period
from geomon.sources import documents
from geomon.sources.catalog import Catalog
from geomon.sources.records import Collection, Scene
from tests.engine import made
from tests.engine.made import PLACE, STEP, cells, item, static, tif

OURS = Path(__file__).resolve().parents[2] / "catalogs"
GROUPS = {
    ("esa-worldcover", "map"): {"forest": (10, 95), "water": (80,), "cropland": (40,), "built": (50,)},
    ("cgls-lc100", "cover"): {
        "forest": (*range(111, 117), *range(121, 127)),
        "closed-forest": tuple(range(111, 117)),
        "open-forest": tuple(range(121, 127)),
        "water": (80, 200),
        "cropland": (40,),
        "built": (50,),
    },
    ("jrc-gsw", "yearly"): {"seasonal": (2,), "permanent": (3,), "water": (2, 3), "dry": (1,)},
    ("jrc-gsw", "seasonality"): {"seasonal": tuple(range(1, 12)), "permanent": (12,), "dry": (0,)},
    ("jrc-gsw", "change-class"): {"loss": tuple(range(100)), "stable": (100,), "dry": (253,)},
}


def labels(scenes: tuple[Scene, ...]) -> list[str]:
    """Of scenes."""
    return [s.label for s in scenes]


def ids(scenes: tuple[Scene, ...]) -> list[list[str]]:
    """The items of scenes."""
    return [[g.item for g in s.granules] for s in scenes]


# our catalogue


@pytest.fixture(scope="module")
def ours() -> Catalog:
    """The collections that geomon comes with."""
    return Catalog.open(OURS)


def stac_documents() -> Iterator[Path]:
    """All STAC documents of our catalogue."""
    yield OURS / "catalog.json"
    yield from sorted(OURS.glob("*/collection.json"))


@pytest.mark.parametrize("file", list(stac_documents()), ids=lambda f: f.parent.name)
def test_our_catalogue_is_valid_stac_and_its_links_resolve(file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    kind = pystac.STACObjectType(document["type"])
    JsonSchemaSTACValidator().validate_core(document, kind, "1.1.0", None)
    assert document["stac_version"] == "1.1.0"
    for link in document["links"]:
        if "://" not in link["href"]:
            assert (file.parent / link["href"]).is_file(), link
    prefixes = {k.partition(":")[0] for k in document if ":" in k}
    assert prefixes <= {"geomon"}


def test_the_root_names_every_collection() -> None:
    root = json.loads((OURS / "catalog.json").read_text(encoding="utf-8"))
    children = {link["href"] for link in root["links"] if link["rel"] == "child"}
    assert children == {f"./{f.parent.name}/collection.json" for f in OURS.glob("*/collection.json")}


def test_a_stac_client_opens_our_catalogue() -> None:
    root = pystac.Catalog.from_file(str(OURS / "catalog.json"))
    assert {c.id for c in root.get_children()} == {f.parent.name for f in OURS.glob("*/collection.json")}


def test_every_collection_says_what_a_desk_must_show(ours: Catalog) -> None:
    for one in ours.collections():
        assert one.title and one.licence and one.attribution and one.caveats and one.update and one.sensor, one.id
        assert one.origins and one.band().name == one.main, one.id
        for band in one.bands.values():
            assert band.title and band.unit, (one.id, band.name)
            if band.kind == "class":
                assert band.legend and not set(band.legend.missing) & set(sum(band.legend.groups.values(), ()))


@pytest.mark.parametrize("where", GROUPS, ids=" ".join)
def test_legend_groups(ours: Catalog, where: tuple[str, str]) -> None:
    legend = ours.collection(where[0]).band(where[1]).legend
    assert legend
    assert {name: legend.groups[name] for name in GROUPS[where]} == GROUPS[where]


def test_codes_that_say_nothing_was_seen(ours: Catalog) -> None:
    def missing(collection: str, band: str) -> tuple[int, ...]:
        legend = ours.collection(collection).band(band).legend
        return legend.missing if legend else ()

    assert missing("cgls-lc100", "cover") == (0,)
    assert missing("jrc-gsw", "yearly") == (0,)
    assert missing("jrc-gsw", "change") == (253, 254, 255)
    assert missing("jrc-gsw", "change-class") == (254, 255)
    assert missing("sentinel-2-l2a", "scl") == (0,)


def test_known_breaks(ours: Catalog) -> None:
    assert [b.date for b in ours.collection("esa-worldcover").breaks] == ["2021-01-01"]
    assert len(ours.collection("dmsp-night-lights").breaks) == 5


def test_the_two_night_light_sensors_are_two_collections_in_two_units(ours: Catalog) -> None:
    units = {ours.collection(id).band().unit for id in ("viirs-night-lights", "dmsp-night-lights")}
    assert units == {"nW cm-2 sr-1", "DN"}


# documents


def write(folder: Path, **document: Any) -> Path:
    """A collection.json in its folder."""
    name = str(document.get("id") or document["geomon:extends"])
    file = folder / name / "collection.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_a_ministry_binds_our_collection_to_its_own_items(tmp_path: Path) -> None:
    origins = [{"type": "static", "href": "../items/collection.json", "collection": "theirs"}]
    write(tmp_path, **{"geomon:extends": "esa-worldcover", "geomon:origins": origins})
    mine = Catalog.open(tmp_path, OURS).collection("esa-worldcover")
    ours = Catalog.open(OURS).collection("esa-worldcover")
    assert mine.bands == ours.bands and mine.breaks == ours.breaks and mine.title == ours.title
    assert mine.origins[0].href == str(tmp_path / "items" / "collection.json")


def test_a_band_of_ours_is_changed_in_one_fact(tmp_path: Path) -> None:
    bands = {"population": {"nodata_means": "zero"}}
    write(tmp_path, id="my-people", **{"geomon:extends": "worldpop", "geomon:bands": bands})
    band = Catalog.open(tmp_path, OURS).collection("my-people").band()
    assert (band.nodata_means, band.unit, band.nodata) == ("zero", "people", -99999.0)


def test_two_collections_of_one_id_are_refused(tmp_path: Path) -> None:
    facts = {"geomon:bands": {"x": {"kind": "amount"}}}
    write(tmp_path, id="worldpop", **facts)
    with pytest.raises(CatalogError, match=r"'worldpop' is defined by .* Rename one, or let it say"):
        Catalog.open(tmp_path, OURS)


def test_a_collection_that_extends_nothing_known_is_refused(tmp_path: Path) -> None:
    write(tmp_path, id="mine", **{"geomon:extends": "worldcover"})
    with pytest.raises(CatalogError, match="Did you mean 'esa-worldcover'"):
        Catalog.open(tmp_path, OURS)


@pytest.mark.parametrize(
    ("band", "message"),
    [
        ({}, "does not say its kind: 'amount', 'class', 'rate'"),
        ({"kind": "count"}, "has the kind 'count'"),
        ({"kind": "class"}, "has no classes"),
        ({"kind": "rate", "when": "2020"}, "say 'item', 'static' or 'year:2020'"),
        ({"kind": "amount", "nodata_means": "nobody"}, "say 'unseen' or 'zero'"),
    ],
)
def test_a_band_that_says_too_little_is_refused(band: Mapping[str, Any], message: str) -> None:
    document = {"id": "mine", "geomon:bands": {"x": band}}
    with pytest.raises(CatalogError, match=message):
        documents.record(document, Path("collection.json"))


def test_addresses_take_variables_with_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "a" / "collection.json"
    monkeypatch.delenv("GEOMON_TEST_DATA", raising=False)
    assert documents.located("${GEOMON_TEST_DATA:-../data}/x", file) == str(tmp_path / "data" / "x")
    monkeypatch.setenv("GEOMON_TEST_DATA", "/elsewhere")
    assert documents.located("${GEOMON_TEST_DATA:-../data}/x", file) == "/elsewhere/x"
    assert documents.located("https://example.org/v1", file) == "https://example.org/v1"


def test_a_product_that_must_be_downloaded_says_where_its_files_are_expected(
    ours: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEOMON_DATA", raising=False)
    with pytest.raises(
        CatalogError, match=r"\$\{GEOMON_DATA\}/cgls-lc100, and GEOMON_DATA is not set. Set it to the folder"
    ):
        ours.find("cgls-lc100")


def test_a_variable_without_default_is_asked_for_when_it_is_needed() -> None:
    catalog = made.catalog({"type": "folder", "href": "${GEOMON_NOT_SET}/x"})
    with pytest.raises(CatalogError, match="GEOMON_NOT_SET is not set"):
        catalog.find("made")


def test_an_unknown_collection_or_band_gets_a_hint(ours: Catalog) -> None:
    with pytest.raises(CatalogError, match="Did you mean 'worldpop'"):
        ours.collection("worldpopp")
    with pytest.raises(CatalogError, match="Did you mean 'seasonality'"):
        ours.collection("jrc-gsw").band("seasonallity")


def test_an_unknown_class_group_gets_a_hint(ours: Catalog) -> None:
    legend = ours.collection("esa-worldcover").band().legend
    assert legend
    with pytest.raises(CatalogError, match=r"no class group 'forrest'; it has .* Did you mean 'forest'"):
        legend.group("forrest", "esa-worldcover")


def test_a_catalog_survives_pickling(ours: Catalog) -> None:
    assert repr(pickle.loads(pickle.dumps(ours))) == repr(ours)


# finding


def years(tmp_path: Path, *wanted: int, **facts: Any) -> dict[str, Any]:
    """A static origin with an item for each year, of files that do not exist."""
    items = [
        item(
            f"y{y}",
            {"data": {"href": f"./{y}.tif"}},
            time=(f"{y}-01-01T00:00:00Z", f"{y}-12-31T23:59:59Z"),
            **facts,
        )
        for y in wanted
    ]
    return {"type": "static", "href": str(static(tmp_path, items))}


def test_only_what_lies_inside_the_period_counts(tmp_path: Path) -> None:
    catalog = made.catalog(years(tmp_path, 2019, 2020, 2021), {"nodata": 0})
    assert labels(catalog.find("made", "", Period.of("2020/2021"))) == ["2020", "2021"]
    assert labels(catalog.find("made", "", Period.of("2020-06"))) == []
    assert labels(catalog.find("made")) == ["2019", "2020", "2021"]


def test_a_plan_opens_no_file_where_the_item_says_enough(tmp_path: Path) -> None:
    catalog = made.catalog(years(tmp_path, 2020), {"nodata": 0})
    (scene,) = catalog.find("made")
    assert not Path(scene.granules[0].href).exists()
    assert catalog.grids([scene])[0].crs == "EPSG:4326"


def test_what_a_band_describes_is_said_by_the_collection(tmp_path: Path) -> None:
    aggregate = item("all", {"data": {"href": "a.tif"}}, time=("1984-03-16T00:00:00Z", "2020-12-31T23:59:59Z"))
    origin = {"type": "static", "href": str(static(tmp_path, [aggregate]))}
    plain = made.catalog(origin, {"nodata": 0})
    assert plain.find("made", "", Period.of("1984")) == ()
    assert labels(plain.find("made", "", Period.of("1980/2021"))) == ["1984/2020"]
    year = made.catalog(origin, {"nodata": 0, "when": "year:2020"})
    assert labels(year.find("made", "", Period.of("2020"))) == ["2020"]
    assert year.find("made", "", Period.of("2019")) == ()
    always = made.catalog(origin, {"nodata": 0, "when": "static"})
    assert labels(always.find("made", "", Period.of("2035"))) == ["static"]


@pytest.mark.parametrize(
    ("start", "end", "label"),
    [
        ("2020-01-01T00:00:00Z", "2020-12-31T23:59:59Z", "2020"),
        ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2020"),
        ("2020-01-01T00:00:00Z", "2020-12-31T00:00:00Z", "2020"),
        ("2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z", "2020-02"),
        ("2020-02-18T00:00:00Z", "2020-03-04T23:59:59Z", "2020-02-18"),
    ],
)
def test_an_interval_ends_as_catalogues_mean_it(tmp_path: Path, start: str, end: str, label: str) -> None:
    one = item("one", {"data": {"href": "a.tif"}}, time=(start, end))
    catalog = made.catalog({"type": "static", "href": str(static(tmp_path, [one]))}, {"nodata": 0})
    assert labels(catalog.find("made", "", Period.of("2020"))) == [label]


def overpasses(tmp_path: Path, *items: dict[str, Any]) -> tuple[Scene, ...]:
    """The scenes of items of one moment each."""
    origin = {"type": "static", "href": str(static(tmp_path, items))}
    return made.catalog(origin, {"nodata": 0}).find("made")


def moment(id: str, time: str, east: float = 10.0, **said: str) -> dict[str, Any]:
    """An item of a moment, at a place."""
    place = (STEP, 0.0, east, 0.0, -STEP, 50.0)
    box = (east, 49.0, east + 1, 50.0)
    words = {"orbit": "sat:orbit_state", "baseline": "s2:processing_baseline"}
    facts = {words.get(k, k): v for k, v in said.items()}
    return item(id, {"data": {"href": f"{id}.tif"}}, time=time, bbox=box, transform=place, said=facts)


def test_granules_of_one_overpass_are_one_date(tmp_path: Path) -> None:
    a = moment("a", "2020-03-05T10:00:00Z", platform="sentinel-2a")
    b = moment("b", "2020-03-05T10:00:14Z", east=11.0, platform="Sentinel-2A")
    c = moment("c", "2020-03-08T10:00:00Z", platform="sentinel-2b")
    found = overpasses(tmp_path, a, b, c)
    assert labels(found) == ["2020-03-05", "2020-03-08"]
    assert ids(found) == [["a", "b"], ["c"]]


def test_the_day_is_that_of_the_sun_above_the_item(tmp_path: Path) -> None:
    before = moment("a", "2020-03-05T23:59:50Z", east=178.0)
    after = moment("b", "2020-03-06T00:00:10Z", east=177.0)
    found = overpasses(tmp_path, before, after)
    assert labels(found) == ["2020-03-06"] and ids(found) == [["a", "b"]]


def test_a_time_of_midnight_is_only_a_date(tmp_path: Path) -> None:
    assert labels(overpasses(tmp_path, moment("a", "2019-09-17T00:00:00Z", east=-1.0))) == ["2019-09-17"]


def test_two_satellites_of_one_day_are_two_dates_with_two_labels(tmp_path: Path) -> None:
    a = moment("a", "2020-03-05T05:40:00Z", platform="sentinel-1a", orbit="descending")
    b = moment("b", "2020-03-05T17:20:00Z", platform="sentinel-1a", orbit="ascending")
    assert labels(overpasses(tmp_path, a, b)) == ["2020-03-05 05:40", "2020-03-05 17:20"]


def test_tiles_of_one_year_are_one_date(tmp_path: Path) -> None:
    time = ("2020-01-01T00:00:00Z", "2020-12-31T23:59:59Z")
    a = item("a", {"data": {"href": "a.tif"}}, time=time)
    b = item("b", {"data": {"href": "b.tif"}}, time=time, transform=(STEP, 0, 10.04, 0, -STEP, 50.0))
    found = overpasses(tmp_path, a, b)
    assert labels(found) == ["2020"] and ids(found) == [["a", "b"]]


def test_of_two_versions_of_a_granule_the_newest_is_taken_and_the_other_remarked(tmp_path: Path) -> None:
    time = "2021-07-01T10:00:31.024Z"
    old = moment("T33_20210701", time, baseline="03.01")
    new = moment("A_T33_20230501", time, baseline="05.00")
    (scene,) = overpasses(tmp_path, old, new)
    assert [g.item for g in scene.granules] == ["A_T33_20230501"]
    assert scene.remarks == ("T33_20210701 is left out for its newer version A_T33_20230501",)


def test_a_box_selects_items_also_across_the_antimeridian(tmp_path: Path) -> None:
    a, b = moment("a", "2020-03-05T10:00:00Z", east=-179.5), moment("b", "2020-05-05T10:00:00Z", east=10.0)
    origin = {"type": "static", "href": str(static(tmp_path, [a, b]))}
    catalog = made.catalog(origin, {"nodata": 0})
    assert ids(catalog.find("made", bbox_lonlat=(179, 49, -179, 50))) == [["a"]]
    assert ids(catalog.find("made", bbox_lonlat=(10, 49, 11, 50))) == [["b"]]
    assert catalog.find("made", bbox_lonlat=(20, 49, 21, 50)) == ()


def test_a_static_catalogue_is_walked_past_what_cannot_match(tmp_path: Path) -> None:
    static(tmp_path / "far", [moment("far", "2020-03-05T10:00:00Z", east=100.0)], id="far")
    static(tmp_path / "near", [moment("near", "2020-03-05T10:00:00Z")], id="near")
    far = json.loads((tmp_path / "far/collection.json").read_text())
    far["extent"]["spatial"]["bbox"] = [[100, 49, 101, 50]]
    far["links"][0]["href"] = "./not-there.json"  # would be an error if it were entered
    (tmp_path / "far/collection.json").write_text(json.dumps(far))
    root = {"type": "Collection", "id": "made", "stac_version": "1.1.0", "description": "x", "license": "other"}
    root["extent"] = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}  # type: ignore[assignment]
    root["links"] = [{"rel": "child", "href": f"./{n}/collection.json"} for n in ("far", "near")]  # type: ignore[assignment]
    (tmp_path / "collection.json").write_text(json.dumps(root))
    catalog = made.catalog({"type": "static", "href": str(tmp_path / "collection.json")}, {"nodata": 0})
    assert ids(catalog.find("made", bbox_lonlat=(10, 49, 11, 50))) == [["near"]]


def test_a_collection_that_vanished_lists_what_is_there(tmp_path: Path) -> None:
    origin = {**years(tmp_path / "c", 2020), "collection": "map-2020"}
    (tmp_path / "catalog.json").write_text(
        json.dumps(
            {
                "type": "Catalog",
                "id": "root",
                "stac_version": "1.1.0",
                "description": "x",
                "links": [{"rel": "child", "href": "./c/collection.json"}],
            }
        )
    )
    catalog = made.catalog({**origin, "href": str(tmp_path / "catalog.json")})
    with pytest.raises(CatalogError, match=r"'map-2020', which is not there; it offers 'made'"):
        catalog.find("made")


def test_an_empty_search_is_empty_and_its_error_says_what_there_is(tmp_path: Path) -> None:
    catalog = made.catalog(years(tmp_path, 2019, 2020), {"nodata": 0})
    assert catalog.find("made", "", Period.of("2031")) == ()
    with pytest.raises(CatalogError, match=r"Nothing found of made band 'x' for 2031; it has '2019', '2020'"):
        catalog.find("made", "", Period.of("2031"), required=True)
    with pytest.raises(CatalogError, match=r"in the box 20, 49, 21, 50; .* but not in the box"):
        catalog.find("made", "", Period.of("2020"), (20, 49, 21, 50), required=True)


def test_an_origin_that_cannot_be_asked_is_passed_over_with_a_remark(tmp_path: Path) -> None:
    gone = {"type": "folder", "href": str(tmp_path / "gone"), "collection": "made"}
    one = made.collection(years(tmp_path / "c", 2020), {"nodata": 0})
    first = documents.origin(gone, "made", tmp_path / "collection.json")
    both = Collection(**{**vars(one), "origins": (first, *one.origins)})
    (scene,) = Catalog((both,)).find("made")
    assert "which does not exist" in scene.remarks[0]
    with pytest.raises(CatalogError, match="which does not exist"):
        Catalog((Collection(**{**vars(one), "origins": (first,)}),)).find("made")


def test_a_band_that_no_origin_has_is_an_error_that_says_how_to_bind_it(tmp_path: Path) -> None:
    catalog = made.catalog({**years(tmp_path, 2020), "bands": ["y"]})
    with pytest.raises(CatalogError, match=r"band 'x' come from. Bind it to yours"):
        catalog.find("made")


# folders


def test_a_folder_of_files_becomes_dates_by_their_names(tmp_path: Path) -> None:
    for year in (2019, 2020):
        tif(tmp_path / f"cover-{year}.tif", cells(), nodata=0)
    tif(tmp_path / "other.tif", cells())
    catalog = made.catalog({"type": "folder", "href": str(tmp_path), "pattern": "cover-{year}.tif"})
    found = catalog.find("made", "", Period.of("2020"))
    assert labels(found) == ["2020"]
    assert found[0].granules[0].shape == (4, 4) and found[0].granules[0].crs == "EPSG:4326"


@pytest.mark.parametrize(
    ("pattern", "name", "label"),
    [
        ("SVDNB_*_{start}-{end}_*_vcmcfg_*.tif", "SVDNB_npp_20140101-20140131_75N060W_vcmcfg_v10.tif", "2014-01"),
        ("F??{year}.v4*_web.stable_lights.avg_vis.tif", "F101992.v4b_web.stable_lights.avg_vis.tif", "1992"),
        ("{year}_{month}-water.tif", "1984_04-water.tif", "1984-04"),
        ("s1-{date}.tif", "s1-2020-03-05.tif", "2020-03-05"),
    ],
)
def test_dates_in_file_names(tmp_path: Path, pattern: str, name: str, label: str) -> None:
    tif(tmp_path / name, cells(), nodata=0)
    catalog = made.catalog({"type": "folder", "href": str(tmp_path), "pattern": pattern})
    assert labels(catalog.find("made")) == [label]


def test_files_without_a_time_need_a_band_that_is_always_valid(tmp_path: Path) -> None:
    tif(tmp_path / "people.tif", cells(), nodata=0)
    origin = {"type": "folder", "href": str(tmp_path), "pattern": "people.tif"}
    with pytest.raises(CatalogError, match="does not say their time"):
        made.catalog(origin).find("made")
    assert labels(made.catalog(origin, {"when": "static"}).find("made")) == ["static"]


def test_scale_and_offset_of_a_lone_file_are_those_in_it(tmp_path: Path) -> None:
    tif(tmp_path / "n-2020.tif", cells(), nodata=0, scale=0.0001, offset=-0.1)
    catalog = made.catalog({"type": "folder", "href": str(tmp_path), "pattern": "n-{year}.tif"}, {"kind": "rate"})
    granule = catalog.find("made")[0].granules[0]
    assert (granule.scale, granule.offset) == (0.0001, -0.1)


def test_a_raster_of_ones_own_is_a_collection_of_one_band(tmp_path: Path) -> None:
    path = tif(tmp_path / "forest map (final).tif", cells())
    classes = [{"value": 1, "name": "trees", "groups": ["forest"]}]
    catalog = Catalog(()).with_raster("mine", path, kind="class", classes=classes)
    (scene,) = catalog.find("mine", "", Period.of("2020"))
    assert [g.href for g in scene.granules] == [str(path)]
    assert labels(
        Catalog(()).with_raster("mine", path, kind="class", classes=classes, when="year:2020").find("mine")
    ) == ["2020"]
    with pytest.raises(CatalogError, match="which does not exist"):
        Catalog(()).with_raster("mine", tmp_path / "none.tif", kind="amount").find("mine")


# what an item says too little about


def bare(tmp_path: Path, values: Any = None, **profile: Any) -> dict[str, Any]:
    """A static origin of one item without proj: fields, over a file."""
    tif(tmp_path / "a.tif", cells() if values is None else values, **profile)
    one = item("one", {"data": {"href": "./a.tif"}}, proj=False)
    return {"type": "static", "href": str(static(tmp_path, [one]))}


def test_where_an_item_lies_is_read_from_the_header(tmp_path: Path) -> None:
    (scene,) = made.catalog(bare(tmp_path, nodata=0)).find("made")
    assert scene.granules[0].transform == PLACE and scene.granules[0].shape == (4, 4)


def test_a_file_without_crs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"a.tif has no CRS, and its item names none. Add proj:code"):
        made.catalog(bare(tmp_path, nodata=0, crs=None)).find("made")


def test_a_band_with_neither_nodata_nor_legend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"marks unseen pixels in no way.*Add \"nodata\""):
        made.catalog(bare(tmp_path)).find("made")


def test_it_is_refused_also_where_the_item_says_where_it_lies(tmp_path: Path) -> None:
    tif(tmp_path / "a.tif", cells())
    one = item("one", {"data": {"href": "./a.tif"}})
    catalog = made.catalog({"type": "static", "href": str(static(tmp_path, [one]))})
    with pytest.raises(CatalogError, match="marks unseen pixels in no way"):
        catalog.find("made")


def test_nodata_in_the_file_a_legend_or_floats_are_enough(tmp_path: Path) -> None:
    assert made.catalog(bare(tmp_path / "a", nodata=0)).find("made")
    assert made.catalog(bare(tmp_path / "b", values=cells(dtype="float32"))).find("made")
    classes = [{"value": 1, "name": "one"}]
    assert made.catalog(bare(tmp_path / "c"), {"kind": "class", "classes": classes}).find("made")


def test_an_item_whose_file_cannot_be_opened_is_found_and_fails_when_read(tmp_path: Path) -> None:
    catalog = made.catalog(bare(tmp_path, nodata=0))
    (tmp_path / "a.tif").write_text("no raster")
    found = catalog.find("made")
    assert found[0].granules[0].fault == "it is not a raster that can be opened"
    with pytest.raises(CatalogError, match=r"No granule can be placed on a grid \(one: it is not a raster"):
        catalog.grids(found)


def test_a_rotated_grid_is_refused(tmp_path: Path) -> None:
    rotated = (0.007, 0.007, 10.0, 0.007, -0.007, 50.0)
    one = item("one", {"data": {"href": "a.tif"}}, transform=rotated)
    catalog = made.catalog({"type": "static", "href": str(static(tmp_path, [one]))}, {"nodata": 0})
    with pytest.raises(CatalogError, match=r"one of made: .*rotated"):
        catalog.find("made")


def test_items_on_different_lattices_have_a_grid_each(tmp_path: Path) -> None:
    catalog = made.catalog(
        {
            "type": "static",
            "href": str(
                static(
                    tmp_path,
                    [
                        item("a", {"data": {"href": "a.tif"}}),
                        item("b", {"data": {"href": "b.tif"}}, transform=(STEP, 0, 10.004, 0, -STEP, 50.0)),
                    ],
                )
            ),
        },
        {"nodata": 0},
    )
    assert [round(g.x0, 6) for g in catalog.grids(catalog.find("made"))] == [0.0, 0.004]


def test_grids_without_epsg_code_and_sinusoidal_ones_are_native(tmp_path: Path) -> None:
    sinusoidal = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
    place = (231.65, 0.0, -6073798.0, 0.0, -231.65, -1278279.0)
    catalog = made.catalog(bare(tmp_path, nodata=0, crs=sinusoidal, transform=place))
    (grid,) = catalog.grids(catalog.find("made"))
    assert grid.crs.startswith("PROJC") and grid.dx == 231.65


def test_a_crs_given_as_wkt_or_projjson_is_understood(tmp_path: Path) -> None:
    crs = rasterio.CRS.from_epsg(32633)
    import pyproj

    for i, said in enumerate(
        ({"proj:wkt2": crs.to_wkt()}, {"proj:projjson": pyproj.CRS(32633).to_json_dict()}, {"proj:epsg": 32633})
    ):
        facts = {"href": "a.tif", "proj:code": None, **said}
        one = item("one", {"data": facts}, transform=(10.0, 0, 500000.0, 0, -10.0, 5000000.0))
        origin = {"type": "static", "href": str(static(tmp_path / str(i), [one]))}
        found = made.catalog(origin, {"nodata": 0}).find("made")
        assert found[0].granules[0].crs == "EPSG:32633"


# bands of an asset


def several(tmp_path: Path, member: str, **said: Any) -> Any:
    """A granule of a band inside an asset of several."""
    one = item("one", {"data": {"href": "a.tif", **said}})
    catalog = made.catalog(
        {"type": "static", "href": str(static(tmp_path, [one]))}, {"nodata": 0, "member": member, "kind": "rate"}
    )
    return catalog.find("made")[0].granules[0]


@pytest.mark.parametrize(
    "said",
    [
        {"bands": [{"name": "B04"}, {"name": "B08"}]},
        {"eo:bands": [{"name": "B04"}, {"name": "B08"}]},
        {"bands": [{"eo:common_name": "red"}, {"name": "nir", "eo:common_name": "B08"}]},
    ],
)
def test_a_band_is_found_by_its_name(tmp_path: Path, said: dict[str, Any]) -> None:
    assert several(tmp_path, "B08", **said).index == 2


def test_what_an_asset_says_of_that_band_is_taken(tmp_path: Path) -> None:
    rasters = [{"scale": 0.1, "nodata": 7}, {"scale": 0.2, "offset": -1.0, "nodata": 9}]
    granule = several(tmp_path, "B08", **{"eo:bands": [{"name": "B04"}, {"name": "B08"}], "raster:bands": rasters})
    assert (granule.scale, granule.offset, granule.nodata) == (0.2, -1.0, 9.0)


def test_a_band_without_name_in_an_asset_of_several_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"holds 2 bands, 'B04', 'B08', and the band 'x' does not say which"):
        several(tmp_path, "", bands=[{"name": "B04"}, {"name": "B08"}])


def test_a_band_of_another_name_is_refused_with_the_names(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"has no band 'B80'; it has 'B04', 'B08'. Did you mean 'B08'"):
        several(tmp_path, "B80", bands=[{"name": "B04"}, {"name": "B08"}])


def test_scale_of_the_item_goes_before_that_of_the_collection(tmp_path: Path) -> None:
    said = item("one", {"data": {"href": "a.tif", "raster:scale": 0.5}})
    silent = item("two", {"data": {"href": "b.tif"}}, transform=(STEP, 0, 10.04, 0, -STEP, 50.0))
    catalog = made.catalog(
        {"type": "static", "href": str(static(tmp_path, [said, silent]))}, {"nodata": 0, "scale": 0.1, "offset": 3}
    )
    granules = catalog.find("made")[0].granules
    assert [(g.scale, g.offset) for g in granules] == [(0.5, 3.0), (0.1, 3.0)]


# Sentinel-2: the offset of the baseline, exactly once


BASELINE, APPLIED = "s2:processing_baseline", "earthsearch:boa_offset_applied"
SENTINEL_2: list[tuple[str, dict[str, Any], dict[str, Any], float]] = [
    # provider and case, what the item says, what its raster:bands say, the offset that is still needed
    ("pc 02.12", {BASELINE: "02.12"}, {}, 0.0),
    ("pc 05.09", {BASELINE: "05.09"}, {}, -0.1),
    ("pc 04.00", {BASELINE: "04.00"}, {}, -0.1),
    ("pc 05.00, raster:bands without offset", {BASELINE: "05.00"}, {"scale": 0.0001}, -0.1),
    ("es applied", {BASELINE: "04.00", APPLIED: True}, {"offset": 0}, 0.0),
    ("es applied, stale offset", {BASELINE: "04.00", APPLIED: True}, {"offset": -0.1}, 0.0),
    ("es not applied, new", {BASELINE: "05.11", APPLIED: False}, {"offset": -0.1}, -0.1),
    ("es not applied, new, silent", {BASELINE: "05.11", APPLIED: False}, {}, -0.1),
    ("es not applied, old", {BASELINE: "03.01", APPLIED: False}, {"offset": 0}, 0.0),
    ("c1", {BASELINE: "05.00"}, {"scale": 0.0001, "offset": -0.1}, -0.1),
    ("c1 without baseline", {}, {"scale": 0.0001, "offset": -0.1}, -0.1),
    ("raster:bands say that none is needed", {BASELINE: "05.00"}, {"offset": 0}, 0.0),
    ("processing extension", {"processing:version": "05.10"}, {}, -0.1),
]


def sentinel_2(tmp_path: Path, properties: Mapping[str, Any], raster: Mapping[str, Any]) -> Catalog:
    """Our Sentinel-2 collection over one item whose red band has reflectance 0.2 as it stores it."""
    one = item(
        "S2", {"red": {"href": "./red.tif", **({"raster:bands": [dict(raster)]} if raster else {})}},
        time="2023-07-01T10:00:31Z", said=properties,
    )  # fmt: skip
    origins = [{"type": "static", "href": str(static(tmp_path / "items", [one])), "collection": "made"}]
    write(tmp_path / "mine", **{"geomon:extends": "sentinel-2-l2a", "geomon:origins": origins})
    return Catalog.open(tmp_path / "mine", OURS)


@pytest.mark.parametrize(("case", "properties", "raster", "offset"), SENTINEL_2, ids=[c[0] for c in SENTINEL_2])
def test_the_offset_of_sentinel_2_is_applied_exactly_once(
    tmp_path: Path, case: str, properties: dict[str, Any], raster: dict[str, Any], offset: float
) -> None:
    from geomon.sources.reading import read

    stored = 2000 if offset == 0.0 else 3000
    tif(tmp_path / "items" / "red.tif", np.array([[stored, 0], [stored, stored]], "uint16"), nodata=0)
    catalog = sentinel_2(tmp_path, properties, raster)
    (scene,) = catalog.find("sentinel-2-l2a", "red")
    granule = scene.granules[0]
    assert granule.offset == offset
    values, _ = read(
        Scene("x", scene.when, (made.granule(granule.href, shape=(2, 2), scale=granule.scale, offset=granule.offset),)),
        catalog.collection("sentinel-2-l2a").band("red"),
        catalog.grids([scene])[0].cover((10.0, 49.98, 10.02, 50.0)),
    )
    np.testing.assert_allclose(values, [[0.2, np.nan], [0.2, 0.2]], atol=1e-12)


def test_a_sentinel_2_item_without_baseline_and_offset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="neither its offset nor its processing baseline"):
        sentinel_2(tmp_path, {}, {}).find("sentinel-2-l2a", "red")


def test_no_offset_of_the_scene_classification(tmp_path: Path) -> None:
    one = item(
        "S2", {"SCL": {"href": "./scl.tif"}}, time="2023-07-01T10:00:31Z", said={"s2:processing_baseline": "05.00"}
    )
    origin = {
        "type": "static",
        "href": str(static(tmp_path / "items", [one])),
        "collection": "made",
        "assets": {"scl": "SCL"},
    }
    write(tmp_path / "mine", **{"geomon:extends": "sentinel-2-l2a", "geomon:origins": [origin]})
    (scene,) = Catalog.open(tmp_path / "mine", OURS).find("sentinel-2-l2a", "scl")
    assert (scene.granules[0].asset, scene.granules[0].offset) == ("SCL", 0.0)


# features


def squares(tmp_path: Path) -> Catalog:
    """A vector collection of two squares."""
    import geopandas as gpd
    from shapely.geometry import box

    frame = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[box(10, 49, 11, 50), box(20, 49, 21, 50)], crs=4326)
    frame.to_crs(3857).to_parquet(tmp_path / "squares.parquet")
    one = item("squares", {"data": {"href": "./squares.parquet"}}, bbox=(10, 49, 21, 50), proj=False)
    document = {
        "id": "made",
        "geomon:kind": "features",
        "geomon:origins": [{"type": "static", "href": str(static(tmp_path, [one])), "collection": "made"}],
    }
    return Catalog((documents.record(document, tmp_path / "mine.json"),))


def test_features_of_a_vector_collection_come_in_degrees(tmp_path: Path) -> None:
    catalog = squares(tmp_path)
    found = catalog.features("made", (9, 48, 12, 51))
    assert found["name"].tolist() == ["a"] and found.crs == "EPSG:4326"
    np.testing.assert_allclose(found.total_bounds, [10, 49, 11, 50], atol=1e-9)
    assert len(catalog.features("made")) == 2
    assert catalog.features("made", (100, 0, 101, 1)).empty


def test_rasters_are_not_features(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="holds rasters, not features"):
        made.catalog(years(tmp_path, 2020)).features("made")


def test_messages_hold_no_double_spaces_and_end_like_sentences(ours: Catalog) -> None:
    error = str(ours.nothing("sentinel-1-rtc", "vv", Period.of("2001"), (0, 0, 1, 1)))
    assert not re.search(r"  |\.\.$", error) and error.endswith(".")
