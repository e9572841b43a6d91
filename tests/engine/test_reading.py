"""A block of a scene becomes an array: what is seen, what is not, and what is on record about it."""

import hashlib
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from geomon.errors import ReadError
from geomon.grid import Floats, Grid, Window
from geomon.sources.opening import Patience
from geomon.sources.reading import read
from geomon.sources.records import Band, Granule, Read, Scene
from tests.engine.made import PLACE, STEP, band, cells, granule, legend, scene, tif

GRID = Grid.of("EPSG:4326", PLACE)
WHOLE = GRID.window(PLACE, (4, 4))
NAN = np.nan


def look(one: Granule, of: Band, window: Window | None = None) -> tuple[Floats, Read]:
    """The values of one granule and its row."""
    values, rows = read(scene(one), of, window or WHOLE, patience=Patience(tries=2, pause=0.0))  # type: ignore[arg-type]
    return values, rows[0]


def test_values_come_as_they_are_stored(tmp_path: Path) -> None:
    values, row = look(granule(tif(tmp_path / "a.tif", cells())), band())
    np.testing.assert_array_equal(values, cells())
    assert (row.status, row.tries, row.why, row.bytes) == ("ok", 1, "", 16)


def test_a_window_is_cut_out_and_padded_with_unseen(tmp_path: Path) -> None:
    assert WHOLE is not None
    window = Window(GRID, WHOLE.i0 + 2, WHOLE.i0 + 6, WHOLE.j0 - 1, WHOLE.j0 + 2)
    values, row = look(granule(tif(tmp_path / "a.tif", cells())), band(), window)
    np.testing.assert_array_equal(values, [[NAN, 9, 10], [NAN, 13, 14], [NAN] * 3, [NAN] * 3])
    assert row.bytes == 4


def test_a_granule_beside_the_window_is_not_opened() -> None:
    assert WHOLE is not None
    window = Window(GRID, WHOLE.i0 + 10, WHOLE.i0 + 12, WHOLE.j0, WHOLE.j0 + 2)
    values, rows = read(scene(granule("/no/such/file.tif")), band(), window)
    assert np.isnan(values).all() and rows == []


def test_full_resolution_is_read_and_never_an_overview(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", cells(64, 64, "uint16"))
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], rasterio.enums.Resampling.average)
    one = granule(path, shape=(64, 64))
    window = GRID.window(PLACE, (64, 64))
    values, _ = look(one, band(), window)
    assert values.sum() == 64 * 64 * (64 * 64 + 1) / 2


@pytest.mark.parametrize("said_by", ["file", "item", "collection"])
def test_nodata_is_unseen_whoever_says_it(tmp_path: Path, said_by: str) -> None:
    path = tif(tmp_path / "a.tif", cells(), nodata=7 if said_by == "file" else None)
    one = granule(path, nodata=7.0 if said_by == "item" else None)
    values, _ = look(one, band(nodata=7.0 if said_by == "collection" else None))
    assert np.isnan(values[1, 2]) and np.isnan(values).sum() == 1


def test_nodata_on_which_file_and_catalogue_differ_is_all_unseen_and_remarked(tmp_path: Path) -> None:
    values, row = look(granule(tif(tmp_path / "a.tif", cells(), nodata=7)), band(nodata=9.0))
    assert np.isnan(values).sum() == 2
    assert row.status == "ok" and "differ on nodata, 7 and 9" in row.why


def test_a_nodata_value_that_the_type_cannot_hold_does_no_harm(tmp_path: Path) -> None:
    values, row = look(granule(tif(tmp_path / "a.tif", cells(), nodata=7)), band(nodata=-99999.0))
    assert np.isnan(values).sum() == 1 and row.why == ""


def test_float_nodata_is_compared_in_the_type_of_the_file(tmp_path: Path) -> None:
    stored = cells(dtype="float32")
    stored[0, 0] = -3.4e38
    values, _ = look(granule(tif(tmp_path / "a.tif", stored, nodata=-3.3999999521443642e38)), band())
    assert np.isnan(values[0, 0]) and np.isnan(values).sum() == 1


def test_nan_is_always_unseen(tmp_path: Path) -> None:
    stored = cells(dtype="float32")
    stored[3, 3] = np.nan
    values, _ = look(granule(tif(tmp_path / "a.tif", stored)), band(nodata=-1.0))
    assert np.isnan(values[3, 3])


def test_a_mask_inside_the_file_is_unseen(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", cells())
    mask = np.full((4, 4), 255, "uint8")
    mask[0] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "r+") as file:
        file.write_mask(mask)
    values, _ = look(granule(path), band())
    assert np.isnan(values[0]).all() and np.isnan(values).sum() == 4


def test_nodata_may_mean_that_nobody_lives_there(tmp_path: Path) -> None:
    assert WHOLE is not None
    one = granule(tif(tmp_path / "a.tif", cells(), nodata=7))
    values, _ = look(one, band(nodata_means="zero"), WHOLE.pad(1))
    assert values[2, 3] == 0.0
    assert np.isnan(values[0]).all()  # beside the raster nothing was said


def side(item: str, pixels: list[float], href: str = "") -> Granule:
    """A row of four cells; 9 is nodata."""
    return granule(href, item=item, pixels=None if href else np.array([pixels]), shape=(1, 4))


def people(*granules: Granule) -> list[float]:
    """What is read of a row of four cells where nodata means that nobody lives there."""
    window = GRID.window(PLACE, (1, 4))
    assert window is not None
    of = band(nodata=9.0, nodata_means="zero")
    values, _ = read(scene(*granules), of, window, patience=Patience(tries=1, pause=0.0))
    return list(values[0])


def test_an_empty_file_of_one_country_does_not_hide_its_neighbours_people() -> None:
    assert people(side("a", [5, 5, 9, 9]), side("b", [9, 9, 7, 9])) == [5, 5, 7, 0]


def test_where_a_file_failed_its_neighbours_nodata_is_not_zero(tmp_path: Path) -> None:
    failed = side("a", [], str(tmp_path / "none.tif"))
    np.testing.assert_equal(people(failed, side("b", [9, 9, 7, 9])), [NAN, NAN, 7, NAN])


def test_scale_and_offset_are_applied_once_and_not_to_classes(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", cells(), scale=0.5, offset=100.0)
    values, _ = look(granule(path, scale=0.1, offset=-1.0), band("rate"))
    np.testing.assert_allclose(values, cells() * 0.1 - 1)
    codes = legend({i: f"c{i}" for i in range(1, 17)})
    values, _ = look(granule(path, scale=0.1, offset=-1.0), band("class", legend=codes))
    np.testing.assert_array_equal(values, cells())


def test_a_class_named_as_no_data_is_unseen(tmp_path: Path) -> None:
    codes = legend({i: f"c{i}" for i in range(1, 17)}, missing=(1, 2))
    values, row = look(granule(tif(tmp_path / "a.tif", cells())), band("class", legend=codes))
    assert np.isnan(values[0, :2]).all() and np.isnan(values).sum() == 2 and row.why == ""


def test_special_codes_of_a_measured_band_are_unseen(tmp_path: Path) -> None:
    stored = np.array([[0, 100], [200, 253], [254, 255]], "uint8")
    special = legend({253: "not_water", 254: "unable", 255: "no_data"}, missing=(253, 254, 255))
    one = granule(tif(tmp_path / "a.tif", stored), shape=(3, 2), offset=-100.0)
    values, _ = look(one, band("rate", legend=special), GRID.window(PLACE, (3, 2)))
    np.testing.assert_array_equal(values, [[-100, 0], [100, NAN], [NAN, NAN]])


def test_a_code_that_the_legend_does_not_know_is_unseen_and_remarked(tmp_path: Path) -> None:
    codes = legend({i: f"c{i}" for i in range(1, 15)})
    values, row = look(granule(tif(tmp_path / "a.tif", cells())), band("class", legend=codes))
    assert np.isnan(values).sum() == 2
    assert "2 pixels hold codes that the legend does not know (15, 16)" in row.why


def test_the_first_item_that_has_seen_a_pixel_gives_it(tmp_path: Path) -> None:
    first = np.where(cells() > 8, 255, 1).astype("uint8")
    a = granule(tif(tmp_path / "a.tif", first, nodata=255), item="a")
    b = granule(tif(tmp_path / "b.tif", np.full((4, 4), 2, "uint8"), nodata=255), item="b")
    for order in ((a, b), (b, a)):
        values, rows = read(scene(*order), band(), WHOLE)  # type: ignore[arg-type]
        np.testing.assert_array_equal(values, np.where(cells() > 8, 2, 1))
        assert [r.item for r in rows] == ["a", "b"]


def test_tiles_side_by_side_become_one_array(tmp_path: Path) -> None:
    east = (STEP, 0.0, 10.0 + 4 * STEP, 0.0, -STEP, 50.0)
    a = granule(tif(tmp_path / "a.tif", cells()), item="a")
    b = granule(tif(tmp_path / "b.tif", cells() + 100, transform=east), item="b", transform=east)
    values, rows = read(scene(a, b), band(), GRID.window(PLACE, (4, 8)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(values, np.hstack([cells(), cells() + 100]))
    assert len(rows) == 2


def test_a_missing_file_is_a_row_and_unseen_and_not_tried_again(tmp_path: Path) -> None:
    values, row = look(granule(tmp_path / "none.tif"), band())
    assert np.isnan(values).all()
    assert (row.status, row.tries, row.why) == ("failed", 1, "there is no such file")


def test_a_file_that_is_no_raster_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("<html>sorry</html>")
    _, row = look(granule(tmp_path / "a.tif"), band())
    assert (row.status, row.why) == ("failed", "it is not a raster that can be opened")


def test_a_corrupt_tile_fails_the_blocks_that_need_it_and_no_other(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", np.random.default_rng(1).integers(0, 9, (32, 32), "uint8"))
    with rasterio.open(path) as file:
        start = int(file.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    content = bytearray(path.read_bytes())
    content[start : start + 20] = bytes(20)
    path.write_bytes(content)
    one = granule(path, shape=(32, 32))
    whole = GRID.window(PLACE, (32, 32))
    assert whole is not None
    values, row = look(one, band(), Window(GRID, whole.i0 + 16, whole.i1, whole.j0 + 16, whole.j1))
    assert np.isnan(values).all() and (row.status, row.why) == ("failed", "its pixels cannot be decoded")
    values, row = look(one, band(), Window(GRID, whole.i0, whole.i0 + 16, whole.j0, whole.j0 + 16))
    assert not np.isnan(values).any() and row.status == "ok"


def test_a_file_that_lies_elsewhere_than_its_item_says_fails(tmp_path: Path) -> None:
    moved = (STEP, 0.0, 10.0 + 3 * STEP, 0.0, -STEP, 50.0)
    values, row = look(granule(tif(tmp_path / "a.tif", cells(), transform=moved)), band())
    assert np.isnan(values).all() and row.status == "failed" and "its item says" in row.why


def test_a_window_of_another_lattice_is_refused(tmp_path: Path) -> None:
    one = granule(tif(tmp_path / "a.tif", cells()))
    shifted = Grid.of("EPSG:4326", (STEP, 0.0, 10.004, 0.0, -STEP, 50.0))
    with pytest.raises(ReadError, match="never warps"):
        read(scene(one), band(), shifted.cover((10.0, 49.9, 10.1, 50.0)))


def test_a_band_is_found_in_the_file_by_its_name(tmp_path: Path) -> None:
    stored = np.stack([cells(), cells() + 50])
    path = tif(tmp_path / "a.tif", stored, names=["red", "nir"])
    values, _ = look(granule(path, index=0, member="nir"), band(member="nir"))
    np.testing.assert_array_equal(values, cells() + 50)


@pytest.mark.parametrize("member", ["", "swir"])
def test_of_several_bands_it_is_never_simply_the_first(tmp_path: Path, member: str) -> None:
    path = tif(tmp_path / "a.tif", np.stack([cells(), cells()]), names=["red", "nir"])
    one = granule(path, index=0 if member else 1, member=member)
    values, row = look(one, band(member=member))
    assert np.isnan(values).all() and row.status == "failed"
    assert "2 bands, 'nir', 'red'" in row.why


def test_pixels_in_memory_are_read_without_a_file() -> None:
    values, row = look(granule(pixels=cells().astype(float)), band(nodata=3.0))
    assert values[0, 1] == 2.0 and np.isnan(values[0, 2])
    assert row.status == "ok" and row.checksum.startswith("sha256:")


def test_a_granule_that_cannot_be_placed_is_a_failed_row() -> None:
    one = granule("x.tif", fault="it is not a raster that can be opened", shape=(0, 0), transform=())
    values, row = look(one, band())
    assert np.isnan(values).all() and (row.status, row.why) == ("failed", "it is not a raster that can be opened")


def test_the_row_has_the_catalogues_checksum_or_one_of_what_was_decoded(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", cells())
    known = "1220" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert look(granule(path, checksum=known), band())[1].checksum == known
    first, second = (look(granule(path), band())[1].checksum for _ in range(2))
    assert first == second and first.startswith("sha256:")


def test_bytes_that_are_not_those_of_the_checksum_are_not_used(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", cells())
    right = "1220" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert look(granule(path, checksum=right), band())[1].status == "ok"
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    values, row = look(granule(path, checksum=wrong), band())
    assert np.isnan(values).all() and "not those of the catalogue's checksum" in row.why


def test_the_key_changes_with_the_bytes_and_not_with_place_or_signature() -> None:
    def key(**facts: Any) -> str:
        return granule(**facts).key

    assert key(href="https://a/x.tif", checksum="12") == key(href="https://b/x.tif?sig=1", checksum="12")
    assert key(href="a.tif", checksum="12") != key(href="a.tif", checksum="13")
    assert key(href="a.tif", size=1, version="v1") != key(href="a.tif", size=1, version="v2")
    assert key(href="https://a/x.tif?sig=1") == key(href="https://a/x.tif?sig=2")
    assert key(pixels=cells()) == key(pixels=cells()) != key(pixels=cells() + 1)
    assert key(checksum="12", offset=-0.1) != key(checksum="12")


def elsewhere(parts: bytes) -> bytes:
    """Read in another process."""
    one, of, window = pickle.loads(parts)
    return pickle.dumps(read(one, of, window))


def test_a_scene_can_be_read_in_another_process(tmp_path: Path) -> None:
    one: Scene = scene(granule(tif(tmp_path / "a.tif", cells(), nodata=7)))
    of = band("class", legend=legend({i: f"c{i}" for i in range(1, 17)}))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        values, rows = pickle.loads(pool.submit(elsewhere, pickle.dumps((one, of, WHOLE))).result())
    np.testing.assert_array_equal(values, np.where(cells() == 7, NAN, cells()))
    assert rows[0].status == "ok"
