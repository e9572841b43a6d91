"""The map of a run: blocks into one cloud-optimized GeoTIFF a period, tiles first, overviews by its kind."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window as Pane

from geomon.grid import Floats, Window
from geomon.store import asset, label_of, once

if TYPE_CHECKING:
    from geomon.pipeline import Plan

NODATA = {"uint8": 255, "int32": -(2**31), "float32": float("nan")}


def write_maps(
    plan: "Plan", folder: Path, block_map: Callable[[str, str], Floats | None], done: Sequence[Any]
) -> dict[str, Any]:
    """The map assets of a run; none if the definition names no map."""
    tasks = [t for t in plan.tasks if t.map]
    if not tasks:
        return {}
    whole = Window(
        plan.grid,
        min(t.window.i0 for t in tasks),
        max(t.window.i1 for t in tasks),
        min(t.window.j0 for t in tasks),
        max(t.window.j1 for t in tasks),
    )
    assets = {}
    for period in plan.periods:
        parts = [(t.window, m) for t in tasks if (m := block_map(t.key, period.label)) is not None]
        if not parts:
            continue
        path = folder / f"map-{label_of(period.label)}.tif"
        kind = dtype_of([m for _, m in parts])
        marked = kind == "uint8" and max(float(np.nanmax(m, initial=0.0)) for _, m in parts) <= 1
        with once(path) as temporary:
            write_cog(temporary, whole, parts, kind)
        assets[f"map-{label_of(period.label)}"] = asset(
            path,
            f"{plan.indicator.title}: {plan.indicator.map}, {period.label}",
            ["data", "visual"],
            **{
                "geomon:period": period.label,
                "geomon:quantity": plan.indicator.map,
                "geomon:kind": "class" if kind != "float32" else "value",
                "proj:code": plan.grid.crs if plan.grid.crs.startswith("EPSG") else None,
                "proj:wkt2": None if plan.grid.crs.startswith("EPSG") else plan.grid.crs,
                "proj:shape": list(whole.shape),
                "proj:transform": list(whole.transform)[:6],
                "data_type": kind,
                "nodata": "nan" if kind == "float32" else NODATA[kind],
                **({"classification:classes": classes_of(plan)} if marked else {}),
            },
        )
    return assets


def classes_of(plan: "Plan") -> list[dict[str, Any]]:
    """Marked and not, in the colour that the legend of the product has for the group of that name."""
    name = plan.indicator.map
    legends = [k.band.legend for k in plan.setting.known.values() if k.band.legend]
    colours = [legend.colours[c] for legend in legends for c in legend.groups.get(name, ()) if c in legend.colours]
    marked = {"value": 1, "name": name, "description": name.replace("_", " ").capitalize()}
    if colours:
        marked["color_hint"] = colours[0].lstrip("#")
    return [{"value": 0, "name": f"not_{name}", "description": "Seen, and not marked"}, marked]


def dtype_of(parts: Sequence[Floats]) -> str:
    """uint8 for a few classes, int32 for codes, float32 for anything else."""
    values = np.concatenate([np.unique(p[np.isfinite(p)]) for p in parts])
    if not np.array_equal(values, np.round(values)):
        return "float32"
    if not len(values) or (values.min() >= 0 and values.max() < NODATA["uint8"]):
        return "uint8"
    return "int32" if np.abs(values).max() < 2**24 else "float32"


def write_cog(path: Path, whole: Window, parts: Sequence[tuple[Window, Floats]], kind: str) -> None:
    """Blocks of one window as a COG; the ground between them is not written at all."""
    height, width = whole.shape
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": 1,
        "dtype": kind,
        "crs": whole.grid.crs,
        "transform": whole.transform,
        "nodata": NODATA[kind],
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "sparse_ok": True,
        "compress": "deflate",
        "bigtiff": "if_safer",
    }
    flat = path.with_suffix(".flat.tif")
    try:
        with rasterio.open(flat, "w+", **profile) as file:
            for window, values in parts:
                filled = np.where(np.isfinite(values), values, NODATA[kind]).astype(kind)
                shared = pane(*window.inside(whole))
                held = np.where(np.isfinite(values), filled, file.read(1, window=shared))
                file.write(held, 1, window=shared)
        rasterio.shutil.copy(
            flat,
            path,
            driver="COG",
            compress="deflate",
            predictor="yes" if kind == "float32" else "no",
            blocksize=512,
            sparse_ok=True,
            overview_resampling="average" if kind == "float32" else "mode",
            bigtiff="if_safer",
        )
    finally:
        flat.unlink(missing_ok=True)


def pane(rows: slice, columns: slice) -> Pane:
    """Rows and columns as rasterio names them."""
    return Pane(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
