"""SDG 15.3.1: degraded land, one out, all out, in a baseline and in the periods after it."""

import numpy as np
import xarray as xr

from geomon import (
    Choice,
    Indicator,
    Layer,
    Official,
    Output,
    Shapes,
    Source,
    Survey,
    amount,
    area,
    classes,
    look_up,
    percentile,
    share,
    total,
)

STATUS = {(-1, -1): -1, (-1, 0): -1, (-1, 1): 1, (0, -1): -1, (0, 0): 0, (0, 1): 1, (1, -1): -1, (1, 0): 1, (1, 1): 1}
WORSE = (("forest", "crop"), ("forest", "built"), ("crop", "built"))
BIN = 0.02  # of NDVI
STEEP = {"prais4_2026": 0.001, "gpg_v2_2021": 0.0015, "trends_earth": 0.0005}  # NDVI a step


def annual_mean(ndvi: xr.DataArray) -> xr.DataArray:
    """Mean of the years' means, three dates in each."""
    return ndvi.coarsen(time=3).mean().mean("time")


def histogram(ndvi: xr.DataArray, unit: xr.DataArray) -> dict:
    """Pixels by land unit and NDVI."""
    return {"pixels": amount(1.0, "pixels").by(unit=unit, bin=np.floor(ndvi / BIN))}


def potential(soil: xr.DataArray, cover: xr.DataArray) -> xr.DataArray:
    """Land of like potential: soil and first land cover."""
    return soil * 100 + cover


def slopes(ndvi: xr.DataArray) -> dict:
    """Least-squares slope over the window, and the recent against the earlier mean in its deviations."""
    t = xr.DataArray(np.arange(ndvi.sizes["time"], dtype=float), dims="time").where(ndvi.notnull())
    t = t - t.mean("time")
    recent, past = ndvi.isel(time=slice(-9, None)), ndvi.isel(time=slice(None, -9))
    return {
        "slope": (t * ndvi).sum("time") / (t * t).sum("time"),
        "z": (recent.mean("time") - past.mean("time")) / past.std("time"),
    }


def sign(x: xr.DataArray, cut: float) -> xr.DataArray:
    """-1, 0, 1 for below, within and above the cut; missing where x is."""
    return xr.where(x > cut, 1.0, xr.where(x < -cut, -1.0, 0.0)).where(x.notnull())


def worst(*parts: xr.DataArray) -> xr.DataArray:
    """One out, all out; missing if any is missing."""
    every = xr.concat(parts, "part")
    return xr.where((every == -1).any("part"), -1.0, every.max("part")).where(every.notnull().all("part"))


def productivity(ndvi: dict, level: xr.DataArray, best: xr.DataArray, profile: str) -> xr.DataArray:
    """Trend, state and performance as the profile joins them."""
    trend, state = sign(ndvi["slope"], STEEP[profile]), sign(ndvi["z"], 0.5)
    stressed = xr.where(level / best <= 0.8, -1.0, 0.0).where(best.notnull())
    if profile == "gpg_v2_2021":
        return worst(trend, stressed)
    known = state.notnull() & stressed.notnull()
    return xr.where((trend == -1) | ((state == -1) & (stressed == -1)), -1.0, trend).where(known)


def assess(
    ndvi: dict,
    level: xr.DataArray,
    unit: xr.DataArray,
    p90: xr.DataArray,
    first: xr.DataArray,
    last: xr.DataArray,
    carbon: xr.DataArray,
    *,
    profile: str,
) -> dict:
    """-1, 0, 1 for each sub-indicator, and for all."""
    greens = productivity(ndvi, level, look_up(p90, unit), profile)
    losses = [-1.0 * (classes(first, a) & classes(last, b)) for a, b in WORSE]
    change = sum(losses[1:], losses[0]).where(first.notnull() & last.notnull())
    soil = xr.where(carbon < 45, -1.0, 0.0)
    return {"productivity": greens, "cover": change, "carbon": soil, "all": worst(greens, change, soil)}


def measure(
    base: dict,
    now: dict,
    cover: xr.DataArray,
    people: xr.DataArray | None = None,
    corrections: xr.DataArray | None = None,
) -> dict:
    """Land and people by status, land by the signal of each part."""
    land = ~classes(cover, "water")
    status = look_up(STATUS, base["all"], now["all"])
    if corrections is not None:
        status = xr.where(corrections == 1, 0.0, xr.where(corrections == 2, -1.0, status))
    exposed = {} if people is None else {"people": amount(people * land, "people").by(status=status)}
    parts = {part: area(land).by(signal=now[part]) for part in ("productivity", "cover", "carbon")}
    return {"land": area(land).by(status=status), **parts, **exposed}


NDVI = Source("ndvi", window="16Y")
LEVEL = Layer(annual_mean, {"ndvi": NDVI}, kind="rate")
FIRST = Source("landcover", window="first")
UNIT = Layer(potential, {"soil": Source("soil"), "cover": FIRST})
BEST = percentile("pixels", 0.9, bins="bin", width=BIN, at_least=30)
SIGNALS = {
    "ndvi": Layer(slopes, {"ndvi": NDVI}, kind="rate"),
    "level": LEVEL,
    "unit": UNIT,
    "p90": Survey(histogram, BEST, {"ndvi": LEVEL, "unit": UNIT}),
    "first": FIRST,
    "last": Source("landcover", window="last"),
    "carbon": Source("carbon"),
}

INDICATOR = Indicator(
    code="toy-15.3.1",
    title="Proportion of land that is degraded over total land area",
    freq="",
    sources={
        "base": Layer(assess, SIGNALS, grid="level", period="2000/2015"),
        "now": Layer(assess, SIGNALS, grid="level"),
        "cover": FIRST,
        "people": Source("people", window="last"),
        "corrections": Shapes("corrections", as_="code", field="code"),
    },
    grid="now",
    measure=measure,
    outputs={
        "degraded": Output(
            share("land", of="land", status=-1), "percent", official=Official("AG_LND_DGRD", tolerance=3.0)
        ),
        "status": Output(total("land"), "km2"),
        "productivity": Output(total("productivity"), "km2"),
        "exposed": Output(share("people", of="people", status=-1), "percent"),
    },
    params={"profile": Choice(("prais4_2026", "gpg_v2_2021", "trends_earth"))},
    map="land",
    minimum_coverage=0.5,
    people=True,
)
