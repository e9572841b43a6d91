"""Plans as the commands show them: tables for people and the same facts for JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from geomon.cli.tables import listed, seconds, size, table


def plan_facts(plan: Any, cost: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan and its cost say, for JSON."""
    return {
        "run": plan.id,
        "question": plan.question,
        "indicator": plan.indicator.code,
        "title": plan.indicator.title,
        "published": plan.store.published(plan.indicator.code, plan.id) is not None,
        "kept_blocks": len(plan.finished),
        "store": str(plan.store.root),
        "params": dict(plan.params),
        "grids": [{"crs": grid.crs, "cell": [grid.dx, grid.dy]} for grid in plan.grids],
        "found": [found for period in plan.periods for found in found_in(plan, period)],
        "cost": dict(cost),
        "remarks": remarks(plan),
    }


def lattice(crs: str, cell: Sequence[float]) -> str:
    """A grid in a few words."""
    return f"{crs if len(crs) < 20 else 'own CRS'}, cells of {' x '.join(f'{d:.6g}' for d in cell)}"


def remarks(plan: Any) -> list[str]:
    """What was guessed, repaired or left out, and which zones no image touches."""
    return [*plan.zones.remarks, *plan.recipe["remarks"], *strays(plan)]


def strays(plan: Any) -> Iterator[str]:
    """A sentence on the zones that lie outside all that was found of a product that is needed."""
    from geomon.errors import listing
    from geomon.indicator import Source, address
    from geomon.resolve import outside, sources_of

    zones = plan.zones.to_crs("EPSG:4326", tolerance=1e-4).leaves
    for node in dict.fromkeys(n for n, needed in sources_of(plan.indicator) if needed and isinstance(n, Source)):
        scenes = [s for (where, _), dates in plan.found.scenes.items() if where == address(node) for s in dates]
        codes = outside(zones, scenes)
        if codes:
            yield f"No image of {node.collection} touches {listing(codes)}: no value there. Is the file of zones right?"


def found_in(plan: Any, period: Any) -> Iterator[dict[str, Any]]:
    """What was found for a period, by product."""
    from geomon.indicator import address
    from geomon.resolve import rasters_of

    told = set()
    for node, at, needed in rasters_of(plan.indicator, period):
        key = address(node), at.label
        if key not in told:
            told.add(key)
            scenes = plan.found.scenes.get(key, ())
            yield {
                "period": period.label,
                "collection": node.collection,
                "band": node.band or band_of(plan, node.collection),
                "window": node.window or "",
                "needed": needed,
                "dates": [s.label for s in scenes],
                "files": sum(len(s.granules) for s in scenes),
            }


def band_of(plan: Any, collection: str) -> str:
    """The main band of a collection that the plan knows."""
    known = plan.found.collections.get(collection)
    return known.main if known else ""


def plan_tables(plan: Any, cost: Mapping[str, Any]) -> Iterator[Any]:
    """What was found, and what it costs."""
    facts = plan_facts(plan, cost)
    yield Text(f"{plan.indicator.code}: {plan.indicator.title}", style="bold")
    made = table(
        "Period", "Product", "Band", "Dates found", "Files",
        right=("Files",), wrap=("Dates found",),
    )  # fmt: skip
    for found in facts["found"]:
        none = "none" if found["needed"] else "none; it is optional"
        dates = (
            Text(shortened(found["dates"]))
            if found["dates"]
            else Text(none, style="yellow" if found["needed"] else "dim")
        )
        made.add_row(found["period"], found["collection"], found["band"], dates, str(found["files"]))
    yield made
    yield ""
    kept = f", {facts['kept_blocks']} of them computed before" if facts["kept_blocks"] else ""
    yield listed(
        {
            "Zones": f"{cost['zones']} measured, {len(plan.zones.codes)} reported",
            "Grid": "; ".join(lattice(grid["crs"], grid["cell"]) for grid in facts["grids"]),
            "Blocks": f"{cost['blocks']}{kept}, at most {cost['block_cells']:,} cells each",
            "Reads": f"{cost['reads']:,} of {cost['files']:,} files, {size(cost['decoded_bytes'])} decoded, at most "
            f"{size(cost['largest_block_bytes'])} a block",
            "Memory": f"about {size(cost['memory_bytes'])} {where(cost)}",
            "Time": f"about {seconds(cost['seconds'])} {where(cost)}, {seconds(cost['seconds_on_one_core'])} of one "
            "core, without the network",
            "Run": plan.id,
        }
    )


def shortened(dates: Sequence[str]) -> str:
    """Dates in a line."""
    return ", ".join(dates) if len(dates) <= 6 else f"{', '.join(dates[:3])}, ... {dates[-1]} ({len(dates)})"


def where(cost: Mapping[str, Any]) -> str:
    """'on 2 threads', or 'on 4 workers of 1.2 GB each'."""
    if cost["processes"] > 1:
        return f"on {cost['processes']} workers of {size(cost['memory_bytes_per_worker'])} each"
    return "on one thread" if cost["side_by_side"] == 1 else f"on {cost['side_by_side']} threads"
