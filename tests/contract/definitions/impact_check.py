"""Somebody's impact map beside ours: where both have looked."""

import xarray as xr

from geomon import Given, Indicator, Output, Source, area, total


def measure(ours: xr.DataArray, theirs: xr.DataArray) -> dict:
    """Cross the two maps."""
    return {"crossed": area().by(ours=ours, theirs=theirs)}


def overlap(totals: xr.Dataset) -> xr.DataArray:
    """Flooded in both over flooded in either; missing if it is neither anywhere."""
    both = total("crossed", ours=1.0, theirs=1.0)(totals).value
    either = total("crossed", ours=1.0)(totals).value.sum("theirs") + total("crossed", theirs=1.0)(totals).value.sum(
        "ours"
    )
    return both / (either - both).where(either > 0)


INDICATOR = Indicator(
    code="toy-impact",
    title="Agreement of an impact map with ours",
    freq="D",
    sources={"ours": Source("runs/toy-flood", "water"), "theirs": Given("an impact map: 0 dry, 1 flooded")},
    grid="ours",
    measure=measure,
    outputs={"iou": Output(overlap, "1")},
    minimum_coverage=0.3,
)
