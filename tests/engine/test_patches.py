"""Patches are named by their place, and any cutting into blocks finds the same ones."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geomon.errors import InputError
from geomon.grid import Floats, Grid, Window
from geomon.stats.coverage import Integers
from geomon.stats.patches import Mask, Totals, add, border, join, patches, place, row_column, sieve, totals

DEGREES = Grid("EPSG:4326", 0, 0, 0.01, 0.01)
NAN = np.nan
places = st.tuples(st.integers(-5000, 5000), st.integers(-9000, 9000))


def window_at(corner: tuple[int, int], shape: tuple[int, ...]) -> Window:
    """A window by its first cell."""
    return Window(DEGREES, corner[0], corner[0] + shape[0], corner[1], corner[1] + shape[1])


def flooded(mask: Mask, window: Window, connectivity: int) -> Integers:
    """Slowly: from each cell in reading order, its patch is flooded with the cell's number."""
    labels = np.zeros(mask.shape, np.int64)
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if connectivity == 8 or a == 0 or b == 0]
    for i, j in np.argwhere(mask):
        number, wet = place(np.array(i + window.i0), np.array(j + window.j0)), [(i, j)]
        while wet:
            a, b = wet.pop()
            if 0 <= a < mask.shape[0] and 0 <= b < mask.shape[1] and mask[a, b] and not labels[a, b]:
                labels[a, b] = number
                wet += [(a + da, b + db) for da, db in steps]
    return labels


def some(seed: int, shape: tuple[int, int], share: float, smooth: float) -> Mask:
    """Specks or winding shapes that fill a share of the ground."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), smooth)
    return np.asarray(noise <= np.quantile(noise, share)) if share else np.zeros(shape, bool)


shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
seeds, shares, grains = st.integers(0, 9999), st.sampled_from([0.0, 0.3, 0.5, 0.6, 1.0]), st.sampled_from([0.0, 1.0])
neighbours = st.sampled_from([4, 8])


@settings(max_examples=150)
@given(seed=seeds, shape=shapes, share=shares, grain=grains, corner=places, connectivity=neighbours)
def test_a_patch_is_named_by_its_first_cell(
    seed: int, shape: tuple[int, int], share: float, grain: float, corner: tuple[int, int], connectivity: int
) -> None:
    mask, window = some(seed, shape, share, grain), window_at(corner, shape)
    np.testing.assert_array_equal(patches(mask, window, connectivity), flooded(mask, window, connectivity))


def cuts(data: st.DataObject, start: int, stop: int) -> list[tuple[int, int]]:
    """A stretch cut anywhere."""
    at = sorted(data.draw(st.sets(st.integers(start, stop), max_size=4)) | {start, stop})
    return list(pairwise(at))


@settings(max_examples=150)
@given(
    seed=seeds,
    shape=shapes,
    share=shares,
    grain=grains,
    corner=places,
    connectivity=neighbours,
    data=st.data(),
)
def test_any_blocks_find_the_patches_of_the_whole(
    seed: int,
    shape: tuple[int, int],
    share: float,
    grain: float,
    corner: tuple[int, int],
    connectivity: int,
    data: st.DataObject,
) -> None:
    """Blocks of any rows, each row of blocks cut otherwise, in any order; and what the patches hold."""
    mask, window = some(seed, shape, share, grain), window_at(corner, shape)
    people = np.random.default_rng(seed + 1).random(shape)
    people[people < 0.1] = NAN
    blocks = [
        Window(DEGREES, i0, i1, j0, j1)
        for i0, i1 in cuts(data, window.i0, window.i1)
        for j0, j1 in cuts(data, window.j0, window.j1)
    ]
    blocks = data.draw(st.permutations(blocks))
    labels = [patches(mask[b.inside(window)], b, connectivity) for b in blocks]
    joined = join([border(part, b) for part, b in zip(labels, blocks, strict=True)], connectivity)
    whole = patches(mask, window, connectivity)
    for part, block in zip(labels, blocks, strict=True):
        np.testing.assert_array_equal(joined.relabel(part), whole[block.inside(window)])
    held = [totals(part, b, people[b.inside(window)]) for part, b in zip(labels, blocks, strict=True)]
    same(add(held, joined), totals(whole, window, people), rtol=1e-12)
    same(add(held, joined), add(held[::-1], joined), rtol=0)


def same(a: Totals, b: Totals, rtol: float) -> None:
    """Counts, numbers and boxes are equal; sums so far as said."""
    for name in Totals.__dataclass_fields__:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=0, err_msg=name)


def test_totals_by_eye() -> None:
    """Two patches; one cell of the second was not counted. Cells of 10 m."""
    window = Window(Grid("+proj=laea +lat_0=0 +lon_0=0 +datum=WGS84 +units=m", 0, 0, 10, 10), 5, 8, -2, 2)
    mask = np.array([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]], bool)
    people = np.array([[3, 4, 99, 99], [99, 5, 99, NAN], [99, 99, 99, 8.0]])
    found = totals(patches(mask, window), window, people)
    np.testing.assert_array_equal(row_column(found.patch), [[5, 6], [-2, 1]])
    np.testing.assert_array_equal(found.cells, [3, 2])
    np.testing.assert_allclose(found.square_metres, [300, 200])
    np.testing.assert_array_equal(found.amount, [12, 8])
    np.testing.assert_array_equal(found.unseen, [0, 1])
    np.testing.assert_array_equal(found.box, [[5, 7, -2, 0], [6, 8, 1, 2]])


def test_corners_touch_by_eight_and_not_by_four() -> None:
    window = window_at((0, 0), (2, 2))
    for mask in (np.array([[True, False], [False, True]]), np.array([[False, True], [True, False]])):
        assert [len(np.unique(patches(mask, window, c)[mask])) for c in (4, 8)] == [2, 1]


def test_numbers_are_exact_as_floating_point() -> None:
    far = Window(DEGREES, 2**25 - 3, 2**25 - 1, 2**26 - 3, 2**26 - 1)
    for window in (far, Window(DEGREES, -(2**25) + 1, -(2**25) + 3, -(2**26) + 1, -(2**26) + 3)):
        labels = patches(np.eye(2, dtype=bool), window, 4)
        np.testing.assert_array_equal(labels.astype(float).astype(np.int64), labels)
        np.testing.assert_array_equal(row_column(labels[[0, 1], [0, 1]])[0], [window.i0, window.i0 + 1])
        np.testing.assert_array_equal(row_column(labels[[0, 1], [0, 1]])[1], [window.j0, window.j0 + 1])


@settings(max_examples=60)
@given(seed=seeds, shape=shapes, share=shares, grain=grains, least=st.integers(0, 12), connectivity=neighbours)
def test_a_sieve_keeps_large_patches(
    seed: int, shape: tuple[int, int], share: float, grain: float, least: int, connectivity: int
) -> None:
    mask = some(seed, shape, share, grain)
    labels, _ = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)
    large = np.bincount(labels.ravel())[labels] >= least
    np.testing.assert_array_equal(sieve(mask, least, connectivity), mask & large)


def test_a_sieve_with_a_margin_of_its_size_is_that_of_the_whole() -> None:
    mask = some(3, (80, 80), 0.55, 0.7)
    np.testing.assert_array_equal(sieve(mask[10:70, 10:70], 10)[10:-10, 10:-10], sieve(mask, 10)[20:60, 20:60])


def centres(density: Floats, window: Window) -> tuple[Mask, Mask]:
    """Cells of urban centres and of urban clusters: contiguity and people alone (METHODS 1.5, steps 1 to 3)."""
    marked = []
    for least, people, connectivity in ((1500, 50_000, 4), (300, 5_000, 8)):
        labels = patches(density >= least, window, connectivity)
        found = totals(labels, window, density)
        marked.append(np.isin(labels, found.patch[found.amount >= people]))
    return marked[0], marked[1]


def test_urban_centres_and_clusters_of_a_population_grid(shared_data: Path) -> None:
    """Each cluster of the vector as a patch of cells of 1 km2 of its least density, one of them with the rest."""
    vectors = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    case = next(v for v in vectors if v["name"] == "11.3.1.degurba_cell_class")
    density = np.zeros((8 * len(case["inputs"]["clusters"]), 40))
    first = []
    for n, cluster in enumerate(case["inputs"]["clusters"]):
        cells = cluster["pop"] // cluster["min_density"]
        density[8 * n : 8 * n + 2].ravel()[:cells] = cluster["min_density"]
        density[8 * n, 0] += cluster["pop"] - cells * cluster["min_density"]
        first.append((8 * n, 0))
    centre, cluster = centres(density, window_at((0, 0), density.shape))
    level = ["urban_centre" if centre[c] else "urban_cluster" if cluster[c] else "rural" for c in first]
    assert level == case["expected"]["level1"]


def test_what_cannot_be_labelled_or_joined_is_said() -> None:
    window = window_at((0, 0), (2, 3))
    with pytest.raises(InputError, match="booleans"):
        patches(np.ones((3, 2), bool), window)
    with pytest.raises(InputError, match="booleans"):
        patches(np.array([[1, NAN, 0], [0, 0, 1]]), window)
    with pytest.raises(InputError, match="Connectivity 6"):
        patches(np.ones((2, 3), bool), window, 6)
    with pytest.raises(InputError, match="origin"):
        patches(np.ones((2, 3), bool), window_at((0, 2**26), (2, 3)))
    labels = patches(np.ones((2, 3), bool), window)
    with pytest.raises(InputError, match="overlap"):
        join([border(labels, window), border(labels, window)])


def test_blocks_that_overlap_are_refused_whatever_they_hold() -> None:
    """One inside the other, of whose borders no cell is the same; and without a single patch."""
    large, small, beside = window_at((0, 0), (9, 9)), window_at((3, 3), (3, 3)), window_at((0, 9), (9, 2))
    for full in (True, False):
        whole, part, next_ = (border(patches(np.full(w.shape, full), w), w) for w in (large, small, beside))
        with pytest.raises(InputError, match="overlap"):
            join([whole, part])
        assert len(join([whole, next_]).parts) == full
    empty = window_at((4, 4), (0, 3))
    assert not len(join([border(patches(np.ones((0, 3), bool), empty), empty), whole]).parts)
