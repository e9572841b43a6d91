"""Areas of 7 classes on 24 dates in 295 real units, coverage included, beside exactextract and rasterstats."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
from exactextract import exact_extract

from benchmarks.pairs import Pair
from benchmarks.zonal import SIDE, THREADS, TIMES, Pixels, furthest, grid_of, patterns, sources
from benchmarks.zones import units
from geomon.stats.coverage import cover
from geomon.stats.zonal import class_areas

CODES = range(7)


def pairs() -> Iterator[Pair]:
    """Cells of each class; values within a thousandth of a cell of exactextract's."""
    zones = units()
    window = grid_of(zones)
    cube = np.stack([np.clip(np.nan_to_num(layer) * 10 - 2, 0, 6).astype(np.uint8) for layer in patterns(TIMES, SIDE)])
    frame = gpd.GeoDataFrame({"zone": range(len(zones))}, geometry=zones, crs=4326)
    name = f"classes: areas of 7 classes, {TIMES} x {SIDE} x {SIDE} uint8, {len(zones)} units, coverage included"

    def ours() -> Pixels:
        return class_areas(cube, cover(zones, window, THREADS), CODES, threads=THREADS)

    def exactextract() -> Pixels:
        told = {"output": "pandas", "strategy": "raster-sequential"}
        found = exact_extract(sources(cube, window), frame, ["unique", "frac", "count"], **told)
        out = np.zeros((TIMES, len(zones), len(CODES)))
        for t in range(TIMES):
            columns = zip(*(found[f"b{t}_{what}"] for what in ("unique", "frac", "count")), strict=True)
            for z, (codes, share, count) in enumerate(columns):
                out[t, z, np.asarray(codes, int)] = np.asarray(share) * count
        return out

    def rasterstats() -> Pixels:
        from rasterstats import zonal_stats

        told = zonal_stats(frame, cube[0], affine=window.transform, categorical=True, nodata=255)
        return np.array([[[z.get(c, 0) for c in CODES] for z in told]], float)

    yield Pair(
        name=name,
        peer="exactextract (unique, frac and count, numpy source, raster-sequential, one call)",
        ours=ours,
        theirs=exactextract,
        apart=furthest,
        allowed=1e-3,
        budget=80,
    )
    yield Pair(
        name=name,
        peer="rasterstats (categorical, whole cells by their centres; difference as a share of all)",
        ours=ours,
        theirs=rasterstats,
        apart=lambda a, b: float(np.abs(a[:1] - b).sum() / b.sum()),
        allowed=0.01,
        share=1 / TIMES,
        budget=20,
    )
