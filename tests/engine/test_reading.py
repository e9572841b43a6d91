"""A block of a scene becomes an array: what is seen, what is not, and what is on record about it."""

import hashlib
import os
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from geomon.errors import ReadError
from geomon.grid import Floats, Grid, Window
from geomon.sources import files, reading
from geomon.sources.opening import Patience
from geomon.sources.reading import read, read_packed
from geomon.sources.records import Band, Granule, Packed, Read, Scene
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
    assert first == second and first.startswith("sha256-tiles:")


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


# packed


def slowly(dates: Sequence[Scene], of: Band, window: Window) -> Floats:
    """What read_packed means, pixel by pixel, of granules in memory."""
    out = np.full((len(dates), *window.shape), NAN)
    for n, i, j in np.ndindex(out.shape):
        for one in sorted(dates[n].granules, key=lambda g: g.item):
            place = window.grid.window(one.transform, one.shape)
            assert place is not None and one.pixels is not None
            row, column = window.i0 + i - place.i0, window.j0 + j - place.j0
            if not (0 <= row < one.shape[0] and 0 <= column < one.shape[1]):
                continue
            stored = one.pixels[row, column]
            empty = stored != stored or stored in (one.nodata, of.nodata)
            strange = of.kind == "class" and of.legend is not None and stored not in of.legend.codes
            if empty and of.nodata_means == "zero":
                out[n, i, j] = 0.0
            if not (empty or strange or stored in one.missing or (of.legend and stored in of.legend.missing)):
                straight = (1.0, 0.0) if of.kind == "class" else (one.scale, one.offset)
                out[n, i, j] = float(stored) * straight[0] + straight[1]
                break
    return out


some = st.sampled_from
types = ("uint8", "int8", "uint16", "int16", "uint32", "int64", "float32", "float64", "bool", ">u2")


@st.composite
def dates_of_a_band(draw: st.DrawFn) -> tuple[list[Scene], Band]:
    """A few dates of a few small granules, which may overlap, differ in type, scale, nodata and special codes."""
    kinds = draw(st.lists(some(types), min_size=1, max_size=2))
    straight = draw(some(([(1.0, 0.0)], [(0.5, 0.0)], [(0.1, -3.0)], [(1.0, 0.0), (0.5, 2.0)])))
    nodata = draw(st.lists(some((None, 0.0, 1.0, 3.0, 300.0)), min_size=1, max_size=2))
    dates = []
    for _ in range(draw(st.integers(1, 3))):
        granules = []
        for name in draw(st.sampled_from(("", "a", "ab", "abc"))):
            dtype, (scale, offset) = np.dtype(draw(some(kinds))), draw(some(straight))
            shape = draw(st.integers(1, 4)), draw(st.integers(1, 4))
            values = np.array(draw(st.lists(st.integers(0, 5), min_size=16, max_size=16)))[: shape[0] * shape[1]]
            pixels = values.reshape(shape).astype(dtype)
            if dtype.kind == "f":
                pixels[pixels == 5] = NAN
            at = draw(st.integers(0, 3)), draw(st.integers(0, 3))
            place = (STEP, 0.0, 10.0 + at[1] * STEP, 0.0, -STEP, 50.0 - at[0] * STEP)
            facts = {"transform": place, "shape": shape, "scale": scale, "offset": offset}
            missing = draw(some(((), (2,), (2, 4))))
            one = granule(item=name, pixels=pixels, nodata=draw(some(nodata)), missing=missing, **facts)
            granules.append(one)
        dates.append(scene(*granules))
    known = legend({0: "a", 1: "b", 2: "c", 4: "d"}, missing=draw(some(((), (1,)))))
    facts = {"nodata": draw(some((None, 1.0))), "legend": draw(some((None, known)))}
    return dates, band(draw(some(("class", "rate"))), nodata_means=draw(some(("unseen", "zero"))), **facts)


@settings(max_examples=200)
@given(dates_of_a_band())
def test_packed_dates_mean_what_the_rules_say_pixel_by_pixel(made: tuple[list[Scene], Band]) -> None:
    dates, of = made
    window = GRID.window(PLACE, (5, 5))
    assert window is not None
    packed, _ = read_packed(dates, of, window)
    expected = slowly(dates, of, window)
    np.testing.assert_array_equal(packed.values(), expected)
    np.testing.assert_array_equal(packed.unseen, np.isnan(expected))
    for one, values in zip(dates, expected, strict=True):
        np.testing.assert_array_equal(read(one, of, window)[0], values)
    whole = packed.stored.dtype.kind in "iu"
    assert isinstance(packed.missing, int) if whole else np.isnan(packed.missing)
    assert packed.stored.dtype.str[1:] in ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
    assert whole or not ((packed.scale != 1) | (packed.offset != 0)).any()


def pack(*granules: Granule, of: Band | None = None) -> Packed:
    """One date of each granule of 4 x 4 cells."""
    return read_packed([scene(g) for g in granules], of or band(), WHOLE)[0]  # type: ignore[arg-type]


def test_packed_numbers_are_those_of_the_files_and_nodata_stays_what_it_was(tmp_path: Path) -> None:
    a = granule(tif(tmp_path / "a.tif", cells(dtype="uint16"), nodata=7), scale=0.5)
    b = granule(tif(tmp_path / "b.tif", cells(dtype="uint16") + 9, nodata=7), scale=0.1, offset=-1.0)
    found = pack(a, b, of=band("rate"))
    assert found.stored.dtype == np.uint16 and found.missing == 7
    np.testing.assert_array_equal(found.stored, [cells(), cells() + 9])
    np.testing.assert_array_equal([found.scale, found.offset], [[0.5, 0.1], [0.0, -1.0]])


def test_where_dates_differ_on_nodata_a_number_that_is_free_says_unseen() -> None:
    a, b = granule(pixels=cells(), nodata=3.0), granule(pixels=cells(), nodata=4.0)
    found = pack(a, b)
    assert found.stored.dtype == np.uint8 and found.missing not in range(1, 17)
    assert [np.flatnonzero(date).tolist() for date in found.unseen] == [[2], [3]]


def test_where_no_number_is_free_values_are_physical(tmp_path: Path) -> None:
    every = np.arange(256, dtype="uint8").reshape(16, 16)
    whole = GRID.window(PLACE, (18, 16))
    assert whole is not None
    packed, _ = read_packed([scene(granule(pixels=every, shape=(16, 16)))], band(), whole)
    assert packed.stored.dtype == np.float64 and np.isnan(packed.missing)
    np.testing.assert_array_equal(packed.values()[0, :16], every)
    assert np.isnan(packed.values()[0, 16:]).all()


def test_an_array_in_memory_is_not_written_to() -> None:
    pixels = cells()
    found = pack(granule(pixels=pixels, nodata=3.0), granule(pixels=pixels, nodata=4.0))
    found.stored[:] = 0
    np.testing.assert_array_equal(pixels, cells())


# files that stay open


def striped(path: Path, values: Any, **facts: Any) -> Path:
    """A file that is GDAL's to read."""
    return tif(path, values, tiled=False, blockxsize=4, blockysize=4, **facts)


def test_both_readers_give_the_same_pixels_and_rows(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", np.stack([cells(), cells() + 50]), names=["red", "nir"], nodata=7)
    ours = look(granule(path, index=0, member="nir"), band(member="nir"))
    with mock.patch.object(reading, "plain", lambda *_: None):
        gdals = look(granule(path, index=0, member="nir"), band(member="nir"))
    np.testing.assert_array_equal(ours[0], gdals[0])
    assert replace(ours[1], seconds=0, checksum="") == replace(gdals[1], seconds=0, checksum="")


@pytest.mark.parametrize("make", [tif, striped])
def test_a_file_is_opened_once_however_often_it_is_read(tmp_path: Path, make: Callable[..., Path]) -> None:
    one = granule(make(tmp_path / "a.tif", cells()))
    with mock.patch("rasterio.open", wraps=rasterio.open) as by_gdal, mock.patch("os.open", wraps=os.open) as by_us:
        for _ in range(5):
            np.testing.assert_array_equal(look(one, band())[0], cells())
    opened = [call for mocked in (by_gdal, by_us) for call in mocked.call_args_list if str(tmp_path) in str(call)]
    assert len(opened) == (1 if make is tif else 2)  # to find that it is not plain, and by GDAL


@pytest.mark.parametrize("make", [tif, striped])
def test_a_file_that_changed_is_read_anew(tmp_path: Path, make: Callable[..., Path]) -> None:
    for added in range(3):
        one = granule(make(tmp_path / "a.tif", cells() + added))
        os.utime(one.href, ns=(added, added))
        np.testing.assert_array_equal(look(one, band())[0], cells() + added)


@pytest.mark.parametrize("make", [tif, striped])
def test_threads_may_read_one_file_together(tmp_path: Path, make: Callable[..., Path]) -> None:
    stored = np.random.default_rng(5).integers(0, 60000, (256, 256), "uint16")
    one, whole = granule(make(tmp_path / "a.tif", stored), shape=(256, 256)), GRID.window(PLACE, (256, 256))
    assert whole is not None
    windows = [w for w in (b.intersect(whole) for b in whole.blocks(60)) if w] * 4
    with ThreadPoolExecutor(8) as pool:
        for window, values in zip(windows, pool.map(lambda w: look(one, band(), w)[0], windows), strict=True):
            np.testing.assert_array_equal(values, stored[window.inside(whole)])


def test_no_more_files_stay_open_than_were_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.forget()
    monkeypatch.setattr(files, "OPEN", 3)
    monkeypatch.setattr(files, "IDLE", 3)
    for n in range(8):
        for make in (tif, striped):
            look(granule(make(tmp_path / f"{make.__name__}{n}.tif", cells())), band())
    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdigit() and alive(fd)]
    assert len([path for path in held if str(tmp_path) in path]) <= 6
    files.forget()


def alive(fd: str) -> bool:
    """Whether a descriptor is still open."""
    return os.path.islink(f"/proc/self/fd/{fd}")


@pytest.mark.parametrize("make", [tif, striped])
def test_a_forked_process_opens_its_own_files(tmp_path: Path, make: Callable[..., Path]) -> None:
    one = granule(make(tmp_path / "a.tif", cells()))
    look(one, band())
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        values, _ = pool.submit(look, one, band()).result()
    np.testing.assert_array_equal(values, cells())
    np.testing.assert_array_equal(look(one, band())[0], cells())


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
