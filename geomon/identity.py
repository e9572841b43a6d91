"""Two identities of a run: the question (what was asked) and the recipe (what it was answered with)."""

import functools
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyproj
import rasterio
import shapely

from geomon.indicator import Indicator, address, code_of, kernels
from geomon.official import fingerprint, vintage_of
from geomon.period import Period
from geomon.protection.guards import behind
from geomon.resolve import Found
from geomon.zones import Zones

VERSIONS = (
    *("geomon", "numpy", "pandas", "xarray", "scipy", "rasterio", "shapely", "pyproj", "pyogrio"),
    *("numba", "llvmlite", "imagecodecs"),
)
ENGINE = (
    *("grid", "period", "indicator", "pixels", "values", "resolve", "supply", "tabulate", "tasks", "ledger", "lengths"),
    *("reading_off", "composite", "pipeline", "uncertainty", "scatter", "strata"),
    *("sources/items", "sources/reading", "sources/files", "sources/opening", "sources/records", "sources/tiles"),
    *("zones/__init__", "zones/parting", "zones/polygons", "zones/reproject"),
)
"""Files that a number depends on, beside all of stats/."""


def digest(content: Any) -> str:
    """SHA-256 of something as JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


@functools.cache
def engine() -> str:
    """Hash of the engine's own kernels."""
    home = Path(__file__).parent
    files = [*(home / f"{name}.py" for name in ENGINE), *sorted((home / "stats").glob("*.py"))]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]


def made_with() -> dict[str, str]:
    """The versions of all that a number depends on, in this process."""
    inside = {"gdal": rasterio.__gdal_version__, "geos": shapely.geos_version_string, "proj": pyproj.proj_version_str}
    return {**{name: importlib.metadata.version(name) for name in VERSIONS}, **inside, "engine": engine()}


def recipe_of(
    indicator: Indicator,
    zones: Zones,
    periods: Sequence[Period],
    params: Mapping[str, str],
    use: Mapping[str, str],
    found: Found,
    official: pd.DataFrame | None,
    block: int,
) -> dict[str, Any]:
    """The question (what was asked), the recipe (what it was answered with), and what a reader must know of both."""
    question = {
        "definition": address(indicator),
        "code": sorted({code_of(f) for f in kernels(indicator)}),
        "params": dict(params),
        "zones": zones.digest,
        "periods": [p.label for p in periods],
    }
    inputs = {
        f"{a} {p}": [g.key for s in scenes for g in s.granules] for (a, p), scenes in sorted(found.scenes.items())
    }
    dates = {
        f"{a} {p}": [(s.label, s.when.start, s.when.end, [g.item for g in s.granules]) for s in scenes]
        for (a, p), scenes in sorted(found.scenes.items())
    }
    facts = {
        a: (
            k.collection,
            asdict(k.band),
            [(asdict(g), [(w.i0, w.i1, w.j0, w.j1) for w in ws]) for g, ws in k.footing.items()],
        )
        for a, k in found.known.items()
    }
    pinned = vintage_of(official)
    made = made_with()
    answered = {
        "question": digest(question)[:16],
        "inputs": digest([inputs, dates])[:16],
        "facts": digest(facts)[:16],
        "features": digest(
            {n: [f.crs, [g.wkb_hex for g in f.geometries], list(f.fields)] for n, f in found.features.items()}
        )[:16],
        "engine": made.pop("engine"),
        "versions": made,
        "vintage": fingerprint(official),
        "block": block,
    }
    used = sorted(found.collections.values(), key=lambda c: c.id)
    newest: dict[str, str] = {}
    for (a, _), scenes in found.scenes.items():
        ends = [f"{s.when.end:%Y-%m-%d}" for s in scenes]
        newest[found.known[a].collection] = max([newest.get(found.known[a].collection, ""), *ends])
    return {
        **answered,
        "run": digest(answered)[:16],
        "indicator": indicator.code,
        "title": indicator.title,
        "note": indicator.note,
        "objections": dict(indicator.objections),
        "people": indicator.people,
        "protect": indicator.theme,
        "minimum_coverage": indicator.minimum_coverage,
        "outputs": {
            n: {
                "title": o.title or n,
                "unit": o.unit,
                "desired": o.desired,
                **behind(o.value),
                "target": None if o.target is None else [o.target, o.target_year, o.target_source],
                "official": asdict(o.official) if o.official else None,
            }
            for n, o in indicator.outputs.items()
        },
        "params": dict(params),
        "use": dict(use),
        "periods": [p.label for p in periods],
        "freq": indicator.freq,
        "map": indicator.map,
        "zones": {"digest": zones.digest, "version": zones.version, "remarks": list(zones.remarks)},
        "definition": address(indicator),
        "code": question["code"],
        "items": inputs,
        "newest": {name: day for name, day in sorted(newest.items()) if day},
        "collections": [
            {
                "id": c.id,
                "title": c.title,
                "licence": c.licence,
                "attribution": c.attribution,
                "caveats": list(c.caveats),
                "update": c.update,
                "sensor": c.sensor,
                "breaks": [asdict(b) for b in c.breaks],
            }
            for c in used
        ],
        "breaks": [[b.date, b.why] for c in used for b in c.breaks],
        "attribution": sorted({c.attribution for c in used if c.attribution}),
        "remarks": sorted({r for scenes in found.scenes.values() for s in scenes for r in s.remarks} | found.remarks),
        "synthetic": any("synthetic" in f"{c.title} {c.licence}".lower() for c in used),
        **({"official": pinned} if pinned else {}),
        "python": platform.python_version(),
    }
