"""SDG 6.6.1 on sixteen hectares, and the special codes of the product's other layers."""

import pytest
import xarray as xr

from geomon import Indicator, Output, Source, area, classes, mean, rate, total
from geomon.pipeline import Run, plan
from geomon.registry import indicator
from geomon.testing import World
from tests.golden.eye import stored, zone

UNSEEN, DRY, SEASONAL, PERMANENT = 0, 1, 2, 3
YEARLY = [
    [PERMANENT, PERMANENT, SEASONAL, DRY],
    [PERMANENT, SEASONAL, DRY, DRY],
    [DRY, DRY, DRY, DRY],
    [UNSEEN, DRY, DRY, DRY],
]
ALL = zone(0, 0, 400, 400)


def values(run: Run) -> dict[str, tuple[float, float, float]]:
    """Value and bounds by series."""
    return {r.series: (r.obs_value, r.lower, r.upper) for r in run.series.itertuples()}


def test_permanent_and_seasonal_water() -> None:
    """3 and 2 hectares; what was not observed in the year is not dry."""
    world = World((stored("jrc-gsw", {"2019": YEARLY}, "yearly"),))
    run = plan(indicator("6.6.1"), ALL, "2019", catalog=world).run(workers=1)
    assert values(run) == {
        "permanent": pytest.approx((0.03, 0.03, 0.04)),
        "seasonal": pytest.approx((0.02, 0.02, 0.03)),
    }
    assert run.series.coverage.tolist() == pytest.approx([15 / 16] * 2)


def test_months_of_water_are_of_2020() -> None:
    """12 months are permanent, 1 to 11 seasonal; 255 was never seen. The layer describes 2020 and no other year."""
    months = [[12, 12, 11, 1], [0, 0, 255, 5]]
    world = World((stored("jrc-gsw", {"2020": months}, "seasonality"),))
    use = {"yearly": "jrc-gsw:seasonality"}
    run = plan(indicator("6.6.1"), zone(0, 0, 400, 200), "2020", catalog=world, use=use).run(workers=1)
    assert run.totals is not None
    assert [float(run.totals[q].squeeze()) for q in ("permanent", "seasonal")] == pytest.approx([2e4, 3e4])
    assert float(run.totals.unseen.isel(quantity=0).squeeze()) == pytest.approx(1e4)


# Change of occurrence: 0 to 200 is percent + 100; 253 is not water, 254 unable to calculate, 255 no data
CHANGE = [[0, 100, 150, 200], [253, 254, 255, 100]]


def change_of(measure: object, band: str, **outputs: Output) -> Run:
    """A run on one layer of the change."""
    made = Indicator(
        code="toy-change",
        title="Change of water",
        sources={"change": Source("jrc-gsw", band)},
        grid="change",
        measure=measure,
        outputs=outputs,
        minimum_coverage=0.0,
    )
    world = World((stored("jrc-gsw", {"2020": CHANGE}, band),))
    return plan(made, zone(0, 0, 400, 200), "2020", catalog=world).run(workers=1)


def test_the_change_in_percent_leaves_out_what_is_no_percentage() -> None:
    """-100, 0, 50, 100 and 0 percent on five hectares: special codes are no numbers."""
    run = change_of(
        lambda change: {"change": rate(change, "percent")}, "change", mean=Output(mean("change"), "percent")
    )
    (row,) = run.series.to_dict("records")
    assert row["obs_value"] == pytest.approx((-100 + 0 + 50 + 100 + 0) / 5)
    assert row["coverage"] == pytest.approx(5 / 8)


def test_the_change_in_classes_knows_ground_that_is_never_water() -> None:
    """253 was seen, and is no water; 254 and 255 were not."""

    def measure(change: xr.DataArray) -> dict:
        return {n: classes(change, n) for n in ("loss", "stable", "gain", "dry")} | {"all": area(change >= 0)}

    run = change_of(measure, "change-class", **{n: Output(total(n), "ha") for n in ("loss", "stable", "gain", "dry")})
    assert {s: v for s, (v, _, _) in values(run).items()} == pytest.approx(
        {"loss": 1, "stable": 2, "gain": 2, "dry": 1}
    )
    assert run.series.coverage.tolist() == pytest.approx([6 / 8] * 4)
