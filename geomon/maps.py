"""The map of a run: blocks into one cloud-optimized GeoTIFF a period, tiles first, overviews by its kind."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window as Pane

from geomon.grid import Floats, Window
from geomon.places import Place, once
from geomon.series import NATURE
from geomon.store import asset, label_of
from geomon.tabulate import Task
from geomon.tasks import names_of

if TYPE_CHECKING:
    from geomon.pipeline import Plan

NODATA = {"uint8": 255, "int32": -(2**31), "float32": float("nan"), "float64": float("nan")}
Part = tuple[Window, str, Floats]
"""A block's window, what its map shows, and its pixels."""


@dataclass(frozen=True)
class Look:
    """How the pixels of a map are stored."""

    dtype: str
    codes: bool
    """Classes and marks, whose overviews take the most frequent; else numbers, whose overviews take the mean."""
    marks: bool = False
    """Only 0 and 1."""


def write_maps(
    plan: "Plan", folder: Place, block_map: Callable[[str, str], tuple[str, Floats] | None]
) -> dict[str, Any]:
    """The map assets of a run, one for each period and grid; none if the definition names no map.

    One block is in memory at a time.
    """
    tasks = [t for t in plan.tasks if t.map]
    names = names_of(plan.grids)
    assets = {}
    for period in plan.periods:
        look = look_of(parts_of(tasks, period.label, block_map))
        if look is None:
            continue
        for grid, name in names.items():
            own = [t for t in tasks if t.window.grid == grid]
            parts = parts_of(own, period.label, block_map)
            if len(names) > 1 and next(parts, None) is None:
                continue
            whole = Window(
                grid,
                min(t.window.i0 for t in own),
                max(t.window.i1 for t in own),
                min(t.window.j0 for t in own),
                max(t.window.j1 for t in own),
            )
            called = f"map-{label_of(period.label)}" + (f"-{name}" if name else "")
            path = folder / f"{called}.tif"
            with once(path) as temporary:
                parts = parts_of(own, period.label, block_map)
                write_cog(temporary, whole, parts, look, classes_of(plan), says(plan, period.label))
            assets[called] = asset(
                path,
                f"{plan.indicator.title}: {plan.indicator.map}, {period.label}" + (f", grid {name}" if name else ""),
                ["data", "visual"],
                **about(plan, period.label, name, whole, look),
            )
    return assets


def about(plan: "Plan", period: str, name: str, whole: Window, look: Look) -> dict[str, Any]:
    """What the asset of a map says about it; `name` is that of its grid where there are several."""
    crs = whole.grid.crs
    return {
        "geomon:period": period,
        **({"geomon:grid": name} if name else {}),
        "geomon:quantity": plan.indicator.map,
        "geomon:kind": "class" if look.codes else "value",
        "proj:code": crs if crs.startswith("EPSG") else None,
        "proj:wkt2": None if crs.startswith("EPSG") else crs,
        "proj:shape": list(whole.shape),
        "proj:transform": list(whole.transform)[:6],
        "data_type": look.dtype,
        "nodata": "nan" if look.dtype.startswith("float") else NODATA[look.dtype],
        **({"classification:classes": classes_of(plan)} if look.marks else {}),
    }


def parts_of(
    tasks: Sequence[Task], period: str, block_map: Callable[[str, str], tuple[str, Floats] | None]
) -> Iterator[Part]:
    """The blocks that have a map of the period, one after the other."""
    for task in tasks:
        found = block_map(task.key, period)
        if found is not None:
            yield task.window, *found


def look_of(parts: Iterable[Part]) -> Look | None:
    """How to store these pixels: by what they show, not by how their numbers look; None if there are none."""
    shown, low, high, whole = "", np.inf, -np.inf, True
    for _, shows, pixels in parts:
        seen = pixels[np.isfinite(pixels)]
        shown = shows
        if len(seen):
            low, high = min(low, float(seen.min())), max(high, float(seen.max()))
            whole = whole and np.array_equal(seen, np.round(seen))
    if not shown:
        return None
    if shown == "keys":
        small = whole and low >= 0 and high < NODATA["uint8"]
        return Look("uint8" if small else "int32" if whole and max(-low, high) < 2**31 else "float64", codes=True)
    if shown == "area" and whole:
        return Look("uint8", codes=True, marks=True)
    return Look("float32", codes=False)


def classes_of(plan: "Plan") -> list[dict[str, Any]]:
    """Marked and not, in the colour that the legend of the product has for the group of that name."""
    name = plan.indicator.map
    legends = [k.band.legend for k in plan.setting.known.values() if k.band.legend]
    colours = [legend.colours[c] for legend in legends for c in legend.groups.get(name, ()) if c in legend.colours]
    marked = {"value": 1, "name": name, "description": name.replace("_", " ").capitalize()}
    if colours:
        marked["color_hint"] = colours[0].lstrip("#")
    return [marked, {"value": 0, "name": f"not_{name}", "description": "Seen, and not marked"}]


def write_cog(
    path: Path,
    whole: Window,
    parts: Iterable[Part],
    look: Look,
    classes: Sequence[dict[str, Any]] = (),
    says: str = "",
) -> None:
    """Blocks of one window as a COG; the ground between them is not written at all.

    `classes` colour it wherever it is opened, and `says` what it is.
    """
    height, width = whole.shape
    nodata = NODATA[look.dtype]
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": 1,
        "dtype": look.dtype,
        "crs": whole.grid.crs,
        "transform": whole.transform,
        "nodata": nodata,
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
            file.set_band_description(1, says)
            file.update_tags(TIFFTAG_IMAGEDESCRIPTION=says)
            if look.marks:
                file.write_colormap(1, {c["value"]: colour_of(c) for c in classes})
            for window, _, values in parts:
                filled = np.where(np.isfinite(values), values, nodata).astype(look.dtype)
                shared = pane(*window.inside(whole))
                held = np.where(np.isfinite(values), filled, file.read(1, window=shared))
                file.write(held, 1, window=shared)
        rasterio.shutil.copy(
            flat,
            path,
            driver="COG",
            compress="deflate",
            predictor="yes" if look.dtype.startswith("float") else "no",
            blocksize=512,
            sparse_ok=True,
            overview_resampling="mode" if look.codes else "average",
            bigtiff="if_safer",
        )
    finally:
        flat.unlink(missing_ok=True)


def says(plan: "Plan", period: str) -> str:
    """What a map is, for whoever opens the file alone."""
    nature = f"{NATURE}, synthetic: no real place" if plan.recipe["synthetic"] else NATURE
    return f"{plan.indicator.map}, {period}: {plan.indicator.title} ({nature})"


def colour_of(marked: dict[str, Any]) -> tuple[int, int, int, int]:
    """A class's colour as GDAL has it; blue for what has none, light grey for what is not marked."""
    hint = marked.get("color_hint") or ("2b8cbe" if marked["value"] else "d9d6cc")
    return int(hint[:2], 16), int(hint[2:4], 16), int(hint[4:], 16), 255


def pane(rows: slice, columns: slice) -> Pane:
    """Rows and columns as rasterio names them."""
    return Pane(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
