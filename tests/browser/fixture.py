"""A store of invented runs for the pages: same form as stored runs, numbers from a formula, no real place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.transform import from_origin

from geomon.series import tidy

WEST, SOUTH, SIDE = 12.0, 4.0, 0.25  # degrees
YEARS = [str(y) for y in range(2015, 2025)]
BREAK = "2021-01-01"
Outputs = Mapping[str, tuple[str, float, str]]  # unit, level, title
TITLES = {
    "15.1.1": "Forest area as a proportion of total land area",
    "6.6.1": "Extent of surface water",
    "water-extent": "Water extent from radar",
    "night-lights": "Light at night",
    "people": "People by place",
}
WATERS = {
    "permanent": ("km2", 310.0, "Permanent surface water"),
    "seasonal": ("km2", 42.0, "Seasonal surface water"),
}
WITHHELD = "too little was seen: 41 % of 80 %"


@dataclass(frozen=True)
class InventedRun:
    """Looks like geomon.store.StoredRun."""

    id: str
    indicator: str
    series: pd.DataFrame
    zones: gpd.GeoDataFrame
    maps: Mapping[str, Path]
    item: dict[str, Any]
    check: list[dict[str, Any]] | None = None
    progress: list[dict[str, Any]] = field(default_factory=list)
    totals: pd.DataFrame | None = None
    created: str = "2026-11-20T09:30:00Z"
    folder: Path = Path("store/invented")
    recipe: dict[str, Any] = field(default_factory=dict)
    ledger: pd.DataFrame = field(default_factory=pd.DataFrame)
    reads: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class InventedStore:
    """Looks like geomon.store.Store."""

    found: tuple[InventedRun, ...]
    catalog_path: Path = Path("store/catalog.json")

    def runs(self, indicator: str = "") -> list[InventedRun]:
        return [r for r in self.found if indicator in ("", r.indicator)]


def zones() -> gpd.GeoDataFrame:
    """An island of 24 districts in 4 provinces."""
    rng = np.random.default_rng(7)
    around = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    radius = 1 + 0.12 * np.sin(3 * around + 1) + 0.07 * np.sin(7 * around) + 0.03 * np.sin(17 * around)
    island = shapely.Polygon(
        np.c_[WEST + 1.3 + 1.25 * radius * np.cos(around), SOUTH + 1 + 0.9 * radius * np.sin(around)]
    )
    points = np.c_[rng.uniform(WEST, WEST + 2.6, 400), rng.uniform(SOUTH, SOUTH + 2, 400)]
    points = points[shapely.contains_xy(island, points)]
    middles = [points[0]]
    while len(middles) < 24:
        middles.append(points[np.argmax(np.min([np.hypot(*(points - m).T) for m in middles], axis=0))])
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(middles), extend_to=island.buffer(1)))
    inside = sorted(
        (shapely.intersection(c, island) for c in cells), key=lambda c: (c.centroid.x > WEST + 1.3, c.centroid.y)
    )
    rows: list[dict[str, Any]] = [{"code": "XSA", "name": "Samplia", "parent": "", "geometry": None}]
    names = ("Westhill", "Northmark", "Lowshore", "Eastvale")
    rows += [{"code": f"XS0{p}", "name": names[p - 1], "parent": "XSA", "geometry": None} for p in range(1, 5)]
    for i, cell in enumerate(inside):
        province, number = i // 6 + 1, i % 6 + 1
        name = f"{names[province - 1]} {'ABCDEF'[number - 1]}"
        rows.append({"code": f"XS0{province}0{number}", "name": name, "parent": f"XS0{province}", "geometry": cell})
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")


def row(key: tuple[str, str, str, str, str], value: float, coverage: float) -> dict[str, object]:
    """A row of a series; below 80 % seen the value is withheld, and its bounds stand there all the same."""
    spread = value * (1 - coverage)
    shown = coverage >= 0.8
    return {
        **dict(zip(("indicator", "series", "unit_measure", "ref_area", "time_period"), key, strict=True)),
        "obs_value": value if shown else np.nan,
        "lower": value - 0.4 * spread,
        "upper": value + 0.6 * spread,
        "interval": "bounds",
        "obs_status": "" if shown else WITHHELD,
        "nature": "satellite estimate",
        "coverage": coverage,
        "n_obs": 12.0,
        "run": "invented",
    }


def series(indicator: str, outputs: Outputs, periods: list[str]) -> pd.DataFrame:
    """A level for each area, a slow loss, a step at the known break; one district hardly seen in 2018."""
    rows = []
    for name, (unit, level, _) in outputs.items():
        for k, area in enumerate(zones()["code"]):
            for i, period in enumerate(periods):
                step = 1.08 if period >= "2021" and indicator == "15.1.1" else 1.0
                value = level * (0.5 + ((7 * k) % 24) / 24) * (1 - 0.012 * i) * step
                hidden = area == "XS0203" and period in ("2018", "2024")
                coverage = 0.41 if hidden else 0.995 - 0.012 * ((k + i) % 5)
                rows.append(row((indicator, name, unit, area, period), round(value, 3), coverage))
    return tidy(rows)


def finding(table: pd.DataFrame, name: str, area: str, verdict: str, sentence: str) -> dict[str, Any]:
    """A finding with the pairs of every other year."""
    rows = table[(table["series"] == name) & (table["ref_area"] == area)].iloc[::2]
    pairs = [
        {
            "time_period": r["time_period"],
            "satellite": r["obs_value"],
            "lower": r["lower"],
            "upper": r["upper"],
            "official": round(r["obs_value"] * 1.09, 1),
            "difference": r["obs_value"] * -0.09,
            "nature": "survey",
            "used": r["time_period"] < "2021",
        }
        for r in rows.to_dict("records")
    ]
    return {
        "indicator": "15.1.1",
        "output": name,
        "ref_area": area,
        "verdict": verdict,
        "sentence": sentence,
        "reasons": [sentence, "The official figures follow a straight line between two surveys."],
        "evidence": {},
        "pairs": pairs,
        "definition_satellite": "tree cover seen from above",
        "definition_official": "land use, tree crops left out",
        "publisher": "Statistical office of Samplia (invented)",
    }


def cover(folder: Path, period: str) -> Path:
    """An invented map of three classes; a corner was not seen."""
    rows, columns = np.mgrid[0:300, 0:380]
    field_ = np.sin(rows / 23 + int(period[:4])) + np.cos(columns / 31) + 0.4 * np.sin(rows * columns / 4000)
    codes = np.where(field_ > 0.4, 1, np.where(field_ < -1.2, 2, 0)).astype("uint8")
    codes[:40, :60] = 255
    path = folder / f"map-{period}.tif"
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": 1,
        "height": 300,
        "width": 380,
        "crs": "EPSG:4326",
        "nodata": 255,
    }
    with rasterio.open(path, "w", transform=from_origin(WEST - 0.1, SOUTH + 2.1, 0.0075, 0.0075), **profile) as file:
        file.write(codes, 1)
    return path


def item(periods: list[str]) -> dict[str, Any]:
    """The part of a STAC item that a page reads."""
    colours = {0: ("other land", "d8d2b0"), 1: ("forest", "2c8453"), 2: ("water", "559bc6")}
    classes = [{"value": v, "name": name, "color_hint": hint} for v, (name, hint) in colours.items()]
    facts = {"geomon:kind": "class", "geomon:quantity": "forest", "classification:classes": classes}
    return {
        "properties": {
            "geomon:synthetic": True,
            "start_datetime": "2015-01-01T00:00:00Z",
            "end_datetime": "2024-12-31T00:00:00Z",
        },
        "assets": {f"map-{period}": {"geomon:period": period, **facts} for period in periods},
    }


def recipe(indicator: str, outputs: Outputs, periods: list[str], people: bool) -> dict[str, Any]:
    """The part of a recipe that a page reads."""
    collection = {
        "id": "sample-cover",
        "title": "Sample land cover",
        "attribution": "Invented by geomon",
        "licence": "CC0-1.0",
        "caveats": ["Orchards look like forest from above."],
    }
    return {
        "indicator": indicator,
        "title": TITLES[indicator],
        "periods": periods,
        "versions": {"geomon": "0.1.0"},
        "synthetic": True,
        "people": people,
        "note": "SDG: what is counted.\n\nThe official series counts land *use*; a satellite sees *cover*.",
        "objections": {"Are plantations counted?": "Yes. From above a plantation is tree cover."},
        "minimum_coverage": 0.8,
        "outputs": {name: {"title": title, "unit": unit} for name, (unit, _, title) in outputs.items()},
        "breaks": [[BREAK, "the map's algorithm was changed"]] if indicator == "15.1.1" else [],
        "collections": [collection],
    }


def reads(periods: list[str]) -> pd.DataFrame:
    """Six files a period; one of them failed."""
    table = pd.DataFrame({"item": [f"sample-{p}-{k}" for p in periods for k in range(6)]})
    table = table.assign(source="cover", collection="sample-cover", asset="map", href="sample.tif", status="ok")
    table = table.assign(tries=1, why="", bytes=250_000, checksum="1220" + "ab" * 32, seconds=0.01)
    failed = table.index == 3
    why = np.where(failed, "the file ends before its last block", "")
    return table.assign(status=np.where(failed, "failed", "ok"), tries=np.where(failed, 3, 1), why=why)


def ledger(periods: list[str]) -> pd.DataFrame:
    """What was counted, excluded and unseen in each area, in square metres."""
    rows = [{"zone": area, "period": p} for area in zones()["code"] for p in periods]
    parts = {"counted": 6e8, "excluded": 3e8, "unseen": 1e8, "polygon": 1e9}
    return pd.DataFrame(rows).assign(quantity="forest", **parts)


def run(folder: Path, indicator: str, outputs: Outputs, periods: list[str], people: bool = False) -> InventedRun:
    """One invented run."""
    table = series(indicator, outputs, periods)
    apart = "The two count different things: tree crops are tree cover and no forest."
    name = next(iter(outputs))
    check = [
        finding(table, name, "XSA", "differs by definition", apart),
        finding(table, name, "XS01", "agrees", "Both tell the same within 5 percentage points."),
        finding(table, name, "XS0101", "agrees", "Both tell the same in this district."),
    ]
    return InventedRun(
        id="0f3ac91d" + indicator.replace(".", ""),
        indicator=indicator,
        series=table,
        zones=zones(),
        item=item(periods[-2:]),
        check=check if indicator == "15.1.1" or people else None,
        maps={p: cover(folder, p) for p in periods[-2:]},
        reads=reads(periods),
        recipe=recipe(indicator, outputs, periods, people),
        ledger=ledger(periods),
    )


def store(folder: Path) -> InventedStore:
    """Five runs: one for each of our indicators, and one that counts people."""
    return InventedStore(
        (
            run(folder, "15.1.1", {"share": ("percent", 52.0, "share")}, YEARS),
            run(folder, "6.6.1", WATERS, YEARS),
            run(folder, "water-extent", {"water": ("km2", 120.0, "Water extent")}, ["2024-03-05"]),
            run(folder, "night-lights", {"mean": ("nW cm-2 sr-1", 3.1, "Mean radiance")}, YEARS[:6]),
            run(folder, "people", {"people": ("people", 90_000.0, "People")}, YEARS, people=True),
        )
    )
