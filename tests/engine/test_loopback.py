"""The same over HTTP: real clients against recorded exchanges, byte ranges, faults and tokens, all on loopback."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geomon.errors import CatalogError
from geomon.grid import Grid
from geomon.period import Period
from geomon.sources import files, opening, reading, signing, tiles
from geomon.sources.catalog import Catalog
from geomon.sources.opening import Patience
from geomon.sources.reading import read, read_packed
from geomon.sources.records import Scene
from tests.engine import made
from tests.engine.loopback import Asked, Fault, Handler, Loopback, api, serving
from tests.engine.made import PLACE, STEP, band, cells, granule, item, scene, static, tif

HASTY = Patience(tries=3, pause=0.02, timeout=0.5, connect=0.5)
GRID = Grid.of("EPSG:4326", PLACE)
DAYS = [f"2020-06-{d:02d}" for d in range(1, 25)]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test begins without known faults and tokens."""
    for memory in (reading.FAILED, opening.TROUBLED, signing.TOKENS):
        memory.clear()
    files.forget()
    yield
    files.forget()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Loopback]:
    """A server of the files in tmp_path."""
    with serving(tmp_path) as one:
        yield one


def hasty(catalog: Catalog) -> Catalog:
    """The same, soon out of patience."""
    return Catalog(catalog.known, HASTY)


# reading over HTTP


def fetched(href: str) -> tuple[Any, Any]:
    """The values and the row of a granule of 4 x 4 cells."""
    values, rows = read(scene(granule(href)), band(), GRID.window(PLACE, (4, 4)), patience=HASTY)  # type: ignore[arg-type]
    return values, rows[0]


def test_a_block_is_read_by_byte_ranges(server: Loopback, tmp_path: Path) -> None:
    stored = np.random.default_rng(7).integers(0, 60000, (1024, 1024), "uint16")
    tif(tmp_path / "big.tif", stored, blockxsize=256, blockysize=256)
    whole = GRID.window(PLACE, (1024, 1024))
    assert whole is not None
    one = granule(f"{server.url}/big.tif", shape=(1024, 1024))
    corner = GRID.cover((10.0, 50.0 - 100 * STEP, 10.0 + 100 * STEP, 50.0))
    values, _ = read(scene(one), band(), corner, patience=HASTY)
    np.testing.assert_array_equal(values, stored[:100, :100])
    assert server.sent < 1024 * 1024 * 2 / 2  # bytes: half the file at most


@pytest.mark.parametrize(
    ("fault", "status", "tries", "why"),
    [
        (None, "ok", 1, ""),
        (Fault("503", 1), "retried", 2, ""),
        (Fault("429", 2), "retried", 3, ""),
        (Fault("reset", 1), "retried", 2, ""),
        (Fault("stall", 1), "retried", 2, ""),
        (Fault("short", 1), "retried", 2, ""),
        (Fault("drip", 1), "retried", 2, ""),
        (Fault("whole"), "ok", 1, ""),
        (Fault("short"), "failed", 3, "the connection broke"),
        (Fault("503"), "failed", 3, "the server answered 503 (refused)"),
        (Fault("429"), "failed", 3, "the server answered 429 (too many requests)"),
        (Fault("reset"), "failed", 3, "the connection broke"),
        (Fault("stall"), "failed", 3, "the server did not answer in time"),
        (Fault("404"), "failed", 1, "the server answered 404 (not found)"),
        (Fault("403"), "failed", 1, "the server answered 403 (not allowed)"),
    ],
    ids=lambda v: f"{v.kind} x {v.times}" if isinstance(v, Fault) else None,
)
def test_passing_faults_are_tried_again_and_lasting_ones_not(
    server: Loopback, tmp_path: Path, fault: Fault | None, status: str, tries: int, why: str
) -> None:
    tif(tmp_path / "a.tif", cells())
    if fault:
        server.faults["/a.tif"] = Fault(fault.kind, fault.times)
    values, row = fetched(f"{server.url}/a.tif")
    assert (row.status, row.tries, row.why) == (status, tries, why)
    if status == "failed":
        assert np.isnan(values).all()
    else:
        np.testing.assert_array_equal(values, cells())


def big(server: Loopback, tmp_path: Path, name: str = "big") -> tuple[Any, Any]:
    """A file of 16 tiles on the server, as a granule, and its numbers."""
    stored = np.random.default_rng(7).integers(0, 60000, (256, 256), "uint16")
    tif(tmp_path / f"{name}.tif", stored, blockxsize=64, blockysize=64)
    return granule(f"{server.url}/{name}.tif", shape=(256, 256)), stored


def test_a_header_is_asked_for_once_and_tiles_side_by_side_together(server: Loopback, tmp_path: Path) -> None:
    one, stored = big(server, tmp_path)
    whole = GRID.window(PLACE, (256, 256))
    assert whole is not None
    for window in whole.blocks(128):
        shared = window.intersect(whole)
        if shared is None:
            continue
        values, rows = read(scene(one), band(), shared, patience=HASTY)
        np.testing.assert_array_equal(values, stored[shared.inside(whole)])
        assert rows[0].tries == 1
    header = [a for a in server.asked if a.range == f"bytes=0-{tiles.HEAD - 1}"]
    assert len(header) == 1 and len(server.asked) < 1 + 16


def test_servers_are_asked_for_many_files_at_once(server: Loopback, tmp_path: Path) -> None:
    dates = [scene(replace(big(server, tmp_path, f"f{n}")[0], item=f"f{n}")) for n in range(24)]
    window = GRID.window(PLACE, (256, 256))
    server.delay = 0.3
    found, rows = read_packed(dates, band(), window, patience=Patience(timeout=60.0))  # type: ignore[arg-type]
    assert found.stored.shape == (24, 256, 256) and {r.status for r in rows} == {"ok"}
    assert [r.item for r in rows] == [f"f{n}" for n in range(24)]
    assert 4 < server.widest <= files.WIDE  # the cores may be busy; one after the other it would be 1


@pytest.mark.parametrize("kept", [0, files.OPEN], ids=["closed meanwhile", "open"])
def test_a_file_that_changes_on_its_server_is_a_failed_row_from_then_on(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Of one run some blocks would be of the old version and some of the new."""
    monkeypatch.setattr(files, "OPEN", kept)
    one, stored = big(server, tmp_path)
    corner = GRID.cover((10.0, 50.0 - 100 * STEP, 10.0 + 100 * STEP, 50.0))
    assert read(scene(one), band(), corner, patience=HASTY)[1][0].status == "ok"
    tif(tmp_path / "big.tif", stored + 1, blockxsize=32, blockysize=32)
    for _ in range(3):
        values, (row,) = read(scene(one), band(), corner, patience=HASTY)
        assert (row.status, row.why) == ("failed", "it has changed on its server since its header was read")
        assert np.isnan(values).all()
    files.forget(one.href)
    values, _ = read(scene(one), band(), corner, patience=HASTY)
    np.testing.assert_array_equal(values, stored[:100, :100] + 1)


def test_a_server_that_gives_no_ranges_any_more_is_gdals_to_ask(server: Loopback, tmp_path: Path) -> None:
    one, stored = big(server, tmp_path)
    top, bottom = (
        GRID.cover((10.0, 50.0 - b * STEP, 10.0 + 256 * STEP, 50.0 - a * STEP)) for a, b in [(0, 64), (64, 256)]
    )
    assert read(scene(one), band(), top, patience=HASTY)[1][0].status == "ok"
    server.faults["/big.tif"] = Fault("whole")
    for _ in range(2):
        values, (row,) = read(scene(one), band(), bottom, patience=HASTY)
        assert (row.status, row.why) == ("ok", "")
        np.testing.assert_array_equal(values, stored[64:])
    assert files.plain(one, HASTY) is None


def test_another_part_of_the_file_than_was_asked_for_is_a_failed_row(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = big(server, tmp_path)
    whole = GRID.window(PLACE, (256, 256))
    assert whole is not None
    asked_for = Handler.send_file

    def from_the_start(self: Handler, path: str) -> None:
        self.headers.replace_header("Range", "bytes=0-65535")
        asked_for(self, path)

    monkeypatch.setattr(Handler, "send_file", from_the_start)
    values, (row,) = read(scene(one), band(), whole, patience=HASTY)
    assert row.status == "failed" and re.search(r"asked for the bytes from \d+ on and gave those from 0 on", row.why)
    assert np.isnan(values).all()


def test_gdal_asks_where_it_was_told_how(server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, stored = big(server, tmp_path)
    monkeypatch.setenv("GDAL_HTTP_USERAGENT", "ministry")
    values, _ = read(scene(one), band(), GRID.window(PLACE, (256, 256)), patience=HASTY)  # type: ignore[arg-type]
    np.testing.assert_array_equal(values, stored)
    assert all(a.range != f"bytes=0-{tiles.HEAD - 1}" for a in server.asked)


def test_a_file_that_its_server_does_not_give_is_not_asked_for_in_every_block(server: Loopback) -> None:
    server.faults["/a.tif"] = Fault("404")
    rows = [fetched(f"{server.url}/a.tif")[1] for _ in range(5)]
    assert {r.status for r in rows} == {"failed"}
    assert server.count("/a.tif") == 1


def test_a_server_that_is_not_there_is_a_row(server: Loopback) -> None:
    _, row = fetched("http://127.0.0.1:9/a.tif")
    assert (row.status, row.why) == ("failed", "the server cannot be reached")


def test_of_24_dates_three_fail_and_the_others_are_right(server: Loopback, tmp_path: Path) -> None:
    items = []
    for i, day in enumerate(DAYS):
        tif(tmp_path / "cogs" / f"{day}.tif", cells() + i)
        items.append(item(day, {"data": {"href": f"{server.url}/cogs/{day}.tif"}}, time=f"{day}T10:00:00Z"))
    (tmp_path / "cogs" / f"{DAYS[3]}.tif").write_bytes(b"II*\0 not a tiff at all" * 50)
    (tmp_path / "cogs" / f"{DAYS[7]}.tif").unlink()
    server.faults[f"/cogs/{DAYS[11]}.tif"] = Fault("stall")
    catalog = hasty(made.catalog({"type": "stac-api", "href": api(server, {"made": items})}, {"nodata": 0}))
    found = catalog.find("made", "", Period.of("2020-06"))
    assert [s.label for s in found] == DAYS
    window = catalog.grids(found)[0].cover((10.0, 49.96, 10.04, 50.0))
    one = catalog.collection("made").band()
    results = [read(s, one, window, patience=HASTY) for s in found]
    failed = {row.item: row.why for _, rows in results for row in rows if row.status == "failed"}
    assert failed == {
        DAYS[3]: "it is not a raster that can be opened",
        DAYS[7]: "the server answered 404 (not found)",
        DAYS[11]: "the server did not answer in time",
    }
    assert len({row.item for _, rows in results for row in rows}) == 24
    for i, (values, _) in enumerate(results):
        np.testing.assert_array_equal(values, np.full((4, 4), np.nan) if DAYS[i] in failed else cells() + i)


# searching an API


def test_pages_are_followed_and_box_and_time_are_asked_for(server: Loopback) -> None:
    items = [item(d, {"data": {"href": f"{d}.tif"}}, time=f"{d}T10:00:00Z") for d in DAYS]
    catalog = hasty(made.catalog({"type": "stac-api", "href": api(server, {"made": items})}, {"nodata": 0}))
    found = catalog.find("made", "", Period.of("2020-06"), (10, 49, 11, 50))
    assert len(found) == 24
    bodies = [a.body for a in server.asked if a.path == "/stac/search"]
    assert [b.get("token") for b in bodies] == [None, 10, 20]
    assert bodies[0]["bbox"] == [10, 49, 11, 50]
    assert bodies[0]["datetime"] == "2020-06-01T00:00:00Z/2020-06-30T23:59:59Z"


def test_what_an_api_gives_is_still_held_against_period_and_box(server: Loopback) -> None:
    year = ("2020-01-01T00:00:00Z", "2020-12-31T23:59:59Z")
    items = [item("wide", {"data": {"href": "a.tif"}}, time=year)]
    catalog = hasty(made.catalog({"type": "stac-api", "href": api(server, {"made": items})}, {"nodata": 0}))
    assert catalog.find("made", "", Period.of("2020-06")) == ()
    assert len(catalog.find("made", "", Period.of("2020"))) == 1


def test_a_collection_that_vanished_lists_what_the_api_offers(server: Loopback) -> None:
    href = api(server, {"jrc-gsw": [], "sentinel-1-rtc": []})
    catalog = hasty(made.catalog({"type": "stac-api", "href": href, "collection": "sentinel-1-rtk"}))
    message = (
        r"'sentinel-1-rtk', which is not there; it offers 'jrc-gsw', 'sentinel-1-rtc'. Did you mean 'sentinel-1-rtc'"
    )
    with pytest.raises(CatalogError, match=message):
        catalog.find("made")


def test_an_empty_search_says_what_was_asked_and_what_the_collection_has(server: Loopback) -> None:
    extent = {"spatial": {"bbox": [[0, 0, 9, 9]]}, "temporal": {"interval": [["2014-10-10T00:00:00Z", None]]}}
    catalog = hasty(made.catalog({"type": "stac-api", "href": api(server, {"made": []})}, extent=extent))
    assert catalog.find("made", "", Period.of("2001")) == ()
    with pytest.raises(
        CatalogError, match=r"made band 'x' for 2001; its items run from 2014-10-10 to today in the box \(0.0"
    ):
        catalog.find("made", "", Period.of("2001"), required=True)


def test_a_search_is_tried_again_and_then_an_error_that_names_the_api(server: Loopback) -> None:
    items = [item("one", {"data": {"href": "a.tif"}})]
    catalog = hasty(made.catalog({"type": "stac-api", "href": api(server, {"made": items})}, {"nodata": 0}))
    server.faults["/stac/search"] = Fault("503", 2)
    assert len(catalog.find("made")) == 1
    assert server.count("/stac/search") == 3
    for kind in ("503", "stall"):
        server.faults["/stac/search"] = Fault(kind)
        with pytest.raises(CatalogError, match=rf"the search at {server.url}/stac failed"):
            catalog.find("made")


def test_items_without_proj_are_placed_by_their_headers(server: Loopback, tmp_path: Path) -> None:
    tif(tmp_path / "a.tif", cells(), nodata=0)
    items = [item("a", {"data": {"href": f"{server.url}/a.tif"}}, proj=False)]
    catalog = hasty(made.catalog({"type": "stac-api", "href": api(server, {"made": items})}))
    assert catalog.grids(catalog.find("made"))[0].dx == STEP


def test_a_static_catalogue_is_walked_over_http(server: Loopback, tmp_path: Path) -> None:
    tif(tmp_path / "c" / "a.tif", cells(), nodata=0)
    static(tmp_path / "c", [item("a", {"data": {"href": "./a.tif"}})])
    catalog = hasty(made.catalog({"type": "static", "href": f"{server.url}/c/collection.json"}, {"nodata": 0}))
    server.faults["/c/a.json"] = Fault("503", 1)
    (one,) = catalog.find("made")
    assert one.granules[0].href == f"{server.url}/c/a.tif"
    values, _ = read(one, catalog.collection("made").band(), catalog.grids([one])[0].cover((10, 49.96, 10.04, 50)))
    np.testing.assert_array_equal(values, cells())


def test_a_static_catalogue_that_is_not_there_is_an_error_that_names_it(server: Loopback) -> None:
    catalog = hasty(made.catalog({"type": "static", "href": f"{server.url}/none.json"}))
    with pytest.raises(CatalogError, match=rf"the catalogue {server.url}/none.json cannot be read"):
        catalog.find("made")


# signing


def locked(server: Loopback, tmp_path: Path) -> Catalog:
    """A collection whose files need a token, searched in an API of its own."""
    for day in DAYS[:3]:
        tif(tmp_path / "safe" / f"{day}.tif", cells(), nodata=0)
    items = [item(d, {"data": {"href": f"{server.url}/safe/{d}.tif"}}, time=f"{d}T10:00:00Z") for d in DAYS[:3]]
    server.locked = "/safe/"
    sign = f"{server.url}/token/{{collection}}"
    origin = {"type": "stac-api", "href": api(server, {"there": items}), "collection": "there", "sign": sign}
    return hasty(made.catalog(origin, {"nodata": 0}))


def test_a_token_is_fetched_just_before_the_read_and_kept_while_it_is_good(server: Loopback, tmp_path: Path) -> None:
    catalog = locked(server, tmp_path)
    found = catalog.find("made")
    assert server.tokens == 0  # a plan needs none
    window = catalog.grids(found)[0].cover((10.0, 49.96, 10.04, 50.0))
    for one in found:
        values, _ = read(one, catalog.collection("made").band(), window, patience=HASTY)
        np.testing.assert_array_equal(values, cells())
    assert server.tokens == 1 and server.count("/token/there") == 1


def test_a_token_that_ends_soon_is_fetched_anew(server: Loopback, tmp_path: Path) -> None:
    catalog = locked(server, tmp_path)
    server.lifetime = 30.0
    window = GRID.cover((10.0, 49.96, 10.04, 50.0))
    rows = [read(s, catalog.collection("made").band(), window, patience=HASTY)[1][0] for s in catalog.find("made")]
    assert [r.status for r in rows] == ["ok"] * 3
    assert server.tokens == 3


def test_a_signature_is_nowhere_on_record(server: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalog = locked(server, tmp_path)
    found = catalog.find("made")
    server.faults[f"/safe/{DAYS[1]}.tif"] = Fault("404")
    server.faults[f"/safe/{DAYS[2]}.tif"] = Fault("stall", 1)
    caplog.set_level("DEBUG")
    window = catalog.grids(found)[0].cover((10.0, 49.96, 10.04, 50.0))
    results = [read(s, catalog.collection("made").band(), window, patience=HASTY) for s in found]
    rows = [asdict(r) for _, all_rows in results for r in all_rows]
    assert [r["status"] for r in rows] == ["ok", "failed", "retried"]
    assert server.tokens == 1 and caplog.text
    told = json.dumps(rows) + repr(found) + "".join(g.key for s in found for g in s.granules) + caplog.text
    assert "secret" not in told and "sig=" not in told


def test_a_token_endpoint_that_fails_is_a_row(server: Loopback, tmp_path: Path) -> None:
    catalog = locked(server, tmp_path)
    found = catalog.find("made")
    window = catalog.grids(found)[0].cover((10.0, 49.96, 10.04, 50.0))
    server.faults["/token/there"] = Fault("503", 1)
    assert read(found[0], catalog.collection("made").band(), window, patience=HASTY)[1][0].status == "retried"
    signing.TOKENS.clear()
    server.faults["/token/there"] = Fault("401")
    row = read(found[1], catalog.collection("made").band(), window, patience=HASTY)[1][0]
    assert (row.status, row.why) == ("failed", "the server answered 401 (refused)")


# recorded exchanges


def recorded(server: Loopback, shared_data: Path, *names: str) -> str:
    """An API that answers as the Planetary Computer did; gives its address."""
    server.replay(*(shared_data / "stac-samples" / f"api_{name}.json" for name in names))
    return f"{server.url}/api/stac/v1"


@pytest.mark.real
def test_recorded_sentinel_2_items_become_one_date_on_their_native_grids(server: Loopback, shared_data: Path) -> None:
    href = recorded(server, shared_data, "TestAPI_test_links", "TestItemSearch_test_datetime_results")
    server.documents["/api/stac/v1/collections/sentinel-2-l2a"] = from_list(server, "sentinel-2-l2a")
    origin = {"type": "stac-api", "href": href, "collection": "sentinel-2-l2a", "assets": {"x": "B04"}}
    facts = {"kind": "rate", "scale": 0.0001, "nodata": 0, "correction": "sentinel-2"}
    catalog = hasty(made.catalog(origin, facts))
    moment = Period.between(pd.Timestamp("2019-01-01T00:00:01"), pd.Timestamp("2019-01-01T00:00:10"))
    (one,) = catalog.find("made", "", moment)
    assert one.label == "2019-01-01" and len(one.granules) > 10
    assert {g.asset for g in one.granules} == {"B04"} and {g.offset for g in one.granules} == {0.0}
    assert {g.crs for g in one.granules} >= {"EPSG:32658", "EPSG:32659"}
    assert {g.crs for g in catalog.grids([one])} == {g.crs for g in one.granules}
    here = [g for g in one.granules if g.crs == "EPSG:32659"]
    assert catalog.grids([Scene(one.label, one.when, tuple(here))])[0].dx == 10.0


def from_list(server: Loopback, id: str) -> dict[str, Any]:
    """A collection's document from the recorded list of all."""
    for exchange in server.recorded:
        for document in exchange["response"]["body"].get("collections", []):
            if document["id"] == id:
                return dict(document)
    raise LookupError(id)


@pytest.mark.real
def test_recorded_pages_are_followed_to_the_end(server: Loopback, shared_data: Path) -> None:
    href = recorded(server, shared_data, "TestAPI_test_links", "TestItemSearch_test_result_paging_max_items")
    server.documents["/api/stac/v1/collections/naip"] = from_list(server, "naip")
    origin = {"type": "stac-api", "href": href, "collection": "naip", "assets": {"x": "image"}}
    catalog = hasty(made.catalog(origin, {"kind": "rate", "member": "NIR", "nodata": 0}))
    found = catalog.find("made")
    granules = [g for s in found for g in s.granules]
    assert len(granules) == 30 and {g.index for g in granules} == {4}
    assert len({g.item for g in granules}) == 30
    assert [s.when.start for s in found] == sorted(s.when.start for s in found)
    misspelt = hasty(made.catalog(origin, {"kind": "rate", "member": "nirr", "nodata": 0}))
    with pytest.raises(CatalogError, match=r"no band 'nirr'; it has 'Blue', 'Green', 'NIR', 'Red'"):
        misspelt.find("made")


@pytest.mark.real
def test_an_id_that_the_planetary_computer_never_had_lists_those_it_has(server: Loopback, shared_data: Path) -> None:
    href = recorded(server, shared_data, "TestAPI_test_links")
    catalog = hasty(made.catalog({"type": "stac-api", "href": href, "collection": "esa-worldcovr"}))
    with pytest.raises(CatalogError) as caught:
        catalog.find("made")
    assert "Did you mean 'esa-worldcover'?" in str(caught.value)
    for id in ("'jrc-gsw'", "'sentinel-1-rtc'", "'sentinel-2-l2a'", "'esa-worldcover'"):
        assert id in str(caught.value)


@pytest.mark.real
def test_the_ids_and_assets_of_our_catalogue_are_those_of_the_recorded_apis(
    server: Loopback, shared_data: Path
) -> None:
    recorded(server, shared_data, "TestAPI_test_links", "TestCollectionSearch_test_matched")
    ours = Catalog.open(Path(__file__).resolve().parents[2] / "catalogs")
    checked = 0
    for collection in ours.collections():
        for origin in collection.origins:
            if origin.type != "stac-api":
                continue
            there = from_list(server, origin.collection)
            for name, one in collection.bands.items():
                if not origin.bands or name in origin.bands:
                    assert origin.assets.get(name, one.asset) in there["item_assets"], (collection.id, name)
                    checked += 1
    assert checked > 15


def test_the_server_notes_what_it_was_asked(server: Loopback, tmp_path: Path) -> None:
    tif(tmp_path / "a.tif", cells())
    shutil.copy(tmp_path / "a.tif", tmp_path / "b.tif")
    fetched(f"{server.url}/b.tif")
    assert server.count("/b.tif") > 0 and server.count("/a.tif") == 0
    assert all(isinstance(a, Asked) for a in server.asked)
