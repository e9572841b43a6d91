"""A finished run becomes a STAC item with its assets; the item is written last."""

import functools
import json
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import shapely

from geomon import maps
from geomon.check import check
from geomon.grid import both_sides
from geomon.ledger import to_table
from geomon.places import Place, create, once
from geomon.progress import progress
from geomon.protection import protected
from geomon.store import STAC, StoredRun, asset, block_map, json_bytes, safe

if TYPE_CHECKING:
    from geomon.pipeline import Plan, Run


def publish(run: "Run", folder: Place) -> StoredRun:
    """Write everything, the item last."""
    plan = run.plan
    assert plan.store is not None
    totals = to_table(run.sums)
    tables = {
        "series": (run.series, "Series", ["data"]),
        "intervals": (run.intervals, "What each interval is made of", ["data"]),
        "totals": (totals, "Totals by quantity, area, period and key", ["data"]),
        "ledger": (run.ledger, "Ledger: counted, excluded and unseen ground", ["metadata"]),
        "reads": (run.reads, "Every file that was read", ["metadata"]),
        "zones": (plan.zones.to_crs("EPSG:4326", tolerance=1e-6).frame, "Reporting areas", ["data"]),
    }
    assets: dict[str, Any] = {}
    for name, (table, title, roles) in tables.items():
        with once(folder / f"{name}.parquet") as path:
            table.to_parquet(path)
        assets[name] = asset(folder / f"{name}.parquet", title, roles)
    create(folder / "recipe.json", json_bytes(plain(plan.recipe)))
    assets["recipe"] = asset(folder / "recipe.json", "Recipe", ["metadata"])
    names = {z.code: z.name for z in plan.zones.zones}
    breaks = [(str(d), str(w)) for d, w in plan.recipe["breaks"]]
    seen = protected(run.series, plan.indicator, plan.zones, totals=totals)  # a sentence tells what a value does
    if plan.official is not None:
        findings = check(seen, plan.official, plan.indicator, breaks=breaks, zones=plan.zones.frame)
        create(folder / "check.json", json_bytes([f.as_dict() for f in findings]))
        assets["check"] = asset(folder / "check.json", "Check beside official statistics", ["data"])
    if graded := progress(seen, plan.indicator, breaks=breaks, names=names):
        create(folder / "progress.json", json_bytes(plain([g.as_dict() for g in graded])))
        assets["progress"] = asset(folder / "progress.json", "Progress by the UN's grades", ["data"])
    assets |= maps.write_maps(plan, folder, functools.partial(block_map, folder / "blocks"))
    whole = not (len(run.reads) and (run.reads.status == "failed").any())
    return plan.store.publish(folder, item_of(plan, assets), whole=whole)


def item_of(plan: "Plan", assets: Mapping[str, Any]) -> dict[str, Any]:
    """The STAC item of a run."""
    west, south, east, north = plan.zones.bounds_lonlat
    ground = [shapely.box(*box) for box in both_sides(plan.zones.bounds_lonlat)]
    start, end = plan.periods[0].start, max(p.end for p in plan.periods)
    links = [
        {"rel": rel, "href": href, "type": "application/json"}
        for rel, href in (
            ("root", "../../catalog.json"),
            ("parent", "../collection.json"),
            ("collection", "../collection.json"),
        )
    ]
    code = safe(plan.indicator.code)
    return {
        "type": "Feature",
        "stac_version": STAC,
        "stac_extensions": [
            "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
            "https://stac-extensions.github.io/file/v2.1.0/schema.json",
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
        ],
        "id": plan.id,
        "collection": code,
        "bbox": [west, south, east, north],
        "geometry": json.loads(shapely.to_geojson(shapely.union_all(ground))),
        "properties": {
            "title": plan.indicator.title,
            "description": plan.indicator.note.partition("\n")[0] or plan.indicator.title,
            "datetime": None,
            "start_datetime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end_datetime": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "geomon:indicator": plan.indicator.code,
            "geomon:question": plan.question,
            "geomon:synthetic": plan.recipe["synthetic"],
            "geomon:nature": "satellite estimate",
        },
        "links": links,
        "assets": dict(assets),
    }


def plain(content: Any) -> Any:
    """Content as JSON has it: NaN as null, tuples as lists."""
    if isinstance(content, Mapping):
        return {str(k): plain(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [plain(v) for v in content]
    return None if isinstance(content, float) and math.isnan(content) else content
