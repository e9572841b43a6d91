"""Definitions that break the contract, each in one way."""

from dataclasses import replace

import numpy as np
import xarray as xr

from geomon import Indicator, Layer, Output, Source, area, classes, rate, total
from tests.contract.definitions import flood, forest_share, night_lights

calls: list[int] = []


def forgets_holes(now: xr.DataArray, before: xr.DataArray | None = None, reference: xr.DataArray | None = None) -> dict:
    """Forgets, with `.values`, that the image before has holes."""
    dark = now < flood.DARK
    if before is None:
        return {"water": dark}
    return {"water": dark, "flood": dark & ~(before.median("time").values < flood.DARK)}


def smooths_without_margin(cover: xr.DataArray) -> xr.DataArray:
    """Looks at neighbours, but asks for none."""
    forest = classes(cover, "forest") * 1.0
    return forest.rolling(y=3, x=3, center=True, min_periods=1).mean()


def numbers_by_row(cover: xr.DataArray) -> dict:
    """Names what it finds by its row in the block."""
    row = xr.zeros_like(cover) + xr.DataArray(np.arange(cover.sizes["y"]), dims="y")
    return {"land": area(~classes(cover, "water")).by(row=row)}


def remembers(cover: xr.DataArray) -> dict:
    """Keeps something from one call to the next."""
    calls.append(1)
    return {"forest": classes(cover, "forest"), "land": area((classes(cover, "forest") * 1.0) / len(calls))}


def in_other_units(radiance: xr.DataArray) -> dict:
    """Gives kelvin where the output says light."""
    return {"light": rate(radiance, "K")}


def seen_nowhere(cover: xr.DataArray) -> dict:
    """Sees nothing on any input."""
    nothing = xr.full_like(cover, np.nan)
    return {"forest": area(nothing), "land": area(nothing)}


SMOOTH = Layer(smooths_without_margin, {"cover": Source("cover")}, kind="rate")


def is_smooth(cover: xr.DataArray) -> dict:
    """Forest by its neighbourhood."""
    return {"forest": cover > 0.5, "land": cover >= 0}


def of_forest(measure: object, **changes: object) -> Indicator:
    """The forest definition with another measure."""
    return replace(forest_share.INDICATOR, measure=measure, **changes)


LAND = {"land": Output(total("land"), "km2")}
CARELESS: dict[str, tuple[Indicator, str]] = {
    "forgets holes": (replace(flood.INDICATOR, measure=forgets_holes), "holes"),
    "no margin": (of_forest(is_smooth, sources={"cover": SMOOTH}), "blocking"),
    "numbered by row": (of_forest(numbers_by_row, outputs=LAND, map=""), "blocking"),
    "remembers": (of_forest(remembers), "order"),
    "other units": (replace(night_lights.INDICATOR, measure=in_other_units), "units"),
    "seen nowhere": (of_forest(seen_nowhere), "units"),
    "cannot be pickled": (of_forest(lambda cover: {"forest": cover == 10, "land": cover != 80}), "pickling"),
    "long title": (replace(forest_share.INDICATOR, title="Forest " * 20), "menu"),
}
"""What is wrong, the definition, and the check that must find it."""
