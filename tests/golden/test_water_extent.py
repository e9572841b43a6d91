"""Water and flood on one day, on twenty-four hectares.

Power 0.01 is -20 dB, dark; 0.1 is -10 dB, bright. The mean of 3 x 3 pixels keeps a dark column only if its
neighbours are dark: between a dark and a bright column it is (0.01 + 0.01 + 0.1) / 3 = 0.04, -14 dB.
"""

import pytest

from geomon.pipeline import Run, plan
from geomon.registry import indicator
from geomon.testing import Raster, World
from tests.golden.eye import NAN, stored, zone

DARK, BRIGHT = 0.01, 0.1
DAY = "2020-03-05"
NOW = [[DARK, DARK, DARK, BRIGHT, BRIGHT, BRIGHT]] * 4  # after the mean, columns 1 and 2 are water
BEFORE = [[DARK, DARK, BRIGHT, BRIGHT, BRIGHT, BRIGHT]] * 4  # column 1
YEARLY = [[1, 3, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1]]
REFERENCE = stored("jrc-gsw", {"2019": YEARLY}, "yearly")


def radar(**dates: list[list[float]]) -> Raster:
    """Images by day."""
    return stored(
        "sentinel-1-rtc", {day.removeprefix("on_").replace("_", "-"): rows for day, rows in dates.items()}, "vv"
    )


def run(*rasters: Raster) -> Run:
    """The day, with what there is."""
    return plan(indicator("water-extent"), zone(0, 0, 600, 400), DAY, catalog=World(rasters)).run(workers=1)


def square_kilometres(made: Run) -> dict[str, tuple[float, float]]:
    """Value and upper bound by series."""
    return {r.series: (r.obs_value, r.upper) for r in made.series.itertuples()}


def test_one_image_shows_water_and_no_flood() -> None:
    """Eight hectares."""
    assert square_kilometres(run(radar(on_2020_03_05=NOW))) == {"water": pytest.approx((0.08, 0.08))}


def test_an_image_before_tells_flood_from_water() -> None:
    """Column 1 was water before: four hectares are flood."""
    made = run(radar(on_2020_02_10=BEFORE, on_2020_03_05=NOW))
    assert square_kilometres(made) == {"water": pytest.approx((0.08, 0.08)), "flood": pytest.approx((0.04, 0.04))}


def test_reference_water_is_no_flood_and_where_it_is_unknown_nothing_is_said() -> None:
    """In column 2, which was not water before, one hectare is a lake, and of one nobody knows."""
    made = run(radar(on_2020_02_10=BEFORE, on_2020_03_05=NOW), REFERENCE)
    assert square_kilometres(made) == {"water": pytest.approx((0.08, 0.08)), "flood": pytest.approx((0.02, 0.03))}
    assert made.series.set_index("series").coverage.to_dict() == pytest.approx({"water": 1, "flood": 23 / 24})


def test_reference_water_alone_tells_flood_too() -> None:
    """Of eight hectares of water one is a lake, and of one nobody knows."""
    assert square_kilometres(run(radar(on_2020_03_05=NOW), REFERENCE))["flood"] == pytest.approx((0.06, 0.07))


def test_a_pixel_that_the_image_missed_is_not_dry() -> None:
    """Its neighbours are averaged without it; it stays unseen."""
    rows = [list(row) for row in NOW]
    rows[0][0] = NAN
    rows[3][5] = -32768
    made = run(radar(on_2020_03_05=rows))
    assert square_kilometres(made) == {"water": pytest.approx((0.07, 0.09))}
    assert made.series.coverage.tolist() == pytest.approx([22 / 24])
