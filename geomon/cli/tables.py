"""What the commands show: tables for people and the same facts for JSON."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from geomon.texts import say

FEW = 40  # rows that are shown without --all
SYNTHETIC = "Synthetic: made from invented images; no real place."


@dataclass(frozen=True)
class Area:
    """A zone as a table shows it."""

    name: str
    depth: int
    """0 for the topmost."""


def areas_of(zones: Sequence[Any]) -> dict[str, Area]:
    """Zones by code, each parent before its children, however they stood in the file."""
    children: dict[str, list[Any]] = defaultdict(list)
    known = {z.code for z in zones}
    for zone in zones:
        children[zone.parent if zone.parent in known else ""].append(zone)
    out: dict[str, Area] = {}

    def add(code: str, depth: int) -> None:
        for zone in children[code]:
            out[zone.code] = Area(zone.name or zone.code, depth)
            add(zone.code, depth + 1)

    add("", 0)
    return out


def table(*columns: str, right: Sequence[str] = (), wrap: Sequence[str] = ()) -> Table:
    """An empty table in the house's look."""
    made = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=column not in wrap)
    return made


# Series ---------------------------------------------------------------------------------------------------------


def series_tables(series: Any, areas: Mapping[str, Area], indicator: Any, every: bool) -> Iterator[Any]:
    """One table for each output, and how many rows were left out."""
    left_out = 0
    for name, own in series.groupby("series", sort=False):
        shown = own if every or len(own) <= FEW else fewer(own, areas)
        left_out += len(own) - len(shown)
        output = indicator.outputs.get(name) if indicator else None
        first = own.iloc[0]
        title = f"{first.indicator} {name}: {(output.title if output else '') or name}, {first.unit_measure}"
        yield Text(title, style="bold")
        yield series_table(shown, areas)
        yield ""
    if left_out:
        yield Text(f"{left_out} further rows: geomon store show with --all, or --csv.", style="dim")


def fewer(rows: Any, areas: Mapping[str, Area]) -> Any:
    """The topmost areas in all periods, the others in the last one, and what is withheld."""
    top = [code for code, area in areas.items() if area.depth == 0]
    whole = rows.ref_area.isin(top) if len(top) < len(areas) else rows.ref_area == ""
    last = rows.time_period == rows.time_period.max()
    withheld = (rows.obs_status != "") & (rows.obs_status != "").cumsum().le(FEW)
    return rows[whole & whole.cumsum().le(FEW) | last & last.cumsum().le(FEW) | withheld]


def series_table(rows: Any, areas: Mapping[str, Area]) -> Table:
    """Area, period, value with its bounds, how much was seen, and the reason where there is no value."""
    keys = (rows.breakdown != "").any()
    mixed = rows.interval.str.contains("+", regex=False).any()
    ends = ["Interval", "Which is"] if mixed else ["Bounds"]
    columns = ["Area", "Code", "Period", *(["Of which"] if keys else []), "Value", *ends, "Seen", "Why no value"]
    columns = columns if (rows.obs_status != "").any() else columns[:-1]
    made = table(*columns, right=("Value", "Bounds", "Interval", "Seen"), wrap=("Which is", "Why no value"))
    order = {code: n for n, code in enumerate(areas)}
    for row in sorted(rows.to_dict("records"), key=lambda r: order.get(r["ref_area"], -1)):
        area = areas.get(row["ref_area"], Area(row["ref_area"], 0))
        digits = places(row)
        value = number(row["obs_value"], digits) if math.isfinite(row["obs_value"]) else "-"
        cells = [
            Text("  " * area.depth + area.name),
            row["ref_area"],
            row["time_period"],
            *([row["breakdown"]] if keys else []),
            Text(value, style="bold"),
            bounds(row["lower"], row["upper"], digits),
            *([say(f"figure.interval.{row['interval']}")] if mixed else []),
            percent(row["coverage"]),
            Text(row["obs_status"], style="yellow"),
        ]
        made.add_row(*cells[: len(columns)])
    return made


def places(row: Mapping[str, Any]) -> int:
    """Decimals that can be read: one for percent, else three digits or so."""
    size = max((abs(v) for v in (row["obs_value"], row["lower"], row["upper"]) if math.isfinite(v)), default=1.0)
    return 1 if row["unit_measure"] == "percent" else 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3


def number(value: float, digits: int) -> str:
    """With separators of thousands."""
    return f"{value:,.{digits}f}"


def bounds(lower: float, upper: float, digits: int) -> str:
    """'91.2 to 95.0', 'from 91.2' where nothing bounds it above, or nothing."""
    if math.isfinite(lower) and math.isfinite(upper):
        return f"{number(lower, digits)} to {number(upper, digits)}"
    return f"from {number(lower, digits)}" if math.isfinite(lower) else ""


def percent(share: float) -> str:
    """'41.2 %', rounded down: what was seen is not more than that."""
    return "-" if math.isnan(share) else f"{math.floor(share * 1000 + 1e-6) / 10:.1f} %"


# Runs -----------------------------------------------------------------------------------------------------------


def stored_facts(run: Any) -> dict[str, Any]:
    """A stored run in short."""
    series, reads = run.series, run.reads
    withheld = int((series.obs_status != "").sum())
    states = Counter(reads.status) if len(reads) else Counter[str]()
    return {
        "run": run.id,
        "indicator": run.indicator,
        "title": run.item["properties"]["title"],
        "created": run.created,
        "periods": run.recipe["periods"],
        "status": "partial" if withheld or states["failed"] else "complete",
        "values": len(series) - withheld,
        "withheld": withheld,
        "reads": {s: states[s] for s in ("ok", "retried", "failed")},
        "failed": failed(reads),
        "nature": run.item["properties"]["geomon:nature"],
        "synthetic": run.item["properties"]["geomon:synthetic"],
        "folder": str(run.folder),
        "item": str(run.folder / f"{run.id}.json"),
    }


def failed(reads: Any) -> list[dict[str, str]]:
    """Files that could not be read and blocks that could not be computed, and why."""
    rows = reads[reads.status == "failed"] if len(reads) else reads
    return [{k: str(r[k]) for k in ("collection", "item", "href", "why")} for r in rows.to_dict("records")]


def failures(reads: Any) -> list[str]:
    """The same, a line each."""
    lost = failed(reads)
    named = [f"read {f['item']} of {f['collection']}" if f["collection"] else f"compute {f['item']}" for f in lost[:10]]
    lines = [f"Could not {what}: {f['why']}." for what, f in zip(named, lost, strict=False)]
    return [*lines, f"... and {len(lost) - 10} more."] if len(lost) > 10 else lines


def runs_table(runs: Sequence[Any]) -> Table:
    """Stored runs, newest first."""
    made = table(
        "Run",
        "Indicator",
        "Periods",
        "Made",
        "Values",
        "Withheld",
        "Title",
        right=("Values", "Withheld"),
        wrap=("Title",),
    )
    for facts in map(stored_facts, runs):
        title = facts["title"] + (" (synthetic)" if facts["synthetic"] else "")
        counts = str(facts["values"]), str(facts["withheld"])
        made.add_row(facts["run"], facts["indicator"], spanned(facts["periods"]), facts["created"], *counts, title)
    return made


def spanned(periods: Sequence[str]) -> str:
    """First and last of several periods."""
    return " to ".join(dict.fromkeys((periods[0], periods[-1]))) if periods else ""


def about(run: Any) -> Table:
    """All that is to be known of a stored run, line by line."""
    facts, recipe = stored_facts(run), run.recipe
    reads = facts["reads"]
    lines = {
        "Run": run.id,
        "Indicator": f"{run.indicator}  {facts['title']}",
        "Periods": spanned(facts["periods"]),
        "Made": f"{run.created} with geomon {recipe['versions']['geomon']}",
        "Values": f"{facts['values']}, withheld {facts['withheld']}",
        "Files read": f"{reads['ok'] + reads['retried']}, of them retried {reads['retried']}; failed {reads['failed']}",
        "Products": "\n".join(f"{c['id']}  {c['title']} ({c['licence']})" for c in recipe["collections"]),
        "Breaks": "\n".join(f"{date}  {why}" for date, why in recipe["breaks"]),
        "Official": official_words(recipe),
        "Choices": ", ".join(f"{k}={v}" for k, v in recipe["params"].items()),
        "Zones": " ".join(filter(None, (f"{len(run.zones)}", recipe["zones"]["version"]))),
        "Notes": "\n".join((*recipe["zones"]["remarks"], *recipe["remarks"])),
        "Maps": ", ".join(run.maps),
        "Nature": facts["nature"] + (", synthetic: no real place" if facts["synthetic"] else ""),
        "Credit": "\n".join(recipe["attribution"]),
        "Folder": facts["folder"],
    }
    return listed(lines)


def official_words(recipe: Mapping[str, Any]) -> str:
    """Which official statistics a run was checked against; nothing for none."""
    if pinned := recipe.get("official"):
        return f"{pinned['name']}, retrieved {pinned['retrieved'][:10]}"
    return f"a table that is no pinned vintage, hash {recipe['vintage']}" if recipe.get("vintage") else ""


def listed(lines: Mapping[str, str]) -> Table:
    """Names and what they are, those that have something."""
    made = table("", "", wrap=("",))
    made.show_header = False
    for name, what in lines.items():
        if what:
            made.add_row(Text(name, style="dim"), Text(what))
    return made


def size(count: float) -> str:
    """'120 MB'."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def seconds(count: float) -> str:
    """'4 s', '3 min'."""
    return f"{count:.1f} s" if count < 10 else f"{count:.0f} s" if count < 120 else f"{count / 60:.0f} min"
