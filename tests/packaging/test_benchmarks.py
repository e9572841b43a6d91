"""What the README says of speed is what was measured."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pairs import Disagreement, Once, Pair, compare, keep, table

SAID = {
    "xvec": ("zonal:", "xvec"),
    "exact coverage alone, 295 real units": ("coverage: 295", "exactextract"),
    "areas of 7 classes, same size": ("classes:", "exactextract"),
    "Whittaker smoothing": ("smooth: Whittaker, lambda 10, 360", "hdc-algo ws2dgu"),
    "GDAL merely decoding those bytes": ("pipeline:", "GDAL"),
}


@pytest.fixture(scope="module")
def rows(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((root / "benchmarks" / "results" / "latest.json").read_text())
    return found


def test_every_row_has_what_a_reader_needs(rows: list[dict[str, Any]]) -> None:
    wanted = {"name", "peer", "ours_s", "peer_s", "ratio", "max_abs_diff", "ours_peak_mib", "peer_peak_mib"}
    assert rows and all(wanted <= r.keys() for r in rows)
    groups = {r["name"].partition(":")[0] for r in rows}
    assert {"zonal", "classes", "coverage", "trend", "smooth", "spi", "pipeline", "scaling"} <= groups


@pytest.mark.parametrize("line", SAID)
def test_the_readme_says_what_was_measured(root: Path, rows: list[dict[str, Any]], line: str) -> None:
    name, peer = SAID[line]
    (measured,) = [r["ratio"] for r in rows if r["name"].startswith(name) and r["peer"].startswith(peer)]
    (told,) = [text for text in (root / "README.md").read_text().splitlines() if text.startswith("|") and line in text]
    found = re.search(r"\| ([\d.]+)x \|$", told)
    assert found and float(found[1]) == pytest.approx(measured, rel=0.05)


def test_nothing_is_timed_where_values_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    def pair(theirs: float) -> Pair:
        differ = {"apart": lambda a, b: abs(a - b), "allowed": 0.1}
        return Pair(name="zonal: x", peer="y", ours=lambda: 1.0, theirs=lambda: theirs, **differ)

    with pytest.raises(Disagreement, match=r"zonal: x: y differs by 1, allowed are 0\.1"):
        compare(pair(2.0))
    times = iter([Once(1.0, 2.0), Once(4.0, 3.0), Once(1.0, 1.0), Once(2.0, 1.0), Once(1.0, 1.0), Once(8.0, 1.0)])
    monkeypatch.setattr("benchmarks.pairs.once", lambda _: next(times))
    found = compare(pair(1.05), pairs=3)
    assert (found["ratio"], found["ratio_median"], found["ours_peak_mib"]) == (3.0, 4.0, 2.0)


def test_a_group_takes_the_place_of_its_own_rows_only(tmp_path: Path) -> None:
    file = tmp_path / "results" / "latest.json"
    row = {"peer": "p", "ours_s": 1.0, "peer_s": 2.0, "ratio": 2.0, "max_abs_diff": 0.0}
    row |= {"ours_peak_mib": 1.0, "peer_peak_mib": 1.0}
    keep("zonal", [{"name": "zonal: a", **row}], file)
    keep("trend", [{"name": "trend: b", **row}], file)
    assert [r["name"] for r in keep("zonal", [{"name": "zonal: c", **row}], file)] == ["trend: b", "zonal: c"]
    assert "| zonal: c | p | 1 s | 2 s | **2x** |" in table([{"name": "zonal: c", **row}])
