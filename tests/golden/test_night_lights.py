"""Night lights on two cells of one degree: at the equator and at 45 degrees north."""

import numpy as np
import pytest
import shapely

from geomon.pipeline import Run, plan
from geomon.registry import indicator
from geomon.testing import World, window
from geomon.zones import Zone, Zones
from tests.golden.eye import NAN, stored

EQUATOR, NORTH = 12_308.464, 8_686.495  # km2 of a cell of one degree at 0-1 and at 45-46 degrees north
CELLS = window("EPSG:4326", 10, 46, 1.0, (46, 1))
ZONES = Zones(
    (
        Zone("north", "", "all", shapely.box(10, 45, 11, 46)),
        Zone("equator", "", "all", shapely.box(10, 0, 11, 1)),
        Zone("all", "", "", None),
    )
)


def month(north: float, equator: float) -> list[list[float]]:
    """Radiance in two cells; nothing between them was seen."""
    rows = np.full((46, 1), NAN)
    rows[0], rows[45] = north, equator
    return rows.tolist()


def run(**months: list[list[float]]) -> Run:
    """A year of months."""
    dates = {f"2019-{m[1:]}": rows for m, rows in months.items()}
    world = World((stored("viirs-night-lights", dates, at=CELLS),))
    return plan(indicator("night-lights"), ZONES, "2019", catalog=world).run(workers=1)


def values(made: Run, series: str) -> dict[str, float]:
    """Values by area."""
    own = made.series[made.series.series == series]
    return dict(zip(own.ref_area, own.obs_value, strict=True))


def test_light_counts_with_the_ground_on_which_it_shines() -> None:
    """The same radiance is more light where the cell is larger, and the mean is weighted by area."""
    made = run(m01=month(3.0, 6.0))
    assert values(made, "sum") == pytest.approx(
        {"north": 3 * NORTH, "equator": 6 * EQUATOR, "all": 3 * NORTH + 6 * EQUATOR}, rel=1e-6
    )
    mean = (3 * NORTH + 6 * EQUATOR) / (NORTH + EQUATOR)
    assert values(made, "mean") == pytest.approx({"north": 3, "equator": 6, "all": mean}, rel=1e-6)


def test_slightly_negative_radiance_is_kept() -> None:
    """It is noise around zero: without it the dark would shine."""
    made = run(m01=month(-0.4, 0.2), m02=month(0.2, -0.4))
    assert values(made, "mean") == pytest.approx({"north": -0.1, "equator": -0.1, "all": -0.1})
    assert set(made.series.unit_measure) == {"nW cm-2 sr-1 km2", "nW cm-2 sr-1"}


def test_the_mean_is_of_the_months_that_were_seen() -> None:
    made = run(m01=month(2.0, 1.0), m02=month(NAN, 2.0), m03=month(4.0, 3.0))
    assert values(made, "mean") == pytest.approx(
        {"north": 3, "equator": 2, "all": (3 * NORTH + 2 * EQUATOR) / (NORTH + EQUATOR)}, rel=1e-6
    )
    assert dict(zip(made.series.ref_area, made.series.n_obs, strict=True)) == {"north": 2, "equator": 3, "all": 3}


def test_a_place_that_no_month_saw_has_no_value() -> None:
    made = run(m01=month(NAN, 1.0)).series
    north = made[made.ref_area == "north"]
    assert north.obs_value.isna().all() and (north.coverage == 0).all()
    assert set(north.obs_status) == {"nothing was seen"}
