"""The map: areas coloured in classes, and the pixels they are made of, drawn by MapLibre from our own origin."""

import base64
import contextlib
import importlib.util
import io
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import param
import rasterio
import rasterio.features
import rasterio.warp
import shapely
import shapely.affinity
from panel.custom import JSComponent
from PIL import Image
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from shapely.geometry.base import BaseGeometry

from geomon.errors import StoreError
from geomon.grid import strip
from geomon.panels.numbers import MINUS
from geomon.panels.story import Story
from geomon.panels.titles import plain
from geomon.places import for_gdal, gdal_settings
from geomon.texts import say

LONGEST = 1200  # pixels of the longer side of a picture: sharp on the map, below 1 MB
KEPT = 60  # pictures in memory, for all visitors
PICTURES: dict[tuple[str, str], dict[str, Any]] = {}
WEB = "EPSG:3857"
WORLD = 40_075_016.685578488  # metres of the page once around the earth
OTHER = "#d9d6cb"  # ground that was seen and is not what the map marks

PALETTES = {
    "land": ("#f1f2d2", "#cfe0a6", "#9cc887", "#62a96c", "#2c8453", "#0e5a37"),
    "water": ("#f4efdf", "#cbdfe6", "#93c0da", "#559bc6", "#2674a8", "#0d4c80"),
    "light": ("#20233f", "#4b3a62", "#86486b", "#c25c5c", "#e99546", "#f9dc7c"),
}


class MapLibre(JSComponent):
    """Regions sent once, values at each step, a picture of pixels on demand; keyboard, dark mode, print."""

    regions = param.Dict(default={}, doc="GeoJSON; each feature has `code` and `name`")
    outline = param.Dict(default={}, doc="GeoJSON of the outer line")
    bounds = param.List(default=[-180.0, -60.0, 180.0, 75.0], doc="west, south, east, north")
    attribution = param.String("")
    frame = param.Dict(default={}, doc="title, values by code, words by code")
    scale = param.Dict(default={}, doc="title, breaks, colours, ticks")
    raster = param.Dict(default={}, doc="url, bounds, title, legend; empty: the areas are shown")
    marked = param.List(default=[], doc="codes that are outlined")
    clicked = param.Dict(default={}, doc="code of the area that was chosen, and a count")
    words = param.Dict(default={})
    base = param.String("ml", doc="where the files of the maplibre package are served")

    _esm = Path(__file__).parent / "map.js"


def library() -> str:
    """Folder of maplibre-gl.js and its CSS; found without importing the package's notebook bindings."""
    found = importlib.util.find_spec("maplibre")
    if found is None or found.origin is None:
        raise StoreError("The package maplibre, which draws the maps, is not installed. Run: pip install maplibre")
    return str(Path(found.origin).parent / "srcjs")


def regions(story: Story) -> dict[str, Any]:
    """Regions, outline and bounds of the areas that may be painted."""
    shown = story.areas.loc[story.painted]
    if shown.empty:
        return {"regions": {}, "outline": {}, "bounds": [-180.0, -60.0, 180.0, 75.0]}
    shown = shown.set_geometry(run_on(shown.geometry, 360.0))
    west, south, east, north = (float(v) for v in shown.total_bounds)
    fine = max(east - west, north - south) / 2000  # half a pixel of a map 1000 pixels wide
    shapes = shown.reset_index()[["code", "name", "geometry"]]
    shapes["geometry"] = [simple(g, fine) for g in shapes.geometry]
    edge = shapely.union_all(shown.geometry.to_numpy(), grid_size=fine / 10).simplify(fine)
    outline = [shapely.Polygon(part.exterior) for part in shapely.get_parts(edge) if isinstance(part, shapely.Polygon)]
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shapely.MultiPolygon(outline))}
    return {
        "regions": json.loads(shapes.to_json()),
        "outline": {"type": "FeatureCollection", "features": [feature]},
        "bounds": [west, south, east, north],
    }


def run_on(shapes: gpd.GeoSeries, turn: float) -> gpd.GeoSeries:
    """Shapes across the antimeridian, which run on to the east of it; `turn` is once around the earth."""
    parts, of = shapely.get_parts(shapes.to_numpy(), return_index=True)
    spans = shapely.bounds(parts)[:, [0, 2]] * (360 / turn)
    west, east = strip(*spans.T)
    if west <= east:
        return shapes
    whole = [p if x >= west else shapely.affinity.translate(p, turn) for p, (x, _) in zip(parts, spans, strict=True)]
    joined = [shapely.union_all([p for p, n in zip(whole, of, strict=True) if n == k]) for k in range(len(shapes))]
    return gpd.GeoSeries(joined, index=shapes.index, crs=shapes.crs)


def simple(shape: BaseGeometry, fine: float) -> BaseGeometry:
    """A shape with as much detail as the map can show; one that would vanish is kept as it is."""
    coarse = shape.simplify(fine)
    return shape if coarse.is_empty else coarse


def scale(story: Story, palette: str) -> dict[str, Any]:
    """Classes over all periods, so that a colour means the same at each step."""
    codes = story.rows.index.get_level_values("ref_area")
    values = story.rows.loc[codes.isin(story.painted), "obs_value"].dropna().to_numpy()
    breaks = rounded_breaks(values, len(PALETTES[palette]))
    colours = spread(PALETTES[palette], len(breaks) + 1)
    unit = story.unit
    title = say("map.in", unit=unit.symbol) if unit.symbol else story.title
    ticks = [ticked(b) for b in breaks]
    return {"title": title, "breaks": breaks, "colours": colours, "ticks": ticks}


def rounded_breaks(values: "np.ndarray[Any, Any]", classes: int) -> list[float]:
    """At most classes - 1 rising, round numbers that part the values: even steps, or multiples if they are skewed."""
    if values.size < 2 or np.ptp(values) == 0:
        return []
    low, high = float(values.min()), float(values.max())
    middle = (float(np.median(values)) - low) / (high - low)
    if 0.2 < middle < 0.8:
        step = nice((high - low) / classes)
        first = math.floor(low / step) + 1
        even = [round(step * k, 10) for k in range(first, first + 2 * classes) if step * k < high]
        return even[: classes - 1]
    if -low < 0.05 * high:  # a few large values and many small ones: each class a multiple of the one below
        small = max(float(np.quantile(values[values > 0], 0.1)), high * 1e-4)
        cuts = high * (small / high) ** (np.arange(1, classes) / classes)
    else:
        cuts = np.quantile(values, np.linspace(0, 1, classes + 1)[1:-1])
    return sorted({significant(float(c)) for c in cuts if low < significant(float(c)) < high})


def nice(step: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= step * 0.999)


def significant(value: float) -> float:
    """A number of one significant digit."""
    return float(f"{value:.1g}")


def places(value: float) -> int:
    """Decimals that a round number needs."""
    return len(f"{value:.10f}".rstrip("0").partition(".")[2])


def spread(colours: Sequence[str], count: int) -> list[str]:
    """Some colours of a palette, over its whole range."""
    return (
        [colours[round(i)] for i in np.linspace(0, len(colours) - 1, count)]
        if count > 1
        else [colours[len(colours) // 2]]
    )


def frame(story: Story, period: str) -> dict[str, Any]:
    """One step of the map; a withheld value never leaves the server, its reason does."""
    values, words = {}, {}
    for code in story.painted:
        reading = story.at(code, period)
        words[code] = spoken(story, reading.value, reading.lower, reading.upper, reading.status)
        if reading.published:
            values[code] = reading.value
    return {"title": say("map.title", what=story.title, period=plain(period)), "values": values, "told": words}


def spoken(story: Story, value: float, lower: float, upper: float, status: str) -> str:
    """A value with its interval, or why there is none."""
    if not math.isfinite(value):
        return say("map.withheld", status=status) if status else say("map.none")
    if not math.isfinite(lower):
        return story.unit.write(value)
    return say("map.told", value=story.unit.write(value), between=story.unit.between(lower, upper))


def picture(
    paths: Sequence[str], land: BaseGeometry, classes: Sequence[tuple[int, str]], palette: str
) -> dict[str, Any]:
    """A map of a run on its land (lon/lat), as PNG in the projection of the page, with bounds and breaks.

    Of the maps of several grids the first that has seen a place shows it.
    """
    shape = run_on(gpd.GeoSeries([land], crs="EPSG:4326").to_crs(WEB), WORLD)
    bounds, cells = place_of(paths, shape)
    wide, high = bounds[2] - bounds[0], bounds[3] - bounds[1]
    longest = min(LONGEST, 2 * cells)
    height, width = (max(1, round(longest * side / max(wide, high))) for side in (high, wide))
    grid = rasterio.transform.from_bounds(*bounds, width, height)
    how = {"crs": WEB, "transform": grid, "width": width, "height": height, "resampling": Resampling.nearest}
    pixels: Any = None
    for path in paths:
        with opened(path) as source, WarpedVRT(source, **how) as warped:
            more = warped.read(1, masked=True)
        pixels = more if pixels is None else np.ma.where(np.ma.getmaskarray(pixels), more, pixels)
    sea = rasterio.features.geometry_mask(shape, (height, width), grid, all_touched=True)
    rgba, breaks = painted(np.ma.masked_where(sea, pixels), classes, palette)
    file = io.BytesIO()
    Image.fromarray(rgba, "RGBA").save(file, "PNG", compress_level=6)
    url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    (west, east), (south, north) = rasterio.warp.transform(WEB, "EPSG:4326", bounds[::2], bounds[1::2])
    return {"url": url, "bounds": [west, south, east + 360 if east < west else east, north], "breaks": breaks}


@contextlib.contextmanager
def opened(path: str) -> Iterator[Any]:
    """A map, wherever it lies."""
    with rasterio.Env(**gdal_settings(path)), rasterio.open(for_gdal(path)) as source:
        yield source


def place_of(paths: Sequence[str], land: gpd.GeoSeries) -> tuple[list[float], int]:
    """Bounds of some maps on the page, or of the land if that crosses the antimeridian; cells of the longest side."""
    boxes, cells = [], 1
    for path in paths:
        with opened(path) as source:
            boxes.append(rasterio.warp.transform_bounds(source.crs, WEB, *source.bounds, densify_pts=21))
            cells = max(cells, source.width, source.height)
    if land.total_bounds[2] > WORLD / 2:
        return land.total_bounds.tolist(), cells
    west, south, east, north = np.array(boxes).T
    return [float(west.min()), float(south.min()), float(east.max()), float(north.max())], cells


def painted(
    pixels: "np.ma.MaskedArray[Any, Any]", classes: Sequence[tuple[int, str]], palette: str
) -> tuple["np.ndarray[Any, Any]", list[float]]:
    """RGBA of classes by their colours, or of amounts in classes of a palette with their breaks."""
    seen = ~np.ma.getmaskarray(pixels) & np.isfinite(np.ma.getdata(pixels).astype("f8"))
    data = np.where(seen, np.ma.getdata(pixels).astype("f8"), 0)
    rgba = np.zeros((*pixels.shape, 4), "u1")
    if classes:
        for value, colour in classes:
            rgba[seen & (data == value)] = rgb(colour)
        return rgba, []
    breaks = rounded_breaks(data[seen], len(PALETTES[palette]))
    colours = np.array([rgb(c) for c in spread(PALETTES[palette], len(breaks) + 1)])
    rgba[seen] = colours[np.digitize(data[seen], breaks)]
    return rgba, breaks


def rgb(colour: str) -> tuple[int, int, int, int]:
    """An opaque colour from '#1c6b41' or '1c6b41'."""
    text = colour.lstrip("#")
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16), 255


def overlay(story: Story, period: str, palette: str) -> dict[str, Any]:
    """The pixels of a period with their legend; empty if the run has no such map, or may not show it."""
    paths = [str(path) for name, path in story.run.maps.items() if name.partition(" ")[0] == period]
    if not paths or not story.pixels:
        return {}
    key = (paths[0], palette)
    if key not in PICTURES:
        asset = next(a for a in story.run.item["assets"].values() if a.get("geomon:period") == period)
        classes = classes_of(asset, palette)
        land = shapely.union_all(story.areas.loc[story.painted].geometry.to_numpy(), grid_size=1e-6)
        made = picture(paths, land, [(c["value"], c["colour"]) for c in classes], palette)
        legend = [[c["colour"], c["name"]] for c in classes] or ramp(made["breaks"], palette)
        shown = {name: made[name] for name in ("url", "bounds")}
        PICTURES[key] = {**shown, "title": say("map.pixels", period=plain(period)), "legend": legend}
        if len(PICTURES) > KEPT:
            PICTURES.pop(next(iter(PICTURES)))
    return PICTURES[key]


def ramp(breaks: Sequence[float], palette: str) -> list[list[str]]:
    """Legend rows of an amount, the largest first."""
    colours = spread(PALETTES[palette], len(breaks) + 1)
    edges = [ticked(b) for b in breaks]
    if not edges:
        return []
    between = [say("value.between", lower=a, upper=b) for a, b in itertools.pairwise(edges)]
    words = [say("value.below", value=edges[0]), *between, say("value.from", value=edges[-1])]
    return [[colour, text] for colour, text in zip(colours, words, strict=True)][::-1]


def ticked(value: float) -> str:
    """A round number in a legend."""
    return f"{value:,.{places(value)}f}".replace("-", MINUS)


def classes_of(asset: Mapping[str, Any], palette: str) -> list[dict[str, Any]]:
    """Value, colour and name of the classes of a map; a map of classes that names none marks its quantity."""
    if asset.get("geomon:kind") != "class":
        return []
    if "classification:classes" in asset:
        return [
            {
                "value": int(c["value"]),
                "colour": f"#{c['color_hint']}"
                if c.get("color_hint")
                else PALETTES[palette][4]
                if c["value"]
                else OTHER,
                "name": c.get("description") or c["name"],
            }
            for c in asset["classification:classes"]
            if not c.get("nodata")
        ]
    what = str(asset.get("geomon:quantity", "")).replace("_", " ")
    return [
        {"value": 1, "colour": PALETTES[palette][4], "name": what},
        {"value": 0, "colour": OTHER, "name": say("map.other")},
    ]
