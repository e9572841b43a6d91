"""The series: each output read from the totals, withheld where too little was seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from geomon.errors import DefinitionError
from geomon.indicator import Indicator, Output
from geomon.series import INTERVALS, NATURE, tidy
from geomon.supply import ask
from geomon.texts import say
from geomon.uncertainty import Errors, with_errors
from geomon.values import Component, Estimate

ADDED = ("confusion", "model")  # components that are named beside the bounds of unseen ground
FACTORS = {("m2", "km2"): 1e-6, ("m2", "ha"): 1e-4, ("m", "km"): 1e-3}


def read_off(
    indicator: Indicator,
    totals: xr.Dataset,
    params: Mapping[str, str],
    *,
    n_obs: Mapping[tuple[str, str], float],
    failed: Mapping[str, int],
    lost: Mapping[str, int],
    unfound: Sequence[str],
    run: str = "",
    vintage: str = "",
    synthetic: bool = False,
    errors: Sequence[Errors] = (),
    above: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The Series table of a run, and the components of its intervals.

    `n_obs` by zone and period, `failed` reads by period, `lost` blocks by zone, `unfound` the periods in which
    nothing was found; `errors` of the sources, whose classes the totals then hold; `above` the parent of each zone.
    """
    rows: list[dict[str, object]] = []
    parts: list[dict[str, object]] = []
    totals, classes = apart(totals, errors)
    coverage = totals["seen"] / (totals["seen"] + totals["unseen"])
    common = {
        "indicator": indicator.code,
        "nature": f"{NATURE}, synthetic" if synthetic else NATURE,
        "params": ",".join(f"{k}={v}" for k, v in sorted(params.items())),
        "vintage": vintage,
        "run": run,
    }
    for name, output in indicator.outputs.items():
        uses = tuple(getattr(output.value, "uses", tuple(totals["quantity"].values)))
        if not set(uses) <= set(totals["quantity"].values):
            continue  # made from an optional source that this run does not have
        got = read_totals(output.value, totals, params)
        got = got if isinstance(got, Estimate) else Estimate(got, output.unit)
        got = with_errors(output.value, got, totals, classes, errors, above or {})
        factor = conversion(indicator, name, got.unit, output)
        seen = coverage.sel(quantity=list(uses)).min("quantity")
        own = {"series": name, "unit_measure": output.unit}
        made, pieces = numbers(indicator, got, factor, seen, n_obs, failed, lost, unfound)
        rows += [{**common, **row, **own} for row in made]
        parts += [{**piece, **own} for piece in pieces]
    return tidy(rows), tidy(parts, INTERVALS)


def apart(totals: xr.Dataset, errors: Sequence[Errors]) -> tuple[xr.Dataset, dict[str, xr.DataArray]]:
    """The totals that outputs are read from, and the ground of each class by source."""
    found = {e.source: totals[e.quantity] for e in errors if e.quantity in totals}
    names = [e.quantity for e in errors if e.quantity in totals]
    if not names:
        return totals, found
    kept = [q for q in totals["quantity"].values if q not in names]
    keys = [e.key for e in errors if e.key in totals.dims]
    return totals.drop_vars([*names, *keys]).sel(quantity=kept), found


def read_totals(value: Any, totals: xr.Dataset, params: Mapping[str, str]) -> Any:
    """By a word, or by a function that may name params."""
    return value(totals) if hasattr(value, "uses") else ask(value, {"totals": totals}, params)


def conversion(indicator: Indicator, name: str, unit: str, output: Output) -> float:
    """From the unit of the totals to that of the output; DefinitionError if there is no way."""
    if unit == output.unit:
        return 1.0
    if (unit, output.unit) in FACTORS:
        return FACTORS[unit, output.unit]
    head, _, tail = unit.rpartition(" ")
    wanted, _, end = output.unit.rpartition(" ")
    if head and head == wanted and (tail, end) in FACTORS:
        return FACTORS[tail, end]
    raise DefinitionError(
        f"{indicator.code} {name}: its totals are in {unit!r}, the output says {output.unit!r}. "
        "Say the unit that it has, or one that geomon converts to (km2, ha, km)."
    )


def numbers(
    indicator: Indicator,
    got: Estimate,
    factor: float,
    seen: xr.DataArray,
    n_obs: Mapping[tuple[str, str], float],
    failed: Mapping[str, int],
    lost: Mapping[str, int],
    unfound: Sequence[str],
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The rows of one output, value and bounds by zone, period and breakdown; and those of its components."""
    dims = [str(d) for d in got.value.dims]
    axes = {d: got.value[d].values for d in dims}
    parts = [None if x is None else factor * x.transpose(*dims).values for x in (got.value, got.lower, got.upper)]
    components = [spread(c, dims, factor) for c in got.components]
    shares = {
        (str(z), str(p)): float(v)
        for z, line in zip(seen["zone"].values, seen.transpose("zone", "period").values, strict=True)
        for p, v in zip(seen["period"].values, line, strict=True)
    }
    whole = seen.min("period").to_series().to_dict()
    rows, pieces = [], []
    for place in np.ndindex(*got.value.shape):
        where = {d: axes[d][i] for d, i in zip(dims, place, strict=True)}
        zone, period = str(where["zone"]), str(where.get("period", ""))
        share = shares[zone, period] if period else float(whole[zone])
        enough = share > 0 and share >= indicator.minimum_coverage
        value, lower, upper = (np.nan if x is None else float(x[place]) for x in parts)
        keys = {k: v for k, v in where.items() if k not in ("zone", "period")}
        if keys and np.isnan(value) and not np.isnan(share):
            continue  # a key that this area or period does not have
        labels = [period] if period else [str(p) for p in seen["period"].values]
        where_it_is = {
            "ref_area": zone,
            "time_period": period or f"{labels[0]}/{labels[-1]}",
            "breakdown": ",".join(f"{k}={exact(v)}" for k, v in keys.items()),
        }
        own = [c for c in components if c["here"][place]]
        names = [c["component"] for c in own if c["component"] in ADDED and np.isfinite(c["lower"][place])]
        pieces += [{**where_it_is, **piece(c, place, enough)} for c in own]
        rows.append(
            {
                **where_it_is,
                "obs_value": value if enough else np.nan,
                "lower": lower,
                "upper": upper,
                "interval": "+".join([*([got.interval] if got.interval else []), *names]),
                "obs_status": ""
                if enough and np.isfinite(value)
                else why(indicator, share, value, labels, failed, lost.get(zone, 0), unfound),
                "coverage": share,
                "n_obs": min((n_obs.get((zone, p), np.nan) for p in labels), default=np.nan),
            }
        )
    return rows, pieces


def spread(component: Component, dims: Sequence[str], factor: float) -> dict[str, Any]:
    """A component as arrays over the axes of its output, in the unit of that."""
    arrays = {"value": component.value, "se": component.se, "lower": component.lower, "upper": component.upper}
    return {
        **{n: None if x is None else factor * x.transpose(*dims).values for n, x in arrays.items()},
        "here": component.here.transpose(*dims).values,
        "component": component.name,
        "level": component.level,
        "basis": component.basis,
    }


def piece(component: Mapping[str, Any], place: tuple[int, ...], published: bool) -> dict[str, object]:
    """The row of a component in one place; a value that is withheld is not told by it either."""
    ends = {n: float(component[n][place]) for n in ("lower", "upper")}
    better = {n: float(component[n][place]) for n in ("value", "se") if component[n] is not None and published}
    return {**ends, **better, **{n: component[n] for n in ("component", "level", "basis")}}


def why(
    indicator: Indicator,
    share: float,
    value: float,
    periods: Sequence[str],
    failed: Mapping[str, int],
    blocks: int,
    unfound: Sequence[str],
) -> str:
    """The reason that stands in the place of a value."""
    files = sum(failed.get(p, 0) for p in periods)
    if all(p in unfound for p in periods):
        status = say("status.unfound")
    elif np.isnan(share):
        status = say("status.outside")
    elif share == 0:
        status = say("status.unseen")
    elif share < indicator.minimum_coverage:
        status = say("status.little", share=percent(share), needed=percent(indicator.minimum_coverage))
    else:
        return say("status.undefined") if np.isnan(value) else ""
    for what, count in (("lost", files), ("blocks", blocks)):
        if count:
            status = say(f"status.{what}.{'more' if count > 1 else 'one'}", status=status, count=count)
    return status


def exact(key: float) -> str:
    """A key in full, for the numbers of two cities may differ in the last digit: '-1', '0.5', '5005249597250'."""
    return np.format_float_positional(float(key), trim="-")


def percent(share: float) -> str:
    """'41 %', never rounded up to what it is not."""
    return say("status.percent", share=f"{np.floor(share * 1000) / 10:g}")
