"""A masked composite, the worked example: cloudy Sentinel-2 images become the median NDVI of their clear pixels."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from geomon import Indicator, Layer, Output, Source, mean, normalized_difference, rate, sample
from geomon.pipeline import run

CLEAR = (4, 5, 6)  # vegetation, bare ground, water in Sentinel-2's scene classification


def clear_ndvi(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> xr.DataArray:
    """Median NDVI of the dates on which a pixel was clear; unseen where it never was."""
    return normalized_difference(nir, red).where(scl.isin(CLEAR)).median("time")


def cloudy_ndvi(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> xr.DataArray:
    """The same with the clouds left in."""
    return normalized_difference(nir, red).median("time")


def measure(ndvi: xr.DataArray) -> dict:
    """Greenness of each place."""
    return {"green": rate(ndvi, "1")}


def greenness(kernel: Callable[..., xr.DataArray]) -> Indicator:
    bands = {b: Source("sentinel-2-l2a", b, window="period") for b in ("red", "nir", "scl")}
    return Indicator(
        code="greenness",
        title="Median greenness of clear pixels",
        freq="",
        sources={"ndvi": Layer(kernel, bands, kind="rate")},
        grid="ndvi",
        measure=measure,
        outputs={"ndvi": Output(mean("green"), "1")},
        minimum_coverage=0.0,
    )


def district(country: sample.Sample, kernel: Callable[..., xr.DataArray], period: str) -> pd.Series:
    """The district of which the images show most."""
    series = run(greenness(kernel), country.zones, period).series
    districts = series[series.ref_area.str.len() == 6]
    return districts.iloc[int(districts.coverage.to_numpy().argmax())]


def test_clouds_are_masked_and_the_offset_is_applied_once(
    country: sample.Sample, use_workspace: Callable[..., None]
) -> None:
    use_workspace(country.workspace)
    old = district(country, clear_ndvi, "2021-06")  # one image of the old processing, without an offset
    new = district(country, clear_ndvi, "2023-06/2023-07")  # several of the new one, with it
    assert old.ref_area == new.ref_area
    assert abs(old.obs_value - new.obs_value) < 0.06
    assert new.n_obs > old.n_obs >= 1


def test_without_the_mask_the_value_is_another(country: sample.Sample, use_workspace: Callable[..., None]) -> None:
    use_workspace(country.workspace)
    clear, cloudy = (district(country, k, "2023-06/2023-07") for k in (clear_ndvi, cloudy_ndvi))
    assert np.isfinite([clear.obs_value, cloudy.obs_value]).all()
    assert cloudy.obs_value < clear.obs_value - 0.05
