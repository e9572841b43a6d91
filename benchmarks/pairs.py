"""Two ways to the same values, run by turns in one process: agreement first, then time and memory as ratios."""

import ctypes
import gc
import json
import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "latest.json"
PAIRS = 7
LEAST = 3
BUDGET = 40.0  # seconds for the pairs of one comparison after the first few; a group stays below three minutes


@dataclass(frozen=True, kw_only=True)
class Pair:
    """geomon beside one peer, on the same data."""

    name: str
    """'group: what is computed, on what'."""
    peer: str
    """What runs beside it, and how it is called."""
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    apart: Callable[[Any, Any], float]
    """Largest absolute difference of the two results."""
    allowed: float
    """How far apart they may be; more, and nothing is timed."""
    share: float = 1.0
    """The share of the work that the peer was given, where all of it would take too long; its time is scaled."""
    budget: float = BUDGET
    least: int = LEAST
    """Pairs that are run whatever they take."""


@dataclass(frozen=True)
class Once:
    """One call."""

    seconds: float
    peak: float
    """MiB by which the process grew at most."""


class Disagreement(Exception):
    """The values differ, so times mean nothing."""


def compare(pair: Pair, pairs: int = PAIRS) -> dict[str, Any]:
    """A row of the results. `ratio` is the lower quartile over the pairs: what may be promised."""
    ours, theirs = pair.ours(), pair.theirs()  # also compiles, imports and fills caches
    apart = float(pair.apart(ours, theirs))
    if not apart <= pair.allowed:
        raise Disagreement(f"{pair.name}: {pair.peer} differs by {apart:.3g}, allowed are {pair.allowed:g}.")
    del ours, theirs
    found: list[tuple[Once, Once]] = []
    start = time.monotonic()
    while len(found) < pairs and (len(found) < pair.least or time.monotonic() - start < pair.budget):
        found.append((once(pair.ours), once(pair.theirs)))
    ours_s = statistics.median(a.seconds for a, _ in found)
    peer_s = statistics.median(b.seconds for _, b in found) / pair.share
    ratios = sorted(b.seconds / pair.share / a.seconds for a, b in found)
    return {
        "name": pair.name,
        "peer": pair.peer + ("" if pair.share == 1 else f" (time scaled from {pair.share:.3g} of the work)"),
        "ours_s": rounded(ours_s),
        "peer_s": rounded(peer_s),
        "ratio": rounded(statistics.quantiles(ratios, n=4, method="inclusive")[0] if ratios[1:] else ratios[0]),
        "ratio_median": rounded(statistics.median(ratios)),
        "pairs": len(found),
        "max_abs_diff": apart,
        "ours_peak_mib": round(max(a.peak for a, _ in found), 1),
        "peer_peak_mib": round(max(b.peak for _, b in found), 1),
    }


def once(action: Callable[[], Any]) -> Once:
    """Time and peak memory of one call; Linux tells the peak, elsewhere it is NaN."""
    reset_peak()
    before = resident("VmRSS")
    start = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - start
    peak = max(resident("VmHWM") - before, 0.0)
    del result
    return Once(seconds, peak)


def reset_peak() -> None:
    """Give freed memory back and let the kernel count the high-water mark anew."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def resident(field: str) -> float:
    """A line of /proc/self/status in MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return math.nan
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), math.nan)


def rounded(number: float) -> float:
    """Four significant digits."""
    return float(f"{number:.4g}")


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = [
        "| work | beside | geomon | peer | ratio | peak memory | largest difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        peaks = f"{r['ours_peak_mib']:.0f} / {r['peer_peak_mib']:.0f} MiB"
        times = f"{r['ours_s']:.3g} s | {r['peer_s']:.3g} s | **{r['ratio']:.3g}x**"
        lines.append(f"| {r['name']} | {r['peer']} | {times} | {peaks} | {r['max_abs_diff']:.1g} |")
    return "\n".join(lines)


def keep(group: str, rows: list[dict[str, Any]], path: Path = RESULTS) -> list[dict[str, Any]]:
    """Write the rows of a group in the place of those that were there, others as they are."""
    others = json.loads(path.read_text()) if path.exists() else []
    all_ = sorted([r for r in others if not r["name"].startswith(f"{group}:")] + rows, key=lambda r: r["name"])
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(all_, indent=1) + "\n")
    return all_
