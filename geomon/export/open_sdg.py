"""The layout of an Open SDG site: one table an indicator in data/, and what is said of it in meta/.

Lower bound, Upper bound, Interval, Coverage, Nature and Run are no disaggregations: list them under
`non_disaggregation_columns` of the site's data configuration, or the site makes filters of them.
"""

import csv
import io
import json
from collections import Counter
from typing import Any

from geomon.errors import InputError
from geomon.export.own import endless, unique
from geomon.export.release import About, Release
from geomon.export.said import bound, plain
from geomon.export.statuses import code_of, meaning
from geomon.series import NATURE
from geomon.texts import say

COLUMNS = (
    *("Year", "Series", "Area", "Breakdown", "Period", "Units", "Observation status", "Status reason", "Nature"),
    *("Lower bound", "Upper bound", "Interval", "Coverage", "Run", "GeoCode", "Value"),
)
NOT_DISAGGREGATIONS = ("Observation status", "Status reason", "Nature", *COLUMNS[9:14])


def to_open_sdg(release: Release) -> dict[str, bytes]:
    """Files by name: data/indicator_15-1-1.csv and meta/15-1-1.md for each indicator."""
    files: dict[str, bytes] = {}
    for code, about in release.about.items():
        name = code.replace(".", "-")
        if not name.replace("-", "").isalnum():
            raise InputError(
                f"The indicator {code!r} has no name that an Open SDG site can have: letters, digits and -."
            )
        if f"meta/{name}.md" in files:
            raise InputError(f"Two indicators become {name!r} in an Open SDG site. Export one of them.")
        files[f"data/indicator_{name}.csv"] = data(release, code)
        files[f"meta/{name}.md"] = metadata(release, code, about)
    settings = json.dumps(list(NOT_DISAGGREGATIONS))
    files["config_data_addition.yml"] = f"non_disaggregation_columns: {settings}\n".encode()
    return files


def data(release: Release, code: str) -> bytes:
    """The rows of an indicator; those of the one area above all have no Area, which is the site's headline."""
    top = release.tops[0] if len(release.tops) == 1 else ""
    names = area_names(release)
    told = io.StringIO(newline="")
    lines = csv.writer(told, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in (r for r in release.rows if r["indicator"] == code):
        output = release.told(row)
        label = row["time_period"]
        year = label.rpartition("/")[2][:4]  # sites draw whole years only
        lines.writerow(
            [
                year,
                plain(output.title),
                "" if row["ref_area"] == top else names[row["ref_area"]],
                row["breakdown"],
                "" if label == year else label,
                row["unit_measure"],
                meaning(code_of(row, output.differs)),
                plain(row["obs_status"]),
                row["nature"],
                endless(row["lower"]),
                endless(row["upper"]),
                row["interval"],
                bound(row["coverage"], 0),
                row["run"],
                row["ref_area"],
                bound(row["obs_value"], 0),
            ]
        )
    return told.getvalue().encode()


def area_names(release: Release) -> dict[str, str]:
    """A name for each area that no other has: with its code where two are called alike."""
    codes = unique(release.series["ref_area"])
    names = {c: plain(release.names.get(c) or c) for c in codes}
    count = Counter(names.values())
    return {c: f"{name} ({c})" if count[name] > 1 else name for c, name in names.items()}


def metadata(release: Release, code: str, about: About) -> bytes:
    """What the site shows beside the numbers: that they are satellite estimates, how they were made, on which terms."""
    rows = release.series[release.series["indicator"] == code]
    kinds = ", ".join(sorted(set(rows["interval"]) - {""}))
    fields: dict[str, Any] = {
        "indicator_number": code,
        "indicator_name": about.title,
        "graph_title": f"{about.title} ({NATURE})",
        "graph_type": "line",
        "computation_units": ", ".join(sorted(set(rows["unit_measure"]))),
        "reporting_status": "complete",
        "published": True,
        "data_nature": say("export.estimate"),
        "data_synthetic": release.invented,
        "computation_method": about.note,
        "interval_kind": kinds,
        "interval_columns": "Lower bound, Upper bound",
        "data_runs": ", ".join(sorted(set(rows["run"]))),
        "data_vintages": ", ".join(sorted(set(rows["vintage"]) - {""})),
        "data_update": release.created,
        "comparability": " ".join(o.difference for o in about.outputs.values() if o.differs),
    }
    for n, product in enumerate(release.products, 1):
        fields |= {
            f"source_active_{n}": True,
            f"source_organisation_{n}": product.attribution,
            f"source_title_{n}": product.title,
            f"source_licence_{n}": product.licence,
            f"source_caveats_{n}": " ".join(product.caveats),
        }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    text = f"{say('export.estimate')} {say('export.synthetic') if release.synthetic else ''}".strip()
    return "\n".join(["---", *lines, "---", plain(text), ""]).encode()
