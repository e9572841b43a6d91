"""SDG 15.1.1 on sixteen hectares."""

import pytest

from geomon.pipeline import plan
from geomon.registry import indicator
from geomon.testing import World
from tests.golden.eye import stored, zone

TREES, MANGROVE, GRASS, CROP, WATER, NOTHING = 10, 95, 30, 40, 80, 0
COVER = [
    [TREES, TREES, GRASS, WATER],
    [TREES, MANGROVE, WATER, WATER],
    [NOTHING, CROP, GRASS, CROP],
    [GRASS, CROP, GRASS, TREES],
]


def test_forest_is_a_share_of_what_was_seen_and_is_no_water() -> None:
    """5 of 12 hectares of land; the one that was not seen may be forest, other land, or water."""
    world = World((stored("esa-worldcover", {"2020": COVER}),))
    run = plan(indicator("15.1.1"), zone(0, 0, 400, 400), "2020", catalog=world).run(workers=1)
    (row,) = run.series.to_dict("records")
    assert row["obs_value"] == pytest.approx(100 * 5 / 12)
    assert row["lower"] == pytest.approx(100 * 5 / 13)
    assert row["upper"] == pytest.approx(100 * 6 / 13)
    assert row["coverage"] == pytest.approx(15 / 16)
    assert (row["interval"], row["unit_measure"], row["n_obs"]) == ("bounds", "percent", 1)
    assert run.totals is not None
    assert float(run.totals.forest.squeeze()) == pytest.approx(5e4)
    ((done,)) = run.done
    assert done.maps["2020"].tolist()[0] == [1, 1, 0, 0]


def test_half_a_pixel_counts_as_half() -> None:
    """The western column and half of the next: 2 + 1 forest of 3 + 2 land (one and a half unseen or water)."""
    world = World((stored("esa-worldcover", {"2020": COVER}),))
    row = plan(indicator("15.1.1"), zone(0, 0, 150, 400), "2020", catalog=world).run(workers=1).series.iloc[0]
    forest, land = 2 + 0.5 * 2, 3 + 0.5 * 4
    assert row.obs_value == pytest.approx(100 * forest / land)
    assert row.coverage == pytest.approx(5 / 6)
