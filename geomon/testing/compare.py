"""Whether two runs gave the same: to the bit, or how far apart."""

import numpy as np
import xarray as xr

from geomon.pipeline import Run


def same_bits(one: Run, two: Run) -> bool:
    """Whether all totals, and the whole series, are equal to the last bit."""
    assert one.totals is not None and two.totals is not None
    return one.totals.identical(two.totals) and one.series.equals(two.series)


def farthest(one: Run, two: Run, zone: str = "") -> float:
    """The largest difference of any total, as a share of the largest total of its quantity; of one zone if named.

    A zone may lack keys that others have; where both runs are compared whole, they must have the same.
    """
    assert one.totals is not None and two.totals is not None
    worst = 0.0
    for name in one.totals.data_vars:
        a, b = one.totals[name], two.totals[name]
        scale = float(np.nanmax(np.abs(a.values), initial=0.0)) or 1.0
        if zone:
            a, b = xr.align(a.sel(zone=zone, drop=True), b.sel(zone=zone, drop=True), join="outer", fill_value=0.0)
        else:
            try:
                a, b = xr.align(a, b, join="exact")
            except xr.AlignmentError:
                return float("inf")
        if not np.array_equal(np.isnan(a.values), np.isnan(b.values)):
            return float("inf")
        worst = max(worst, float(np.nanmax(np.abs(a.values - b.values), initial=0.0)) / scale)
    return worst
