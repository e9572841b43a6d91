"""Words for measures: they give pixels, and keep where they were seen."""

import numpy as np
import pytest
import xarray as xr

from geomon.errors import CatalogError, DefinitionError
from geomon.pixels import amount, area, classes, decibels, look_up, normalized_difference, rate
from geomon.supply import marks, sight, with_sight

NAN = np.nan


def pixels(values: list[list[float]], name: str = "a", **attrs: object) -> xr.DataArray:
    """An array as a measure is given it."""
    made = xr.DataArray(np.array(values, float), dims=("y", "x"), attrs=attrs)
    return with_sight(made, np.isfinite(made.values).astype(float), name)


def seen(*made: xr.DataArray) -> list[list[float]]:
    """Where all was seen that some arrays were made from."""
    shape = made[0].sizes["y"], made[0].sizes["x"]
    return sight(made, {}, shape).tolist()


def test_classes_are_named_by_the_legend() -> None:
    cover = pixels([[10, 80, 95, NAN]], groups={"forest": (10, 95), "water": (80,)}, collection="cover")
    assert classes(cover, "forest").values.tolist() == [[True, False, True, False]]
    assert classes(cover, "forest", "water").values.tolist() == [[True, True, True, False]]
    assert seen(~classes(cover, "water")) == [[1, 1, 1, 0]], "not water is not yet land"
    with pytest.raises(CatalogError, match="cover has no class group 'wood'; it has 'forest', 'water'"):
        classes(cover, "wood")


def test_an_array_is_seen_where_all_was_that_it_is_made_of() -> None:
    a, b = pixels([[1, NAN, 3]], "a"), pixels([[1, 2, NAN]], "b")
    assert seen(a > 2) == [[1, 0, 1]]
    assert seen((a > 2) & ~(b > 1)) == [[1, 0, 0]]
    assert seen(a > 2, b > 2) == [[1, 0, 0]]


def test_what_lost_its_marks_counts_as_made_of_everything() -> None:
    given = {"a": pixels([[1, NAN, 3]], "a"), "b": {"x": pixels([[NAN, 2, 3]], "b.x")}}
    assert sight([np.ones((1, 3))], given, (1, 3)).tolist() == [[0, 0, 1]]
    assert sight([1.0], given, (1, 3)).tolist() == [[1, 1, 1]], "a constant needs nothing"


def test_parts_of_one_layer_share_their_holes_and_other_sources_do_not() -> None:
    def half(name: str) -> xr.DataArray:
        return with_sight(xr.DataArray([[1.0]], dims=("y", "x")), np.array([[0.75]]), name)

    assert seen(half("now.a") + half("now.b")) == [[0.75]]
    assert seen(half("now") + half("before")) == [[0.5]]


def test_marks_keep_to_the_pixels_when_axes_are_turned() -> None:
    a = pixels([[1, NAN, 3], [4, 5, 6]])
    (mark,) = marks(a.transpose("x", "y")).values()
    np.testing.assert_array_equal(mark, [[1, 0, 1], [1, 1, 1]])


def test_look_up_by_one_key_and_by_several() -> None:
    a, b = pixels([[0, 1, 2, NAN]], "a"), pixels([[0, 0, 1, 1]], "b")
    one = look_up({0: 10.0, 1: 20.0}, a)
    np.testing.assert_equal(one.values, [[10, 20, NAN, NAN]])
    assert seen(one) == [[1, 1, 0, 0]], "what the table does not have is unseen"
    two = look_up({(0, 0): 5.0, (2, 1): 7.0}, a, b)
    np.testing.assert_equal(two.values, [[5, NAN, 7, NAN]])
    with pytest.raises(DefinitionError, match="2 keys was looked up with 1"):
        look_up({(0, 0): 1.0}, a)


def test_look_up_in_a_survey() -> None:
    a, b = pixels([[0, 1, 2]], "a"), pixels([[5, 5, 6]], "b")
    table = xr.DataArray([1.0, 2.0], dims="unit", coords={"unit": [0.0, 2.0]})
    np.testing.assert_equal(look_up(table, a).values, [[1, NAN, 2]])
    both = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("a", "b"), coords={"a": [0.0, 1.0], "b": [5.0, 6.0]})
    np.testing.assert_equal(look_up(both, a, b).values, [[1, 3, NAN]])
    nothing = xr.DataArray(NAN)
    np.testing.assert_equal(look_up(nothing, a).values, [[NAN] * 3])


def test_decibels() -> None:
    power = pixels([[1.0, 0.01, 0.0, -1.0, NAN]], unit="1")
    made = decibels(power)
    np.testing.assert_allclose(made.values, [[0, -20, NAN, NAN, NAN]])
    assert made.attrs["unit"] == "dB" and seen(made < 0) == [[1, 1, 0, 0, 0]]
    same = pixels([[-12.0]], unit="dB")
    assert decibels(same) is same
    with pytest.raises(DefinitionError, match="not from 'K'"):
        decibels(pixels([[1.0]], unit="K"))


def test_normalized_difference() -> None:
    nir, red = pixels([[0.6, 0.0, 0.4, NAN]], "nir"), pixels([[0.2, 0.0, -0.6, 0.1]], "red")
    made = normalized_difference(nir, red)
    np.testing.assert_allclose(made.values, [[0.5, NAN, NAN, NAN]])
    assert seen(made) == [[1, 0, 0, 0]]


def test_quantities_know_how_they_are_weighed() -> None:
    x = pixels([[1.0]])
    assert [(q.kind, q.unit) for q in (area(), amount(x, "people"), rate(x, "K"))] == [
        ("area", "m2"),
        ("amount", "people"),
        ("rate", "K m2"),
    ]
    assert list(area().by(a=x).by(b=x).keys) == ["a", "b"]
