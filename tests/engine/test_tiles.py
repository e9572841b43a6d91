"""Tiles decoded without GDAL are GDAL's to the bit; what is not plain is left to it, whatever a header says."""

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geomon.sources import tiles
from geomon.sources.tiles import Layout, Odd, decode, layout
from tests.engine.made import cells, tif

DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32")
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def looked_at(content: bytes) -> Layout | None:
    """The layout of a file that is held in memory."""
    return layout(lambda offset, size: content[offset : offset + size], len(content))


def part(content: bytes, band: int, rows: slice, columns: slice) -> NDArray[Any]:
    """A part of a band by our decoder."""
    found = looked_at(content)
    assert found is not None
    out = np.empty((rows.stop - rows.start, columns.stop - columns.start), found.dtype)

    def packed(number: int) -> bytes:
        offset, size = found.span(number)
        return content[offset : offset + size]

    decode(found, band, rows, columns, packed, out)
    return out


def numbers(dtype: str, shape: tuple[int, ...], seed: int) -> NDArray[Any]:
    """Every bit pattern may occur, NaN and infinity too; some ground is flat, as in real rasters."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8).view(dtype)[..., 0]
    return np.where(rng.random(shape) < 0.5, noise, np.zeros((), dtype))


def cut(draw: st.DrawFn, length: int) -> slice:
    """A part of a side."""
    start = draw(st.integers(0, length - 1))
    return slice(start, draw(st.integers(start + 1, length)))


@same_folder
@given(data=st.data(), seed=st.integers(0, 10))
def test_every_window_of_every_plain_file_is_gdals_to_the_bit(tmp_path: Path, data: st.DataObject, seed: int) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    predictor = data.draw(st.sampled_from((1, 2, 3) if dtype == "float32" else (1, 2)))
    packing = data.draw(st.sampled_from(("deflate", "zstd", "lzw", "none")))
    bands = data.draw(st.integers(1, 3))
    shape = data.draw(st.integers(1, 50)), data.draw(st.integers(1, 50))
    profile = {
        "compress": packing,
        "interleave": data.draw(st.sampled_from(("pixel", "band"))),
        "blockxsize": data.draw(st.sampled_from((16, 32))),
        "blockysize": data.draw(st.sampled_from((16, 48))),
        "BIGTIFF": data.draw(st.sampled_from(("YES", "NO"))),
        "SPARSE_OK": data.draw(st.sampled_from(("TRUE", "FALSE"))),
        "photometric": "MINISBLACK",
    }
    if packing != "none":
        profile["predictor"] = predictor
    nodata = data.draw(st.sampled_from((None, 0, 7)))
    path = tif(tmp_path / "a.tif", numbers(dtype, (bands, *shape), seed), nodata=nodata, **profile)
    content = path.read_bytes()
    path.unlink()
    rows, columns = cut(data.draw, shape[0]), cut(data.draw, shape[1])  # type: ignore[arg-type]
    with rasterio.MemoryFile(content) as memory, memory.open() as file:
        found = looked_at(content)
        assert found is not None
        assert (found.shape, found.dtype, found.count, found.nodata) == (shape, dtype, bands, file.nodata)
        np.testing.assert_allclose(found.transform, tuple(file.transform)[:6], rtol=1e-15)
        for band in range(1, bands + 1):
            window = rasterio.windows.Window.from_slices(rows, columns)
            expected = file.read(band, window=window)
            assert part(content, band, rows, columns).tobytes() == expected.tobytes()


def test_a_predictor_of_tiles_that_are_not_packed_means_nothing(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(0, 1000, (16, 16), "uint16")
    path = tif(tmp_path / "a.tif", stored, predictor=2, compress="deflate")
    content = bytearray(path.read_bytes())
    (first,) = np.frombuffer(content, "<u4", 1, 4).tolist()
    (tags,) = np.frombuffer(content, "<u2", 1, first).tolist()
    told = {259: (3, 1), 324: (4, len(content)), 325: (4, stored.nbytes)}
    for at in range(first + 2, first + 2 + 12 * tags, 12):
        (tag,) = np.frombuffer(content, "<u2", 1, at).tolist()
        if tag in told:
            kind, value = told[tag]
            content[at : at + 12] = struct.pack("<HHII", tag, kind, 1, value)
    content += stored.tobytes()
    with rasterio.MemoryFile(bytes(content)) as memory, memory.open() as file:
        np.testing.assert_array_equal(file.read(1), stored)
    np.testing.assert_array_equal(part(bytes(content), 1, slice(0, 16), slice(0, 16)), stored)


@pytest.mark.parametrize("nodata", [None, 5])
def test_a_tile_that_was_not_written_is_nodata_or_zero(tmp_path: Path, nodata: float | None) -> None:
    path = tmp_path / "a.tif"
    profile = {"driver": "GTiff", "count": 1, "height": 32, "width": 32, "dtype": "uint8", "nodata": nodata}
    place = rasterio.Affine(1, 0, 10, 0, -1, 50)
    sparse = {"tiled": True, "blockxsize": 16, "blockysize": 16, "SPARSE_OK": "TRUE", "transform": place}
    with rasterio.open(path, "w", **profile, **sparse) as file:
        file.write(np.full((16, 16), 9, "uint8"), 1, window=rasterio.windows.Window(16, 0, 16, 16))
    with rasterio.open(path) as file:
        expected = file.read(1)
    found = looked_at(path.read_bytes())
    assert found is not None and (found.sizes == 0).sum() == 3
    np.testing.assert_array_equal(part(path.read_bytes(), 1, slice(0, 32), slice(0, 32)), expected)


def test_the_names_of_bands_are_gdals(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", np.stack([cells()] * 3), names=["red & blue", "", "nir"], photometric="MINISBLACK")
    found = looked_at(path.read_bytes())
    with rasterio.open(path) as file:
        assert found is not None and [*found.names] == [name or "" for name in file.descriptions]


def masked(path: Path) -> None:
    """Give a file a mask of its own."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "r+") as file:
        file.write_mask(np.eye(4, dtype="uint8") * 255)


def pointed(path: Path) -> None:
    """Say that its numbers stand for the middle of a pixel."""
    with rasterio.open(path, "r+") as file:
        file.update_tags(AREA_OR_POINT="Point")


@pytest.mark.parametrize(
    ("profile", "then"),
    [
        ({"tiled": False, "blockxsize": None, "blockysize": None}, None),
        ({"ENDIANNESS": "BIG"}, None),
        ({"compress": "lzma"}, None),
        ({"compress": "packbits"}, None),
        ({"NBITS": 4}, None),
        ({"transform": (1.0, 0.1, 10.0, 0.1, -1.0, 50.0)}, None),
        ({"bands": 2, "ALPHA": "YES"}, None),
        ({"dtype": "float64"}, None),
        ({"photometric": "MINISWHITE"}, None),
        ({}, masked),
        ({}, pointed),
    ],
    ids=lambda v: next(iter(v), "then") if isinstance(v, dict) else getattr(v, "__name__", ""),
)
def test_what_is_not_plain_is_left_to_gdal(
    tmp_path: Path, profile: dict[str, Any], then: Callable[[Path], None] | None
) -> None:
    bands, dtype = profile.pop("bands", 1), profile.pop("dtype", "uint8")
    stored = np.stack([cells(dtype=dtype)] * bands)
    options = {k: v for k, v in profile.items() if v is not None}
    if profile.get("tiled") is False:
        options |= {"blockxsize": 4, "blockysize": 4}
    path = tif(tmp_path / "a.tif", stored, **options)
    if then:
        then(path)
    assert looked_at(path.read_bytes()) is None


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A plain file of four tiles with all tags that we read."""
    path = tmp_path_factory.mktemp("plain") / "a.tif"
    values = np.random.default_rng(3).integers(0, 99, (2, 32, 32), "uint16")
    return tif(path, values, nodata=7, names=["red", "nir"], predictor=2, photometric="MINISBLACK").read_bytes()


@settings(max_examples=200)
@given(data=st.data())
def test_a_header_may_lie_and_nothing_worse_than_odd_happens(content: bytes, data: st.DataObject) -> None:
    hostile = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 700))
        new = data.draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from((b"\xff" * 4, b"\0" * 8))))
        hostile[at : at + len(new)] = new
    cut_off = bytes(hostile[: data.draw(st.integers(0, len(hostile)))]) if data.draw(st.booleans()) else bytes(hostile)
    found = looked_at(cut_off)
    assume(found is not None)
    assert found is not None
    assert found.count <= tiles.MOST_TAGS and len(found.offsets) <= tiles.MOST_TILES
    assert (found.offsets + found.sizes <= len(cut_off)).all()
    with contextlib.suppress(Odd):
        part(cut_off, found.count, slice(0, min(found.shape[0], 16)), slice(0, min(found.shape[1], 16)))


def test_a_damaged_tile_is_odd(content: bytes) -> None:
    found = looked_at(content)
    assert found is not None
    offset, size = found.span(3)
    for damaged in (bytes(size), content[offset : offset + size - 9], content[offset : offset + 4]):
        with pytest.raises(Odd):
            decode(found, 1, slice(16, 32), slice(16, 32), lambda _, d=damaged: d, np.empty((16, 16), "u2"))


def test_many_images_in_a_ring_are_left_to_gdal(content: bytes) -> None:
    ring = bytearray(content)
    (first,) = np.frombuffer(content, "<u4", 1, 4)
    (tags,) = np.frombuffer(content, "<u2", 1, int(first))
    link = int(first) + 2 + int(tags) * 12
    ring[link : link + 4] = content[4:8]
    assert looked_at(bytes(ring)) is None


@pytest.mark.real
def test_all_real_files_take_the_fast_path_and_are_gdals_to_the_bit(shared_data: Path) -> None:
    paths = sorted((shared_data / "collections").rglob("*.tif"))
    assert len(paths) > 200
    odd = []
    for path in paths:
        content = path.read_bytes()
        found = looked_at(content)
        if found is None:
            odd.append(path.name)
            continue
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(path) as file:
            assert found.names == tuple(name or "" for name in file.descriptions)
            np.testing.assert_equal(found.nodata, file.nodata)
            np.testing.assert_allclose(found.transform, tuple(file.transform)[:6], rtol=1e-14)
            rows, columns = (slice(0, min(n, 600)) for n in file.shape)
            window = rasterio.windows.Window.from_slices(rows, columns)
            for band in {1, file.count}:
                expected = file.read(band, window=window)
                assert part(content, band, rows, columns).tobytes() == expected.tobytes(), path
    assert len(odd) / len(paths) < 0.05, odd


def test_a_file_beside_a_raster_changes_nothing(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", cells(), nodata=7)
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><GeoTransform>1, 1, 0, 9, 0, -1</GeoTransform>"
        '<PAMRasterBand band="1"><NoDataValue>3</NoDataValue></PAMRasterBand></PAMDataset>'
    )
    found = looked_at(path.read_bytes())
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(path) as file:
        assert found is not None and (found.nodata, found.transform) == (file.nodata, tuple(file.transform)[:6])
    assert os.path.exists(tmp_path / "a.tif.aux.xml")
