"""What is true of each area, counted without the engine: pixel by pixel, area by area.

A pixel counts with its true area on the ellipsoid, by the exact share of it that lies in the area. `value` is what the
product tells when nothing is hidden, which is what a run must come to within its bounds. `world` is what is really so
(different where an algorithm errs), `seen` is the share of the area that the product shows, and `slack` is how far
beyond its bounds a faithful run may lie from `value`: 0, but for radar, which is smoothed against speckle, so that
it may err on pixels beside a shore (all those whose 3 x 3 neighbours are not alike). `seen` of the flood is that of the
radar alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from exactextract import exact_extract
from exactextract.feature import JSONFeatureSource
from exactextract.raster import NumPyRasterSource
from numpy.typing import NDArray
from pyproj import Transformer
from scipy import ndimage

from geomon.sample.borders import Area
from geomon.sample.land import COVER_YEARS, WATER_YEARS, Land
from geomon.sample.lattice import LONLAT, Lattice, Pixels
from geomon.sample.noise import Array
from geomon.sample.radar import FLOOD_DAY, Flood
from geomon.sample.shots import Shot
from geomon.sample.world import MANGROVE, TREE, WATER

COLUMNS = ("quantity", "ref_area", "time_period", "value", "world", "seen", "slack", "unit_measure")


@dataclass(frozen=True)
class Cover:
    """Which pixels of a lattice lie in a district, and by how much."""

    code: str
    cells: NDArray[np.int64]
    area: Array
    "m2 of each of them inside"
    share: Array
    "0..1 of each of them inside"


def covers(areas: Sequence[Area], lattice: Lattice) -> list[Cover]:
    """The pixels of each district."""
    districts = [area for area in areas if area.level == 2]
    shapes = [_projected(area, lattice) for area in districts]
    features = [
        {"type": "Feature", "properties": {"code": a.code}, "geometry": shapely.geometry.mapping(shape)}
        for a, shape in zip(districts, shapes, strict=True)
    ]
    west, south, east, north = lattice.bounds
    raster = NumPyRasterSource(np.zeros(lattice.shape, dtype=np.uint8), xmin=west, ymin=south, xmax=east, ymax=north)
    found = exact_extract(raster, JSONFeatureSource(features), ["cell_id", "coverage"], include_cols=["code"])
    area = lattice.areas.ravel()
    made = []
    for row in found:
        said = row["properties"]
        cells, share = np.asarray(said["cell_id"], dtype=np.int64), np.asarray(said["coverage"], dtype=np.float64)
        made.append(Cover(said["code"], cells, area[cells] * share, share))
    return made


def _projected(area: Area, lattice: Lattice) -> Any:
    """The geometry in the lattice's CRS; edges are straight in degrees, so they are cut short first."""
    if lattice.crs == LONLAT:
        return area.geometry
    transform = Transformer.from_crs(LONLAT, lattice.crs, always_xy=True)
    dense = shapely.segmentize(area.geometry, 0.0005)
    return shapely.transform(dense, lambda places: np.stack(transform.transform(*places.T), axis=1))


def table(areas: Sequence[Area], land: Land, flood: Flood, lights: Lights, people: Sequence[Shot]) -> pd.DataFrame:
    """All true values, one row to a quantity, area and time."""
    parents = parentage(areas)
    rows = [
        *_forest(land, covers(areas, land.lattice), parents),
        *_water(land, covers(areas, land.lattice), parents),
        *_flood(flood, covers(areas, flood.lattice), parents),
        *lights.rows(),
        *_people(people, covers(areas, people[0].lattice), parents),
    ]
    made = pd.DataFrame(rows, columns=list(COLUMNS))
    return made.sort_values(["quantity", "ref_area", "time_period"], ignore_index=True)


def parentage(areas: Sequence[Area]) -> dict[str, str]:
    """Code to the code of the area that it is part of."""
    return {area.code: area.parent for area in areas}


def _forest(land: Land, covers: Sequence[Cover], parents: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Forest as a share of what is not water, percent."""
    for year in COVER_YEARS:
        sums: dict[str, Array] = {}
        whole_map = land.mapped(year)
        for cover in covers:
            mapped, ground = (pixels.ravel()[cover.cells] for pixels in (whole_map, land.ground[year]))
            seen = ~land.cover_gaps[year].ravel()[cover.cells]
            part = [np.isin(mapped, (TREE, MANGROVE)), mapped != WATER, np.isin(ground, (TREE, MANGROVE))]
            _add(sums, cover, parents, [*part, ground != WATER, seen])
        for code, (forest, dry, real, real_dry, seen_area, whole) in sums.items():
            yield (
                "forest share",
                code,
                str(year),
                100.0 * forest / dry,
                100.0 * real / real_dry,
                seen_area / whole,
                0.0,
                "percent",
            )


def _water(land: Land, covers: Sequence[Cover], parents: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Inland water all year and in some months, km2."""
    for year in WATER_YEARS:
        sums: dict[str, Array] = {}
        for cover in covers:
            state = land.water[year].ravel()[cover.cells]
            seen = ~land.water_gaps[year].ravel()[cover.cells]
            _add(sums, cover, parents, [state == 3, state == 2, seen])
        for code, (always, sometimes, seen_area, whole) in sums.items():
            for name, area in (("permanent water", always), ("seasonal water", sometimes)):
                yield name, code, str(year), area / 1e6, area / 1e6, seen_area / whole, 0.0, "km2"


def _flood(flood: Flood, covers: Sequence[Cover], parents: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Water on the day of the flood, and the part of it that was dry before, km2."""
    mixed = _mixed(flood.state > 0)
    changing = mixed | _mixed(flood.state == 1)
    sums: dict[str, Array] = {}
    for cover in covers:
        cells = cover.cells
        state, seen = flood.state.ravel()[cells], flood.seen.ravel()[cells]
        shore = [mixed.ravel()[cells], changing.ravel()[cells]]
        _add(sums, cover, parents, [state > 0, state == 2, *shore, seen])
    for code, (wet, drowned, shore_now, shore_ever, seen_area, whole) in sums.items():
        for name, area, slack in (("water extent", wet, shore_now), ("flood", drowned, shore_ever)):
            yield name, code, FLOOD_DAY, area / 1e6, area / 1e6, seen_area / whole, slack / 1e6, "km2"


def _mixed(wet: Pixels) -> Pixels:
    """Pixels whose 3 x 3 neighbours are not all wet or all dry."""
    return np.asarray(ndimage.maximum_filter(wet, 3) != ndimage.minimum_filter(wet, 3))


class Lights:
    """Light of each year: at each pixel the mean of the months that were seen; summed over ground, and on average.

    Months are added one by one, in order, so that only one year is held.
    """

    def __init__(self, areas: Sequence[Area], lattice: Lattice) -> None:
        self._parents, self._covers = parentage(areas), covers(areas, lattice)
        self._year, self._sum, self._months = "", np.zeros(0), np.zeros(0)
        self._rows: list[tuple[Any, ...]] = []

    def add(self, shot: Shot) -> None:
        """One month."""
        if shot.start[:4] != self._year:
            self._close()
            self._year = shot.start[:4]
            self._sum, self._months = np.zeros(shot.pixels.size), np.zeros(shot.pixels.size)
        seen = shot.pixels.ravel() != shot.nodata
        self._sum += np.where(seen, shot.pixels.ravel(), 0.0).astype(np.float64)
        self._months += seen

    def rows(self) -> list[tuple[Any, ...]]:
        """The values of all years."""
        self._close()
        self._year = ""
        return self._rows

    def _close(self) -> None:
        """Count the year that is held."""
        if not self._year:
            return
        seen = self._months > 0
        light = self._sum / np.maximum(self._months, 1.0)
        sums: dict[str, Array] = {}
        for cover in self._covers:
            _add(sums, cover, self._parents, [light[cover.cells], seen[cover.cells]])
        for code, (bright, seen_area, whole) in sums.items():
            value, mean, share = bright / 1e6, bright / seen_area, seen_area / whole
            unit = "nW cm-2 sr-1"
            self._rows.append(("sum of lights", code, self._year, value, value, share, 0.0, f"{unit} km2"))
            self._rows.append(("mean radiance", code, self._year, mean, mean, share, 0.0, unit))


def _people(shots: Sequence[Shot], covers: Sequence[Cover], parents: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """People; a pixel's people are spread evenly over it."""
    for shot in shots:
        sums: dict[str, Array] = {}
        for cover in covers:
            count = shot.pixels.ravel()[cover.cells].astype(np.float64)
            known = count != shot.nodata
            each = np.where(known, count, 0.0) * cover.share / cover.area
            _add(sums, cover, parents, [each, known])
        for code, (people, known_area, whole) in sums.items():
            yield "people", code, shot.start[:4], people, people, known_area / whole, 0.0, "people"


def _add(sums: dict[str, Array], cover: Cover, parents: Mapping[str, str], quantities: Sequence[Pixels]) -> None:
    """Add what a district holds of each quantity (and its whole area, last) to it and all that it belongs to."""
    held = np.array([*(float((q * cover.area).sum()) for q in quantities), float(cover.area.sum())])
    code = cover.code
    while code:
        sums[code] = sums[code] + held if code in sums else held
        code = parents[code]
